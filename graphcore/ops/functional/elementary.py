"""Functions of one number: powers, exponentials, logarithms, trigonometry, rounding."""
from __future__ import annotations

import math

import numpy as np

from graphcore.ops import pointwise as pw
from graphcore.ops.functional.arguments import (
    Tensor,
    apply,
    cast,
    dt,
    dtype_error,
    floating,
    number_of,
    operands,
    tensor_of,
)
from graphcore.ops.functional.arithmetic import BINARY_DOC, add, clamp, common_operands, div, mul, sub

__all__ = [
    "neg", "negative", "square", "sign", "sgn", "reciprocal", "inv", "sqrt", "rsqrt", "exp", "tensor_exp", "expm1",
    "tensor_expm1", "log", "log1p", "log2", "log10", "sin", "cos", "tan", "asin", "arcsin", "acos", "arccos",
    "atan", "arctan", "sinh", "cosh", "tanh", "asinh", "arcsinh", "acosh", "arccosh", "atanh", "arctanh", "erf",
    "erfc", "exp2", "abs", "absolute", "positive", "erfinv", "sinc", "deg2rad", "rad2deg", "logit", "floor", "ceil",
    "trunc", "round", "rint", "frac", "hypot", "logaddexp", "logaddexp2", "xlogy", "copysign", "ldexp",
    "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_left_shift", "bitwise_right_shift", "bitwise_not",
    "invert", "signbit", "heaviside", "scalar_cast", "identity",
]


UNARY_DOC = """{summary}

    input: Tensor of any shape{integers}.  Returns a Tensor of the same shape.  Raises DTypeError (a TypeError) for
    anything that is not a tensor{refused}.
    """


def unary(name: str, record, summary: str, lift: bool = True):
    """A public function of one operand; `lift`: integers and bools become float32."""
    def function(input):
        x = tensor_of(input, name)
        return apply(record, floating(x) if lift else x)
    function.__name__ = function.__qualname__ = name
    function.__doc__ = UNARY_DOC.format(
        summary=summary, integers=" (integers and bools become float32)" if lift else "",
        refused="" if lift else " or is bool")
    return function


neg = negative = unary("neg", pw.neg, "-input.", lift=False)
square = unary("square", pw.square, "input * input.", lift=False)
sign = unary("sign", pw.sign, "-1, 0 or 1; NaN for NaN.", lift=False)


def sgn(input):
    """-1, 0 or 1; of a complex number the one of the same direction and of size 1, and 0 for 0."""
    x = tensor_of(input, "sgn")
    if not x.dtype.is_complex:
        return sign(x)
    values = x.asnumpy()
    size = np.abs(values)
    return Tensor(np.where(size == 0, 0, values / np.where(size == 0, 1, size)), x.dtype)


reciprocal = inv = unary("reciprocal", pw.reciprocal, "1 / input.")
sqrt = unary("sqrt", pw.sqrt, "The square root; NaN below 0.")
rsqrt = unary("rsqrt", pw.rsqrt, "1 / sqrt(input).")
exp = tensor_exp = unary("exp", pw.exp, "e ** input.")
exp2 = unary("exp2", pw.exp2, "2 ** input.")
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
tanh = unary("tanh", pw.tanh, "The hyperbolic tangent.")
asinh = arcsinh = unary("asinh", pw.asinh, "The inverse of sinh.")
acosh = arccosh = unary("acosh", pw.acosh, "The inverse of cosh, on [1, inf).")
atanh = arctanh = unary("atanh", pw.atanh, "The inverse of tanh, on (-1, 1).")
erf = unary("erf", pw.erf, "The error function.")
erfc = unary("erfc", pw.erfc, "1 - erf(input), exact where erf is close to 1.")


def abs(input):
    """|input|; bools stay as they are.  Raises DTypeError for anything that is not a tensor."""
    x = tensor_of(input, "abs")
    if x.dtype.is_complex:
        return Tensor(np.abs(x.asnumpy()))
    return x if x.dtype.is_bool or x.dtype.kind == "u" else apply(pw.abs_, x)


absolute = abs


def positive(input):
    """The tensor itself.  Raises DTypeError for bools."""
    x = tensor_of(input, "positive")
    if x.dtype.is_bool:
        raise dtype_error("positive is not defined for bools")
    return x


_ERFINV_CENTRE = (2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503,
                  -0.00417768164, 0.246640727, 1.50140941)
_ERFINV_TAIL = (-0.000200214257, 0.000100950558, 0.00134934322, -0.00367342844, 0.00573950773, -0.0076224613,
                0.00943887047, 1.00167406, 2.83297682)


