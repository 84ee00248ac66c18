"""Resize: new sizes by interpolation along each axis."""
from __future__ import annotations

import math

import numpy as np

from graphcore import dtype as dt
from graphcore.ir.dims import Dim
from graphcore.onnx.table import operator
from graphcore.onnx.values import axis_of, ints, room
from graphcore.ops import functional as F
from graphcore.tensor import Tensor

_FEW = 4            # taps up to which they are gathered one by one; more of them are a matrix product


@operator("Upsample", 7)
def upsample_by_attribute(x, *, scales, mode="nearest"):
    return upsample(x, np.asarray(scales), mode=mode)


@operator("Upsample", 9, numbers=("scales",))
def upsample(x, scales, *, mode="nearest"):
    return _resize(x, None, scales, None, {"coordinate_transformation_mode": "asymmetric", "mode": mode,
                                           "nearest_mode": "floor"})


@operator("Resize", 10, numbers=("scales",))
def resize_first(x, scales, *, mode="nearest"):
    return upsample(x, scales, mode=mode)


@operator("Resize", 11, numbers=("roi", "scales", "sizes"))
def resize(x, roi=None, scales=None, sizes=None, *, antialias=0, axes=None, coordinate_transformation_mode="half_pixel",
           cubic_coeff_a=-0.75, exclude_outside=0, extrapolation_value=0.0, keep_aspect_ratio_policy="stretch",
           mode="nearest", nearest_mode="round_prefer_floor"):
    return _resize(x, roi, scales, sizes, {
        "antialias": antialias, "axes": axes, "coordinate_transformation_mode": coordinate_transformation_mode,
        "cubic_coeff_a": cubic_coeff_a, "exclude_outside": exclude_outside, "extrapolation_value": extrapolation_value,
        "keep_aspect_ratio_policy": keep_aspect_ratio_policy, "mode": mode, "nearest_mode": nearest_mode})


def _resize(x: Tensor, roi, scales, sizes, how: dict) -> Tensor:
    axes = how.get("axes")
    axes = list(range(x.ndim)) if axes is None else [axis_of(a, x.ndim) for a in axes]
    extents = [x.shape[a] for a in axes]
    given = scales if scales is not None and scales.size else None
    if given is not None:
        factors = [float(s) for s in given.reshape(-1)]
        if not all(0 < s < 1e9 for s in factors):
            raise ValueError(f"scales must be positive, got {factors}")
        wanted = [n * int(s) if isinstance(n, Dim) and s == int(s) else math.floor(n * s)
                  for n, s in zip(extents, factors, strict=True)]
    elif sizes is not None:
        wanted, factors = _sizes(extents, ints(sizes), how.get("keep_aspect_ratio_policy", "stretch"))
    else:
        raise ValueError("Resize needs scales or sizes")
    shape = list(x.shape)
    for axis, n in zip(axes, wanted):
        shape[axis] = n
    room(shape, "Resize")
    corners = None if roi is None or not roi.size else np.asarray(roi, np.float64).reshape(2, len(axes))
    outside = np.zeros(())
    for i, (axis, n, factor) in enumerate(zip(axes, wanted, factors)):
        region = (0.0, 1.0) if corners is None else tuple(corners[:, i])
        crops = how["coordinate_transformation_mode"] == "tf_crop_and_resize"
        if x.shape[axis] == n and factor == 1 and not crops:
            continue
        if isinstance(x.shape[axis], Dim):
            raise ValueError(f"the axis {axis} is of symbolic size {x.shape[axis]}")
        places = _places(x.shape[axis], n, factor, region, how["coordinate_transformation_mode"])
        if crops:
            beyond = (places < 0) | (places > x.shape[axis] - 1)
            outside = outside + beyond.reshape(tuple(-1 if j == axis else 1 for j in range(x.ndim)))
        x = _along(x, axis, places, factor, how)
    if not outside.any():
        return x
    return F.where(Tensor(outside > 0, dt.bool_), Tensor(how["extrapolation_value"], x.dtype), x)


