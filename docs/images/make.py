"""Makes the pictures of README.md and docs/gallery.md with the program itself.

    python docs/images/make.py target/release/burncam

Needs Pillow, which only puts overlays next to each other, writes labels and saves JPEG. Every overlay is the program's, unchanged but for its size.
The photographs are those of fixtures/images (their sources and licences are in fixtures/README.md). Takes some minutes, most of
them for the methods that ask the network thousands of times.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

TOP = Path(__file__).resolve().parents[2]
PHOTOS = TOP / "fixtures" / "images"
OUT = Path(__file__).resolve().parent
FONT = TOP / "src" / "picture" / "render" / "font" / "Inter-Regular.ttf"
BOLD = FONT.with_name("Inter-SemiBold.ttf")

# Side of a square of each photograph, as (left, top, right, bottom), that shows its object.
SQUARES = {
    "chelsea.png": (80, 0, 380, 300),
    "coffee.png": (90, 0, 490, 400),
    "camera.png": (100, 60, 512, 472),
    "rocket.jpg": (120, 0, 547, 427),
}
# Four classes of the mosaic, one for each of its photographs.
FOUR = ["tiger cat", "espresso", "tripod", "missile"]

# Methods whose passes are one for each channel, several times over: fewer channels, said below the gallery's table.
COSTLY = {"sscam": ["--channels", "64"], "iscam": ["--channels", "256"]}


class Program:
    """The program under its path, and a folder for what it writes."""

    def __init__(self, path, folder):
        self.path, self.folder = path, Path(folder)

    def __call__(self, *arguments):
        command = [self.path, *map(str, arguments)]
        done = subprocess.run(command, cwd=TOP, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
        return done.stdout

    def explain(self, photo, name, *arguments):
        """Explains a photograph; the folder with what was written."""
        out = self.folder / name
        self("explain", photo, "-o", out, "-f", *arguments)
        return out


def mosaic(path):
    """Four photographs as one square picture."""
    side = 300
    picture = Image.new("RGB", (2 * side, 2 * side))
    for place, (name, square) in enumerate(SQUARES.items()):
        photo = Image.open(PHOTOS / name).convert("RGB").crop(square).resize((side, side), Image.Resampling.LANCZOS)
        picture.paste(photo, (place % 2 * side, place // 2 * side))
    picture.save(path)


def save(picture, name, quality=85):
    picture.convert("RGB").save(OUT / name, quality=quality, optimize=True, progressive=True)


def table(rows, columns, cell, name):
    """Pictures in rows, each with its label on the left; the labels of the columns are above."""
    left, top, gap = 200, 34 if columns else 8, 8
    width, height = cell
    count = max(len(pictures) for _, _, pictures in rows)
    sheet = Image.new("RGB", (left + count * (width + gap), top + len(rows) * (height + gap)), "white")
    draw = ImageDraw.Draw(sheet)
    bold, plain = ImageFont.truetype(BOLD, 14), ImageFont.truetype(FONT, 12)
    for at, label in enumerate(columns):
        draw.text((left + at * (width + gap), 10), label, fill="#222", font=bold)
    for row, (label, below, pictures) in enumerate(rows):
        y = top + row * (height + gap)
        draw.text((12, y + height / 2 - 18), label, fill="#222", font=bold)
        draw.text((12, y + height / 2 + 2), below, fill="#666", font=plain)
        for at, path in enumerate(pictures):
            picture = Image.open(path).convert("RGB")
            picture.thumbnail((width, height), Image.Resampling.LANCZOS)
            sheet.paste(picture, (left + at * (width + gap) + (width - picture.width) // 2, y + (height - picture.height) // 2))
    save(sheet, name)


def wrapped(text, font, width):
    """The text in lines of at most this width."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def strip(pictures, cell, name, columns=4):
    """Pictures with their captions below, in rows."""
    width, height = cell
    gap, line = 10, 17
    font = ImageFont.truetype(FONT, 13)
    captions = [wrapped(caption, font, width - 4) for caption, _ in pictures]
    rows = [range(first, min(first + columns, len(pictures))) for first in range(0, len(pictures), columns)]
    heights = [height + 9 + line * max(len(captions[at]) for at in row) for row in rows]
    sheet = Image.new("RGB", (columns * (width + gap) - gap, sum(heights)), "white")
    draw = ImageDraw.Draw(sheet)
    for number, row in enumerate(rows):
        for at in row:
            x, y = (at - row.start) * (width + gap), sum(heights[:number])
            picture = Image.open(pictures[at][1]).convert("RGB")
            picture.thumbnail((width, height), Image.Resampling.LANCZOS)
            sheet.paste(picture, (x, y + height - picture.height))
            for place, text in enumerate(captions[at]):
                draw.text((x + 2, y + height + 5 + place * line), text, fill="#222", font=font)
    save(sheet, name)