def erfinv(input):
    """The inverse of erf on (-1, 1), by Giles' polynomials and one step of Newton's method."""
    x = floating(tensor_of(input, "erfinv"))
    w = neg(log(mul(sub(1.0, x), add(x, 1.0))))
    small = apply(pw.lt, w, Tensor(5.0, w.dtype))
    centre, tail = sub(w, 2.5), sub(sqrt(apply(pw.maximum, w, Tensor(5.0, w.dtype))), 3.0)
    y = mul(x, apply(pw.select, small, _polynomial(centre, _ERFINV_CENTRE), _polynomial(tail, _ERFINV_TAIL)))
    refined = sub(y, mul(sub(erf(y), x), mul(exp(square(y)), math.sqrt(math.pi) / 2)))
    y = apply(pw.select, apply(pw.is_finite, refined), refined, y)
    y = apply(pw.select, apply(pw.eq, x, Tensor(1, x.dtype)), Tensor(math.inf, x.dtype), y)
    return apply(pw.select, apply(pw.eq, x, Tensor(-1, x.dtype)), Tensor(-math.inf, x.dtype), y)


def _polynomial(x, coefficients):
    total = Tensor(coefficients[0], x.dtype)
    for c in coefficients[1:]:
        total = add(mul(total, x), c)
    return total


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


# -- of two numbers ---------------------------------------------------------------------------------------

def hypot(input, other):
    """sqrt(input^2 + other^2).  Raises as `add`."""
    a, b = (floating(t) for t in operands(input, other, name="hypot"))
    return apply(pw.sqrt, apply(pw.add, apply(pw.square, a), apply(pw.square, b)))


def logaddexp(input, other):
    """log(e^input + e^other), without overflow.  Raises as `add`."""
    a, b = (floating(t) for t in operands(input, other, name="logaddexp"))
    return add(apply(pw.maximum, a, b), log1p(exp(neg(abs(sub(a, b))))))


def logaddexp2(input, other):
    """log2(2^input + 2^other), without overflow.  Raises as `add`."""
    return mul(logaddexp(mul(input, math.log(2)), mul(other, math.log(2))), 1 / math.log(2))


def xlogy(input, other):
    """input * log(other), and 0 where input is 0.  Raises as `add`."""
    a, b = (floating(t) for t in operands(input, other, name="xlogy"))
    zero = apply(pw.eq, a, Tensor(0, a.dtype))
    safe = apply(pw.select, zero, Tensor(1, b.dtype), b)
    return apply(pw.mul, a, apply(pw.log, safe))


def copysign(x, other):
    """|x| with the sign of `other`.  Raises as `add`."""
    a, b = (floating(t) for t in operands(x, other, name="copysign"))
    return apply(pw.select, signbit(b), neg(abs(a)), abs(a))


def ldexp(x, other):
    """x * 2**other.  Raises as `add`."""
    return mul(x, exp2(other))


# -- bits -------------------------------------------------------------------------------------------------

def _bits(name, record, summary):
    def function(input, other):
        return apply(record, *operands(input, other, name=name))
    function.__name__ = function.__qualname__ = name
    function.__doc__ = BINARY_DOC.format(summary=summary, refused="floats")
    return function


bitwise_and = _bits("bitwise_and", pw.logical_and, "input & other, bit by bit.")
bitwise_or = _bits("bitwise_or", pw.logical_or, "input | other, bit by bit.")
bitwise_xor = _bits("bitwise_xor", pw.logical_xor, "input ^ other, bit by bit.")
bitwise_left_shift = _bits("bitwise_left_shift", pw.left_shift, "input << other.")
bitwise_right_shift = _bits("bitwise_right_shift", pw.right_shift, "input >> other, arithmetic for signed integers.")
bitwise_not = invert = unary("bitwise_not", pw.logical_not, "Every bit inverted; bools negated.", lift=False)


def signbit(input):
    """True where the sign is negative (-0.0 counts as 0)."""
    x = tensor_of(input, "signbit")
    return apply(pw.lt, x, Tensor(0, x.dtype))


def heaviside(input, values):
    """0 where input < 0, `values` where it is 0, 1 above.  Raises as `add`."""
    a, b = common_operands("heaviside", input, values)
    zero = Tensor(0, a.dtype)
    return apply(pw.select, apply(pw.eq, a, zero), b, cast(apply(pw.gt, a, zero), a.dtype))


def scalar_cast(input_x, input_y):
    """A Python number converted to the kind of the dtype `input_y`."""
    return dt.dtype_to_pytype(dt.as_dtype(input_y))(number_of(input_x, "scalar_cast"))


def identity(x):
    """Its argument."""
    return x