def _sizes(extents, wanted, policy: str) -> tuple:
    """(sizes, scales) from the sizes asked for."""
    if any(isinstance(n, Dim) for n in extents):
        raise ValueError(f"sizes of an axis of symbolic size in {extents}")
    if 0 in extents:
        raise ValueError("an axis of size 0")
    factors = [w / n for w, n in zip(wanted, extents, strict=True)]
    if policy == "stretch":
        return wanted, factors
    if policy not in ("not_larger", "not_smaller"):
        raise ValueError(f"unknown keep_aspect_ratio_policy {policy!r}")
    factor = min(factors) if policy == "not_larger" else max(factors)
    return [int(math.floor(n * factor + 0.5)) for n in extents], [factor] * len(extents)


def _places(extent: int, size: int, factor: float, region: tuple, mode: str) -> np.ndarray:
    """Where in the input each element of the result lies."""
    i = np.arange(size, dtype=np.float64)
    length = factor * extent
    if mode == "half_pixel":
        return (i + 0.5) / factor - 0.5
    if mode == "half_pixel_symmetric":
        centre = extent / 2 * (1 - size / length)
        return centre + (i + 0.5) / factor - 0.5
    if mode == "pytorch_half_pixel":
        return (i + 0.5) / factor - 0.5 if length > 1 else i * 0.0
    if mode == "align_corners":
        return i * ((extent - 1) / (length - 1)) if length != 1 else i * 0.0
    if mode == "asymmetric":
        return i / factor
    if mode == "tf_half_pixel_for_nn":
        return (i + 0.5) / factor
    if mode == "tf_crop_and_resize":
        start, end = region
        if size == 1:
            return np.full(1, 0.5 * (start + end) * (extent - 1))
        return start * (extent - 1) + i * ((end - start) * (extent - 1) / (length - 1))
    raise ValueError(f"unknown coordinate_transformation_mode {mode!r}")


_ROUNDED = {"round_prefer_floor": lambda p: np.ceil(p - 0.5), "round_prefer_ceil": lambda p: np.floor(p + 0.5),
            "floor": np.floor, "ceil": np.ceil}


def _along(x: Tensor, axis: int, places: np.ndarray, factor: float, how: dict) -> Tensor:
    """`x` read at fractional places along one axis."""
    mode, extent = how["mode"], x.shape[axis]
    if mode == "nearest":
        if how["nearest_mode"] not in _ROUNDED:
            raise ValueError(f"unknown nearest_mode {how['nearest_mode']!r}")
        indices = _ROUNDED[how["nearest_mode"]](places).clip(0, extent - 1).astype(np.int32)
        return F.gather(x, Tensor(indices), axis)
    if mode not in ("linear", "cubic"):
        raise ValueError(f"unknown mode {mode!r}")
    spread = min(factor, 1.0) if how.get("antialias") else 1.0
    a = how.get("cubic_coeff_a", -0.75)
    reach = math.ceil((1 if mode == "linear" else 2) / spread)
    room((len(places), 2 * reach), "Resize")
    indices = np.floor(places)[None] + np.arange(1 - reach, reach + 1)[:, None]
    weights = (_hat if mode == "linear" else _cubic)(np.abs(places[None] - indices) * spread, a)
    if how.get("exclude_outside"):
        weights = np.where((indices >= 0) & (indices < extent), weights, 0.0)
    weights = weights / weights.sum(0)
    return _weighted(x, axis, indices.clip(0, extent - 1).astype(np.int32), weights)


def _hat(distance, _):
    return np.maximum(1 - distance, 0)


def _cubic(distance, a):
    """Keys' cubic convolution."""
    near = (a + 2) * distance ** 3 - (a + 3) * distance ** 2 + 1
    far = a * (distance ** 3 - 5 * distance ** 2 + 8 * distance - 4)
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))


def _weighted(x: Tensor, axis: int, indices: np.ndarray, weights: np.ndarray) -> Tensor:
    """The sum over k of weights[k] times the slices at indices[k]."""
    if len(indices) > _FEW:
        room((x.shape[axis], indices.shape[1]), "Resize")
        table = np.zeros((x.shape[axis], indices.shape[1]))
        np.add.at(table, (indices, np.arange(indices.shape[1])[None]), weights)
        return F.moveaxis(F.matmul(F.moveaxis(x, axis, -1), Tensor(table, x.dtype)), -1, axis)
    shape, total = tuple(-1 if i == axis else 1 for i in range(x.ndim)), None
    for places, factors in zip(indices, weights):
        part = F.gather(x, Tensor(places), axis) * Tensor(factors.reshape(shape), x.dtype)
        total = part if total is None else total + part
    return total
