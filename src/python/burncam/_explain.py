"""`explain` and `explain_many`: the command `burncam explain` as functions."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Optional, Sequence, Union

from . import _pictures
from ._explanation import Explanation, Files, Folder
from ._program import Error, arguments, message, program, run

PathLike = Union[str, "os.PathLike[str]"]


class Failures(Error):
    """Some pictures of `explain_many` could not be explained; all others were.

    Attributes:
        failures: For each of them what the command says in its lists: `input`, `error`, `kind`, `hint`.
    """

    def __init__(self, failures: List[Dict[str, Any]]) -> None:
        self.failures = failures
        many = "" if len(failures) == 1 else f"{len(failures)} pictures failed, the first of them: "
        super().__init__(many + failures[0]["error"])


def explain(
    image: Any,
    model: Optional[PathLike] = None,
    *,
    save: Union[str, Sequence[str]] = "overlay",
    out: Optional[PathLike] = None,
    **options: Any,
) -> Explanation:
    """Explains one picture.

    Args:
        image: A path; bytes of a picture's file; a picture of Pillow; an array of uint8 `[height, width, 3]` in RGB, or
            `[height, width]` in grey; or the network's own input as floats, `[1, channels, height, width]`.
        model: A `.bpk` file. Default: the built-in ImageNet network, or `BURNCAM_MODEL` where the program reads it.
        save: Kinds of pictures to write, of which the first map's are at hand as `explanation.image(kind)`: overlay, heatmap,
            mask and so on. The map's values are always there.
        out: The directory of the files, which stay. Default: a temporary one, which goes with the explanation.
        **options: The long options of `burncam explain`, with underscores: `method="layercam"`, `target=["top2"]`,
            `layer="layer4"`, `no_normalize=True`.

    Raises:
        Error: What the command says.

    Example:
        >>> found = burncam.explain("photo.jpg", method="layercam", target="tabby cat")
        >>> found.predictions[0]["class_name"], found.map.shape
    """
    folder = Folder(out)
    with tempfile.TemporaryDirectory(prefix="burncam-") as arrays:
        name, stdin = _pictures.given(image, Path(arrays))
        given = ["explain", "--json", f"--save={_kinds(save, folder)}", f"--out={folder.path}", *_model(model), *arguments(options), "--", name]
        said = run(given, stdin).stdout.decode("utf-8")
    files = Files(folder)
    return files.explanation(_documents(said))


def explain_many(
    images: Union[PathLike, Iterable[PathLike]],
    model: Optional[PathLike] = None,
    *,
    save: Union[str, Sequence[str]] = (),
    out: Optional[PathLike] = None,
    failures: Optional[List[Dict[str, Any]]] = None,
    **options: Any,
) -> Iterator[Explanation]:
    """Explains many pictures in one run of the command, and gives each explanation as soon as it is there.

    Args:
        images: Paths; or one directory, or one glob, which the command searches.
        model, save, out, **options: As for `explain`; also those for batches, such as `jobs=2`, `labels="labels.csv"`.
        failures: A list that receives what is said of pictures that could not be explained. Default: after all others
            have been given, they are raised as `Failures`.

    Raises:
        Error: What the command says, such as a model that does not exist.
        Failures: At the end, for pictures that could not be explained. They do not stop the others.

    Example:
        >>> for found in burncam.explain_many("photos/", labels="labels.csv"):
        ...     print(found.path, found.predictions[0]["class_name"], found.record["label"])
    """
    folder = Folder(out)
    given = ["explain", "--jsonl=-", "--progress=never", "--quiet", f"--save={_kinds(save, folder)}", f"--out={folder.path}"]
    given += [*_model(model), *arguments(options)]
    if isinstance(images, (str, os.PathLike)):
        searched = os.fspath(images)
        return _stream([*given, "--", searched], None, Files(folder, searched), options, failures)
    paths = [os.fspath(path) for path in images]
    if not paths:
        return iter(())
    listed = b"".join(os.fsencode(path) + b"\0" for path in paths)
    return _stream([*given, "--files-from=-"], listed, Files(folder), options, failures)


def _stream(
    given: List[str], stdin: Optional[bytes], files: Files, options: Dict[str, Any], kept: Optional[List[Dict[str, Any]]]
) -> Iterator[Explanation]:
    asked = options.get("method") or "gradcam"
    methods = len(set(asked.split(",") if isinstance(asked, str) else asked))
    failed: List[Dict[str, Any]] = [] if kept is None else kept
    # Files, because a full pipe of messages or names would stop the program while its records are read.
    with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as names:
        names.write(stdin or b"")
        names.seek(0)
        running = subprocess.Popen([program(), *given], stdin=names, stdout=subprocess.PIPE, stderr=said)
        try:
            yield from _explanations(running, methods, files, failed)
        finally:
            running.stdout.close()  # type: ignore[union-attr]
            if running.poll() is None:
                running.terminate()
            code = running.wait()
        said.seek(0)
        # 1 also says that pictures failed, and these are known.
        if code != 0 and not (code == 1 and failed):
            raise Error(message(said.read(), code))
    if kept is None and failed:
        raise Failures(failed)


def _explanations(
    running: "subprocess.Popen[bytes]", methods: int, files: Files, failed: List[Dict[str, Any]]
) -> Iterator[Explanation]:
    """Records of one picture follow each other, one for each method."""
    records: List[Dict[str, Any]] = []
    refused = None
    for line in running.stdout:  # type: ignore[union-attr]
        record = json.loads(line)
        path = record["input"]["path"]
        if records and records[0]["input"]["path"] != path:
            yield _finished(files, records)
            records = []
        if record["error"]:
            if refused != path:
                failed.append(record)
            refused = path
            continue
        records.append(record)
        if len(records) == methods:
            yield _finished(files, records)
            records = []
    running.wait()
    if records:
        yield _finished(files, records)


def _finished(files: Files, records: List[Dict[str, Any]]) -> Explanation:
    found = files.explanation(records)
    if files.folder.is_ours:
        # What is not asked for again makes room for the next pictures.
        for each in found.maps:
            each.files.pop("npy").unlink()
    return found


def _kinds(save: Union[str, Sequence[str]], folder: Folder) -> str:
    """What is written: what was asked for, the maps, and records where files stay."""
    asked = save.split(",") if isinstance(save, str) else list(save)
    always = ["npy"] if folder.is_ours else ["npy", "record"]
    return ",".join(dict.fromkeys([*(kind.strip() for kind in asked if kind.strip()), *always]))


def _model(model: Optional[PathLike]) -> List[str]:
    if model is None:
        return []
    path = getattr(model, "path", model)
    return [f"--model={os.fspath(path)}"]


def _documents(text: str) -> List[Dict[str, Any]]:
    """JSON documents after each other."""
    reader, documents, at = json.JSONDecoder(), [], 0
    while at < len(text):
        document, at = reader.raw_decode(text, at)
        documents.append(document)
        while at < len(text) and text[at].isspace():
            at += 1
    return documents
