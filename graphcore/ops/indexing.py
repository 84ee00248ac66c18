"""Reading and writing elements whose places are data.

Indices are int32 or int64 (`scatter` and `gather` of other integers: cast first).  A negative index counts from the
end, as in Python.  Kernels cannot raise: reading at an index that is out of range gives 0 and writing there does
nothing, the same in the references.
"""
from __future__ import annotations

import numpy as np

from graphcore.errors import DTypeError, ShapeError
from graphcore.ops.pointwise import zeros_like
from graphcore.ops.record import Scheduled, check_dtype, op


def check_indices(name: str, indices) -> None:
    """Raise DTypeError unless `indices` are int32 or int64."""
    if indices.dtype.name not in ("int32", "int64"):
        raise DTypeError(f"{name} takes int32 or int64 indices, got {indices.dtype.name}; cast them first")


def check_axis(name: str, axis: int, rank: int) -> None:
    """Raise ShapeError unless 0 <= axis < rank."""
    if not 0 <= axis < rank:
        raise ShapeError(f"{name}: axis {axis} is out of range for {rank} axes")


def _in_range(indices, extent):
    """Indices with the negative ones counted from the end, clipped; and which of them are valid."""
    wrapped = np.where(indices < 0, indices + extent, indices)
    valid = (wrapped >= 0) & (wrapped < extent)
    return np.where(valid, wrapped, 0), valid


def _ints(*values):
    return np.array(values, "i4")


@op
class gather(Scheduled):
    """x[..., indices, ...]: the slices of x along `axis` that `indices` names (NumPy's take); an embedding for axis 0.

    x: any dtype; indices: int32 or int64 of any shape → x.shape[:axis] + indices.shape + x.shape[axis+1:].
    """
    arity = 2
    def infer(x, indices, *, axis):
        check_indices("gather", indices)
        check_axis("gather", axis, x.rank)
        return x.with_shape((*x.shape[:axis], *indices.shape, *x.shape[axis + 1:]))
    def reference(x, indices, *, axis):
        if not x.shape[axis]:
            return np.zeros((*x.shape[:axis], *indices.shape, *x.shape[axis + 1:]), x.dtype)
        places, valid = _in_range(indices, x.shape[axis])
        valid = valid.reshape(valid.shape + (1,) * (x.ndim - axis - 1))
        return np.where(valid, np.take(x, places, axis), np.zeros((), x.dtype))
    def vjp(g, y, x, indices, *, axis):
        return scatter_add(indices, g, axis=axis, shape=x.shape), None
    def samples():
        x = np.random.RandomState(0).randn(4, 5, 3).astype("f4")
        return [([x, _ints(3, 0, -1, 3)], {"axis": 0}), ([x, _ints([4, 0], [2, 7])], {"axis": 1}),
                ([x, np.array(2, "i8")], {"axis": 2})]


@op
class scatter_add(Scheduled):
    """Zeros of `shape` with the slices of g added at `indices` along `axis`: the gradient of gather.

    indices: int32 or int64; g: number of shape[:axis] + indices.shape + shape[axis+1:] → `shape`.  Slices for one
    place are added in their order.
    """
    arity = 2
    def infer(indices, g, *, axis, shape):
        check_indices("scatter_add", indices)
        check_axis("scatter_add", axis, len(shape))
        check_dtype("scatter_add", g.dtype, "number")
        wanted = (*shape[:axis], *indices.shape, *shape[axis + 1:])
        if wanted != g.shape:
            raise ShapeError(f"scatter_add: indices of shape {indices.shape} on axis {axis} of {tuple(shape)} ask for "
                             f"values of shape {wanted}, got {g.shape}")
        return g.with_shape(shape)
    def reference(indices, g, *, axis, shape):
        result = np.zeros(shape, g.dtype)
        places, valid = _in_range(indices.ravel(), shape[axis])
        slices = g.reshape((*shape[:axis], -1, *shape[axis + 1:]))
        np.add.at(np.moveaxis(result, axis, 0), places[valid], np.moveaxis(slices, axis, 0)[valid])
        return result
    def vjp(gg, y, indices, g, *, axis, shape):
        return None, gather(gg, indices, axis=axis)
    def samples():
        g = np.random.RandomState(0).randn(4, 3).astype("f4")
        return [([_ints(1, 0, 1, -1), g], {"axis": 0, "shape": (5, 3)}),
                ([_ints([2, 2, 9]), g[:, None]], {"axis": 1, "shape": (4, 3)})]


