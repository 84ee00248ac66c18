"""Special functions: gamma and its relatives, Bessel functions; integer arithmetic beyond the four operations."""
from __future__ import annotations

import math

import numpy as np

from graphcore.ops import special_functions as special
from graphcore.ops.functional.arguments import (
    cast,
    dt,
    dtype_error,
    floating,
    is_number,
    operands,
    shape_error,
    tensor_of,
)
from graphcore.ops.functional.arithmetic import add, div, mul, sub
from graphcore.ops.functional.comparison import equal, where
from graphcore.ops.functional.creation import zeros_like
from graphcore.ops.functional.elementary import exp, log, neg, sign
from graphcore.ops.host import elementwise

__all__ = [
    "gcd", "lcm", "nextafter", "population_count", "xdivy", "lgamma", "gammaln", "digamma", "polygamma", "zeta",
    "igamma", "igammac", "mvlgamma",
    "bessel_i0", "bessel_i0e", "bessel_i1", "bessel_i1e", "bessel_j0", "bessel_j1", "bessel_k0", "bessel_k0e",
    "bessel_k1", "bessel_k1e", "bessel_y0", "bessel_y1", "betainc",
]


def _whole(name, a, b):
    a, b = operands(a, b, name=name)
    if not a.dtype.is_integer:
        raise dtype_error(f"{name} takes integers, got {a.dtype.name}; convert them with .astype(ms.int32)")
    return a, b


def gcd(input, other):
    """The greatest common divisor, 0 or more, element by element.  Raises DTypeError unless both are integer."""
    return elementwise("gcd", np.gcd, [*_whole("gcd", input, other)])


def lcm(input, other):
    """The least common multiple, 0 or more, element by element.  Raises DTypeError unless both are integer."""
    return elementwise("lcm", np.lcm, [*_whole("lcm", input, other)])


def nextafter(input, other):
    """The next float after `input` towards `other`.  Raises DTypeError unless both are float32 or float64."""
    a, b = operands(input, other, name="nextafter")
    if a.dtype not in (dt.float32, dt.float64):
        raise dtype_error(f"nextafter takes float32 or float64, got {a.dtype.name}")
    return elementwise("nextafter", np.nextafter, [a, b])


def population_count(input_x):
    """How many bits are set in each element of a 16-bit integer Tensor, as uint8.  Raises DTypeError for others."""
    x = tensor_of(input_x, "population_count")
    if x.dtype not in (dt.int16, dt.uint16):
        raise dtype_error(f"population_count takes int16 or uint16, got {x.dtype.name}")

    def count(values):
        bits = np.ascontiguousarray(values).view(np.uint8).reshape(*values.shape, 2)
        return np.unpackbits(bits, axis=-1).sum(-1)
    return elementwise("population_count", count, [x], dtype=dt.uint8)


def xdivy(x, y):
    """x / y, but 0 where x is 0, whatever y is.  At least one of them is a Tensor."""
    if is_number(x) and is_number(y):
        raise dtype_error("xdivy takes a Tensor and a number, or two Tensors")
    x, y = operands(x, y, name="xdivy")
    nothing = equal(x, 0)
    return where(nothing, zeros_like(x), div(x, where(nothing, add(zeros_like(y), 1), y)))


# -- gamma ----------------------------------------------------------------------------------------------------

def _of_float(name, function, x, derivative):
    """A function of a float Tensor with the derivative ``derivative(x, y)``."""
    x = floating(tensor_of(x, name))
    return elementwise(name, lambda v: function(v.astype(np.float64)), [x],
                       lambda inputs, outputs, g: [mul(g[0], derivative(inputs[0], outputs[0]))])


def lgamma(input):
    """The logarithm of |Gamma|; integers become float32."""
    return _of_float("lgamma", special.lgamma, input, lambda x, y: digamma(x))


gammaln = lgamma


def digamma(input):
    """The derivative of `lgamma`."""
    return _of_float("digamma", special.digamma, input, lambda x, y: polygamma(1, x))


def polygamma(n, input):
    """The n-th derivative of `digamma`; n: an int of 0 or more, or an integer Tensor of one element."""
    n = int(n.item()) if hasattr(n, "item") else n
    if n < 0:
        raise shape_error(f"polygamma: n must be 0 or more, got {n}")
    return _of_float("polygamma", lambda v: special.polygamma(n, v), input, lambda x, y: polygamma(n + 1, x))


def zeta(input, other):
    """Hurwitz' zeta function of two float Tensors or numbers: the sum of (k + other)^-input over k = 0, 1, ...

    The gradient reaches `other` only.
    """
    x, q = operands(input, other, name="zeta")
    x, q = floating(x), floating(q)
    return elementwise(
        "zeta", lambda a, b: special.zeta(a.astype(np.float64), b), [x, q],
        lambda inputs, outputs, g: [None, neg(mul(mul(g[0], inputs[0]), zeta(add(inputs[0], 1), inputs[1])))])


