"""Does burncam import every network? Sweep torchvision and timm through ONNX, and compare logits and Grad-CAM.

    python tests/zoo/onnx.py export DIR [--minutes N] [--longest SECONDS] [--only PART ...]   PyTorch's side: files, logits, maps
    python tests/zoo/onnx.py compare DIR --burncam PROGRAM [--again refused|wrong|all] [--discard] [--only PART ...]
    python tests/zoo/onnx.py table DIR                                       between the marks of docs/zoo.md

`export` builds each network with seeded weights (batch norm with the statistics of pictures, biases that pass ReLU), writes
NAME.onnx by PyTorch's default exporter, and NAME.npz: the input, onnxruntime's logits, PyTorch's logits, the class that is
explained, and PyTorch's own Grad-CAM map of that class at every tensor on the way that is a grid over the picture. `compare`
imports each file, explains that class at the auto layer, and looks for the map among PyTorch's. Both go on where they were
stopped: what has a result is left alone. PyTorch is not needed to compare.

The order is that of `networks.py`: torchvision, one network of each family of timm, the rest. A network that takes
longer than `--longest` is noted as not exported. `--discard` deletes the files of each network that compares right.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
# Not this folder itself: `import onnx` means the package.
sys.path[0] = str(HERE.parent)
sys.path.append(str(HERE.parents[1] / "fixtures" / "scripts"))

PAGE, MARK = HERE.parents[1] / "docs" / "zoo.md", "<!-- sweep -->"
LIMIT = 1e-4
# Where PyTorch and onnxruntime differ by more than this, random weights amplify rounding, and there is no truth to compare with.
STABLE = 3e-5
# Networks that work at any input size are run at this one; others at their own.
SMALL = 128
# Grids finer than this have no auto layer, and would fill the disk.
CELLS = 64 * 64
# A class token, one of distillation, and up to as many registers may stand before the tokens of the picture.
PREFIXES = 9


def results(path):
    """Name -> the last result of each network."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {entry["name"]: entry for entry in map(json.loads, lines)}


def note(path, entry):
    with path.open("a") as file:
        file.write(json.dumps(entry) + "\n")


# PyTorch's side


def build(library, name):
    """The network, and the sides at which it may be run, in order."""
    import torch
    from zoo.networks import from_torchvision

    torch.manual_seed(0)
    if library == "torchvision":
        fixed = name.startswith(("vit", "maxvit", "swin"))
        return from_torchvision(name), [224] if fixed else [SMALL, 224, 299]
    import timm

    net = timm.create_model(name, pretrained=False)
    config = net.pretrained_cfg
    own = config["input_size"][-1]
    return net, [own] if config.get("fixed_input_size") or own < SMALL else [SMALL, own]


def ready(library, name, fused=True):
    """The network with its weights, and its input. Unfused attention is timm's for exporters that don't know all of PyTorch's."""
    from onnx_exports import randomise
    from onnx_reference import picture

    if library == "timm":
        import timm

        timm.layers.set_fused_attn(fused)
    net, sides = build(library, name)
    side = next(side for side in sides if runs(net, side))
    return quiet(randomise(net, (4, 3, side, side))), picture((1, 3, side, side))


def runs(net, side):
    """Whether the network takes pictures of this side."""
    import torch

    try:
        with torch.no_grad():
            net.eval()(torch.zeros(1, 3, side, side))
    except Exception:
        return False
    return True


def quiet(net):
    """Nothing is computed in place, so that every tensor keeps the value it had; nothing but the input needs a gradient."""
    for module in net.modules():
        if hasattr(module, "inplace"):
            module.inplace = False
    return net.eval().requires_grad_(False)