def _check_elements(name: str, index, axis: int, shape: tuple) -> None:
    check_indices(name, index)
    check_axis(name, axis, len(shape))
    if index.rank != len(shape):
        raise ShapeError(f"{name}: the index has {index.rank} axes, the tensor {len(shape)}; they must agree")
    for i, (a, b) in enumerate(zip(index.shape, shape)):
        if i != axis and isinstance(a, int) and isinstance(b, int) and a > b:
            raise ShapeError(f"{name}: the index of shape {index.shape} is larger than the tensor of shape "
                             f"{tuple(shape)} along axis {i}")


def _element_places(index, axis: int, extent: int) -> tuple:
    """A full tuple of index arrays for the elements that `index` names along `axis`; and which are valid."""
    places, valid = _in_range(index, extent)
    grid = list(np.indices(index.shape, sparse=True))
    grid[axis] = places
    return tuple(np.broadcast_arrays(*grid)), valid


@op
class gather_elements(Scheduled):
    """out[i, j, k] = x[i, index[i, j, k], k] for axis 1, and likewise for others.

    x: any dtype; index: int32 or int64 of the rank of x, no larger than x along other axes → the shape of index.
    """
    arity = 2
    def infer(x, index, *, axis):
        _check_elements("gather_elements", index, axis, x.shape)
        return x.with_shape(index.shape)
    def reference(x, index, *, axis):
        if not x.shape[axis]:
            return np.zeros(index.shape, x.dtype)
        places, valid = _element_places(index, axis, x.shape[axis])
        return np.where(valid, x[places], np.zeros((), x.dtype))
    def vjp(g, y, x, index, *, axis):
        return scatter_elements_add(index, g, axis=axis, shape=x.shape), None
    def samples():
        x = np.random.RandomState(0).randn(4, 5).astype("f4")
        return [([x, _ints([3, 0, -1], [1, 1, 9])], {"axis": 0}), ([x, _ints([0, 0], [4, 2], [-5, 1])], {"axis": 1})]


@op
class scatter_elements_add(Scheduled):
    """Zeros of `shape` with out[i, index[i, j, k], k] += g[i, j, k] for axis 1, likewise for others.

    index: int32 or int64; g: number of the shape of index → `shape`.  Elements for one place are added in their order.
    """
    arity = 2
    def infer(index, g, *, axis, shape):
        _check_elements("scatter_elements_add", index, axis, shape)
        check_dtype("scatter_elements_add", g.dtype, "number")
        if index.shape != g.shape:
            raise ShapeError(f"scatter_elements_add: indices of shape {index.shape} for values of shape {g.shape}")
        return g.with_shape(shape)
    def reference(index, g, *, axis, shape):
        result = np.zeros(shape, g.dtype)
        places, valid = _element_places(index, axis, shape[axis])
        np.add.at(result, tuple(p[valid] for p in places), g[valid])
        return result
    def vjp(gg, y, index, g, *, axis, shape):
        return None, gather_elements(gg, index, axis=axis)
    def samples():
        g = np.random.RandomState(0).randn(3, 2).astype("f4")
        index = _ints([0, 0], [0, 2], [-5, 1])
        return [([index, g], {"axis": a, "shape": (4, 5)}) for a in (0, 1)]


def _check_points(name: str, indices, shape: tuple) -> tuple:
    """The shape of the values that `indices` [..., R] name in a tensor of `shape`."""
    check_indices(name, indices)
    if indices.rank < 1 or not isinstance(indices.shape[-1], int) or not 1 <= indices.shape[-1] <= len(shape):
        raise ShapeError(f"{name}: the last axis of the indices holds the coordinates of a point, 1 to {len(shape)} of "
                         f"them for a tensor of shape {tuple(shape)}; got indices of shape {indices.shape}")
    return (*indices.shape[:-1], *shape[indices.shape[-1]:])


