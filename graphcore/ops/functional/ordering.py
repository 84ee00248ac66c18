"""Sorting, the k largest, running sums and products."""
from __future__ import annotations

import math

import numpy as np

from graphcore.ops import pointwise, sorting
from graphcore.ops.functional.arguments import (
    Tensor,
    also_named,
    apply,
    axis_of,
    cast,
    dt,
    dtype_error,
    number_of,
    tensor_of,
)
from graphcore.ops.functional.comparison import where
from graphcore.ops.functional.creation import row_and_column
from graphcore.ops.functional.indexing import gather_elements
from graphcore.ops.functional.joining import concat, narrow, window
from graphcore.ops.functional.reduction import max, min, sum
from graphcore.ops.functional.shaping import broadcast_to, expand_dims, moveaxis, reshape, squeeze

__all__ = [
    "sort", "argsort", "msort", "topk", "top_k", "median", "cumsum", "cumprod", "diff", "trapz", "reverse_sequence",
    "cummax", "cummin", "intopk",
]


def _sorted(x, axis, descending, name):
    x = tensor_of(x, name)
    if x.dtype.is_bool:
        raise dtype_error(f"{name} takes numbers, got bools; convert them with .astype(ms.int32)")
    return x, {"axis": axis_of(axis, x.ndim, name), "descending": bool(descending)}


@also_named(input="input_x", dim="axis")
def sort(input_x, axis=-1, descending=False):
    """(values in order along `axis`, their int32 indices); equal ones keep their order."""
    x, attrs = _sorted(input_x, axis, descending, "sort")
    return apply(sorting.sort_values, x, **attrs), apply(sorting.sort_indices, x, **attrs)


@also_named(dim="axis")
def argsort(input, axis=-1, descending=False):
    """The int32 indices that put `input` in order along `axis`."""
    x, attrs = _sorted(input, axis, descending, "argsort")
    return apply(sorting.sort_indices, x, **attrs)


def msort(input):
    """The values in order along the first axis."""
    return sort(input, 0)[0]


@also_named(axis="dim")
def topk(input, k, dim=None, largest=True, sorted=True):
    """(the k largest values along `dim` in order, their int32 indices); largest=False: the smallest.

    dim None is the last axis.  Raises ShapeError unless 0 <= k <= size of the axis.
    """
    x = tensor_of(input, "topk")
    attrs = {"k": number_of(k, "topk"), "axis": axis_of(-1 if dim is None else dim, x.ndim, "topk"),
             "largest": bool(largest)}
    return apply(sorting.topk_values, x, **attrs), apply(sorting.topk_indices, x, **attrs)


def top_k(input_x, k, sorted=True):
    """(the k largest values along the last axis in order, their int32 indices)."""
    return topk(input_x, k)


