"""The pipeline, run with a record of what each pass did and of which node each node came from.

Passes hand the places that a node comes from (`Graph.origins`) on to whatever replaces it.  So that one can follow
values and not only lines, every node gets a place of its own here before a pass runs; where these places are found
afterwards tells what became of the node.  Nothing of this happens when a graph is merely compiled.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from graphcore.compiler.pipeline import STAGES, Stage, run_stage
from graphcore.ir.graph import Graph, Node, Origin, Origins


@dataclass(frozen=True)
class Pass:
    """One pass over a graph.

    rewrites: (rule, old node, new node) in the order in which they happened; came_from: each node of `after` that was
    made by the pass, and each that others were merged into → the nodes of `before` that it stands for.
    """

    number: int
    name: str
    before: Graph
    after: Graph
    seconds: float
    rewrites: tuple
    came_from: Mapping

    @property
    def title(self) -> str:
        """``04_grad``: the name of the pass, with its place in the pipeline."""
        return f"{self.number:02d}_{self.name}"

    @cached_property
    def changed(self) -> bool:
        return self.before != self.after

    @property
    def rules(self) -> Counter:
        """How often each rule fired."""
        return Counter(r.rule for r in self.rewrites)

    @cached_property
    def made(self) -> tuple:
        """The nodes that the pass has made, in the order of the graph."""
        known = set(self.before.nodes)
        return tuple(n for n in self.after.nodes if n not in known)

    @cached_property
    def carried(self) -> frozenset:
        """The nodes among those made that are what they were, over operands that have changed."""
        return frozenset(n for n in self.made if self.predecessor(n) is not None)

    def predecessor(self, node: Node) -> Node | None:
        """The one node before the pass that `node` is, but for its operands."""
        for old in self.came_from.get(node, ()):
            same = (old.op, old.attrs, old.type) == (node.op, node.attrs, node.type)
            if same and len(old.inputs) == len(node.inputs) and all(
                    new is i or i in self.came_from.get(new, ()) for new, i in zip(node.inputs, old.inputs)):
                return old
        return None

    @cached_property
    def replaced(self) -> tuple:
        """The nodes that are not there any more and not carried on either, in the order of the graph."""
        kept = {self.predecessor(n) for n in self.carried}
        return tuple(n for n in self.removed if n not in kept)

    @cached_property
    def removed(self) -> tuple:
        """The nodes that are not there any more."""
        known = set(self.after.nodes)
        return tuple(n for n in self.before.nodes if n not in known)


@dataclass(frozen=True)
class _Mark(Origin):
    """The place that stands for a node; like the node, it is equal to itself alone."""

    node: Node | None = None
    __eq__, __hash__ = object.__eq__, object.__hash__


def recorded_passes(graph: Graph) -> tuple[Pass, ...]:
    """Run the whole pipeline on a captured graph."""
    passes = []
    for number, stage in enumerate(STAGES, 1):
        passes.append(_recorded(number, stage, graph))
        graph = passes[-1].after
    return tuple(passes)


def _recorded(number: int, stage: Stage, before: Graph) -> Pass:
    marks = {n: _Mark(node=n) for n in before.nodes}
    places = Origins()
    for n, mark in marks.items():
        places.add(n, (mark, *before.origins.of(n)))
    report = run_stage(stage, replace(before, origins=places))
    if report.graph == before:
        return Pass(number, stage.name, before, before, report.seconds, report.rewrites, {})
    after, came_from = report.graph, {}
    clean = Origins()
    for n in after.nodes:
        found = places.of(n)
        clean.add(n, [o for o in found if not isinstance(o, _Mark)])
        sources = tuple(o.node for o in found if isinstance(o, _Mark))
        if sources != (n,):
            came_from[n] = sources
    _inherit_from_users(after, came_from)
    return Pass(number, stage.name, before, replace(after, origins=clean), report.seconds, report.rewrites, came_from)


def _inherit_from_users(graph: Graph, came_from: dict) -> None:
    """Give what a pass made without saying from what the sources of what it is used for."""
    orphans = {n for n, sources in came_from.items() if not sources and not n.is_leaf}
    for n in reversed(graph.nodes):
        for i in n.inputs:
            if i in orphans:
                came_from[i] = tuple(dict.fromkeys((*came_from[i], *came_from.get(n, ()))))
