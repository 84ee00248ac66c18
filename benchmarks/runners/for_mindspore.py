"""MindSpore in graph mode, on the same Cells as graphcore."""
from __future__ import annotations

import importlib
import sys

import mindspore

from benchmarks.runners.cells import cell_task
from benchmarks.runners.task import Task
from benchmarks.workloads import Given


def cells_of_mindspore():
    """The module `benchmarks.nets` with MindSpore where it imports graphcore."""
    sys.modules["graphcore"] = mindspore
    try:
        return importlib.import_module("benchmarks.nets")
    finally:
        del sys.modules["graphcore"]


class Framework:
    """MindSpore on the CPU."""

    def __init__(self, threads: int, variant: str):
        self.version = mindspore.__version__
        mindspore.set_context(mode=mindspore.GRAPH_MODE, device_target="CPU", runtime_num_threads=threads)
        self.nets = cells_of_mindspore()

    def prepare(self, given: Given) -> Task:
        """The task of a (workload, mode)."""
        return cell_task(given, self.nets, mindspore.Tensor, lambda result: mindspore.runtime.synchronize())