def overlay(folder):
    found = sorted(folder.glob("*.png"))
    if len(found) != 1:
        raise SystemExit(f"{folder}: {len(found)} pictures, expected 1")
    return found[0]


def hero(program):
    """README's picture: one photograph of four things, one map for each of four classes."""
    photo = program.folder / "four.png"
    out = program.explain(photo, "hero", *(word for name in FOUR for word in ("-t", name)), "--grid")
    sheet = Image.open(out / "four.grid.png")
    sheet.thumbnail((1200, 1200), Image.Resampling.LANCZOS)
    save(sheet, "four.jpg", 88)


def every_method(program):
    """Each method on three pictures; the class is the one that the photograph shows."""
    subjects = [
        ("espresso", PHOTOS / "coffee.png"),
        ("tiger cat", PHOTOS / "chelsea.png"),
        ("espresso", program.folder / "four.png"),
    ]
    columns = ["espresso", "tiger cat", "espresso, among four"]
    groups = {"at a layer": [], "on pixels": []}
    for line in program("methods", "--json").splitlines():
        method = json.loads(line)
        # Attention needs a transformer and D-RISE a detector; the built-in network is neither.
        if method["uses_attention"] or method["name"] == "drise":
            continue
        groups["at a layer" if method["uses_layer"] else "on pixels"].append(method)
    for group, methods in groups.items():
        rows = []
        for method in methods:
            name = method["name"]
            more = COSTLY.get(name, [])
            if name == "refinecam":
                more = ["--layer", "_blocks.10,auto"]
            pictures = []
            for at, (target, photo) in enumerate(subjects):
                out = program.explain(photo, f"{name}-{at}", "--method", name, "-t", target, "--save", "overlay", *more)
                pictures.append(overlay(out))
            rows.append((method["title"], name, pictures))
        table(rows, columns, (200, 134), f"gallery/{group.replace(' ', '-')}.jpg")


def every_kind(program):
    """What --save writes for one photograph, and ways to draw it."""
    photo = PHOTOS / "coffee.png"
    kinds = ["overlay", "heatmap", "grey", "mask", "boxes", "cut-out", "side-by-side", "figure"]
    pictures = []
    for kind in kinds:
        pictures.append((f"--save {kind}", overlay(program.explain(photo, f"kind-{kind}", "--save", kind))))
    drawings = [
        ("--photo colour", "--colormap viridis"),
        ("--photo dim",),
        ("--photo white",),
        ("--contours",),
        ("--overlay blend",),
        ("--colormap turbo",),
        ("--interpolation nearest",),
        ("--signed",),
        ("--method gradient",),
        ("--method gradient", "--photo white", "--colormap blues", "--alpha-limit 1"),
        ("--method gradient", "--save heatmap", "--colormap grey"),
        ("--compat captum",),
    ]
    for words in drawings:
        arguments = [word for option in words for word in option.split()]
        if "--save" not in arguments:
            arguments += ["--save", "overlay"]
        out = program.explain(photo, "drawn-" + "-".join(arguments).replace("/", ""), *arguments)
        pictures.append((" ".join(words), overlay(out)))
    strip(pictures, (280, 187), "gallery/kinds.jpg")


def good_and_bad(program):
    """The same photograph explained well, and in ways that mislead."""
    photo = PHOTOS / "coffee.png"
    card = json.loads(program("info", "--card"))
    wrong = program.folder / "wrong.json"
    # The network wants 0..255 less its mean and gets 0..1 less it: no error can show this mistake.
    card["preprocess"]["scale"] = 1 / 255
    wrong.write_text(json.dumps(card))
    grey = program.folder / "flat.png"
    Image.new("RGB", (600, 400), "#808080").save(grey)
    cases = [
        ("as it should be", photo, []),
        ("a layer that is too early", photo, ["--layer", "_blocks.1._bn2"]),
        ("wrong preprocessing", photo, ["-m", TOP / "fixtures/models/efficientnet_lite0.bpk", "--spec", wrong]),
        ("a class that is not there", photo, ["-t", "missile"]),
        ("random: the baseline", photo, ["--method", "random"]),
        ("a picture without anything", grey, []),
    ]
    pictures = []
    for at, (caption, picture, arguments) in enumerate(cases):
        out = program.explain(picture, f"case-{at}", "--save", "overlay,record", *arguments)
        record = json.loads(next(out.glob("*.json")).read_text())
        found = record["predictions"][0]
        print(f"{caption}: {found['class_name']} {found['proba']:.3f}")
        pictures.append((caption, overlay(out)))
    strip(pictures, (280, 187), "gallery/good-and-bad.jpg", columns=3)


def main():
    (OUT / "gallery").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        program = Program(str(Path(sys.argv[1]).resolve()), folder)
        mosaic(program.folder / "four.png")
        hero(program)
        good_and_bad(program)
        every_kind(program)
        every_method(program)


if __name__ == "__main__":
    main()