def _points(indices, shape) -> tuple:
    """The coordinates of the points, as index arrays; and which are valid in all of them."""
    places, valid = zip(*(_in_range(indices[..., axis], shape[axis]) for axis in range(indices.shape[-1])))
    return places, np.logical_and.reduce(valid)


@op
class gather_nd(Scheduled):
    """out[p] = x[indices[p]]: each row of `indices` is the R first coordinates of a slice of x.

    x: any dtype; indices: int32 or int64 [..., R] → indices.shape[:-1] + x.shape[R:].
    """
    arity = 2
    def infer(x, indices):
        return x.with_shape(_check_points("gather_nd", indices, x.shape))
    def reference(x, indices):
        places, valid = _points(indices, x.shape)
        result = np.zeros((*valid.shape, *x.shape[indices.shape[-1]:]), x.dtype)
        result[valid] = x[tuple(p[valid] for p in places)]
        return result
    def vjp(g, y, x, indices):
        return scatter_nd_add(indices, g, shape=x.shape), None
    def samples():
        x = np.random.RandomState(0).randn(4, 5, 3).astype("f4")
        return [([x, _ints([3, 0], [-1, 4], [0, 5])], {}), ([x, _ints([[1, 2, 0]], [[0, 0, 2]])], {}),
                ([x, _ints([2])], {})]


@op
class scatter_nd_add(Scheduled):
    """Zeros of `shape` with out[indices[p]] += g[p]: the gradient of gather_nd.

    indices: int32 or int64 [..., R]; g: number of indices.shape[:-1] + shape[R:] → `shape`; in the order of p.
    """
    arity = 2
    def infer(indices, g, *, shape):
        check_dtype("scatter_nd_add", g.dtype, "number")
        wanted = _check_points("scatter_nd_add", indices, shape)
        if wanted != g.shape:
            raise ShapeError(f"scatter_nd_add: indices of shape {indices.shape} into {tuple(shape)} ask for values of "
                             f"shape {wanted}, got {g.shape}")
        return g.with_shape(shape)
    def reference(indices, g, *, shape):
        result = np.zeros(shape, g.dtype)
        places, valid = _points(indices, shape)
        np.add.at(result, tuple(p[valid] for p in places), g[valid])
        return result
    def vjp(gg, y, indices, g, *, shape):
        return None, gather_nd(gg, indices)
    def samples():
        g = np.random.RandomState(0).randn(3, 5).astype("f4")
        return [([_ints([1], [0], [1]), g], {"shape": (4, 5)}),
                ([_ints([1, 4], [-1, 0], [1, 4]), g[:, 0]], {"shape": (4, 5)})]


@op
class scatter_nd_update(Scheduled):
    """x with x[indices[p]] = v[p]; of several values for one place the last stays.

    x: any dtype; indices: int32 or int64 [..., R]; v: as x, of indices.shape[:-1] + x.shape[R:] → the shape of x.
    The gradient of v counts every row, so it is exact only where no place is named twice.
    """
    arity = 3
    def infer(x, indices, v):
        wanted = _check_points("scatter_nd_update", indices, x.shape)
        if wanted != v.shape or v.dtype is not x.dtype:
            raise ShapeError(f"scatter_nd_update: indices of shape {indices.shape} into {x} ask for values of type "
                             f"{x.with_shape(wanted)}, got {v}")
        return x
    def reference(x, indices, v):
        result = x.copy()
        places, valid = _points(indices, x.shape)
        result[tuple(p[valid] for p in places)] = v[valid]
        return result
    def vjp(g, y, x, indices, v):
        return scatter_nd_update(g, indices, zeros_like(v)), None, gather_nd(g, indices)
    def samples():
        r = np.random.RandomState(0)
        return [([r.randn(4, 5).astype("f4"), _ints([1], [-1]), r.randn(2, 5).astype("f4")], {}),
                ([r.randn(4, 5).astype("f4"), _ints([1, 2], [0, 9]), r.randn(2).astype("f4")], {})]
