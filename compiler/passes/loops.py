"""Simplification of `loop` and `while` nodes; see `regions`."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from graphcore.compiler.passes.branches import is_constant, merged_operands
from graphcore.compiler.passes.regions import Successor, succeeded_by
from graphcore.ir import graph as ir
from graphcore.ir.graph import Node
from graphcore.ops import regions, view
from graphcore.ops.regions import LoopParts


@dataclass(frozen=True)
class LoopDraft:
    """A loop taken apart: `make` puts it together again.

    starts, stacks, fixed: node of the body → what it stands for outside; the nodes are leaves at first, but may be any.
    after, kept, effects, condition: what body and condition compute, over these nodes and `index`.
    """

    parts: LoopParts
    index: tuple                # the leaf of the index, or nothing
    starts: Mapping
    stacks: Mapping
    fixed: Mapping
    after: tuple
    kept: tuple
    effects: tuple
    condition: tuple            # of a while: the flag, then effects

    @staticmethod
    def of(region: Node) -> LoopDraft:
        parts = LoopParts.of(region)
        pairs = list(zip(parts.leaves, parts.operands))
        first_fixed = parts.carried + parts.stacks
        condition = () if region.op == "loop" else ir.inline(region.attrs["condition"], parts.body.inputs,
                                                             parts.body.origins)
        return LoopDraft(parts, (parts.index,) if parts.index is not None else (), dict(pairs[:parts.carried]),
                         dict(pairs[parts.carried:first_fixed]), dict(pairs[first_fixed:]),
                         parts.body.outputs[:parts.carried], parts.body.outputs[parts.carried:], parts.body.effects,
                         condition)

    @property
    def roots(self) -> tuple:
        """All that an iteration computes."""
        return (*self.after, *self.kept, *self.effects, *self.condition)

    def with_roots(self, new: Mapping) -> LoopDraft:
        """The draft with nodes of the body replaced as `new` says."""
        after, kept, effects, condition = (ir.substitute(part, new, self.parts.body.origins) for part in (
            self.after, self.kept, self.effects, self.condition))
        return replace(self, after=after, kept=kept, effects=effects, condition=condition)

    def outside(self, nodes: Iterable[Node]) -> tuple:
        """What nodes of the body that depend on fixed values alone are outside of it."""
        return ir.substitute(nodes, self.fixed, self.parts.body.origins)

    def make(self) -> Node:
        """The node of the loop."""
        leaves, origins = (*self.index, *self.starts, *self.stacks, *self.fixed), self.parts.body.origins
        body = ir.close("body", leaves, (*self.after, *self.kept), self.effects, origins)
        values = (*self.starts.values(), *self.stacks.values(), *self.fixed.values())
        if self.condition:
            condition = ir.close("condition", leaves, self.condition[:1], self.condition[1:], origins)
            return regions.while_(*values, condition=condition, body=body, carried=len(self.starts))
        if self.parts.length is None:
            values = (self.parts.count, *values)
        return regions.loop(*values, body=body, carried=len(self.starts), stacks=len(self.stacks),
                            length=self.parts.length, reverse=self.parts.reverse)


def few_iterations(region: Node, used: tuple) -> Successor | None:
    """a loop of no iteration -> what it begins with; a loop of one -> its body"""
    draft = LoopDraft.of(region)
    parts = draft.parts
    if parts.length == 0:
        return Successor({k: parts.operands[k] if k < parts.carried else _nothing(region.type.items[k]) for k in used})
    if parts.length != 1:
        return None
    elements = {leaf: element(stack, 0) for leaf, stack in draft.stacks.items()}
    table = {draft.index[0]: ir.const(np.int64(0)), **draft.starts, **elements, **draft.fixed}
    roots = ir.substitute((*draft.after, *draft.kept, *draft.effects), table, parts.body.origins)
    count = len(draft.after) + len(draft.kept)
    results = {k: roots[k] if k < parts.carried else view.reshape(roots[k], shape=(1, *roots[k].shape)) for k in used}
    return Successor(results, roots[count:])


def _nothing(type_) -> Node:
    return ir.const(np.empty(type_.shape, type_.dtype.storage), type_.dtype)


def element(stack: Node, index: int) -> Node:
    """Element `index` of a stack that is a tensor."""
    rest = stack.shape[1:]
    row = view.slice_(stack, begin=(index,) + (0,) * len(rest), size=(1, *rest), stride=(1,) * stack.rank)
    return view.reshape(row, shape=rest)


def unchanged_values(region: Node, used: tuple) -> Successor | None:
    """a carried value that no iteration changes -> a fixed one"""
    draft = LoopDraft.of(region)
    same = {leaf: start for (leaf, start), after in zip(draft.starts.items(), draft.after)
            if after is leaf or after is start and is_constant(after)}
    if not same:
        return None
    changing = {leaf: k for k, leaf in enumerate(draft.starts) if leaf not in same}
    new = replace(draft, starts={leaf: draft.starts[leaf] for leaf in changing}, fixed={**draft.fixed, **same},
                  after=tuple(draft.after[k] for k in changing.values())).make()
    old = {k: leaf for k, leaf in enumerate(draft.starts)}
    numbers = {k: position for position, k in enumerate(changing.values())}
    numbers |= {k: k - len(same) for k in used if k >= draft.parts.carried}
    found = succeeded_by(new, {k: numbers[k] for k in used if k in numbers})
    return Successor({**found.results, **{k: same[old[k]] for k in used if k not in numbers}}, found.effects)


def needed_results(region: Node, used: tuple) -> Successor | None:
    """carried values that do not matter and kept values that nobody takes are dropped; equal kept values are one"""
    draft = LoopDraft.of(region)
    carried, first_kept = draft.parts.carried, draft.parts.first_kept
    known = {k: value for k in used if k >= first_kept
             if (value := _without_loop(draft, draft.kept[k - first_kept])) is not None}
    kept: dict = {}                     # value -> its number among the kept ones
    for k in used:
        if k >= first_kept and k not in known:
            kept.setdefault(draft.kept[k - first_kept], len(kept))
    live = _live(draft, {k for k in used if k < carried}, (*kept, *draft.effects, *draft.condition))
    if len(live) == carried and len(kept) == len(draft.kept):
        return None
    if not live and not kept and not draft.effects and not draft.condition:
        return Successor(known)
    leaves = list(draft.starts)
    new = replace(draft, starts={leaves[k]: draft.starts[leaves[k]] for k in live},
                  after=tuple(draft.after[k] for k in live), kept=tuple(kept)).make()
    numbers = {k: position for position, k in enumerate(live)}
    numbers |= {k: k - carried + len(live) for k in used if carried <= k < first_kept}
    start = len(live) + first_kept - carried
    numbers |= {k: start + kept[draft.kept[k - first_kept]] for k in used if k >= first_kept and k not in known}
    found = succeeded_by(new, {k: numbers[k] for k in used if k in numbers})
    return Successor({**found.results, **known}, found.effects)


def _without_loop(draft: LoopDraft, value: Node) -> Node | None:
    """The stack of a kept value that is an element of a stack, or the same in all iterations; else None."""
    if value in draft.stacks:
        return draft.stacks[value]
    if draft.parts.length is None or not (value in draft.fixed or is_constant(value)):
        return None
    (same,) = draft.outside((value,))
    return view.broadcast_to(same, shape=(draft.parts.length, *same.shape))


def _live(draft: LoopDraft, used: set, roots) -> list:
    """The carried values that matter: those used afterwards, and what the roots or they themselves are made of."""
    leaves, live, reached = list(draft.starts), set(used), set()
    pending = [*roots, *(draft.after[k] for k in live)]
    while pending:
        reached |= set(ir.walk(pending, reached))
        grown = {k for k, leaf in enumerate(leaves) if leaf in reached} - live
        live |= grown
        pending = [draft.after[k] for k in grown]
    return sorted(live)


def needed_operands(region: Node, used: tuple) -> Successor | None:
    """stacks and fixed values that no iteration reads are dropped, equal ones merged, constants move into the body"""
    draft = LoopDraft.of(region)
    same = {leaf: inner for leaf, stack in draft.stacks.items() if (inner := _same_in_all(stack)) is not None}
    stacks = {leaf: stack for leaf, stack in draft.stacks.items() if leaf not in same}
    inside_stacks, kept_stacks = merged_operands(stacks, draft.roots, constants=False)
    inside, kept_fixed = merged_operands({**draft.fixed, **same}, draft.roots)
    if len(kept_stacks) == len(draft.stacks) and len(kept_fixed) == len(draft.fixed):
        return None
    new = replace(draft, stacks=kept_stacks, fixed=kept_fixed).with_roots({**inside_stacks, **inside}).make()
    return succeeded_by(new, {k: k for k in used})


def _same_in_all(stack: Node) -> Node | None:
    """The one element of a stack whose elements are all the same, because it is broadcast along its first axis."""
    if stack.op != "broadcast_to" or not isinstance(stack.shape[0], int):
        return None
    source, rest = stack.inputs[0], stack.shape[1:]
    if source.rank == stack.rank:
        if source.shape[0] != 1:
            return None
        source = view.reshape(source, shape=source.shape[1:])
    return source if source.shape == rest else view.broadcast_to(source, shape=rest)


SIMPLIFY = tuple((op, step) for op in ("loop", "while") for step in (
    few_iterations, unchanged_values, needed_results, needed_operands))
