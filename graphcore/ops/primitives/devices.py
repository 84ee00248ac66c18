"""Primitives for overflow flags and summaries."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore.ops import functional as F
from graphcore.ops.primitives.base import primitive
from graphcore.tensor import Tensor

__all__ = [
    "FloatStatus", "NPUAllocFloatStatus", "NPUGetFloatStatus", "NPUClearFloatStatus", "ScalarSummary", "TensorSummary",
    "ImageSummary", "HistogramSummary", "ControlDepend",
]


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
