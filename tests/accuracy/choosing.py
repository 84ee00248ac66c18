"""Kernels that move, choose and order values: pooling, indexing, scans, sorting, joining."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore import ops
from graphcore.ops.pooling import pooled_shape
from graphcore.ops.record import REGISTRY
from tests.accuracy.measure import Family, Result, equal, function, linear, numbers, roles

WINDOWS = {"2x2": ((2, 2), (2, 2), (1, 1, 1, 1)), "3x3 with steps": ((3, 3), (2, 2), (1, 1, 1, 1)),
           "3x3": ((3, 3), (1, 1), (1, 1, 1, 1)), "7x7": ((7, 7), (3, 3), (3, 3, 3, 3))}


def _largest(window: tuple, slopes: bool, *shape: int) -> Result:
    attrs = dict(zip(("kernel", "stride", "pad"), window)) | {"dilation": (1, 1)}
    x = numbers(*shape)
    if not slopes:
        return equal("max_pool2d", [x], **attrs)
    y = REGISTRY["max_pool2d"].reference(x, **attrs)
    return linear("max_pool2d_grad", [x, y, numbers(*y.shape, seed=1)], fixed=2, **attrs)


def _mean(window: tuple, slopes: bool, *shape: int) -> Result:
    attrs = dict(zip(("kernel", "stride", "pad"), window)) | {"count_include_pad": False, "divisor_override": None}
    if not slopes:
        return linear("avg_pool2d", [numbers(*shape)], **attrs)
    return linear("avg_pool2d_grad", [numbers(*pooled_shape("", shape, *window))], **attrs, shape=shape)


def _pooling(name: str, run, window: tuple, slopes: bool, bound: float) -> Family:
    return Family(name, lambda images, channels, height, width: run(window, slopes, images, channels, height, width),
                  bound, roles("images channels height width"), "",
                  lambda images, channels, height, width: 9 * images * channels * height * width)


POOLING = [_pooling(f"{kind} of {name}{', gradient' * slopes}", run, window, slopes, bound)
           for name, window in WINDOWS.items()
           for kind, run, slopes, bound in (("max pooling", _largest, False, 0), ("max pooling", _largest, True, 8),
                                            ("mean pooling", _mean, False, 8), ("mean pooling", _mean, True, 8))]


# -- indexing ----------------------------------------------------------------------------------------------------------

def _indices(extent: int, *shape: int) -> np.ndarray:
    """Places in an axis, counted from either end."""
    return np.random.default_rng(extent).integers(-extent, extent, shape).astype(np.int32)


def _points(extents: tuple, count: int) -> np.ndarray:
    return np.stack([_indices(extent, count) for extent in extents], -1)


def _update(a, b, count) -> Result:
    """Every place at most once: which of several values stays is another test's business."""
    places = np.random.default_rng(0).permutation(a)[:count].astype(np.int32)[:, None]
    return equal("scatter_nd_update", [numbers(a, b), places, numbers(len(places), b, seed=1)])


def _elements_added(a, b, count, axis) -> Result:
    index, shape = (_indices(a, count, b), (count, b)) if axis == 0 else (_indices(b, a, count), (a, count))
    return linear("scatter_elements_add", [index, numbers(*shape)], axis=axis, shape=(a, b))


INDEXING = [
    Family("gather of rows (embedding)", lambda a, b, count: equal(
        "gather", [numbers(a, b), _indices(a, count)], axis=0), 0, roles("a b count")),
    Family("gather of columns", lambda a, b, count: equal(
        "gather", [numbers(a, b), _indices(b, count)], axis=1), 0, roles("a b count")),
    Family("scatter_add to rows (embedding's gradient)", lambda a, b, count: linear(
        "scatter_add", [_indices(a, count), numbers(count, b)], axis=0, shape=(a, b)), 4, roles("a b count")),
    Family("scatter_add to columns", lambda a, b, count: linear(
        "scatter_add", [_indices(b, count), numbers(a, count)], axis=1, shape=(a, b)), 4, roles("a b count")),
    Family("gather_elements", lambda a, b, count: equal(
        "gather_elements", [numbers(a, b), _indices(b, a, count)], axis=1), 0, roles("a b count")),
    Family("scatter_elements_add, axis 0", lambda **s: _elements_added(**s, axis=0), 4, roles("a b count")),
    Family("scatter_elements_add, axis 1", lambda **s: _elements_added(**s, axis=1), 4, roles("a b count")),
    Family("gather_nd", lambda a, b, count: equal(
        "gather_nd", [numbers(a, b, 3), _points((a, b), count)]), 0, roles("a b count")),
    Family("scatter_nd_add", lambda a, b, count: linear(
        "scatter_nd_add", [_points((a, b), count), numbers(count, 3)], shape=(a, b, 3)), 4, roles("a b count")),
    Family("scatter_nd_update", _update, 0, roles("a b count")),
]


# -- scans, sorting, joining -------------------------------------------------------------------------------------------

def _scan(name: str, axis: int, rows: int, columns: int) -> Result:
    x = numbers(rows, columns)
    x = (1 + 0.02 * x).astype(np.float32) if name == "cumprod" else x
    return linear(name, [x], axis=axis, exclusive=False, reverse=axis == 0)


def _ordered(name: str, axis: int, **attrs):
    return lambda rows, columns: equal(name, [np.round(numbers(rows, columns), 1)], axis=axis, **attrs)


def _leading(rows, columns, k) -> Result:
    """The k largest of rows, and their places; ties are many."""
    attrs = {"axis": 1, "k": min(k, columns), "largest": True}
    found = [equal(name, [np.round(numbers(rows, columns), 1)], **attrs) for name in ("topk_values", "topk_indices")]
    return Result([r.got[0] for r in found], [r.want[0] for r in found], [1.0, 1.0])


def _joined(x, y, z):
    whole = ops.concat([x, y * 2, x], 1)
    return ops.concat([whole, whole[:, ::-1], z], 0), ops.stack([x, x], 2), ops.pad(x, (2, 1, 0, 3), value=0.5)


def _join(rows, columns, others) -> Result:
    return function(_joined, [numbers(rows, columns), numbers(rows, others), numbers(3, 2 * columns + others)])


ORDER = [
    *(Family(f"{name} along {'rows' if axis else 'columns'}", lambda rows, columns, name=name, axis=axis: _scan(
        name, axis, rows, columns), bound, roles("rows columns"))
      for name, bound in (("cumsum", 8), ("cumprod", 64)) for axis in (0, 1)),
    *(Family(f"{name} along {'rows' if axis else 'columns'}", _ordered(name, axis, descending=not axis), 0,
             roles("rows columns")) for name in ("sort_values", "sort_indices") for axis in (0, 1)),
    *(Family(f"argmax along {'rows' if axis else 'columns'}", _ordered("argmax", axis, keepdims=False, dtype=dt.int32),
             0, roles("rows columns")) for axis in (0, 1)),
    Family("topk", _leading, 0, roles("rows columns k")),
    Family("concat, stack, pad, reversed slices", _join, 0, roles("rows columns others")),
]
