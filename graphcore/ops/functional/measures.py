"""Distances, covariances, histograms and the like: numbers that say something of a whole tensor."""
from __future__ import annotations

import numpy as np

from graphcore.ops.functional.arguments import (
    Tensor,
    axis_of,
    cast,
    dt,
    floating,
    operands,
    shape_error,
    tensor_of,
)
from graphcore.ops.functional.arithmetic import add, div, mul, pow, sub
from graphcore.ops.functional.comparison import equal, where
from graphcore.ops.functional.creation import arange, zeros_like
from graphcore.ops.functional.elementary import exp
from graphcore.ops.functional.indexing import gather
from graphcore.ops.functional.linalg import matmul
from graphcore.ops.functional.ordering import cumsum
from graphcore.ops.functional.reduction import amax, mean, sum, vector_norm
from graphcore.ops.functional.shaping import (
    expand_dims,
    flip,
    permute,
    ravel,
    reshape,
    transpose,
)
from graphcore.ops.host import on_host

__all__ = ["dist", "pdist", "cov", "nanmedian", "logcumsumexp", "histc", "float_power_ext", "bidense"]


def dist(input, other, p=2):
    """The p-norm of the difference."""
    return vector_norm(ravel(sub(*operands(input, other, name="dist"))), p)


def pdist(input, p=2.0):
    """The p-norm distances of all pairs of rows."""
    x = floating(tensor_of(input, "pdist"))
    first, second = np.triu_indices(x.shape[-2], 1)
    pairs = [gather(x, Tensor(i, dt.int32), x.ndim - 2) for i in (first, second)]
    return vector_norm(sub(*pairs), p, -1)


def cov(input, *, correction=1, fweights=None, aweights=None):
    """The covariances of variables, a row each.

    correction: less this is divided by; fweights, aweights: how often, and how much, each observation counts.
    """
    x = floating(tensor_of(input, "cov"))
    x = reshape(x, (1, -1)) if x.ndim < 2 else x
    weights = None
    for w in (fweights, aweights):
        if w is not None:
            w = cast(tensor_of(w, "cov"), x.dtype)
            weights = w if weights is None else mul(weights, w)
    if weights is None:
        centred, divisor = sub(x, mean(x, 1, True)), max(x.shape[1] - correction, 0)
        result = div(matmul(centred, transpose(centred, (1, 0))), float(divisor))
    else:
        total = sum(weights)
        centred = sub(x, div(sum(mul(x, weights), 1, True), total))
        less_ = correction if aweights is None else mul(
            correction, div(sum(mul(weights, cast(tensor_of(aweights, "cov"), x.dtype))), total))
        result = div(matmul(mul(centred, weights), transpose(centred, (1, 0))), sub(total, less_))
    return reshape(result, ()) if tensor_of(input, "cov").ndim < 2 else result


def nanmedian(input, axis=-1, keepdims=False):
    """(median of the numbers along an axis, its index), leaving NaN out; NaN and 0 where there is none."""
    x = floating(tensor_of(input, "nanmedian"))
    axis = axis_of(axis, x.ndim, "nanmedian")
    shape = tuple(1 if i == axis else s for i, s in enumerate(x.shape) if keepdims or i != axis)

    def compute(a):
        order = np.argsort(a, axis=axis, kind="stable")
        count = (~np.isnan(a)).sum(axis=axis, keepdims=True)
        places = np.take_along_axis(order, np.maximum(count - 1, 0) // 2, axis)
        return np.take_along_axis(a, places, axis).reshape(shape), places.reshape(shape)

    def gradient(i, y, g):
        spot = equal(_vector_along(arange(x.shape[axis]), axis, x.ndim), reshape(y[1], kept))
        return [where(spot, reshape(g[0], kept), zeros_like(i[0]))]
    kept = tuple(1 if i == axis else s for i, s in enumerate(x.shape))
    return on_host("nanmedian", compute, [x], [(x.dtype, shape), (dt.int64, shape)], gradient)


def _vector_along(vector, axis, rank):
    """A vector along an axis of a tensor of `rank` axes."""
    return reshape(vector, tuple(vector.size if i == axis else 1 for i, _ in enumerate((0,) * rank)))


def logcumsumexp(input, axis):
    """The running log(sum(exp)) along an axis, without overflow."""
    x = floating(tensor_of(input, "logcumsumexp"))
    axis = axis_of(axis, x.ndim, "logcumsumexp")

    def gradient(i, y, g):
        # of element k: e^x[k] times the sum of g[j] e^-y[j] over j >= k; both exponents are shifted by the maximum
        shift = amax(y[0], axis, True)
        tail = flip(cumsum(flip(mul(g[0], exp(sub(shift, y[0]))), (axis,)), axis), (axis,))
        return [mul(exp(sub(i[0], shift)), tail)]
    return on_host("logcumsumexp", lambda a: np.logaddexp.accumulate(a.astype(np.float64), axis), [x],
                   [(x.dtype, x.shape)], gradient)


def histc(input, bins=100, min=0, max=0):
    """How many elements fall into each of `bins` equal parts from min to max (by default those of the elements)."""
    x = tensor_of(input, "histc")
    if bins <= 0 or min > max:
        raise shape_error(f"histc needs bins > 0 and min <= max, got {bins}, {min} and {max}")
    whole = x.dtype

    def compute(a):
        low, high = (a.min(), a.max()) if min == max else (min, max)
        low, high = (low - 1, high + 1) if low == high else (low, high)
        return np.histogram(a[(a >= low) & (a <= high)], bins, (low, high))[0]
    return on_host("histc", compute, [x], [(whole, (bins,))])


def float_power_ext(input, exponent):
    """input ** exponent in float64."""
    return pow(*(cast(t, dt.float64) for t in operands(input, exponent, name="float_power")))


def bidense(input1, input2, weight, bias=None):
    """out[..., o] = input1 @ weight[o] @ input2 + bias[o], for weight (o, in1, in2)."""
    a, b = operands(input1, input2, name="bidense")
    w = cast(tensor_of(weight, "bidense"), a.dtype)
    out, first, second = w.shape
    left = reshape(matmul(reshape(a, (-1, first)), reshape(permute(w, (1, 0, 2)), (first, out * second))),
                   (-1, out, second))
    result = reshape(sum(mul(left, expand_dims(reshape(b, (-1, second)), 1)), -1), (*a.shape[:-1], out))
    return result if bias is None else add(result, bias)
