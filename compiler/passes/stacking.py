"""The values that a node of a loop's body has in all iterations, together: a stack over them, index first.

What the loop takes from stacks and what it keeps anyway is there already; views of it cost nothing.  Anything else
has to be kept as well, which costs memory: `Price` says how much, and `Stacks` whether that is reasonable.
"""
from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace

from graphcore.compiler.passes.hoisting import invariant_nodes
from graphcore.compiler.passes.loops import LoopDraft
from graphcore.compiler.schedule.steps import TYPICAL_SIZE
from graphcore.ir import graph as ir
from graphcore.ir.dims import Size, evaluate
from graphcore.ir.graph import Node
from graphcore.ir.types import TensorType
from graphcore.ops import pointwise, structural, view
from graphcore.ops.regions import stack_type

MOST_MEMORY = 64 << 20      # bytes that stacks may take which the loop does not keep so far
MOST_GROWTH = 2             # ... or that many times what its stacks take so far, if they are more
LITTLE = 1 << 20            # bytes of new stacks that stay in a cache: they cost next to nothing


def elements(size: Size) -> int:
    """A size as a number; what only a run knows is taken for a typical one."""
    return evaluate(size, defaultdict(lambda: TYPICAL_SIZE))


@dataclass(frozen=True)
class Price:
    """What stacks that are asked for cost: elements of an iteration that are kept anew, and that are moved later."""

    fresh: int = 0
    moved: int = 0
    bytes: int = 0          # of both

    def __add__(self, other: Price) -> Price:
        return Price(self.fresh + other.fresh, self.moved + other.moved, self.bytes + other.bytes)


class Stacks:
    """The stacks of a loop of known length, and those that it is to keep besides.

    What is built of them before the new loop exists has leaves in place of its results: `placed` puts these in.
    """

    def __init__(self, draft: LoopDraft):
        self.draft, self.length = draft, draft.parts.length
        self.invariant = invariant_nodes(draft)
        self._leaves: dict = {}             # kept value -> the leaf that stands for its stack
        for value in draft.kept:
            self._leaf(value)
        self._old = len(self._leaves)

    def _leaf(self, value: Node) -> Node:
        return self._leaves.setdefault(
            value, ir.input_(f"kept'{len(self._leaves)}", stack_type(value.type, self.length)))

    @property
    def kept(self) -> tuple:
        """What the loop keeps from now on, the old values first."""
        return tuple(self._leaves)

    def is_there(self, value: Node) -> bool:
        """Whether the stack of a value is to be had without keeping more."""
        if value in self.invariant or value in self.draft.stacks or value in self._leaves:
            return True
        return value.op in _VIEWS and self.is_there(value.inputs[0])

    def is_taken(self, value: Node) -> bool:
        """Whether a value is a view of an element that the loop takes: its stack is there before the loop begins."""
        while value.op in _VIEWS:
            value = value.inputs[0]
        return value in self.draft.stacks

    def price(self, *values: Node) -> Price:
        """What the stacks of these values cost."""
        missing = [v for v in dict.fromkeys(map(_below_views, values)) if not self.is_there(v)]
        count = sum(elements(v.type.size) for v in missing)
        return Price(count, 0, sum(elements(v.type.size) * v.dtype.itemsize for v in missing))

    def is_reasonable(self, price: Price) -> bool:
        """Whether there is memory for it, with what was asked for before.

        Where sizes are symbolic, only what the loop takes and keeps so far is a measure.
        """
        so_far, asked = (sum(elements(v.type.size) * v.dtype.itemsize for v in values) for values in (
            (*self.draft.stacks, *self.kept[:self._old]), self.kept[self._old:]))
        total = asked + price.bytes
        return total <= MOST_GROWTH * so_far or self._is_static and total * self.length <= MOST_MEMORY

    def is_little(self, price: Price) -> bool:
        """Whether it all stays in a cache, as far as can be told."""
        return price.bytes * elements(self.length) <= LITTLE

    @property
    def _is_static(self) -> bool:
        types = [leaf.type for leaf in self.draft.parts.leaves]
        return isinstance(self.length, int) and all(isinstance(t, TensorType) and t.is_static for t in types)

    def outside(self, value: Node) -> Node:
        """What an invariant value is outside of the loop."""
        return self.draft.outside((value,))[0]

    def of(self, value: Node) -> Node:
        """The stack of a value, which the loop keeps from now on if it has to."""
        if value in self.draft.stacks:
            return self.draft.stacks[value]
        if value in self._leaves:
            return self._leaves[value]
        if value in self.invariant:
            return view.broadcast_to(self.outside(value), shape=(self.length, *value.shape))
        if value.op in _VIEWS and (self.is_there(value.inputs[0]) or value.op in _SAME_ELEMENTS):
            return _VIEWS[value.op](self.of(value.inputs[0]), value)
        return self._leaf(value)

    def placed(self, nodes, new: Node | None) -> tuple:
        """Nodes with the results of the new loop where leaves stood for them."""
        if new is None:
            return tuple(nodes)
        first = new.attrs["carried"]
        items = {leaf: structural.item(new, index=first + k) for k, leaf in enumerate(self._leaves.values())}
        return ir.substitute(nodes, items, self.draft.parts.body.origins)

    def loop(self, dropped=()) -> Node | None:
        """The loop that keeps what was asked for, without some of its carried values; None if nothing is left of it."""
        draft = self.draft
        starts = {leaf: start for leaf, start in draft.starts.items() if leaf not in dropped}
        after = tuple(value for leaf, value in zip(draft.starts, draft.after) if leaf not in dropped)
        new = replace(draft, starts=starts, after=after, kept=self.kept)
        return new.make() if new.roots else None


def _below_views(value: Node) -> Node:
    while value.op in _SAME_ELEMENTS:
        value = value.inputs[0]
    return value


def _reshaped(stack: Node, value: Node) -> Node:
    return view.reshape(stack, shape=(stack.shape[0], *value.shape))


def _transposed(stack: Node, value: Node) -> Node:
    return view.transpose(stack, perm=(0, *(p + 1 for p in value.attrs["perm"])))


def _sliced(stack: Node, value: Node) -> Node:
    begin, size, stride = (value.attrs[k] for k in ("begin", "size", "stride"))
    return view.slice_(stack, begin=(0, *begin), size=(stack.shape[0], *size), stride=(1, *stride))


def _converted(stack: Node, value: Node) -> Node:
    return pointwise.cast(stack, dtype=value.dtype)


_SAME_ELEMENTS = ("reshape", "transpose")
_VIEWS = {"reshape": _reshaped, "transpose": _transposed, "slice": _sliced, "cast": _converted}
