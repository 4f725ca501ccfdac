"""What the figures were taken on and with."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import re
from pathlib import Path
from typing import Any

from wbc_tf.training.provenance import source_commit

#: Instructions on which the speed of convolutions depends most, the slowest first.
_INSTRUCTIONS = ("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
#: What is compared with, where it is installed.
_OTHERS = ("onnxruntime", "openvino")


def machine() -> dict[str, Any]:
    """Processor, cores, memory, system, and how busy it is."""
    return {
        "cpu": _cpu(),
        "instructions": [name for name in _INSTRUCTIONS if name in _cpu_info("flags").split()],
        "cores": len(os.sched_getaffinity(0))  # what this process may use of them
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "os": platform.platform(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _cpu() -> str:
    return _cpu_info("model name") or platform.processor() or platform.machine()


def _cpu_info(name: str) -> str:
    """What Linux says of the first CPU; elsewhere nothing."""
    file = Path("/proc/cpuinfo")
    found = re.search(rf"{name}\s*:\s*(.+)", file.read_text("utf-8")) if file.exists() else None
    return found[1] if found else ""


def versions() -> dict[str, str]:
    """Of Python, of what computes, and of this project; whether TensorFlow uses oneDNN."""
    found = {
        name: importlib.metadata.version(name) for name in ("tensorflow", "numpy", "scikit-image")
    }
    for name in _OTHERS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return {
        "python": platform.python_version(),
        **found,
        # wbc_tf turns it on unless the user has turned it off.
        "onednn": "off" if os.environ["TF_ENABLE_ONEDNN_OPTS"] == "0" else "on",
        "wbc_tf": source_commit(),
    }


def peak_memory() -> float:
    """In MB, of this process alone: getrusage would count the one that started it."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024
