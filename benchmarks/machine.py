"""What the times depend on beside the programs."""
from __future__ import annotations

import os
import platform
import time
from pathlib import Path


def facts() -> dict:
    """Processor, cores, system, date."""
    return {"processor": processor(), "cores": os.cpu_count(), "usable_cores": usable_cores(),
            "system": platform.platform(), "python": platform.python_version(),
            "date": time.strftime("%Y-%m-%dT%H:%M:%S%z")}


def usable_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor() -> str:
    """The name of the processor, as well as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())
