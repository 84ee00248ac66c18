"""Activation functions."""
from __future__ import annotations

import math

from graphcore.ops import pointwise as pw
from graphcore.ops import reduction as records
from graphcore.ops import structural
from graphcore.ops.functional.arguments import (
    Tensor,
    also_named,
    apply,
    axis_of,
    cast,
    dt,
    floating,
    shape_error,
    tensor_of,
    widened,
)
from graphcore.ops.functional.arithmetic import add, clamp, div, maximum, minimum, mul, pow, sub
from graphcore.ops.functional.comparison import greater, where
from graphcore.ops.functional.elementary import abs, erf, exp, expm1, log, log1p, neg, sign, tanh, unary

__all__ = [
    "sigmoid", "relu", "relu6", "leaky_relu", "prelu", "elu", "selu", "celu", "gelu", "fast_gelu", "silu", "mish",
    "softplus", "logsigmoid", "softsign", "hardtanh", "hardsigmoid", "hardswish", "hardshrink", "softshrink",
    "soft_shrink", "tanhshrink", "threshold", "glu", "swiglu", "softmax", "log_softmax", "softmin", "gumbel_softmax",
]

sigmoid = unary("sigmoid", pw.sigmoid, "1 / (1 + e^-x), without overflow.")
SELU_SCALE, SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def relu(input, inplace=False):
    """max(x, 0); integers are kept.  `inplace` is accepted and changes nothing: the result is a new Tensor."""
    return apply(pw.relu, tensor_of(input, "relu"))


def relu6(x):
    """min(max(x, 0), 6)."""
    return clamp(floating(tensor_of(x, "relu6")), 0, 6)


def leaky_relu(input, alpha=0.2):
    """x above 0, alpha * x below."""
    x = floating(tensor_of(input, "leaky_relu"))
    return where(greater(x, 0), x, mul(x, alpha))


def prelu(input, weight):
    """x above 0, weight * x below, with one weight, or one for each channel (axis 1; the last axis of a vector).

    Raises ShapeError unless the number of weights is 1 or that of the channels.
    """
    from graphcore.ops.functional.shaping import reshape
    x, w = floating(tensor_of(input, "prelu")), tensor_of(weight, "prelu")
    if w.size != 1:
        channel = 1 if x.ndim > 1 else 0
        if x.ndim == 0 or w.ndim != 1 or w.shape[0] != x.shape[channel]:
            raise shape_error(f"prelu: a weight of shape {w.shape} does not fit channels of an input of {x.shape}")
        w = reshape(w, tuple(w.shape[0] if i == channel else 1 for i in range(x.ndim)))
    return where(greater(x, 0), x, mul(x, w))


def elu(input_x, alpha=1.0):
    """x above 0, alpha * (e^x - 1) below."""
    x = floating(tensor_of(input_x, "elu"))
    return where(greater(x, 0), x, mul(expm1(minimum(x, 0.0)), alpha))


def selu(input_x):
    """The self-normalising elu."""
    return mul(elu(input_x, SELU_ALPHA), SELU_SCALE)


def celu(x, alpha=1.0):
    """max(0, x) + min(0, alpha * (e^(x / alpha) - 1)).  Raises ValueError if alpha is 0."""
    if alpha == 0:
        raise shape_error("celu: alpha must not be 0")
    x = floating(tensor_of(x, "celu"))
    return where(greater(x, 0), x, mul(expm1(div(minimum(x, 0.0), alpha)), alpha))


def gelu(input, approximate="none"):
    """x times the normal distribution function of x; `approximate="tanh"`: by its tanh approximation.

    Raises ValueError for another approximation.
    """
    x = floating(tensor_of(input, "gelu"))
    if approximate == "none":
        return mul(mul(x, 0.5), add(erf(mul(x, math.sqrt(0.5))), 1.0))
    if approximate != "tanh":
        raise shape_error(f"gelu: approximate must be 'none' or 'tanh', got {approximate!r}")
    inner = mul(add(x, mul(pow(x, 3), 0.044715)), math.sqrt(2 / math.pi))
    return mul(mul(x, 0.5), add(tanh(inner), 1.0))


def fast_gelu(x):
    """x * sigmoid(1.702 * x)."""
    x = floating(tensor_of(x, "fast_gelu"))
    return mul(x, sigmoid(mul(x, 1.702)))


def silu(input):
    """x * sigmoid(x)."""
    x = floating(tensor_of(input, "silu"))
    return mul(x, sigmoid(x))


def mish(x):
    """x * tanh(softplus(x))."""
    x = floating(tensor_of(x, "mish"))
    return mul(x, tanh(softplus(x)))


def softplus(input, beta=1, threshold=20):
    """log(1 + e^(beta * x)) / beta, x itself where beta * x exceeds `threshold`."""
    x = floating(tensor_of(input, "softplus"))
    scaled = x if beta == 1 else mul(x, beta)
    smooth = add(maximum(scaled, 0.0), log1p(exp(neg(abs(scaled)))))
    smooth = smooth if beta == 1 else div(smooth, beta)
    return where(greater(scaled, threshold), x, smooth)


