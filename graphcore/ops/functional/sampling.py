"""Images and volumes read at given places."""
from __future__ import annotations

import itertools

import numpy as np

from graphcore.ops.functional.arguments import Tensor, cast, dt, floating, ints_of, shape_error, tensor_of
from graphcore.ops.functional.arithmetic import add, clamp, floor_div, floor_mod, mul, sub
from graphcore.ops.functional.comparison import equal, where
from graphcore.ops.functional.elementary import abs, floor
from graphcore.ops.functional.indexing import gather_elements
from graphcore.ops.functional.joining import unstack
from graphcore.ops.functional.linalg import matmul
from graphcore.ops.functional.shaping import broadcast_to, expand_dims, reshape, swapaxes

__all__ = ["grid_sample", "affine_grid"]


def grid_sample(input, grid, mode="bilinear", padding_mode="zeros", align_corners=None):
    """Images [N, C, H, W] read at the places of `grid` [N, H', W', 2], which are (x, y) from -1 to 1.

    Also volumes [N, C, D, H, W] at a grid [N, D', H', W', 3] of (x, y, z).
    mode: "bilinear" or "nearest"; padding_mode: outside of the image "zeros", its "border", or its "reflection";
    align_corners: whether -1 and 1 are the centres of the corner pixels or their outer edges.
    Raises ValueError for other modes or shapes.
    """
    x, places = floating(tensor_of(input, "grid_sample")), floating(tensor_of(grid, "grid_sample"))
    axes = x.ndim - 2
    if axes not in (2, 3) or places.ndim != x.ndim or places.shape[-1] != axes:
        raise shape_error(f"grid_sample takes images [N, C, H, W] and a grid [N, H', W', 2], or volumes and a grid of "
                          f"places in them, got shapes {x.shape} and {places.shape}")
    if mode not in ("bilinear", "nearest") or padding_mode not in ("zeros", "border", "reflection"):
        raise shape_error(f"grid_sample: mode is 'bilinear' or 'nearest', padding_mode 'zeros', 'border' or "
                          f"'reflection', got {mode!r} and {padding_mode!r}")
    points = []
    for place, size in zip(reversed(unstack(places, -1)), x.shape[2:]):
        point = _pixel(place, size, align_corners)
        if padding_mode == "reflection":
            point = _reflected(point, size, align_corners)
        points.append(point if padding_mode == "zeros" else clamp(point, 0, size - 1))
    if mode == "nearest":
        return _read(x, [floor(add(point, 0.5)) for point in points])
    first = [floor(point) for point in points]
    parts = [expand_dims(sub(point, low), 1) for point, low in zip(points, first)]
    total = None
    for corner in itertools.product((0, 1), repeat=axes):
        value = _read(x, [add(low, side) if side else low for low, side in zip(first, corner)])
        for part, side in zip(parts, corner):
            value = mul(value, part if side else sub(1, part))
        total = value if total is None else add(total, value)
    return total


def _pixel(place, size, align_corners) -> Tensor:
    """From -1 ... 1 to the number of a pixel, with a fraction."""
    return mul(add(place, 1), (size - 1) / 2) if align_corners else sub(mul(add(place, 1), size / 2), 0.5)


def _reflected(point, size, align_corners) -> Tensor:
    """`point` folded back at the centres of the last pixels, or their outer edges, as often as it takes."""
    low, span = (0.0, size - 1.0) if align_corners else (-0.5, float(size))
    if span == 0:
        return mul(point, 0)
    away = abs(sub(point, low))
    folds, rest = floor_div(away, span), floor_mod(away, span)
    return add(where(equal(floor_mod(folds, 2), 0), rest, sub(span, rest)), low)


def _read(x, points: list) -> Tensor:
    """The pixels at whole-numbered float places, [N, ...] for each axis, 0 outside of the image."""
    n, c, *sizes = x.shape
    inside, flat = None, None
    for point, size in zip(points, sizes):
        within = (point >= 0) & (point <= size - 1)
        inside = within if inside is None else inside & within
        point = clamp(point, 0, size - 1)
        flat = point if flat is None else add(mul(flat, size), point)
    count, shape = int(np.prod(flat.shape[1:])), flat.shape[1:]
    flat = broadcast_to(reshape(cast(flat, dt.int32), (n, 1, count)), (n, c, count))
    values = reshape(gather_elements(reshape(x, (n, c, int(np.prod(sizes)))), 2, flat), (n, c, *shape))
    return where(expand_dims(inside, 1), values, Tensor(0, x.dtype))


def affine_grid(theta, size, align_corners=False):
    """The grid for `grid_sample` that an affine map makes of the places of images of `size`.

    theta: float [N, 2, 3], size (N, C, H, W) → [N, H, W, 2]; or [N, 3, 4] and (N, C, D, H, W) → [N, D, H, W, 3].
    Raises ValueError for shapes that do not fit.
    """
    theta, size = floating(tensor_of(theta, "affine_grid")), ints_of(size, "affine_grid: size")
    axes = len(size) - 2
    if axes not in (2, 3) or theta.shape != (size[0], axes, axes + 1):
        raise shape_error(f"affine_grid takes [N, 2, 3] for a size (N, C, H, W), or [N, 3, 4] for (N, C, D, H, W), got "
                          f"shape {theta.shape} and size {size}")
    lines = [np.linspace(-1, 1, n) * (1 if align_corners else (n - 1) / n) if n > 1 else np.zeros(1) for n in size[2:]]
    places = np.stack([*reversed(np.meshgrid(*lines, indexing="ij")), np.ones(size[2:])], -1)
    points = Tensor(places.reshape(1, -1, axes + 1), theta.dtype)
    return reshape(matmul(points, swapaxes(theta, 1, 2)), (size[0], *size[2:], axes))
