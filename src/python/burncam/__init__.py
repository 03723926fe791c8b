"""Where an image network looks: class activation maps by the `burncam` program, which is part of this package.

    import burncam

    found = burncam.explain("photo.jpg")                          # the built-in ImageNet network
    found = burncam.explain("photo.jpg", "mine.bpk", method="layercam", target="top2")
    found = burncam.explain_module(net, "photo.jpg")              # your own network of PyTorch
    found.map, found.overlay, found.record

Nothing else is needed. NumPy, Pillow, PyTorch and timm are used where they are installed and something of theirs is given.
Options are those of the command; docs/python.md is the guide.
"""

from ._explain import Failures, explain, explain_many
from ._explanation import Explanation, Map
from ._export import explain_module, export, from_module
from ._model import Model, import_model
from ._program import Assumption, Error, program
from ._version import __version__

__all__ = [
    "Assumption",
    "Error",
    "Explanation",
    "Failures",
    "Map",
    "Model",
    "__version__",
    "explain",
    "explain_many",
    "explain_module",
    "export",
    "from_module",
    "import_model",
    "program",
]
