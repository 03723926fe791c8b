"""Holds what contenders computed against each other: compare.py TASK DUMP.json, whose rows are [library, file, shape].

Prints JSON: each library's greatest difference from PyTorch's own numbers, as a share of their greatest. Maps are first
brought to each library's own way of scaling and enlarging them.
"""

import json
import pathlib
import sys

import numpy


def unit(maps):
    """Each map from its least to its greatest, 0 to 1."""
    low = maps.min((-2, -1), keepdims=True)
    return (maps - low) / (maps - low).max((-2, -1), keepdims=True)


def enlarged(maps, side):
    import cv2

    return numpy.stack([cv2.resize(one, (side, side)) for one in maps])


def expected(library, reference, shape):
    if library.startswith("burncam"):
        return reference / reference.max((-2, -1), keepdims=True)
    if library == "torchcam":
        return unit(reference)
    if library == "pytorch-grad-cam":
        return unit(enlarged(unit(reference), shape[-1]))
    return reference


def main():
    task, dumps = sys.argv[1], json.loads(pathlib.Path(sys.argv[2]).read_text())
    read = {
        library: numpy.fromfile(file, "<f4").reshape(-1, *shape[-3:] if task == "trunk" else shape[-2:])
        for library, file, shape in dumps
    }
    reference = read["torch" if task == "trunk" else "captum"]
    answer = {}
    for library, numbers in read.items():
        wanted = reference if task == "trunk" else expected(library, reference, numbers.shape)
        answer[library] = float(numpy.abs(numbers - wanted).max() / numpy.abs(wanted).max())
    print(json.dumps(answer))


main()
