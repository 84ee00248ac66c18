"""Images in another size."""
from __future__ import annotations

import math

import numpy as np

from graphcore.ops.functional.arguments import Dim, Tensor, also_named, floating, shape_error, tensor_of
from graphcore.ops.functional.arithmetic import add, mul
from graphcore.ops.functional.indexing import gather
from graphcore.ops.functional.pooling import _adaptive
from graphcore.ops.functional.reduction import mean
from graphcore.ops.functional.shaping import repeat_elements

__all__ = [
    "interpolate", "upsample",
]


_AXES = {"linear": 1, "bilinear": 2, "trilinear": 3, "bicubic": 2}


@also_named(x="input", sizes="size")
def interpolate(input, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None):
    """[N, C, ...] resized along the axes after the channels.

    size: an int or one for each axis; scale_factor: a number or one for each axis, instead of size.
    mode: "nearest", "nearest-exact", "linear", "bilinear", "trilinear", "bicubic" or "area"; align_corners: whether the
    corner elements keep their place (linear and cubic modes).  Raises ValueError for arguments that do not fit.
    """
    x = tensor_of(input, "interpolate")
    if x.ndim < 3 or _AXES.get(mode, x.ndim - 2) != x.ndim - 2:
        raise shape_error(f"interpolate: mode {mode!r} does not fit an input of shape {x.shape}")
    if mode not in (*_AXES, "nearest", "nearest-exact", "area"):
        raise shape_error(f"interpolate: unknown mode {mode!r}; known are nearest, nearest-exact, linear, bilinear, "
                          "trilinear, bicubic, area")
    sizes, scales = _sizes(x, size, scale_factor, recompute_scale_factor)
    if mode == "area":
        return _adaptive("interpolate", floating(x), sizes, x.ndim - 2, mean)
    for axis, (n, scale) in enumerate(zip(sizes, scales), start=2):
        x = resized(x, axis, n, mode, bool(align_corners), scale)
    return x


upsample = interpolate


def _sizes(x, size, scale_factor, recompute) -> tuple:
    axes = x.ndim - 2
    if (size is None) == (scale_factor is None):
        raise shape_error("interpolate: give either size or scale_factor")
    if size is not None:
        sizes = tuple(size) if isinstance(size, (tuple, list)) else (size,) * axes
        scales = (None,) * axes
    else:
        factors = tuple(scale_factor) if isinstance(scale_factor, (tuple, list)) else (scale_factor,) * axes
        sizes = tuple(n * int(f) if isinstance(n, Dim) and f == int(f) else math.floor(n * f)
                      for n, f in zip(x.shape[2:], factors))
        scales = (None,) * axes if recompute else tuple(1.0 / f for f in factors)
    if len(sizes) != axes or any(isinstance(n, int) and n < 1 for n in sizes):
        raise shape_error(f"interpolate: sizes {sizes} do not fit the {axes} last axes of shape {x.shape}")
    return sizes, scales


def resized(x: Tensor, axis: int, size, mode: str, align_corners=False, scale=None) -> Tensor:
    """`x` with `size` elements along one axis; scale: how far apart neighbours of the result lie in x."""
    extent = x.shape[axis]
    if extent == size:
        return x
    whole_factor = size // extent if not isinstance(extent, Dim) or (size // extent) * extent == size else 0
    if mode.startswith("nearest") and not align_corners and whole_factor and whole_factor * extent == size:
        return repeat_elements(x, whole_factor, axis)
    if isinstance(extent, Dim) or isinstance(size, Dim):
        raise shape_error(f"interpolate from {extent} to {size} in mode {mode!r} needs known sizes")
    if mode.startswith("nearest"):
        return gather(x, Tensor(_nearest(extent, size, mode, align_corners, scale)), axis)
    places = _places(extent, size, align_corners, scale)
    from_corner = mode.endswith("from-corner")      # MindSpore's primitives without half_pixel_centers
    if from_corner:
        places = np.arange(size) * (extent / size)
    cubic = mode.startswith("bicubic")
    parts = _cubic(places, extent, align_corners or from_corner) if cubic else _linear(places, extent)
    return _weighted(floating(x), axis, *parts)


def _nearest(extent, size, mode, align_corners, scale):
    step = extent / size if scale is None else scale
    if align_corners:
        places = np.floor(np.arange(size) * ((extent - 1) / max(size - 1, 1)) + 0.5)
    else:
        places = np.floor((np.arange(size) + (0.5 if mode == "nearest-exact" else 0.0)) * step)
    return np.clip(places, 0, extent - 1).astype(np.int32)


def _places(extent, size, align_corners, scale):
    """Where in the input each element of the result lies."""
    if align_corners:
        return np.arange(size) * ((extent - 1) / max(size - 1, 1))
    return (np.arange(size) + 0.5) * (extent / size if scale is None else scale) - 0.5


def _linear(places, extent):
    places = np.clip(places, 0, extent - 1)
    below = np.floor(places).astype(np.int32)
    part = places - below
    return np.stack([below, np.minimum(below + 1, extent - 1)]), np.stack([1 - part, part])


def _cubic(places, extent, edge_goes_on):
    """Keys' cubic convolution, as MindSpore has it: a = -0.5, the weights of what lies outside left out; the places are
    rounded to 1/1024.

    edge_goes_on: a = -0.75 and the edge is continued.
    """
    a = -0.75 if edge_goes_on else -0.5
    below = np.floor(places)
    places = below + np.rint((places - below) * 1024) / 1024
    indices = below + np.arange(-1, 3)[:, None]
    distances = np.abs(places - indices)
    near = (a + 2) * distances ** 3 - (a + 3) * distances ** 2 + 1
    far = a * (distances ** 3 - 5 * distances ** 2 + 8 * distances - 4)
    weights = np.where(distances <= 1, near, far)
    if not edge_goes_on:
        weights = np.where((indices >= 0) & (indices < extent), weights, 0.0)
        weights /= weights.sum(0)
    return np.clip(indices, 0, extent - 1).astype(np.int32), weights


def _weighted(x, axis, indices, weights):
    """The sum over k of weights[k] times the slices of `x` at indices[k]."""
    shape = tuple(-1 if i == axis else 1 for i in range(x.ndim))
    total = None
    for places, factors in zip(indices, weights):
        part = mul(gather(x, Tensor(places), axis), Tensor(factors.reshape(shape), x.dtype))
        total = part if total is None else add(total, part)
    return total
