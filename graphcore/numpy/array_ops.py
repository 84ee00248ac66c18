"""Arrays put together, cut and moved."""
from __future__ import annotations

from graphcore import ops

__all__ = ["roll", "split", "tile"]


def roll(a, shift, axis=None):
    """Elements moved by `shift` along `axis` (None: of the flattened array), round the end.

    shift, axis: ints, or tuples of equal length; one int goes with each entry of the other's tuple.
    """
    if axis is None:
        return ops.reshape(roll(ops.reshape(a, (-1,)), shift, 0), a.shape)
    shifts = shift if isinstance(shift, (tuple, list)) else (shift,)
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    count = max(len(shifts), len(axes))
    return ops.roll(a, tuple(shifts) * (count // len(shifts)), tuple(axes) * (count // len(axes)))


def split(x, indices_or_sections, axis=0):
    """Parts along `axis`: a tuple of so many of equal size, or a list, cut before each index in a tuple or list.

    Raises ValueError if the axis cannot be divided into so many equal parts.
    """
    if isinstance(indices_or_sections, int) and x.shape[axis] % indices_or_sections:
        raise ValueError(f"split: axis {axis} of shape {tuple(x.shape)} cannot be divided into {indices_or_sections} "
                         f"equal parts; array_split takes unequal ones")
    parts = ops.tensor_split(x, indices_or_sections, axis)
    return parts if isinstance(indices_or_sections, int) else list(parts)


def tile(a, reps):
    """The array repeated reps[i] times along axis i; missing entries of `reps` and missing axes count as 1 in front."""
    reps = (reps,) if isinstance(reps, int) else tuple(reps)
    return ops.tile(a, (1,) * (a.ndim - len(reps)) + reps)
