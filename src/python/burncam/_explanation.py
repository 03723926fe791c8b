"""What the command wrote about one picture: records, maps, pictures."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

from . import _arrays
from ._program import Error


class Folder:
    """A folder of files: the caller's, or a temporary one that goes with the last object that holds this."""

    def __init__(self, out: "Optional[os.PathLike[str] | str]") -> None:
        self.is_ours = out is None
        self.path = Path(tempfile.mkdtemp(prefix="burncam-") if out is None else out)
        if self.is_ours:
            weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


class Map:
    """The map of one method for one class.

    Attributes:
        method: The method's name, as `method=` takes it.
        target: Index of the class.
        class_name: Its name, or its index as text where the model names none.
        probability: 0 to 1, or None where there is no probability, as in regression.
        score: The score that was explained.
        info: All of this map's entry in the record's `targets`.
        files: The files that were written, by the words of `save`: overlay, npy, mask and so on.
    """

    def __init__(self, record: Dict[str, Any], info: Dict[str, Any], files: Dict[str, Path], folder: Folder) -> None:
        self.method: str = record["settings"]["method"]
        self.target: int = info["target"]
        self.class_name: str = info["class_name"]
        self.probability: Optional[float] = info["proba"]
        self.score: float = info["score"]
        self.info = info
        self.files = files
        self._folder = folder
        self._values = _arrays.read(files["npy"].read_bytes())

    @property
    def values(self) -> Any:
        """The map at its own resolution, `[height, width]`, as in the command's `.npy`: float32 of NumPy, or lists of rows without it."""
        return self._values

    @property
    def finding(self) -> Optional[str]:
        """Why the map is blank, or None."""
        return self.info["finding"]

    @property
    def overlay(self) -> bytes:
        """The picture under the map, as a PNG. It must have been asked for: `save="overlay"`, which is the default of `explain`."""
        return self.picture("overlay")

    def picture(self, kind: str) -> bytes:
        """The file of a kind of `save`, as bytes."""
        if kind not in self.files:
            there = ", ".join(self.files)
            raise Error(f"map of '{self.class_name}': has no {kind}, expected one of {there} (save='{kind}' writes it)")
        return self.files[kind].read_bytes()

    def image(self, kind: str = "overlay") -> Any:
        """A written picture, as Pillow's. Needs Pillow."""
        import io

        from PIL import Image

        return Image.open(io.BytesIO(self.picture(kind)))

    def _repr_png_(self) -> Optional[bytes]:
        """What a notebook shows."""
        return self.overlay if "overlay" in self.files else None

    def __repr__(self) -> str:
        sure = "" if self.probability is None else f", {100 * self.probability:.1f} %"
        return f"<burncam.Map {self.method} of '{self.class_name}'{sure}>"


class Explanation:
    """What was found about one picture.

    Attributes:
        records: One record per method, as docs/record.md describes them.
        maps: A map per method and class, in the order asked for.
        path: The picture's path, or `-` for one that was given as bytes or pixels.
    """

    def __init__(self, records: List[Dict[str, Any]], maps: List[Map]) -> None:
        self.records = records
        self.maps = maps
        self.path: str = records[0]["input"]["path"]

    @property
    def record(self) -> Dict[str, Any]:
        """The first method's record."""
        return self.records[0]

    @property
    def map(self) -> Any:
        """The values of the first map; see `Map.values`."""
        return self.maps[0].values

    @property
    def overlay(self) -> bytes:
        """The PNG of the first map; see `Map.overlay`."""
        return self.maps[0].overlay

    def image(self, kind: str = "overlay") -> Any:
        """The picture of the first map, as Pillow's. Needs Pillow."""
        return self.maps[0].image(kind)

    @property
    def predictions(self) -> List[Dict[str, Any]]:
        """The most probable classes, most probable first: `target`, `class_name`, `proba`, `logit`, `number`."""
        return self.record["predictions"]

    @property
    def warnings(self) -> List[str]:
        """What a reader should know first, such as damage that the decoder repaired."""
        return list(dict.fromkeys(text for record in self.records for text in record["warnings"]))

    def _repr_png_(self) -> Optional[bytes]:
        return self.maps[0]._repr_png_() if self.maps else None

    def __repr__(self) -> str:
        return f"<burncam.Explanation of '{self.path}': {', '.join(map(repr, self.maps))}>"


class Files:
    """Finds the files that records name. A record alone names them without its own folder, a list from the current directory.

    `searched` is the directory that the command searched, if it was given one: files keep their place below it.
    """

    def __init__(self, folder: Folder, searched: Optional[str] = None) -> None:
        self.folder = folder
        self._searched = searched
        self._by_name: Dict[str, List[Path]] = {}

    def explanation(self, records: List[Dict[str, Any]]) -> Explanation:
        """The explanation that consists of these records of one picture."""
        maps = []
        for record in records:
            for target in record["targets"]:
                files = {each["kind"]: self._find(record["input"]["path"], each) for each in target["artifacts"]}
                maps.append(Map(record, target, files, self.folder))
        return Explanation(records, maps)

    def _find(self, picture: str, artifact: Dict[str, Any]) -> Path:
        listed = Path(artifact["file"])
        name = listed.name
        for path in (listed, *self._usual(picture, name)):
            if _is(path, artifact):
                return path
        # Names that collide are resolved by the command. Of several files of this name the hash says which it is.
        for _ in range(2):
            for path in self._by_name.get(name, []):
                if _is(path, artifact):
                    return path
            self._by_name = {}
            for path in self.folder.path.rglob("*"):
                self._by_name.setdefault(path.name, []).append(path)
        raise Error(f"file '{name}': is not in '{self.folder.path}' any more, expected what its record describes")

    def _usual(self, picture: str, name: str) -> Iterator[Path]:
        """Where the command puts the files of a picture that was searched, was listed, or was named."""
        folder = Path(picture).parent
        if self._searched is not None:
            with contextlib.suppress(ValueError):
                yield self.folder.path / folder.relative_to(self._searched) / name
        parts = [part for part in folder.parts if part not in (folder.anchor, "..")]
        yield self.folder.path.joinpath(*parts, name)
        yield self.folder.path / name


def _is(path: Path, artifact: Dict[str, Any]) -> bool:
    try:
        return path.stat().st_size == artifact["bytes"] and _sha256(path) == artifact["sha256"]
    except FileNotFoundError:
        return False


def _sha256(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()
