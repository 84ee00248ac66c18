"""`Cell.recompute` and `recompute`: the same results with less memory."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn, ops
from graphcore.capture.compiled import CompiledFunction
from graphcore.compiler.pipeline import optimize
from graphcore.compiler.plan import compile_plan
from graphcore.compiler.toolchain.cpu import host
from tests.gradients.support import plain


class Block(nn.Cell):
    def __init__(self, width):
        super().__init__()
        self.dense = nn.Dense(width, width, weight_init="normal")
        self.norm = nn.BatchNorm1d(width)
        self.drop = nn.Dropout(p=0.3)

    def construct(self, x):
        y = ops.sin(self.norm(self.dense(x)))
        if y.sum() > 1e6:
            y = y * 0
        return x + self.drop(ops.tanh(y) * ops.sigmoid(y))


class Deep(nn.Cell):
    def __init__(self, depth, width, recompute):
        super().__init__()
        gc.set_seed(3)
        self.blocks = nn.CellList([Block(width) for _ in range(depth)])
        if recompute:
            for block in self.blocks:
                block.recompute(parallel_optimizer_comm_recompute=True)

    def construct(self, x):
        for block in self.blocks:
            x = block(x)
        return (x * x).mean()


def steps(net, x):
    """Losses, gradients and running statistics of two steps."""
    gc.set_seed(5)
    net.set_train()
    gradient = gc.value_and_grad(net, 0, net.trainable_params())
    found = [gradient(x) for _ in range(2)]
    statistics = [p.value() for p in net.get_parameters() if "moving" in p.name]
    leaves = [t for loss, (by_x, by_w) in found for t in (loss, by_x, *by_w)] + statistics
    return [t.asnumpy() for t in leaves]


@pytest.mark.parametrize("native", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_results_are_the_same(native, monkeypatch):
    if not native:
        monkeypatch.setenv("GRAPHCORE_INTERPRET", "1")
    x = Tensor(np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32))
    kept, again = steps(Deep(1, 4, False), x), steps(Deep(1, 4, True), x)
    assert len(kept) == len(again)
    for a, b in zip(kept, again):
        np.testing.assert_allclose(b, a, rtol=2e-5, atol=1e-6)


def test_memory_is_less():
    def arena(recompute):
        net = Deep(8, 64, recompute).set_train()
        gradient = gc.value_and_grad(net, 0, net.trainable_params())
        graph = CompiledFunction(gradient.traced, "step").capture((ops.ones((256, 64), gc.float32),), {}).graph
        return compile_plan(optimize(graph), host(), {}).program.arena_bytes

    assert arena(True) < 0.5 * arena(False)


def test_switched_on_after_a_first_call(mode):
    net = nn.SequentialCell(nn.Dense(2, 2, weight_init="ones"), nn.Tanh())
    gradient = gc.grad(net, 0, net.trainable_params())
    x = Tensor([[0.1, 0.2]])
    before = plain(gradient(x))
    assert net.recompute() is None
    np.testing.assert_allclose(plain(gradient(x))[0], before[0], rtol=1e-6)
    with pytest.raises(TypeError, match="recompute.. has no option 'mode'"):
        net.recompute(mode=True)


def test_recompute_of_a_function(mode):
    def f(x, k):
        return gc.recompute(lambda v, factor: ops.exp(ops.sin(v)) * factor, x, factor=k).sum()
    x = Tensor([0.3, 0.6])
    expected = np.cos([0.3, 0.6]) * np.exp(np.sin([0.3, 0.6])) * 2
    np.testing.assert_allclose(gc.grad(f)(x, 2.0).asnumpy(), expected, rtol=1e-6)
    with pytest.raises(TypeError, match="takes a Cell or a function"):
        gc.recompute(3)
