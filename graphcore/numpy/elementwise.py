"""Functions of one and two numbers, with a ``dtype`` for the result; logic and comparisons."""
from __future__ import annotations

import math

import numpy as _np

from graphcore import dtype as dt
from graphcore.numpy.arguments import array_like, arrays_like, dtype_of, floats_like, with_dtype
from graphcore.ops import functional as F
from graphcore.ops.functional.arguments import dtype_error
from graphcore.tensor import Tensor


def _unary(name, function, lift=True, summary=None):
    @with_dtype
    def wrapped(x):
        return function(floats_like(x) if lift else array_like(x, name))
    wrapped.__name__ = wrapped.__qualname__ = name
    wrapped.__doc__ = (summary or (function.__doc__ or "").strip().splitlines()[0]) + (
        "\n\n    x: Tensor, number or list" + (", integers become float32" if lift else "") +
        "; dtype: of the result.  Raises DTypeError for anything else.\n    ")
    return wrapped


def _binary(name, function, summary=None):
    @with_dtype
    def wrapped(x1, x2):
        return function(*arrays_like(x1, x2))
    wrapped.__name__ = wrapped.__qualname__ = name
    wrapped.__doc__ = (summary or (function.__doc__ or "").strip().splitlines()[0]) + (
        "\n\n    x1, x2: Tensors, numbers or lists, broadcast; dtype: of the result.\n"
        "    Raises ShapeError if the shapes do not broadcast, DTypeError for what is no array.\n    ")
    return wrapped


_FLOAT = """exp expm1 exp2 log log1p log2 log10 sqrt sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh
    arctanh reciprocal deg2rad rad2deg""".split()
_SAME = "sign square negative positive abs".split()
for _name in _FLOAT:
    globals()[_name] = _unary(_name, getattr(F, _name))
for _name in _SAME:
    globals()[_name] = _unary(_name, getattr(F, _name), lift=False)
absolute = fabs = _unary("absolute", F.abs, lift=False)
radians = deg2rad  # noqa: F821
isnan = _unary("isnan", F.isnan, lift=False)
isinf = _unary("isinf", F.isinf, lift=False)
isfinite = _unary("isfinite", F.isfinite, lift=False)
signbit = _unary("signbit", F.signbit, lift=False)
logical_not = _unary("logical_not", F.logical_not, lift=False)
invert = bitwise_not = _unary("invert", F.bitwise_not, lift=False)


def _rounding(name, function):
    def rounded(x):
        return function(x) if x.dtype.is_float else x
    return _unary(name, rounded, lift=False, summary=function.__doc__.strip().splitlines()[0])


floor, ceil, trunc, rint = (_rounding(n, getattr(F, n)) for n in ("floor", "ceil", "trunc", "rint"))


def fix(x):
    """Rounded towards zero; integers become float32."""
    return F.trunc(floats_like(x))


def around(a, decimals=0):
    """Rounded to `decimals` places, halves to even; integers stay as they are for decimals of 0 or more."""
    a = array_like(a)
    if a.dtype.is_float:
        return F.round(a, decimals=decimals)
    return a if decimals >= 0 else F.cast(F.round(F.cast(a, dt.float64), decimals=decimals), a.dtype)


round = around


@with_dtype
def cbrt(x):
    """The cube root, also of negative numbers."""
    x = floats_like(x)
    return F.mul(F.sign(x), F.pow(F.abs(x), 1 / 3))


subtract = _binary("subtract", F.sub)
multiply = _binary("multiply", F.mul)
maximum = _binary("maximum", F.maximum)
minimum = _binary("minimum", F.minimum)
divide = true_divide = _binary("divide", F.div)
arctan2 = _binary("arctan2", lambda y, x: F.atan2(F.arguments.floating(y), F.arguments.floating(x)),
                   "The angle of the point (x2, x1), from -pi to pi.")
hypot = _binary("hypot", F.hypot)
logaddexp = _binary("logaddexp", F.logaddexp)
logaddexp2 = _binary("logaddexp2", F.logaddexp2)
heaviside = _binary("heaviside", lambda x, y: F.heaviside(*F.arguments.operands(x, y)),
                    "0 for negative x1, 1 for positive ones, x2 at 0.")
copysign = _binary("copysign", lambda x, y: F.mul(F.abs(x), F.cast(F.where(F.signbit(y), -1, 1), x.dtype)),
                   "The size of x1 with the sign of x2.")
gcd = _binary("gcd", F.gcd)
lcm = _binary("lcm", F.lcm)
bitwise_and = _binary("bitwise_and", F.bitwise_and)
bitwise_or = _binary("bitwise_or", F.bitwise_or)
bitwise_xor = _binary("bitwise_xor", F.bitwise_xor)
floor_divide = _binary("floor_divide", F.floor_div)
remainder = mod = _binary("remainder", F.floor_mod)
fmod = _binary("fmod", F.fmod)
power = _binary("power", F.pow, "x1 to the power x2.")
equal = _binary("equal", F.equal)
not_equal = _binary("not_equal", F.not_equal)
less = _binary("less", F.less)
less_equal = _binary("less_equal", F.less_equal)
greater = _binary("greater", F.greater)
greater_equal = _binary("greater_equal", F.greater_equal)
logical_and = _binary("logical_and", F.logical_and)
logical_or = _binary("logical_or", F.logical_or)
logical_xor = _binary("logical_xor", F.logical_xor)


