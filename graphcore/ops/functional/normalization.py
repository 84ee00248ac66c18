"""Normalisation and dropout.

Statistics are computed in float32 at least; results keep the dtype of the input.
"""
from __future__ import annotations

from graphcore.ops import pointwise as pw
from graphcore.ops import reduction as records
from graphcore.ops.functional.arguments import (
    Tensor,
    also_named,
    apply,
    axes_of,
    cast,
    dt,
    floating,
    full_of,
    ints_of,
    shape_error,
    size_as_tensor,
    tensor_of,
    widened,
)
from graphcore.ops.functional.arithmetic import add, div, maximum, mul, pow, sub
from graphcore.ops.functional.communication import all_reduce
from graphcore.ops.functional.comparison import where
from graphcore.ops.functional.elementary import rsqrt, square
from graphcore.ops.functional.joining import window
from graphcore.ops.functional.padding import zero_padded
from graphcore.ops.functional.random import uniform_of
from graphcore.ops.functional.reduction import count_of, divided_by_count, moments
from graphcore.ops.functional.shaping import reshape
from graphcore.ops.transport import group_size

__all__ = [
    "batch_norm", "instance_norm", "layer_norm", "group_norm", "rms_norm", "lrn", "dropout", "dropout1d",
    "dropout2d", "dropout3d",
]


def _scaled(x: Tensor, weight, bias, shape) -> Tensor:
    """x * weight + bias, both reshaped to `shape`; None leaves one out."""
    if weight is not None:
        x = mul(x, reshape(weight, shape))
    return x if bias is None else add(x, reshape(bias, shape))


# -- batches ----------------------------------------------------------------------------------------------

def _channels(name, x, *vectors) -> tuple:
    if x.ndim < 2:
        raise shape_error(f"{name} takes a tensor [N, C, ...], got shape {x.shape}")
    for v in vectors:
        if v is not None and tensor_of(v, name).shape != (x.shape[1],):
            raise shape_error(f"{name}: statistics, weight and bias have one entry for each of {x.shape[1]} channels, "
                              f"got shape {v.shape}")
    return tuple(s if i == 1 else 1 for i, s in enumerate(x.shape))


def batch_norm_inference(x, running_mean, running_var, weight=None, bias=None, eps=1e-5):
    """(x - running_mean) / sqrt(running_var + eps) * weight + bias, for each channel (axis 1)."""
    x = floating(tensor_of(x, "batch_norm"))
    shape = _channels("batch_norm", x, running_mean, running_var, weight, bias)
    scale = rsqrt(add(reshape(running_var, shape), eps))
    return cast(_scaled(mul(sub(widened(x), reshape(running_mean, shape)), scale), weight, bias, shape), x.dtype)


def batch_norm_training(x, running_mean, running_var, weight=None, bias=None, momentum=0.1, eps=1e-5,
                        group=None) -> tuple:
    """(normalised x, new running mean, new running variance).

    x is normalised by the mean and variance over all axes but the channels (axis 1); the running statistics move by
    `momentum` towards them (the variance divided by n - 1).  They may be None, and are then returned as None.
    group: processes whose batches, all of one size, are taken together; None: this one's alone.
    """
    x = floating(tensor_of(x, "batch_norm"))
    shape = _channels("batch_norm", x, running_mean, running_var, weight, bias)
    axes = tuple(i for i in range(x.ndim) if i != 1)
    processes = 1 if group is None else group_size(group)
    variance, centre = moments(x, axes) if processes == 1 else _moments_of_all(x, axes, group, processes)
    y = _scaled(mul(sub(widened(x), centre), rsqrt(add(variance, eps))), weight, bias, shape)
    count = count_of(x, axes) * processes
    if isinstance(count, int):
        unbiased = mul(variance, count / (count - 1)) if count > 1 else variance
    else:
        others = maximum(size_as_tensor(count - 1), 1)
        unbiased = add(variance, div(variance, others))
    vector = (x.shape[1],)
    new_mean = _moved(running_mean, reshape(centre, vector), momentum)
    return cast(y, x.dtype), new_mean, _moved(running_var, reshape(unbiased, vector), momentum)


