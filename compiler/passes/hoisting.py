"""What a loop need not do in each iteration is done before it; see `regions`.

Values that no iteration changes are computed once, and what is read of a fixed value at the loop's own index becomes
the element of a stack: its gradient is then written where it belongs, instead of being added to a whole array.
"""
from __future__ import annotations

from dataclasses import replace

from graphcore.compiler.passes.branches import is_constant
from graphcore.compiler.passes.counting import progression
from graphcore.compiler.passes.loops import LoopDraft
from graphcore.compiler.passes.regions import Successor, contains, succeeded_by
from graphcore.ir import graph as ir
from graphcore.ir.graph import Node
from graphcore.ir.types import TapeType, TensorType
from graphcore.ops import view
from graphcore.ops.record import REGISTRY

_STAY = ("while", "host_call", "hook")      # may not end, or do something besides
_FAULTS = ("div", "floor_div", "mod")       # of integers, by zero


def invariant_values(region: Node, used: tuple) -> Successor | None:
    """f(fixed) in a loop -> computed once, before it"""
    draft = LoopDraft.of(region)
    found = invariant_nodes(draft)
    hoisted: dict = {}
    for n in ir.walk(draft.roots):
        if n not in found:
            _collect(n.inputs, found, hoisted)
    _collect(draft.roots, found, hoisted)
    if not hoisted:
        return None
    outside = dict(zip(hoisted, draft.outside(hoisted)))
    new = replace(draft, fixed={**draft.fixed, **outside}).make()
    return succeeded_by(new, {k: k for k in used})


def invariant_nodes(draft: LoopDraft) -> set:
    """The nodes of the body that have one value in all iterations and may be computed even if there is none."""
    found = set(draft.fixed)
    for n in ir.walk(draft.roots):
        if n.op == "const" or not n.is_leaf and all(i in found for i in n.inputs) and _may_move(n):
            found.add(n)
    return found


def _may_move(n: Node) -> bool:
    if isinstance(n.type, TapeType) or n.op in _STAY or n.attrs.get("backward") is not None:
        return False
    if isinstance(n.type, TensorType):
        return n.dtype.is_float or n.op not in _FAULTS
    return not any(contains(g, op) for g in ir.graphs_of(n).values() for op in _STAY)


def _collect(nodes, found: set, hoisted: dict) -> None:
    """Add the invariant values that an iteration takes and that are worth keeping in memory instead."""
    for n in nodes:
        if n not in found or n.is_leaf or n in hoisted:
            continue
        if _is_worth_it(n):
            hoisted[n] = None
        else:
            _collect(n.inputs, found, hoisted)


def _is_worth_it(n: Node) -> bool:
    kind = REGISTRY[n.op].kind
    if kind == "view" or not isinstance(n.type, TensorType) or n.op == "iota" or is_constant(n):
        return False
    if kind != "pointwise" or not n.type.is_static:
        return True
    sizes = [i.type.size for i in n.inputs if not is_constant(i)]
    return bool(sizes) and n.type.size <= max(sizes)       # else what it is made of is cheaper to read


def rows_of_fixed(region: Node, used: tuple) -> Successor | None:
    """fixed[a*i + b] at the index i of a loop -> the element of a stack"""
    draft = LoopDraft.of(region)
    length = draft.parts.length
    if not isinstance(length, int) or not length:
        return None
    known, invariant, rows = {}, invariant_nodes(draft), {}
    for n in ir.walk(draft.roots):
        if n.op == "gather" and n.inputs[0] in invariant and not is_constant(n.inputs[0]) and not n.inputs[1].rank:
            stack = _stack(n, draft, progression(n.inputs[1], draft.index[0], length, known))
            if stack is not None:
                rows[n] = stack
    if not rows:
        return None
    new = replace(draft, stacks={**draft.stacks, **rows}).make()
    return succeeded_by(new, {k: k for k in used})


def _stack(gather: Node, draft: LoopDraft, places) -> Node | None:
    """What `gather` reads in all iterations together, index first; None unless all indices are in range."""
    axis, source, length = gather.attrs["axis"], gather.inputs[0], draft.parts.length
    extent = source.shape[axis]
    if places is None or not isinstance(extent, int):
        return None
    step, first = places
    last = first + step * (length - 1)
    if not (0 <= first < extent and 0 <= last < extent) or step == 0:
        return None
    (outer,) = draft.outside((source,))
    begin, size, stride = ([v if i == axis else other for i in range(outer.rank)]
                           for v, other in ((first, 0), (length, None), (step, 1)))
    size = [n or outer.shape[i] for i, n in enumerate(size)]
    cut = view.slice_(outer, begin=tuple(begin), size=tuple(size), stride=tuple(stride))
    return view.transpose(cut, perm=(axis, *(i for i in range(outer.rank) if i != axis))) if axis else cut


def placed_in_order(region: Node, used: tuple) -> Successor | None:
    """a stack transpose(place(x)) -> place(transpose(x)): written in the order in which the loop reads it"""
    draft = LoopDraft.of(region)
    turned = {leaf: _placed_in_order(stack) for leaf, stack in draft.stacks.items()
              if stack.op == "transpose" and stack.inputs[0].op == "place"}
    if not turned:
        return None
    new = replace(draft, stacks={**draft.stacks, **turned}).make()
    return succeeded_by(new, {k: k for k in used})


def _placed_in_order(stack: Node) -> Node:
    placed, perm = stack.inputs[0], stack.attrs["perm"]
    shape, begin, stride = (tuple(placed.attrs[k][p] for p in perm) for k in ("shape", "begin", "stride"))
    return view.place(view.transpose(placed.inputs[0], perm=perm), shape=shape, begin=begin, stride=stride,
                      fill=placed.attrs["fill"])


HOIST = tuple((op, step) for op, step in (("loop", rows_of_fixed), ("loop", placed_in_order),
                                          ("loop", invariant_values), ("while", invariant_values)))
