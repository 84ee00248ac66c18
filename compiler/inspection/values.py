"""The values of a graph, those of its regions too, by the names under which its text shows them.

A value in a region is called by the way to it: ``%5.body.%3`` is ``%3`` in the graph ``body`` of node ``%5``.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from graphcore.compiler.lower_regions import carried_inputs, state_leaves
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node, graphs_of
from graphcore.ir.printer import labels


@dataclass(frozen=True)
class Value:
    """A node in a graph; label: its name from the outermost graph on; depth: in how many regions it stands."""

    label: str
    node: Node
    graph: Graph
    depth: int

    @property
    def origins(self) -> tuple:
        """The user's lines and the Cells that it comes from."""
        return self.graph.origins.of(self.node)


def values(graph: Graph) -> tuple[Value, ...]:
    """Every value, leaves too, in the order of the text; those of a region follow it."""
    return tuple(_values(graph, "", 0))


def _values(graph: Graph, way: str, depth: int) -> Iterator[Value]:
    names = labels(graph)
    leaves = [*graph.inputs, *graph.params.values()]
    for n in dict.fromkeys((*leaves, *graph.nodes)):
        yield Value(way + names.get(n, n.attrs.get("name", "")), n, graph, depth)
        for key, inner in graphs_of(n).items():
            yield from _values(inner, f"{way}{names[n]}.{key}.", depth + 1)


def as_lowered(graph: Graph) -> dict[Node, Node]:
    """Node that lowering sees → the node of the graph (or of a region in it) that it stands for.

    They are the same except in the bodies of loops, which are scheduled with other leaves: see `lower_regions`.
    """
    found = {n: n for n in graph.nodes}
    for n in graph.nodes:
        for key, inner in graphs_of(n).items():
            below = as_lowered(inner)
            if key == "body" and n.op in ("while", "loop"):
                done = dict(state_leaves(inner, carried_inputs(n)))
                for m in ir.walk(inner.roots, done):
                    inputs = tuple(done[i] for i in m.inputs)
                    done[m] = m if inputs == m.inputs else ir.node(m.op, inputs, m.attrs, m.type)
                below |= {new: old for old, new in done.items()}
            for lowered, own in below.items():
                found.setdefault(lowered, own)
    return found
