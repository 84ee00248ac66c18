"""Groups: nodes that one kernel computes together, and what waits for what among the groups and operators of a graph.

A group runs over a *space* (the sizes > 1 of its full-level nodes).  Without reductions it is a map over the space.
With reductions, all of them over the same axes, it runs row by row: full-level nodes are evaluated along the reduced
axes, row-level nodes once a row.
"""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from graphcore.compiler.launch import contiguous_strides
from graphcore.compiler.schedule.kinds import (
    exchanges_in_order,
    has_own_kernel,
    in_memory,
    is_compute,
    kind,
    own_shape,
)
from graphcore.compiler.schedule.windows import Window, access, is_view, squeezed, window
from graphcore.ir.graph import Graph, Node

MAX_OPERANDS = 20            # arrays of one kernel: more would spill address registers
MAX_NODES = 96


@dataclass(eq=False)
class Group:
    """Nodes computed by one kernel.  `reduced` holds the axes of the space that reductions run over, or is None."""

    space: tuple
    reduced: frozenset | None = None
    nodes: dict = field(default_factory=dict)        # node -> "full" or "row"
    stored: set = field(default_factory=set)         # nodes that something outside needs
    windows: dict = field(default_factory=dict)      # stored node -> the Window of a larger array that it is written to
    order: dict = field(default_factory=dict, repr=False)       # node -> its place in the graph

    @property
    def row_space(self) -> tuple:
        return tuple(s for i, s in enumerate(self.space) if i not in (self.reduced or ()))

    def space_of(self, node: Node) -> tuple:
        """The sizes over which a member runs."""
        return self.space if self.nodes[node] == "full" else self.row_space

    def in_order(self) -> list:
        """Members, inputs first."""
        return sorted(self.nodes, key=self.order.__getitem__)

    def outside(self, more: Iterable[Node] = ()) -> set:
        """What in memory the members, and `more` nodes besides, read of others than members."""
        bases = {window(o).base for m in (*self.nodes, *more) for o in m.inputs}
        return {b for b in bases if b not in self.nodes and in_memory(b)}

    def reads_at_own_position(self, level: str, reader: Node, operand: Node) -> bool:
        """Whether `reader`, at `level` of this space, reads a member through `operand` at its own indices."""
        reach = access(operand, own_shape(reader))
        if self.nodes[reach.base] == "full":
            return (kind(reader) == "reduction" or level == "full") and is_identity(reach, self.space)
        if kind(reader) == "reduction" or reach.offset != 0 or squeezed(reach.base.shape) != self.row_space:
            return False
        return reach.strides == (contiguous_strides(self.row_space) if level == "row" else
                                 row_strides(self.space, self.reduced))

    @property
    def title(self) -> str:
        """What people read of the group: an operator, and the space."""
        last = max(self.nodes, key=lambda m: len(m.inputs))
        return f"{last.op} over {'x'.join(map(str, self.space)) or 'scalars'}"


@dataclass(frozen=True)
class Decision:
    """Why a node was fused, or not."""

    node: Node
    text: str


