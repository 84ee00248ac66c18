"""Special functions in NumPy, in double precision: sums, recurrences, asymptotic series and quadratures.

All take float64 arrays that broadcast and give float64.  They are accurate to about 1e-12, so that float32 results are
rounded once.
"""
from __future__ import annotations

import functools
import math

import numpy as np

# B[2k] / (2k)! of the Bernoulli numbers, for Euler and Maclaurin's formula
_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)
_SHIFT = 10         # arguments of asymptotic series are lifted above this


def lgamma(x):
    """log |Gamma(x)|; inf at 0 and at negative integers."""
    x = np.asarray(x, np.float64)
    reflected = x < 0.5
    z = np.where(reflected, 1 - x, x)
    product, lifted = np.ones_like(z), z.copy()
    for _ in range(_SHIFT):
        low = lifted < _SHIFT
        product = np.where(low, product * lifted, product)
        lifted = np.where(low, lifted + 1, lifted)
    series = sum(b / (2 * k * (2 * k - 1)) * lifted ** (1 - 2 * k) for k, b in enumerate(_BERNOULLI, 1))
    result = (lifted - 0.5) * np.log(lifted) - lifted + 0.5 * math.log(2 * math.pi) + series - np.log(product)
    result = np.where(np.isinf(z), np.inf, result)
    sine = np.abs(np.sin(math.pi * (x - np.round(x))))      # exactly 0 at integers
    return np.where(reflected, math.log(math.pi) - np.log(sine) - result, result)


def digamma(x):
    """The derivative of `lgamma`; NaN at negative integers, -inf at 0."""
    x = np.asarray(x, np.float64)
    reflected = x < 0.5
    lifted, found = np.where(reflected, 1 - x, x), np.zeros_like(x)
    for _ in range(_SHIFT):
        low = lifted < _SHIFT
        found = np.where(low, found - 1 / lifted, found)
        lifted = np.where(low, lifted + 1, lifted)
    found = found + np.log(lifted) - 0.5 / lifted - sum(b / (2 * k) * lifted ** (-2 * k)
                                                        for k, b in enumerate(_BERNOULLI, 1))
    turned = x - np.round(x)
    result = np.where(reflected, found - math.pi / np.tan(math.pi * turned), found)
    return np.where(x == 0, -np.inf, np.where((x < 0) & (turned == 0), np.nan, result))


def zeta(x, q):
    """Hurwitz' zeta function, the sum of (k + q)^-x over k = 0, 1, ...; NaN for x < 1, inf at 1."""
    x, q = np.broadcast_arrays(np.asarray(x, np.float64), np.asarray(q, np.float64))
    total = sum((k + q) ** -x for k in range(_SHIFT))
    top = q + _SHIFT
    total = total + top ** (1 - x) / (x - 1) + 0.5 * top ** -x
    factor = x * top ** (-x - 1)
    for k, b in enumerate(_BERNOULLI, 1):
        total = total + b / math.factorial(2 * k) * factor
        factor = factor * (x + 2 * k - 1) * (x + 2 * k) / top ** 2
    whole = (q <= 0) & (q == np.floor(q))
    result = np.where(whole, np.inf, np.where((q < 0) & (x != np.floor(x)), np.nan, total))
    return np.where(x == 1, np.inf, np.where(x < 1, np.nan, result))


def polygamma(n, x):
    """The n-th derivative of `digamma`, n a whole number of 0 or more."""
    n = np.asarray(n, np.float64)
    factorial = np.exp(lgamma(n + 1))
    return np.where(n == 0, digamma(x), np.where(n % 2 == 0, -1.0, 1.0) * factorial * zeta(n + 1, x))


def igamma(a, x):
    """The regularised lower incomplete gamma function P(a, x); NaN for negative x or a <= 0."""
    a, x = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(x, np.float64))
    scale = np.exp(a * np.log(x) - x - lgamma(a))
    rising = x < a + 1
    small = np.where(rising, x, 0)
    term = total = 1 / a
    for k in range(1, 400):
        term = term * small / (a + k)
        total = total + term
    upper = _upper_fraction(a, np.where(rising, a + 2, x)) * scale
    lower = np.where(x == 0, 0.0, np.where(rising, total * scale, 1 - upper))
    lower = np.where(np.isinf(x), 1.0, lower)
    return np.where((x < 0) | (a <= 0), np.nan, lower)


def igammac(a, x):
    """The regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x)."""
    a, x = np.broadcast_arrays(np.asarray(a, np.float64), np.asarray(x, np.float64))
    scale = np.exp(a * np.log(x) - x - lgamma(a))
    far = x >= a + 1
    direct = _upper_fraction(a, np.where(far, x, a + 2)) * scale
    return np.where(far & np.isfinite(x), direct, 1 - igamma(a, x))


