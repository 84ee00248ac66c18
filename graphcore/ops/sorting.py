"""Operators along one axis that order matters to: running sums and products, sorting, the k largest, argmax.

`axis` is non-negative.  NaN counts as the largest value, and comes last in ascending and first in descending order.
Sorting is stable: equal elements keep their order, also in descending order.
"""
from __future__ import annotations

import numpy as np

from graphcore.dtype import int32
from graphcore.errors import ShapeError
from graphcore.ops.indexing import check_axis, scatter_elements_add
from graphcore.ops.pointwise import cast, div, eq, literal, logical_and, mul, select
from graphcore.ops.record import Scheduled, check_dtype, op, reduced_shape


class Scan(Scheduled):
    """A running combination along `axis`.

    exclusive: element i combines those before it, without its own; reverse: from the end backwards.
    """

    arity = 1

    @staticmethod
    def samples():
        x = np.random.RandomState(0).randn(3, 4, 2).astype("f4")
        cases = ((0, False, False), (1, True, False), (2, False, True), (1, True, True))
        return [([x], {"axis": axis, "exclusive": exclusive, "reverse": reverse}) for axis, exclusive, reverse in cases]


def _running(combine, start, x, axis, exclusive, reverse):
    x = np.moveaxis(np.flip(x, axis) if reverse else x, axis, 0)
    if exclusive:
        x = np.concatenate([np.full_like(x[:1], start), x[:-1]])
    result = np.moveaxis(combine(x, axis=0, dtype=x.dtype), 0, axis)
    return np.flip(result, axis) if reverse else result


@op
class cumsum(Scan):
    """The running sum along `axis`; 16-bit floats are summed in float32, integers wrap around."""
    def infer(x, *, axis, exclusive, reverse):
        check_dtype("cumsum", x.dtype, "number")
        check_axis("cumsum", axis, x.rank)
        return x
    def reference(x, *, axis, exclusive, reverse):
        return _running(np.cumsum, 0, x, axis, exclusive, reverse)
    def vjp(g, y, x, *, axis, exclusive, reverse):
        return (cumsum(g, axis=axis, exclusive=exclusive, reverse=not reverse),)


@op
class cumprod(Scan):
    """The running product along `axis`; the gradient is right also where elements are 0."""
    def infer(x, *, axis, exclusive, reverse):
        check_dtype("cumprod", x.dtype, "number")
        check_axis("cumprod", axis, x.rank)
        return x
    def reference(x, *, axis, exclusive, reverse):
        return _running(np.cumprod, 1, x, axis, exclusive, reverse)
    def vjp(g, y, x, *, axis, exclusive, reverse):
        def later(terms):
            return cumsum(terms, axis=axis, exclusive=exclusive, reverse=not reverse)
        is_zero = eq(x, literal(0, x))
        zeros_so_far = cumsum(cast(is_zero, dtype=x.dtype), axis=axis, exclusive=False, reverse=reverse)
        first_zero = logical_and(is_zero, eq(zeros_so_far, literal(1, x)))
        one = literal(1, x)
        without_it = cumprod(select(first_zero, one, x), axis=axis, exclusive=exclusive, reverse=reverse)
        return (select(first_zero, later(mul(g, without_it)), div(later(mul(g, y)), select(is_zero, one, x))),)


def _order(x, axis, descending):
    """Stable sorting indices, NaN as the largest."""
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    last = x.shape[axis] - 1
    return np.flip(last - np.argsort(np.flip(x, axis), axis=axis, kind="stable"), axis)


def _sort_samples():
    x = np.random.RandomState(0).permutation(24).reshape(2, 4, 3).astype("f4")
    return [([x], {"axis": axis, "descending": d}) for axis, d in ((0, False), (1, True), (2, False), (2, True))]


@op
class sort_indices(Scheduled):
    """The int32 indices along `axis` that put x in order."""
    arity = 1
    def infer(x, *, axis, descending):
        check_axis("sort", axis, x.rank)
        return x.with_dtype(int32)
    def reference(x, *, axis, descending):
        return _order(x, axis, descending)
    def vjp(g, y, x, **attrs):
        return (None,)
    samples = _sort_samples


