"""Sums that a loop makes term by term are made at once, after it; see `regions`.

The gradient of a weight that a recurrent net uses at every step is such a sum: a small product at each step, and an
addition over the whole weight.  All steps together it is one large product, which runs at full speed and whose
result the optimiser's update takes tile by tile.
"""
from __future__ import annotations

from collections import Counter
from dataclasses import replace

from graphcore.compiler.passes.algebra import constant_value
from graphcore.compiler.passes.loops import LoopDraft
from graphcore.compiler.passes.regions import Successor, succeeded_by
from graphcore.compiler.passes.stacking import Price, Stacks, elements
from graphcore.ir import graph as ir
from graphcore.ir.graph import Node
from graphcore.ops import linear, pointwise, view
from graphcore.ops.record import REGISTRY
from graphcore.ops.reduction import sum_

_RATIO = 2          # stacks up to that many times as large as the sum cost less than adding to it in each iteration


def sums_at_once(region: Node, used: tuple) -> Successor | None:
    """s += a_i b_i or s += sum(x_i) in each iteration i -> one product or sum over all iterations, after the loop"""
    draft = LoopDraft.of(region)
    if draft.parts.length is None:
        return None
    sums = _Sums(draft)
    for leaf in draft.starts:
        sums.look_at(leaf)
    return sums.successor(used) if sums.moved else None


class _Sums:
    """The carried values of a loop that are sums, and those of their terms that move out of it.

    moved: leaf → what all iterations add to it by terms that move; rest: leaf → the terms with signs that stay.
    """

    def __init__(self, draft: LoopDraft):
        self.draft, self.stacks = draft, Stacks(draft)
        self.uses = Counter(draft.roots)
        for n in ir.walk(draft.roots):
            self.uses.update(n.inputs)
        self.terms: dict = {}
        for leaf, after in zip(draft.starts, draft.after):
            if not leaf.dtype.is_float or self.uses[leaf] != 1 or after is leaf:
                continue
            found = self._terms(after, 1)
            if (1, leaf) in found:
                self.terms[leaf] = [(sign, term) for sign, term in found if term is not leaf]
        self.as_term = Counter(term for terms in self.terms.values() for _, term in terms)
        self.moved: dict = {}
        self.rest: dict = {}

    def _terms(self, n: Node, sign: int) -> list:
        """n as a sum of (sign, term)."""
        if n.op not in ("add", "sub") or self.uses[n] != 1 or any(i.shape != n.shape for i in n.inputs):
            return [(sign, n)]
        a, b = n.inputs
        return [*self._terms(a, sign), *self._terms(b, sign if n.op == "add" else -sign)]

    def look_at(self, leaf: Node) -> None:
        """Move the terms of a carried value for which that is worth it."""
        total, rest = None, []
        for sign, term in self.terms.get(leaf, ()):
            parts = self._parts(term)
            if parts and all(self._is_worth_it(p) for p in parts):
                total = _plus(total, sign, self._summed(term))
            else:
                rest.append((sign, term))
        if total is not None:
            self.moved[leaf], self.rest[leaf] = total, rest

    def successor(self, used: tuple) -> Successor:
        """What stands for the loop now."""
        draft, leaves = self.draft, list(self.draft.starts)
        after = {leaf: value for leaf, value in zip(leaves, draft.after)}
        for leaf, rest in self.rest.items():
            after[leaf] = leaf
            for sign, term in rest:
                after[leaf] = _plus(after[leaf], sign, term)
        self.stacks.draft = replace(draft, after=tuple(after.values()))
        gone = [leaf for leaf, rest in self.rest.items() if not rest]
        new = self.stacks.loop(dropped=gone)
        stay = {leaf: k for k, leaf in enumerate(leaf for leaf in leaves if leaf not in gone)}
        numbers = {k: stay[leaves[k]] if k < len(leaves) else k - len(gone) for k in used
                   if k >= len(leaves) or leaves[k] in stay}
        results, effects = {}, ()
        if new is not None:
            found = succeeded_by(new, numbers)
            results, effects = dict(found.results), found.effects
        moved = dict(zip(self.moved, self.stacks.placed(self.moved.values(), new)))
        for k in used:
            if k < len(leaves) and leaves[k] in moved:
                results[k] = _added(results.get(k, draft.starts[leaves[k]]), moved[leaves[k]])
        return Successor(results, effects)

    # -- which terms -----------------------------------------------------------------------------------------
    def _parts(self, term: Node) -> list | None:
        """The products and sums that a term is a linear function of; None if it is made of anything else."""
        if term.op in ("matmul", "sum"):
            return [term] if self._may_move(term) else None
        found: list = []
        for i in self._linear_in(term):
            parts = self._parts(i)
            if parts is None:
                return None
            found += parts
        return found or None

    def _may_move(self, part: Node) -> bool:
        """Whether all iterations can have a part together; a product that is needed in each anyway is no use then."""
        if self.stacks.invariant.issuperset(part.inputs):
            return False
        a, b = part.inputs[0], part.inputs[-1]
        return part.op == "sum" or a.shape[:-2] == b.shape[:-2] and self.uses[part] <= max(self.as_term[part], 1)

    def _linear_in(self, n: Node) -> tuple:
        """The inputs in which n is linear, the others being the same in all iterations; none if it is not."""
        if n.op in ("reshape", "transpose", "slice", "broadcast_to", "neg", "concat"):
            return n.inputs
        if n.op == "place":
            return n.inputs if n.attrs["fill"] == 0 else ()
        if n.op in ("add", "sub") and all(i.shape == n.shape for i in n.inputs):
            return n.inputs
        if n.op in ("mul", "div") and n.inputs[1] in self.stacks.invariant and n.inputs[0].shape == n.shape:
            return n.inputs[:1]
        if n.op == "mul" and n.inputs[0] in self.stacks.invariant and n.inputs[1].shape == n.shape:
            return n.inputs[1:]
        return ()

    def _is_worth_it(self, part: Node) -> bool:
        """Whether the stacks that a product or sum needs are no burden, compared to what each iteration does now."""
        varying = [i for i in part.inputs if i not in self.stacks.invariant]
        price = self.stacks.price(*varying)
        if part.op == "matmul" and len(varying) == 2:
            price += _moves(part)
        if not self.stacks.is_reasonable(price):
            return False
        if self.stacks.is_little(price):
            return True
        return part.op == "matmul" and price.fresh + price.moved <= _RATIO * elements(part.type.size)

    # -- their sums ------------------------------------------------------------------------------------------
    def _summed(self, n: Node) -> Node:
        """The sum over all iterations of a term or a part of one, outside of the loop."""
        if n.op == "matmul":
            return self._product(n)
        if n.op == "sum":
            axes = (0, *(a + 1 for a in n.attrs["axes"]))
            return view.reshape(sum_(self.stacks.of(n.inputs[0]), axes=axes, keepdims=False), shape=n.shape)
        linear_in = self._linear_in(n)
        return REGISTRY[n.op](*(self._summed(i) if i in linear_in else self.stacks.outside(i) for i in n.inputs),
                              **n.attrs)

    def _product(self, n: Node) -> Node:
        """The sum of a_i b_i: the product of [a_0 a_1 ...] and [b_0 b_1 ...] stacked along the inner axis."""
        fixed = [i in self.stacks.invariant for i in n.inputs]
        if any(fixed):
            factors = [self.stacks.outside(i) if same else sum_(self.stacks.of(i), axes=(0,), keepdims=False)
                       for i, same in zip(n.inputs, fixed)]
            return linear.matmul(*factors, **n.attrs)
        places = [_inner_axis(n, k) for k in (0, 1)]
        joined = [_joined(self.stacks.of(x), axis, last) for x, (axis, last) in zip(n.inputs, places)]
        return linear.matmul(*joined, transpose_a=not places[0][1], transpose_b=places[1][1])


