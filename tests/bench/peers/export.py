"""Writes the seeded networks and the photographs: export.py DIRECTORY FIXTURES NAME...

For each network: `weights.pth`, `input.f32`, `info.json`; for a convolutional one `full.onnx` and `trunk.bN.onnx` up to the explained
layer; and `head.npz` where a linear layer is all that comes after an average.
"""

import json
import logging
import pathlib
import sys
import warnings

import numpy
import torch
from PIL import Image, ImageOps

import nets

BATCHES = [1, 16]
PHOTOS = 64


def settle(net):
    """Gives batch norms the statistics of their own inputs, so that activations neither fade nor grow."""
    norms = [module for module in net.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    kept = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
    net.train()
    with torch.no_grad():
        for _ in range(3 if norms else 0):
            net(torch.randn(8, 3, nets.SIDE, nets.SIDE))
    for norm, momentum in zip(norms, kept):
        norm.momentum = momentum
    net.eval()


def onnx(module, batch, file):
    torch.onnx.export(module, torch.zeros(batch, 3, nets.SIDE, nets.SIDE), file, dynamo=False, opset_version=17)


def write(name, folder):
    folder.mkdir(parents=True, exist_ok=True)
    net = nets.build(name)
    settle(net)
    pictures = torch.randn(max(BATCHES), 3, nets.SIDE, nets.SIDE)
    with torch.no_grad():
        # A class that every picture speaks for: no map is blank.
        best = int(net(pictures).amin(0).argmax())
    pictures.numpy().astype("<f4").tofile(folder / "input.f32")
    torch.save(net.state_dict(), folder / "weights.pth")
    trunk = nets.trunk(name, net)
    if trunk is not None:
        onnx(net, 1, folder / "full.onnx")
        for batch in BATCHES:
            onnx(trunk, batch, folder / f"trunk.b{batch}.onnx")
    head = nets.head(name, net)
    if head is not None:
        numpy.savez(folder / "head.npz", weight=head.weight.detach().numpy(), bias=head.bias.detach().numpy())
    (folder / "info.json").write_text(json.dumps({"class": best}))


def photographs(folder, fixtures):
    """64 different JPEGs of 640x480, cut from the fixtures at seeded places."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = [Image.open(file).convert("RGB") for file in sorted(fixtures.glob("*.png"))]
    chance = numpy.random.default_rng(0)
    for index in range(PHOTOS):
        picture = sources[index % len(sources)]
        share = chance.uniform(0.6, 1.0)
        width, height = int(picture.width * share), int(picture.height * share)
        left = int(chance.integers(0, picture.width - width + 1))
        top = int(chance.integers(0, picture.height - height + 1))
        cut = picture.crop((left, top, left + width, top + height))
        ImageOps.fit(cut, (640, 480)).save(folder / f"{index:02}.jpg", quality=90)


def main():
    folder, fixtures, *names = sys.argv[1:]
    folder = pathlib.Path(folder)
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    photographs(folder / "photos", pathlib.Path(fixtures))
    for name in names:
        if not (folder / name / "info.json").exists():
            print(f"exporting {name}", file=sys.stderr)
            write(name, folder / name)


main()
