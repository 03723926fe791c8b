"""Models: `burncam import` as a function, and a model file with the functions that use it."""

from __future__ import annotations

import os
import tempfile
import warnings
from pathlib import Path
from typing import Any, Iterable, Iterator, List, Optional, Sequence, Tuple, Union

from ._explain import PathLike, explain, explain_many
from ._explanation import Explanation, Folder
from ._program import Assumption, arguments, run


class Model:
    """A model file.

    Attributes:
        path: The `.bpk` file. A temporary one goes with this object.
        assumed: What neither the file nor the caller said, one sentence each.
    """

    def __init__(self, path: PathLike, assumed: Sequence[str] = (), folder: Optional[Folder] = None) -> None:
        self.path = os.fspath(path)
        self.assumed: Tuple[str, ...] = tuple(assumed)
        self._folder = folder

    def explain(self, image: Any, **options: Any) -> Explanation:
        """`burncam.explain` with this model."""
        return explain(image, self.path, **options)

    def explain_many(self, images: "Union[PathLike, Iterable[PathLike]]", **options: Any) -> Iterator[Explanation]:
        """`burncam.explain_many` with this model."""
        return explain_many(images, self.path, **options)

    def __fspath__(self) -> str:
        return self.path

    def __repr__(self) -> str:
        return f"<burncam.Model '{self.path}'>"


def import_model(
    source: PathLike, out: Optional[PathLike] = None, *, classes: "Optional[Union[PathLike, Sequence[str]]]" = None, **options: Any
) -> Model:
    """Makes a model file of a network's: ONNX, Keras, or weights with `arch=`.

    What is assumed about the network is in `Model.assumed`, and is warned of as `Assumption`.

    Args:
        source: The file.
        out: The model file to write. Default: a temporary one, which goes with the model.
        classes: Class names in order, or a file with one per line.
        **options: The long options of `burncam import`: `arch="resnet50"`, `preset="timm"`, `task="multi-label"`.

    Raises:
        Error: What the command says.
    """
    folder = Folder(None) if out is None else None
    path = Path(out) if out is not None else folder.path / (Path(source).stem + ".bpk")  # type: ignore[union-attr]
    with tempfile.TemporaryDirectory(prefix="burncam-") as names:
        if classes is not None and not isinstance(classes, (str, os.PathLike)):
            listed = Path(names) / "classes.txt"
            listed.write_text("".join(f"{name}\n" for name in classes), encoding="utf-8")
            classes = listed
        given = arguments({**options, "classes": classes})
        done = run(["import", f"--out={path}", *given, "--", os.fspath(source)])
    said = done.stderr.decode("utf-8", "replace").splitlines() + done.stdout.decode("utf-8", "replace").splitlines()
    assumed = [line[len("assumed: ") :] for line in said if line.startswith("assumed: ")]
    for sentence in assumed:
        warnings.warn(sentence, Assumption, stacklevel=_depth())
    return Model(path, assumed, folder)


def _depth() -> int:
    """How far out the caller of this package is, so that a warning names their line."""
    import sys

    here, depth = os.path.dirname(os.path.abspath(__file__)), 1
    frame = sys._getframe(1)
    while frame.f_back is not None and os.path.dirname(os.path.abspath(frame.f_code.co_filename)) == here:
        frame, depth = frame.f_back, depth + 1
    return depth
