"""Simplification of branches and loops: the engine that applies the steps of `branches`, `loops`, `loop_sums` ...

A step takes a region and the numbers of its results that are used, and gives its `Successor`, or None where it does
not apply.  Steps are applied to all regions of a graph, outer ones before inner ones and again after them, until none
applies.  Its docstring says what a step does; each application is recorded.
"""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graphcore.compiler.passes.rewrite import Rewrite
from graphcore.errors import CompileError
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node
from graphcore.ops import structural
from graphcore.ops.regions import has_effects

#: Rounds over a graph, and more for each region in it: what one does not need, the one before it may drop next.
_MAX_ROUNDS, _ROUNDS_OF_A_REGION = 64, 4


@dataclass(frozen=True)
class Successor:
    """What stands for a region: a node for each result that is used, by number; its effects, in order."""

    results: Mapping
    effects: tuple = ()


def succeeded_by(region: Node, numbers: Mapping) -> Successor:
    """A region as the successor of another; `numbers`: those of the old results → those of the new ones."""
    results = {old: structural.item(region, index=new) for old, new in numbers.items()}
    return Successor(results, (region,) if has_effects(region) else ())


def contains(graph: Graph, op: str) -> bool:
    """Whether a node of this operator stands in the graph or in one of its regions."""
    return any(n.op == op or any(contains(g, op) for g in ir.graphs_of(n).values()) for n in graph.nodes)


def simplify(graph: Graph, steps: Iterable, log: list | None = None) -> Graph:
    """The graph with its regions simplified by (operator, step) pairs, at all levels.

    Regions with `grad` nodes inside are left alone: their leaves are variables of their own, whatever stands for them.
    """
    steps = tuple(steps)
    if not any(ir.graphs_of(n) for n in graph.nodes):
        return graph
    graph = _settle(graph, steps, log)
    inner = ir.map_regions(graph, lambda g: simplify(g, steps, log))
    return graph if inner == graph else _settle(inner, steps, log)


def _settle(graph: Graph, steps: tuple, log: list | None) -> Graph:
    count = sum(bool(ir.graphs_of(n)) for n in graph.nodes)
    for _ in range(_MAX_ROUNDS + _ROUNDS_OF_A_REGION * count):
        new = _apply_once(graph, steps, log)
        if new == graph:
            return graph
        graph = new
    raise CompileError(f"simplifying the regions of graph {graph.name} does not end")


def _apply_once(graph: Graph, steps: tuple, log: list | None) -> Graph:
    used: dict[Node, set] = {}
    for n in graph.nodes:
        if n.op == "item":
            used.setdefault(n.inputs[0], set()).add(n.attrs["index"])
    successors: dict[Node, Successor] = {}

    def replace(n: Node, inputs: tuple) -> Node:
        if n.op == "item" and n.inputs[0] in successors:
            return successors[n.inputs[0]].results[n.attrs["index"]]
        new = n if inputs == n.inputs else ir.node(n.op, inputs, n.attrs, n.type)
        if ir.graphs_of(n) and not any(contains(g, "grad") for g in ir.graphs_of(n).values()):
            found = _first_step(new, tuple(sorted(used.get(n, ()))), steps, log)
            if found is not None:
                successors[n] = found
                for result in (*found.results.values(), *found.effects):
                    _inherit(graph, result, n)
        return new

    done = ir.rebuild(graph, replace)
    if not any(e in successors for e in graph.effects):
        return done
    effects = (successors[e].effects if e in successors else (new,) for e, new in zip(graph.effects, done.effects))
    return done.replace_roots(done.outputs, done.updates, (e for group in effects for e in group))


def _first_step(region: Node, used: tuple, steps: tuple, log: list | None) -> Successor | None:
    for op, step in steps:
        if op == region.op and (found := step(region, used)) is not None:
            if log is not None:
                new = next(iter((*found.effects, *found.results.values())), region)
                log.append(Rewrite(step.__name__, region, new))
            return found
    return None


def _inherit(graph: Graph, node: Node, region: Node) -> None:
    """Give the region's place to its successor."""
    while node.op == "item":
        graph.origins.add(node, graph.origins.of(region))
        node = node.inputs[0]
    if not node.is_leaf:
        graph.origins.add(node, graph.origins.of(region))
