"""Import torchvision's classifiers by their weights alone and compare with PyTorch.

    python weights.py BURNCAM RESULTS.json [NAME...]
    python weights.py --table RESULTS.json > TABLE.md

For each network (all of `torchvision.models` and the CIFAR ResNets unless named): seeded weights, running statistics among
them, are written as safetensors or, every other one, as `.pth`; `burncam
import --arch NAME` reads them; `burncam explain` gets a seeded tensor as input and writes logits and the Grad-CAM map of class 3
at the layer `auto`. PyTorch computes the same with a hook. Differences are relative to the greatest magnitude. Results are added
to RESULTS.json, and networks that are there already are not run again. `timm:NAME` and `hf:NAME` run the networks of these
libraries, if they are installed.

Needs torch and torchvision, numpy and safetensors; nothing is downloaded.
"""

import json
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fixtures/scripts"))
from architectures import CLASSES, build, name_in_files, own_names

TARGET = 3
LIMIT = 1e-4
# Where a network's own size is fixed by its weights; the others run at 160 pixels, to be quick.
OWN_SIZE = {"vit_h_14": 518, "maxvit_t": 224, "swin_v2_t": 256, "swin_v2_s": 256, "swin_v2_b": 256}


def fill(net, called):
    """Seeded weights by the rules of `seeded.py`, from PyTorch's own generator, which is faster."""
    import torch
    import zlib
    from seeded import COMPUTED, rule

    with torch.no_grad():
        for name, tensor in net.state_dict().items():
            if tensor.is_floating_point() and name.rsplit(".", 1)[-1] not in COMPUTED:
                generator = torch.Generator().manual_seed(zlib.crc32(called(name).encode()))
                tensor.copy_(rule(called(name), tuple(tensor.shape))(torch.rand(tensor.shape, generator=generator)))
    return net.eval()


def side_of(name, net):
    if "_cifar" in name:
        return 32
    if hasattr(net, "default_cfg") and re.search(r"vit|deit|swin|maxvit", name):
        return net.default_cfg["input_size"][-1]
    if name in OWN_SIZE:
        return OWN_SIZE[name]
    return 224 if re.match(r"vit|swin", name.split(":")[-1]) or name.startswith("hf:") else 160


def module_of(net, layer):
    """The module whose output is the layer's: functions end the module that they stand in (`layer4.1.relu_1`)."""
    modules = dict(net.named_modules())
    while layer not in modules:
        layer = layer.rpartition(".")[0]
    return modules[layer]


def torch_results(net, x, layer):
    """Logits, and the raw Grad-CAM map at a layer."""
    import torch

    taken = {}

    def take(_module, _inputs, output):
        output = output[0] if isinstance(output, tuple) else output
        output.retain_grad()
        taken["value"] = output

    module = module_of(net, layer)
    restore = None
    if layer == "features.relu":
        # DenseNet's last rectifier is a function.
        from torchvision.models import densenet

        restore, usual = densenet.F.relu, densenet.F.relu

        def relu(value, inplace=False):
            output = usual(value)
            take(None, None, output)
            return output

        densenet.F.relu = relu
    else:
        module.register_forward_hook(take)
    output = net(x)
    output = getattr(output, "logits", output)
    output[0, TARGET].backward()
    if restore:
        densenet.F.relu = restore
    value, slope = taken["value"].detach().double()[0], taken["value"].grad.double()[0]
    if value.ndim == 3 and channels_last(net, layer):
        value, slope = value.permute(2, 0, 1), slope.permute(2, 0, 1)
    if value.ndim == 2:
        # Tokens: the last ones are a square.
        side = int(len(value) ** 0.5)
        value, slope = value[-side * side :], slope[-side * side :]
        value, slope = (t.T.reshape(-1, side, side) for t in (value, slope))
    cam = (slope.mean((1, 2))[:, None, None] * value).sum(0)
    return output.detach().double()[0].numpy(), cam.numpy()


def channels_last(net, layer):
    return re.search(r"swin", type(net).__name__.lower()) is not None and not layer.startswith("permute")


