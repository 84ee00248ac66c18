"""Elementary functions of kernels: `exp`, `tanh`, `erf`, `sin`, `pow` ...

For float32 they are polynomials without branches or calls (see `values`), so that loops vectorise; the relative error
is below 2e-7 over the whole range, denormal results, infinities, signed zeros and NaN included.  Those that training
spends its time in (exp, expm1, log, log1p, tanh, sigmoid, erf) compute in float32, the others in float64 inside, which
takes twice the time and leaves nothing to go wrong.  For float64 arguments they call the C library.

Each name is an ordinary function too: called from Python with NumPy float32 values it computes the same polynomials.
"""
from __future__ import annotations

import math

from graphcore.compiler.codegen.values import (
    FUNCTIONS,
    bits,
    c_function,
    cast,
    copysign,
    fabs,
    floor,
    kernel_function,
    polynomial,
    rint,
    select,
    sqrt,
)

LOG2_E, LN2 = 1.4426950408889634, 0.6931471805599453
LN2_HIGH, LN2_LOW = 0.693359375, -2.12194440e-4         # the first has 9 bits: n * LN2_HIGH is exact in float32
#: Added to and subtracted from a float32 (float64) below 2**22 (2**51), this rounds it to a whole number, which also
#: stands in the last bits of the sum.
ROUNDER32, ROUNDER64 = 12582912.0, 6755399441055744.0
ROUNDER32_BITS, ROUNDER64_BITS = 0x4B400000, 0x4338000000000000


# -- cores, shared by several functions ------------------------------------------------------------------------------

def _reduce_exp(x):
    """n and r with x = n*ln2 + r, |r| <= ln2/2, for |x| < 2**20 in float32; n as an integer."""
    shifted = x * LOG2_E + ROUNDER32
    n = shifted - ROUNDER32
    return bits(shifted) - ROUNDER32_BITS, (x - n * LN2_HIGH) - n * LN2_LOW


def _exp_of_rest(r):
    return r * r * polynomial(r, 0.5, 0.166665152, 0.0416663773, 0.00836939365, 0.00139429222) + r + 1.0


def _two_to(n):
    """2**n in float32, for the integers n = -126 .. 127."""
    return bits((n + 127) << 23)


def _exp_in_range(x):
    """exp(x) in float32 for -87 < x < 88."""
    n, r = _reduce_exp(x)
    return _exp_of_rest(r) * _two_to(n)


def _log_of_mantissa(f):
    """log(1+f) - f in float32 for sqrt(1/2) <= 1+f <= sqrt(2)."""
    f2 = f * f
    return f2 * f * polynomial(f, 0.333333105, -0.249999866, 0.200022295, -0.166692555, 0.142185271, -0.123841278,
                               0.118741073, -0.117919996, 0.069151096) - f2 * 0.5


def _split32(x):
    """e and m with x = m * 2**e and m in [sqrt(1/2), sqrt(2)), for normal positive float32 x."""
    shifted = bits(x) - 0x3F3504F3
    return shifted >> 23, bits((shifted & 0x7FFFFF) + 0x3F3504F3)


def _exp64(x):
    """exp(x) in float64 to 1e-12 for -700 < x < 700."""
    shifted = x * LOG2_E + ROUNDER64
    r = x - (shifted - ROUNDER64) * LN2
    p = r * r * polynomial(r, 0.4999999999948009, 0.1666666679395616, 0.041666667077863304, 0.008333279171436614,
                           0.0013888792694931485, 0.00019910601400081616, 2.4889329238313934e-05) + r + 1.0
    return p * bits((bits(shifted) - (ROUNDER64_BITS - 1023)) << 52)


def _log64(x):
    """log(x) in float64 to 1e-13 of its value for normal x > 0; -inf at 0, NaN below."""
    shifted = bits(x) - 0x3FE6A09E667F3BCD
    m = bits((shifted & 0xFFFFFFFFFFFFF) + 0x3FE6A09E667F3BCD)
    s = (m - 1.0) / (m + 1.0)
    s2 = s * s
    p = polynomial(s2, 0.6666666667677096, 0.3999999525283891, 0.28572151930528367, 0.22174264560776372,
                   0.19613629294446042)
    result = cast(cast(shifted >> 52, "i32"), "f64") * LN2 + (s * 2.0 + s * s2 * p)
    return _log_limits(x, result)


def _log_limits(x, result):
    result = select(x == 0.0, -math.inf, select(x < 0.0, math.nan, result))
    return select(x < math.inf, result, x + x)      # inf and NaN


# -- exponentials ----------------------------------------------------------------------------------------------------

