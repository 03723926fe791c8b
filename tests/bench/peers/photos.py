"""What the whole programs share: their arguments, and a photograph as the network wants it.

process_LIBRARY.py NAME WEIGHTS OUT PHOTO...
"""

import pathlib
import sys

MEAN, STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]

name, weights, out = sys.argv[1:4]
photos = [pathlib.Path(photo) for photo in sys.argv[4:]]
out = pathlib.Path(out)


def opened():
    from PIL import Image

    for photo in photos:
        yield photo, Image.open(photo).convert("RGB")


def prepare():
    from torchvision import transforms

    return transforms.Compose(
        [
            transforms.Resize(256),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )


def overlay(picture, heat):
    """A map on the middle square that the network saw, in a rainbow, half transparent."""
    import numpy
    from matplotlib import colormaps
    from PIL import Image

    side = round(min(picture.size) * 224 / 256)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    heat = Image.fromarray(heat.astype("float32")).resize((side, side), Image.Resampling.BILINEAR)
    colours = Image.fromarray((colormaps["jet"](numpy.asarray(heat))[..., :3] * 255).astype("uint8"))
    square = (left, top, left + side, top + side)
    picture.paste(Image.blend(picture.crop(square), colours, 0.5), square)
    return picture