@op
class sort_values(Scheduled):
    """x in order along `axis`."""
    arity = 1
    def infer(x, *, axis, descending):
        check_axis("sort", axis, x.rank)
        return x
    def reference(x, *, axis, descending):
        return np.take_along_axis(x, _order(x, axis, descending), axis)
    def vjp(g, y, x, *, axis, descending):
        order = sort_indices(x, axis=axis, descending=descending)
        return (scatter_elements_add(order, g, axis=axis, shape=x.shape),)
    samples = _sort_samples


def _topk_shape(x, k, axis) -> tuple:
    check_axis("topk", axis, x.rank)
    if not isinstance(k, int) or k < 0 or isinstance(x.shape[axis], int) and k > x.shape[axis]:
        raise ShapeError(f"topk: k = {k} of axis {axis} of shape {x.shape}; give 0 <= k <= {x.shape[axis]}")
    return tuple(k if i == axis else s for i, s in enumerate(x.shape))


def _topk_samples():
    x = np.random.RandomState(0).permutation(24).reshape(2, 4, 3).astype("f4")
    return [([x], {"k": k, "axis": axis, "largest": largest})
            for k, axis, largest in ((2, 2, True), (1, 0, False), (3, 1, True))]


@op
class topk_indices(Scheduled):
    """The int32 indices of the k largest (or smallest) along `axis`, in order; of equal elements the first ones."""
    arity = 1
    def infer(x, *, k, axis, largest):
        return x.with_dtype(int32).with_shape(_topk_shape(x, k, axis))
    def reference(x, *, k, axis, largest):
        return np.take(_order(x, axis, largest), np.arange(k), axis)
    def vjp(g, y, x, **attrs):
        return (None,)
    samples = _topk_samples


@op
class topk_values(Scheduled):
    """The k largest (or smallest) elements along `axis`, in order."""
    arity = 1
    def infer(x, *, k, axis, largest):
        return x.with_shape(_topk_shape(x, k, axis))
    def reference(x, *, k, axis, largest):
        return np.take_along_axis(x, np.take(_order(x, axis, largest), np.arange(k), axis), axis)
    def vjp(g, y, x, *, k, axis, largest):
        places = topk_indices(x, k=k, axis=axis, largest=largest)
        return (scatter_elements_add(places, g, axis=axis, shape=x.shape),)
    samples = _topk_samples


class Extreme(Scheduled):
    """The index along `axis` of an extreme element; the first of equal ones, the first NaN if there is one."""

    arity = 1

    @staticmethod
    def infer(x, *, axis, keepdims, dtype):
        check_axis("argmax and argmin", axis, x.rank)
        if isinstance(x.shape[axis], int) and x.shape[axis] == 0:
            raise ShapeError(f"argmax and argmin need an element along axis {axis} of shape {x.shape}")
        check_dtype("the result of argmax and argmin", dtype, "integer")
        return x.with_dtype(dtype).with_shape(reduced_shape(x.shape, (axis,), keepdims))

    @staticmethod
    def vjp(g, y, x, **attrs):
        return (None,)

    @staticmethod
    def samples():
        x = np.random.RandomState(0).randint(0, 5, (3, 4, 5)).astype("f4")
        return [([x], {"axis": axis, "keepdims": keepdims, "dtype": int32})
                for axis, keepdims in ((0, False), (1, True), (2, False))]


@op
class argmax(Extreme):
    """The index of the largest element along `axis`."""
    def reference(x, *, axis, keepdims, dtype):
        return np.argmax(x, axis=axis, keepdims=keepdims).astype(dtype.storage)


@op
class argmin(Extreme):
    """The index of the smallest element along `axis`."""
    def reference(x, *, axis, keepdims, dtype):
        return np.argmin(x, axis=axis, keepdims=keepdims).astype(dtype.storage)
