"""Sums, products and what is made of them."""
from __future__ import annotations

from graphcore import ops

__all__ = ["tensordot"]


def tensordot(a, b, axes=2):
    """The sum of products over the last `axes` axes of `a` and the first of `b`, or over a pair of lists of axes."""
    return ops.tensor_dot(a, b, axes)
