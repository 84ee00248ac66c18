"""Functions of one number: powers, exponentials, logarithms, trigonometry, rounding."""
from __future__ import annotations

import math

from graphcore.ops import pointwise as pw
from graphcore.ops.functional.arguments import Tensor, apply, dtype_error, floating, tensor_of
from graphcore.ops.functional.arithmetic import add, clamp, div, mul, pow, sub

neg = negative = unary("neg", pw.neg, "-input.", lift=False)
square = unary("square", pw.square, "input * input.", lift=False)
sign = sgn = unary("sign", pw.sign, "-1, 0 or 1; NaN for NaN.", lift=False)
reciprocal = inv = unary("reciprocal", pw.reciprocal, "1 / input.")
sqrt = unary("sqrt", pw.sqrt, "The square root; NaN below 0.")
rsqrt = unary("rsqrt", pw.rsqrt, "1 / sqrt(input).")
exp = tensor_exp = unary("exp", pw.exp, "e ** input.")
expm1 = tensor_expm1 = unary("expm1", pw.expm1, "e ** input - 1, exact near 0.")
log = unary("log", pw.log, "The natural logarithm; -inf at 0, NaN below.")
log1p = unary("log1p", pw.log1p, "log(1 + input), exact near 0.")
log2 = unary("log2", pw.log2, "The logarithm to base 2.")
log10 = unary("log10", pw.log10, "The logarithm to base 10.")
sin = unary("sin", pw.sin, "The sine, input in radians.")
cos = unary("cos", pw.cos, "The cosine, input in radians.")
tan = unary("tan", pw.tan, "The tangent, input in radians.")
asin = arcsin = unary("asin", pw.asin, "The inverse of sin, on [-1, 1].")
acos = arccos = unary("acos", pw.acos, "The inverse of cos, on [-1, 1].")
atan = arctan = unary("atan", pw.atan, "The inverse of tan.")
sinh = unary("sinh", pw.sinh, "(e^x - e^-x) / 2.")
cosh = unary("cosh", pw.cosh, "(e^x + e^-x) / 2.")
asinh = arcsinh = unary("asinh", pw.asinh, "The inverse of sinh.")
acosh = arccosh = unary("acosh", pw.acosh, "The inverse of cosh, on [1, inf).")
atanh = arctanh = unary("atanh", pw.atanh, "The inverse of tanh, on (-1, 1).")
erf = unary("erf", pw.erf, "The error function.")


def abs(input):
    """|input|; bools stay as they are.  Raises DTypeError for anything that is not a tensor."""
    x = tensor_of(input, "abs")
    return x if x.dtype.is_bool or x.dtype.kind == "u" else apply(pw.abs_, x)


absolute = abs


def positive(input):
    """The tensor itself.  Raises DTypeError for bools."""
    x = tensor_of(input, "positive")
    if x.dtype.is_bool:
        raise dtype_error("positive is not defined for bools")
    return x


def exp2(input):
    """2 ** input."""
    return exp(mul(floating(tensor_of(input, "exp2")), math.log(2)))


def erfc(input):
    """1 - erf(input)."""
    return sub(1, erf(input))


def sinc(input):
    """sin(pi x) / (pi x), and 1 at 0."""
    x = mul(floating(tensor_of(input, "sinc")), math.pi)
    zero = apply(pw.eq, x, Tensor(0, x.dtype))
    safe = apply(pw.select, zero, Tensor(1, x.dtype), x)
    return apply(pw.select, zero, Tensor(1, x.dtype), div(sin(safe), safe))


def deg2rad(x):
    """Degrees to radians."""
    return mul(floating(tensor_of(x, "deg2rad")), math.pi / 180)


def rad2deg(x):
    """Radians to degrees."""
    return mul(floating(tensor_of(x, "rad2deg")), 180 / math.pi)


def logit(input, eps=None):
    """log(x / (1 - x)); with `eps`, x is first clipped to [eps, 1 - eps]."""
    x = floating(tensor_of(input, "logit"))
    if eps is not None and eps >= 0:
        x = clamp(x, eps, 1 - eps)
    return sub(log(x), log1p(neg(x)))


# -- rounding ---------------------------------------------------------------------------------------------

def _rounding(name, record, summary):
    def function(input):
        x = tensor_of(input, name)
        return apply(record, x) if x.dtype.is_float else x
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{summary}\n\n    input: Tensor; integers are returned as they are.  No gradient flows."
    return function


floor = _rounding("floor", pw.floor, "The largest whole number not above input.")
ceil = _rounding("ceil", pw.ceil, "The smallest whole number not below input.")
trunc = _rounding("trunc", pw.trunc, "Input without its fraction.")
_nearest = _rounding("round", pw.round_, "The nearest whole number, ties to even.")


def round(input, *, decimals=0):
    """The nearest multiple of 10**-decimals, ties to even; integers are returned as they are."""
    if not decimals:
        return _nearest(input)
    scale = 10.0 ** decimals
    x = tensor_of(input, "round")
    return div(_nearest(mul(x, scale)), scale) if x.dtype.is_float else x


rint = _nearest


def frac(x):
    """input - trunc(input)."""
    return sub(x, trunc(x))


