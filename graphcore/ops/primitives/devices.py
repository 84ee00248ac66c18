"""Primitives for several processes, overflow flags and summaries.

With one process, gathering and reducing over all processes gives what this process has.
"""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore.communication.management import group_key
from graphcore.ops import functional as F
from graphcore.ops.functional import communication
from graphcore.ops.primitives.base import primitive
from graphcore.ops.transport import group_size
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
    """The combination over all processes of a group, element by element."""
    return communication.all_reduce(input_x, op, group)


@primitive
def AllGather(input_x, *, group="world"):
    """The tensors of all processes of a group one after the other, along axis 0."""
    return communication.all_gather(input_x, group)


@primitive
def ReduceScatter(input_x, *, op=ReduceOp.SUM, group="world"):
    """This process's part, along axis 0, of the combination over all processes of a group."""
    return communication.reduce_scatter(input_x, op, group)


@primitive
def Broadcast(input_x, *, root_rank=0, group="world"):
    """A tuple of the tensors of the process `root_rank`.  Its gradient is what all processes' losses say together."""
    tensors = input_x if isinstance(input_x, (tuple, list)) else (input_x,)
    return tuple(communication.broadcast(x, root_rank, group) for x in tensors)


@primitive
def AlltoAll(input_x, *, split_count=1, split_dim=0, concat_dim=0, group="world"):
    """`split_count` parts along `split_dim`, one for each process; those that arrive, joined along `concat_dim`.

    Raises ValueError if split_count is not the number of processes, of several.
    """
    size = group_size(group_key(group))
    if split_count != size > 1:
        raise ValueError(f"AlltoAll: split_count must be the number of processes, {size}, got {split_count}")
    return communication.all_to_all(input_x, split_dim, concat_dim, group)


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
