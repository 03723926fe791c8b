"""Says what the times were taken on: processor, memory, versions."""

import os
import pathlib
import platform
import subprocess

# What kernels are chosen by.
FLAGS = ["avx2", "fma", "f16c", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16"]
LIBRARIES = ["torch", "torchvision", "grad-cam", "torchcam", "captum", "onnxruntime", "openvino"]
XAI_LIBRARIES = ["openvino_xai", "openvino"]


def output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def cpu():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    facts = {name.strip(): value.strip() for name, value in facts.items()}
    flags = set(facts.get("flags", "").split())
    name = facts.get("model name", platform.processor())
    family = f"family {facts.get('cpu family')}, model {facts.get('model')}"
    return f"{name} ({family})", [flag for flag in FLAGS if flag in flags]


def versions(python, libraries):
    script = "import sys, importlib.metadata as m\nfor name in sys.argv[1:]: print(name, m.version(name))"
    return output(python, "-c", script, *libraries).splitlines()


def describe(python, xai_python, root):
    name, flags = cpu()
    memory = pathlib.Path("/proc/meminfo").read_text().split()[1]
    found = versions(python, LIBRARIES)
    if xai_python:
        found.append(" with ".join(versions(xai_python, XAI_LIBRARIES)))
    commit = output("git", "-C", str(root), "rev-parse", "--short", "HEAD")
    changed = output("git", "-C", str(root), "status", "--porcelain")
    return {
        "cpu": name,
        "flags": flags,
        "cores": os.cpu_count(),
        "memory_gib": round(int(memory) / 2**20),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "rust": output("rustc", "--version"),
        "burncam": commit + (", changed since" if changed else ""),
        "libraries": found,
    }
