"""Convolutions.  pad_mode is "valid" (no padding), "same" (the size divided by the stride) or "pad" (as given)."""
from __future__ import annotations

from graphcore.ops import channels_last, linear  # noqa: F401  (the first one's operators are the compiler's)
from graphcore.ops import view as records
from graphcore.ops.functional.arguments import Dim, Tensor, apply, floating, ints_of, same_dtype, shape_error, tensor_of
from graphcore.ops.functional.arithmetic import add
from graphcore.ops.functional.padding import pair_of, zero_padded
from graphcore.ops.functional.shaping import expand_dims, moveaxis, reshape, squeeze

__all__ = [
    "conv2d", "conv1d", "conv3d", "conv_transpose2d", "conv_transpose1d", "bias_add",
]


def _inputs(name, x, weight, rank) -> tuple:
    x, w = same_dtype([floating(tensor_of(x, name)), floating(tensor_of(weight, name))])
    if x.ndim != rank or w.ndim != rank:
        raise shape_error(f"{name} takes an input and a weight of {rank} axes, got shapes {x.shape} and {w.shape}")
    return x, w


def _with_bias(y: Tensor, bias) -> Tensor:
    if bias is None:
        return y
    b = tensor_of(bias, "the bias of a convolution")
    if b.ndim != 1 or b.shape[0] != y.shape[1]:
        raise shape_error(f"the bias has shape {b.shape}; the convolution has {y.shape[1]} output channels")
    return add(y, reshape(b, (b.shape[0],) + (1,) * (y.ndim - 2)))


def amounts(name, pad_mode, padding, extents, kernel, stride, dilation) -> tuple:
    """(before, after) for each axis.  Raises ValueError for another mode, or padding with one that has its own."""
    mode = str(pad_mode).lower()
    given = ints_of(padding, f"{name}: padding")
    if mode not in ("valid", "same", "pad"):
        raise shape_error(f"{name}: pad_mode must be 'valid', 'same' or 'pad', got {pad_mode!r}")
    if mode != "pad":
        if any(given):
            raise shape_error(f"{name}: padding={padding} needs pad_mode='pad', got {pad_mode!r}")
        return tuple(same_padding(n, k, s, d) if mode == "same" else (0, 0)
                     for n, k, s, d in zip(extents, kernel, stride, dilation))
    axes = len(extents)
    if len(given) not in (1, axes, 2 * axes):
        raise shape_error(f"{name}: padding is an int, {axes} ints or {2 * axes}, got {given}")
    if any(isinstance(p, int) and p < 0 for p in given):
        raise shape_error(f"{name}: padding must not be negative, got {given}")
    if len(given) == 2 * axes and axes > 1:
        return tuple(zip(given[::2], given[1::2]))
    return ((given[0], given[-1]),) if axes == 1 else tuple((p, p) for p in (given * axes)[:axes])


