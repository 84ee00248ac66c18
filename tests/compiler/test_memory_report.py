"""The plan says how much memory is in use at once, when, and by what."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn, ops
from graphcore import dtype as dt
from graphcore.compiler.launch import Buffer
from graphcore.compiler.memory import Lifetime, MemoryPlan
from graphcore.compiler.memory_report import peak
from graphcore.inspect import NotCompiledError, compilation, memory_report, memory_text

A, B, C, D = (Buffer(name, dt.float32, 16) for name in "abcd")


def plan(shared=None, **lifetimes) -> MemoryPlan:
    found = {buffer: Lifetime(*lifetimes[buffer.name], 64) for buffer in (A, B, C, D) if buffer.name in lifetimes}
    return MemoryPlan({}, found, shared or {}, 0)


def test_the_step_with_the_most():
    at, blocks = peak(plan(a=(0, 3), b=(1, 2), c=(2, 5), d=(4, 6)))
    assert (at, {buffer.name for buffer, _ in blocks}) == (2, {"a", "b", "c"})
    assert peak(plan(a=(0, 1), b=(2, 3)))[0] == 0
    assert peak(plan()) == (0, [])


def test_buffers_that_share_memory_count_once():
    at, blocks = peak(plan({B: A}, a=(0, 2), b=(2, 4), c=(2, 3)))
    assert (at, [buffer.name for buffer, _ in blocks]) == (2, ["a", "c"])


def test_of_a_training_step():
    net = nn.SequentialCell(nn.Dense(256, 512), nn.ReLU(), nn.Dense(512, 256))
    step = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), nn.SGD(net.trainable_params())).set_train()
    x = Tensor(np.ones((1024, 256), np.float32))
    with pytest.raises(NotCompiledError):
        memory_text(step)
    step(x, x)
    report = memory_report(compilation(gc.compiled_graph(step)))
    weights = 4 * (2 * 256 * 512 + 512 + 256)
    assert weights < report.parameters < weights + 64           # learning rate, counter of steps
    assert 1024 * 512 * 4 <= report.peak <= report.arena < 16 << 20
    assert report.peak == sum(size for _, _, size in report.held) and 0 < report.at <= report.steps
    first, *rest = memory_text(step).splitlines()
    assert first.startswith(f"arena {report.arena / 2 ** 20:.1f} MiB") and len(rest) == len(report.held)


def test_of_unknown_sizes():
    @gc.jit
    def f(x):
        return ops.softmax(x, 0)
    f(Tensor(np.ones((5, 3), np.float32)))
    assert "MiB" in memory_text(f)
