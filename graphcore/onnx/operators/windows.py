"""Convolutions and pooling, over one, two or three axes."""
from __future__ import annotations

import math

import numpy as np

from graphcore import dtype as dt
from graphcore.ir.dims import Dim
from graphcore.onnx.operators.matrices import requantized
from graphcore.onnx.table import operator
from graphcore.onnx.values import lowest, room
from graphcore.ops import functional as F
from graphcore.ops import linear, pooling
from graphcore.ops.dispatch import apply
from graphcore.ops.functional.convolution import transposed, transposed3d
from graphcore.ops.functional.padding import zero_padded
from graphcore.ops.functional.pooling import max_places
from graphcore.tensor import Tensor


def _per_axis(given, count: int, default: int = 1) -> tuple:
    values = tuple(given) if given else (default,) * count
    if len(values) != count:
        raise ValueError(f"{list(values)} must have an entry for each of {count} axes")
    return values


def _sides(extents, kernel, stride, dilation, auto_pad: str, pads) -> list:
    """(before, after) of each axis; negative where that is asked for."""
    count = len(extents)
    if auto_pad == "NOTSET":
        flat = _per_axis(pads, 2 * count, 0)
        return list(zip(flat[:count], flat[count:]))
    if auto_pad == "VALID":
        return [(0, 0)] * count
    if auto_pad not in ("SAME_UPPER", "SAME_LOWER"):
        raise ValueError(f"unknown auto_pad {auto_pad!r}")
    sides = []
    for n, k, s, d in zip(extents, kernel, stride, dilation):
        reach = d * (k - 1) + 1
        if isinstance(n, Dim) and s != 1:
            raise ValueError(f"auto_pad {auto_pad} with stride {s} on an axis of symbolic size {n}")
        total = reach - 1 if s == 1 else max((-(-n // s) - 1) * s + reach - n, 0)
        less, more = total // 2, total - total // 2
        sides.append((less, more) if auto_pad == "SAME_UPPER" else (more, less))
    return sides


def _as_images(x: Tensor) -> Tensor:
    """[N, C, L] as images of height 1."""
    return F.expand_dims(x, 2) if x.ndim == 3 else x


def _check_rank(x: Tensor, name: str) -> int:
    if not 3 <= x.ndim <= 5:
        raise ValueError(f"{name} of a tensor of shape {x.shape}; known are [N, C, ...] with one to three more axes")
    return x.ndim - 2


def _plus(y: Tensor, bias) -> Tensor:
    return y if bias is None else F.add(y, F.reshape(bias, (-1, *(1,) * (y.ndim - 2))))


# -- convolutions -----------------------------------------------------------------------------------------------

@operator("Conv", 1)
def conv(x, w, bias=None, *, auto_pad="NOTSET", dilations=None, group=1, kernel_shape=None, pads=None, strides=None):
    axes = _check_rank(x, "Conv")
    _check_kernel(w, kernel_shape, axes)
    stride, dilation = _per_axis(strides, axes), _per_axis(dilations, axes)
    sides = _sides(x.shape[2:], w.shape[2:], stride, dilation, auto_pad, pads)
    if any(n < 0 for side in sides for n in side):
        x = zero_padded(x, (0, 0, *(min(b, 0) for b, _ in sides)), (0, 0, *(min(a, 0) for _, a in sides)))
        sides = [(max(b, 0), max(a, 0)) for b, a in sides]
    room((*x.shape[:2], *(n + b + a for n, (b, a) in zip(x.shape[2:], sides))), "Conv")
    if axes == 3:
        flat = tuple(n for side in sides for n in side)
        return F.conv3d(x, w, bias, stride, "pad", flat, dilation, group)
    lead = (1,) * (2 - axes)
    y = apply(linear.conv2d, _as_images(x), _as_images(w), stride=lead + stride, dilation=lead + dilation,
              pad=(0, 0) * (2 - axes) + tuple(n for side in sides for n in side), groups=group)
    return _plus(F.squeeze(y, 2) if axes == 1 else y, bias)


def _check_kernel(w: Tensor, kernel_shape, axes: int) -> None:
    if w.ndim != axes + 2 or kernel_shape is not None and tuple(kernel_shape) != w.shape[2:]:
        raise ValueError(f"the weight of shape {w.shape} does not fit {axes} axes and kernel_shape={kernel_shape}")


@operator("ConvTranspose", 1)
def conv_transpose(x, w, bias=None, *, auto_pad="NOTSET", dilations=None, group=1, kernel_shape=None,
                   output_padding=None, output_shape=None, pads=None, strides=None):
    axes = _check_rank(x, "ConvTranspose")
    _check_kernel(w, kernel_shape, axes)
    stride, dilation = _per_axis(strides, axes), _per_axis(dilations, axes)
    extra = _per_axis(output_padding, axes, 0)
    full = [s * (n - 1) + d * (k - 1) + 1 for n, k, s, d in zip(x.shape[2:], w.shape[2:], stride, dilation)]
    wanted = output_shape[-axes:] if output_shape else None
    if wanted is None and auto_pad.startswith("SAME"):
        wanted = [n * s for n, s in zip(x.shape[2:], stride)]
    if wanted is None:
        sides = _sides(x.shape[2:], w.shape[2:], stride, dilation, auto_pad, pads)
    else:
        sides = []
        for total in (f + e - n for f, e, n in zip(full, extra, wanted)):
            less, more = total // 2, total - total // 2
            sides.append((less, more) if auto_pad == "SAME_UPPER" else (more, less))
    room((x.shape[0], w.shape[1] * group, *full), "ConvTranspose")
    # the whole is made first, and then cut and continued with zeros
    plain = tuple(0 for _ in range(2 * max(axes, 2)))
    if axes == 3:
        y = transposed3d(x, w, stride, plain, dilation, group)
    else:
        lead = (1,) * (2 - axes)
        cut = _plain_cut(sides, extra) if axes == 2 else None
        y = transposed(_as_images(x), _as_images(w), lead + stride, cut or plain, lead + dilation, group)
        if cut:
            return _plus(y, bias)
        y = F.squeeze(y, 2) if axes == 1 else y
    y = zero_padded(y, (0, 0, *(-b for b, _ in sides)), (0, 0, *(e - a for (_, a), e in zip(sides, extra))))
    return _plus(y, bias)


def _plain_cut(sides, extra) -> tuple | None:
    """(top, bottom, left, right) where the operator itself can cut so; None otherwise."""
    flat = tuple(n for side in sides for n in side)
    return flat if min(flat) >= 0 and not any(extra) else None


# -- pooling ----------------------------------------------------------------------------------------------------

def _windows(name: str, x: Tensor, kernel_shape, strides, dilations, auto_pad, pads, ceil_mode) -> tuple:
    """(kernel, stride, dilation, sides, what ceil_mode adds behind) of a pooling operator."""
    axes = _check_rank(x, name)
    kernel, stride, dilation = _per_axis(kernel_shape, axes), _per_axis(strides, axes), _per_axis(dilations, axes)
    if min(*kernel, *stride, *dilation) < 1:
        raise ValueError("kernel, strides and dilations are at least 1")
    sides = _sides(x.shape[2:], kernel, stride, dilation, auto_pad, pads)
    if any(n < 0 for side in sides for n in side):
        raise ValueError(f"negative padding {sides}")
    room((*x.shape[:2], *(n + b + a for n, (b, a) in zip(x.shape[2:], sides))), name)
    more = [0] * axes
    if ceil_mode:
        more = [_overhang(*given) for given in zip(x.shape[2:], kernel, stride, dilation, sides)]
    return kernel, stride, dilation, sides, more


def _overhang(extent, kernel, stride, dilation, side) -> int:
    """How much padding the last window of the ceil mode needs; a window never starts in the padding behind."""
    if isinstance(extent, Dim):
        raise ValueError(f"ceil_mode on an axis of symbolic size {extent}")
    span = extent + sum(side) - dilation * (kernel - 1) - 1
    count = -(-span // stride) + 1
    if (count - 1) * stride >= extent + side[0]:
        count -= 1
    return max((count - 1) * stride - span, 0)


def _by_pairs(x: Tensor, kernel, stride, dilation, sides, pool) -> Tensor:
    """Pooling that is separable: over the last two axes, then over the one before them.

    pool: takes images [N, C, H, W] and pairs (kernel, stride, dilation) and pads (top, bottom, left, right).
    """
    axes = x.ndim - 2
    if axes == 1:
        y = pool(F.expand_dims(x, 2), (1, *kernel), (1, *stride), (1, *dilation), (0, 0, *sides[0]))
        return F.squeeze(y, 2)
    if axes == 2:
        return pool(x, kernel, stride, dilation, (*sides[0], *sides[1]))
    n, c, depth, *image = x.shape
    y = pool(F.reshape(x, (n, c * depth, *image)), kernel[1:], stride[1:], dilation[1:], (*sides[1], *sides[2]))
    height, width = y.shape[2:]
    y = pool(F.reshape(y, (n, c, depth, height * width)), (kernel[0], 1), (stride[0], 1), (dilation[0], 1),
             (*sides[0], 0, 0))
    return F.reshape(y, (n, c, y.shape[2], height, width))


def _max_images(x, kernel, stride, dilation, pad) -> Tensor:
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation)]
    if any(p >= r for p, r in zip(pad, np.repeat(reach, 2))):       # windows that lie in the padding altogether
        x = zero_padded(x, (0, 0, pad[0], pad[2]), (0, 0, pad[1], pad[3]), lowest(x.dtype))
        pad = (0, 0, 0, 0)
    return apply(pooling.max_pool2d, x, kernel=tuple(kernel), stride=tuple(stride), pad=tuple(pad),
                 dilation=tuple(dilation))


@operator("MaxPool", 1)
def max_pool(x, *, kernel_shape, auto_pad="NOTSET", ceil_mode=0, dilations=None, pads=None, storage_order=0,
             strides=None, outputs):
    """(maxima, their int64 places in the whole tensor); the places of windows over one or two axes only."""
    kernel, stride, dilation, sides, more = _windows("MaxPool", x, kernel_shape, strides, dilations, auto_pad, pads,
                                                     ceil_mode)
    padded = [(b, a + m) for (b, a), m in zip(sides, more)]
    y = _by_pairs(x, kernel, stride, dilation, padded, _max_images)
    if outputs == 1:
        return y
    if len(kernel) > 2:
        raise ValueError("the output Indices of windows over three axes is not supported")
    lead = (1,) * (2 - len(kernel))
    pad = (0, 0) * (2 - len(kernel)) + tuple(n for side in padded for n in side)
    images, pooled = _as_images(x), _as_images(y)
    places = max_places(images, pooled, lead + kernel, lead + stride, pad, lead + dilation)
    height, width = images.shape[2:]
    if storage_order:
        places = F.add(F.mul(F.floor_mod(places, width), height), F.floor_div(places, width))
    numbers = np.arange(x.shape[0] * x.shape[1]).reshape(x.shape[0], x.shape[1], 1, 1) * (height * width)
    return y, F.reshape(F.add(places, Tensor(numbers)), y.shape)


def _sum_images(x, kernel, stride, dilation, pad) -> Tensor:
    """Sums over windows: a convolution of every channel by itself with ones."""
    n, c, h, w = x.shape
    ones = Tensor(np.ones((1, 1, *kernel)), x.dtype)
    y = apply(linear.conv2d, F.reshape(x, (n * c, 1, h, w)), ones, stride=tuple(stride), pad=tuple(pad),
              dilation=tuple(dilation), groups=1)
    return F.reshape(y, (n, c, *y.shape[2:]))


def _counts(extents, kernel, stride, dilation, sides, more, with_padding: bool) -> np.ndarray:
    """How many elements each window has: of the tensor, or (with_padding) also of what was padded on demand."""
    total = np.ones(())
    for n, k, s, d, (before, after), beyond in zip(extents, kernel, stride, dilation, sides, more):
        windows = (n + before + after + beyond - d * (k - 1) - 1) // s + 1
        places = np.arange(windows)[:, None] * s + np.arange(k) * d
        first, last = (0, n + before + after) if with_padding else (before, before + n)
        total = np.multiply.outer(total, ((places >= first) & (places < last)).sum(1))
    return total


@operator("AveragePool", 1)
def average_pool(x, *, kernel_shape, auto_pad="NOTSET", ceil_mode=0, count_include_pad=0, dilations=None, pads=None,
                 strides=None):
    kernel, stride, dilation, sides, more = _windows("AveragePool", x, kernel_shape, strides, dilations, auto_pad, pads,
                                                     ceil_mode)
    padded = [(b, a + m) for (b, a), m in zip(sides, more)]
    plain = set(dilation) == {1} and not any(more) and all(max(side) < k for side, k in zip(sides, kernel))
    if len(kernel) <= 2 and plain:
        return _by_pairs(x, kernel, stride, dilation, sides, lambda x, kernel, stride, _, pad: apply(
            pooling.avg_pool2d, x, kernel=tuple(kernel), stride=tuple(stride), pad=tuple(pad),
            count_include_pad=bool(count_include_pad), divisor_override=None))
    total = _by_pairs(x, kernel, stride, dilation, padded, _sum_images)
    if not any(b or a for b, a in padded):
        return F.div(total, float(math.prod(kernel)))
    if any(isinstance(n, Dim) for n in x.shape[2:]):
        raise ValueError(f"padding of axes of symbolic size in {x.shape}")
    return F.div(total, Tensor(_counts(x.shape[2:], kernel, stride, dilation, sides, more, bool(count_include_pad)),
                               x.dtype))


@operator("LpPool", 2)
def lp_pool(x, *, kernel_shape, auto_pad="NOTSET", ceil_mode=0, dilations=None, p=2, pads=None, strides=None):
    """(sum of |x|^p)^(1/p) of each window."""
    kernel, stride, dilation, sides, more = _windows("LpPool", x, kernel_shape, strides, dilations, auto_pad, pads,
                                                     ceil_mode)
    padded = [(b, a + m) for (b, a), m in zip(sides, more)]
    powers = F.square(x) if p == 2 else F.pow(F.abs(x), float(p))
    total = _by_pairs(powers, kernel, stride, dilation, padded, _sum_images)
    return F.sqrt(total) if p == 2 else F.pow(total, 1.0 / p)


def _spatial(x: Tensor) -> tuple:
    return tuple(range(2, x.ndim))


@operator("GlobalAveragePool", 1)
def global_average_pool(x):
    return F.mean(x, _spatial(x), True)


@operator("GlobalMaxPool", 1)
def global_max_pool(x):
    return F.amax(x, _spatial(x), True)


@operator("GlobalLpPool", 2)
def global_lp_pool(x, *, p=2):
    total = F.sum(F.pow(F.abs(x), float(p)), _spatial(x), True)
    return F.pow(total, 1.0 / p)


@operator("ConvInteger", 10)
def conv_integer(x, w, x_zero=None, w_zero=None, *, auto_pad="NOTSET", dilations=None, group=1, kernel_shape=None,
                 pads=None, strides=None):
    """The int32 convolution of 8-bit tensors less their zero points, exact as long as sums stay below 2^53."""
    wide = [F.cast(t, dt.float64) for t in (x, w)]
    if x_zero is not None:
        wide[0] = wide[0] - F.cast(x_zero, dt.float64)
    if w_zero is not None:
        zero = F.cast(w_zero, dt.float64)
        wide[1] = wide[1] - (F.reshape(zero, (-1, *(1,) * (w.ndim - 1))) if zero.ndim else zero)
    return F.cast(conv(*wide, auto_pad=auto_pad, dilations=dilations, group=group, kernel_shape=kernel_shape,
                       pads=pads, strides=strides), dt.int32)


@operator("QLinearConv", 10)
def qlinear_conv(x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero, bias=None, *, auto_pad="NOTSET",
                 dilations=None, group=1, kernel_shape=None, pads=None, strides=None):
    """The convolution of quantised tensors, quantised again; the int32 bias has the scale x_scale * w_scale."""
    total = conv_integer(x, w, x_zero, w_zero, auto_pad=auto_pad, dilations=dilations, group=group,
                         kernel_shape=kernel_shape, pads=pads, strides=strides)
    factor = F.reshape(x_scale * w_scale / y_scale, (1, -1, *(1,) * (x.ndim - 2)))
    return requantized(F.cast(_plus(total, bias), dt.float32) * factor, y_zero)
