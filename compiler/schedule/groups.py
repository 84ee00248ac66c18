"""Fusion: which nodes are computed together in one kernel.

Every pointwise node and every reduction ends in a group.  A group runs over a *space* (the sizes > 1 of its full-level
nodes).  Without reductions it is a map over the space.  With reductions, all of them over the same axes, it runs row by
row: full-level nodes are evaluated along the reduced axes, row-level nodes once a row.

Nodes are placed from the results backwards, each into the group of its consumers where it fits, so that a value is
stored only if something outside its group needs it.  Cheap nodes with consumers in several groups are computed in each.
Every decision is recorded with its reason.
"""
from __future__ import annotations

from dataclasses import dataclass, field

from graphcore.compiler.launch import contiguous_strides
from graphcore.compiler.schedule.kinds import (
    exchanges_in_order,
    has_own_kernel,
    in_memory,
    is_compute,
    kind,
    own_shape,
    reduced_axes,
)
from graphcore.compiler.schedule.windows import access, is_view, squeezed, window
from graphcore.ir.dims import product
from graphcore.ir.graph import Graph, Node
from graphcore.ops.record import REGISTRY

MAX_OPERANDS = 20            # arrays of one kernel: more would spill address registers
MAX_NODES = 96
FEW_ROWS = 4                 # a row-wise kernel over fewer rows keeps threads idle,
MUCH_WORK = 1 << 15          # which counts from this many elements on


@dataclass(eq=False)
class Group:
    """Nodes computed by one kernel.  `reduced` holds the axes of the space that reductions run over, or is None."""

    space: tuple
    reduced: frozenset | None = None
    nodes: dict = field(default_factory=dict)        # node -> "full" or "row"
    stored: set = field(default_factory=set)         # nodes that something outside needs
    windows: dict = field(default_factory=dict)      # stored node -> the Window of a larger array that it is written to

    @property
    def row_space(self) -> tuple:
        return tuple(s for i, s in enumerate(self.space) if i not in (self.reduced or ()))

    def space_of(self, node: Node) -> tuple:
        """The sizes over which a member runs."""
        return self.space if self.nodes[node] == "full" else self.row_space

    def in_order(self) -> list:
        """Members, inputs first."""
        return sorted(self.nodes, key=self.order.__getitem__)

    order: dict = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Decision:
    """Why a node was fused, or not."""

    node: Node
    text: str


