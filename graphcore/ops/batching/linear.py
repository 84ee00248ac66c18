"""Rules of matrix products, attention and convolutions.

A convolution (and each of its two gradients) is linear in both inputs.  A batch of images joins the axis N; a batch of
weights for shared images joins the channels within each group; where both are batched, each example is a group.
"""
from __future__ import annotations

from graphcore.ir.graph import Node
from graphcore.ops.batching.values import merge, move_axis, rule, split
from graphcore.ops.view import reshape


@rule("matmul")
def _matmul(record, batch, values, attrs):
    """Leading axes broadcast; rows of a batch times one matrix are one long product."""
    a, b = values
    if a.rank == 2 and b.rank == 2 and not b.batched and not attrs.get("transpose_a"):
        product = record(merge(a.node, 0), b.node, **attrs)
        return reshape(product, shape=(batch, a.shape[0], product.shape[1]))
    rank = max(a.rank, b.rank)
    return record(a.aligned(rank), b.aligned(rank), **attrs)


@rule("attention", "attention_grad")
def _attention(record, batch, values, attrs):
    """Leading axes broadcast: each operand has as many of them as the one that has most."""
    own = [2] * len(values)
    if record.name == "attention_grad":
        own[4:6] = 1, 1                     # lse and delta
    lead = max(0, *(value.rank - n for value, n in zip(values, own)))
    return record(*(value.aligned(lead + n) for value, n in zip(values, own)), **attrs)


# -- the axes of a batch among those of convolutions ------------------------------------------------------------------

def _grouped(x: Node, axis: int, groups: int) -> Node:
    """[batch, ...] → the batch between the groups and the channels of each, all in one axis (`axis` of the example)."""
    return merge(merge(move_axis(split(x, axis + 1, groups), 0, axis + 1), axis), axis)


def _ungrouped(x: Node, axis: int, groups: int, batch) -> Node:
    """The inverse of `_grouped`."""
    return merge(move_axis(split(split(x, axis, groups), axis + 1, batch), axis + 1, 0), axis + 1)


def _joined(x: Node, axis: int) -> Node:
    """[batch, ...] → the batch in front of `axis` of the example, in one axis with it."""
    return merge(move_axis(x, 0, axis), axis)


def _parted(x: Node, axis: int, batch) -> Node:
    """The inverse of `_joined`."""
    return move_axis(split(x, axis, batch), axis, 0)


@rule("conv2d")
def _conv2d(record, batch, values, attrs):
    x, w = values
    groups = attrs.get("groups", 1)
    if not w.batched:
        return _parted(record(_joined(x.node, 0), w.node, **attrs), 0, batch)
    if not x.batched:
        return _ungrouped(record(x.node, _grouped(w.node, 0, groups), **attrs), 1, groups, batch)
    return _parted(record(_joined(x.node, 1), _joined(w.node, 0), **{**attrs, "groups": batch * groups}), 1, batch)


@rule("conv2d_grad_input")
def _conv2d_grad_input(record, batch, values, attrs):
    g, w = values
    (n, c, *size), groups = attrs["shape"], attrs.get("groups", 1)
    if not w.batched:
        return _parted(record(_joined(g.node, 0), w.node, **{**attrs, "shape": (batch * n, c, *size)}), 0, batch)
    attrs = {**attrs, "shape": (n, batch * c, *size)}
    if not g.batched:
        return _ungrouped(record(g.node, _joined(w.node, 1), **attrs), 1, groups, batch)
    attrs["groups"] = batch * groups
    return _parted(record(_joined(g.node, 1), _joined(w.node, 0), **attrs), 1, batch)


@rule("conv2d_grad_weight")
def _conv2d_grad_weight(record, batch, values, attrs):
    x, g = values
    (o, i, *size), groups = attrs["shape"], attrs.get("groups", 1)
    if not g.batched:
        shape = (o, batch * i, *size)
        return _parted(record(_grouped(x.node, 1, groups), g.node, **{**attrs, "shape": shape}), 1, batch)
    attrs = {**attrs, "shape": (batch * o, i, *size)}
    if not x.batched:
        return _ungrouped(record(x.node, _grouped(g.node, 1, groups), **attrs), 0, groups, batch)
    attrs["groups"] = batch * groups
    return _parted(record(_joined(x.node, 1), _joined(g.node, 1), **attrs), 0, batch)