def logsigmoid(x):
    """log(sigmoid(x))."""
    x = floating(tensor_of(x, "logsigmoid"))
    return sub(minimum(x, 0.0), log1p(exp(neg(abs(x)))))


def softsign(x):
    """x / (1 + |x|)."""
    x = floating(tensor_of(x, "softsign"))
    return div(x, add(abs(x), 1.0))


def hardtanh(input, min_val=-1.0, max_val=1.0):
    """x limited to [min_val, max_val]."""
    return clamp(floating(tensor_of(input, "hardtanh")), min_val, max_val)


def hardsigmoid(input):
    """min(max((x + 3) / 6, 0), 1)."""
    x = floating(tensor_of(input, "hardsigmoid"))
    return clamp(add(mul(x, 1 / 6), 0.5), 0.0, 1.0)


def hardswish(input):
    """x * hardsigmoid(x)."""
    x = floating(tensor_of(input, "hardswish"))
    return mul(x, hardsigmoid(x))


def hardshrink(input, lambd=0.5):
    """x where |x| > lambd, else 0."""
    x = floating(tensor_of(input, "hardshrink"))
    return where(greater(abs(x), lambd), x, 0.0)


def softshrink(input, lambd=0.5):
    """x moved by `lambd` towards 0, 0 in between."""
    x = floating(tensor_of(input, "softshrink"))
    return mul(sign(x), maximum(sub(abs(x), lambd), 0.0))


soft_shrink = softshrink


def tanhshrink(input):
    """x - tanh(x)."""
    x = floating(tensor_of(input, "tanhshrink"))
    return sub(x, tanh(x))


def threshold(input, thr, value):
    """x where it exceeds `thr`, else `value`."""
    x = tensor_of(input, "threshold")
    return where(greater(x, thr), x, Tensor(value, x.dtype))


def _halves(x, axis, name):
    from graphcore.ops.functional.joining import window
    x = floating(tensor_of(x, name))
    axis = axis_of(axis, x.ndim, name)
    extent = x.shape[axis]
    if isinstance(extent, int) and extent % 2:
        raise shape_error(f"{name}: the size of axis {axis} must be even, got shape {x.shape}")
    return window(x, axis, 0, extent // 2), window(x, axis, extent // 2, extent // 2)


def glu(x, axis=-1):
    """The first half along `axis` times the sigmoid of the second.  Raises ShapeError if the size is odd."""
    first, second = _halves(x, axis, "glu")
    return mul(first, sigmoid(second))


def swiglu(input, dim=-1):
    """silu of the first half along `dim` times the second.  Raises ShapeError if the size is odd."""
    first, second = _halves(input, dim, "swiglu")
    return mul(silu(first), second)


# -- softmax and relatives ----------------------------------------------------------------------------------

def _shifted(x: Tensor, axis: int) -> Tensor:
    """`x` minus its maximum along `axis`; the shift cancels, so no gradient flows through it."""
    top = apply(records.max_, x, axes=(axis,), keepdims=True)
    return sub(x, apply(structural.stop_gradient, top))


def _along(x, axis, dtype, name):
    x = floating(tensor_of(x, name))
    if dtype is not None:
        x = cast(x, dt.as_dtype(dtype))
    return x, axis_of(axis, x.ndim, name)


@also_named(dim="axis")
def softmax(input, axis=-1, *, dtype=None):
    """e^x divided by its sum along `axis`.  Raises ShapeError for an axis out of range."""
    x, axis = _along(input, axis, dtype, "softmax")
    powers = exp(_shifted(widened(x), axis))
    return cast(div(powers, apply(records.sum_, powers, axes=(axis,), keepdims=True)), x.dtype)


@also_named(dim="axis", input="logits")
def log_softmax(logits, axis=-1):
    """log(softmax(x)), computed without loss of accuracy."""
    x, axis = _along(logits, axis, None, "log_softmax")
    shifted = _shifted(widened(x), axis)
    total = apply(records.sum_, exp(shifted), axes=(axis,), keepdims=True)
    return cast(sub(shifted, log(total)), x.dtype)


@also_named(dim="axis")
def softmin(x, axis=-1, *, dtype=None):
    """softmax(-x)."""
    return softmax(neg(floating(tensor_of(x, "softmin"))), axis, dtype=dtype)


def gumbel_softmax(logits, tau=1.0, hard=False, dim=-1):
    """softmax((logits + Gumbel noise) / tau); `hard`: a one-hot value with the gradient of the soft one."""
    from graphcore.ops.functional.creation import one_hot
    from graphcore.ops.functional.random import uniform_of
    from graphcore.ops.functional.reduction import argmax
    x, axis = _along(logits, dim, None, "gumbel_softmax")
    tiny = 1.1754943508222875e-38
    noise = neg(log(neg(log(maximum(uniform_of(x.shape), tiny)))))
    soft = softmax(div(add(x, cast(noise, x.dtype)), tau), axis)
    if not hard:
        return soft
    place = argmax(soft, axis)
    chosen = one_hot(place, x.shape[axis], Tensor(1, x.dtype), Tensor(0, x.dtype), axis)
    return add(apply(structural.stop_gradient, sub(chosen, soft)), soft)
