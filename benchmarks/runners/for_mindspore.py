"""MindSpore in graph mode, on the same Cells as graphcore."""
from __future__ import annotations

import importlib
import sys

import mindspore
from mindspore.experimental import optim

from benchmarks.runners.cells import cell_task
from benchmarks.runners.task import Task
from benchmarks.workloads import Given


def adamw(params, learning_rate, beta1, beta2, eps):
    """``nn.AdamW``: MindSpore's own AdamW with bias correction stands elsewhere and names its arguments otherwise."""
    return optim.AdamW(params, learning_rate, (beta1, beta2), eps)


def cells_of_mindspore():
    """The package `benchmarks.nets` with MindSpore where it imports graphcore."""
    if not hasattr(mindspore.nn, "AdamW"):
        mindspore.nn.AdamW = adamw
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
