"""Rules of reading and writing at places that are data.

Where the places differ from example to example, the number of the example becomes one more coordinate.
"""
from __future__ import annotations

from graphcore.ir.graph import Node
from graphcore.ops.batching.values import Value, example_number, move_axis, rule
from graphcore.ops.indexing import gather_nd, scatter_nd_add
from graphcore.ops.view import concat, reshape, transpose


def _points(indices: Node, batch) -> Node:
    """Coordinates [..., 1 + R] of the number of the example and the R that `indices` [batch, ..., R] holds."""
    return concat(example_number(batch, (*indices.shape[1:-1], 1), indices.dtype), indices, axis=indices.rank - 1)


def _as_points(indices: Node, batch) -> Node:
    """Coordinates of the number of the example and an index along one axis."""
    return _points(reshape(indices, shape=(*indices.shape, 1)), batch)


def _behind(value: Value, batch) -> Node:
    """A value with the batch axis last."""
    return move_axis(value.spread(batch), 0, value.rank)


@rule("gather")
def _gather(record, batch, values, attrs):
    x, indices = values
    axis = attrs["axis"]
    if not indices.batched:
        return record(x.node, indices.node, axis=axis + 1)
    if not x.batched:
        return move_axis(record(x.node, indices.node, axis=axis), axis, 0)
    found = gather_nd(move_axis(x.node, axis + 1, 1), _as_points(indices.node, batch))
    before = range(1 + indices.rank, 1 + indices.rank + axis)      # the axes of x in front of `axis`
    order = (0, *before, *range(1, 1 + indices.rank), *range(1 + indices.rank + axis, found.rank))
    return transpose(found, perm=order)


@rule("scatter_add")
def _scatter_add(record, batch, values, attrs):
    indices, g = values
    axis, shape = attrs["axis"], tuple(attrs["shape"])
    if not indices.batched:
        return record(indices.node, g.node, axis=axis + 1, shape=(batch, *shape))
    named = range(1 + axis, 1 + axis + indices.rank)                # the axes of g that the indices name
    order = (0, *named, *range(1, 1 + axis), *range(1 + axis + indices.rank, 1 + g.rank))
    slices = transpose(g.spread(batch), perm=order)
    rest = shape[:axis] + shape[axis + 1:]
    made = scatter_nd_add(_as_points(indices.node, batch), slices, shape=(batch, shape[axis], *rest))
    return move_axis(made, 1, axis + 1)


@rule("gather_elements")
def _gather_elements(record, batch, values, attrs):
    return record(*(v.spread(batch) for v in values), axis=attrs["axis"] + 1)


@rule("scatter_elements_add")
def _scatter_elements_add(record, batch, values, attrs):
    return record(*(v.spread(batch) for v in values), axis=attrs["axis"] + 1, shape=(batch, *attrs["shape"]))


@rule("gather_nd")
def _gather_nd(record, batch, values, attrs):
    x, indices = values
    if not x.batched:
        return record(x.node, indices.node)
    if not indices.batched:
        found = record(_behind(x, batch), indices.node)
        return move_axis(found, found.rank - 1, 0)
    return record(x.node, _points(indices.node, batch))


@rule("scatter_nd_add")
def _scatter_nd_add(record, batch, values, attrs):
    indices, g = values
    shape = tuple(attrs["shape"])
    if not indices.batched:
        return move_axis(record(indices.node, _behind(g, batch), shape=(*shape, batch)), len(shape), 0)
    return record(_points(indices.node, batch), g.spread(batch), shape=(batch, *shape))


@rule("scatter_nd_update")
def _scatter_nd_update(record, batch, values, attrs):
    x, indices, v = values
    if not indices.batched:
        return move_axis(record(_behind(x, batch), indices.node, _behind(v, batch)), x.rank, 0)
    return record(x.spread(batch), _points(indices.node, batch), v.spread(batch))
