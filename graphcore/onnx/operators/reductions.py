"""Operators that combine elements along axes, running sums, and the largest elements."""
from __future__ import annotations

import math
from collections.abc import Callable

from graphcore import dtype as dt
from graphcore.onnx.table import operator
from graphcore.onnx.values import axes_of, axis_of, highest, ints, lowest, room
from graphcore.ops import functional as F
from graphcore.ops import reduction, sorting
from graphcore.ops.dispatch import apply
from graphcore.ops.functional.arguments import full_of
from graphcore.ops.record import reduced_shape
from graphcore.tensor import Tensor


def _reduction(name: str, moved: int, combine: Callable) -> None:
    """An operator whose axes are an attribute at first, and an input since opset `moved`."""
    def by_attribute(x, *, axes=None, keepdims=1):
        return combine(x, axes_of(range(x.ndim) if axes is None else axes, x.ndim), bool(keepdims))

    def by_input(x, axes=None, *, keepdims=1, noop_with_empty_axes=0):
        wanted = [] if axes is None else ints(axes)
        if not wanted and noop_with_empty_axes:
            return combine(x, (), True)
        return combine(x, axes_of(wanted or range(x.ndim), x.ndim), bool(keepdims))

    operator(name, 1)(by_attribute)
    operator(name, moved, numbers=("axes",))(by_input)


def _plain(record) -> Callable:
    return lambda x, axes, keepdims: apply(record, x, axes=axes, keepdims=keepdims) if axes else x


def _sum(x: Tensor, axes: tuple, keepdims: bool) -> Tensor:
    return apply(reduction.sum_, x, axes=axes, keepdims=keepdims) if axes else x


def _of_none(x: Tensor, axes: tuple, keepdims: bool, value) -> Tensor | None:
    """What a reduction over no elements gives; None if there are some."""
    if all(x.shape[axis] != 0 for axis in axes):
        return None
    return full_of(room(reduced_shape(x.shape, axes, keepdims), "a reduction"), value, x.dtype)


def _extreme(record, of_bools, of_none: Callable) -> Callable:
    def combine(x, axes, keepdims):
        if x.dtype.is_bool:
            return _plain(of_bools)(x, axes, keepdims)
        empty = _of_none(x, axes, keepdims, of_none(x.dtype))
        return _plain(record)(x, axes, keepdims) if empty is None else empty
    return combine


def _mean(x, axes, keepdims):
    return F.mean(x, axes, keepdims) if axes else x


def _log_sum_exp(x, axes, keepdims):
    empty = _of_none(x, axes, keepdims, -math.inf)
    if empty is not None:
        return empty
    return F.logsumexp(x, axes, keepdims) if axes else x


def _l2(x, axes, keepdims):
    total = _sum(F.square(x), axes, keepdims)
    return F.cast(F.sqrt(total), x.dtype) if x.dtype.is_integer else F.sqrt(total)


for _name, _moved, _combine in (
        ("ReduceSum", 13, _sum), ("ReduceMean", 18, _mean), ("ReduceProd", 18, _plain(reduction.prod)),
        ("ReduceMax", 18, _extreme(reduction.max_, reduction.any_, lowest)),
        ("ReduceMin", 18, _extreme(reduction.min_, reduction.all_, highest)),
        ("ReduceL1", 18, lambda x, axes, keepdims: _sum(F.abs(x), axes, keepdims)), ("ReduceL2", 18, _l2),
        ("ReduceSumSquare", 18, lambda x, axes, keepdims: _sum(F.square(x), axes, keepdims)),
        ("ReduceLogSum", 18, lambda x, axes, keepdims: F.log(_sum(x, axes, keepdims))),
        ("ReduceLogSumExp", 18, _log_sum_exp)):
    _reduction(_name, _moved, _combine)


def _place_of(find: Callable) -> Callable:
    def place(x, *, axis=0, keepdims=1, select_last_index=0):
        """The int64 index of the largest (smallest) element, of equals the first or the last."""
        axis = axis_of(axis, x.ndim)
        if select_last_index:
            return F.sub(x.shape[axis] - 1, F.cast(find(F.flip(x, (axis,)), axis, bool(keepdims)), dt.int64))
        return F.cast(find(x, axis, bool(keepdims)), dt.int64)
    return place


operator("ArgMax", 1)(_place_of(F.argmax))
operator("ArgMin", 1)(_place_of(F.argmin))


@operator("CumSum", 11, numbers=("axis",))
def cumulative_sum(x, axis, *, exclusive=0, reverse=0):
    return apply(sorting.cumsum, x, axis=axis_of(ints(axis)[0], x.ndim), exclusive=bool(exclusive),
                 reverse=bool(reverse))


@operator("CumProd", 26, numbers=("axis",))
def cumulative_product(x, axis, *, exclusive=0, reverse=0):
    return apply(sorting.cumprod, x, axis=axis_of(ints(axis)[0], x.ndim), exclusive=bool(exclusive),
                 reverse=bool(reverse))


@operator("TopK", 10, numbers=("k",))
def largest(x, k, *, axis=-1):
    return top_k(x, k, axis=axis)


@operator("TopK", 11, numbers=("k",))
def top_k(x, k, *, axis=-1, largest=1, sorted=1):
    """(the k largest or smallest along the axis, in order even where that is not asked for; their int64 indices)."""
    values, places = F.topk(x, ints(k)[0], axis, bool(largest))
    return values, F.cast(places, dt.int64)
