"""The walk that batches a graph, node by node."""
from __future__ import annotations

from dataclasses import dataclass

from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node, graphs_of
from graphcore.ops.batching.values import Value, batched_type, rule_of
from graphcore.ops.record import REGISTRY


@dataclass(frozen=True)
class Several:
    """The values of a node that gives a tuple, and the nodes that have its effects."""

    values: tuple
    nodes: tuple


@dataclass(frozen=True)
class Batched:
    """A batched graph: the values of its outputs, and its effects in their order."""

    outputs: tuple
    effects: tuple


def batch(graph: Graph, arguments, size) -> Batched:
    """What `graph`, which holds no `grad` nodes, computes of a Value for each of its inputs, for `size` examples."""
    values: dict = dict(zip(graph.inputs, arguments))
    for node in graph.nodes:
        if node not in values:
            values[node] = _batched(node, [values[i] for i in node.inputs], size)
            for new in _nodes_of(values[node]):
                graph.origins.add(new, graph.origins.of(node))
    effects = [n for e in graph.effects for n in _nodes_of(values[e])]
    return Batched(tuple(values[o] for o in graph.outputs), tuple(effects))


def batch_body(body: Graph, given, size, wanted=None) -> tuple:
    """A region's graph for a batch: its inputs batched as `given` tells; (graph, which outputs are batched).

    wanted: outputs that must be batched (bools), where known.
    """
    leaves = tuple(ir.input_(leaf.name, batched_type(leaf.type, size)) if is_batched else leaf
                   for leaf, is_batched in zip(body.inputs, given))
    result = batch(body, map(Value, leaves, given), size)
    spread = tuple(o.batched or w for o, w in zip(result.outputs, wanted or (False,) * len(result.outputs)))
    outputs = tuple(o.spread(size) if s else o.node for o, s in zip(result.outputs, spread))
    return Graph(body.name, leaves, outputs, (), result.effects, body.origins), spread


def draws(node: Node) -> bool:
    """Whether a node draws random numbers, itself or in a graph that it holds."""
    return REGISTRY[node.op].random or any(draws(n) for g in graphs_of(node).values() for n in g.nodes if not n.is_leaf)


def _batched(node: Node, inputs: list, size):
    if node.op == "item":
        return inputs[0].values[node.attrs["index"]]
    if node.is_leaf:
        return Value(node, False)
    record = REGISTRY[node.op]
    if record.kind == "region":
        from graphcore.ops.batching.regions import batch_region
        return batch_region(node, inputs, size)
    if not draws(node) and not any(v.batched for v in inputs):
        return Value(ir.node(node.op, (v.node for v in inputs), node.attrs, node.type), False)
    follow = rule_of(node.op)
    new = follow(record, size, inputs, node.attrs) if follow is not None else None
    if new is None:
        from graphcore.ops.batching.regions import one_by_one
        return one_by_one(node, inputs, size).values[0]
    return Value(new, True)


def _nodes_of(value) -> tuple:
    return value.nodes if isinstance(value, Several) else (value.node,)
