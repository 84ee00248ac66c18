"""More random numbers: rarer distributions, choices, and slopes."""
from __future__ import annotations

import numpy as np

from graphcore.ops.functional.arguments import Tensor, cast, dt, dtype_error, shape_error, sizes_of, tensor_of
from graphcore.ops.functional.arithmetic import add, mul
from graphcore.ops.functional.comparison import where
from graphcore.ops.functional.random import gamma, laplace, multinomial, numpy_generator, uniform_of
from graphcore.ops.host import on_host
from graphcore.random import next_key

__all__ = ["standard_laplace", "multinomial_with_replacement", "choice_with_mask", "rrelu", "random_gamma",
           "random_poisson"]


def standard_laplace(shape, seed=None):
    """Numbers of the Laplace distribution of mean 0 and scale 1."""
    return laplace(shape, Tensor(0.0, dt.float32), 1.0, seed)


def multinomial_with_replacement(x, seed, offset, numsamples, replacement=False):
    """Indices drawn with probabilities proportional to the rows of x, as int64 [..., numsamples].

    seed: 0 and -1 for the global one.  Raises ShapeError if more are drawn without replacement than there are.
    """
    return cast(multinomial(x, numsamples, bool(replacement), _seed_of(seed)), dt.int64)


def _seed_of(seed):
    seed = seed.item() if isinstance(seed, Tensor) else seed
    return seed if seed not in (None, 0, -1) else None


def choice_with_mask(input_x, count=256, seed=None):
    """(the places [count, rank] of `count` true elements drawn at random, bool [count]: which of them are places).

    Where there are fewer true elements, the rest are zeros, and not places.
    """
    x = tensor_of(input_x, "choice_with_mask")
    if not x.dtype.is_bool or not x.ndim:
        raise dtype_error(f"choice_with_mask takes a bool tensor of one axis or more, got {x.dtype.name} {x.shape}")

    def choose(mask):
        places = np.argwhere(mask)
        generator = np.random.default_rng(next_key() if seed is None else seed)
        drawn = generator.permutation(places)[:count]
        found = np.zeros((count, mask.ndim), np.int32)
        found[:len(drawn)] = drawn
        return found, np.arange(count) < len(drawn)

    return on_host("choice_with_mask", choose, [x], [(dt.int32, (count, x.ndim)), (dt.bool_, (count,))])


def rrelu(input, lower=1.0 / 8, upper=1.0 / 3):
    """`leaky_relu` with a random slope between `lower` and `upper` for each element."""
    x = tensor_of(input, "rrelu")
    if not 0 <= lower <= upper <= 1:
        raise shape_error(f"rrelu: lower and upper must lie in order between 0 and 1, got {lower} and {upper}")
    slopes = add(mul(uniform_of(x.shape), float(upper) - float(lower)), float(lower))
    return where(x > 0, x, mul(x, cast(slopes, x.dtype)))


def random_gamma(shape, alpha, seed=None):
    """Numbers of the gamma distribution with shape `alpha` and rate 1, [*shape, *alpha.shape] in the dtype of alpha.

    Drawn by NumPy, so not in a capture.
    """
    alpha = tensor_of(alpha, "random_gamma")
    return cast(gamma(shape, alpha, Tensor(1.0, dt.float32), seed), alpha.dtype)


def random_poisson(shape, rate, seed=None, dtype=dt.float32):
    """Counts of the Poisson distribution with mean `rate`, [*shape, *rate.shape].

    Drawn by NumPy, so not in a capture.
    """
    means = tensor_of(rate, "random_poisson").asnumpy()
    sizes = (*sizes_of(shape, "random_poisson"), *means.shape)
    return Tensor(numpy_generator(seed).poisson(means.astype(np.float64), sizes), dt.as_dtype(dtype))
