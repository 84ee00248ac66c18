"""Split an inference graph into a prologue, which depends on Parameters alone, and the rest.

The prologue's results (folded or transformed weights) are kept between calls and computed again when a Parameter has
changed.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphcore.compiler.passes.fold_affine import parameter_only
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node
from graphcore.ops.record import REGISTRY


@dataclass(frozen=True)
class Derived:
    """main: the graph with one more input per derived value, after its own; prologue: computes them in that order."""

    main: Graph
    prologue: Graph | None


def split_derived(graph: Graph) -> Derived:
    """Move work that depends on Parameters alone into a prologue.  Graphs that write Parameters are left whole."""
    if graph.updates or graph.effects:
        return Derived(graph, None)
    fixed = parameter_only(graph)
    frontier = _frontier(graph, fixed)
    if not frontier:
        return Derived(graph, None)
    inputs = {n: ir.input_(f"derived.{i}", n.type) for i, n in enumerate(frontier)}

    def replace(n: Node, new: tuple) -> Node:
        if n in inputs:
            return inputs[n]
        return n if new == n.inputs else ir.node(n.op, new, n.attrs, n.type)

    main = ir.rebuild(graph, replace)
    main = Graph(graph.name, graph.inputs + tuple(inputs.values()), main.outputs, (), (), graph.origins)
    return Derived(main, Graph(f"{graph.name}.prologue", (), tuple(frontier), (), (), graph.origins))


def _frontier(graph: Graph, fixed: dict) -> list:
    """Fixed nodes worth keeping that something not fixed uses; views of Parameters cost nothing and stay."""
    def works(n: Node) -> bool:
        return n.op not in ("param", "const") and any(
            not m.is_leaf and REGISTRY[m.op].kind != "view" for m in ir.walk((n,)))

    used: dict = {}
    for n in graph.nodes:
        if not fixed[n]:
            for i in n.inputs:
                if fixed[i] and works(i) and _depends_on_parameter(i):
                    used[i] = None
    return list(used)


def _depends_on_parameter(n: Node) -> bool:
    return any(m.op == "param" for m in ir.walk((n,)))
