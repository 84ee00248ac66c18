"""Fusion: which nodes are computed together in one kernel.

Every pointwise node and every reduction ends in a group.  They are placed from the results backwards, each into the
group of its consumers where it fits, so that a value is stored only if something outside its group needs it.  Cheap
nodes with consumers in several groups are computed in each.  Then groups that read the same are merged.  Every decision
is recorded with its reason.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphcore.compiler.schedule.groups import MAX_NODES, MAX_OPERANDS, Group, Grouping, is_identity, row_strides
from graphcore.compiler.schedule.kinds import is_compute, kind, own_shape, reduced_axes
from graphcore.compiler.schedule.merging import merge_siblings, move_to_producers
from graphcore.compiler.schedule.windows import Window, access, squeezed
from graphcore.ir.dims import product
from graphcore.ir.graph import Graph, Node, walk
from graphcore.ops.record import REGISTRY

FEW_ROWS = 4                 # a row-wise kernel over fewer rows keeps threads idle,
MUCH_WORK = 1 << 15          # which counts from this many elements on
FAR = 8                      # nodes that are looked at on the way from a row value to the reduction that it comes from


def fuse(graph: Graph) -> Grouping:
    """The groups of a graph's compute nodes."""
    grouping = Grouping(graph)
    for n in reversed(tuple(walk((*grouping.exchanges, *graph.roots)))):    # an exchange after what starts before it
        if is_compute(n):
            _place(n, grouping)
        else:
            grouping.add_operator(n)
    grouping.groups = list(dict.fromkeys(g for found in grouping.groups_of.values() for g in found))
    merge_siblings(grouping)
    move_to_producers(grouping)
    grouping.settle()
    return grouping


@dataclass(frozen=True)
class Fit:
    """How a node fits into a group: its level there, and what the group's space and reduced axes are with it."""

    level: str
    space: tuple
    reduced: frozenset | None


def _place(n: Node, grouping: Grouping) -> None:
    fits = {g: _fit(n, g, grouping) for g in _groups_of_consumers(n, grouping)}
    if _may_repeat(n, fits, grouping):
        for g in fits:
            grouping.repeat(n, g, "full")
        grouping.note(n, f"cheap: computed in each of the {len(fits)} kernels that use it")
        return
    refused = []
    for g, fit in fits.items():
        obstacle = _obstacle(n, g, fit, grouping)
        if not obstacle:
            _adapt(g, fit)
            grouping.join(n, g, fit.level)
            grouping.note(n, f"fused into the kernel of {g.title}")
            return
        refused.append(f"{g.title} {obstacle}")
    g = Group(squeezed(own_shape(n)), reduced_axes(n) if kind(n) == "reduction" else None)
    grouping.join(n, g, "row" if kind(n) == "reduction" else "full")
    grouping.note(n, "; ".join((f"begins a kernel: {_why_stored(n, grouping)}", *refused)))


def _groups_of_consumers(n: Node, grouping: Grouping) -> list:
    found = dict.fromkeys(g for user, _ in grouping.consumers[n] for g in grouping.groups_of.get(user, ()))
    return sorted(found, key=grouping.begin)


def _may_repeat(n: Node, fits: dict, grouping: Grouping) -> bool:
    """Whether n is computed in each of several groups: each has the value to itself, none waits for another."""
    return len(fits) > 1 and kind(n) == "pointwise" and REGISTRY[n.op].cheap and n not in grouping.external and all(
        fit is not None and fit.level == "full" for fit in fits.values())


def _obstacle(n: Node, g: Group, fit: Fit | None, grouping: Grouping) -> str:
    """Why n cannot be computed in g; empty if it can."""
    if fit is None:
        return "reads it at other positions than its own, or sums over other axes"
    if len(g.nodes) >= MAX_NODES or len(g.outside([n])) > MAX_OPERANDS:
        return "has no room for it"
    return "must wait for something else that needs it" if grouping.must_wait(n, g) else ""


