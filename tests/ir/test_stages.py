"""Texts and results of every stage: a few random programs and nets here, thousands by ``python -m tests.ir.stages``."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, compiler, nn, ops
from tests.fuzz.check import check
from tests.fuzz.generator import program
from tests.ir.stages import checking, close


@pytest.fixture
def checked(monkeypatch):
    """All that is compiled is checked; what was, is counted."""
    compiled = []

    def compile(graph, parameters, callbacks=()):
        compiled.append(graph)
        return plain(graph, parameters, callbacks)
    plain = checking(compiler.compile)
    monkeypatch.setenv("GRAPHCORE_INTERPRET", "1")
    monkeypatch.setattr(compiler, "compile", compile)
    return compiled


@pytest.mark.parametrize("seed", [11, 42, 57, *(pytest.param(s, marks=pytest.mark.slow) for s in range(200, 260))])
def test_random_programs(checked, seed):
    assert not check(program(seed).source, f"stages_{seed}").findings and checked


def test_nets(checked):
    conv = nn.SequentialCell(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2, 2), nn.Flatten(),
                             nn.Dropout(p=0.3), nn.Dense(64, 5))
    step = nn.TrainOneStepCell(nn.WithLossCell(conv, nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")),
                               nn.Adam(conv.trainable_params())).set_train()
    x = Tensor(np.random.default_rng(0).standard_normal((3, 1, 8, 8)).astype(np.float32))
    step(x, Tensor(np.array([1, 0, 4], np.int32)))
    conv.set_train(False)
    conv(x)
    lstm = nn.LSTM(4, 6)
    h = Tensor(np.zeros((1, 2, 6), np.float32))
    gc.value_and_grad(lambda x: ops.reduce_sum(lstm(x, (h, h))[0] ** 2), None, lstm.trainable_params())(
        Tensor(np.ones((5, 2, 4), np.float32)))
    attention = nn.TransformerEncoderLayer(8, 2, 16)
    attention.set_train(False)
    attention(Tensor(np.ones((3, 2, 8), np.float32)))
    assert len(checked) == 4 and {n.op for g in checked for n in g.nodes} >= {"grad", "conv2d", "random_uniform"}


def test_differences_are_found():
    a, f32 = np.array([1.0, np.nan, 3.0], np.float32), gc.float32
    assert close(a, a + np.float32(1e-5), f32, 1e-3) and not close(a, a + np.float32(0.1), f32, 1e-3)
    assert not close(np.array([1, 2]), np.array([1, 3]), gc.int64, 1e-3)
