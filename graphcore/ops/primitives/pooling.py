"""Primitives of pooling: over windows, to a given size, at random places, and back."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore.ops import functional as F
from graphcore.ops import pooling as pooling_records
from graphcore.ops.functional.arguments import shape_error
from graphcore.ops.functional.convolution import amounts
from graphcore.ops.functional.padding import pair_of
from graphcore.ops.functional.pooling import max_places, pool_same, same_padding
from graphcore.ops.functional.random import numpy_generator
from graphcore.ops.functional.selecting import ints_from_data
from graphcore.ops.functional.volumes import pooled_maxima, pooled_means, three_of
from graphcore.ops.primitives.base import primitive
from graphcore.ops.primitives.layers import check_layout, last_two
from graphcore.tensor import Tensor


@primitive
def MaxPool(x, *, kernel_size=1, strides=1, pad_mode="valid", data_format="NCHW"):
    """The largest element of each window."""
    check_layout("MaxPool", data_format)
    return pool_same(pooling_records.max_pool2d, x, *_windows(kernel_size, strides), pad_mode)


@primitive
def AvgPool(x, *, kernel_size=1, strides=1, pad_mode="VALID", data_format="NCHW"):
    """The mean of each window."""
    check_layout("AvgPool", data_format)
    return pool_same(pooling_records.avg_pool2d, x, *_windows(kernel_size, strides), pad_mode)


def _windows(kernel_size, strides) -> tuple:
    return pair_of(last_two(kernel_size), "kernel_size"), pair_of(last_two(strides), "strides")


@primitive
def MaxPoolWithArgmax(x, *, kernel_size=1, strides=1, pad_mode="valid", data_format="NCHW"):
    """(the largest element of each window, its int32 place in the image)."""
    kernel, stride = _windows(kernel_size, strides)
    y = pool_same(pooling_records.max_pool2d, x, kernel, stride, pad_mode)
    sides = [same_padding(n, k, s) if pad_mode.lower() == "same" else (0, 0)
             for n, k, s in zip(x.shape[2:], kernel, stride)]
    return y, F.cast(max_places(x, y, kernel, stride, sides[0] + sides[1], (1, 1)), dt.int32)


@primitive
def AdaptiveAvgPool2D(x, *, output_size):
    """Means over windows that divide an image into `output_size`."""
    return F.adaptive_avg_pool2d(x, output_size)


@primitive
def AdaptiveMaxPool2D(input, *, output_size):
    """(maxima over windows that divide an image into `output_size`, their int64 places)."""
    return F.adaptive_max_pool2d(input, output_size, True)


@primitive
def AdaptiveMaxPool3D(x, output_size):
    """(maxima over windows that divide a volume into `output_size`, three ints or a Tensor of them; int32 places)."""
    return F.adaptive_max_pool3d(x, ints_from_data(output_size, "AdaptiveMaxPool3D: output_size"), True)


@primitive
def AdaptiveAvgPool3D(x, *, output_size):
    """Means over windows that divide a volume into `output_size`."""
    return F.adaptive_avg_pool3d(x, output_size)


@primitive
def MaxPool3D(x, *, kernel_size=1, strides=1, pad_mode="VALID", pad_list=0, ceil_mode=None, data_format="NCDHW"):
    """The largest element of each window of [N, C, D, H, W].

    pad_mode: "valid", "same", or "pad" with `pad_list`: an int, three, or six, before and after each axis.
    """
    check_layout("MaxPool3D", data_format)
    kernel, steps, sides = _volume_windows("MaxPool3D", x, kernel_size, strides, pad_mode, pad_list)
    return pooled_maxima(x, kernel, steps, sides, ceil_mode=bool(ceil_mode))


@primitive
def AvgPool3D(x, *, kernel_size=1, strides=1, pad_mode="valid", pad=0, ceil_mode=False, count_include_pad=True,
              divisor_override=0, data_format="NCDHW"):
    """The mean of each window of [N, C, D, H, W]; pad_mode as in `MaxPool3D`, with `pad`."""
    check_layout("AvgPool3D", data_format)
    kernel, steps, sides = _volume_windows("AvgPool3D", x, kernel_size, strides, pad_mode, pad)
    return pooled_means(x, kernel, steps, sides, ceil_mode, count_include_pad, divisor_override)


def _volume_windows(name, x, kernel_size, strides, pad_mode, padding) -> tuple:
    """(kernel, strides, (before, after) of each axis) of windows on [N, C, D, H, W]."""
    kernel, steps = three_of(kernel_size, f"{name}: kernel_size"), three_of(strides, f"{name}: strides")
    return kernel, steps, amounts(name, pad_mode, padding, x.shape[2:], kernel, steps, (1, 1, 1))


@primitive
def MaxPoolWithArgmaxV2(x, *, kernel_size, strides=None, pads=0, dilation=(1, 1), ceil_mode=False,
                        argmax_type=dt.int64):
    """(the largest element of each window, its place in the image); see `ops.max_pool2d`."""
    sizes = (kernel_size, strides, pads, dilation)
    y, places = F.max_pool2d(x, *(v if v is None else last_two(v) for v in sizes), True, ceil_mode)
    return y, F.cast(places, argmax_type)


@primitive
def MaxPool3DWithArgmax(x, *, ksize, strides, pads, dilation=(1, 1, 1), ceil_mode=False, data_format="NCDHW",
                        argmax_type=dt.int64):
    """(the largest element of each window of [N, C, D, H, W], its place in the volume); see `ops.max_pool3d`."""
    check_layout("MaxPool3DWithArgmax", data_format)
    y, places = F.max_pool3d(x, ksize, strides, pads, dilation, ceil_mode, True)
    return y, F.cast(places, argmax_type)


@primitive
def MaxUnpool2D(x, argmax, *, ksize, strides=0, pads=0, output_shape=(), data_format="NCHW"):
    """Maxima of images at their places, zeros elsewhere; see `ops.max_unpool2d`."""
    check_layout("MaxUnpool2D", data_format)
    return F.max_unpool2d(x, argmax, *(last_two(v) for v in (ksize, strides, pads)), output_shape)


@primitive
def MaxUnpool3D(x, argmax, *, ksize, strides=0, pads=0, output_shape=(), data_format="NCDHW"):
    """Maxima of volumes at their places, zeros elsewhere; see `ops.max_unpool3d`."""
    check_layout("MaxUnpool3D", data_format)
    ksize, strides, pads = (v if isinstance(v, int) else v[-3:] for v in (ksize, strides, pads))
    return F.max_unpool3d(x, argmax, ksize, strides, pads, output_shape)


@primitive
def FractionalMaxPoolWithFixedKsize(input_x, random_samples, *, ksize, output_shape, data_format="NCHW"):
    """(maxima of windows at random places, their int64 places); see `ops.fractional_max_pool2d`."""
    check_layout("FractionalMaxPoolWithFixedKsize", data_format)
    return F.fractional_max_pool2d(input_x, ksize, output_shape, None, True, random_samples)


@primitive
def FractionalMaxPool3DWithFixedKsize(x, random_samples, *, ksize, output_shape, data_format="NCDHW"):
    """(maxima of windows of volumes at random places, their int64 places); see `ops.fractional_max_pool3d`."""
    check_layout("FractionalMaxPool3DWithFixedKsize", data_format)
    return F.fractional_max_pool3d(x, ksize, output_shape, None, True, random_samples)


def _of_random_sizes(name: str, combine, summary: str) -> type:
    def pooled(x, *, pooling_ratio, pseudo_random=False, overlapping=False, deterministic=False, seed=0, seed2=0):
        if x.ndim != 4 or len(pooling_ratio) != 4 or pooling_ratio[0] != 1 or pooling_ratio[3] != 1:
            raise shape_error(f"{name} takes images [N, H, W, C] and a pooling_ratio (1.0, rows, columns, 1.0), got "
                              f"shape {x.shape} and {pooling_ratio}")
        generator = numpy_generator((seed or seed2 or 1) if deterministic or seed or seed2 else None)
        edges = [_edges(n, ratio, pseudo_random, generator) for n, ratio in zip(x.shape[1:3], pooling_ratio[1:3])]
        for axis, borders in enumerate(edges, 1):
            ends = [min(end + bool(overlapping), x.shape[axis]) for end in borders[1:]]
            x = F.concat([combine(F.narrow(x, axis, start, end - start), axis, True)
                          for start, end in zip(borders, ends)], axis)
        return x, *(Tensor(borders, dt.int64) for borders in edges)
    pooled.__name__, pooled.__module__ = name, __name__
    pooled.__doc__ = (f"({summary} of windows of images [N, H, W, C] whose sizes vary by chance; where the windows "
                      "begin and end along the rows, and along the columns, int64).\n\n"
                      "pooling_ratio: (1.0, rows, columns, 1.0), how many pixels there are for one of the result; "
                      "overlapping: windows share the pixel at their edge; pseudo_random: their sizes are as even as "
                      "they can be.  The sizes are drawn by NumPy, so not in a capture.")
    return primitive(pooled)


def _edges(extent: int, ratio: float, pseudo_random: bool, generator) -> list:
    """Where windows begin, and the last one ends: of two sizes, in random order, or as even as they can be."""
    count = int(extent / ratio)
    if not 1 <= count <= extent:
        raise shape_error(f"pooling {extent} pixels by {ratio} leaves {count} windows; the ratio is 1 or more and at "
                          "most the number of pixels")
    if pseudo_random and count > 1:
        step, shift = extent / count, generator.uniform()
        return [0, *(int((i + shift) * step) - int(shift * step) for i in range(1, count)), extent]
    sizes = np.full(count, extent // count)
    sizes[:extent % count] += 1
    return [0, *np.cumsum(generator.permutation(sizes)).tolist()]


FractionalMaxPool = _of_random_sizes("FractionalMaxPool", F.amax, "maxima")
FractionalAvgPool = _of_random_sizes("FractionalAvgPool", F.mean, "means")


__all__ = [n for n, v in list(globals().items()) if isinstance(v, type) and v.__module__ == __name__]
