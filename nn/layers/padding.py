"""Padding layers for one, two and three spatial axes.

padding: an int for all sides, or a tuple (left, right), (left, right, top, bottom), ... the last axis first.
"""
from __future__ import annotations

from graphcore import ops
from graphcore.nn.arguments import number, rank
from graphcore.nn.cell import Cell

__all__ = ["ConstantPad1d", "ConstantPad2d", "ConstantPad3d", "ZeroPad2d", "ReflectionPad1d", "ReflectionPad2d",
           "ReflectionPad3d", "ReplicationPad1d", "ReplicationPad2d", "ReplicationPad3d"]


class _SpatialPad(Cell):
    """Padding of the last `axes` axes.  Raises TypeError or ValueError for a padding of another kind or length."""

    axes: int
    pad_mode = "constant"

    def __init__(self, padding):
        super().__init__()
        sizes = (padding,) * (2 * self.axes) if isinstance(padding, int) else padding
        if not isinstance(sizes, tuple) or any(isinstance(s, bool) or not isinstance(s, int) for s in sizes):
            raise TypeError(f"{self.cls_name}: padding must be an int or a tuple of ints, got {padding!r}")
        if len(sizes) % 2 or not 0 < len(sizes) <= 2 * self.axes:
            raise ValueError(f"{self.cls_name}: padding takes two sizes for each axis from the last, at most "
                             f"{2 * self.axes}; got {padding!r}")
        self.padding = sizes

    def construct(self, x):
        return ops.pad(x, self.padding, self.pad_mode)


class _ConstantPad(_SpatialPad):
    def __init__(self, padding, value):
        super().__init__(padding)
        number(value, "value", self.cls_name)
        self.value = value

    def construct(self, x):
        return ops.pad(x, self.padding, "constant", self.value)


class ConstantPad1d(_ConstantPad):
    """`value` at both ends of the last axis; negative sizes cut."""

    axes = 1


class ConstantPad2d(_ConstantPad):
    """`value` around the last two axes; negative sizes cut."""

    axes = 2


class ConstantPad3d(_ConstantPad):
    """`value` around the last three axes; negative sizes cut."""

    axes = 3


class ZeroPad2d(_SpatialPad):
    """Zeros around the last two axes; negative sizes cut."""

    axes = 2


class _EdgePad(_SpatialPad):
    """Padding made of the elements near the edge; the input may lack the axis N."""

    def construct(self, x):
        rank(x, (self.axes + 1, self.axes + 2), self.cls_name)
        return ops.pad(x, self.padding, self.pad_mode)


class ReflectionPad1d(_EdgePad):
    """The mirror image, without the edge itself, at both ends of (N, C, L) or (C, L)."""

    axes, pad_mode = 1, "reflect"


class ReflectionPad2d(_EdgePad):
    """The mirror image, without the edge itself, around (N, C, H, W) or (C, H, W)."""

    axes, pad_mode = 2, "reflect"


class ReflectionPad3d(_EdgePad):
    """The mirror image, without the edge itself, around (N, C, D, H, W) or (C, D, H, W)."""

    axes, pad_mode = 3, "reflect"


class ReplicationPad1d(_EdgePad):
    """The element at the edge repeated at both ends of (N, C, L) or (C, L)."""

    axes, pad_mode = 1, "replicate"


class ReplicationPad2d(_EdgePad):
    """The elements at the edge repeated around (N, C, H, W) or (C, H, W)."""

    axes, pad_mode = 2, "replicate"


class ReplicationPad3d(_EdgePad):
    """The elements at the edge repeated around (N, C, D, H, W) or (C, D, H, W)."""

    axes, pad_mode = 3, "replicate"
