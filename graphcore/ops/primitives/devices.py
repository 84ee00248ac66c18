"""Primitives for several devices, overflow flags and summaries, on one CPU.

With one process, gathering and reducing over all processes gives what this process has.
"""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore.ops import functional as F
from graphcore.ops.primitives.base import primitive
from graphcore.tensor import Tensor

__all__ = [
    "ReduceOp", "AllReduce", "AllGather", "ReduceScatter", "Broadcast", "AlltoAll", "FloatStatus",
    "NPUAllocFloatStatus", "NPUGetFloatStatus", "NPUClearFloatStatus", "ScalarSummary", "TensorSummary",
    "ImageSummary", "HistogramSummary", "ControlDepend",
]


class ReduceOp:
    """How `AllReduce` combines."""

    SUM, MAX, MIN, PROD = "sum", "max", "min", "prod"


@primitive
def AllReduce(input_x, *, op=ReduceOp.SUM, group="world"):
    """The combination over all processes: with one, the tensor itself."""
    return input_x


@primitive
def AllGather(input_x, *, group="world"):
    """The tensors of all processes one after the other: with one, the tensor itself."""
    return input_x


@primitive
def ReduceScatter(input_x, *, op=ReduceOp.SUM, group="world"):
    """This process's part of the combination: with one, the tensor itself."""
    return input_x


@primitive
def Broadcast(input_x, *, root_rank=0, group="world"):
    """The tensors of the process `root_rank`: with one, a tuple of its own."""
    return tuple(input_x) if isinstance(input_x, (tuple, list)) else (input_x,)


@primitive
def AlltoAll(input_x, *, split_count=1, split_dim=0, concat_dim=0, group="world"):
    """Parts exchanged between processes: with one, the tensor itself."""
    return input_x


@primitive
def FloatStatus(x):
    """A float32 vector of one element: 1 if anything in `x` is infinite or NaN, else 0."""
    return F.reshape(F.cast(F.logical_not(F.all(F.isfinite(x))), dt.float32), (1,))


@primitive
def NPUAllocFloatStatus():
    """The flags of another device, of which this one has none: eight zeros."""
    return F.zeros((8,), dt.float32)


@primitive
def NPUGetFloatStatus(flags):
    """The flags of another device: those given."""
    return flags


@primitive
def NPUClearFloatStatus(flags):
    """The flags of another device, cleared: zeros."""
    return F.zeros_like(flags)


def _summary(name: str) -> type:
    def summary(label, value):
        return value if isinstance(value, Tensor) else None
    summary.__name__, summary.__module__ = name, __name__
    summary.__doc__ = "Notes a value for MindInsight, which does not exist here: accepted without effect."
    return primitive(summary)


ScalarSummary, TensorSummary, ImageSummary, HistogramSummary = map(
    _summary, ("ScalarSummary", "TensorSummary", "ImageSummary", "HistogramSummary"))


@primitive
def ControlDepend(first, second, *, depend_mode=0):
    """Nothing: assignments take effect in the order of the program."""
    return first
