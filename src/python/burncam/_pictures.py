"""Pictures of Python's libraries as inputs of the command: a path, or bytes for its standard input."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any, Optional, Tuple

from ._arrays import npy
from ._program import Error

#: Modes of Pillow that a PNG has and that the command reads as they are, transparency and 16 bits among them.
_AS_PNG = {"1", "L", "LA", "RGBA", "I;16"}


def given(image: Any, folder: Path) -> Tuple[str, Optional[bytes]]:
    """The input's name and, where it is `-`, the bytes for standard input. `folder` is for an array's file."""
    if isinstance(image, (str, os.PathLike)):
        path = os.fspath(image)
        # A file may be called `-`, or begin like an option.
        return (os.path.join(".", path) if path.startswith("-") else path), None
    if isinstance(image, (bytes, bytearray, memoryview)):
        return "-", bytes(image)
    if hasattr(image, "mode") and hasattr(image, "save"):
        return "-", _of_pillow(image)
    if hasattr(image, "detach"):  # a tensor of PyTorch
        image = image.detach().cpu().numpy()
    if hasattr(image, "__array_interface__"):
        return _of_array(image, folder)
    raise Error(f"image: is a {type(image).__name__}, expected a path, bytes, a picture of Pillow or an array of NumPy")


def _of_pillow(image: Any) -> bytes:
    mode = image.mode
    if mode == "P":
        mode = "RGBA" if "transparency" in image.info else "RGB"
        image = image.convert(mode)
    if mode in _AS_PNG:
        file = io.BytesIO()
        # As it is in memory: no colour profile, and no orientation, which Pillow leaves to its caller.
        image.copy().save(file, "png", compress_level=1, icc_profile=None, exif=b"")
        return file.getvalue()
    if mode in ("CMYK", "YCbCr", "HSV", "LAB", "RGBX"):
        image, mode = image.convert("RGB"), "RGB"
    if mode != "RGB":
        raise Error(f"image: has Pillow's mode '{mode}', expected a picture in colour or grey (convert('RGB') makes one)")
    return _pnm(b"P6", image.width, image.height, image.tobytes())


def _of_array(array: Any, folder: Path) -> Tuple[str, Optional[bytes]]:
    kind, shape = str(array.dtype), tuple(array.shape)
    if kind == "uint8" and (len(shape) == 2 or (len(shape) == 3 and shape[2] in (1, 3))):
        if 0 in shape:
            raise Error(f"image: has the shape {list(shape)}, expected pixels")
        form = b"P6" if len(shape) == 3 and shape[2] == 3 else b"P5"
        return "-", _pnm(form, shape[1], shape[0], array.tobytes())
    if kind in ("float32", "float64", "float16") and len(shape) in (3, 4):
        # The input of a network, already prepared.
        path = folder / "tensor.npy"
        path.write_bytes(npy(array.astype("float32")))
        return str(path), None
    raise Error(
        f"image: is an array of {kind} with the shape {list(shape)}, expected uint8 [height, width, 3], "
        "or the network's own input as floats [1, channels, height, width]"
    )


def _pnm(form: bytes, width: int, height: int, pixels: bytes) -> bytes:
    return b"%s\n%d %d\n255\n" % (form, width, height) + pixels
