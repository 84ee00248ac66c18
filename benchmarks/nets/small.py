"""Dense networks, and elementwise work without any weights."""
from __future__ import annotations

from benchmarks.workloads import FUSED_SCALE
from graphcore import nn, ops


class Mlp(nn.Cell):
    """784-512-512-10 with relu."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.fc3 = nn.Dense(784, 512), nn.Dense(512, 512), nn.Dense(512, 10)

    def construct(self, x):
        return self.fc3(ops.relu(self.fc2(ops.relu(self.fc1(x)))))


class Tiny(nn.Cell):
    """16-32-1 with tanh."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Dense(16, 32), nn.Dense(32, 1)

    def construct(self, x):
        return self.fc2(ops.tanh(self.fc1(x)))


class Fused(nn.Cell):
    """gelu_tanh(x * 1.5 + b) * sigmoid(c) + tanh(d), element by element."""

    def construct(self, x, b, c, d):
        return ops.gelu(x * FUSED_SCALE + b, approximate="tanh") * ops.sigmoid(c) + ops.tanh(d)
