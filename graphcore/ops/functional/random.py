"""Random tensors from the counter-based generator.

Every call of a random function in a graph has its own site, so two calls never give the same numbers; the key advances
once per call of the program.  `seed` replaces the global seed at one place; numbers still change from call to call.
"""
from __future__ import annotations

import math

import numpy as np

from graphcore.ops import pointwise as pw
from graphcore.ops.functional.arguments import (
    Tensor,
    apply,
    cast,
    current_trace,
    dt,
    dtype_error,
    floating,
    ints_of,
    number_of,
    shape_error,
    sizes_of,
    tensor_of,
)
from graphcore.ops.functional.arithmetic import add, mul
from graphcore.ops.functional.comparison import where
from graphcore.ops.functional.creation import counted
from graphcore.ops.functional.elementary import cos, floor, log, neg, sqrt

__all__ = [
    "rand", "randn", "rand_like", "randn_like", "uniform", "standard_normal", "normal", "laplace", "gamma",
    "randint", "randint_like", "randperm", "shuffle", "bernoulli", "multinomial", "random_categorical",
]


def uniform_of(shape: tuple, seed=None) -> Tensor:
    """Uniform float32 numbers in [0, 1)."""
    trace = current_trace()
    if trace is None:
        from graphcore.random import next_key
        key, site = Tensor(next_key()), 0
    else:
        from graphcore.capture.trace import TracedTensor
        key, site = TracedTensor(trace.random_key(), trace), trace.next_site()
    if seed is not None:
        first = apply(pw.eq, counted(2), Tensor(0, dt.int64))
        key = apply(pw.select, first, Tensor(int(number_of(seed, "seed")), dt.int64), key)
    return apply(pw.random_uniform, key, shape=tuple(shape), site=site)


def normal_of(shape: tuple, seed=None) -> Tensor:
    """Standard normal float32 numbers (Box and Muller's method)."""
    radius = sqrt(mul(log(add(neg(uniform_of(shape, seed)), 1.0)), -2.0))
    return mul(radius, cos(mul(uniform_of(shape, seed), 2 * math.pi)))


def _float_dtype(dtype, name) -> dt.DType:
    dtype = dt.float32 if dtype is None else dt.as_dtype(dtype)
    if not dtype.is_float:
        raise dtype_error(f"{name}: the dtype must be a float, got {dtype.name}")
    return dtype


def _shape_of_arguments(size, name) -> tuple:
    return sizes_of(size[0] if len(size) == 1 and not isinstance(size[0], int) else size or (1,), name)


# -- uniform and normal ---------------------------------------------------------------------------------------

def rand(*size, dtype=None, seed=None):
    """Uniform numbers in [0, 1) in the shape `size` (ints or a tuple).  Raises DTypeError unless dtype is a float."""
    return cast(uniform_of(_shape_of_arguments(size, "rand"), seed), _float_dtype(dtype, "rand"))


def randn(*size, dtype=None, seed=None):
    """Standard normal numbers in the shape `size` (ints, or one tuple).  Raises DTypeError unless dtype is a float."""
    return cast(normal_of(_shape_of_arguments(size, "randn"), seed), _float_dtype(dtype, "randn"))


def rand_like(input, seed=None, *, dtype=None):
    """Uniform numbers in [0, 1) in the shape of `input`."""
    x = tensor_of(input, "rand_like")
    return cast(uniform_of(x.shape, seed), _float_dtype(dtype or x.dtype, "rand_like"))


def randn_like(input, seed=None, *, dtype=None):
    """Standard normal numbers in the shape of `input`."""
    x = tensor_of(input, "randn_like")
    return cast(normal_of(x.shape, seed), _float_dtype(dtype or x.dtype, "randn_like"))


def uniform(shape, minval, maxval, seed=None, dtype=dt.float32):
    """Uniform numbers in [minval, maxval) in `shape`; of whole numbers if `dtype` is an integer."""
    dtype = dt.as_dtype(dtype)
    sizes = sizes_of(shape, "uniform")
    low, high = (cast(tensor_of(v, "uniform"), dt.float32) for v in (minval, maxval))
    value = add(low, mul(uniform_of(sizes, seed), high - low))
    return cast(floor(value) if dtype.is_integer else value, dtype)


def standard_normal(shape, seed=None):
    """Standard normal float32 numbers in `shape`."""
    return normal_of(sizes_of(shape, "standard_normal"), seed)


def normal(shape, mean, stddev, seed=None):
    """Normal float32 numbers in `shape`; mean and stddev are numbers or Tensors that broadcast."""
    return add(mul(normal_of(sizes_of(shape, "normal"), seed), stddev), mean)