class Grouping:
    """The groups of one graph, while they are made and changed.

    groups: all of them.  groups_of: node → the groups that compute it; the first stores it.
    consumers: node → (user, operand by which it is read) of each use, through views too.
    external: nodes whose value must be in memory whatever the groups are; of these, results: those of the graph.
    exchanges: the nodes that start exchanges with other processes, in their order.
    successors: unit → units that need something of it, where a unit is a group or an operator with its own kernel.
    decisions: why each node was fused or not.
    """

    def __init__(self, graph: Graph):
        self.graph = graph
        self.order = {n: i for i, n in enumerate(graph.nodes)}
        self.groups: list[Group] = []
        self.groups_of: dict[Node, list] = {}
        self.consumers: dict[Node, list] = {n: [] for n in graph.nodes}
        self.external: set[Node] = set()
        self.successors: dict = {}
        self.decisions: list[Decision] = []
        self._items: dict[Node, list] = {}          # region -> its items
        for n in graph.nodes:
            if n.op == "item":
                self._items.setdefault(n.inputs[0], []).append(n)
            elif not n.is_leaf and not is_view(n):
                for operand in n.inputs:
                    base = window(operand).base
                    self.consumers[base].append((n, operand))
                    if not is_compute(n):
                        self.external.add(base)
        self.results = {window(root).base for root in graph.roots}
        self.external |= self.results
        self.external.update(n for n in graph.nodes if kind(n) == "pointwise" and self._is_searched(n))
        self.exchanges = exchanges_in_order(graph)          # which keep their order, as effects do
        self._following = [dict(zip(nodes, nodes[1:])) for nodes in (graph.effects, self.exchanges)]

    def _is_searched(self, n: Node) -> bool:
        """Whether elements of n are compared with its own extreme: the gradient of max and min looks for it.

        Computed twice, n could differ in the last bit (a product and a sum become one rounding in one place and not in
        another) and no element be found; so it is stored, and read by both.
        """
        users = {user.op for user, _ in self.consumers[n]}
        return "eq" in users and not users.isdisjoint(("max", "min"))

    # -- what there is ---------------------------------------------------------------------------------
    def begin(self, g: Group) -> int:
        """The place in the graph of the first member."""
        return min(self.order[m] for m in g.nodes)

    def home(self, n: Node) -> Group:
        """The group that stores n, if any does."""
        return self.groups_of[n][0]

    def needed_outside(self, n: Node, g: Group) -> bool:
        """Whether something but the members of g reads n."""
        if n in self.external:
            return True
        return any(other is not g and n not in other.nodes
                   for user, _ in self.consumers[n] for other in self.groups_of.get(user, ()))

    def values(self, n: Node) -> list:
        """The values in memory that a node stands for: the items of a region, else itself."""
        return self._items.get(n, []) if kind(n) == "region" else [n]

    def user_units(self, n: Node) -> set:
        """The units that read n."""
        units: set = set()
        for value in self.values(n):
            for user, _ in self.consumers[value]:
                units.update(self.groups_of[user] if is_compute(user) else (user,))
        return units

    def reaches(self, starts: Iterable, goal) -> bool:
        """Whether unit `goal` needs, directly or not, something of one of the units `starts`."""
        seen, stack = set(), list(starts)
        while stack:
            unit = stack.pop()
            if unit is goal:
                return True
            if unit not in seen:
                seen.add(unit)
                stack.extend(self.successors.get(unit, ()))
        return False

    def must_wait(self, n: Node, g: Group) -> bool:
        """Whether g needs something of another unit that reads n, so that n cannot be computed in g alone."""
        return self.reaches([u for u in self.user_units(n) if u is not g], g)

    # -- what changes it -------------------------------------------------------------------------------
    def repeat(self, n: Node, g: Group, level: str) -> None:
        """Let g compute n for its own members, for which none waits."""
        g.nodes[n] = level
        self.groups_of.setdefault(n, []).append(g)

    def join(self, n: Node, g: Group, level: str) -> None:
        """Let g compute n for all that read it."""
        self.repeat(n, g, level)
        self.successors.setdefault(g, set()).update(u for u in self.user_units(n) if u is not g)

    def add_operator(self, n: Node) -> None:
        """Note who waits for an operator with its own kernel, its users being placed."""
        if has_own_kernel(n):
            self.successors[n] = self.user_units(n)
            self.successors[n].update(following[n] for following in self._following if n in following)

    def merge(self, g: Group, into: Group) -> None:
        """Let `into` compute what g does."""
        for n, level in g.nodes.items():
            into.nodes.setdefault(n, level)
            self.groups_of[n] = list(dict.fromkeys(into if x is g else x for x in self.groups_of[n]))
            self.note(n, f"fused beside {into.title}, which reads the same data")
        self.successors[into] |= self.successors.pop(g, set())
        for units in self.successors.values():
            if g in units:
                units.discard(g)
                units.add(into)
        self.successors[into].discard(into)

    def move(self, nodes: Iterable[Node], h: Group, g: Group) -> None:
        """Let g compute at its full level what h did."""
        nodes = sorted(nodes, key=self.order.__getitem__)
        for m in nodes:
            del h.nodes[m]
            g.nodes[m] = "full"
            self.groups_of[m] = [g if x is h else x for x in self.groups_of[m]]
            self.note(m, f"moved to {g.title}, which has its operands at hand")
        self.successors[g].update(u for m in nodes for u in self.user_units(m) if u is not g)

    def settle(self) -> None:
        """Forget groups that have become empty; tell the others what they store."""
        for empty in [g for g in self.groups if not g.nodes]:
            self.successors.pop(empty, None)
            for units in self.successors.values():
                units.discard(empty)
        self.groups = [g for g in self.groups if g.nodes]
        for g in self.groups:
            g.order = self.order
            g.stored = {n for n in g.nodes if self.home(n) is g and self.needed_outside(n, g)}

    def note(self, n: Node, text: str) -> None:
        """Record a decision about a node."""
        self.decisions.append(Decision(n, text))


def is_identity(reach: Window, space: tuple) -> bool:
    """Whether a window reads element i of its base at index i of `space`."""
    return reach.offset == 0 and squeezed(reach.base.shape) == space and reach.strides == contiguous_strides(space)


def row_strides(space: tuple, axes: frozenset) -> tuple:
    """How an array of one element a row, rows being `space` without `axes`, is read along the whole space."""
    remaining = iter(contiguous_strides(tuple(s for i, s in enumerate(space) if i not in axes)))
    return tuple(0 if i in axes else next(remaining) for i in range(len(space)))