@also_named(dim="axis", keepdim="keepdims")
def median(input, axis=-1, keepdims=False):
    """(the lower median along `axis`, its int64 index)."""
    x = tensor_of(input, "median")
    axis = axis_of(axis, x.ndim, "median")
    middle = [narrow(part, axis, (x.shape[axis] - 1) // 2, 1) for part in sort(x, axis)]
    values, places = middle if keepdims else (squeeze(part, axis) for part in middle)
    return values, cast(places, dt.int64)


def _scan(record, x, axis, dtype, name, exclusive=False, reverse=False):
    x = tensor_of(x, name)
    if dtype is not None:
        x = cast(x, dt.as_dtype(dtype))
    if x.dtype.is_bool:
        raise dtype_error(f"{name} takes numbers, got bools; convert them with .astype(ms.int32)")
    return apply(record, x, axis=axis_of(axis, x.ndim, name), exclusive=bool(exclusive), reverse=bool(reverse))


@also_named(dim="axis", input="x")
def cumsum(x, axis, dtype=None):
    """The running sum along `axis`."""
    return _scan(sorting.cumsum, x, axis, dtype, "cumsum")


@also_named(axis="dim")
def cumprod(input, dim, dtype=None):
    """The running product along `dim`; integers in int64, unless `dtype` is given."""
    x = tensor_of(input, "cumprod")
    return _scan(sorting.cumprod, x, dim, dt.int64 if dtype is None and x.dtype.is_integer else dtype, "cumprod")


def running(record, x, axis, exclusive, reverse):
    """A running sum or product that may leave out the element itself, or go backwards."""
    return _scan(record, x, axis, None, record.name, exclusive, reverse)


def diff(x, n=1, axis=-1, prepend=None, append=None):
    """Differences of neighbours along `axis`, n times."""
    x = tensor_of(x, "diff")
    axis = axis_of(axis, x.ndim, "diff")
    parts = [p for p in (prepend, x, append) if p is not None]
    x = concat(parts, axis) if len(parts) > 1 else x
    for _ in range(n):
        last = x.shape[axis] - 1
        x = window(x, axis, 1, last) - window(x, axis, 0, last)
    return x


def trapz(y, x=None, *, dx=1.0, dim=-1):
    """The integral along `dim` by the trapezoid rule, at points `x` or at steps of `dx`."""
    y = tensor_of(y, "trapz")
    axis, last = axis_of(dim, y.ndim, "trapz"), y.shape[dim] - 1
    heights = (window(y, axis, 1, last) + window(y, axis, 0, last)) * 0.5
    return sum(heights * (dx if x is None else diff(x, 1, -1 if x.ndim == 1 and axis == y.ndim - 1 else axis)), axis)


def reverse_sequence(x, seq_lengths, seq_dim, batch_dim=0):
    """The first seq_lengths[i] elements along `seq_dim` of each slice i along `batch_dim` in reverse order."""
    x, lengths = tensor_of(x, "reverse_sequence"), tensor_of(seq_lengths, "reverse_sequence")
    axis, batch = axis_of(seq_dim, x.ndim, "reverse_sequence"), axis_of(batch_dim, x.ndim, "reverse_sequence")
    lengths = reshape(cast(lengths, dt.int32), tuple(s if i == batch else 1 for i, s in enumerate(x.shape)))
    places = apply(pointwise.iota, shape=x.shape, axis=axis, dtype=dt.int32)
    return gather_elements(x, axis, where(places < lengths, lengths - places - 1, places))


def cummax(input, axis):
    """(the running maximum along `axis`, its int64 index), by comparing all pairs of places."""
    return _running_extreme(input, axis, "cummax", max)


def cummin(input, axis):
    """(the running minimum along `axis`, its int32 index), by comparing all pairs of places."""
    values, places = _running_extreme(input, axis, "cummin", min)
    return values, cast(places, dt.int32)


def _running_extreme(input, axis, name, extreme):
    x = tensor_of(input, name)
    axis = axis_of(axis, x.ndim, name)
    ahead = moveaxis(x, axis, -1)
    square = broadcast_to(expand_dims(ahead, -2), (*ahead.shape[:-1], ahead.shape[-1], ahead.shape[-1]))
    worst = -math.inf if extreme is max else math.inf
    if not x.dtype.is_float:
        limits = np.iinfo(x.dtype.storage)
        worst = limits.min if extreme is max else limits.max
    rows, columns = row_and_column(square.shape)
    values, places = extreme(where(columns <= rows, square, Tensor(worst, x.dtype)), -1)
    return moveaxis(values, -1, axis), moveaxis(places, -1, axis)


def intopk(x1, x2, k):
    """bool [N]: whether the class x2 [N] is among the `k` with the highest scores x1 [N, C].

    A class out of range is not.
    """
    scores, classes = tensor_of(x1, "intopk"), cast(tensor_of(x2, "intopk"), dt.int32)
    inside = where(classes >= 0, classes < scores.shape[1], False)
    own = gather_elements(scores, 1, expand_dims(where(inside, classes, 0), 1))
    higher = sum(cast(scores > own, dt.int32), 1)
    return where(inside, higher < k, False)
