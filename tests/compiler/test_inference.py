"""Inference: BatchNorm folded into convolutions, and weights derived from Parameters that are never stale."""
from __future__ import annotations

import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn, ops
from graphcore.inspect import compiled_graph


class ConvNorm(nn.Cell):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, pad_mode="same", has_bias=True)
        self.norm = nn.BatchNorm2d(8)

    def construct(self, x):
        return ops.relu(self.norm(self.conv(x)))


def randomize(net, seed):
    random = np.random.RandomState(seed)
    for name, parameter in net.parameters_dict().items():
        value = random.uniform(0.5, 1.5, parameter.shape) if "norm" in name else random.randn(*parameter.shape) * 0.2
        parameter.set_data(Tensor(value.astype(np.float32)))


def eager(net, x):
    gc.set_context(mode=gc.PYNATIVE_MODE)
    try:
        return net(x).asnumpy()
    finally:
        gc.set_context(mode=gc.GRAPH_MODE)


@pytest.fixture
def net():
    made = ConvNorm()
    made.set_train(False)
    randomize(made, 0)
    return made


@pytest.fixture
def x():
    return Tensor(np.random.RandomState(9).randn(2, 3, 10, 10).astype(np.float32))


def same(net, x):
    np.testing.assert_allclose(net(x).asnumpy(), eager(net, x), rtol=1e-4, atol=1e-5)


def test_batch_norm_becomes_part_of_the_convolution(net, x):
    same(net, x)
    program = net._compiled.last_program
    assert program.launches == 1                        # the convolution with its epilogue: all else is the prologue's
    assert [n.op for n in compiled_graph(net, "final").nodes if n.op == "conv2d"] == ["conv2d"]


def test_folded_weights_follow_set_data(net, x):
    same(net, x)
    net.norm.gamma.set_data(Tensor(np.full(8, 3, np.float32)))
    same(net, x)
    net.conv.weight.set_data(net.conv.weight * 2)
    same(net, x)


def test_folded_weights_follow_load_param_into_net(net, x):
    same(net, x)
    other = ConvNorm()
    randomize(other, 5)
    not_loaded, not_used = gc.load_param_into_net(net, other.parameters_dict())
    assert not not_loaded and not not_used
    same(net, x)
    np.testing.assert_allclose(net(x).asnumpy(), eager(other.set_train(False), x), rtol=1e-4, atol=1e-5)


def test_folded_weights_follow_a_write_through_asnumpy(net, x):
    same(net, x)
    values = net.norm.moving_variance.asnumpy()
    same(net, x)
    values *= 4
    same(net, x)


def test_derived_weights_are_kept_while_nothing_changes(net, x):
    net(x)
    bound = net._compiled.last_program._static
    seen = bound.epoch
    net(x)
    assert bound.epoch == seen and not bound.escaped


def test_training_is_not_folded(net, x):
    net.set_train(True)
    net(x)
    names = [name for name, _ in net._compiled.last_program.graph.updates]
    assert names == ["norm.moving_mean", "norm.moving_variance"]
