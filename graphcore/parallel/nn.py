"""Cells that run a net on parts of a batch, as ``mindspore.parallel.nn`` names them."""
from __future__ import annotations

from graphcore.nn.cell import Cell
from graphcore.nn.parts import GradAccumulationCell as GradAccumulation
from graphcore.nn.parts import MicroBatchInterleaved
from graphcore.nn.parts import PipelineCell as Pipeline

__all__ = ["GradAccumulation", "MicroBatchInterleaved", "Pipeline", "sync_pipeline_shared_parameters"]


def sync_pipeline_shared_parameters(net) -> None:
    """Nothing: a pipeline of one stage shares its weights with itself.  Raises TypeError unless `net` is a Cell."""
    if not isinstance(net, Cell):
        raise TypeError(f"sync_pipeline_shared_parameters takes a Cell, got {type(net).__name__}")
