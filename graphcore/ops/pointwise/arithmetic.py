"""Arithmetic, extremes, rounding and relu."""
from __future__ import annotations

import numpy as np

from graphcore.ops.pointwise.base import Binary, literal
from graphcore.ops.pointwise.choosing import select
from graphcore.ops.pointwise.predicates import eq, gt, lt
from graphcore.ops.record import Pointwise, op


@op
class add(Binary):
    """x + y."""
    scalar = "({0} + {1})"
    reference = np.add
    def vjp(g, y, a, b):
        return g, g


@op
class sub(Binary):
    """x - y."""
    scalar = "({0} - {1})"
    reference = np.subtract
    def vjp(g, y, a, b):
        return g, neg(g)


@op
class mul(Binary):
    """x * y."""
    scalar = "({0} * {1})"
    reference = np.multiply
    def vjp(g, y, a, b):
        return mul(g, b), mul(g, a)


@op
class div(Binary):
    """x / y for floats; x/0 is inf or NaN."""
    scalar = "({0} / {1})"
    accepts = "float"
    reference = np.divide
    def vjp(g, y, a, b):
        return div(g, b), neg(div(mul(g, y), b))


@op
class floor_div(Binary):
    """floor(x / y), rounding towards minus infinity as Python does; integer division by zero gives 0."""
    scalar = "floor_divide({0}, {1})"
    reference = np.floor_divide
    def vjp(g, y, a, b):
        return None, None       # constant between its steps


@op
class mod(Binary):
    """x - floor(x / y) * y, the sign of y, as Python does."""
    scalar = "floor_mod({0}, {1})"
    reference = np.mod
    def vjp(g, y, a, b):
        return g, neg(mul(g, floor_div(a, b)))


@op
class maximum(Binary):
    """The larger of two; NaN if either is NaN.  The gradient goes to the larger, halved between equals."""
    scalar = "maximum({0}, {1})"
    reference = np.maximum
    def vjp(g, y, a, b):
        return _share_gradient(g, a, b, gt)


@op
class minimum(Binary):
    """The smaller of two; NaN if either is NaN.  The gradient goes to the smaller, halved between equals."""
    scalar = "minimum({0}, {1})"
    reference = np.minimum
    def vjp(g, y, a, b):
        return _share_gradient(g, a, b, lt)


def _share_gradient(g, a, b, wins):
    half = mul(g, literal(0.5, g))
    nothing = literal(0, g)
    tie = eq(a, b)
    return (select(tie, half, select(wins(a, b), g, nothing)), select(tie, half, select(wins(b, a), g, nothing)))


@op
class neg(Pointwise):
    """-x."""
    scalar = "(-{0})"
    reference = np.negative
    cheap = True
    def vjp(g, y, x):
        return (neg(g),)


@op
class abs_(Pointwise):
    """|x|."""
    scalar = "abs({0})"
    reference = np.abs
    cheap = True
    def vjp(g, y, x):
        return (mul(g, sign(x)),)


@op
class sign(Pointwise):
    """-1, 0 or 1; NaN for NaN."""
    scalar = "sign({0})"
    reference = np.sign
    def vjp(g, y, x):
        return (None,)


@op
class square(Pointwise):
    """x * x."""
    scalar = "({0} * {0})"
    reference = np.square
    def vjp(g, y, x):
        return (mul(g, mul(literal(2, x), x)),)


@op
class reciprocal(Pointwise):
    """1 / x."""
    scalar = "(T(1) / {0})"
    accepts = "float"
    domain = (0.3, 3.0)
    def reference(x):
        return np.asarray(1, x.dtype) / x
    def vjp(g, y, x):
        return (neg(mul(g, mul(y, y))),)


@op
class relu(Pointwise):
    """max(x, 0); the gradient at 0 is 0."""
    scalar = "maximum({0}, T(0))"
    cheap = True
    def reference(x):
        return np.maximum(x, np.asarray(0, x.dtype))
    def vjp(g, y, x):
        return (select(gt(y, literal(0, y)), g, literal(0, g)),)


class Rounding(Pointwise):
    """Rounding to whole numbers: no gradient (zero almost everywhere), integers pass unchanged."""

    accepts = "float"

    @staticmethod
    def vjp(g, y, x):
        return (None,)


@op
class floor(Rounding):
    """The largest whole number not above x."""
    scalar = "floor({0})"
    reference = np.floor


@op
class ceil(Rounding):
    """The smallest whole number not below x."""
    scalar = "ceil({0})"
    reference = np.ceil


@op
class round_(Rounding):
    """The nearest whole number, ties to even."""
    scalar = "round({0})"
    reference = np.round


@op
class trunc(Rounding):
    """x without its fraction."""
    scalar = "trunc({0})"
    reference = np.trunc
