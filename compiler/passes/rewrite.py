"""The rewriting engine: rules give the successor of a node, the engine applies them bottom-up until none fires.

A rule is a function ``rule(node) -> Node | None`` registered for an operator; its docstring is the equation.
Every rewrite is recorded as (rule, old, new), so that the command line can tell why a node is what it is.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphcore.errors import CompileError
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node

MAX_STEPS_PER_NODE = 64


@dataclass(frozen=True)
class Rewrite:
    """One application of a rule."""

    rule: str
    old: Node
    new: Node


class Rules:
    """A set of rules by operator."""

    def __init__(self):
        self._by_op: dict[str, list[Callable]] = {}

    def rule(self, *ops: str):
        """Decorator: register a rule for nodes of these operators ("*" for all)."""
        def register(function: Callable) -> Callable:
            for op in ops:
                self._by_op.setdefault(op, []).append(function)
            return function
        return register

    def rewrite_once(self, node: Node):
        """(rule, new node) of the first rule that fires, or None."""
        for rule in (*self._by_op.get(node.op, ()), *self._by_op.get("*", ())):
            new = rule(node)
            if new is not None and new is not node:
                return rule, new
        return None

    def apply(self, graph: Graph, log: list | None = None) -> Graph:
        """Rewrite a graph bottom-up to a fixed point.  Raises CompileError, naming the last rules, if there is none."""
        done: dict[Node, Node] = {}

        def settle(node: Node) -> Node:
            known = done.get(node)
            if known is not None:
                return known
            start, recent = node, []
            for _ in range(MAX_STEPS_PER_NODE):
                fired = self.rewrite_once(node)
                if fired is None:
                    done[start] = done[node] = node
                    return node
                rule, new = fired
                if log is not None:
                    log.append(Rewrite(rule.__name__, node, new))
                recent.append(rule.__name__)
                for source in (node, *_absorbed(node, new)):
                    graph.origins.add(new, graph.origins.of(source))
                node = self._settle_below(new, settle, done, graph)
            raise CompileError(f"rewriting {start} does not end; the last rules were {', '.join(recent[-6:])}")

        def replace(n: Node, inputs: tuple) -> Node:
            return settle(n if inputs == n.inputs else ir.node(n.op, inputs, n.attrs, n.type))

        return ir.rebuild(graph, replace)

    @staticmethod
    def _settle_below(node: Node, settle, done: dict, graph: Graph) -> Node:
        """A rule may have made several new nodes: settle those below the result as well."""
        if node.is_leaf or node in done:
            return node
        inputs = []
        for i in node.inputs:
            if i not in done and not i.is_leaf:
                graph.origins.add(i, graph.origins.of(node))
                i = settle(Rules._settle_below(i, settle, done, graph))
            inputs.append(done.get(i, i))
        if tuple(inputs) == node.inputs:
            return node
        settled = ir.node(node.op, inputs, node.attrs, node.type)
        graph.origins.add(settled, graph.origins.of(node))
        return settled


def _absorbed(old: Node, new: Node) -> list:
    """The operands of a node that its successor does not stand on any more: it does their work too."""
    below = {new, *new.inputs, *(j for i in new.inputs for j in i.inputs)}
    return [i for i in old.inputs if not i.is_leaf and i not in below]
