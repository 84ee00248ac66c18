"""What pointwise records share: constants beside a value, and the common kinds."""
from __future__ import annotations

import numpy as np

from graphcore.ir import graph as ir
from graphcore.ir.graph import Node
from graphcore.ops.record import Pointwise


def literal(value, like: Node) -> Node:
    """A 0-d constant of the dtype of `like`."""
    dtype = like.dtype
    if dtype.name == "bfloat16":
        from graphcore.dtype import float32_to_bfloat16
        return ir.const(float32_to_bfloat16(np.float32(value)).reshape(()), dtype)
    return ir.const(value, dtype)


def zeros_like(x: Node) -> Node:
    """Zeros of the shape and dtype of `x`, as a broadcast constant."""
    from graphcore.ops.view import broadcast_to
    zero = literal(0, x)
    return zero if x.shape == () else broadcast_to(zero, shape=x.shape)


class Binary(Pointwise):
    """Two operands of one dtype."""

    arity = 2


class Predicate(Binary):
    """A comparison: bool result, no gradient."""

    result = "bool"
    accepts = "any"
    cheap = True


class Logical(Binary):
    """On bools, or bit by bit on integers."""

    accepts = "integer or bool"
    cheap = True
