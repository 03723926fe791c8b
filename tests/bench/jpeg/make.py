"""Make JPEG files of every kind, sound and damaged, with what libjpeg-turbo makes of each.

    python make.py PHOTO OUTDIR

Needs numpy, Pillow, and libjpeg-turbo's `cjpeg` and `djpeg` on the path. Next to each NAME.jpg is NAME.jpg.ref: width and height
(4 bytes each, little-endian), RGB, and one byte: 2 where djpeg warned. OUTDIR/speed has the files that are timed.
"""

import io
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

SAMPLINGS = (
    "1x1 2x1 2x2 1x2 4x1 4x2 1x4 2x4 3x1 2x2,1x1,1x1 1x1,2x2,1x1 2x1,1x2,1x1 2x2,2x1,1x2 2x2,1x2,1x2 2x2,2x1,2x1"
).split()
KINDS = {
    "base": [], "opt": ["-optimize"], "prog": ["-progressive"], "arith": ["-arithmetic"],
    "progarith": ["-progressive", "-arithmetic"], "rst": ["-restart", "1B"], "grey": ["-grayscale"], "rgb": ["-rgb"],
    "nonint": ["-scans", "scans.txt"],
}


def cjpeg(pixels, *options):
    ppm = io.BytesIO()
    Image.fromarray(pixels).save(ppm, "PPM")
    return subprocess.run(["cjpeg", *map(str, options)], input=ppm.getvalue(), capture_output=True, check=True).stdout


def source(photo, width, height, rnd, rng):
    kind = rnd.randrange(3)
    if kind == 0:
        return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    if kind == 1:
        y, x = np.mgrid[0:height, 0:width]
        return np.stack([x * 255 // max(1, width - 1), y * 255 // max(1, height - 1), x * y % 256], -1).astype(np.uint8)
    top, left = rnd.randrange(photo.shape[0] - height), rnd.randrange(photo.shape[1] - width)
    return photo[top : top + height, left : left + width].copy()


def damaged(data, rnd):
    data = bytearray(data)
    at = rnd.randint(data.find(b"\xff\xda") + 20, len(data) - 10)
    match rnd.choice(["cut", "cut-with-end", "bytes", "zeros", "inserted"]):
        case "cut":
            return data[:at]
        case "cut-with-end":
            return data[:at] + b"\xff\xd9"
        case "inserted":
            data[at:at] = rnd.randbytes(7)
        case kind:
            end = min(len(data) - 2, at + 16)
            data[at:end] = rnd.randbytes(end - at) if kind == "bytes" else bytes(end - at)
    return data


def reference(path):
    done = subprocess.run(["djpeg", "-pnm", path], capture_output=True, check=False)
    if done.returncode not in (0, 2) or not done.stdout:
        return
    picture = Image.open(io.BytesIO(done.stdout)).convert("RGB")
    size = b"".join(side.to_bytes(4, "little") for side in picture.size)
    Path(f"{path}.ref").write_bytes(size + picture.tobytes() + bytes([done.returncode]))


def main(photo, out):
    rnd, rng = random.Random(7), np.random.default_rng(7)
    out.mkdir(parents=True, exist_ok=True)
    image = Image.open(photo).convert("RGB")
    photo = np.asarray(image)
    for at in range(300):
        width, height, quality = rnd.randint(1, 70), rnd.randint(1, 70), rnd.choice([5, 25, 50, 75, 85, 95, 100])
        kind, sampling = rnd.choice(list(KINDS)), rnd.choice(SAMPLINGS)
        Path("scans.txt").write_text(rnd.choice(["0;1;2;", "0;1 2;"]))
        pixels = source(photo, width, height, rnd, rng)
        sound = cjpeg(pixels, "-quality", quality, "-sample", sampling, *KINDS[kind])
        (out / f"sound-{at:03}-{kind}-{sampling}-{width}x{height}.jpg").write_bytes(sound)
    for at in range(500):
        data = io.BytesIO()
        Image.fromarray(source(photo, 32, 32, rnd, rng)).save(data, "JPEG", quality=rnd.choice([75, 85, 90, 95]))
        (out / f"tiny-{at:03}.jpg").write_bytes(data.getvalue())
    for at in range(200):
        kind = rnd.choice(["base", "rst", "prog", "arith"])
        pixels = photo[: rnd.randint(30, 200), : rnd.randint(30, 200)]
        sound = cjpeg(pixels, "-quality", 85, "-sample", rnd.choice(["1x1", "2x2", "2x1"]), *KINDS[kind])
        (out / f"damaged-{at:03}-{kind}.jpg").write_bytes(damaged(sound, rnd))
    Path("scans.txt").unlink()
    for path in sorted(out.glob("*.jpg")):
        reference(path)
    speed = out / "speed"
    speed.mkdir(exist_ok=True)
    for name, size in (("640x480", (640, 480)), ("12-megapixels", (4000, 3000))):
        enlarged = np.asarray(image.resize(size, Image.Resampling.BICUBIC)).astype(int)
        grainy = Image.fromarray((enlarged + rng.integers(-12, 13, enlarged.shape)).clip(0, 255).astype(np.uint8))
        grainy.save(speed / f"{name}.jpg", quality=90)
        grainy.save(speed / f"{name}-progressive.jpg", quality=90, progressive=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
