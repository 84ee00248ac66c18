"""Operators of the graph itself, expanded or erased before anything is fused."""
from __future__ import annotations

import numpy as np

from graphcore.errors import ShapeError
from graphcore.ir.types import TupleType
from graphcore.ops.record import Structural, op


@op
class grad(Structural):
    """The gradients of the sum of `loss` with respect to each further input; a tuple, taken apart by `item`.

    inputs: loss, then (if `sens`) the weight of each element of the loss, then the values to differentiate by.
    """
    def infer(loss, *rest, sens):
        if sens and (not rest or rest[0].shape != loss.shape):
            raise ShapeError(f"sens has shape {rest[0].shape if rest else None}, the output that it weighs "
                             f"{loss.shape}")
        return TupleType(rest[1:] if sens else rest)


@op
class item(Structural):
    """One value of a tuple."""
    arity = 1
    def infer(values, *, index):
        if not isinstance(values, TupleType) or not 0 <= index < len(values.items):
            raise ShapeError(f"there is no item {index} of {values}")
        return values.items[index]


@op
class barrier(Structural):
    """Its input, as a value of its own: what a gradient is taken with respect to."""
    arity = 1
    def infer(x, *, site):
        return x
    def reference(x, *, site):
        return x
    def vjp(g, y, x, *, site):
        return (g,)


@op
class stop_gradient(Structural):
    """Its input; no gradient passes."""
    arity = 1
    def infer(x):
        return x
    def reference(x):
        return np.asarray(x)
    def vjp(g, y, x):
        return (None,)
