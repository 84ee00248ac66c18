"""Operators that work element by element.

`scalar` is what a kernel computes: {0}, {1} are the operands in the compute type, ``T(...)`` casts a literal to it.
16-bit floats are computed in float32.  Everything else (gelu, softplus, losses ...) is composed of these.
"""
from __future__ import annotations

import numpy as np

from graphcore.dtype import float32
from graphcore.errors import DTypeError
from graphcore.ir import graph as ir
from graphcore.ir.graph import Node
from graphcore.ir.types import TensorType
from graphcore.ops.record import Operator, Pointwise, broadcast_shapes, check_dtype, op


def literal(value, like: Node) -> Node:
    """A 0-d constant of the dtype of `like`."""
    dtype = like.dtype
    if dtype.name == "bfloat16":
        from graphcore.dtype import float32_to_bfloat16
        return ir.const(float32_to_bfloat16(np.float32(value)).reshape(()), dtype)
    return ir.const(value, dtype)


def zeros_like(x: Node) -> Node:
    """Zeros of the shape and dtype of `x`, as a broadcast constant."""
    from graphcore.ops.view import broadcast_to
    zero = literal(0, x)
    return zero if x.shape == () else broadcast_to(zero, shape=x.shape)


class Binary(Pointwise):
    """Two operands of one dtype."""

    arity = 2


class Predicate(Binary):
    """A comparison: bool result, no gradient."""

    result = "bool"
    accepts = "any"
    cheap = True


class Logical(Binary):
    """On bools, or bit by bit on integers."""

    accepts = "integer or bool"
    cheap = True


# -- arithmetic -----------------------------------------------------------------------------------------

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


@op
class mod(Binary):
    """x - floor(x / y) * y, the sign of y, as Python does."""
    scalar = "floor_mod({0}, {1})"
    reference = np.mod
    def vjp(g, y, a, b):
        return g, neg(mul(g, floor_div(a, b)))


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
class atan2(Binary):
    """The angle of the point (y, x), in (-pi, pi]."""
    scalar = "atan2({0}, {1})"
    accepts = "float"
    reference = np.arctan2
    def vjp(g, y, a, b):
        norm = add(mul(a, a), mul(b, b))
        return div(mul(g, b), norm), neg(div(mul(g, a), norm))


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


# -- powers, exponentials, logarithms --------------------------------------------------------------------

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


# -- trigonometry and relatives --------------------------------------------------------------------------

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
        import math
        return np.vectorize(math.erf, otypes=[x.dtype])(x) if x.size else x.copy()
    def vjp(g, y, x):
        return (mul(g, mul(literal(2 / np.sqrt(np.pi), x), exp(neg(mul(x, x))))),)


@op
class relu(Pointwise):
    """max(x, 0); the gradient at 0 is 0."""
    scalar = "maximum({0}, T(0))"
    cheap = True
    def reference(x):
        return np.maximum(x, np.asarray(0, x.dtype))
    def vjp(g, y, x):
        return (select(gt(y, literal(0, y)), g, literal(0, g)),)


# -- rounding --------------------------------------------------------------------------------------------

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


# -- predicates and logic --------------------------------------------------------------------------------

@op
class eq(Predicate):
    """x == y."""
    scalar = "({0} == {1})"
    reference = np.equal


@op
class ne(Predicate):
    """x != y."""
    scalar = "({0} != {1})"
    reference = np.not_equal


@op
class lt(Predicate):
    """x < y."""
    scalar = "({0} < {1})"
    reference = np.less


@op
class le(Predicate):
    """x <= y."""
    scalar = "({0} <= {1})"
    reference = np.less_equal


@op
class gt(Predicate):
    """x > y."""
    scalar = "({0} > {1})"
    reference = np.greater


@op
class ge(Predicate):
    """x >= y."""
    scalar = "({0} >= {1})"
    reference = np.greater_equal


@op
class is_nan(Pointwise):
    """True where x is NaN."""
    scalar = "({0} != {0})"
    result = "bool"
    accepts = "float"
    cheap = True
    reference = np.isnan


@op
class is_finite(Pointwise):
    """True where x is neither NaN nor infinite."""
    scalar = "(abs({0}) < T(1e999))"
    result = "bool"
    accepts = "float"
    cheap = True
    reference = np.isfinite


@op
class logical_and(Logical):
    """x and y (bit by bit on integers)."""
    scalar = "({0} & {1})"
    reference = np.bitwise_and


@op
class logical_or(Logical):
    """x or y (bit by bit on integers)."""
    scalar = "({0} | {1})"
    reference = np.bitwise_or


