#!/usr/bin/env python3
"""Times burncam and its peers side by side, in one run: run.py --out FILE.md. Needs Python 3.11 and cargo, nothing else.

Builds burncam, puts the Python libraries into virtual environments outside of the repository, exports seeded networks,
and lets the contenders take turns, each in a process of its own with its threads and cores fixed, so that anything else that
the machine does meets them all alike. Medians are reported. See docs/performance.md.
"""

import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

# Nothing is left next to the sources.
sys.dont_write_bytecode = True

import machine
import measure
import tables
from tasks import MODELS, TASKS

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
ENGINES = ["burncam native", "burncam bf16", "burncam burn"]


def words(known):
    def parse(text):
        chosen = text.split(",")
        unknown = [word for word in chosen if word not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"'{unknown[0]}' is not one of {', '.join(known)}")
        return chosen

    return parse


def numbers(text):
    return [int(number) for number in text.split(",")]


def arguments():
    every = ENGINES + sorted({peer for task in TASKS.values() for peer in task.peers})
    work = pathlib.Path(tempfile.gettempdir()) / "burncam-peers"
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--models", type=words(MODELS), help="[those of each task]")
    add("--tasks", type=words(list(TASKS)), default=list(TASKS))
    add("--threads", type=numbers, default=[1, 2])
    add("--batches", type=numbers, default=[1, 16], help="1, 16 or both; only the first two tasks have 16")
    add("--contenders", type=words(every), default=every)
    add("--rounds", type=int, default=5, help="turns of each contender in process [5]")
    add("--seconds", type=float, default=1.0, help="how long a turn is at least [1]")
    add("--process-rounds", type=int, default=3, help="runs of each whole program [3]")
    add("--photos", type=int, default=64, help="how many photographs a directory has [64]")
    add("--quick", action="store_true", help="resnet18, short turns, 8 photographs: does it work?")
    add("--check", action="store_true", help="compare what is computed, and time nothing")
    add("--out", type=pathlib.Path, help="FILE.md for the tables; FILE.json next to it has every time")
    add("--work", type=pathlib.Path, default=work, help=f"where networks and outputs go [{work}]")
    add("--venv", type=pathlib.Path, help="where the virtual environments go [--work]")
    add("--python", help="an interpreter that has requirements.txt already")
    add("--xai-python", help="an interpreter that has requirements-openvino-xai.txt; 'none' leaves it out")
    add("--cargo", default="cargo", help="how cargo is called")
    add("--burncam", help="a built burncam, with --peer, instead of building")
    add("--peer", help="the built benchmark 'peer'")
    options = parser.parse_args()
    if options.quick:
        options.models, options.rounds, options.seconds = ["resnet18"], 2, 0.3
        options.process_rounds, options.photos = 1, 8
    if any(batch not in (1, 16) for batch in options.batches):
        parser.error("--batches: expected 1, 16 or 1,16")
    return options


def say(text):
    print(text, file=sys.stderr, flush=True)


def environment(folder, requirements, *flags):
    """A virtual environment with these requirements, made at the first use."""
    python = folder / "bin" / "python"
    wanted = (HERE / requirements).read_text()
    installed = folder / "installed.txt"
    if not installed.exists() or installed.read_text() != wanted:
        say(f"installing {requirements} into {folder}")
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *flags, "-r", HERE / requirements], check=True)
        installed.write_text(wanted)
    return str(python)


def interpreters(options):
    folder = options.venv or options.work
    python = options.python or environment(folder / "venv", "requirements.txt")
    if options.xai_python:
        return python, None if options.xai_python == "none" else options.xai_python
    try:
        return python, environment(folder / "venv-xai", "requirements-openvino-xai.txt", "--no-deps")
    except subprocess.CalledProcessError as error:
        say(f"openvino_xai is left out: {error}")
        return python, None


def build(options):
    """Paths of the command and of the benchmark that times one configuration."""
    if options.burncam and options.peer:
        return options.burncam, options.peer
    say("building burncam")
    command = [*shlex.split(options.cargo), "bench", "--no-run", "--bench", "peer", "--message-format", "json"]
    output = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    built = {}
    for line in output.splitlines():
        message = json.loads(line)
        if message.get("executable"):
            built[message["target"]["name"]] = message["executable"]
    return built["burncam"], built["peer"]


def export(options, bench, python, burncam):
    """Networks for PyTorch and ONNX, model files for burncam, photographs."""
    fixtures = ROOT / "fixtures" / "images"
    names = [name for name in MODELS if any(name in bench.models(task) for task in options.tasks)]
    command = [python, "-B", HERE / "export.py", options.work, fixtures, *names]
    subprocess.run(command, check=True)
    for name in names:
        folder = options.work / name
        source = [folder / "weights.pth", "--arch", name]
        if name == "efficientnet_lite0":
            source = [folder / "full.onnx", "--preset", "imagenet"]
        command = [burncam, "import", *source, "-o", folder / "model.bpk", "--force", "--quiet"]
        subprocess.run(command, check=True)


def main():
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    python, xai_python = interpreters(options)
    burncam, peer = build(options)
    bench = measure.Bench(options, python, xai_python, burncam, peer, say)
    export(options, bench, python, burncam)
    contenders = {
        name: [one for one in ENGINES + task.peers if one in options.contenders and bench.has(one)]
        for name, task in TASKS.items()
    }
    if options.check:
        sys.exit(bench.check(contenders))
    load = os.getloadavg()[0]
    results = []
    for task in options.tasks:
        if task == "process":
            results += bench.processes(bench.models(task), contenders[task])
        else:
            results += bench.task(task, contenders[task])
    about = machine.describe(python, xai_python, ROOT) | {"load_before": load}
    text = tables.write(about, results, contenders)
    print(text)
    if options.out:
        options.out.write_text(text)
        everything = {"machine": about, "results": results, "left_out": bench.left_out}
        options.out.with_suffix(".json").write_text(json.dumps(everything, indent=1) + "\n")


main()
