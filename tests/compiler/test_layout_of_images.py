"""Channels last: where the pass is taken, what is left of its transposes, and that results stay the same."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn, ops
from graphcore.inspect import compiled_graph


def count(net, op: str) -> int:
    return sum(n.op == op for n in compiled_graph(net, "final").nodes)


def turned(net) -> list:
    """Shapes of images that are transposed in the final graph."""
    return [n.shape for n in compiled_graph(net, "final").nodes if n.op == "transpose" and n.rank == 4]


def depthwise(channels, kernel=3, stride=1):
    return nn.Conv2d(channels, channels, kernel, stride, group=channels, has_bias=True, bias_init="normal",
                     weight_init="normal")


def pointwise(inputs, outputs, stride=1):
    return nn.Conv2d(inputs, outputs, 1, stride, has_bias=True, weight_init="normal")


class Squeeze(nn.Cell):
    """The gate of squeeze and excitation."""

    def __init__(self, channels):
        super().__init__()
        self.down, self.up, self.act = pointwise(channels, 4), pointwise(4, channels), nn.ReLU()

    def construct(self, x):
        return x * ops.sigmoid(self.up(self.act(self.down(ops.mean(x, (2, 3), True)))))


class Block(nn.Cell):
    """An inverted residual with a gate."""

    def __init__(self, inputs, wide, outputs, stride=1):
        super().__init__()
        self.same = stride == 1 and inputs == outputs
        self.body = nn.SequentialCell(
            pointwise(inputs, wide), nn.BatchNorm2d(wide), nn.HSwish(), depthwise(wide, 5, stride),
            nn.BatchNorm2d(wide), nn.ReLU6(), Squeeze(wide), pointwise(wide, outputs), nn.BatchNorm2d(outputs))

    def construct(self, x):
        y = self.body(x)
        return x + y if self.same else y


class Split(nn.Cell):
    """Half of the channels go on as they are, and a padded copy is added to the others."""

    def construct(self, x):
        a, b = x[:, :6], x[:, 6:]
        return ops.cat((b, ops.pad(a, (1, 0, 0, 1))[:, :, 1:, :-1] + a), 1)


class Head(nn.Cell):
    def __init__(self, channels):
        super().__init__()
        self.dense = nn.Dense(channels, 5)

    def construct(self, x):
        return self.dense(ops.mean(x, (2, 3)))


def mobile():
    return nn.SequentialCell(
        nn.Conv2d(3, 8, 3, 2, weight_init="normal"), nn.BatchNorm2d(8), nn.ReLU6(), Block(8, 24, 12), Split(),
        Block(12, 32, 12), pointwise(12, 20, 2), Block(20, 33, 20, 2), Head(20))


def images(*shape):
    return Tensor(np.random.default_rng(3).standard_normal(shape).astype(np.float32))


def both(net, x) -> None:
    """The graph's result is the operators' own."""
    net.set_train(False)
    got = net(x).asnumpy()
    gc.set_context(mode=gc.PYNATIVE_MODE)
    try:
        want = net(x).asnumpy()
    finally:
        gc.set_context(mode=gc.GRAPH_MODE)
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5 * np.abs(want).max())


@pytest.mark.parametrize("shape", [(1, 3, 33, 21), (2, 3, 16, 16)])
def test_mobile_net_is_turned_nowhere(shape):
    gc.set_seed(2)
    net = mobile()
    both(net, images(*shape))
    assert count(net, "depthwise_channels_last") == 3 and count(net, "pixel_patches") == 1
    assert count(net, "conv2d") == 0 and turned(net) == []


def test_batch_norm_and_updates_keep_training_as_it_is():
    gc.set_seed(2)
    net = mobile()
    net.set_train(True)
    loss = gc.value_and_grad(lambda x: ops.sum(net(x) ** 2), None, net.trainable_params())
    value, gradients = loss(images(2, 3, 16, 16))
    assert np.isfinite(float(value)) and all(np.isfinite(g.asnumpy()).all() for g in gradients)
    graph = compiled_graph(loss, "final")
    assert not any(n.op == "depthwise_channels_last" for n in graph.nodes)


def test_nets_of_other_convolutions_keep_their_layout():
    gc.set_seed(2)
    net = nn.SequentialCell(nn.Conv2d(16, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), depthwise(32), nn.Conv2d(32, 8, 3))
    both(net, images(1, 16, 9, 9))
    assert count(net, "depthwise_channels_last") == 0 and count(net, "conv2d") == 4


def test_a_result_that_is_an_image_is_turned_once():
    gc.set_seed(2)
    net = nn.SequentialCell(pointwise(4, 16), depthwise(16), nn.ReLU(), pointwise(16, 4))
    both(net, images(1, 4, 7, 9))
    assert turned(net) == [(1, 7, 9, 4), (1, 4, 7, 9)]