@with_dtype
def add(x1, x2):
    """x1 + x2; two bools give their disjunction.

    x1, x2: Tensors, numbers or lists, broadcast; dtype: of the result.
    """
    x1, x2 = arrays_like(x1, x2)
    return F.logical_or(x1, x2) if x1.dtype.is_bool and x2.dtype.is_bool else F.add(x1, x2)


@with_dtype
def float_power(x1, x2):
    """x1 to the power x2 in float32 or wider."""
    base, exponent = (F.cast(v, dt.float32) if v.dtype.itemsize < 4 else v for v in map(floats_like, (x1, x2)))
    return F.pow(base, exponent)


def divmod(x1, x2, dtype=None):
    """(x1 // x2, x1 % x2)."""
    return floor_divide(x1, x2, dtype), remainder(x1, x2, dtype)


@with_dtype
def clip(x, xmin, xmax):
    """`x` limited to the interval from xmin to xmax; one of them may be None.  Raises ValueError if both are."""
    if xmin is None and xmax is None:
        raise ValueError("clip needs a lower or an upper limit: give xmin or xmax")
    x = array_like(x)
    if xmin is not None:
        x = F.maximum(x, array_like(xmin))
    return x if xmax is None else F.minimum(x, array_like(xmax))


# -- logic ---------------------------------------------------------------------------------------------------

def isposinf(x):
    """Whether an element is positive infinity.  Raises DTypeError unless `x` is float."""
    return F.isposinf(array_like(x))


def isneginf(x):
    """Whether an element is negative infinity.  Raises DTypeError unless `x` is float."""
    return F.isneginf(array_like(x))


def isscalar(element):
    """Whether `element` is a Python number, bool or str: not a Tensor."""
    return isinstance(element, (int, float, bool, str, complex))


def isclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether |a - b| <= atol + rtol * |b|, element by element."""
    a, b = F.arguments.operands(*arrays_like(a, b))
    return F.isclose(F.arguments.floating(a), F.arguments.floating(b), rtol, atol, equal_nan)


def in1d(ar1, ar2, invert=False):
    """For each element of `ar1`, flattened, whether it is in `ar2`; `invert`: whether it is not."""
    return isin(F.ravel(array_like(ar1)), ar2, invert)


def isin(element, test_elements, invert=False):
    """For each element whether it is in `test_elements`; `invert`: whether it is not."""
    element, tests = arrays_like(element, test_elements)
    found = F.any(F.equal(F.expand_dims(element, -1), F.ravel(tests)), -1)
    return F.logical_not(found) if invert else found


def array_equal(a1, a2, equal_nan=False):
    """Whether two arrays have equal shapes and elements; `equal_nan`: NaN equals NaN."""
    a1, a2 = arrays_like(a1, a2)
    if a1.shape != a2.shape:
        return Tensor(False)
    same = F.equal(a1, a2)
    if equal_nan:
        same = F.logical_or(same, F.logical_and(F.isnan(a1), F.isnan(a2)))
    return F.all(same)


def array_equiv(a1, a2):
    """Whether two arrays broadcast against each other and are equal then."""
    a1, a2 = arrays_like(a1, a2)
    try:
        _np.broadcast_shapes(a1.shape, a2.shape)
    except ValueError:
        return Tensor(False)
    return F.all(F.equal(a1, a2))


# -- dtypes --------------------------------------------------------------------------------------------------

_KINDS = "buif"


def promote_types(type1, type2):
    """The dtype that both convert to: the wider of two of a kind, a float beside integers.

    uint64 beside a signed integer gives float64.
    """
    a, b = sorted(map(dtype_of, (type1, type2)), key=lambda d: _KINDS.index(d.kind))
    if a.kind == b.kind:
        return a if a.itemsize > b.itemsize else b
    if b.is_float or a.is_bool:
        return b
    return dt.from_numpy(_np.promote_types(a.storage, b.storage))


def result_type(*arrays_and_dtypes):
    """The dtype that all arrays, numbers and dtypes convert to (`promote_types`).  Raises TypeError for none."""
    if not arrays_and_dtypes:
        raise dtype_error("result_type needs an array or a dtype, got none")
    found = [x.dtype if isinstance(x, Tensor) else array_like(x).dtype if isinstance(x, (bool, int, float, list, tuple))
             else dtype_of(x) for x in arrays_and_dtypes]
    result = found[0]
    for other in found[1:]:
        result = promote_types(result, other)
    return result


pi, inf, nan = math.pi, math.inf, math.nan
PINF, NINF = inf, -inf
int_, uint, float_, bool_ = dt.int32, dt.uint32, dt.float32, dt.bool_
int8, int16, int32, int64, uint8, uint16, uint32, uint64 = (
    dt.int8, dt.int16, dt.int32, dt.int64, dt.uint8, dt.uint16, dt.uint32, dt.uint64)
float16, float32, float64 = dt.float16, dt.float32, dt.float64
numeric_types = [
    "int_", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float_", "float16", "float32",
    "float64", "bool_"]
__all__ = [n for n, v in list(globals().items())
           if not n.startswith("_") and (getattr(v, "__module__", "") == __name__ or n in (
               "pi", "inf", "nan", "PINF", "NINF", "uint", "numeric_types", *_FLOAT, *_SAME, *numeric_types))]
