"""Each value that an iteration of a loop keeps is a node of its own: one kernel then writes all that it makes.

The lowering writes a node straight to one destination.  Where a carried value, or its successor, is kept as well, the
second destination would cost a launch for its copy, and a carried value that is still to be copied cannot be
overwritten in place.  A `copy` node is fused instead, into the kernel that has the value at hand.
"""
from __future__ import annotations

from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node
from graphcore.ir.types import TensorType
from graphcore.ops import pointwise
from graphcore.ops.record import REGISTRY


def kept_values_apart(graph: Graph) -> Graph:
    """The graph with a `copy` of each value that its loops keep and that is carried, or kept, besides."""
    def replace(n: Node, inputs: tuple) -> Node:
        new = n if inputs == n.inputs else ir.node(n.op, inputs, n.attrs, n.type)
        if new.op not in ("loop", "while"):
            return new
        body = new.attrs["body"]
        outputs = _apart(body, new.attrs["carried"])
        if outputs == body.outputs:
            return new
        grown = Graph(body.name, body.inputs, outputs, body.updates, body.effects, body.origins)
        return ir.with_graphs(new, {"body": grown})

    return ir.rebuild(graph, replace)


def _apart(body: Graph, carried: int) -> tuple:
    after, kept = body.outputs[:carried], body.outputs[carried:]
    taken = {_stored(value) for value in after}
    found = []
    for value in kept:
        base = _stored(value)
        if isinstance(value.type, TensorType) and (base in taken or base.op == "input"):
            value = pointwise.copy(value)
        taken.add(base)
        found.append(value)
    return (*after, *found)


def _stored(value: Node) -> Node:
    """The node whose memory a value is seen in."""
    while not value.is_leaf and REGISTRY[value.op].kind == "view":
        value = value.inputs[0]
    return value
