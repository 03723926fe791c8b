"""Insertion, deletion and ROAD of five methods on photographs: burncam next to pytorch-grad-cam and torchcam.

    python tests/metrics/speed.py target/release/burncam efficientnet-lite0-57934424.pth WORK \\
        [--photographs 100] [--threads 1] [--rounds 2] [--part libraries|burncam] [--memory 1000]

Both evaluate the built-in network: burncam the file in the repository, the libraries its twin in torch with the same weights, rounded to
16 bits as there. Both take 20 steps of insertion and deletion from a baseline of 0 (torchcam's), and ROAD at 10 % to 90 %
(pytorch-grad-cam's), of the probability of the most probable class. burncam has three baseline rows more. Photographs are crops of the
fixtures. The two run in turns, in processes of their own, from start to end; printed are seconds of processor time and of wall time, the
greatest memory, their ratios, and the mean figures, which show that both did the same: torchcam's metric takes maps of the probability,
burncam those of the logit, so that curves agree for `hirescam` alone, next to which is torchcam's CAM, which knows no score.
`--memory N` also compares burncam's memory with N photographs and with a tenth of them.

The libraries take about a minute a photograph. `--part libraries` runs them alone: WORK/libraries.jsonl gets a line per photograph as soon
as it is done, with what was spent until then. `--part burncam` runs burncam on the photographs that are in that file, and compares with it.

Needs torch, grad-cam 1.5.7, torchcam 0.5.0, opencv-python-headless, scipy and Pillow, in the interpreter that runs this script.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "fixtures" / "scripts"))

METHODS = "gradcam,gradcampp,xgradcam,layercam,hirescam"
METRICS = "road,insertion,deletion"
LIBRARIES = "libraries.jsonl"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("burncam", type=Path)
    parser.add_argument("weights", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("--photographs", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--memory", type=int, default=0)
    parser.add_argument("--part", choices=["libraries", "burncam"])
    return parser.parse_args()


def photographs(folder, count):
    """Different crops of the four photographs, the same for every run."""
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    sources = [Image.open(ROOT / "fixtures" / "images" / name).convert("RGB") for name in ("coffee.png", "camera.png", "chelsea.png", "rocket.jpg")]
    for at in range(count):
        path = folder / f"{at:04}.jpg"
        if not path.exists():
            source = sources[at % 4]
            left, top = (7 * at) % (source.width // 4), (5 * at) % (source.height // 4)
            source.crop((left, top, left + source.width * 3 // 4, top + source.height * 3 // 4)).save(path, quality=92)
    return sorted(folder.iterdir())[:count]


def libraries(options):
    """All figures by pytorch-grad-cam and torchcam, in one process: a line of JSON per photograph in WORK/libraries.jsonl."""
    start = time.perf_counter()
    import resource

    import torch
    from pytorch_grad_cam import GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, XGradCAM
    from pytorch_grad_cam.metrics.road import ROADCombined
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputSoftmaxTarget, ClassifierOutputTarget
    from torchcam import methods as torchcam
    from torchcam.metrics import DeletionInsertionMetric

    import efficientnet_lite
    from pictures import lite_tensor

    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    net = efficientnet_lite.load(options.weights).half().float()
    makers = {
        "gradcam": (GradCAM, torchcam.GradCAM), "gradcampp": (GradCAMPlusPlus, torchcam.GradCAMpp),
        "xgradcam": (XGradCAM, torchcam.XGradCAM), "layercam": (LayerCAM, torchcam.LayerCAM),
        # Of a network with an average and one linear layer these are the same map.
        "hirescam": (HiResCAM, lambda net, layer: torchcam.CAM(net, layer, fc_layer="_fc")),
    }
    road = ROADCombined()
    with open(options.work / LIBRARIES, "w") as file:
        for path in photographs(options.work / "photographs", options.photographs):
            tensor, figures = lite_tensor(path), {}
            with torch.no_grad():
                label = int(net(tensor).argmax())
            for name, (theirs, others) in makers.items():
                with theirs(net, [net.head]) as cam:
                    grey = cam(tensor, [ClassifierOutputTarget(label)])
                    score = float(road(tensor, grey, [ClassifierOutputSoftmaxTarget(label)], net)[0])
                extractor = others(net, "head")
                metric = DeletionInsertionMetric(extractor, lambda logits: torch.softmax(logits, -1), steps=20)
                metric.update(tensor, label)
                extractor.remove_hooks()
                curves = metric.summary()
                figures[name] = [score, curves["insertion_auc"], curves["deletion_auc"]]
            usage = resource.getrusage(resource.RUSAGE_SELF)
            spent = [usage.ru_utime + usage.ru_stime, time.perf_counter() - start, usage.ru_maxrss / 1024]
            print(json.dumps({"spent": spent, "figures": figures}), file=file, flush=True)


def measured(command, log):
    """Seconds of processor and wall time and MB of a process, which writes to a file."""
    start = time.perf_counter()
    with open(log, "wb") as file:
        child = os.posix_spawn(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, file.fileno(), 1)])
        _, status, usage = os.wait4(child, 0)
    if status:
        sys.exit(f"failed: {' '.join(command)}")
    return [usage.ru_utime + usage.ru_stime, time.perf_counter() - start, usage.ru_maxrss / 1024]


def burncam(options, pictures, out, *how):
    return [str(options.burncam.resolve()), "evaluate", *map(str, pictures), "-o", str(out), "--force", "--quiet", "--progress", "never",
            "--threads", str(options.threads), "--jobs", str(options.threads), *how]


def compare(options):
    theirs = [sys.executable, "-B", __file__, *sys.argv[1:], "--part", "libraries"]
    how = ["--method", METHODS, "--metrics", METRICS, "--steps", "20", "--baseline", "zero"]
    rounds = []
    for _ in range(options.rounds):
        if not options.part:
            subprocess.run(theirs, check=True)
        done = [json.loads(line) for line in (options.work / LIBRARIES).read_text().splitlines()]
        pictures = photographs(options.work / "photographs", len(done))
        mine = measured(burncam(options, pictures, options.work, *how), options.work / "burncam.log")
        rounds.append((mine, done[-1]["spent"]))
        print("{} photographs: ".format(len(done)) +
              "burncam {:.1f} s, wall {:.1f} s, {:.0f} MB; libraries {:.1f} s, wall {:.1f} s, {:.0f} MB".format(*mine, *done[-1]["spent"]), flush=True)
    for at, what in enumerate(["processor time", "wall time", "memory"]):
        ratios = [other[at] / mine[at] for mine, other in rounds]
        print(f"{what}: the libraries take {min(ratios):.2f} to {max(ratios):.2f} times as much")
    evaluation = json.loads((options.work / "evaluation.json").read_text())
    print(f"{'':12}{'road':>16}{'insertion':>16}{'deletion':>16}   (burncam, libraries)")
    for name in METHODS.split(","):
        row = next(row for row in evaluation["rows"] if row["name"] == name)
        others = zip(*(one["figures"][name] for one in done))
        pairs = zip((figure["mean"] for figure in row["figures"]), (sum(values) / len(done) for values in others))
        print(f"{name:12}" + "".join(f"{mine:>8.3f}{other:>8.3f}" for mine, other in pairs))


def memory(options):
    """burncam's memory must not grow with the number of pictures but for the figures that it writes."""
    paths = photographs(options.work / "many", options.memory)
    for count in (options.memory // 10, options.memory):
        command = burncam(options, paths[:count], options.work / "memory", "--method", "gradcam", "--metrics", "insertion,deletion", "--steps", "4")
        _, wall, peak = measured(command, options.work / "memory.log")
        print(f"{count} photographs: {peak:.0f} MB, wall {wall:.0f} s")


def main():
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    if options.part == "libraries":
        return libraries(options)
    compare(options)
    if options.memory:
        memory(options)


if __name__ == "__main__":
    main()