@kernel_function(double="exp")
def exp(x):
    """e ** x."""
    x = select(x > 89.0, 89.0, select(x < -104.0, -104.0, x))
    n, r = _reduce_exp(x)
    half = n >> 1                                   # in two steps, for 2**128 and for denormals
    return _exp_of_rest(r) * _two_to(half) * _two_to(n - half)


@kernel_function(double="exp2")
def exp2(x):
    """2 ** x."""
    x = select(x > 129.0, 129.0, select(x < -151.0, -151.0, x))
    shifted = x + ROUNDER32
    n = bits(shifted) - ROUNDER32_BITS
    half = n >> 1
    return _exp_of_rest((x - (shifted - ROUNDER32)) * LN2) * _two_to(half) * _two_to(n - half)


@kernel_function(double="expm1")
def expm1(x):
    """e ** x - 1, exact near 0."""
    limited = select(x > 89.0, 89.0, select(x < -18.0, -18.0, x))
    n, r = _reduce_exp(limited)
    p = r * r * polynomial(r, 0.5, 0.166666672, 0.0416664816, 0.00833320804, 0.00139335648, 0.000199442555) + r
    half = _two_to(n - 1)                           # 2**n overflows before the result does
    return select(n == 0, copysign(p, x), (p * half + (half - 0.5)) * 2.0)


@kernel_function(double="sinh")
def sinh(x):
    """(e**x - e**-x) / 2."""
    wide = cast(x, "f64")
    e = _exp64(select(wide > 100.0, 100.0, select(wide < -100.0, -100.0, wide)))
    square = wide * wide
    near = wide + wide * square * polynomial(square, 1 / 6, 1 / 120, 1 / 5040, 1 / 362880)
    return cast(select(fabs(wide) < 0.5, near, (e - 1.0 / e) * 0.5), "f32")


@kernel_function(double="cosh")
def cosh(x):
    """(e**x + e**-x) / 2."""
    wide = cast(x, "f64")
    e = _exp64(select(wide > 100.0, 100.0, select(wide < -100.0, -100.0, wide)))
    return cast((e + 1.0 / e) * 0.5, "f32")


@kernel_function(double="tanh")
def tanh(x):
    """The hyperbolic tangent."""
    magnitude = fabs(x)
    square = x * x
    near = x + x * square * polynomial(square, -0.333333313, 0.133332223, -0.053948462, 0.0217087492, -0.00819508638,
                                       0.00215763575)
    e = _exp_in_range(select(magnitude > 20.0, 40.0, magnitude * 2.0))
    return copysign(select(magnitude < 0.625, near, 1.0 - 2.0 / (e + 1.0)), x)


def _sigmoid64(x):
    e = c_function("exp")(-fabs(x))
    return select(x >= 0.0, 1.0, e) / (e + 1.0)


@kernel_function(double=_sigmoid64)
def sigmoid(x):
    """1 / (1 + e**-x)."""
    magnitude = fabs(x)
    n, r = _reduce_exp(-select(magnitude > 104.0, 104.0, magnitude))
    half = n >> 1
    scale, p = _two_to(half), _exp_of_rest(r)
    e = p * scale * _two_to(n - half)
    quotient = select(x >= 0.0, 1.0, e) / (e + 1.0)
    # for x < 0 it is e - e * quotient, where the rounding of e + 1 hardly counts; the denormal factor comes last, so
    # that only the result is rounded to a denormal
    return select(x >= 0.0, quotient, (p - p * quotient) * scale * _two_to(n - half))


# -- logarithms ------------------------------------------------------------------------------------------------------

@kernel_function(double="log")
def log(x):
    """The natural logarithm; -inf at 0, NaN below."""
    denormal = x < 1.17549435e-38
    e, m = _split32(select(denormal, x * 8388608.0, x))
    e = cast(select(denormal, e - 23, e), "f32")
    f = m - 1.0
    return _log_limits(x, (_log_of_mantissa(f) + e * LN2_LOW + f) + e * LN2_HIGH)


@kernel_function(double="log1p")
def log1p(x):
    """log(1 + x), exact near 0; -inf at -1, NaN below."""
    u = x + 1.0
    part = u - 1.0
    lost = (1.0 - (u - part)) + (x - part)          # what rounding took from u
    e, m = _split32(u)
    scale = bits((127 - select(e > 126, 126, e)) << 23)
    f = select(e == 0, x, (m - 1.0) + lost * scale)
    e = cast(e, "f32")
    result = (_log_of_mantissa(f) + e * LN2_LOW + f) + e * LN2_HIGH
    return select(x == 0.0, x, _log_limits(u, result))


@kernel_function(double="log2")
def log2(x):
    """The logarithm to base 2; exact for powers of 2."""
    return cast(_log64(cast(x, "f64")) * LOG2_E, "f32")


