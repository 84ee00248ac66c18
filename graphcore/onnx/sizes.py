"""Operators on values that hold symbolic sizes: the few that models compute shapes with.

Each takes NumPy arrays, some of Python objects (ints and `Dim`), and gives one.  Others get a Tensor that the program
computes.
"""
from __future__ import annotations

import functools
import operator as py

import numpy as np

from graphcore.dtype import int32, int64
from graphcore.errors import ShapeError
from graphcore.ir.dims import Dim
from graphcore.onnx.tensors import dtype_of
from graphcore.onnx.values import sizes_of
from graphcore.tensor import Tensor


def _elements(function):
    def apply(a, b):
        return np.frompyfunc(function, 2, 1)(a, b)
    return apply


def _axes(axes) -> tuple:
    return tuple(int(a) for a in np.asarray(axes).reshape(-1))


def _squeeze(x, axes=None):
    return np.squeeze(x, None if axes is None else _axes(axes))


def _unsqueeze(x, axes):
    return np.expand_dims(x, _axes(axes))


def _slice(x, starts, ends, axes=None, steps=None):
    starts, ends = _axes(starts), _axes(ends)
    axes = range(len(starts)) if axes is None else _axes(axes)
    steps = (1,) * len(starts) if steps is None else _axes(steps)
    index = [slice(None)] * x.ndim
    for axis, *window in zip(axes, starts, ends, steps):
        index[axis] = slice(*window)
    return x[tuple(index)]


def _cast(x, *, to, **_):
    """Sizes are numbers without a width: what casts them to int32 and back changes nothing."""
    return x if dtype_of(to) in (int32, int64) else None


def _product(x, axes=None, *, keepdims=1, **_):
    if x.ndim != 1:
        return None
    return np.array([functools.reduce(py.mul, x.tolist(), 1)] if keepdims else functools.reduce(py.mul, x.tolist(), 1),
                    object)


def _larger(a, b):
    """The larger of two sizes; a symbolic one is at least 1."""
    if a == b or isinstance(b, int) and b <= 1 and isinstance(a, Dim):
        return a
    if isinstance(a, int) and a <= 1 and isinstance(b, Dim):
        return b
    return max(a, b)        # of symbolic sizes: ShapeError


def _equal(a, b):
    if isinstance(a, Dim) is isinstance(b, Dim) and not isinstance(a, Dim) or a == b:
        return a == b
    if all(isinstance(v, Dim) or v > 0 for v in (a, b)):
        raise ShapeError(f"whether {a} equals {b} is known only when the program runs")
    return False


def _max(*xs):
    return functools.reduce(_elements(_larger), xs)


# A function gives None for what it does not know, or raises ShapeError.
ON_SIZES = {
    "Identity": lambda x: x, "Add": _elements(py.add), "Sub": _elements(py.sub), "Mul": _elements(py.mul),
    "Div": _elements(py.floordiv), "Max": _max, "Equal": _elements(_equal), "Where": np.where,
    "Concat": lambda *xs, axis: np.concatenate(xs, axis),
    "Gather": lambda x, indices, *, axis=0: np.take(x, indices.astype(np.int64), axis),
    "Squeeze": _squeeze, "Unsqueeze": _unsqueeze, "Slice": _slice, "Cast": _cast, "ReduceProd": _product,
    "Reshape": lambda x, shape, **_: x.reshape(_axes(shape)),
}


def on_sizes(name: str, values: list, attributes: dict) -> Tensor | np.ndarray | None:
    """What the operator gives for known arrays, some with symbolic sizes; None where that is not known."""
    function = ON_SIZES.get(name)
    if function is None:
        return None
    try:
        result = function(*values, **attributes)
    except ShapeError:
        return None
    if result is None:
        return None
    result = np.asarray(result, object)
    return Tensor(result.astype(bool)) if name == "Equal" else sizes_of(result)