def _moments_of_all(x, axes, group, processes) -> tuple:
    """(variance, mean) of the batches of all processes of a group: the variance about the mean of all."""
    def average(values):
        own = divided_by_count(apply(records.sum_, values, axes=axes, keepdims=True), count_of(x, axes) * processes)
        return all_reduce(own, "sum", group)

    x = widened(x)
    centre = average(x)
    return average(square(sub(x, centre))), centre


def _moved(running, value, momentum):
    return None if running is None else cast(add(mul(running, 1.0 - momentum), mul(value, momentum)), running.dtype)


def batch_norm(input_x, running_mean, running_var, weight, bias, training=False, momentum=0.1, eps=1e-05):
    """Batch normalisation of [N, C, ...] for each channel.

    In training the statistics of the batch are used, and running_mean and running_var, where they are Parameters, move
    towards them; otherwise the running statistics are used.  Raises ShapeError if a vector does not fit the channels.
    """
    if not training:
        return batch_norm_inference(input_x, running_mean, running_var, weight, bias, eps)
    return batch_norm_of_group(input_x, running_mean, running_var, weight, bias, momentum, eps)


def batch_norm_of_group(x, running_mean, running_var, weight, bias, momentum, eps, group=None):
    """`batch_norm` in training, with the statistics of the batches of all processes of a group."""
    from graphcore.ops.state import assign
    from graphcore.parameter import Parameter
    y, *new = batch_norm_training(x, running_mean, running_var, weight, bias, momentum, eps, group)
    for running, value in zip((running_mean, running_var), new):
        if isinstance(running, Parameter):
            assign(running, value)
    return y


def instance_norm(x, weight=None, bias=None, eps=1e-5):
    """Each channel of each sample of [N, C, ...] normalised by its own mean and variance."""
    x = floating(tensor_of(x, "instance_norm"))
    shape = _channels("instance_norm", x, weight, bias)
    variance, centre = moments(x, tuple(range(2, x.ndim)))
    return cast(_scaled(mul(sub(widened(x), centre), rsqrt(add(variance, eps))), weight, bias, shape), x.dtype)


# -- layers and groups --------------------------------------------------------------------------------------

def layer_norm(input, normalized_shape, weight=None, bias=None, eps=1e-05):
    """Normalised by mean and variance over the last axes, whose sizes `normalized_shape` gives.

    weight, bias: of that shape.  Raises ShapeError if the shapes do not fit.
    """
    x, shape = floating(tensor_of(input, "layer_norm")), ints_of(normalized_shape, "layer_norm: normalized_shape")
    if not shape or x.shape[-len(shape):] != shape:
        raise shape_error(f"layer_norm: normalized_shape {shape} does not end the shape {x.shape}")
    return layer_norm_with_statistics(x, x.ndim - len(shape), weight, bias, eps)[0]


def layer_norm_with_statistics(x: Tensor, first_axis: int, weight, bias, eps) -> tuple:
    """(normalised x, mean, variance) over the axes from `first_axis` on."""
    for v in (weight, bias):
        if v is not None and x.shape[x.ndim - v.ndim:] != v.shape:
            raise shape_error(f"layer_norm: weight and bias end the shape {x.shape}, got {v.shape}")
    variance, centre = moments(x, tuple(range(first_axis, x.ndim)))
    y = mul(sub(widened(x), centre), rsqrt(add(variance, eps)))
    y = y if weight is None else mul(y, weight)
    return cast(y if bias is None else add(y, bias), x.dtype), centre, variance


