"""Primitives that draw random numbers of rarer distributions."""
from __future__ import annotations

import math

from graphcore import dtype as dt
from graphcore.ops import functional as F
from graphcore.ops.functional.arguments import shape_error
from graphcore.ops.functional.random import uniform_of
from graphcore.ops.primitives.base import primitive

_LEAST = 1e-7


def _seed_of(seed, seed2):
    return seed or seed2 or None


@primitive
def Cauchy(*, size, median=0.0, sigma=1.0):
    """float32 numbers of the Cauchy distribution in the shape `size`."""
    return F.tan((uniform_of(tuple(size)) - 0.5) * math.pi) * float(sigma) + float(median)


@primitive
def StandardLaplace(shape, *, seed=0, seed2=0):
    """Numbers of the Laplace distribution of mean 0 and scale 1."""
    return F.standard_laplace(shape, _seed_of(seed, seed2))


@primitive
def LogNormalReverse(input, *, mean=1.0, std=2.0):
    """Numbers like `input` whose logarithms are normal with `mean` and `std`."""
    return F.cast(F.exp(F.randn(*input.shape) * float(std) + float(mean)), input.dtype)


@primitive
def MultinomialWithReplacement(x, seed, offset, *, numsamples, replacement=False):
    """Indices drawn with probabilities proportional to rows; see `ops.multinomial_with_replacement`."""
    return F.multinomial_with_replacement(x, seed, offset, numsamples, replacement)


@primitive
def RandomGamma(shape, alpha, *, seed=0, seed2=0):
    """Numbers of the gamma distribution with shape `alpha` and rate 1; see `ops.random_gamma`."""
    return F.random_gamma(shape, alpha, _seed_of(seed, seed2))


@primitive
def RandomPoisson(shape, rate, *, seed=0, seed2=0, dtype=dt.int64):
    """Counts of the Poisson distribution with mean `rate`; see `ops.random_poisson`."""
    return F.random_poisson(shape, rate, _seed_of(seed, seed2), dtype)


@primitive
def TruncatedNormal(shape, *, seed=0, seed2=0, dtype=dt.float32):
    """Numbers of the normal distribution cut off at two standard deviations."""
    if not dtype.is_float:
        raise shape_error(f"TruncatedNormal: the dtype must be a float, got {dtype.name}")
    edge = math.erf(2 / math.sqrt(2))
    sizes = tuple(shape.tolist()) if hasattr(shape, "tolist") else tuple(shape)
    even = uniform_of(sizes, _seed_of(seed, seed2)) * (2 * edge) - edge
    return F.cast(F.erfinv(F.clamp(even, _LEAST - 1, 1 - _LEAST)) * math.sqrt(2), dtype)


__all__ = [n for n, v in list(globals().items()) if isinstance(v, type) and v.__module__ == __name__]
