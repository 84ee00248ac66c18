"""The order of execution: groups and operators with their own kernels become steps, one after the other.

Here is decided which group runs as the epilogue of a matmul or convolution, which results are written straight to
their destination, and in which order everything runs, so that memory dies early and a Parameter is overwritten in
place only after its last reader.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphcore.compiler.launch import contiguous_strides
from graphcore.compiler.schedule.fusion import fuse
from graphcore.compiler.schedule.groups import Group
from graphcore.compiler.schedule.kinds import (
    has_own_kernel,
    is_compute,
    kind,
    maker,
    may_call_python,
    own_shape,
)
from graphcore.compiler.schedule.placing import own_offset, own_part_of, place_parts
from graphcore.compiler.schedule.windows import Window, access, squeezed, whole_base, window
from graphcore.ir.dims import Size, evaluate, product
from graphcore.ir.graph import Graph, Node
from graphcore.ir.types import TensorType

NOT_URGENT = (1, 0, 0)  # what most units are, see `_urgency`
TYPICAL_SIZE = 64       # what a symbolic size is taken for where only an estimate is needed


@dataclass(frozen=True)
class Step:
    """One unit of work: an operator with its own kernel (and the group run on its tiles), or a group by itself."""

    node: Node | None
    group: Group | None


@dataclass(frozen=True)
class Schedule:
    """Steps in order; which node's value is written straight to which output or Parameter; what is copied at the end.

    direct: node -> ("output", index) or ("update", name).  placed: part of a concat -> the concat.
    copies: (destination, node) in order, outputs first.
    decisions: why each node was fused or not.
    """

    graph: Graph
    steps: tuple
    direct: Mapping
    placed: Mapping
    copies: tuple
    decisions: tuple


def make_schedule(graph: Graph, accepts_epilogue: frozenset) -> Schedule:
    """Schedule a graph of leaves, views, pointwise nodes, reductions and operators with kernels."""
    return _Scheduler(graph, accepts_epilogue).run()


class _Scheduler:
    def __init__(self, graph: Graph, accepts_epilogue: frozenset):
        self.graph, self.accepts = graph, accepts_epilogue
        self.grouping = fuse(graph)
        self.unit_of: dict = {}                 # group -> the unit that runs it (itself, or the operator it follows)
        self.successors = self.grouping.successors
        self.callers = [n for n in graph.nodes if may_call_python(n)]

    def run(self) -> Schedule:
        operators = [n for n in self.graph.nodes if has_own_kernel(n)]
        epilogues = self._attach_epilogues(operators)
        direct, copies = self._destinations()
        attached = set(epilogues.values())
        placed = place_parts(self.graph, self.grouping, direct, attached)
        placed |= self._place_gathered(direct, attached)
        units = operators + [g for g in self.grouping.groups if g not in attached]
        steps = [Step(u, epilogues.get(u)) if isinstance(u, Node) else Step(None, u)
                 for u in self._sort(units, epilogues)]
        return Schedule(self.graph, tuple(steps), direct, placed, tuple(copies), tuple(self.grouping.decisions))

    # -- epilogues -------------------------------------------------------------------------------------
    def _attach_epilogues(self, operators: list) -> dict:
        found: dict = {}
        for operator in operators:
            if operator.op not in self.accepts:
                continue
            for g in self.grouping.groups:
                if g not in found.values() and self._may_follow(operator, g):
                    found[operator] = g
                    self._merge_units(operator, g)
                    for m in g.nodes:
                        self.grouping.note(m, f"runs on the tiles of {operator.op} while they are in cache")
                    break
        return found

    def _may_follow(self, operator: Node, g: Group) -> bool:
        if g.reduced is not None or product(g.space) != operator.type.size:
            return False
        others, reads = set(), False
        for m in g.nodes:
            for o in m.inputs:
                reach = access(o, own_shape(m))
                if reach.base is operator:
                    if reach.offset != 0 or reach.strides != contiguous_strides(reach.shape) or reach.shape != g.space:
                        return False
                    reads = True
                elif reach.base not in g.nodes and not reach.base.is_leaf and reach.base.op != "iota":
                    others.update(self._units(reach.base))
        after = [u for u in self.successors.get(operator, ()) if u is not g]
        return reads and not any(self.grouping.reaches(after, u) or u in after for u in others)

    def _units(self, base: Node) -> list:
        found = self.grouping.groups_of[base] if is_compute(base) else [maker(base)]
        return [self.unit_of.get(u, u) for u in found]

    def _merge_units(self, operator: Node, g: Group) -> None:
        self.unit_of[g] = operator
        merged = (self.successors.get(operator, set()) | self.successors.pop(g, set())) - {g, operator}
        self.successors[operator] = merged
        for units in self.successors.values():
            if g in units:
                units.discard(g)
                units.add(operator)
        self.successors[operator].discard(operator)

    # -- destinations ----------------------------------------------------------------------------------
    def _destinations(self):
        direct: dict = {}
        copies: list = []
        for index, output in enumerate(self.graph.outputs):
            base = whole_base(output)
            if base is not None and base not in direct:
                direct[base] = ("output", index)
            else:
                copies.append((("output", index), output))
        for name, value in self.graph.updates:
            base = whole_base(value)
            if base is not None and base not in direct and self._may_overwrite(name, base):
                direct[base] = ("update", name)
            else:
                copies.append((("update", name), value))
        return direct, copies

    def _may_overwrite(self, name: str, base: Node) -> bool:
        """Whether the Parameter's memory may take the new value once it is computed, after all who read the old one.

        Calls of Python functions, which may raise, come before it too: a call that fails leaves all Parameters as they
        were.
        """
        leaf = self.graph.params[name]
        if leaf in self.grouping.external and any(window(r).base is leaf for r in self.graph.roots):
            return False
        writer = base.inputs[0] if base.op == "exchange_end" else self._units(base)[0]      # written from its start
        return self._comes_last(writer, leaf, base, 0)

    def _comes_last(self, writer, leaf: Node, base: Node, offset: Size) -> bool:
        """Whether `writer` may put `base` into a Parameter's memory, from `offset` on; orders its readers before."""
        readers = set(self.callers)
        if writer in readers:
            return False
        for user, operand in self.grouping.consumers.get(leaf, ()):
            units = self._units(user)
            if any(u is writer for u in units) and not self._reads_in_step(user, operand, base, offset):
                return False
            readers.update(u for u in units if u is not writer)
        if any(self.grouping.reaches([writer], r) for r in readers):
            return False
        for r in readers:
            self.successors.setdefault(r, set()).add(writer)
        return True

    def _place_gathered(self, direct: dict, attached: set) -> dict:
        """Own parts that are written straight to where the parts of all processes are gathered -> that `all_gather`."""
        placed = {}
        for end in self.graph.nodes:
            begun = end.inputs[0] if end.op == "exchange_end" else None
            if begun is None or begun.attrs["what"] != "all_gather":
                continue
            part = own_part_of(begun, self.graph, self.grouping, attached)
            if part is None or part in direct:
                continue
            group = self.grouping.groups_of[part][0]
            where, name = direct.get(end, ("", ""))
            if where == "update" and not self._comes_last(group, self.graph.params[name], part, own_offset(begun)):
                continue
            space = group.space_of(part)
            group.windows[part] = Window(begun, space, contiguous_strides(space), own_offset(begun))
            placed[part] = begun
        return placed

    def _reads_in_step(self, user: Node, operand: Node, base: Node, offset: Size) -> bool:
        """Whether the writing kernel reads each old element, from `offset` on, just before it writes the new one."""
        if not is_compute(user) or not is_compute(base) or kind(user) == "reduction":
            return False
        group = self.grouping.groups_of[base][0]
        if user not in group.nodes or group.nodes[user] != group.nodes[base]:
            return False
        if group.reduced is not None and group.nodes[base] == "full":
            return False
        space = group.space_of(user)
        reach = access(operand, user.shape)
        return reach.offset == offset and reach.strides == contiguous_strides(space) and squeezed(base.shape) == space

    # -- order -----------------------------------------------------------------------------------------
    def _sort(self, units: list, epilogues: dict) -> list:
        """Kahn's algorithm; among what is ready, first what frees the most memory, then in the graph's order.

        Exchanges with other processes start as soon as they can, also ahead of other work, and are waited for in the
        same order when nothing else is ready.
        """
        order = self.grouping.order
        position = {u: order[u] if isinstance(u, Node) else max(order[m] for m in u.nodes) for u in units}
        waiting = dict.fromkeys(units, 0)
        for u in units:
            for s in self.successors.get(u, ()):
                waiting[s] += 1
        urgency = self._urgency(units)
        reads, remaining = self._reads(units, epilogues)
        ready = [u for u in units if waiting[u] == 0]
        result = []
        while ready:
            best = min(ready, key=lambda u: (urgency.get(u, NOT_URGENT), self._growth(
                u, epilogues, reads[u], remaining), position[u]))
            ready.remove(best)
            result.append(best)
            for base in reads[best]:
                remaining[base] -= 1
            for s in self.successors.get(best, ()):
                waiting[s] -= 1
                if waiting[s] == 0:
                    ready.append(s)
        assert len(result) == len(units), "the schedule has a cycle"
        return result

    def _urgency(self, units: list) -> dict:
        """For units that come before or after others that are ready: what is less or more than `NOT_URGENT`.

        What leads to an exchange comes before what leads to a later one, so that the first starts early.  An end comes
        after everything else, in the order of the starts, unless another exchange needs it: then it comes before what
        leads to those that start after that one.
        """
        number = {n: k for k, n in enumerate(self.grouping.exchanges)}
        found: dict = {}
        for u in reversed(self._topological(units)) if number else ():
            leads = [found[s] for s in self.successors.get(u, ()) if found.get(s, NOT_URGENT) < NOT_URGENT]
            if u in number:
                found[u] = (0, number[u], 0)
            elif isinstance(u, Node) and u.op == "exchange_end":
                found[u] = (*min(leads)[:2], 1) if leads else (2, number[u.inputs[0]], 0)
            elif leads:
                found[u] = min(leads)
        return found

    def _topological(self, units: list) -> list:
        """The units, each before those that need it."""
        waiting = dict.fromkeys(units, 0)
        for u in units:
            for s in self.successors.get(u, ()):
                waiting[s] += 1
        result = [u for u in units if waiting[u] == 0]
        for u in result:                        # grows as it is walked
            for s in self.successors.get(u, ()):
                waiting[s] -= 1
                if waiting[s] == 0:
                    result.append(s)
        return result

    def _reads(self, units: list, epilogues: dict):
        reads, remaining = {}, {}
        for u in units:
            members = [u] if isinstance(u, Node) else list(u.nodes)
            if u in epilogues:
                members += epilogues[u].nodes
            bases = {window(o).base for m in members for o in m.inputs}
            reads[u] = [b for b in bases if not b.is_leaf and b.op != "iota" and b not in members]
            for b in reads[u]:
                remaining[b] = remaining.get(b, 0) + 1
        return reads, remaining

    def _growth(self, unit, epilogues, reads, remaining) -> int:
        stored = self.grouping.values(unit) if isinstance(unit, Node) else list(unit.stored)
        if unit in epilogues:
            stored = list(epilogues[unit].stored)
        made = sum(_bytes(n) for n in stored)
        return made - sum(_bytes(b) for b in reads if remaining[b] == 1)


class _Typical(dict):
    def __missing__(self, symbol):
        return TYPICAL_SIZE


def _bytes(node: Node) -> int:
    if not isinstance(node.type, TensorType):
        return 0                                # a tape lies elsewhere
    return evaluate(node.type.size, _Typical()) * node.dtype.itemsize
