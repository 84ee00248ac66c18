"""Operators that only look at the same elements in another way, and those that assemble an array of parts.

A view's `lower` gives the strided window of its result on its input's memory; the code generator composes windows,
so views cost nothing unless a reshape of something non-contiguous needs a copy.
"""
from __future__ import annotations

import numpy as np

from graphcore.errors import DTypeError, ShapeError
from graphcore.ir.dims import Dim, product
from graphcore.ops.record import Scheduled, View, broadcast_shapes, op


@op
class reshape(View):
    """The same elements, row-major, under another `shape` of equal size."""
    def infer(x, *, shape):
        if product(shape) != x.size:
            raise ShapeError(f"a tensor of shape {x.shape} has {x.size} elements; it cannot take the shape "
                             f"{tuple(shape)}, which has {product(shape)}")
        return x.with_shape(shape)
    def reference(x, *, shape):
        return np.reshape(x, shape)
    def vjp(g, y, x, *, shape):
        return (reshape(g, shape=x.shape),)
    def samples():
        x = np.arange(24, dtype="f4").reshape(2, 3, 4)
        return [([x], {"shape": s}) for s in ((24,), (6, 4), (2, 1, 3, 4, 1), (4, 6))]


@op
class transpose(View):
    """Axes in another order: axis i of the result is axis perm[i] of x."""
    def infer(x, *, perm):
        if sorted(perm) != list(range(x.rank)):
            raise ShapeError(f"transpose: {tuple(perm)} is not an order of the {x.rank} axes of shape {x.shape}")
        return x.with_shape(x.shape[p] for p in perm)
    def reference(x, *, perm):
        return np.transpose(x, perm)
    def vjp(g, y, x, *, perm):
        return (transpose(g, perm=tuple(int(i) for i in np.argsort(perm))),)
    def samples():
        x = np.arange(24, dtype="f4").reshape(2, 3, 4)
        return [([x], {"perm": p}) for p in ((2, 0, 1), (1, 0, 2), (0, 2, 1), (2, 1, 0))]


@op
class broadcast_to(View):
    """x repeated along axes of size 1 and new leading axes until it has `shape`."""
    def infer(x, *, shape):
        if broadcast_shapes(x.shape, shape) != tuple(shape):
            raise ShapeError(f"a tensor of shape {x.shape} cannot be broadcast to {tuple(shape)}; only axes of size 1 "
                             "stretch: reshape it first")
        return x.with_shape(shape)
    def reference(x, *, shape):
        return np.broadcast_to(x, shape)
    def vjp(g, y, x, *, shape):
        return (sum_to(g, x.shape),)
    def samples():
        return [([np.arange(3, dtype="f4").reshape(3, 1)], {"shape": (2, 3, 4)}), ([np.float32(3)], {"shape": (4,)})]


def sum_to(g, shape):
    """Sum a gradient over the axes along which `shape` was broadcast."""
    from graphcore.ops.reduction import sum_
    lead = g.rank - len(shape)
    axes = tuple(i for i in range(g.rank) if i < lead or (shape[i - lead] == 1 and g.shape[i] != 1))
    if not axes:
        return g
    summed = sum_(g, axes=axes, keepdims=True)
    return summed if summed.shape == tuple(shape) else reshape(summed, shape=tuple(shape))


@op
class slice_(View):
    """x[begin[i] + k*stride[i] for k < size[i]] along each axis i; strides may be negative."""
    def infer(x, *, begin, size, stride):
        if not len(begin) == len(size) == len(stride) == x.rank:
            raise ShapeError(f"slice: begin, size and stride need one entry for each axis of shape {x.shape}")
        for b, n, s, extent in zip(begin, size, stride, x.shape):
            if not _fits(b, n, s, extent):
                raise ShapeError(f"slice {b}:{b + n * s}:{s} leaves an axis of size {extent}")
        return x.with_shape(size)
    def reference(x, *, begin, size, stride):
        return x[np.ix_(*[b + np.arange(n) * s for b, n, s in zip(begin, size, stride)])] if x.ndim else x
    def vjp(g, y, x, *, begin, size, stride):
        return (place(g, shape=x.shape, begin=begin, stride=stride, fill=0.0),)
    def samples():
        x = np.arange(60, dtype="f4").reshape(3, 4, 5)
        return [([x], {"begin": (1, 0, 4), "size": (2, 2, 5), "stride": (1, 2, -1)}),
                ([x], {"begin": (0, 3, 0), "size": (3, 1, 2), "stride": (1, 1, 3)})]