def _inner_axis(product: Node, number: int) -> tuple:
    """(the axis of an operand that is summed over, whether it comes last in the operand of the product at once).

    An axis of size 1 may as well come first: nothing need be moved then.
    """
    x, transposed = product.inputs[number], product.attrs.get("transpose_b" if number else "transpose_a", False)
    last = transposed if number else not transposed
    axis = x.rank - 1 if last else x.rank - 2
    return axis, last and x.shape[axis] != 1


def _joined(stack: Node, axis: int, last: bool) -> Node:
    """A stack of matrices as one: the stack's first axis and axis number `axis` of each matrix make one long axis."""
    rank = stack.rank - 1
    lead, other, inner = range(1, rank - 1), 2 * rank - 3 - axis + 1, (0, axis + 1)
    order = (*lead, other, *inner) if last else (*lead, *inner, other)
    turned = view.transpose(stack, perm=order) if order != tuple(range(rank + 1)) else stack
    first = order.index(0)
    shape = turned.shape
    return view.reshape(turned, shape=(*shape[:first], shape[first] * shape[first + 1], *shape[first + 2:]))


def _moves(product: Node) -> Price:
    """What is moved in memory because stacks do not lie as the product at once needs them."""
    total = Price()
    for k, x in enumerate(product.inputs):
        _, last = _inner_axis(product, k)
        if last or x.rank > 2:
            count = elements(x.type.size)
            total += Price(0, count, count * x.dtype.itemsize)
    return total


def _plus(total: Node | None, sign: int, term: Node) -> Node:
    if total is None:
        return term if sign > 0 else pointwise.neg(term)
    return pointwise.add(total, term) if sign > 0 else pointwise.sub(total, term)


def _added(start: Node, total: Node) -> Node:
    return total if constant_value(start) == 0 else pointwise.add(start, total)


SUMS = (("loop", sums_at_once),)
