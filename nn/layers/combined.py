"""Layers that put several others or single functions into one Cell."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore import ops
from graphcore.errors import ShapeError
from graphcore.nn.arguments import boolean, positive_int
from graphcore.nn.cell import Cell
from graphcore.nn.layers.activation import LeakyReLU, get_activation
from graphcore.nn.layers.basic import Dense
from graphcore.nn.layers.conv import Conv2d
from graphcore.nn.layers.norm import BatchNorm1d, BatchNorm2d
from graphcore.tensor import Tensor

__all__ = ["Conv2dBnAct", "DenseBnAct", "MatMul", "Moments", "ReduceLogSumExp", "Range", "PixelShuffle",
           "PixelUnshuffle", "ChannelShuffle"]


def _activation(activation, alpha, owner):
    """The activation Cell or function for a name, Cell, function or None."""
    if activation == "leakyrelu":
        return LeakyReLU(alpha)
    made = get_activation(activation, owner) if isinstance(activation, str) else activation
    if made is not None and not callable(made):
        raise TypeError(f"{owner}: activation must be a name, a Cell or an operator, got {type(activation).__name__}")
    return made


class _WithNormAndActivation(Cell):
    """``activation(batchnorm(layer(x)))``, the last two if they are asked for."""

    def _add(self, norm, has_bn, activation, alpha, after_fake):
        self.has_bn = boolean(has_bn, "has_bn", self.cls_name)
        self.after_fake = boolean(after_fake, "after_fake", self.cls_name)
        if has_bn:
            self.batchnorm = norm()
        self.has_act = activation is not None
        self.activation = _activation(activation, alpha, self.cls_name)

    def finished(self, y):
        """`y` normalised and activated."""
        if self.has_bn:
            y = self.batchnorm(y)
        return self.activation(y) if self.has_act else y


class Conv2dBnAct(_WithNormAndActivation):
    """`Conv2d`, then `BatchNorm2d` if `has_bn`, then an activation if one is given; arguments as there.

    activation: a name, Cell or operator; alpha: the slope of "leakyrelu"; after_fake: accepted, without effect.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, pad_mode="same", padding=0, dilation=1,
                 group=1, has_bias=False, weight_init="normal", bias_init="zeros", has_bn=False, momentum=0.997,
                 eps=1e-5, activation=None, alpha=0.2, after_fake=True):
        super().__init__()
        self.conv = Conv2d(in_channels, out_channels, kernel_size, stride, pad_mode, padding, dilation, group, has_bias,
                           weight_init, bias_init)
        self._add(lambda: BatchNorm2d(out_channels, eps, momentum), has_bn, activation, alpha, after_fake)

    def construct(self, x):
        return self.finished(self.conv(x))


class DenseBnAct(_WithNormAndActivation):
    """`Dense`, then `BatchNorm1d` if `has_bn`, then an activation if one is given; arguments as in `Conv2dBnAct`."""

    def __init__(self, in_channels, out_channels, weight_init="normal", bias_init="zeros", has_bias=True, has_bn=False,
                 momentum=0.9, eps=1e-5, activation=None, alpha=0.2, after_fake=True):
        super().__init__()
        self.dense = Dense(in_channels, out_channels, weight_init, bias_init, has_bias)
        self._add(lambda: BatchNorm1d(out_channels, eps, momentum), has_bn, activation, alpha, after_fake)

    def construct(self, x):
        return self.finished(self.dense(x))


class MatMul(Cell):
    """The matrix product of x1 and x2, batched and broadcast, each transposed first if asked for."""

    def __init__(self, transpose_x1=False, transpose_x2=False):
        super().__init__()
        self.transpose_x1 = boolean(transpose_x1, "transpose_x1", self.cls_name)
        self.transpose_x2 = boolean(transpose_x2, "transpose_x2", self.cls_name)

    def construct(self, x1, x2):
        if self.transpose_x1 and len(x1.shape) > 1:
            x1 = ops.swapaxes(x1, -1, -2)
        if self.transpose_x2 and len(x2.shape) > 1:
            x2 = ops.swapaxes(x2, -1, -2)
        return ops.matmul(x1, x2)


class Moments(Cell):
    """(mean, variance) along `axis` (all axes for None), the variance divided by n."""

    def __init__(self, axis=None, keep_dims=None):
        super().__init__()
        self.axis = None if axis is None or axis == () else axis
        self.keep_dims = boolean(False if keep_dims is None else keep_dims, "keep_dims", self.cls_name)

    def construct(self, x):
        variance, mean = ops.var_mean(x, self.axis, 0, self.keep_dims)
        return mean, variance


class ReduceLogSumExp(Cell):
    """``log(sum(exp(x)))`` along `axis` (all axes for ()), without overflow."""

    def __init__(self, axis, keep_dims=False):
        super().__init__()
        self.axis, self.keep_dims = axis, boolean(keep_dims, "keep_dims", self.cls_name)

    def construct(self, x):
        axis = tuple(range(len(x.shape))) if self.axis == () else self.axis
        return ops.logsumexp(x, axis, self.keep_dims)


class Range(Cell):
    """The numbers from `start` up to `limit` in steps of `delta`: int32, or float32 if one of them is a float."""

    def __init__(self, start, limit=None, delta=1):
        super().__init__()
        if delta == 0:
            raise ValueError("Range: delta must not be 0")
        numbers = np.arange(start, limit, delta)
        self.result_tensor = Tensor(numbers, dt.float32 if numbers.dtype == np.float64 else dt.int32)

    def construct(self):
        return self.result_tensor


class PixelShuffle(Cell):
    """(..., C * r * r, H, W) as (..., C, H * r, W * r), r the upscale factor."""

    def __init__(self, upscale_factor):
        super().__init__()
        self.upscale_factor = positive_int(upscale_factor, "upscale_factor", self.cls_name)

    def construct(self, input):
        return ops.pixel_shuffle(input, self.upscale_factor)


class PixelUnshuffle(Cell):
    """(..., C, H * r, W * r) as (..., C * r * r, H, W), r the downscale factor."""

    def __init__(self, downscale_factor):
        super().__init__()
        self.downscale_factor = positive_int(downscale_factor, "downscale_factor", self.cls_name)

    def construct(self, input):
        return ops.pixel_unshuffle(input, self.downscale_factor)


class ChannelShuffle(Cell):
    """The channels of (N, C, ...) in `groups` groups, dealt out one from each group in turn."""

    def __init__(self, groups):
        super().__init__()
        self.groups = positive_int(groups, "groups", self.cls_name)

    def construct(self, x):
        if len(x.shape) < 3 or x.shape[1] % self.groups:
            raise ShapeError(f"ChannelShuffle of {self.groups} groups takes (N, C, ...) with C divisible by it, got "
                             f"shape {tuple(x.shape)}")
        return ops.channel_shuffle(x, self.groups)
