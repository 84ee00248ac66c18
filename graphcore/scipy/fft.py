"""``mindspore.scipy.fft``: the second discrete cosine transform and its inverse, as products with matrices."""
from __future__ import annotations

import math

import numpy as np

from graphcore import dtype as dt
from graphcore.ops import functional as F
from graphcore.ops.functional.arguments import axes_of, shape_error, tensor_of
from graphcore.tensor import Tensor

__all__ = ["dct", "idct", "dctn", "idctn"]


def _cosines(n: int, norm) -> np.ndarray:
    """The matrix of the transform."""
    k = np.arange(n)
    matrix = 2 * np.cos(math.pi * k[:, None] * (2 * k + 1) / (2 * n))
    if norm == "ortho":
        matrix *= math.sqrt(1 / (2 * n))
        matrix[0] *= math.sqrt(0.5)
    return matrix


def _applied(x, type, n, axis, matrix_of):
    if type != 2:
        raise shape_error(f"the cosine transform of type 2 is there, got type {type!r}")
    x = tensor_of(x, "dct")
    x = x if x.dtype in (dt.float32, dt.float64) else F.cast(x, dt.float32)
    moved = F.moveaxis(x, axis, -1)
    size = moved.shape[-1] if n is None else n
    moved = moved[..., :size] if size <= moved.shape[-1] else F.pad(moved, (0, size - moved.shape[-1]))
    return F.moveaxis(F.matmul(moved, Tensor(matrix_of(size).T, x.dtype)), -1, axis)


def dct(x, type=2, n=None, axis=-1, norm=None):
    """The second discrete cosine transform along an axis.

    n: the length, by cutting or zeros; norm: "ortho" makes it orthogonal.  Raises ValueError for another type.
    """
    return _applied(x, type, n, axis, lambda size: _cosines(size, norm))


def idct(x, type=2, n=None, axis=-1, norm=None):
    """The inverse of `dct`."""
    return _applied(x, type, n, axis, lambda size: np.linalg.inv(_cosines(size, norm)))


def _several(transform, x, type, s, axes, norm):
    x = tensor_of(x, "dctn")
    axes = axes_of(axes, x.ndim, "dctn") if axes is None or isinstance(axes, int) else tuple(axes)
    for axis, size in zip(axes, (None,) * len(axes) if s is None else s, strict=True):
        x = transform(x, type, size, axis, norm)
    return x


def dctn(x, type=2, s=None, axes=None, norm=None):
    """`dct` along several axes (None: all), with the lengths `s`."""
    return _several(dct, x, type, s, axes, norm)


def idctn(x, type=2, s=None, axes=None, norm=None):
    """The inverse of `dctn`."""
    return _several(idct, x, type, s, axes, norm)