@op
class logical_xor(Logical):
    """x xor y (bit by bit on integers)."""
    scalar = "({0} ^ {1})"
    reference = np.bitwise_xor


@op
class logical_not(Pointwise):
    """not x (bit by bit on integers)."""
    scalar = "invert({0})"
    accepts = "integer or bool"
    cheap = True
    reference = np.invert


@op
class left_shift(Binary):
    """x << y."""
    scalar = "({0} << {1})"
    accepts = "integer"
    domain = (0, 5)
    reference = np.left_shift


@op
class right_shift(Binary):
    """x >> y, arithmetic for signed integers."""
    scalar = "({0} >> {1})"
    accepts = "integer"
    domain = (0, 5)
    reference = np.right_shift


# -- choosing and converting -----------------------------------------------------------------------------

@op
class select(Operator):
    """a where the bool `condition` is true, else b."""
    kind = "pointwise"
    arity = 3
    scalar = "select({0}, {1}, {2})"
    accepts = "any"
    cheap = False
    def infer(condition, a, b):
        check_dtype("select", condition.dtype, "bool")
        if a.dtype is not b.dtype:
            raise DTypeError(f"select: the two branches have different dtypes: {a} and {b}")
        return TensorType(a.dtype, broadcast_shapes(condition.shape, a.shape, b.shape))
    reference = np.where
    def vjp(g, y, condition, a, b):
        nothing = literal(0, g)
        return None, select(condition, g, nothing), select(condition, nothing, g)
    def samples():
        r = np.random.RandomState(0)
        return [([r.rand(3, 4) > 0.5, r.randn(3, 4).astype("f4"), r.randn(3, 4).astype("f4")], {}),
                ([r.rand(4) > 0.5, r.randn(3, 1).astype("f4"), np.float32(2)], {})]


@op
class cast(Operator):
    """x converted to `dtype`: floats to integers by truncation, to bool by ``!= 0``."""
    kind = "pointwise"
    arity = 1
    scalar = "{0}"          # the code generator converts between compute types by itself
    accepts = "any"
    cheap = True
    def infer(x, *, dtype):
        return x.with_dtype(dtype)
    def reference(x, *, dtype):
        with np.errstate(invalid="ignore"):
            return x.astype(float32.storage if dtype.name == "bfloat16" else dtype.storage)
    def vjp(g, y, x, *, dtype):
        return (cast(g, dtype=x.dtype) if x.dtype.is_float else None,)
    def samples():
        from graphcore import dtype as dt
        x = np.array([-2.5, -0.0, 0.4, 3.7], "f4")
        return [([x], {"dtype": d}) for d in (dt.float64, dt.float16, dt.int32, dt.int8, dt.bool_)]


@op
class copy(Pointwise):
    """x itself, stored in row-major order: made by the compiler where a reshape needs one."""
    scalar = "{0}"
    accepts = "any"
    reference = np.array
    def vjp(g, y, x):
        return (g,)


@op
class iota(Operator):
    """The index along `axis` of an array of `shape`."""
    kind = "pointwise"
    arity = 0
    scalar = "{index}"
    cheap = True
    def infer(*, shape, axis, dtype):
        return TensorType(dtype, tuple(shape))
    def reference(*, shape, axis, dtype):
        span = np.arange(shape[axis]).reshape([-1 if i == axis else 1 for i in range(len(shape))])
        return np.broadcast_to(span, shape).astype(dtype.storage)
    def samples():
        from graphcore import dtype as dt
        return [([], {"shape": (3, 4), "axis": a, "dtype": d}) for a in (0, 1) for d in (dt.int32, dt.float32)]


@op
class random_uniform(Operator):
    """Uniform floats in [0, 1) from the counter-based Philox generator.

    key: i64[2], seed and call number; `site` tells two calls of one graph apart.  The same key, site and index give
    the same number in any order and on any thread.
    """
    kind = "pointwise"
    arity = 1
    random = True
    scalar = "philox_uniform({key0}, {key1}, {site}, {flat_index})"
    cheap = True
    def infer(key, *, shape, site):
        if key.shape != (2,) or key.dtype.name != "int64":
            raise DTypeError(f"the key of a random operator is i64[2], got {key}")
        return TensorType(float32, tuple(shape))
    def reference(key, *, shape, site):
        from graphcore.ops.philox import uniform
        return uniform(int(key[0]), int(key[1]), site, shape)
    def vjp(g, y, key, *, shape, site):
        return (None,)
    def samples():
        return [([np.array([7, 3], "i8")], {"shape": (5, 3), "site": 1})]
