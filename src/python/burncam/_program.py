"""The `burncam` program: where it is, how it is called, and what its errors are."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any, Iterable, List, Optional

from ._version import __version__

#: Names another program than the installed one, for example a build of your own.
VARIABLE = "BURNCAM_PROGRAM"

#: Options whose values are one list with commas. Other lists repeat their option.
_WITH_COMMAS = {"layer", "method", "save", "smooth", "mean", "std"}

#: What the functions of this package decide themselves.
_OURS = {"json", "jsonl", "progress", "quiet", "verbose", "model", "out", "help", "files_from", "csv"}


class Error(Exception):
    """What the program said, on one line: what is wrong, what was expected, and a way out."""


class Assumption(UserWarning):
    """Something that neither the file nor the caller says, and that was therefore assumed."""


def program() -> str:
    """The path of the `burncam` program.

    It is the one that was installed with this package; else the one on `PATH`. The environment variable `BURNCAM_PROGRAM`
    names another.

    Raises:
        Error: There is none, or it is of another version than this package.
    """
    named = os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        if not found:
            raise Error(f"program '{named}', which {VARIABLE} names: cannot be run")
        return _of_this_version(found)
    name = "burncam" + (".exe" if sys.platform == "win32" else "")
    installed = [folder / name for folder in _folders()]
    found = next((str(path) for path in installed if os.access(path, os.X_OK)), None) or shutil.which(name)
    if not found:
        places = ", ".join(f"'{folder}'" for folder in _folders())
        raise Error(f"program 'burncam': is neither in {places} nor on PATH (install it with pip install burncam)")
    return _of_this_version(found)


def _folders() -> List[Path]:
    """Where installers put a wheel's programs."""
    schemes = [None]
    if hasattr(sysconfig, "get_preferred_scheme"):
        schemes.append(sysconfig.get_preferred_scheme("user"))
    folders = [Path(sysconfig.get_path("scripts", scheme) if scheme else sysconfig.get_path("scripts")) for scheme in schemes]
    # `pip install --target` and `--prefix` put programs next to the packages.
    package = Path(__file__).resolve().parent
    folders += [package.parent / "bin", *(parent / "bin" for parent in package.parents if parent.name.startswith("lib"))]
    return list(dict.fromkeys(folders))


@functools.lru_cache(maxsize=None)
def _of_this_version(path: str) -> str:
    try:
        said = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError as cause:
        raise Error(f"program '{path}': cannot be run: {cause}") from cause
    words = said.split()
    version = words[1] if len(words) > 1 and words[0] == "burncam" else "none"
    if version != __version__:
        raise Error(
            f"program '{path}': has version {version}, expected {__version__}, that of the Python package "
            "(pip install --force-reinstall burncam brings both)"
        )
    return path


def arguments(options: "dict[str, Any]") -> List[str]:
    """Keyword arguments as options of the command: `box="p80"` is `--box=p80`, `signed=True` is `--signed`."""
    given: List[str] = []
    for name, value in options.items():
        if name in _OURS:
            raise Error(f"option '{name}': is set by the Python package, expected it left out")
        flag = "--" + name.replace("_", "-")
        if value is None or value is False:
            continue
        if value is True:
            given.append(flag)
        elif isinstance(value, (list, tuple)):
            texts = [_text(name, each) for each in value]
            given += [f"{flag}={','.join(texts)}"] if name in _WITH_COMMAS else [f"{flag}={text}" for text in texts]
        else:
            given.append(f"{flag}={_text(name, value)}")
    return given


def _text(name: str, value: Any) -> str:
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:  # a number of NumPy or PyTorch
        return str(value.item())
    raise Error(f"option '{name}': is a {type(value).__name__}, expected text, a number, a path or a list of these")


def run(given: Iterable[str], stdin: Optional[bytes] = None) -> "subprocess.CompletedProcess[bytes]":
    """Runs the program to its end."""
    done = subprocess.run([program(), *given], input=stdin, capture_output=True, check=False)
    if done.returncode != 0:
        raise Error(message(done.stderr, done.returncode))
    return done


def message(stderr: bytes, code: int) -> str:
    """The error in what the program wrote to standard error."""
    text = stderr.decode("utf-8", "replace").strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for begin in ("burncam: ", "error: "):
        said = [at for at, line in enumerate(lines) if line.startswith(begin)]
        if said:
            last = said[-1]
            tip = next((line[5:] for line in lines[last:] if line.startswith("tip: ")), "")
            # A diagnosis of weights has a line for each tensor.
            more = [line for line in lines[last + 1 :] if begin == "burncam: "]
            line = " ".join([lines[last][len(begin) :], *more])
            return f"{line} ({tip.strip()})" if tip else line
    return lines[-1] if lines else f"the program ended with {code} and said nothing"