@kernel_function(double="log10")
def log10(x):
    """The logarithm to base 10; exact for powers of 10."""
    return cast(_log64(cast(x, "f64")) * 0.4342944819032518, "f32")


@kernel_function(double="asinh")
def asinh(x):
    """The inverse of sinh."""
    wide = cast(x, "f64")
    square = wide * wide
    far = _log64(fabs(wide) + sqrt(square + 1.0))
    return cast(copysign(select(square < 1e-6, wide - wide * square * (1 / 6), far), wide), "f32")


@kernel_function(double="acosh")
def acosh(x):
    """The inverse of cosh; NaN below 1."""
    wide = cast(x, "f64")
    return cast(select(wide < 1.0, math.nan, _log64(wide + sqrt((wide - 1.0) * (wide + 1.0)))), "f32")


@kernel_function(double="atanh")
def atanh(x):
    """The inverse of tanh; infinite at -1 and 1, NaN beyond."""
    wide = cast(x, "f64")
    square = wide * wide
    far = _log64((1.0 + wide) / (1.0 - wide)) * 0.5
    return cast(select(square < 1e-6, wide + wide * square * (1 / 3), far), "f32")


# -- error functions -------------------------------------------------------------------------------------------------

@kernel_function(double="erf")
def erf(x):
    """The error function."""
    t = fabs(x)
    square = x * x
    near = x + x * polynomial(square, 0.128379166, -0.376126289, 0.112836242, -0.026855588, 0.0051919478,
                              -0.000804383948, 7.96966342e-05)
    t = select(t > 4.0, 4.0, t)
    log_erfc = polynomial(t, 0.000170552128, -1.12949514, -0.633386731, -0.10823644, 0.0250913054, -0.00416041818,
                          0.000432271452, -2.09058908e-05)
    return select(t < 0.92, near, copysign(1.0 - _exp_in_range(log_erfc), x))


@kernel_function(double="erfc")
def erfc(x):
    """1 - erf(x), exact in the tail."""
    wide = cast(x, "f64")
    t = fabs(wide)
    t = select(t > 10.6, 10.6, t)
    v = (t - 3.0) / (t + 3.0)
    scaled = polynomial(v, 1.253008059058421, -0.135621111661967, -0.047562396393020144, 0.12964536197963072,
                        -0.1192714436192205, 0.06830668090092414, -0.023788255710583617, 0.002526129228363853,
                        0.0019485518728305235, -0.0007362443910242982, -0.00017608495533028555, 3.761488254446653e-05)
    tail = _exp64(-t * t) * scaled / (t * 2.0 + 1.0)
    return cast(select(wide < 0.0, 2.0 - tail, tail), "f32")


# -- powers, signs, rounding -----------------------------------------------------------------------------------------

def _integer_power(x, y):
    result, square, left = 1, x, y
    while left > 0:
        if left & 1:
            result *= square
        square *= square
        left >>= 1
    return result if y >= 0 else (x if y & 1 else 1) if x * x == 1 else 0


@kernel_function(double="pow", integers=_integer_power)
def pow(x, y):
    """x ** y as C defines it; NaN for x < 0 unless y is a whole number.  Integers: modulo 2**bits, 0 for 1/x**n."""
    base, exponent = cast(x, "f64"), cast(y, "f64")
    magnitude = fabs(base)
    power = exponent * _log64(magnitude)
    power = select(power > 100.0, 100.0, select(power < -120.0, -120.0, power))
    one = (exponent == 0.0) | (magnitude == 1.0) & ((base == 1.0) | (fabs(exponent) == math.inf))
    result = select(one, 1.0, _exp64(power))
    half = exponent * 0.5
    whole = floor(exponent) == exponent
    odd = whole & (floor(half) != half)
    result = select(odd, copysign(result, base), result)
    undefined = (base < 0.0) & (magnitude < math.inf) & (whole ^ (exponent == exponent))
    return cast(select(undefined, math.nan, result), "f32")


@kernel_function()
def rsqrt(x):
    """1 / sqrt(x)."""
    return 1.0 / sqrt(x)


@kernel_function(integers=lambda x: 1 if x > 0 else -1 if x < 0 else 0)
def sign(x):
    """-1, 0 or 1; NaN for NaN."""
    return select(x > 0.0, 1.0, select(x < 0.0, -1.0, x + 0.0))


@kernel_function(integers=lambda x: x)
def round(x):
    """The nearest whole number, ties to even."""
    return rint(x)


def namespace() -> dict:
    """The names of all mathematical functions, random numbers and short vectors of kernels."""
    from graphcore.compiler.codegen import lanes, random_bits  # random_bits brings in `trigonometry`
    return FUNCTIONS | random_bits.namespace() | lanes.namespace()
