"""What the scheduler asks of a node: how it is computed, over which shape, and whether it lies in memory."""
from __future__ import annotations

from graphcore.ir.graph import Graph, Node, graphs_of
from graphcore.ops.record import REGISTRY

#: How many exchanges start between one and another that needs its result: so long its data may be under way.
AHEAD = 2


def kind(node: Node) -> str:
    """'leaf', 'index' (computed from the loop index wherever it is used), or the kind of the operator's record."""
    if node.is_leaf:
        return "leaf"
    return "index" if node.op == "iota" else REGISTRY[node.op].kind


def has_own_kernel(node: Node) -> bool:
    """Whether a node is lowered by itself: by `compiler.kernels`, as a region, or as an exchange between processes."""
    return kind(node) in ("scheduled", "assembled", "region", "collective")


def is_compute(node: Node) -> bool:
    return kind(node) in ("pointwise", "reduction")


def may_call_python(node: Node) -> bool:
    """Whether a node calls a Python function, itself or in its graphs."""
    return node.op == "host_call" or kind(node) == "region" and any(
        may_call_python(n) for graph in graphs_of(node).values() for n in graph.nodes)


def exchanges(node: Node) -> bool:
    """Whether a node is an exchange with other processes or starts one, itself or in its graphs."""
    return kind(node) == "collective" and node.op != "exchange_end" or kind(node) == "region" and any(
        exchanges(n) for graph in graphs_of(node).values() for n in graph.nodes)


def exchanges_in_order(graph: Graph) -> list:
    """The nodes that start exchanges, in the one order of all processes: as their sources are ready.

    Those that need no other exchange are ordered by the way to their source.  One that needs others comes `AHEAD`
    places after the last of them.  That depends on nothing but what lies below each.
    """
    found = [n for n in graph.nodes if exchanges(n)]
    if len(found) < 2:
        return found
    starts = set(found)
    way: dict[Node, int] = {}                   # nodes on the way to a node
    free: dict[Node, bool] = {}                 # whether there is no exchange on it
    for n in graph.nodes:
        way[n] = 1 + max((way[i] for i in n.inputs), default=0)
        free[n] = all(free[i] and i not in starts for i in n.inputs)
    first = sorted((n for n in found if free[n]), key=way.__getitem__)
    place = {n: (number, 0, way[n]) for number, n in enumerate(first)}
    last: dict[Node, tuple] = {}                # the place of the last exchange on the way to a node
    for n in graph.nodes:
        before = [place[i] if i in starts else last[i] for i in n.inputs]
        last[n] = max(before, default=(-AHEAD, -1, 0))
        if n in starts and n not in place:
            place[n] = last[n][0] + AHEAD, last[n][1] + 1, way[n]
    return sorted(found, key=place.__getitem__)


def maker(base: Node) -> Node:
    """The node whose unit computes a base: itself, or the region that it is an item of."""
    return base.inputs[0] if base.op == "item" else base


def own_shape(node: Node) -> tuple:
    """The shape over which a node iterates: a reduction's is its input's."""
    return node.inputs[0].shape if kind(node) == "reduction" else node.shape


def reduced_axes(node: Node) -> frozenset:
    """The axes of a reduction, counted among the input's axes of size > 1."""
    shape, axes = node.inputs[0].shape, node.attrs["axes"]
    kept = [i for i, s in enumerate(shape) if s != 1]
    return frozenset(kept.index(a) for a in axes if shape[a] != 1)


def is_scalar_constant(node: Node) -> bool:
    """A constant of one element: written into the kernel's text."""
    return node.op == "const" and node.type.size == 1


def in_memory(node: Node) -> bool:
    """Whether kernels read a node from memory: neither an index nor a number in their text."""
    return node.op != "iota" and not is_scalar_constant(node)
