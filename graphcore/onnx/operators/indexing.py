"""Operators that read or write elements at given places."""
from __future__ import annotations

import math

import numpy as np

from graphcore import dtype as dt
from graphcore.onnx.table import operator
from graphcore.onnx.values import axis_of, room
from graphcore.ops import functional as F
from graphcore.ops.functional.creation import counted
from graphcore.tensor import Tensor


def _counted_from_the_end(indices: Tensor, extent) -> Tensor:
    """Negative indices made positive, as int64."""
    indices = F.cast(indices, dt.int64)
    return F.where(indices < 0, indices + extent, indices)


@operator("Gather", 1)
def gather(x, indices, *, axis=0):
    axis = axis_of(axis, x.ndim)
    room((*x.shape[:axis], *indices.shape, *x.shape[axis + 1:]), "Gather")
    return F.gather(x, indices, axis)


@operator("GatherElements", 11)
def gather_elements(x, indices, *, axis=0):
    return F.gather_elements(x, axis_of(axis, x.ndim), indices)


@operator("GatherND", 11)
def gather_nd(x, indices, *, batch_dims=0):
    """The slices whose coordinates are the rows of `indices`; the first `batch_dims` axes of both belong together."""
    if not 0 <= batch_dims < min(x.ndim, indices.ndim):
        raise ValueError(f"batch_dims={batch_dims} does not fit {x.ndim} and {indices.ndim} axes")
    if batch_dims:
        indices = _with_batch(x, indices, batch_dims)
    return F.gather_nd(x, indices)


def _with_batch(x: Tensor, indices: Tensor, count: int) -> Tensor:
    """Rows of coordinates with those of the batch before them."""
    parts = []
    for axis in range(count):
        places = F.reshape(counted(x.shape[axis]), tuple(-1 if i == axis else 1 for i in range(indices.ndim)))
        parts.append(F.broadcast_to(F.cast(places, dt.int64), (*indices.shape[:-1], 1)))
    return F.concat([*parts, F.cast(indices, dt.int64)], -1)


_COMBINED = {"add": F.tensor_scatter_add, "mul": F.tensor_scatter_mul, "max": F.tensor_scatter_max,
             "min": F.tensor_scatter_min}


def _written(x: Tensor, points: Tensor, values: Tensor, reduction: str) -> Tensor:
    """`x` with values at the rows of `points`, one after another."""
    if reduction == "none":
        return F.tensor_scatter_update(x, points, values)
    if reduction not in _COMBINED:
        raise ValueError(f"unknown reduction {reduction!r}")
    return _COMBINED[reduction](x, points, values)


@operator("ScatterND", 11)
def scatter_nd(x, indices, updates, *, reduction="none"):
    depth = indices.shape[-1]
    sizes = Tensor(np.array(x.shape[:depth], np.int64)) if all(isinstance(n, int) for n in x.shape[:depth]) else None
    if sizes is not None:
        indices = _counted_from_the_end(indices, sizes)
    if reduction in ("mul", "max", "min") and depth < x.ndim:       # these combine elements, not slices
        indices, updates = _each_element(x, indices, updates)
    return _written(x, indices, updates, reduction)


def _each_element(x: Tensor, indices: Tensor, updates: Tensor) -> tuple:
    """Coordinates of slices as coordinates of all their elements, and the updates as a vector."""
    depth, rest = indices.shape[-1], x.shape[indices.shape[-1]:]
    rows, inner = math.prod(indices.shape[:-1]), math.prod(rest)
    room((rows, inner, x.ndim), "ScatterND")
    outer = F.broadcast_to(F.reshape(indices, (rows, 1, depth)), (rows, inner, depth))
    places = np.stack(np.unravel_index(np.arange(inner), rest), -1).astype(np.int64)
    within = F.broadcast_to(Tensor(places.reshape(1, inner, len(rest))), (rows, inner, len(rest)))
    return F.reshape(F.concat([outer, within], -1), (rows * inner, x.ndim)), F.reshape(updates, (rows * inner,))


@operator("ScatterElements", 11)
def scatter_elements(x, indices, updates, *, axis=0, reduction="none"):
    axis = axis_of(axis, x.ndim)
    indices = _counted_from_the_end(indices, x.shape[axis])
    coordinates = [indices if i == axis else F.broadcast_to(
        F.cast(F.reshape(counted(n), tuple(-1 if j == i else 1 for j in range(x.ndim))), dt.int64), indices.shape)
        for i, n in enumerate(indices.shape)]
    points = F.reshape(F.stack(coordinates, -1), (math.prod(indices.shape), x.ndim))
    return _written(x, points, F.reshape(updates, (-1,)), reduction)


operator("Scatter", 9)(lambda x, indices, updates, *, axis=0: scatter_elements(x, indices, updates, axis=axis))


@operator("NonZero", 9)
def nonzero(x):
    """[axes, how many]: how many there are is asked of the program, see `ops.nonzero`."""
    return F.transpose(F.nonzero(x), (1, 0))


@operator("Compress", 9, numbers=("condition",))
def compress(x, condition, *, axis=None):
    places = Tensor(np.flatnonzero(condition))
    return F.gather(F.reshape(x, (-1,)), places, 0) if axis is None else F.gather(x, places, axis_of(axis, x.ndim))


@operator("ReverseSequence", 10)
def reverse_sequence(x, lengths, *, batch_axis=1, time_axis=0):
    return F.reverse_sequence(x, lengths, time_axis, batch_axis)
