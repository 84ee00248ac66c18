"""Traces of regions: the branches of an `if` and the bodies of loops, recorded as closed graphs.

What a region uses of its surroundings becomes an operand (`Operands`), shared by the graphs of one region node; a
Parameter that it writes becomes one of its results.
"""
from __future__ import annotations

from graphcore.capture.location import locate, user_origin
from graphcore.capture.trace import Trace, TracedTensor
from graphcore.errors import CaptureError
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node
from graphcore.ir.types import Type
from graphcore.ops import structural


class Operands:
    """The values that a region takes: nodes of the outer trace, and the input leaves that stand for them inside."""

    def __init__(self, outer: Trace):
        self.trace = outer
        self.outer: list[Node] = []
        self.leaves: list[Node] = []
        self._by_key: dict = {}

    def add(self, outer: Node | None, type_: Type) -> Node:
        """A further operand (None: a value that the region itself makes, as a loop's index); its leaf."""
        leaf = ir.input_(f"v{len(self.leaves)}", type_)
        self.leaves.append(leaf)
        if outer is not None:
            self.outer.append(outer)
        return leaf

    def leaf_of(self, key, outer: Node) -> Node:
        """The leaf for a value from outside, made when it is first needed."""
        leaf = self._by_key.get(key)
        if leaf is None:
            leaf = self._by_key[key] = self.add(outer, outer.type)
        return leaf


class RegionTrace(Trace):
    """The trace of one graph of a region.

    leaves: the loop-carried leaves of Parameters, by id(Parameter); code: of the branch that is recorded.
    """

    def __init__(self, operands: Operands, leaves=None, code=None):
        outer = operands.trace
        super().__init__(outer.name)
        self.outer, self.operands, self.code = outer, operands, code
        self.origins, self._scope, self.parameters = outer.origins, outer._scope, outer.parameters
        self._leaves.update(leaves or {})

    @property
    def root(self) -> Trace:
        return self.outer.root

    def recursions(self, code) -> int:
        """How many of the traces around this one record the branch of this code."""
        count, trace = 0, self.outer
        while trace is not self.root:
            count += trace.code is code
            trace = trace.outer
        return count

    def next_site(self) -> int:
        return self.outer.next_site()

    def node_from_outside(self, value: TracedTensor) -> Node:
        outer = self.outer.node_of(value)
        return outer if outer.op == "const" else self.operands.leaf_of(outer, outer)

    def leaf(self, parameter) -> Node:
        leaf = self._leaves.get(id(parameter))
        if leaf is None:
            leaf = self.operands.leaf_of(("parameter", id(parameter)), self.outer.value_now(parameter))
            self._leaves[id(parameter)] = leaf
        return leaf

    def assume(self, node: Node, why: str = "Python code asks for the value of a tensor",
               cure: str = "compute with tensors there (ops.where, arithmetic)"):
        raise locate(CaptureError(
            f"{why} (here of type {node.type}), under a condition or in a loop that the program decides; {cure}, or "
            "take this code out of the branch or loop"))

    def check_hashable(self, node: Node) -> None:
        if node.type.size == 1 and not node.dtype.is_float:
            raise locate(CaptureError("a tensor is used as the key of a dict or the element of a set in the body of a "
                                      "loop or branch; Python would look for the object, not for its value"))

    def graph(self, name: str, outputs) -> Graph:
        """What was recorded, as a closed graph; called when all operands are known."""
        return Graph(name, tuple(self.operands.leaves), tuple(outputs), (), tuple(self.effects), self.origins)


def place_region(trace: Trace, node: Node, regions) -> list[TracedTensor]:
    """Record a region's node in the trace around it; the tensors that it gives (None for tapes)."""
    trace.origins.add(node, (user_origin(trace._scope_name),))
    if any(region.effects for region in regions):
        trace.effects.append(node)
    return [trace.record(structural.item(node, index=i)) if hasattr(t, "shape") else None
            for i, t in enumerate(node.type.items)]