def _adapt(g: Group, fit: Fit) -> None:
    """Give g the space and axes of a fit; where the space is a larger one, all that g computes is once a row of it."""
    if fit.space != g.space:
        g.nodes.update(dict.fromkeys(g.nodes, "row"))
    g.space, g.reduced = fit.space, fit.reduced


def _why_stored(n: Node, grouping: Grouping) -> str:
    """What n is stored for, besides the kernels that could not take it in."""
    if n in grouping.results:
        return "it is a result"
    own = dict.fromkeys(user.op for user, _ in grouping.consumers[n] if not is_compute(user))
    if own:
        return f"{' and '.join(own)} read{'s' * (len(own) == 1)} it from memory"
    return "its elements are searched for their extreme" if n in grouping.external else "no other kernel can take it in"


# -- where a node fits ---------------------------------------------------------------------------------
def _fit(n: Node, g: Group, grouping: Grouping) -> Fit | None:
    """How n fits into g; None if it does not."""
    fits = {_fit_for(n, g, user, operand) for user, operand in grouping.consumers[n] if user in g.nodes}
    if len(fits) != 1:
        return None
    [fit] = fits
    if fit is None or kind(n) != "reduction":
        return fit
    space, axes = squeezed(own_shape(n)), reduced_axes(n)
    if fit.level == "row":
        return fit if (space, axes) == (g.space, fit.reduced) else None
    rows = tuple(s for i, s in enumerate(space) if i not in axes)       # g may become what is computed once a row
    may_become = g.reduced is None and rows == g.space and axes != frozenset() and _keeps_threads_busy(space, axes)
    return Fit("row", space, axes) if may_become else None


def _fit_for(n: Node, g: Group, user: Node, operand: Node) -> Fit | None:
    """How n would fit for one reading of a member, if n were pointwise."""
    reach = access(operand, own_shape(user))
    full, row = Fit("full", g.space, g.reduced), Fit("row", g.space, g.reduced)
    if kind(user) == "reduction":
        return full if is_identity(reach, g.space) and kind(n) == "pointwise" else None
    if g.nodes[user] == "row":
        return row if is_identity(reach, g.row_space) else None
    return full if is_identity(reach, g.space) else _fit_of_row_value(n, g, reach)


def _fit_of_row_value(n: Node, g: Group, reach: Window) -> Fit | None:
    """How n fits if a full-level member reads it as a row value, and g is or can become a row-wise kernel."""
    axes = g.reduced if g.reduced is not None else frozenset(i for i, s in enumerate(reach.strides) if s == 0)
    rows = tuple(s for i, s in enumerate(g.space) if i not in axes)
    if not axes or reach.offset != 0 or reach.strides != row_strides(g.space, axes) or squeezed(n.shape) != rows:
        return None
    is_row_wise = g.reduced is not None or _keeps_threads_busy(g.space, axes) and _leads_to_reduction(
        n, g.space, axes, FAR)
    return Fit("row", g.space, axes) if is_row_wise else None


def _leads_to_reduction(n: Node, space: tuple, axes: frozenset, far: int) -> bool:
    """Whether n is, or is computed row by row from, a reduction of `space` over `axes`, at most `far` nodes away."""
    if kind(n) == "reduction":
        return squeezed(own_shape(n)) == space and reduced_axes(n) == axes
    if kind(n) != "pointwise" or far == 0:
        return False
    reaches = (access(operand, n.shape) for operand in n.inputs)
    return any(is_compute(reach.base) and is_identity(reach, squeezed(n.shape)) and
               _leads_to_reduction(reach.base, space, axes, far - 1) for reach in reaches)


def _keeps_threads_busy(space: tuple, axes: frozenset) -> bool:
    rows, total = product(s for i, s in enumerate(space) if i not in axes), product(space)
    if not isinstance(rows, int) or not isinstance(total, int):
        return True
    return rows >= FEW_ROWS or total <= MUCH_WORK
