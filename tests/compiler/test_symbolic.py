"""Symbolic sizes: one graph for all batch sizes, and bounds that are checked when the sizes are known."""
from __future__ import annotations

import numpy as np
import pytest

from graphcore import Tensor, nn, ops
from graphcore import dtype as dt
from graphcore.errors import ShapeError


class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, pad_mode="same")
        self.flatten = nn.Flatten()
        self.fc = nn.Dense(4 * 6 * 6, 3)

    def construct(self, x):
        return ops.softmax(self.fc(self.flatten(ops.relu(self.conv(x)))))


def test_one_capture_serves_all_batch_sizes():
    net = Net()
    fixed = Net()
    for name, parameter in fixed.parameters_dict().items():
        parameter.set_data(net.parameters_dict()[name])
    net.set_inputs(Tensor(shape=[None, 1, 6, 6], dtype=dt.float32))
    for size in (2, 5, 33):
        x = Tensor(np.random.RandomState(size).randn(size, 1, 6, 6).astype(np.float32))
        np.testing.assert_allclose(net(x).asnumpy(), fixed(x).asnumpy(), rtol=1e-5, atol=1e-6)
    assert net._compiled.programs == 1
    assert "f32[N,1,6,6]" in str(net._compiled.last_program.graph.inputs[0].type)


def test_what_contradicts_the_declaration_is_refused():
    net = Net()
    net.set_inputs(Tensor(shape=[None, 1, 6, 6], dtype=dt.float32))
    with pytest.raises(ShapeError, match="input 0"):
        net(Tensor(np.zeros((2, 1, 7, 6), np.float32)))


def test_a_slice_beyond_a_table_is_refused_when_the_size_is_known():
    class Lookup(nn.Cell):
        def __init__(self):
            super().__init__()
            self.table = Tensor(np.arange(8, dtype=np.float32))

        def construct(self, x):
            return x + self.table[:x.shape[0]]

    net = Lookup()
    net.set_inputs(Tensor(shape=[None], dtype=dt.float32))
    np.testing.assert_array_equal(net(Tensor(np.zeros(5, np.float32))).asnumpy(), np.arange(5))
    with pytest.raises(ShapeError, match="axis of size 8"):
        net(Tensor(np.zeros(9, np.float32)))
