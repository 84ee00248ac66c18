"""Quantiles, and the parts of matrices near their diagonals."""
from __future__ import annotations

import numpy as np

from graphcore.ops.functional.arguments import Tensor, axis_of, cast, dt, dtype_error, floating, tensor_of
from graphcore.ops.functional.arithmetic import add, clamp, maximum, mul, sub
from graphcore.ops.functional.comparison import isnan, logical_and, logical_not, logical_or, where
from graphcore.ops.functional.elementary import floor
from graphcore.ops.functional.indexing import gather_elements
from graphcore.ops.functional.ordering import sort
from graphcore.ops.functional.reduction import any, sum
from graphcore.ops.functional.shaping import broadcast_to, expand_dims, moveaxis, reshape, squeeze

__all__ = ["quantile", "nanquantile", "matrix_band_part"]


def quantile(input, q, axis=None, keepdims=False):
    """The values below which the shares `q` of the elements along `axis` (None: of all) lie; NaN where one is.

    q: a number from 0 to 1, or a vector of them, which makes a first axis.  Between two elements it is linear.
    """
    x = floating(tensor_of(input, "quantile"))
    found = _quantile("quantile", x, q, axis, keepdims)
    lost = _along("quantile", isnan(x), axis)[0]
    return where(_placed(any(lost, -1, True), x, axis, keepdims)[0], float("nan"), found)


def nanquantile(input, q, axis=None, keepdims=False):
    """`quantile` of the elements that are not NaN; NaN where there is none."""
    return _quantile("nanquantile", floating(tensor_of(input, "nanquantile")), q, axis, keepdims)


def _along(name, x: Tensor, axis) -> tuple:
    """(x with the axis last, the axis): flat where it is None."""
    if axis is None:
        return reshape(x, (-1,)), None
    axis = axis_of(axis, x.ndim, name)
    return moveaxis(x, axis, -1), axis


def _quantile(name, x, q, axis, keepdims):
    shares = tensor_of(q, name) if isinstance(q, Tensor) else Tensor(np.asarray(q, np.float32))
    if not shares.dtype.is_float or shares.ndim > 1:
        raise dtype_error(f"{name}: q is a number or a vector of float numbers, got {shares.dtype.name} {shares.shape}")
    rows, _ = _along(name, x, axis)
    known = logical_not(isnan(rows))
    ordered, _ = sort(where(known, rows, float("inf")), -1)
    last = cast(maximum(sum(cast(known, dt.int64), -1, keepdim=True) - 1, 0), x.dtype)
    places = mul(last, cast(reshape(shares, (-1,)), x.dtype))
    below = floor(places)
    low = gather_elements(ordered, -1, cast(below, dt.int64))
    high = gather_elements(ordered, -1, cast(clamp(add(below, 1), 0, rows.shape[-1] - 1), dt.int64))
    part = sub(places, below)
    found = where(part > 0, add(low, mul(sub(high, low), part)), low)
    found = where(any(known, -1, True), found, float("nan"))
    results = _placed(found, x, axis, keepdims)
    return results if shares.ndim else squeeze(results, 0)


def _placed(found: Tensor, x: Tensor, axis, keepdims) -> Tensor:
    """[..., shares] as [shares, ...], with the axis that was reduced in its place if it is kept."""
    found = moveaxis(found, -1, 0)
    if not keepdims:
        return found
    return reshape(found, (-1, *(1,) * x.ndim)) if axis is None else expand_dims(found, axis_of(axis, x.ndim, "") + 1)


def matrix_band_part(x, lower, upper):
    """Matrices x [..., M, N] with zeros further than `lower` below and `upper` above the diagonal; < 0: no limit."""
    x = tensor_of(x, "matrix_band_part")
    rows, columns = x.shape[-2:]
    below = Tensor(np.subtract.outer(np.arange(rows), np.arange(columns)), dt.int64)
    lower, upper = (tensor_of(v, "matrix_band_part") if isinstance(v, Tensor) else Tensor(v, dt.int64)
                    for v in (lower, upper))
    kept = logical_and(logical_or(lower < 0, below <= lower), logical_or(upper < 0, sub(0, below) <= upper))
    return where(broadcast_to(kept, x.shape), x, Tensor(0, x.dtype))
