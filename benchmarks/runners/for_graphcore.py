"""graphcore in GRAPH_MODE."""
from __future__ import annotations

import graphcore
from benchmarks import nets
from benchmarks.runners.cells import cell_task
from benchmarks.runners.task import Task
from benchmarks.workloads import Given


class Framework:
    """graphcore; the number of threads stands in GRAPHCORE_THREADS."""

    def __init__(self, threads: int, variant: str):
        self.version = graphcore.__version__

    def prepare(self, given: Given) -> Task:
        """The task of a (workload, mode)."""
        return cell_task(given, nets, graphcore.Tensor, lambda result: None)
