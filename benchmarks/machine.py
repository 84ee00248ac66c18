"""What the times depend on beside the programs."""
from __future__ import annotations

import os
import platform
import time
from pathlib import Path

from benchmarks.costs import cost
from graphcore.compiler.inspection.peaks import flop_rate, limit, read_rate

LARGE = 1 << 28     # bytes that no cache holds


def facts() -> dict:
    """Processor, cores, system, date."""
    return {"processor": processor(), "cores": os.cpu_count(), "usable_cores": usable_cores(),
            "system": platform.platform(), "python": platform.python_version(),
            "date": time.strftime("%Y-%m-%dT%H:%M:%S%z")}


def rates(threads: int) -> dict:
    """What the machine can do at most, per second."""
    return {"peak_flops": flop_rate(threads), "memory_bytes": read_rate(LARGE, threads)}


def limit_of(name: str, mode: str, threads: int) -> float:
    """The seconds below which this machine cannot do a (workload, mode): by operations, or by bytes.

    Bytes are taken at the rate at which so many can be read over and over: small workloads stay in caches.
    """
    counted = cost(name, mode)
    return limit(counted.flops, counted.bytes, threads)


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