def _fits(begin, size, stride, extent) -> bool:
    """Whether `size` places from `begin` in steps of `stride` lie on an axis of `extent`; symbols: taken as given."""
    if any(isinstance(v, Dim) for v in (begin, size, stride, extent)) or size == 0:
        return True
    return size > 0 and 0 <= begin < extent and 0 <= begin + (size - 1) * stride < extent


def _check_place(name: str, part: tuple, begin, stride, shape: tuple) -> None:
    """Raise ShapeError unless a window of the shape `part`, no place twice, lies in an array of `shape`."""
    if not len(begin) == len(stride) == len(part) == len(shape):
        raise ShapeError(f"{name}: begin and stride need one entry for each axis, and {part} and {tuple(shape)} as "
                         "many axes")
    for b, n, s, extent in zip(begin, part, stride, shape):
        if not _fits(b, n, s, extent) or s == 0 and not n == 1:
            raise ShapeError(f"{name}: {n} elements from {b} in steps of {s} leave an axis of size {extent}")


class Assembled(Scheduled):
    """Written by copies into windows of the result; each copy is an ordinary fused kernel."""

    kind = "assembled"


@op
class concat(Assembled):
    """The inputs one after the other along `axis`."""
    def infer(*types, axis):
        if not types or not 0 <= axis < types[0].rank:
            shapes = ", ".join(str(t.shape) for t in types)
            raise ShapeError(f"concat: there is no axis {axis} of {shapes or 'nothing'}")
        first = types[0]
        for t in types[1:]:
            if t.dtype is not first.dtype:
                raise DTypeError("concat: dtypes differ: " + ", ".join(map(str, types)))
            if t.rank != first.rank or any(i != axis and a != b for i, (a, b) in enumerate(zip(t.shape, first.shape))):
                raise ShapeError(f"concat along axis {axis}: the other axes must agree, got "
                                 + ", ".join(str(t.shape) for t in types))
        total = sum((t.shape[axis] for t in types[1:]), first.shape[axis])
        return first.with_shape(total if i == axis else s for i, s in enumerate(first.shape))
    def reference(*arrays, axis):
        return np.concatenate(arrays, axis)
    def vjp(g, y, *inputs, axis):
        grads, start = [], 0
        for x in inputs:
            begin = tuple(start if i == axis else 0 for i in range(g.rank))
            grads.append(slice_(g, begin=begin, size=x.shape, stride=(1,) * g.rank))
            start = start + x.shape[axis]
        return tuple(grads)
    def samples():
        a, b = np.ones((2, 3), "f4"), np.arange(4, dtype="f4").reshape(2, 2)
        return [([a, b], {"axis": 1}), ([a, 2 * a, a], {"axis": 0})]


def _holds(dtype, number) -> bool:
    limits = np.iinfo(dtype.storage)
    return limits.min <= number <= limits.max


@op
class place(Assembled):
    """x at begin + k*stride of an array of `shape` filled with `fill` (padding; the gradient of slicing)."""
    arity = 1
    def infer(x, *, shape, begin, stride, fill):
        _check_place("place", x.shape, begin, stride, shape)
        if x.dtype.is_integer and x.shape != tuple(shape) and not _holds(x.dtype, fill):
            raise DTypeError(f"place: {x.dtype.name} does not hold {fill}, which the rest is to be filled with")
        return x.with_shape(shape)
    def reference(x, *, shape, begin, stride, fill):
        result = np.full(shape, fill, x.dtype)
        if x.ndim:
            result[np.ix_(*[b + np.arange(n) * s for b, n, s in zip(begin, x.shape, stride)])] = x
            return result
        return x.copy()
    def vjp(g, y, x, *, shape, begin, stride, fill):
        return (slice_(g, begin=begin, size=x.shape, stride=stride),)
    def samples():
        x = np.arange(1, 7, dtype="f4").reshape(2, 3)
        return [([x], {"shape": (4, 7), "begin": (1, 0), "stride": (1, 2), "fill": 0.0}),
                ([x], {"shape": (2, 5), "begin": (1, 4), "stride": (-1, -2), "fill": 9.0})]