def same_padding(extent, kernel: int, stride: int, dilation: int = 1) -> tuple:
    """(before, after) such that ceil(extent / stride) windows fit; the odd one goes after."""
    reach = dilation * (kernel - 1) + 1
    if isinstance(extent, Dim) and stride != 1:
        raise shape_error(f"pad_mode 'same' with stride {stride} needs a known size, got {extent}; use pad_mode='pad'")
    total = reach - 1 if stride == 1 else max((-(-extent // stride) - 1) * stride + reach - extent, 0)
    return total // 2, total - total // 2


def conv2d(input, weight, bias=None, stride=1, pad_mode="valid", padding=0, dilation=1, groups=1):
    """The convolution of images [N, C, H, W] with a weight [O, C / groups, kh, kw], plus bias [O].

    stride, dilation: an int or (height, width); padding: an int, (height, width) or (top, bottom, left, right), with
    pad_mode="pad" only.  Raises ShapeError (a ValueError) for sizes or settings that do not fit.
    """
    x, w = _inputs("conv2d", input, weight, 4)
    stride, dilation = pair_of(stride, "conv2d: stride"), pair_of(dilation, "conv2d: dilation")
    sides = amounts("conv2d", pad_mode, padding, x.shape[2:], w.shape[2:], stride, dilation)
    return _with_bias(apply(linear.conv2d, x, w, stride=stride, pad=sides[0] + sides[1], dilation=dilation,
                            groups=int(groups)), bias)


def _single(value, name) -> int:
    values = ints_of(value, name)
    if len(values) != 1:
        raise shape_error(f"{name} must be an int, got {values}")
    return values[0]


def conv1d(input, weight, bias=None, stride=1, pad_mode="valid", padding=0, dilation=1, groups=1):
    """The convolution of [N, C, L] with a weight [O, C / groups, k], plus bias [O]; arguments as in `conv2d`."""
    x, w = _inputs("conv1d", input, weight, 3)
    stride, dilation = _single(stride, "conv1d: stride"), _single(dilation, "conv1d: dilation")
    sides = amounts("conv1d", pad_mode, padding, x.shape[2:], w.shape[2:], (stride,), (dilation,))
    y = apply(linear.conv2d, expand_dims(x, 2), expand_dims(w, 2), stride=(1, stride), pad=(0, 0) + sides[0],
              dilation=(1, dilation), groups=int(groups))
    return _with_bias(squeeze(y, 2), bias)


def conv3d(input, weight, bias=None, stride=1, pad_mode="valid", padding=0, dilation=1, groups=1):
    """The convolution of [N, C, D, H, W] with a weight [O, C / groups, kd, kh, kw], plus bias [O].

    Computed as a sum of `conv2d` over the depth of the kernel; arguments as there, for three axes.
    """
    x, w = _inputs("conv3d", input, weight, 5)
    stride, dilation = (v * 3 if len(v) == 1 else v for v in (ints_of(stride, "stride"), ints_of(dilation, "dilation")))
    depth, *sides = amounts("conv3d", pad_mode, padding, x.shape[2:], w.shape[2:], stride, dilation)
    x = zero_padded(x, (0, 0, depth[0], 0, 0), (0, 0, depth[1], 0, 0))
    slices = (x.shape[2] - dilation[0] * (w.shape[2] - 1) - 1) // stride[0] + 1
    if isinstance(slices, int) and slices < 1:
        raise shape_error(f"conv3d: a kernel of depth {w.shape[2]} does not fit an input of shape {x.shape}")
    total = None
    for k in range(w.shape[2]):
        taken = apply(records.slice_, x, begin=(0, 0, k * dilation[0], 0, 0),
                      size=(*x.shape[:2], slices, *x.shape[3:]), stride=(1, 1, stride[0], 1, 1))
        images = reshape(moveaxis(taken, 2, 1), (x.shape[0] * slices, x.shape[1], *x.shape[3:]))
        part = apply(linear.conv2d, images, w[:, :, k], stride=tuple(stride[1:]), pad=sides[0] + sides[1],
                     dilation=tuple(dilation[1:]), groups=int(groups))
        total = part if total is None else add(total, part)
    y = reshape(total, (x.shape[0], slices, *total.shape[1:]))
    return _with_bias(moveaxis(y, 1, 2), bias)


def conv_transpose2d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The transposed convolution (gradient of `conv2d` for its input) of [N, C, H, W], weight [C, O / groups, kh, kw].

    The result is [N, O, (H-1)*stride - 2*padding + dilation*(kh-1) + output_padding + 1, likewise].
    """
    x, w = _inputs("conv_transpose2d", input, weight, 4)
    pairs = [pair_of(v, "conv_transpose2d") for v in (stride, dilation, output_padding)]
    given = ints_of(padding, "conv_transpose2d: padding")
    pad = given if len(given) == 4 else tuple(p for p in pair_of(given, "padding") for _ in range(2))
    return _with_bias(transposed(x, w, pairs[0], pad, pairs[1], int(groups), pairs[2]), bias)


def transposed(x: Tensor, w: Tensor, stride, pad, dilation, groups, extra=(0, 0)) -> Tensor:
    """The transposed convolution with pad=(top, bottom, left, right)."""
    if x.shape[1] != w.shape[0]:
        raise shape_error(f"a transposed convolution of {x.shape[1]} channels needs a weight [{x.shape[1]}, ...], got "
                          f"shape {w.shape}")
    sizes = tuple((n - 1) * s - before - after + d * (k - 1) + more + 1
                  for n, s, before, after, d, k, more in zip(x.shape[2:], stride, pad[::2], pad[1::2], dilation,
                                                             w.shape[2:], extra))
    return apply(linear.conv2d_grad_input, x, w, shape=(x.shape[0], w.shape[1] * groups, *sizes), stride=tuple(stride),
                 pad=tuple(pad), dilation=tuple(dilation), groups=groups)


def transposed3d(x: Tensor, w: Tensor, stride, pad, dilation, groups, extra=(0, 0, 0)) -> Tensor:
    """The transposed convolution of volumes with pad=(head, tail, top, bottom, left, right).

    Computed as a sum of transposed convolutions of the slices over the depth of the kernel.
    """
    n, channels, depth, *sides = x.shape
    images = reshape(moveaxis(x, 2, 1), (n * depth, channels, *sides))
    total, full = None, (depth - 1) * stride[0] + dilation[0] * (w.shape[2] - 1) + 1
    for k in range(w.shape[2]):
        part = transposed(images, w[:, :, k], stride[1:], pad[2:], dilation[1:], groups, extra[1:])
        part = reshape(part, (n, depth, *part.shape[1:]))
        spread = apply(records.place, part, shape=(n, full, *part.shape[2:]), begin=(0, k * dilation[0], 0, 0, 0),
                       stride=(1, stride[0], 1, 1, 1), fill=0.0)
        total = spread if total is None else add(total, spread)
    cut = zero_padded(total, (0, -pad[0], 0, 0, 0), (0, extra[0] - pad[1], 0, 0, 0))
    return moveaxis(cut, 1, 2)


def conv_transpose1d(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    """The transposed convolution of [N, C, L] with a weight [C, O / groups, k]; see `conv_transpose2d`."""
    x, w = _inputs("conv_transpose1d", input, weight, 3)
    stride, dilation, extra, pad = (_single(v, "conv_transpose1d") for v in (stride, dilation, output_padding, padding))
    y = transposed(expand_dims(x, 2), expand_dims(w, 2), (1, stride), (0, 0, pad, pad), (1, dilation), int(groups),
                   (0, extra))
    return _with_bias(squeeze(y, 2), bias)


def bias_add(input_x, bias):
    """`input_x` plus a bias for each channel (axis 1).  Raises ShapeError if the number of channels differs."""
    x, b = tensor_of(input_x, "bias_add"), tensor_of(bias, "bias_add")
    if x.ndim < 2 or b.ndim != 1 or b.shape[0] != x.shape[1]:
        raise shape_error(f"bias_add: a bias of shape {b.shape} does not fit the channels of shape {x.shape}")
    return add(x, reshape(b, (b.shape[0],) + (1,) * (x.ndim - 2)))
