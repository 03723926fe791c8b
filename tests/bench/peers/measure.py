"""Lets contenders take turns, and watches whole programs run."""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import tempfile
import time

import machine
from tasks import TASKS

HERE = pathlib.Path(__file__).resolve().parent
# Worker threads that wait by spinning have stopped by then.
PAUSE = 0.3
TOLERANCE = 1e-3


class Refused(Exception):
    """A contender that cannot do what was asked, and its last words."""


class Worker:
    """A contender in a process of its own. Its first answer says that it has loaded; then it waits for its turn."""

    def __init__(self, command, cores, environment):
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env=environment,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            self.errors.seek(0)
            words = self.errors.read().strip().splitlines() or ["ended without a word"]
            raise Refused(words[-1])
        return json.loads(line)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.answer()

    def end(self):
        self.process.communicate()


def peak_of(usages):
    """Peak memory in MiB."""
    return max(usage.ru_maxrss for usage in usages) / 1024


def spent(usages):
    """Medians of the processor's seconds, those of them in the kernel, and page faults."""
    return {
        "cpu": statistics.median(usage.ru_utime + usage.ru_stime for usage in usages),
        "kernel": statistics.median(usage.ru_stime for usage in usages),
        "faults": statistics.median(usage.ru_minflt for usage in usages),
    }


