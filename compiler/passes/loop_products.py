"""Products that no iteration of a loop has to wait for are made at once, before it; see `regions`.

What a recurrent net makes of its inputs, x_i w, does not depend on its states: all steps together it is one large
product instead of many small ones, and so are its gradients.
"""
from __future__ import annotations

from dataclasses import replace

from graphcore.compiler.passes.loops import LoopDraft
from graphcore.compiler.passes.regions import Successor, succeeded_by
from graphcore.compiler.passes.stacking import Price, Stacks, elements
from graphcore.ir import graph as ir
from graphcore.ir.graph import Node
from graphcore.ops import linear

_SHORT = 8      # products of fewer terms to an element are as cheap to make as to read


def products_at_once(region: Node, used: tuple) -> Successor | None:
    """x_i w in each iteration i, with x_i of a stack and w fixed -> the element of a stack of products"""
    draft = LoopDraft.of(region)
    if draft.parts.length is None or not draft.stacks:
        return None
    stacks, price, found = Stacks(draft), Price(), {}
    for n in ir.walk(draft.roots):
        if _can_be_joined(n, stacks):
            grown = price + Price(n.type.size, 0, elements(n.type.size) * n.dtype.itemsize)
            if stacks.is_reasonable(grown):
                price = grown
                found[n] = linear.matmul(stacks.of(n.inputs[0]), stacks.outside(n.inputs[1]), **n.attrs)
    if not found:
        return None
    new = replace(draft, stacks={**draft.stacks, **found}).make()
    return succeeded_by(new, {k: k for k in used})


def _can_be_joined(n: Node, stacks: Stacks) -> bool:
    if n.op != "matmul" or n.attrs.get("transpose_a") or n.inputs[1].rank != 2 or n.inputs[1] not in stacks.invariant:
        return False
    return stacks.is_taken(n.inputs[0]) and elements(n.inputs[0].shape[-1]) >= _SHORT


PRODUCTS = (("loop", products_at_once),)
