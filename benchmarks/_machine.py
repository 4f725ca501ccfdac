"""What the figures were taken on and with."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
from pathlib import Path
from typing import Any

from wbc_tf.training.provenance import source_commit


def machine() -> dict[str, Any]:
    """Processor, cores, memory, system, and how busy it is."""
    return {
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0))  # what this process may use of them
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "os": platform.platform(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _cpu() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*:\s*(.+)", cpuinfo.read_text()) if cpuinfo.exists() else None
    return found[1] if found else platform.processor() or platform.machine()


def versions() -> dict[str, str]:
    """Of Python, of what computes, and of this project."""
    return {
        "python": platform.python_version(),
        **{
            name: importlib.metadata.version(name)
            for name in ("tensorflow", "numpy", "scikit-image")
        },
        "wbc_tf": source_commit(),
    }