@op
class update_slice(Assembled):
    """x with the window begin + k*stride replaced by `value`, whose shape is the window's."""
    arity = 2
    def infer(x, value, *, begin, stride):
        if x.dtype is not value.dtype:
            raise DTypeError(f"the value assigned has dtype {value.dtype.name}, the tensor {x.dtype.name}")
        _check_place("update_slice", value.shape, begin, stride, x.shape)
        return x
    def reference(x, value, *, begin, stride):
        result = x.copy()
        if not x.ndim:
            return value.copy()
        result[np.ix_(*[b + np.arange(n) * s for b, n, s in zip(begin, value.shape, stride)])] = value
        return result
    def vjp(g, y, x, value, *, begin, stride):
        from graphcore.ops.pointwise import literal
        hole = broadcast_to(literal(0, g), shape=value.shape) if value.shape else literal(0, g)
        return (update_slice(g, hole, begin=begin, stride=stride),
                slice_(g, begin=begin, size=value.shape, stride=stride))
    def samples():
        x = np.arange(12, dtype="f4").reshape(3, 4)
        return [([x, -np.ones((2, 2), "f4")], {"begin": (0, 1), "stride": (2, 2)})]


def strided(x_shape: tuple, strides: tuple, name: str, attrs) -> tuple | None:
    """(shape, strides, offset) of a view's result on a window with the given shape and strides; None if it has none.

    This is the one place that knows how each view moves over memory.
    """
    if name == "transpose":
        return tuple(x_shape[p] for p in attrs["perm"]), tuple(strides[p] for p in attrs["perm"]), 0
    if name == "broadcast_to":
        shape = attrs["shape"]
        lead = len(shape) - len(x_shape)
        moved = (0,) * lead + tuple(0 if a == 1 and b != 1 else s
                                    for a, b, s in zip(x_shape, shape[lead:], strides))
        return tuple(shape), moved, 0
    if name == "slice":
        offset = 0
        for b, s in zip(attrs["begin"], strides):
            offset = s * b + offset
        return tuple(attrs["size"]), tuple(s * k for s, k in zip(strides, attrs["stride"])), offset
    return _reshape_strides(x_shape, strides, attrs["shape"])


def _reshape_strides(shape, strides, new_shape):
    """Strides of a reshape without a copy: pair up runs of axes of equal size, each old run contiguous in itself."""
    if 0 in shape:
        return tuple(new_shape), (0,) * len(new_shape), 0
    if all(n == 1 or s == row_major for n, s, row_major in zip(shape, strides, _row_major(shape))):
        return tuple(new_shape), tuple(0 if n == 1 else s for n, s in zip(new_shape, _row_major(new_shape))), 0
    old = [(n, s) for n, s in zip(shape, strides) if n != 1]
    new = [n for n in new_shape if n != 1]
    found: list = []
    while new and old:
        run_old, run_new = [old.pop(0)], [new.pop(0)]
        while product(n for n, _ in run_old) != product(run_new):
            grow_old = _divides(product(n for n, _ in run_old), product(run_new))
            if grow_old and old:
                run_old.append(old.pop(0))
            elif not grow_old and new:
                run_new.append(new.pop(0))
            else:
                return None
        if any(s != n * t for (_, s), (n, t) in zip(run_old, run_old[1:])):
            return None
        step, run_strides = run_old[-1][1], []
        for n in reversed(run_new):
            run_strides.append(step)
            step = n * step
        found += reversed(run_strides)
    if new or old:
        return None
    remaining = iter(found)
    return tuple(new_shape), tuple(0 if n == 1 else next(remaining) for n in new_shape), 0


def _row_major(shape) -> tuple:
    """The strides of contiguous memory."""
    strides, step = [], 1
    for n in reversed(shape):
        strides.append(step)
        step = n * step
    return tuple(reversed(strides))


def _divides(a, b) -> bool:
    """Whether size a is the smaller of two sizes that differ (symbolic sizes: whether a divides b)."""
    if isinstance(a, int) and isinstance(b, int):
        return a < b
    try:
        return (b // a) * a == b
    except ShapeError:
        return False