def _upper_fraction(a, x):
    """The continued fraction of Q(a, x) / (x^a e^-x / Gamma(a)), from its tail, for x > a + 1."""
    value = np.zeros_like(x)
    for k in range(300, 0, -1):
        value = k * (k - a) / (x + 2 * k + 1 - a - value)
    return 1 / (x + 1 - a - value)


def betainc(a, b, x):
    """The regularised incomplete beta function I_x(a, b); NaN outside of a > 0, b > 0, 0 <= x <= 1."""
    a, b, x = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (a, b, x)))
    turned = x > (a + 1) / (a + b + 2)          # the fraction converges fast below; I_x(a, b) = 1 - I_1-x(b, a)
    p, q, z = np.where(turned, b, a), np.where(turned, a, b), np.where(turned, 1 - x, x)
    scale = np.exp(p * np.log(z) + q * np.log1p(-z) - lgamma(p) - lgamma(q) + lgamma(p + q)) / p
    value = np.zeros_like(z)
    for k in range(200, 0, -1):
        even = k * (q - k) * z / ((p + 2 * k - 1) * (p + 2 * k))
        odd = -(p + k) * (p + q + k) * z / ((p + 2 * k) * (p + 2 * k + 1))
        value = even / (1 + odd / (1 + value))
    first = -(p + q) * z / (p + 1)
    part = scale / (1 + first / (1 + value))
    part = np.where(z == 0, 0.0, part)
    found = np.where(turned, 1 - part, part)
    return np.where((a > 0) & (b > 0) & (x >= 0) & (x <= 1), found, np.nan)


# -- Bessel functions, by their integrals ---------------------------------------------------------------------

def _periodic_mean(function, x):
    """The mean of ``function(x, angle)`` over half a turn, where it is even and periodic: trapezia converge fast."""
    largest = float(np.max(np.abs(x), initial=0, where=np.isfinite(x)))
    count = int(2 * min(largest, 1e4)) + 64
    total = np.zeros_like(x)
    for k in range(count):
        total += function(x, math.pi * (k + 0.5) / count)
    return total / count


def bessel_j(order: int, x):
    """J of a whole order, the Bessel function of the first kind."""
    return _periodic_mean(lambda x, t: np.cos(order * t - x * math.sin(t)), np.asarray(x, np.float64))


def bessel_ie(order: int, x):
    """e^-|x| I(x) of a whole order, the modified Bessel function of the first kind."""
    x = np.asarray(x, np.float64)
    size = np.abs(x)
    bounded = np.minimum(size, 1e3)
    value = _periodic_mean(lambda x, t: np.exp(x * (math.cos(t) - 1)) * math.cos(order * t), bounded)
    value = value * np.sqrt(bounded / np.maximum(size, 1e-300), where=size > 0, out=np.ones_like(size))
    return np.where(x < 0, (-1) ** order, 1) * value


def bessel_i(order: int, x):
    """I of a whole order."""
    return bessel_ie(order, x) * np.exp(np.abs(x))


@functools.cache
def _panels(count: int, points: int = 16):
    """Nodes and weights on [0, 1]: Gauss' in `count` equal panels."""
    nodes, weights = np.polynomial.legendre.leggauss(points)
    starts = np.arange(count)[:, None]
    return ((starts + 0.5 * (nodes + 1)) / count).ravel(), np.tile(weights / (2 * count), count)


def bessel_ke(order: int, x):
    """e^x K(x) of a whole order, the modified Bessel function of the second kind; inf at 0, NaN below."""
    x = np.asarray(x, np.float64)
    positive = np.where(x > 0, x, 1.0)
    end = np.arccosh(1 + 750 / positive)
    nodes, weights = _panels(24)
    total = np.zeros_like(positive)
    for node, weight in zip(nodes, weights):
        t = end * node
        total += weight * np.exp(-positive * (np.cosh(t) - 1)) * np.cosh(order * t)
    return np.where(x > 0, total * end, np.where(x == 0, np.inf, np.nan))


def bessel_k(order: int, x):
    """K of a whole order."""
    return bessel_ke(order, x) * np.exp(-np.asarray(x, np.float64))


def bessel_y(order: int, x):
    """Y of a whole order, the Bessel function of the second kind; -inf at 0, NaN below."""
    x = np.asarray(x, np.float64)
    positive = np.where(x > 0, x, 1.0)
    largest = float(np.max(positive, initial=0, where=np.isfinite(positive)))
    nodes, weights = _panels(8 + int(min(largest, 1e4) / 4))
    first = np.zeros_like(positive)
    for node, weight in zip(nodes, weights):
        first += weight * np.sin(positive * math.sin(math.pi * node) - order * math.pi * node)
    end = np.arcsinh(750 / positive)
    second = np.zeros_like(positive)
    sign = (-1) ** order
    for node, weight in zip(*_panels(24)):
        t = end * node
        second += weight * np.exp(-positive * np.sinh(t)) * (np.exp(order * t) + sign * np.exp(-order * t))
    return np.where(x > 0, first - end * second / math.pi, np.where(x == 0, -np.inf, np.nan))
