"""Cells that give a function's value with its derivative along a direction, or with weighed gradients."""
from __future__ import annotations

from graphcore.nn.cell import Cell

__all__ = ["Jvp", "Vjp"]


class Jvp(Cell):
    """``Jvp(fn)(*inputs, v)``: (fn(*inputs), its derivative in the direction `v`: a Tensor, or a tuple for several)."""

    def __init__(self, fn):
        super().__init__()
        self.fn = fn

    def construct(self, *args):
        from graphcore.capture.transforms import jvp
        *inputs, v = args
        return jvp(self.fn, tuple(inputs), v if isinstance(v, tuple) else (v,))


class Vjp(Cell):
    """``Vjp(fn)(*inputs, v)``: (fn(*inputs), the gradients of the inputs for outputs weighed by `v`).

    v: a Tensor, or a tuple for several outputs.  The gradient of one input is no tuple.
    """

    def __init__(self, fn):
        super().__init__()
        self.fn = fn

    def construct(self, *args):
        from graphcore.capture.transforms import vjp
        *inputs, v = args
        outputs, pull = vjp(self.fn, *inputs)
        gradients = pull(*(v if isinstance(v, tuple) else (v,)))
        return outputs, gradients[0] if len(inputs) == 1 else gradients
