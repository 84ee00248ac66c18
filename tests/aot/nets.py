"""Nets that are compiled ahead of time in these tests, with an input each."""
from __future__ import annotations

from functools import cache

import numpy as np

import graphcore as gc
from graphcore import Tensor, nn, ops

RANDOM = np.random.default_rng(0)


class LeNet(nn.Cell):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, 5, pad_mode="valid", weight_init="normal")
        self.conv2 = nn.Conv2d(6, 16, 5, pad_mode="valid", weight_init="normal")
        self.norm, self.pool, self.flatten = nn.BatchNorm2d(6), nn.MaxPool2d(2, 2), nn.Flatten()
        self.fc1, self.fc2, self.fc3 = nn.Dense(256, 120), nn.Dense(120, 84), nn.Dense(84, 10)
        self.dropout = nn.Dropout(p=0.5)

    def construct(self, x):
        x = self.pool(ops.relu(self.norm(self.conv1(x))))
        x = self.flatten(self.pool(ops.relu(self.conv2(x))))
        return ops.softmax(self.fc3(self.dropout(ops.relu(self.fc2(ops.relu(self.fc1(x)))))))


class Recurrent(nn.Cell):
    """Several outputs, nested, of a loop over time."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(5, 7, batch_first=True)

    def construct(self, x):
        y, (h, c) = self.lstm(x)
        return y, [h, ops.reduce_mean(c)]


class Counting(nn.Cell):
    """A loop whose length is data, and a branch."""

    def construct(self, x, limit):
        steps = Tensor(0, gc.int32)
        while steps < limit:
            x = x * 0.5 + 1.0
            steps = steps + 1
        if ops.reduce_sum(x) > 0.0:
            y = x
        else:
            y = -x
        return y, steps


class Kinds(nn.Cell):
    """Other dtypes than float32, an embedding, and a constant."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(11, 4)
        self.shift = Tensor(RANDOM.standard_normal((3, 4)).astype(np.float32))

    def construct(self, ids, mask, half):
        found = self.table(ids) + self.shift
        return ops.logical_and(found > 0.0, mask), ids * 2, half * ops.cast(2.0, gc.float16)


def floats(*shape) -> Tensor:
    return Tensor(RANDOM.standard_normal(shape).astype(np.float32))


NETS = {
    "lenet": (LeNet, (floats(3, 1, 28, 28),)),
    "recurrent": (Recurrent, (floats(2, 6, 5),)),
    "counting": (Counting, (floats(3, 4), Tensor(7, gc.int32))),
    "kinds": (Kinds, (Tensor(np.arange(6).reshape(2, 3).astype(np.int32)), Tensor(RANDOM.random((2, 3, 4)) > 0.5),
                      Tensor(RANDOM.random(5).astype(np.float16)))),
}


def leaves(value) -> list:
    """The Tensors of a nest, in order."""
    return [t for part in value for t in leaves(part)] if isinstance(value, (tuple, list)) else [value]


@cache
def made(name: str):
    """(net, inputs) of `NETS`, with weights that stay the same."""
    gc.set_seed(1)
    net, inputs = NETS[name]
    return net().set_train(False), inputs
