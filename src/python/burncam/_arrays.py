"""Arrays in `.npy` files, with NumPy where it is installed and without it where it is not."""

from __future__ import annotations

import array
import ast
import sys
from typing import Any


def read(data: bytes) -> Any:
    """The values of a `.npy` file of little-endian floats: a NumPy array, or lists in lists without NumPy."""
    length = int.from_bytes(data[8:10], "little")
    header, body = ast.literal_eval(data[10 : 10 + length].decode("latin-1")), data[10 + length :]
    shape = header["shape"]
    try:
        import numpy
    except ImportError:
        values = array.array("f", body)
        if sys.byteorder == "big":
            values.byteswap()
        return _nested(values.tolist(), shape)
    return numpy.frombuffer(body, dtype=header["descr"]).reshape(shape).copy()


def npy(values: Any) -> bytes:
    """A NumPy array of float32 as a `.npy` file."""
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(values.shape)}, }}"
    # The data begins at a multiple of 64 bytes.
    header = header.ljust(-(11 + len(header)) % 64 + len(header)) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + values.astype("<f4").tobytes()


def _nested(values: Any, shape: Any) -> Any:
    if len(shape) < 2:
        return values
    step = len(values) // shape[0]
    return [_nested(values[at : at + step], shape[1:]) for at in range(0, len(values), step)]