class Fuser:
    """Places the compute nodes of one graph into groups."""

    def __init__(self, graph: Graph):
        self.graph = graph
        self.order = {n: i for i, n in enumerate(graph.nodes)}
        self.groups_of: dict[Node, list] = {}
        self.decisions: list[Decision] = []
        self.consumers: dict[Node, list] = {n: [] for n in graph.nodes}
        self.external: set[Node] = set()
        self.successors: dict = {}                  # unit (Group or node) -> units that need something of it
        self.items: dict[Node, list] = {}           # region -> its items
        for n in graph.nodes:
            if n.op == "item":
                self.items.setdefault(n.inputs[0], []).append(n)
            elif not n.is_leaf and not is_view(n):
                for operand in n.inputs:
                    base = window(operand).base
                    self.consumers[base].append((n, operand))
                    if not is_compute(n):
                        self.external.add(base)
        self.results = {window(root).base for root in graph.roots}
        self.external |= self.results
        self.external.update(n for n in graph.nodes if kind(n) == "pointwise" and self._is_searched(n))

    def run(self) -> list:
        """All groups, and for each node the groups that compute it in `groups_of`."""
        following = dict(zip(self.graph.effects, self.graph.effects[1:]))       # effects keep their order
        begun = exchanges_in_order(self.graph)
        next_begun = dict(zip(begun, begun[1:]))
        for n in reversed(self.graph.nodes):
            if is_compute(n):
                self._place(n)
            elif has_own_kernel(n):
                self.successors[n] = self._user_units(n)
                if n in following:
                    self.successors[n].add(following[n])
                if n in next_begun:
                    self.successors[n].add(next_begun[n])
        groups = list(dict.fromkeys(g for found in self.groups_of.values() for g in found))
        groups = self._merge_siblings(groups)
        for g in groups:
            self._move_to_producers(g)
        for g in groups:
            if not g.nodes:
                self._forget(g)
        groups = [g for g in groups if g.nodes]
        for g in groups:
            g.order = self.order
            g.stored = {n for n in g.nodes if self._home(n) is g and self._needed_outside(n, g)}
        return groups

    def _is_searched(self, n: Node) -> bool:
        """Whether elements of n are compared with its own extreme: the gradient of max and min looks for it.

        Computed twice, n could differ in the last bit (a product and a sum become one rounding in one place and not in
        another) and no element be found; so it is stored, and read by both.
        """
        users = {user.op for user, _ in self.consumers[n]}
        return "eq" in users and not users.isdisjoint(("max", "min"))

    # -- placing one node ------------------------------------------------------------------------------
    def _place(self, n: Node) -> None:
        candidates = self._candidate_groups(n)
        if self._may_repeat(n, candidates):
            for g in candidates:        # each has the value to itself: none waits for another
                self._add(n, g, self._level(n, g))
            if len(candidates) > 1:
                self.note(n, f"cheap: computed in each of the {len(candidates)} kernels that use it")
            return
        refused = []
        for g in candidates:
            level = self._level(n, g)
            obstacle = self._obstacle(n, g, level)
            if obstacle:
                refused.append(f"{_title(g)} {obstacle}")
                continue
            if level == "lift":
                self._lift(n, g)
                level = "row"
            self._join(n, g, level)
            self.note(n, f"fused into the kernel of {_title(g)}")
            return
        g = Group(squeezed(own_shape(n)), reduced_axes(n) if kind(n) == "reduction" else None)
        self._join(n, g, "row" if kind(n) == "reduction" else "full")
        self.note(n, "; ".join((f"begins a kernel: {self._why_stored(n)}", *refused)))

    def _obstacle(self, n: Node, g: Group, level) -> str:
        """Why n cannot be computed in g; empty if it can."""
        if level is None:
            return "reads it at other positions than its own, or sums over other axes"
        if not self._room(n, g):
            return "has no room for it"
        return "must wait for something else that needs it" if self._would_cycle(n, g) else ""

    def _why_stored(self, n: Node) -> str:
        """What n is stored for, besides the kernels that could not take it in."""
        if n in self.results:
            return "it is a result"
        own = dict.fromkeys(user.op for user, _ in self.consumers[n] if not is_compute(user))
        if own:
            return f"{' and '.join(own)} read{'s' * (len(own) == 1)} it from memory"
        return "its elements are searched for their extreme" if n in self.external else "no other kernel can take it in"

    def _candidate_groups(self, n: Node) -> list:
        found: dict = {}
        for user, _ in self.consumers[n]:
            for g in self.groups_of.get(user, ()):
                found[g] = None
        return sorted(found, key=lambda g: min(self.order[m] for m in g.nodes))

    def _may_repeat(self, n: Node, candidates: list) -> bool:
        record = REGISTRY[n.op]
        if len(candidates) < 2 or kind(n) != "pointwise" or not record.cheap or n in self.external:
            return False
        return all(self._level(n, g) == "full" for g in candidates)

    def _room(self, n: Node, g: Group) -> bool:
        if len(g.nodes) >= MAX_NODES:
            return False
        outside = {window(o).base for m in (*g.nodes, n) for o in m.inputs}
        return len([b for b in outside if b not in g.nodes and in_memory(b)]) <= MAX_OPERANDS

    def _level(self, n: Node, g: Group):
        """'full' or 'row': where n fits into g; 'lift': where g becomes the row level of reduction n; else None."""
        levels = set()
        for user, operand in self.consumers[n]:
            if user in g.nodes:
                levels.add(self._level_for(n, g, user, operand))
        if len(levels) != 1:
            return None
        level = levels.pop()
        if kind(n) == "reduction" and level == "full":
            return "lift" if self._may_lift(n, g) else None
        if kind(n) == "reduction" and level == "row" and (
                squeezed(own_shape(n)) != g.space or g.reduced is not None and reduced_axes(n) != g.reduced):
            return None
        return level

    def _level_for(self, n: Node, g: Group, user: Node, operand: Node):
        if kind(user) == "reduction":
            reach = access(operand, own_shape(user))
            return "full" if _is_identity(reach, n, g.space) and kind(n) == "pointwise" else None
        reach = access(operand, user.shape)
        if g.nodes[user] == "row":
            return "row" if _is_identity(reach, n, g.row_space) else None
        if _is_identity(reach, n, g.space):
            return "full"
        return self._row_level(n, g, reach)

    def _row_level(self, n: Node, g: Group, reach):
        """Whether a full-level member reads n as a row value, and g is or can become a row-wise kernel."""
        axes = g.reduced if g.reduced is not None else frozenset(i for i, s in enumerate(reach.strides) if s == 0)
        rows = tuple(s for i, s in enumerate(g.space) if i not in axes)
        expected, remaining = [], iter(contiguous_strides(rows))
        for i in range(len(g.space)):
            expected.append(0 if i in axes else next(remaining))
        if not axes or reach.offset != 0 or tuple(expected) != reach.strides or squeezed(n.shape) != rows:
            return None
        if g.reduced is not None:
            return "row"
        if _keeps_threads_busy(g.space, axes) and self._leads_to_reduction(n, g.space, axes, 8):
            g.reduced = axes
            return "row"
        return None

    def _leads_to_reduction(self, n: Node, space: tuple, axes: frozenset, depth: int) -> bool:
        if kind(n) == "reduction":
            return squeezed(own_shape(n)) == space and reduced_axes(n) == axes
        if kind(n) != "pointwise" or depth == 0:
            return False
        for operand in n.inputs:
            reach = access(operand, n.shape)
            if is_compute(reach.base) and _is_identity(reach, reach.base, squeezed(n.shape)) and \
                    self._leads_to_reduction(reach.base, space, axes, depth - 1):
                return True
        return False

    def _may_lift(self, n: Node, g: Group) -> bool:
        space, axes = squeezed(own_shape(n)), reduced_axes(n)
        rows = tuple(s for i, s in enumerate(space) if i not in axes)
        return g.reduced is None and rows == g.space and axes != frozenset() and _keeps_threads_busy(space, axes)

    def _lift(self, n: Node, g: Group) -> None:
        g.space, g.reduced = squeezed(own_shape(n)), reduced_axes(n)
        for m in g.nodes:
            g.nodes[m] = "row"

    def _join(self, n: Node, g: Group, level: str) -> None:
        self._add(n, g, level)
        self.successors.setdefault(g, set()).update(u for u in self._user_units(n) if u is not g)

    def _add(self, n: Node, g: Group, level: str) -> None:
        g.nodes[n] = level
        self.groups_of.setdefault(n, []).append(g)

    def _home(self, n: Node) -> Group:
        return self.groups_of[n][0]

    def _needed_outside(self, n: Node, g: Group) -> bool:
        if n in self.external:
            return True
        return any(other is not g and n not in other.nodes
                   for user, _ in self.consumers[n] for other in self.groups_of.get(user, ()))

    # -- order between units ---------------------------------------------------------------------------
    def _user_units(self, n: Node) -> set:
        units: set = set()
        for value in self.values(n):
            for user, _ in self.consumers[value]:
                units.update(self.groups_of[user] if is_compute(user) else (user,))
        return units

    def values(self, n: Node) -> list:
        """The values in memory that a node stands for: the items of a region, else itself."""
        return self.items.get(n, []) if kind(n) == "region" else [n]

    def _would_cycle(self, n: Node, g: Group) -> bool:
        return self.reaches([u for u in self._user_units(n) if u is not g], g)

    def reaches(self, starts, goal) -> bool:
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

    # -- siblings --------------------------------------------------------------------------------------
    def _merge_siblings(self, groups: list) -> list:
        """Merge kernels over the same space that read the same array, or one another's results where they stand.

        Work on scalars is merged as far as it goes.
        """
        result: list = []
        for g in sorted(groups, key=lambda g: min(self.order[m] for m in g.nodes)):
            partner = next((h for h in result if self._are_siblings(g, h)), None)
            if partner is None:
                result.append(g)
            else:
                self._merge(g, partner)
        return result

    def _are_siblings(self, g: Group, h: Group) -> bool:
        if g.space != h.space or g.reduced != h.reduced or len(g.nodes) + len(h.nodes) > MAX_NODES:
            return False
        outside_g, outside_h = self._outside(g), self._outside(h)
        related = h in self.successors.get(g, ()) or g in self.successors.get(h, ()) or any(
            product(b.shape) == product(g.space) for b in outside_g & outside_h)
        if g.space != () and not related:
            return False
        if len(outside_g | outside_h) > MAX_OPERANDS:
            return False
        return self._may_follow_directly(g, h) and self._may_follow_directly(h, g)

    def _may_follow_directly(self, g: Group, h: Group) -> bool:
        """Whether h needs of g at most what it reads at its own position, and nothing by way of another unit."""
        others = [u for u in self.successors.get(g, ()) if u is not h]
        if self.reaches(others, h):
            return False
        for m in h.nodes:
            for operand in m.inputs:
                base = window(operand).base
                if base in g.nodes and base not in h.nodes and not self._at_own_position(
                        g, h.nodes[m], m, operand, base):
                    return False
        return True

    @staticmethod
    def _at_own_position(g: Group, level: str, m: Node, operand: Node, base: Node) -> bool:
        """Whether m, at `level` of g's space, reads member `base` of g at its own indices."""
        reach = access(operand, own_shape(m))
        if g.nodes[base] == "full":
            full = kind(m) == "reduction" or level == "full"
            return full and _is_identity(reach, base, g.space)
        if kind(m) == "reduction" or reach.offset != 0 or squeezed(base.shape) != g.row_space:
            return False
        if level == "row":
            return reach.strides == contiguous_strides(g.row_space)
        remaining = iter(contiguous_strides(g.row_space))
        return reach.strides == tuple(0 if i in g.reduced else next(remaining) for i in range(len(g.space)))

    # -- moving ----------------------------------------------------------------------------------------
    def _move_to_producers(self, h: Group) -> None:
        """Move stored values to the kernel that makes all they need: it stores them instead of their operands."""
        for n in sorted(h.nodes, key=self.order.__getitem__):
            if h.nodes.get(n) != "full" or self._home(n) is not h or not self._needed_outside(n, h):
                continue
            moved, sources = self._closure(n, h)
            if moved is None or len(sources) != 1:
                continue
            g = sources.pop()
            if g.space != h.space or len(g.nodes) + len(moved) > MAX_NODES or not all(
                    self._fits_at_full_level(m, g, moved) for m in moved):
                continue
            for m in sorted(moved, key=self.order.__getitem__):
                del h.nodes[m]
                g.nodes[m] = "full"
                self.groups_of[m] = [g if x is h else x for x in self.groups_of[m]]
                self.note(m, f"moved to {_title(g)}, which has its operands at hand")
            self.successors[g].update(u for m in moved for u in self._user_units(m) if u is not g)

    def _forget(self, emptied: Group) -> None:
        self.successors.pop(emptied, None)
        for units in self.successors.values():
            units.discard(emptied)

    def _closure(self, n: Node, h: Group):
        """(n and the members that serve n alone, the groups that make their operands); None for other operands."""
        moved, sources, stack = {n}, set(), [n]
        while stack:
            for operand in stack.pop().inputs:
                base = window(operand).base
                if base in moved or base.is_leaf or base.op == "iota":
                    continue
                if base not in h.nodes:
                    if not is_compute(base):
                        return None, sources
                    sources.add(self._home(base))
                elif h.nodes[base] != "full" or len(self.groups_of[base]) > 1 or base in self.external or any(
                        u not in moved for u, _ in self.consumers[base]):
                    return None, sources
                else:
                    moved.add(base)
                    stack.append(base)
        return moved, sources

    def _fits_at_full_level(self, m: Node, g: Group, moved: set) -> bool:
        if kind(m) != "pointwise":
            return False
        return all(window(o).base not in g.nodes or self._at_own_position(g, "full", m, o, window(o).base)
                   for o in m.inputs)

    def _outside(self, g: Group) -> set:
        bases = {window(o).base for m in g.nodes for o in m.inputs}
        return {b for b in bases if b not in g.nodes and in_memory(b)}

    def _merge(self, g: Group, into: Group) -> None:
        for n, level in g.nodes.items():
            into.nodes.setdefault(n, level)
            self.groups_of[n] = list(dict.fromkeys(into if x is g else x for x in self.groups_of[n]))
            self.note(n, f"fused beside {_title(into)}, which reads the same data")
        self.successors[into] |= self.successors.pop(g, set())
        for units in self.successors.values():
            if g in units:
                units.discard(g)
                units.add(into)
        self.successors[into].discard(into)

    def note(self, n: Node, text: str) -> None:
        """Record a decision about a node."""
        self.decisions.append(Decision(n, text))


def _is_identity(reach, n: Node, space: tuple) -> bool:
    """Whether a window reads element i of node n at index i of `space`."""
    return reach.offset == 0 and squeezed(n.shape) == space and reach.strides == contiguous_strides(space)


def _keeps_threads_busy(space: tuple, axes: frozenset) -> bool:
    rows = product(s for i, s in enumerate(space) if i not in axes)
    total = product(space)
    if not isinstance(rows, int) or not isinstance(total, int):
        return True
    return rows >= FEW_ROWS or total <= MUCH_WORK


def _title(g: Group) -> str:
    last = max(g.nodes, key=lambda m: len(m.inputs))
    return f"{last.op} over {'x'.join(map(str, g.space)) or 'scalars'}"
