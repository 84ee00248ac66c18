"""The ways of a value through the passes: what became of it, and what it was made from."""
from __future__ import annotations

from dataclasses import dataclass

from graphcore.compiler.inspection.compilation import Compilation
from graphcore.compiler.inspection.passes import Pass
from graphcore.ir.graph import Node


@dataclass(frozen=True)
class Change:
    """What one pass did to a value.

    old: the node before; new: those after that stand for it (none: nothing needs it any more); besides: what else was
    made from it, its gradient for instance; rules: the rewriting rules that led from one to the other.
    """

    step: Pass
    old: Node
    new: tuple
    besides: tuple
    rules: tuple


def onwards(compilation: Compilation, node: Node, number: int) -> tuple[tuple[Change, ...], tuple[Node, ...]]:
    """(the changes of a node that stands in stage `number`, the nodes that it is in the last stage)."""
    changes, front = [], (node,)
    for step in compilation.passes[number:]:
        if not step.changed:
            continue
        following: dict = {}
        for n in front:
            new, besides = _successors(compilation, step, n)
            following.update(dict.fromkeys(new))
            if new != (n,) and not all(m in step.carried for m in new) or besides or not new:
                changes.append(Change(step, n, new, besides, _rules(step, n, new)))
        front = tuple(following)
    return tuple(changes), front


def _successors(compilation: Compilation, step: Pass, node: Node) -> tuple[tuple, tuple]:
    """(what stands for a node after a pass, what else was made from it)"""
    found = compilation.after(node, step.number)
    own = tuple(m for m in found if m is node or m in step.carried and step.predecessor(m) is node)
    if not own:
        alike = [m for m in found if m.type == node.type]
        own = tuple(alike[-1:]) or found
    return own, tuple(m for m in found if m not in own and m not in step.carried and m in step.made)


def _rules(step: Pass, old: Node, new: tuple) -> tuple:
    """The rules that made `new`, or that were applied to `old`."""
    return tuple(dict.fromkeys(r.rule for r in step.rewrites if r.old is old or r.new in new))


def backwards(compilation: Compilation, node: Node, number: int) -> tuple[Node, ...]:
    """The nodes of the captured graph that a node of stage `number` was made from, in the order of the graph."""
    front = {node}
    for step in reversed(compilation.passes[:number]):
        front = {source for n in front for source in compilation.before(n, step.number)}
    return tuple(n for n in compilation.graph.nodes if n in front)
