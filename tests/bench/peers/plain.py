"""What the two plain scripts share: CAM in closed form, as one would write it who knows the network.

process_{onnxruntime,openvino}.py FOLDER THREADS OUT PHOTO...

The network is cut at the explained layer. What follows is an average and a linear layer, so Grad-CAM's weights are that layer's
row, and nothing runs backward. Pictures are read, resized, drawn and written by OpenCV.
"""

import pathlib
import sys

import cv2
import numpy

MEAN = numpy.array([0.485, 0.456, 0.406], "f4") * 255
STD = numpy.array([0.229, 0.224, 0.225], "f4") * 255

folder, threads, out = pathlib.Path(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
photos = [pathlib.Path(photo) for photo in sys.argv[4:]]
cv2.setNumThreads(threads)


def entry(picture):
    """The middle square at 224x224, normalised, channels first, and where it is on the picture."""
    height, width = picture.shape[:2]
    side = round(min(height, width) * 224 / 256)
    top, left = (height - side) // 2, (width - side) // 2
    square = picture[top : top + side, left : left + side]
    small = cv2.resize(square, (224, 224), interpolation=cv2.INTER_AREA)[..., ::-1]
    return ((small - MEAN) / STD).transpose(2, 0, 1)[None].astype("f4"), (top, left, side)


def explain(features):
    """Runs over the photographs; `features` takes the network's input and gives the explained layer's output."""
    head = numpy.load(folder / "head.npz")
    weight, bias = head["weight"], head["bias"]
    for path in photos:
        picture = cv2.imread(str(path))
        values, (top, left, side) = entry(picture)
        maps = features(values)[0]
        best = (weight @ maps.mean((1, 2)) + bias).argmax()
        heat = numpy.maximum(numpy.tensordot(weight[best], maps, 1), 0)
        heat = cv2.resize(heat / (heat.max() + 1e-7), (side, side))
        colours = cv2.applyColorMap((heat * 255).astype("u1"), cv2.COLORMAP_JET)
        square = picture[top : top + side, left : left + side]
        cv2.addWeighted(square, 0.5, colours, 0.5, 0, square)
        cv2.imwrite(str(out / f"{path.stem}.png"), picture)
