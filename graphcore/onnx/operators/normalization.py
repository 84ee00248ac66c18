"""Normalisation by means and norms."""
from __future__ import annotations

from graphcore.onnx.package import UnsupportedOnnxError
from graphcore.onnx.table import operator
from graphcore.onnx.values import axis_of
from graphcore.ops import functional as F
from graphcore.ops.functional.arguments import widened
from graphcore.tensor import Tensor


def _channels(v: Tensor, x: Tensor) -> Tensor:
    """A value for each channel, so that it broadcasts along axis 1."""
    return F.reshape(v, (-1, *(1,) * (x.ndim - 2)))


def _standard(x: Tensor, axes: tuple, epsilon: float) -> tuple:
    """((x - mean) / sqrt(variance + epsilon), mean, 1 / sqrt(variance + epsilon)) over axes, in float32 or wider."""
    wide = widened(x)
    mean = F.mean(wide, axes, True)
    away = wide - mean
    inverse = F.rsqrt(F.mean(F.square(away), axes, True) + epsilon)
    return away * inverse, mean, inverse


@operator("BatchNormalization", 7)
def batch_norm_of_inference(x, scale, bias, mean, var, *, epsilon=1e-5, momentum=0.9, spatial=1, outputs):
    if outputs > 1 or not spatial:
        raise UnsupportedOnnxError("before opset 14 only inference with one mean for each channel is supported")
    return _normalised(x, scale, bias, mean, var, epsilon)


def _normalised(x, scale, bias, mean, var, epsilon) -> Tensor:
    factor = F.mul(scale, F.rsqrt(F.add(var, epsilon)))
    y = F.add(F.mul(F.sub(x, _channels(F.cast(mean, x.dtype), x)), _channels(F.cast(factor, x.dtype), x)),
              _channels(F.cast(bias, x.dtype), x))
    return y


@operator("BatchNormalization", 14)
def batch_norm(x, scale, bias, mean, var, *, epsilon=1e-5, momentum=0.9, training_mode=0):
    """In training mode also the new running mean and variance: momentum * old + (1 - momentum) * of the batch."""
    if not training_mode:
        return _normalised(x, scale, bias, mean, var, epsilon)
    axes = tuple(i for i in range(x.ndim) if i != 1)
    now = F.mean(x, axes)
    spread = F.mean(F.square(x - _channels(now, x)), axes)
    return (_normalised(x, scale, bias, now, spread, epsilon), mean * momentum + now * (1 - momentum),
            var * momentum + spread * (1 - momentum))


@operator("InstanceNormalization", 6)
def instance_norm(x, scale, bias, *, epsilon=1e-5):
    y = F.cast(_standard(x, tuple(range(2, x.ndim)), epsilon)[0], x.dtype)
    return y * _channels(scale, x) + _channels(bias, x)


@operator("GroupNormalization", 18)
def group_norm_by_group(x, scale, bias, *, num_groups, epsilon=1e-5):
    """With a scale and a bias for each group, as it was at first."""
    each = x.shape[1] // num_groups
    return group_norm(x, *(F.repeat_interleave(v, each, 0) for v in (scale, bias)), num_groups=num_groups,
                      epsilon=epsilon)


@operator("GroupNormalization", 21)
def group_norm(x, scale, bias, *, num_groups, epsilon=1e-5, stash_type=1):
    n, c, *rest = x.shape
    grouped = F.reshape(x, (n, num_groups, c // num_groups, *rest))
    y = _standard(grouped, tuple(range(2, grouped.ndim)), epsilon)[0]
    return F.reshape(F.cast(y, x.dtype), x.shape) * _channels(scale, x) + _channels(bias, x)


@operator("LayerNormalization", 17)
def layer_norm(x, scale, bias=None, *, axis=-1, epsilon=1e-5, stash_type=1):
    """(normalised over the axes from `axis` on, the means, the inverse deviations)."""
    axes = tuple(range(axis_of(axis, x.ndim), x.ndim))
    y, mean, inverse = _standard(x, axes, epsilon)
    y = F.cast(y, x.dtype) * scale
    return (y if bias is None else y + bias), mean, inverse


@operator("RMSNormalization", 23)
def rms_norm(x, scale, *, axis=-1, epsilon=1e-5, stash_type=1):
    axes = tuple(range(axis_of(axis, x.ndim), x.ndim))
    wide = widened(x)
    return F.cast(wide * F.rsqrt(F.mean(F.square(wide), axes, True) + epsilon), x.dtype) * scale


@operator("MeanVarianceNormalization", 9)
def mean_variance(x, *, axes=(0, 2, 3)):
    away = x - F.mean(x, tuple(axes), True)
    return away / (F.sqrt(F.mean(F.square(away), tuple(axes), True)) + 1e-9)


@operator("LpNormalization", 1)
def lp_norm(x, *, axis=-1, p=2):
    """x divided by its norm along the axis, 0 where that is 0."""
    if p not in (1, 2):
        raise ValueError(f"p must be 1 or 2, got {p}")
    norm = F.sum(F.abs(x), axis, True) if p == 1 else F.sqrt(F.sum(F.square(x), axis, True))
    return F.where(F.equal(norm, 0), 0.0, x / F.where(F.equal(norm, 0), 1.0, norm))


@operator("LRN", 1)
def local_response(x, *, size, alpha=0.0001, beta=0.75, bias=1.0):
    """x / (bias + alpha / size * sum of the squares of `size` channels around)^beta."""
    before, channels = (size - 1) // 2, x.shape[1]
    squares = F.moveaxis(F.square(x), 1, -1)
    padded = F.pad(squares, (before, size - 1 - before))
    total = padded[..., :channels]
    for k in range(1, size):
        total = total + padded[..., k:k + channels]
    return x / F.pow(F.moveaxis(total, -1, 1) * (alpha / size) + bias, beta)
