"""Groups that read the same data become one; values move to the group that has all that they are computed from."""
from __future__ import annotations

from graphcore.compiler.schedule.groups import MAX_NODES, MAX_OPERANDS, Group, Grouping
from graphcore.compiler.schedule.kinds import is_compute, kind
from graphcore.compiler.schedule.windows import window
from graphcore.ir.dims import product
from graphcore.ir.graph import Node


def merge_siblings(grouping: Grouping) -> None:
    """Merge kernels over the same space that read the same array, or one another's results where they stand.

    Work on scalars is merged as far as it goes.
    """
    kept: list = []
    for g in sorted(grouping.groups, key=grouping.begin):
        partner = next((h for h in kept if _are_siblings(g, h, grouping)), None)
        if partner is None:
            kept.append(g)
        else:
            grouping.merge(g, partner)
    grouping.groups = kept


def _are_siblings(g: Group, h: Group, grouping: Grouping) -> bool:
    if g.space != h.space or g.reduced != h.reduced or len(g.nodes) + len(h.nodes) > MAX_NODES:
        return False
    outside_g, outside_h, after = g.outside(), h.outside(), grouping.successors
    related = h in after.get(g, ()) or g in after.get(h, ()) or any(
        product(b.shape) == product(g.space) for b in outside_g & outside_h)
    if g.space != () and not related or len(outside_g | outside_h) > MAX_OPERANDS:
        return False
    return _may_follow_directly(g, h, grouping) and _may_follow_directly(h, g, grouping)


def _may_follow_directly(g: Group, h: Group, grouping: Grouping) -> bool:
    """Whether h needs of g at most what it reads at its own position, and nothing by way of another unit."""
    others = [u for u in grouping.successors.get(g, ()) if u is not h]
    if grouping.reaches(others, h):
        return False
    return all(g.reads_at_own_position(h.nodes[m], m, o) for m in h.nodes for o in m.inputs
               if window(o).base in g.nodes and window(o).base not in h.nodes)


def move_to_producers(grouping: Grouping) -> None:
    """Move stored values to the kernel that makes all they need: it stores them instead of their operands."""
    for h in grouping.groups:
        for n in sorted(h.nodes, key=grouping.order.__getitem__):
            if h.nodes.get(n) == "full" and grouping.home(n) is h and grouping.needed_outside(n, h):
                nodes, makers = _closure(n, h, grouping)
                if len(makers) == 1:
                    [g] = makers
                    if g.space == h.space and len(g.nodes) + len(nodes) <= MAX_NODES and all(
                            _fits_at_full_level(m, g) for m in nodes):
                        grouping.move(nodes, h, g)


def _closure(n: Node, h: Group, grouping: Grouping) -> tuple[set, set]:
    """(n and the members of h that serve n alone, the groups that make their operands: none if something else does)."""
    nodes, makers, stack = {n}, set(), [n]
    while stack:
        for operand in stack.pop().inputs:
            base = window(operand).base
            if base in nodes or base.is_leaf or base.op == "iota":
                continue
            if base not in h.nodes:
                if not is_compute(base):
                    return nodes, set()
                makers.add(grouping.home(base))
            elif h.nodes[base] != "full" or len(grouping.groups_of[base]) > 1 or base in grouping.external or any(
                    user not in nodes for user, _ in grouping.consumers[base]):
                return nodes, set()
            else:
                nodes.add(base)
                stack.append(base)
    return nodes, makers


def _fits_at_full_level(m: Node, g: Group) -> bool:
    return kind(m) == "pointwise" and all(
        g.reads_at_own_position("full", m, o) for o in m.inputs if window(o).base in g.nodes)