def _density(a, x):
    """x^(a - 1) e^-x / Gamma(a), the derivative of `igamma` by x."""
    return exp(sub(sub(mul(sub(a, 1), log(x)), x), lgamma(a)))


def igamma(input, other):
    """The regularised lower incomplete gamma function P(input, other); the gradient reaches `other` only."""
    a, x = (floating(t) for t in operands(input, other, name="igamma"))
    return elementwise("igamma", special.igamma, [a, x],
                       lambda inputs, outputs, g: [None, mul(g[0], _density(*inputs))])


def igammac(input, other):
    """The regularised upper incomplete gamma function Q(input, other); the gradient reaches `other` only."""
    a, x = (floating(t) for t in operands(input, other, name="igammac"))
    return elementwise("igammac", special.igammac, [a, x],
                       lambda inputs, outputs, g: [None, neg(mul(g[0], _density(*inputs)))])


def betainc(a, b, x):
    """The regularised incomplete beta function I_x(a, b); the gradient reaches x only."""
    a, b, x = (floating(tensor_of(v, "betainc")) for v in (a, b, x))

    def gradient(inputs, outputs, g):
        a, b, x = inputs
        density = exp(sub(add(mul(sub(a, 1), log(x)), mul(sub(b, 1), log(sub(1, x)))),
                          sub(add(lgamma(a), lgamma(b)), lgamma(add(a, b)))))
        return [None, None, mul(g[0], density)]
    return elementwise("betainc", special.betainc, [a, b, x], gradient)


def mvlgamma(input, p):
    """The logarithm of the multivariate gamma function of dimension p >= 1.

    Raises ValueError for another p; elements must be larger than (p - 1) / 2, others give NaN.
    """
    if not isinstance(p, int) or p < 1:
        raise shape_error(f"mvlgamma: p is an int of 1 or more, got {p!r}")
    x = floating(tensor_of(input, "mvlgamma"))
    total = p * (p - 1) / 4 * math.log(math.pi)
    for j in range(p):
        total = add(lgamma(sub(x, j / 2)), total)
    return where(x > (p - 1) / 2, total, float("nan"))


# -- Bessel functions -----------------------------------------------------------------------------------------

def _bessel(name, function, order, summary, derivative):
    def bessel(x):
        return _of_float(name, lambda v: function(order, v), x, derivative)
    bessel.__name__ = bessel.__qualname__ = name
    bessel.__doc__ = f"{summary}, of order {order}; integers become float32."
    return bessel


def _safe(x):
    return where(equal(x, 0), cast(add(zeros_like(x), 1), x.dtype), x)


bessel_j0 = _bessel("bessel_j0", special.bessel_j, 0, "The Bessel function of the first kind",
                    lambda x, y: neg(bessel_j1(x)))
bessel_j1 = _bessel("bessel_j1", special.bessel_j, 1, "The Bessel function of the first kind",
                    lambda x, y: where(equal(x, 0), 0.5, sub(bessel_j0(x), div(y, _safe(x)))))
bessel_y0 = _bessel("bessel_y0", special.bessel_y, 0, "The Bessel function of the second kind",
                    lambda x, y: neg(bessel_y1(x)))
bessel_y1 = _bessel("bessel_y1", special.bessel_y, 1, "The Bessel function of the second kind",
                    lambda x, y: sub(bessel_y0(x), div(y, x)))
bessel_i0 = _bessel("bessel_i0", special.bessel_i, 0, "The modified Bessel function of the first kind",
                    lambda x, y: bessel_i1(x))
bessel_i1 = _bessel("bessel_i1", special.bessel_i, 1, "The modified Bessel function of the first kind",
                    lambda x, y: where(equal(x, 0), 0.5, sub(bessel_i0(x), div(y, _safe(x)))))
bessel_i0e = _bessel("bessel_i0e", special.bessel_ie, 0, "e^-|x| times the modified Bessel function of the first kind",
                     lambda x, y: sub(bessel_i1e(x), mul(sign(x), y)))
bessel_i1e = _bessel(
    "bessel_i1e", special.bessel_ie, 1, "e^-|x| times the modified Bessel function of the first kind",
    lambda x, y: where(equal(x, 0), 0.5, sub(bessel_i0e(x), mul(y, add(sign(x), div(1.0, _safe(x)))))))
bessel_k0 = _bessel("bessel_k0", special.bessel_k, 0, "The modified Bessel function of the second kind",
                    lambda x, y: neg(bessel_k1(x)))
bessel_k1 = _bessel("bessel_k1", special.bessel_k, 1, "The modified Bessel function of the second kind",
                    lambda x, y: neg(add(bessel_k0(x), div(y, x))))
bessel_k0e = _bessel("bessel_k0e", special.bessel_ke, 0, "e^x times the modified Bessel function of the second kind",
                     lambda x, y: sub(y, bessel_k1e(x)))
bessel_k1e = _bessel("bessel_k1e", special.bessel_ke, 1, "e^x times the modified Bessel function of the second kind",
                     lambda x, y: sub(sub(y, bessel_k0e(x)), div(y, x)))
