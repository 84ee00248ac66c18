"""Operators that combine all elements along some axes.  `axes` is sorted and non-negative."""
from __future__ import annotations

import numpy as np

from graphcore.errors import ShapeError
from graphcore.ir.graph import Node
from graphcore.ops.pointwise import cast, div, eq, literal, mul, select
from graphcore.ops.record import Reduction, op, reduced_shape
from graphcore.ops.view import broadcast_to, reshape


def spread(value: Node, like: Node, axes: tuple) -> Node:
    """A reduced value broadcast back over the shape of `like`."""
    kept = reduced_shape(like.shape, axes, keepdims=True)
    if value.shape != kept:
        value = reshape(value, shape=kept)
    return value if kept == like.shape else broadcast_to(value, shape=like.shape)


@op
class sum_(Reduction):
    """The sum along `axes`; float16 and bfloat16 accumulate in float32.  0 for no elements."""
    combine = "add"
    def reference(x, *, axes, keepdims):
        return np.sum(x, axis=axes, keepdims=keepdims, dtype=x.dtype)
    def vjp(g, y, x, *, axes, keepdims):
        return (spread(g, x, axes),)


@op
class prod(Reduction):
    """The product along `axes`; 1 for no elements.  The gradient is right also where elements are 0."""
    combine = "multiply"
    def reference(x, *, axes, keepdims):
        return np.prod(x, axis=axes, keepdims=keepdims, dtype=x.dtype)
    def vjp(g, y, x, *, axes, keepdims):
        is_zero = eq(x, literal(0, x))
        others = prod(select(is_zero, literal(1, x), x), axes=axes, keepdims=True)     # product without the zeros
        zeros = sum_(cast(is_zero, dtype=x.dtype), axes=axes, keepdims=True)
        at_zero = select(eq(zeros, literal(1, x)), others, literal(0, x))
        elsewhere = div(spread(y, x, axes), select(is_zero, literal(1, x), x))
        return (mul(spread(g, x, axes), select(is_zero, spread(at_zero, x, axes), elsewhere)),)


def _to_extremes(g, y, x, axes):
    """The gradient of max and min: shared equally by the elements that attain it."""
    hit = cast(eq(x, spread(y, x, axes)), dtype=x.dtype)
    count = sum_(hit, axes=axes, keepdims=True)
    return (mul(spread(g, x, axes), div(hit, spread(count, x, axes))),)


class Extreme(Reduction):
    """The largest or smallest element, of at least one."""

    def infer(self, x, *, axes, keepdims):
        result = super().infer(x, axes=axes, keepdims=keepdims)
        if x.size == 0 and result.size != 0:
            raise ShapeError(f"{self.name}: there is no element along the axes {tuple(axes)} of shape {x.shape}; take "
                             "only the parts that have some")
        return result


@op
class max_(Extreme):
    """The largest element along `axes`; NaN if one is NaN."""
    combine = "maximum"
    def reference(x, *, axes, keepdims):
        return np.max(x, axis=axes, keepdims=keepdims)
    def vjp(g, y, x, *, axes, keepdims):
        return _to_extremes(g, y, x, axes)


@op
class min_(Extreme):
    """The smallest element along `axes`; NaN if one is NaN."""
    combine = "minimum"
    def reference(x, *, axes, keepdims):
        return np.min(x, axis=axes, keepdims=keepdims)
    def vjp(g, y, x, *, axes, keepdims):
        return _to_extremes(g, y, x, axes)


@op
class all_(Reduction):
    """True where all elements along `axes` are."""
    combine = "and"
    accepts = "bool"
    def reference(x, *, axes, keepdims):
        return np.all(x, axis=axes, keepdims=keepdims)


@op
class any_(Reduction):
    """True where any element along `axes` is."""
    combine = "or"
    accepts = "bool"
    def reference(x, *, axes, keepdims):
        return np.any(x, axis=axes, keepdims=keepdims)