def group_norm(input, num_groups, weight=None, bias=None, eps=1e-05):
    """The channels of [N, C, ...] in groups, each normalised by its mean and variance.

    Raises ShapeError if the groups do not divide the channels.
    """
    x = floating(tensor_of(input, "group_norm"))
    shape = _channels("group_norm", x, weight, bias)
    n, c, *rest = x.shape
    if num_groups <= 0 or c % num_groups:
        raise shape_error(f"group_norm: {c} channels cannot be divided into {num_groups} groups")
    grouped = reshape(x, (n, num_groups, c // num_groups, *rest))
    variance, centre = moments(grouped, tuple(range(2, grouped.ndim)))
    y = mul(sub(widened(grouped), centre), rsqrt(add(variance, eps)))
    return cast(_scaled(reshape(y, x.shape), weight, bias, shape), x.dtype)


def rms_norm(x, gamma, epsilon=1e-06):
    """(x / rms * gamma, 1 / rms), rms the root of the mean square over the axes of `gamma` plus epsilon."""
    x = floating(tensor_of(x, "rms_norm"))
    if x.shape[x.ndim - gamma.ndim:] != gamma.shape:
        raise shape_error(f"rms_norm: gamma of shape {gamma.shape} does not end the shape {x.shape}")
    axes = tuple(range(x.ndim - gamma.ndim, x.ndim))
    wide = widened(x)
    total = apply(records.sum_, square(wide), axes=axes, keepdims=True)
    scale = rsqrt(add(divided_by_count(total, count_of(x, axes)), epsilon))
    return cast(mul(mul(wide, scale), gamma), x.dtype), scale


def l2_normalize(x, axis=0, epsilon=1e-4):
    """x / sqrt(max(sum of squares along `axis`, epsilon))."""
    x = floating(tensor_of(x, "l2_normalize"))
    total = apply(records.sum_, square(widened(x)), axes=axes_of(axis, x.ndim, "l2_normalize"), keepdims=True)
    return cast(mul(widened(x), rsqrt(maximum(total, epsilon))), x.dtype)


def lrn(x, depth_radius=5, bias=1.0, alpha=1.0, beta=0.5, norm_region="ACROSS_CHANNELS"):
    """x / (bias + alpha * sum of squares of the channels within `depth_radius`)^beta, for [N, C, H, W]."""
    x = floating(tensor_of(x, "lrn"))
    squares, r, c = square(x), depth_radius, x.shape[1]
    around = (0, r, 0, 0)
    wide = zero_padded(squares, around, around)
    total = window(wide, 1, 0, c)
    for shift in range(1, 2 * r + 1):
        total = add(total, window(wide, 1, shift, c))
    return mul(x, pow(add(mul(total, alpha), bias), -beta))


# -- dropout ----------------------------------------------------------------------------------------------

def _dropped(x: Tensor, shape: tuple, p: float, seed) -> Tensor:
    """`x` with elements set to 0 with probability p, drawn in a `shape` that broadcasts; the others scaled."""
    if p == 1:
        return full_of(x.shape, 0, x.dtype)
    kept = apply(pw.ge, uniform_of(shape, seed), Tensor(p, dt.float32))
    return mul(x, where(kept, Tensor(1 / (1 - p), x.dtype), Tensor(0, x.dtype)))


def _probability(name, p) -> float:
    if not isinstance(p, (int, float)) or isinstance(p, bool) or not 0 <= p <= 1:
        raise shape_error(f"{name}: p is the probability of dropping, between 0 and 1, got {p!r}")
    return float(p)


@also_named(x="input")
def dropout(input, p=0.5, training=True, seed=None):
    """In training, elements become 0 with probability p and the others are divided by 1 - p; otherwise `input` itself.

    Raises ValueError unless 0 <= p <= 1.
    """
    x, p = floating(tensor_of(input, "dropout")), _probability("dropout", p)
    return _dropped(x, x.shape, p, seed) if training and p else x


def _whole_channels(name, input, p, training, ranks):
    x, p = floating(tensor_of(input, name)), _probability(name, p)
    if x.ndim not in ranks:
        raise shape_error(f"{name} takes a tensor of {ranks[0]} or {ranks[-1]} axes, got shape {x.shape}")
    kept = x.shape[:x.ndim - ranks[0] + 1]
    return _dropped(x, kept + (1,) * (x.ndim - len(kept)), p, None) if training and p else x


def dropout1d(input, p=0.5, training=True):
    """Drops whole channels of [N, C, L] or [C, L]."""
    return _whole_channels("dropout1d", input, p, training, (2, 3))


def dropout2d(input, p=0.5, training=True):
    """Drops whole channels of [N, C, H, W] or [C, H, W]."""
    return _whole_channels("dropout2d", input, p, training, (3, 4))


def dropout3d(input, p=0.5, training=True):
    """Drops whole channels of [N, C, D, H, W] or [C, D, H, W]."""
    return _whole_channels("dropout3d", input, p, training, (4, 5))