def laplace(shape, mean, lambda_param, seed=None):
    """Numbers of the Laplace distribution."""
    centred = uniform_of(sizes_of(shape, "laplace"), seed) - 0.5
    from graphcore.ops.functional.elementary import abs, sign
    return mean - mul(mul(sign(centred), log(1 - 2 * abs(centred))), lambda_param)


def gamma(shape, alpha, beta, seed=None):
    """Numbers of the gamma distribution with shape `alpha` and rate `beta`; drawn by NumPy, so not in a capture."""
    alpha, beta = tensor_of(alpha, "gamma").asnumpy(), tensor_of(beta, "gamma").asnumpy()
    sizes = sizes_of(shape, "gamma") + np.broadcast(alpha, beta).shape
    return Tensor((numpy_generator(seed).standard_gamma(alpha, sizes) / beta).astype(np.float32))


# -- whole numbers and choices --------------------------------------------------------------------------------

def randint(low, high, size, seed=None, *, dtype=None):
    """Whole numbers from low to high - 1 in the shape `size`; int64 unless `dtype` is given.

    Raises ValueError unless low < high.
    """
    low, high = number_of(low, "randint"), number_of(high, "randint")
    if low >= high:
        raise shape_error(f"randint: low must be smaller than high, got {low} and {high}")
    dtype = dt.int64 if dtype is None else dt.as_dtype(dtype)
    places = floor(mul(uniform_of(sizes_of(size, "randint"), seed), float(high - low)))
    return add(cast(places, dtype), Tensor(low, dtype))


def randint_like(input, low, high, seed=None, *, dtype=None):
    """Whole numbers from low to high - 1 in the shape of `input`."""
    x = tensor_of(input, "randint_like")
    return randint(low, high, x.shape, seed, dtype=dtype or x.dtype)


def randperm(n, seed=0, offset=0, dtype=dt.int64):
    """The numbers 0 to n - 1 in random order."""
    from graphcore.ops import sorting
    keys = uniform_of(ints_of(n, "randperm"), seed or None)
    return cast(apply(sorting.sort_indices, keys, axis=0, descending=False), dt.as_dtype(dtype))


def shuffle(x, seed=None):
    """The slices along the first axis in random order."""
    from graphcore.ops.functional.indexing import gather
    x = tensor_of(x, "shuffle")
    return gather(x, randperm(x.shape[0], seed or 0), 0) if x.ndim else x


def bernoulli(input, p=0.5, seed=None):
    """1 with probability `p` (a number, or a Tensor that broadcasts), else 0, in the shape and dtype of `input`."""
    x = tensor_of(input, "bernoulli")
    if not isinstance(p, Tensor) and not 0 <= p <= 1:
        raise shape_error(f"bernoulli: p is a probability between 0 and 1, got {p}")
    return cast(uniform_of(x.shape, seed) < p, x.dtype)


def multinomial(input, num_samples, replacement=True, seed=None):
    """Indices drawn with probabilities proportional to the rows of `input`, as int32 [..., num_samples].

    input: float Tensor of 1 or 2 axes.  Raises ShapeError if more are drawn without replacement than there are.
    """
    from graphcore.ops import sorting
    from graphcore.ops.functional.reduction import sum as total
    x = floating(tensor_of(input, "multinomial"))
    n, k = x.shape[-1], number_of(num_samples, "multinomial")
    if not replacement:
        if k > n:
            raise shape_error(f"multinomial: {k} of {n} cannot be drawn without replacement")
        noise = -log(1.0 - uniform_of(x.shape, seed))            # the k first arrivals of Poisson processes
        arrival = where(x > 0, noise / where(x > 0, x, 1.0), math.inf)
        return apply(sorting.topk_indices, arrival, k=k, axis=x.ndim - 1, largest=False)
    running = apply(sorting.cumsum, x, axis=x.ndim - 1, exclusive=False, reverse=False)
    from graphcore.ops.functional.shaping import expand_dims
    drawn = mul(uniform_of((*x.shape[:-1], k), seed), total(x, -1, True))
    passed = cast(expand_dims(running, -2) <= expand_dims(drawn, -1), dt.int32)
    return total(passed, -1, dtype=dt.int32)


def random_categorical(logits, num_sample, seed=0, dtype=dt.int64):
    """Indices drawn with the probabilities softmax(logits) of each row."""
    from graphcore.ops.functional.activation import softmax
    return cast(multinomial(softmax(logits), num_sample, True, seed or None), dt.as_dtype(dtype))


def numpy_generator(seed) -> np.random.Generator:
    """What draws the distributions that NumPy knows.  Raises CaptureError in a capture."""
    if current_trace() is not None:
        from graphcore.ops.functional.arguments import capture_error
        raise capture_error("this distribution is drawn by NumPy: call it outside of construct")
    from graphcore.random import next_key
    return np.random.default_rng([int(k) for k in next_key()] if seed is None else int(seed))
