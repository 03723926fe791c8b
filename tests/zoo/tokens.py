"""Transformers of their full size with random weights: burncam's maps against pytorch-grad-cam's with its `reshape_transform`.

    python tests/zoo/tokens.py BURNCAM DIR [NAME ...]

For each network: NAME.onnx by PyTorch's exporter, an import, and `explain --compat pytorch-grad-cam` at the auto layer on a random input;
the library explains the first norm of the last block. Goes on where it was stopped, and writes the table of docs/parity.md between
its two marks. Needs what `fixtures/scripts/tokens.py` needs, whose seeded weights, reshapes and targets it takes.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import timm
import torch
import torchvision
from transformers import CLIPVisionConfig

ROOT = Path(__file__).resolve().parents[2]
# Not this folder itself: it has files named like packages.
sys.path[0] = str(ROOT / "fixtures" / "scripts")
import tokens

PAGE, MARK = ROOT / "docs" / "parity.md", "<!-- tokens -->"
METHODS = ["gradcam", "gradcampp", "layercam", "hirescam", "xgradcam"]
SIDE = 224


def networks():
    """Name -> the network, its layer, and what makes a map of the layer's output."""
    def vit():
        network = torchvision.models.vit_b_16()
        return network, network.encoder.layers[-1].ln_1, tokens.drop(1, 14, 14)

    def swin():
        network = torchvision.models.swin_t()
        return network, network.features[-1][-1].norm1, tokens.channels_first

    def swin_of_timm():
        network = timm.create_model("swin_tiny_patch4_window7_224")
        return network, network.layers[-1].blocks[-1].norm1, tokens.channels_first

    def dinov2():
        network = timm.create_model("vit_small_patch14_reg4_dinov2", img_size=SIDE, num_classes=10)
        return network, network.blocks[-1].norm1, tokens.drop(5, 16, 16)

    def clip():
        network = tokens.Encoder(CLIPVisionConfig(attn_implementation="eager"))
        return network, network.layer(), tokens.drop(1, 7, 7)

    return {
        "ViT-B/16 (torchvision)": vit,
        "Swin-T (torchvision)": swin,
        "Swin-T (timm)": swin_of_timm,
        "DINOv2-S/14 with 4 registers (timm)": dinov2,
        "CLIP ViT-B/32, cosine (transformers)": clip,
    }


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command}\n{done.stderr}")


def compared(burncam, folder, make):
    """The layer, its grid, and per method the greatest difference of the finished maps."""
    folder.mkdir(parents=True, exist_ok=True)
    network, layer, reshape = make()
    tokens.seeded(network, 0)
    x, like = (torch.randn(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    is_encoder = isinstance(network, tokens.Encoder)
    like_or_none = like if is_encoder else None
    # Of random weights some classes have no evidence at all, and a blank map proves nothing.
    of, maps = 0, {}
    while not maps or not all(map.any() for map in maps.values()):
        of += 1
        maps = tokens.finished(network, layer, reshape, x, METHODS, like_or_none, of)
    np.save(folder / "x.npy", x.numpy())
    np.save(folder / "like.npy", like.numpy())
    torch.onnx.export(network, (x,), folder / "network.onnx", dynamo=True, external_data=True, verbose=False,
                      input_names=["input"], output_names=["output"])
    model = folder / "network.bpk"
    run(burncam, "import", folder / "network.onnx", "-o", model, "--force", *(["--task", "embedding"] if is_encoder else []))
    run(burncam, "explain", "-m", model, folder / "x.npy", "-o", folder / "out", "--force", "--compat", "pytorch-grad-cam",
        "--method", ",".join(METHODS), "--save", "npy,record", *(["--like", folder / "like.npy"] if is_encoder else ["-t", of]))
    found = {}
    for path in sorted((folder / "out").glob("*.json")):
        record = json.loads(path.read_text())
        if record.get("settings", {}).get("method") not in METHODS:
            continue
        target = record["targets"][0]
        file = next(each["file"] for each in target["artifacts"] if each["kind"] == "npy")
        method = record["settings"]["method"]
        found[method] = float(np.abs(np.load(folder / "out" / file) - maps[method]).max())
        taken = record["layers"][0]
    grid = f"{taken['height']}x{taken['width']}"
    return {"layer": taken["name"], "grid": grid, "prefix": taken.get("prefix"), "maps": found}


def table(results):
    lines = ["| network | auto layer | grid | " + " | ".join(METHODS) + " |", "|---|---|---|" + "---|" * len(METHODS)]
    for name, entry in results.items():
        grid = entry["grid"] if entry["prefix"] is None else f"{entry['grid']} tokens after {entry['prefix']}"
        numbers = " | ".join(f"{entry['maps'][method]:.0e}".replace("e-0", "e-") for method in METHODS)
        lines.append(f"| {name} | `{entry['layer']}` | {grid} | {numbers} |")
    return "\n".join(lines)


def main(burncam, folder, *wanted):
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    notes = folder / "results.json"
    results = json.loads(notes.read_text()) if notes.exists() else {}
    for at, (name, make) in enumerate(networks().items()):
        if name not in results and (not wanted or name in wanted):
            results[name] = compared(burncam, folder / str(at), make)
            notes.write_text(json.dumps(results, indent=1))
            print(name, results[name], flush=True)
    before, _, after = PAGE.read_text().split(MARK)
    PAGE.write_text(f"{before}{MARK}\n{table(results)}\n{MARK}{after}")


if __name__ == "__main__":
    main(*sys.argv[1:])