class Bench:
    def __init__(self, options, python, xai_python, burncam, peer, say):
        self.options, self.say = options, say
        self.python, self.xai_python = python, xai_python
        self.burncam, self.peer = burncam, peer
        self.left_out = []
        help_text = subprocess.run([burncam, "explain", "--help"], capture_output=True, text=True).stdout
        self.has_engines = "--engine" in help_text
        self.has_bf16 = "--precision" in help_text and "avx512_bf16" in machine.cpu()[1]

    def has(self, contender):
        if contender == "burncam native":
            return self.has_engines
        if contender == "burncam bf16":
            return self.has_bf16
        return contender != "openvino_xai" or self.xai_python is not None

    def environment(self, threads):
        names = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"]
        return os.environ | {name: str(threads) for name in names} | {"PYTHONDONTWRITEBYTECODE": "1"}

    def cores(self, threads):
        return set(sorted(os.sched_getaffinity(0))[:threads])

    def worker(self, contender, task, model, threads, batch):
        folder = self.options.work / model
        if contender.startswith("burncam"):
            wanted = json.loads((folder / "info.json").read_text())["class"]
            command = [self.peer, "--serve", "--model", folder / "model.bpk", *TASKS[task].arguments(model)]
            command += ["--engine", *self.engine(contender), "--class", wanted, "--input", folder / "input.f32"]
            command += ["--batch", batch, "--threads", threads]
        else:
            python = self.xai_python if contender == "openvino_xai" else self.python
            command = [python, HERE / "worker.py", contender, task, folder, model, batch, threads]
        return Worker(command, self.cores(threads), self.environment(threads))

    def engine(self, contender):
        """The engine's name and, where it is not the usual one, the precision."""
        word = contender.split()[1]
        return ["native", "--precision", "bf16"] if word == "bf16" else [word]

    def workers(self, contenders, task, model, threads, batch):
        """Those that could load; they load side by side."""
        started = {one: self.worker(one, task, model, threads, batch) for one in contenders}
        for contender in contenders:
            try:
                started[contender].answer()
            except Refused as refusal:
                started.pop(contender).end()
                self.leave_out(contender, task, model, str(refusal))
        return started

    def leave_out(self, contender, task, model, why):
        self.left_out.append({"contender": contender, "task": task, "model": model, "why": why})
        self.say(f"  {contender} is left out of {task} on {model}: {why}")

    def task(self, task, contenders):
        results = []
        for model in self.models(task):
            for threads in self.options.threads:
                for batch in self.batches(task):
                    self.say(f"{task}: {model}, {threads} threads, batch {batch}")
                    results += self.turns(task, model, threads, batch, contenders)
        return results

    def models(self, task):
        return self.options.models or TASKS[task].models

    def batches(self, task):
        return [batch for batch in TASKS[task].batches if batch in self.options.batches]

    def turns(self, task, model, threads, batch, contenders):
        """Times of every contender, which take turns in an order that rotates."""
        workers = self.workers(contenders, task, model, threads, batch)
        times, peaks = {one: [] for one in workers}, {}
        for turn in range(self.options.rounds):
            order = list(workers)
            shift = turn % max(len(order), 1)
            for contender in order[shift:] + order[:shift]:
                answer = workers[contender].ask(f"time {self.options.seconds}")
                times[contender] += answer["ms"]
                peaks[contender] = answer["peak_mb"]
                time.sleep(PAUSE)
        for worker in workers.values():
            worker.end()
        about = {"task": task, "model": model, "threads": threads, "what": batch}
        return [self.result(about, one, times[one], peaks[one], "ms") for one in workers]

    def result(self, about, contender, times, peak, unit):
        median = statistics.median(times)
        self.say(f"  {contender:18} {median:9.2f} {unit}  ({len(times)} runs, {peak or 0:.0f} MB)")
        return about | {
            "contender": contender,
            "unit": unit,
            "median": median,
            "min": min(times),
            "runs": len(times),
            "peak_mb": peak,
            "times": [round(one, 4) for one in times],
        }

    def processes(self, models, contenders):
        photos = sorted((self.options.work / "photos").glob("*.jpg"))[: self.options.photos]
        directory = self.options.work / "directory"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        for photo in photos:
            shutil.copy(photo, directory)
        results = []
        for model in models:
            for threads in self.options.threads:
                for inputs in [photos[:1], photos]:
                    count = len(inputs)
                    self.say(f"process: {model}, {threads} threads, {count} photographs")
                    results += self.programs(model, threads, inputs, contenders)
        return results

    def programs(self, model, threads, inputs, contenders):
        commands = {one: self.program(one, model, threads, inputs) for one in contenders}
        times, usages = {one: [] for one in commands}, {one: [] for one in commands}
        # The first of several short runs only warms the page cache.
        warming = 1 if len(inputs) == 1 else 0
        for turn in range(self.options.process_rounds + warming):
            for contender, command in list(commands.items()):
                try:
                    wall, usage = self.watch(command, threads)
                except Refused as refusal:
                    self.leave_out(contender, "process", model, str(refusal))
                    del commands[contender]
                    continue
                if turn >= warming:
                    times[contender].append(wall)
                    usages[contender].append(usage)
        about = {"task": "process", "model": model, "threads": threads, "what": len(inputs)}
        return [self.result(about, one, times[one], peak_of(usages[one]), "s") | spent(usages[one]) for one in commands]

    def program(self, contender, model, threads, inputs):
        folder = self.options.work / model
        out = self.options.work / "out" / contender.replace(" ", "-")
        out.mkdir(parents=True, exist_ok=True)
        if contender.startswith("burncam"):
            source = inputs if len(inputs) == 1 else [self.options.work / "directory"]
            engine = ["--engine", *self.engine(contender)] if self.has_engines else []
            command = [self.burncam, "explain", "-m", folder / "model.bpk", "-o", out, "--force", "--quiet"]
            return [*command, "--save", "overlay", "--threads", threads, *engine, *source]
        is_xai = contender == "openvino_xai"
        script = HERE / f"process_{contender.replace('-', '_')}.py"
        if contender in ("onnxruntime", "openvino"):
            return [self.python, script, folder, threads, out, *inputs]
        weights = folder / ("full.onnx" if is_xai else "weights.pth")
        return [self.xai_python if is_xai else self.python, script, model, weights, out, *inputs]

    def watch(self, command, threads):
        """Seconds from start to end of a program, and what the kernel counted for it."""
        cores = self.cores(threads)
        with tempfile.TemporaryFile("w+") as errors:
            begin = time.perf_counter()
            process = subprocess.Popen(
                [str(part) for part in command],
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=self.environment(threads),
                preexec_fn=lambda: os.sched_setaffinity(0, cores),
            )
            _, status, usage = os.wait4(process.pid, 0)
            wall = time.perf_counter() - begin
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                errors.seek(0)
                raise Refused((errors.read().strip().splitlines() or [f"exit {process.returncode}"])[-1])
        return wall, usage

    def check(self, contenders):
        """1 when some contender computes something else, else 0. Other methods than these are compared by the tests."""
        failed = 0
        for task in [task for task in self.options.tasks if task in ("trunk", "gradcam")]:
            # Another method; nothing to compare.
            # Neither does what is rounded agree within the tolerance.
            compared = [one for one in contenders[task] if one not in ("openvino_xai", "burncam bf16")]
            for model in self.models(task):
                for batch in self.batches(task):
                    differences = self.differences(task, model, batch, compared)
                    for contender, difference in differences.items():
                        is_off = not difference <= TOLERANCE
                        failed |= is_off
                        mark = "  DIFFERENT" if is_off else ""
                        print(f"{task:8} {model:20} batch {batch:<3} {contender:18} {difference:.1e}{mark}")
        return int(failed)

    def differences(self, task, model, batch, contenders):
        threads = max(self.options.threads)
        rows = []
        with tempfile.TemporaryDirectory() as folder:
            for contender, worker in self.workers(contenders, task, model, threads, batch).items():
                file = str(pathlib.Path(folder) / contender)
                rows.append([contender, file, worker.ask(f"dump {file}")["shape"]])
                worker.end()
            listing = pathlib.Path(folder) / "listing.json"
            listing.write_text(json.dumps(rows))
            command = [self.python, "-B", str(HERE / "compare.py"), task, str(listing)]
            output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        return json.loads(output)
