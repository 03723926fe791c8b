"""What the tests share: the repository's pictures, and the libraries that may be missing."""

import importlib.util
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
IMAGES = ROOT / "fixtures" / "images"
COFFEE, CHELSEA, ROCKET = IMAGES / "coffee.png", IMAGES / "chelsea.png", IMAGES / "rocket.jpg"

#: With this set, a test that lacks a library fails, so that nothing is skipped unseen.
REQUIRED = os.environ.get("BURNCAM_TESTS_NEED", "").split(",")


def lacks(*names):
    """Which of these packages are missing. One that is required is never missing: its test then fails."""
    missing = [name for name in names if name not in REQUIRED and importlib.util.find_spec(name) is None]
    return ", ".join(missing)
