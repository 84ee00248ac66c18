"""Powers, exponentials, logarithms, trigonometry and their relatives; floats only but for pow."""
from __future__ import annotations

import math

import numpy as np

from graphcore.ops.pointwise.arithmetic import add, div, mul, neg, sub
from graphcore.ops.pointwise.base import Binary, literal
from graphcore.ops.pointwise.choosing import select
from graphcore.ops.pointwise.predicates import gt
from graphcore.ops.record import Pointwise, op


@op
class pow_(Binary):
    """x ** y."""
    scalar = "pow({0}, {1})"
    reference = np.power
    domain = (0.2, 3.0)
    def vjp(g, y, a, b):
        ga = mul(g, mul(b, pow_(a, sub(b, literal(1, b)))))
        safe = select(gt(a, literal(0, a)), a, literal(1, a))
        gb = mul(g, mul(y, log(safe))) if b.op != "const" else None
        return ga, gb


@op
class sqrt(Pointwise):
    """The square root; NaN below 0."""
    scalar = "sqrt({0})"
    accepts = "float"
    domain = (0.2, 4.0)
    reference = np.sqrt
    def vjp(g, y, x):
        return (div(mul(g, literal(0.5, x)), y),)


@op
class rsqrt(Pointwise):
    """1 / sqrt(x)."""
    scalar = "(T(1) / sqrt({0}))"
    accepts = "float"
    domain = (0.2, 4.0)
    def reference(x):
        return np.asarray(1, x.dtype) / np.sqrt(x)
    def vjp(g, y, x):
        return (mul(mul(g, literal(-0.5, x)), div(y, x)),)


@op
class exp(Pointwise):
    """e ** x."""
    scalar = "exp({0})"
    accepts = "float"
    reference = np.exp
    def vjp(g, y, x):
        return (mul(g, y),)


@op
class exp2(Pointwise):
    """2 ** x; a power of two where x is whole."""
    scalar = "exp2({0})"
    accepts = "float"
    reference = np.exp2
    def vjp(g, y, x):
        return (mul(g, mul(y, literal(math.log(2), y))),)


@op
class expm1(Pointwise):
    """e ** x - 1, exact near 0."""
    scalar = "expm1({0})"
    accepts = "float"
    reference = np.expm1
    def vjp(g, y, x):
        return (mul(g, add(y, literal(1, y))),)


@op
class log(Pointwise):
    """The natural logarithm; -inf at 0, NaN below."""
    scalar = "log({0})"
    accepts = "float"
    domain = (0.2, 4.0)
    reference = np.log
    def vjp(g, y, x):
        return (div(g, x),)


@op
class log1p(Pointwise):
    """log(1 + x), exact near 0."""
    scalar = "log1p({0})"
    accepts = "float"
    domain = (-0.8, 4.0)
    reference = np.log1p
    def vjp(g, y, x):
        return (div(g, add(x, literal(1, x))),)


@op
class log2(Pointwise):
    """The logarithm to base 2."""
    scalar = "log2({0})"
    accepts = "float"
    domain = (0.2, 4.0)
    reference = np.log2
    def vjp(g, y, x):
        return (div(mul(g, literal(1 / np.log(2), x)), x),)


@op
class log10(Pointwise):
    """The logarithm to base 10."""
    scalar = "log10({0})"
    accepts = "float"
    domain = (0.2, 4.0)
    reference = np.log10
    def vjp(g, y, x):
        return (div(mul(g, literal(1 / np.log(10), x)), x),)


@op
class atan2(Binary):
    """The angle of the point (y, x), in (-pi, pi]."""
    scalar = "atan2({0}, {1})"
    accepts = "float"
    reference = np.arctan2
    def vjp(g, y, a, b):
        norm = add(mul(a, a), mul(b, b))
        return div(mul(g, b), norm), neg(div(mul(g, a), norm))


def _one_minus_square(y):
    return sub(literal(1, y), mul(y, y))


@op
class sin(Pointwise):
    """The sine, x in radians."""
    scalar = "sin({0})"
    accepts = "float"
    reference = np.sin
    def vjp(g, y, x):
        return (mul(g, cos(x)),)


