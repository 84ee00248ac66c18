"""Control flow that depends on tensors."""
from __future__ import annotations

from graphcore import nn, ops


class Newton(nn.Cell):
    """The x with x exp(x) = |a| + 0.1, element by element, by Newton's method until no step exceeds 1e-6."""

    def construct(self, a):
        a = ops.abs(a) + 0.1
        x = ops.log(a + 1.0)
        largest = x.max() + 1.0
        while largest > 1e-6:
            e = ops.exp(x)
            step = (x * e - a) / (e * (x + 1.0))
            x = x - step
            largest = ops.abs(step).max()
        return x


class BranchingRnn(nn.Cell):
    """A tanh cell whose state shrinks after a step that leaves it positive in the mean, and is lifted otherwise."""

    def __init__(self):
        super().__init__()
        self.inputs, self.state = nn.Dense(32, 32), nn.Dense(32, 32, has_bias=False)

    def construct(self, x):
        h = x[0] * 0.0
        for row in x:
            h = ops.tanh(self.inputs(row) + self.state(h))
            if h.sum() > 0.0:
                h = h * 0.5
            else:
                h = h + 0.1
        return h