def run(binary, name, as_pth):
    import numpy as np
    import torch
    from safetensors.torch import save_file
    from seeded import seeded

    called = lambda key: name_in_files(name, key)
    net = fill(build(name), called)
    for module in net.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    side = side_of(name, net)
    x = seeded("input", (1, 3, side, side))
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        weights, model = folder / ("w.pth" if as_pth else "w.safetensors"), folder / "m.bpk"
        if as_pth:
            state = {called(key): value for key, value in net.state_dict().items()}
            torch.save({"state_dict": state, "epoch": 3}, weights)
        else:
            save_file({called(key): value.contiguous().clone() for key, value in net.state_dict().items()}, weights)
        np.save(folder / "x.npy", x)
        size = ["--crop", str(side)]
        said = call([binary, "import", weights, "--arch", name, *size, "-o", model])
        weights.unlink()
        command = [binary, "explain", "-m", model, folder / "x.npy", "-t", str(TARGET), "--signed", "--no-normalize"]
        call([*command, "--top-k", str(CLASSES), "--save", "npy,record", "-o", folder / "out"])
        record = json.loads(next((folder / "out").glob("*.json")).read_text())
        found = np.load(next((folder / "out").glob("*.npy"))).astype(np.float64)
    layer = record["layer"]["name"] if isinstance(record.get("layer"), dict) else record["layers"][0]["name"]
    predictions = {one["target"]: one["logit"] for one in record["predictions"]}
    logits = np.array([predictions[index] for index in range(CLASSES)])
    expected, cam = torch_results(net, torch.from_numpy(x), layer)
    found = found.reshape(found.shape[-2:])
    assert found.shape == cam.shape, f"{layer}: {found.shape} and {cam.shape}"
    result = {
        "logits": share(logits, expected),
        "map": share(found, cam),
        "layer": layer,
        "cells": list(found.shape),
        "input": side,
        "file": "pth" if as_pth else "safetensors",
        "said": said,
    }
    if max(result["logits"], result["map"]) > LIMIT:
        # Whose rounding is it?
        exact, exact_cam = torch_results(net.double(), torch.from_numpy(x).double(), layer)
        result["double"] = {"logits": share(logits, exact), "map": share(found, exact_cam)}
        result["pytorch"] = {"logits": share(expected, exact), "map": share(cam, exact_cam)}
    return result


def share(found, expected):
    return float(abs(found - expected).max() / abs(expected).max())


def call(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip()[-2000:])
    return done.stdout


def table(results):
    print("| network | file | input | layer | map | logits | Grad-CAM |")
    print("|---|---|---|---|---|---|---|")
    for name, one in results.items():
        if "error" in one:
            print(f"| {name} | | | {one['error'].splitlines()[0]} | | | |")
            continue
        cells = "x".join(map(str, one["cells"]))
        numbers = [f"{one[what]:.1e}" + ("" if one[what] < LIMIT else " **") for what in ("logits", "map")]
        print(f"| {name} | {one['file']} | {one['input']} | {one['layer']} | {cells} | {numbers[0]} | {numbers[1]} |")
    print()
    print("| above 1e-4, against double precision | logits | of PyTorch | Grad-CAM | of PyTorch |")
    print("|---|---|---|---|---|")
    for name, one in results.items():
        if "double" in one:
            numbers = [f"{one[whose][what]:.1e}" for what in ("logits", "map") for whose in ("double", "pytorch")]
            print(f"| {name} | {' | '.join(numbers)} |")


def main(binary, path, *wanted):
    warnings.simplefilter("ignore")
    path = Path(path)
    results = json.loads(path.read_text()) if path.exists() else {}
    for at, name in enumerate(wanted or own_names()):
        if name in results and "error" not in results[name]:
            continue
        try:
            results[name] = run(binary, name, at % 2 == 1)
        except Exception as error:  # the sweep goes on, and the table says what happened
            results[name] = {"error": f"{type(error).__name__}: {error}"}
        shown = {key: value for key, value in results[name].items() if key != "said"}
        print(name, json.dumps(shown), flush=True)
        path.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    if sys.argv[1] == "--table":
        table(json.loads(Path(sys.argv[2]).read_text()))
    else:
        main(*sys.argv[1:])