def maps(net, array):
    """Logits, the explained class, and Grad-CAM's signed map at each tensor that may be a grid, from one backward pass."""
    import torch
    from torch.overrides import TorchFunctionMode

    tensors = []

    class Record(TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            result = function(*args, **(kwargs or {}))
            if isinstance(result, torch.Tensor) and result.requires_grad and result.ndim in (3, 4) and result.shape[0] == 1:
                result.retain_grad()
                tensors.append((getattr(function, "__name__", str(function)), result))
            return result

    x = torch.from_numpy(array).requires_grad_()
    with Record():
        logits = net(x)
    best = int(logits[0].argmax())
    logits[0, best].backward()
    found = {}
    for at, (function, tensor) in enumerate(tensors):
        if tensor.grad is not None:
            found |= {f"{at}:{function}:{how}": grid for how, grid in grids(tensor.detach().numpy()[0], tensor.grad.numpy()[0])}
    return logits.detach().numpy(), best, found


def grids(values, gradient):
    """Every way to read a tensor without its batch as channels over a grid."""
    sides = values.shape
    if values.ndim == 3:
        if sides[1] * sides[2] <= CELLS:
            yield "first", np.einsum("chw,c->hw", values, gradient.mean((1, 2), dtype=np.float64))
        if sides[0] * sides[1] <= CELLS:
            yield "last", np.einsum("hwc,c->hw", values, gradient.mean((0, 1), dtype=np.float64))
        return
    for prefix in range(PREFIXES):
        side = int(max(sides[0] - prefix, 0) ** 0.5 + 0.5)
        if side > 1 and side * side + prefix == sides[0] and side * side <= CELLS:
            cells, slopes = values[prefix:], gradient[prefix:]
            yield f"tokens{prefix}", np.einsum("nc,c->n", cells, slopes.mean(0, dtype=np.float64)).reshape(side, side)


def listed(directory):
    """The networks of the sweep; sizes take a minute to find out, so they are kept."""
    path = directory / "networks.json"
    if not path.exists():
        from zoo.networks import everything

        path.write_text(json.dumps(everything()))
    return json.loads(path.read_text())


def reason(error):
    """The first words of an error; PyTorch's exporter gives advice before them."""
    return " ".join(str(error).rpartition("## Exception summary")[2].split())[:300]


def overdue(_signal, _frame):
    raise TimeoutError("longer than `--longest`")


def export(options):
    import signal
    import warnings

    import torch
    from zoo.networks import in_order
    from onnx_reference import run

    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    journal = options.directory / "exports.jsonl"
    done, start = results(journal), time.time()
    reached = {(entry["library"], entry["family"]) for entry in done.values() if entry["status"] == "exported"}
    signal.signal(signal.SIGALRM, overdue)
    for library, family, name, parameters, _ in in_order(listed(options.directory), reached):
        label = f"{library}.{name}"
        if label in done or not any(part in label for part in options.only):
            continue
        if time.time() - start > options.minutes * 60:
            break
        signal.alarm(options.longest)
        began, entry = time.time(), {"name": label, "library": library, "family": family, "parameters": parameters}
        path = options.directory / f"{label}.onnx"
        try:
            net, array = ready(library, name)
            entry["side"] = array.shape[-1]
            try:
                torch.onnx.export(net, (torch.from_numpy(array),), str(path), dynamo=True, verbose=False)
            except torch.onnx.errors.OnnxExporterError:
                if library != "timm":
                    raise
                entry["fused"] = False
                net, array = ready(library, name, fused=False)
                torch.onnx.export(net, (torch.from_numpy(array),), str(path), dynamo=True, verbose=False)
            reference = run(path, array)
            own, best, found = maps(net, array)
            assert np.isfinite(reference).all() and reference.std() > 1e-6, "logits of no use"
            np.savez_compressed(path.with_suffix(".npz"), input=array, reference=reference, own=own, best=best, **found)
            entry["status"] = "exported"
            entry["off"] = float(np.abs(own - reference).max() / np.abs(reference).max())
        except Exception as error:
            for leftover in (path, Path(f"{path}.data")):
                leftover.unlink(missing_ok=True)
            entry |= {"status": "not exported", "why": f"{type(error).__name__}: {reason(error)}"}
        signal.alarm(0)
        entry["seconds"] = round(time.time() - began, 1)
        note(journal, entry)
        print(entry, flush=True)


# burncam's side


def burncam(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=900)
    return done.returncode, " ".join(done.stderr.split())


def compared(program, directory, label, stable):
    """What burncam makes of one file."""
    source, scratch = directory / f"{label}.onnx", directory / "scratch"
    scratch.mkdir(exist_ok=True)
    model = scratch / "network.bpk"
    code, said = burncam(program, "import", source, "-o", model, "--force", "--preset", "raw", "--output", "logits")
    if code:
        return {"status": "refused", "why": said}
    with np.load(source.with_suffix(".npz")) as arrays:
        truth = {name: arrays[name] for name in arrays.files}
    array, reference, best = truth.pop("input"), truth.pop("reference"), int(truth.pop("best"))
    truth.pop("own")
    np.save(scratch / "input.npy", array)
    code, said = burncam(
        program, "explain", "-m", model, scratch / "input.npy", "-t", best, "--signed", "--no-normalize",
        "--save", "npy,record", "--top-k", reference.size, "-o", scratch, "--force", "--threads", "1",
    )  # fmt: skip
    if code:
        return {"status": "no answer", "why": said}
    record = json.loads((scratch / "input.gradcam.json").read_text())
    logits = np.full(reference.size, np.nan)
    for entry in record["predictions"]:
        logits[entry["target"]] = entry["logit"]
    off = float(np.abs(logits - reference.ravel()).max() / np.abs(reference).max())
    grid = np.load(scratch / "input.gradcam.npy").squeeze()
    layer = record["layers"][0]["name"]
    near, where = nearest(grid, truth, record["layers"][0].get("prefix"))
    status = "unstable" if stable > STABLE else "right" if off <= LIMIT and near <= LIMIT else "wrong"
    if status == "wrong" and off <= LIMIT and where is None:
        # PyTorch has no grid of that shape on its way, or one with more cells than are kept.
        status = "logits only"
    return {"status": status, "logits": off, "map": near, "where": where, "layer": layer, "blank": not grid.any()}


def nearest(grid, truth, prefix):
    """The smallest difference of PyTorch's maps of that shape, as a share of the largest number, and which it is.

    Tokens are compared with tokens after as many: of those with another prefix PyTorch's side has kept none.
    """
    best = (float("inf"), None)
    for name, other in truth.items():
        form = name.rpartition(":")[2]
        if other.shape == grid.shape and (not form.startswith("tokens") or form == f"tokens{prefix or 0}"):
            most = np.abs(other).max() or np.finfo(np.float32).tiny
            best = min(best, (float(np.abs(grid - other).max() / most), name), key=lambda pair: pair[0])
    return best


def compare(options):
    journal = options.directory / "compared.jsonl"
    done = results(journal)
    for label, made in results(options.directory / "exports.jsonl").items():
        before = done.get(label, {}).get("status")
        wanted = before is None or options.again == "all" or (options.again == "refused" and before == "refused") or (
            options.again == "wrong" and before not in ("refused", "right")
        )
        if made["status"] != "exported" or not wanted or not any(part in label for part in options.only):
            continue
        try:
            entry = compared(options.burncam, options.directory, label, made["off"])
        except Exception as error:
            entry = {"status": "no answer", "why": f"{type(error).__name__}: {error}"}
        entry = {"name": label} | entry
        note(journal, entry)
        print(entry, flush=True)
        if options.discard and entry["status"] == "right":
            for suffix in (".onnx", ".onnx.data", ".npz"):
                (options.directory / f"{label}{suffix}").unlink(missing_ok=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["export", "compare", "table"])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--burncam", default="burncam")
    parser.add_argument("--minutes", type=float, default=1e9, help="start no further export after this time")
    parser.add_argument("--longest", type=int, default=0, metavar="SECONDS", help="give a network up after this time")
    parser.add_argument("--discard", action="store_true", help="delete the files of each network that compares right")
    parser.add_argument("--only", nargs="+", default=[""], metavar="PART")
    parser.add_argument("--again", choices=["refused", "wrong", "all"], help="compare these once more")
    options = parser.parse_args()
    options.directory.mkdir(parents=True, exist_ok=True)
    if options.step == "table":
        from zoo.table import table

        tables = table(listed(options.directory), results(options.directory / "exports.jsonl"), results(options.directory / "compared.jsonl"))
        before, _, after = PAGE.read_text().split(MARK)
        return PAGE.write_text(f"{before}{MARK}\n{tables.rstrip()}\n\n{MARK}{after}")
    {"export": export, "compare": compare}[options.step](options)


if __name__ == "__main__":
    main()
