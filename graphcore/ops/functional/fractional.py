"""Fractional max pooling: windows of one size whose places are drawn at random, as dense as the result needs."""
from __future__ import annotations

import numpy as np

from graphcore.ops.functional.arguments import Tensor, cast, dt, floating, ints_of, shape_error, tensor_of
from graphcore.ops.functional.arithmetic import add, mul, sub
from graphcore.ops.functional.creation import full
from graphcore.ops.functional.elementary import floor
from graphcore.ops.functional.indexing import gather_elements
from graphcore.ops.functional.joining import concat
from graphcore.ops.functional.random import uniform_of
from graphcore.ops.functional.reduction import max as largest_of
from graphcore.ops.functional.shaping import broadcast_to, expand_dims, reshape, squeeze

__all__ = ["fractional_max_pool2d", "fractional_max_pool3d"]


def fractional_max_pool2d(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                          _random_samples=None):
    """The largest element of windows of [N, C, H, W] (or [C, H, W]) at random places, `output_size` of them.

    kernel_size, output_size: an int or two; output_ratio: a number below 1 or two, of the size of x, instead.
    return_indices: also the int64 places of the maxima in their image, row-major.  _random_samples: [N or 1, C, 2],
    numbers from 0 to 1 that decide about the columns and rows; None: they are drawn.  Raises ShapeError for sizes that
    do not fit.
    """
    return _pooled("fractional_max_pool2d", input, kernel_size, output_size, output_ratio, return_indices,
                   _random_samples, 2)


def fractional_max_pool3d(input, kernel_size, output_size=None, output_ratio=None, return_indices=False,
                          _random_samples=None):
    """`fractional_max_pool2d` for [N, C, D, H, W] (or [C, D, H, W]); _random_samples: [N or 1, C, 3]."""
    return _pooled("fractional_max_pool3d", input, kernel_size, output_size, output_ratio, return_indices,
                   _random_samples, 3)


def _pooled(name, input, kernel_size, output_size, output_ratio, return_indices, samples, axes):
    x = tensor_of(input, name)
    if x.ndim not in (axes + 1, axes + 2):
        raise shape_error(f"{name} takes a tensor of {axes + 1} or {axes + 2} axes, got shape {x.shape}")
    added, x = x.ndim == axes + 1, expand_dims(x, 0) if x.ndim == axes + 1 else x
    kernel, sizes = _sizes(name, x.shape[2:], kernel_size, output_size, output_ratio)
    samples = uniform_of((*x.shape[:2], axes)) if samples is None else floating(tensor_of(samples, name))
    if samples.ndim != 3 or samples.shape[0] not in (1, x.shape[0]) or samples.shape[1:] != (x.shape[1], axes):
        raise shape_error(f"{name}: _random_samples must have shape ({x.shape[0]}, {x.shape[1]}, {axes}), got "
                          f"{samples.shape}")
    maxima, places = windows_drawn(x, kernel, sizes, samples)
    if added:
        maxima, places = squeeze(maxima, 0), squeeze(places, 0)
    return (maxima, places) if return_indices else maxima


def _sizes(name, extents, kernel_size, output_size, output_ratio) -> tuple:
    """(kernel, number of windows), both for each pooled axis."""
    axes = len(extents)
    if output_size is None and output_ratio is None:
        raise shape_error(f"{name}: give output_size or output_ratio")
    if output_size is None:
        ratios = output_ratio if isinstance(output_ratio, (tuple, list)) else (output_ratio,) * axes
        sizes = tuple(int(n * ratio) for n, ratio in zip(extents, ratios))
    else:
        sizes = ints_of(output_size, f"{name}: output_size")
    kernel = ints_of(kernel_size, f"{name}: kernel_size")
    kernel, sizes = (v * axes if len(v) == 1 else v for v in (kernel, sizes))
    if len(kernel) != axes or len(sizes) != axes or any(k < 1 or m < 1 or k + m - 1 > n
                                                        for k, m, n in zip(kernel, sizes, extents)):
        raise shape_error(f"{name}: {sizes} windows of size {kernel} do not fit into {tuple(extents)}; along each axis "
                          "the sum of both, less 1, is at most the size")
    return kernel, sizes


def windows_drawn(x: Tensor, kernel, sizes, samples: Tensor) -> tuple:
    """(maxima, their int64 places) of `sizes` windows over all axes of [N, C, ...] after the first two.

    samples: [N or 1, C, axes]; of two axes, the first number decides about the last axis.
    """
    axes, rows = len(kernel), x.shape[:2]
    order = range(axes) if axes != 2 else (1, 0)
    samples = broadcast_to(samples, (*rows, axes))
    places = Tensor(0, dt.int64)
    for axis, number in enumerate(order):
        along = _places(samples[:, :, number], x.shape[2 + axis], sizes[axis], kernel[axis])
        shape = [1] * (2 * axes)
        shape[axis], shape[axes + axis] = sizes[axis], kernel[axis]
        places = add(mul(places, Tensor(x.shape[2 + axis], dt.int64)), reshape(along, (*rows, *shape)))
    places = reshape(places, (*rows, -1))
    values = gather_elements(reshape(x, (*rows, -1)), 2, places)
    values, places = (reshape(v, (*rows, *sizes, int(np.prod(kernel)))) for v in (values, places))
    maxima, chosen = largest_of(values, -1, True)
    return squeeze(maxima, -1), squeeze(gather_elements(places, -1, chosen), -1)


def _places(sample: Tensor, extent: int, size: int, kernel: int) -> Tensor:
    """[N, C, size, kernel]: the elements along an axis of each window; the last one ends with the axis."""
    last = full((*sample.shape, 1), extent - kernel, dtype=dt.int64)
    if size > 1:
        step = (extent - kernel) / (size - 1)
        sample = expand_dims(sample, -1)
        counted = Tensor(np.arange(size - 1), sample.dtype)
        first = sub(floor(mul(add(sample, counted), step)), floor(mul(sample, step)))
        last = concat([cast(first, dt.int64), last], -1)
    return add(expand_dims(last, -1), Tensor(np.arange(kernel)))
