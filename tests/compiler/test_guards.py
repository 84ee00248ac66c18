"""When a program is used again: constants by value, objects by identity, attributes as they were read."""
import numpy as np

import graphcore as gc
from graphcore import Tensor, nn


class Config:
    def __init__(self, scale):
        self.scale = scale


def ones():
    return Tensor(np.ones(3, np.float32))


def test_an_object_argument_is_never_taken_for_a_dead_one():
    @gc.jit
    def scaled(x, config):
        return x * config.scale

    for scale in range(1, 30):          # each Config dies before the next, which may get its address
        assert scaled(ones(), Config(float(scale))).asnumpy()[0] == scale


def test_attributes_that_a_capture_read_are_guarded():
    class Net(nn.Cell):
        def __init__(self):
            super().__init__()
            self.alpha, self.sizes, self.unread = 2.0, [1, 2], 0

        def construct(self, x):
            return x * self.alpha + len(self.sizes)

    net = Net()
    assert net(ones()).asnumpy()[0] == 4
    net.alpha = 3.0
    assert net(ones()).asnumpy()[0] == 5
    net.sizes = [1, 2, 3]
    assert net(ones()).asnumpy()[0] == 6
    before = net._compiled.last_program
    net.unread += 1
    assert net(ones()).asnumpy()[0] == 6 and net._compiled.last_program is before


def test_a_replaced_parameter_and_a_replaced_cell_are_seen():
    net = nn.SequentialCell(nn.Dense(3, 1, has_bias=False))
    net[0].weight = gc.Parameter(Tensor(np.full((1, 3), 2, np.float32)))
    assert net(Tensor(np.ones((1, 3), np.float32))).asnumpy().item() == 6
    net[0].weight = gc.Parameter(Tensor(np.full((1, 3), 5, np.float32)))
    assert net(Tensor(np.ones((1, 3), np.float32))).asnumpy().item() == 15
    net[0] = nn.ReLU()
    assert net(Tensor(np.ones((1, 3), np.float32))).shape == (1, 3)