@op
class cos(Pointwise):
    """The cosine, x in radians."""
    scalar = "cos({0})"
    accepts = "float"
    reference = np.cos
    def vjp(g, y, x):
        return (neg(mul(g, sin(x))),)


@op
class tan(Pointwise):
    """The tangent, x in radians."""
    scalar = "tan({0})"
    accepts = "float"
    domain = (-1.2, 1.2)
    reference = np.tan
    def vjp(g, y, x):
        return (mul(g, add(mul(y, y), literal(1, y))),)


@op
class asin(Pointwise):
    """The inverse of sin on [-1, 1]."""
    scalar = "asin({0})"
    accepts = "float"
    domain = (-0.9, 0.9)
    reference = np.arcsin
    def vjp(g, y, x):
        return (mul(g, rsqrt(_one_minus_square(x))),)


@op
class acos(Pointwise):
    """The inverse of cos on [-1, 1]."""
    scalar = "acos({0})"
    accepts = "float"
    domain = (-0.9, 0.9)
    reference = np.arccos
    def vjp(g, y, x):
        return (neg(mul(g, rsqrt(_one_minus_square(x)))),)


@op
class atan(Pointwise):
    """The inverse of tan."""
    scalar = "atan({0})"
    accepts = "float"
    reference = np.arctan
    def vjp(g, y, x):
        return (div(g, add(mul(x, x), literal(1, x))),)


@op
class sinh(Pointwise):
    """(e^x - e^-x) / 2."""
    scalar = "sinh({0})"
    accepts = "float"
    reference = np.sinh
    def vjp(g, y, x):
        return (mul(g, cosh(x)),)


@op
class cosh(Pointwise):
    """(e^x + e^-x) / 2."""
    scalar = "cosh({0})"
    accepts = "float"
    reference = np.cosh
    def vjp(g, y, x):
        return (mul(g, sinh(x)),)


@op
class asinh(Pointwise):
    """The inverse of sinh."""
    scalar = "asinh({0})"
    accepts = "float"
    reference = np.arcsinh
    def vjp(g, y, x):
        return (mul(g, rsqrt(add(mul(x, x), literal(1, x)))),)


@op
class acosh(Pointwise):
    """The inverse of cosh on [1, inf)."""
    scalar = "acosh({0})"
    accepts = "float"
    domain = (1.2, 4.0)
    reference = np.arccosh
    def vjp(g, y, x):
        return (mul(g, rsqrt(sub(mul(x, x), literal(1, x)))),)


@op
class atanh(Pointwise):
    """The inverse of tanh on (-1, 1)."""
    scalar = "atanh({0})"
    accepts = "float"
    domain = (-0.9, 0.9)
    reference = np.arctanh
    def vjp(g, y, x):
        return (div(g, _one_minus_square(x)),)


@op
class tanh(Pointwise):
    """The hyperbolic tangent."""
    scalar = "tanh({0})"
    accepts = "float"
    reference = np.tanh
    def vjp(g, y, x):
        return (mul(g, _one_minus_square(y)),)


@op
class sigmoid(Pointwise):
    """1 / (1 + e^-x), without overflow."""
    scalar = "sigmoid({0})"
    accepts = "float"
    def reference(x):
        e = np.exp(-np.abs(x))
        return np.where(x >= 0, 1, e) / (1 + e)
    def vjp(g, y, x):
        return (mul(g, mul(y, sub(literal(1, y), y))),)


@op
class erf(Pointwise):
    """The error function."""
    scalar = "erf({0})"
    accepts = "float"
    def reference(x):
        return np.vectorize(math.erf, otypes=[x.dtype])(x) if x.size else x.copy()
    def vjp(g, y, x):
        return (mul(g, mul(literal(2 / np.sqrt(np.pi), x), exp(neg(mul(x, x))))),)


@op
class erfc(Pointwise):
    """1 - erf(x), exact where erf is close to 1."""
    scalar = "erfc({0})"
    accepts = "float"
    def reference(x):
        return np.vectorize(math.erfc, otypes=[x.dtype])(x) if x.size else x.copy()
    def vjp(g, y, x):
        return (mul(g, mul(literal(-2 / np.sqrt(np.pi), x), exp(neg(mul(x, x))))),)
