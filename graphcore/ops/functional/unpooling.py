"""The way back from pooling: values at the places of the maxima, zeros elsewhere."""
from __future__ import annotations

import math

from graphcore.ops.functional.arguments import ints_of, shape_error, tensor_of
from graphcore.ops.functional.creation import zeros
from graphcore.ops.functional.indexing import tensor_scatter_elements
from graphcore.ops.functional.shaping import reshape

__all__ = ["max_unpool1d", "max_unpool2d", "max_unpool3d"]


def max_unpool1d(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    """The inverse of `max_pool1d` for [N, C, L] or [C, L]; see `max_unpool2d`."""
    return unpooled("max_unpool1d", x, indices, kernel_size, stride, padding, output_size, 1)


def max_unpool2d(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    """The elements of [N, C, H, W] or [C, H, W] at their places in larger images, which are zero elsewhere.

    indices: int32 or int64, of the shape of x: places in an image of the result, row-major, as `max_pool2d` gives them.
    kernel_size, stride, padding: those of the pooling; stride None or 0: the kernel size.  output_size: the size of
    the images, or the whole shape, where pooling left it open; else (n - 1) * stride - 2 * padding + kernel_size.
    Raises ShapeError for sizes that do not fit.
    """
    return unpooled("max_unpool2d", x, indices, kernel_size, stride, padding, output_size, 2)


def max_unpool3d(x, indices, kernel_size, stride=None, padding=0, output_size=None):
    """The inverse of `max_pool3d` for [N, C, D, H, W] or [C, D, H, W]; see `max_unpool2d`."""
    return unpooled("max_unpool3d", x, indices, kernel_size, stride, padding, output_size, 3)


def unpooled(name, x, indices, kernel_size, stride, padding, output_size, axes):
    """The elements of `x` at `indices` in windows over the last `axes` axes, zeros elsewhere."""
    x, indices = tensor_of(x, name), tensor_of(indices, name)
    if x.ndim not in (axes + 1, axes + 2) or indices.shape != x.shape:
        raise shape_error(f"{name} takes a tensor of {axes + 1} or {axes + 2} axes and indices of its shape, got "
                          f"shapes {x.shape} and {indices.shape}")
    kernel, before = _each(kernel_size, axes, f"{name}: kernel_size"), _each(padding, axes, f"{name}: padding")
    steps = kernel if stride is None or not any(ints_of(stride, name)) else _each(stride, axes, f"{name}: stride")
    sizes = tuple((n - 1) * s - 2 * p + k for n, s, p, k in zip(x.shape[-axes:], steps, before, kernel))
    sizes = _wanted(name, output_size, x.shape[:-axes], sizes, steps)
    rows = x.shape[:-axes]
    flat = zeros((*rows, math.prod(sizes)), x.dtype)
    filled = tensor_scatter_elements(flat, reshape(indices, (*rows, -1)), reshape(x, (*rows, -1)), len(rows))
    return reshape(filled, (*rows, *sizes))


def _each(value, axes: int, name: str) -> tuple:
    values = ints_of(value, name)
    if len(values) not in (1, axes):
        raise shape_error(f"{name} must be an int or {axes}, got {values}")
    return values * axes if len(values) == 1 else values


def _wanted(name, output_size, rows, sizes, steps) -> tuple:
    """The size of the result: `output_size` if given, less than a stride from `sizes`."""
    if output_size is None or not tuple(output_size):
        return sizes
    given = ints_of(output_size, f"{name}: output_size")
    if len(given) > len(sizes) and given[:-len(sizes)] != tuple(rows)[-(len(given) - len(sizes)):]:
        raise shape_error(f"{name}: output_size {given} has other first axes than the input, {tuple(rows)}")
    given = given[-len(sizes):]
    if len(given) != len(sizes) or any(not n - s < g < n + s for g, n, s in zip(given, sizes, steps)):
        raise shape_error(f"{name}: output_size {given} must lie less than a stride {steps} from {sizes}")
    return given
