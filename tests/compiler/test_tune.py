"""Tuning: what there is to choose, that what is faster is kept and found again, and that nothing else changes."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn, ops
from graphcore.compiler import choices, program, tune
from graphcore.inspect import NotCompiledError, compiled_graph


class Net(nn.Cell):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(16, 16, 3, weight_init="normal")
        self.wide = nn.Conv2d(16, 16, 3, group=16, weight_init="normal")
        self.narrow = nn.Conv2d(16, 8, 1, weight_init="normal")
        self.dense = nn.Dense(8 * 12 * 12, 40, weight_init="normal")

    def construct(self, x):
        x = self.narrow(self.wide(ops.relu(self.conv(x))))
        return self.dense(x.reshape(x.shape[0], -1))


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """What these tests keep serves no other test."""
    monkeypatch.setenv("GRAPHCORE_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(program, "_shared", {})
    gc.set_seed(4)


@pytest.fixture
def x():
    return Tensor(np.random.default_rng(0).standard_normal((8, 16, 12, 12)).astype(np.float32))


@pytest.fixture
def faster(monkeypatch):
    """Make these options seem twice as fast as others, others twice as slow."""
    def make(*options):
        def ratio(_program, best, other, _arrays):
            added = {point: option for point, option in other.taken.items() if best.taken.get(point) != option}
            return 0.5 if set(added.values()) <= set(options) else 2.0
        monkeypatch.setattr(tune, "_ratio", ratio)
    return make


def points(trials) -> set:
    return {trial.point.rsplit(" ", 1)[0] if "product" in trial.point else trial.point for trial in trials}


def test_every_kind_of_decision_is_tried(x, faster):
    net = Net()
    net(x)
    faster()
    trials = gc.tune(net, x)
    assert points(trials) == {"layout of images", "convolution 8x16x12x12 to 16 channels", "blocks of product"}
    assert not any(t.kept for t in trials) and {t.ratio for t in trials} == {2.0}


def test_what_is_faster_is_kept_and_found_again(x, faster):
    net = Net()
    before = net(x).asnumpy()
    usual = compiled_graph(net, "final")
    faster("channels last", "high", "plain sum")
    kept = [t for t in gc.tune(net, x) if t.kept]
    assert {t.option for t in kept} == {"channels last", "high", "plain sum"}
    taken = net._compiled.last_program.shared.taken
    assert set(taken.values()) == {"channels last", "high", "plain sum"}
    np.testing.assert_allclose(net(x).asnumpy(), before, rtol=2e-4, atol=2e-4)
    program._shared.clear()                                     # as another process would begin
    again = program.shared_program(net._compiled.last_program.graph)
    assert again.taken == taken
    with choices.Choices(taken).applied():
        assert compiled_graph(net, "final") != usual


def test_what_is_measured_is_the_program(x):
    net = Net()
    net(x)
    trials = gc.tune(net, x, seconds=300)
    assert all(0.05 < t.ratio < 20 for t in trials) and len(trials) > 5
    assert all(t.kept == (t.ratio < tune.KEEP_BELOW) for t in trials)


def test_parameters_have_their_values_back(x):
    net = Net()
    optimizer = nn.Momentum(net.trainable_params(), 0.1, 0.9)
    step = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), optimizer)
    y = Tensor(np.ones((8, 40), np.float32))
    step(x, y)
    values = {p.name: p.asnumpy().copy() for p in step.get_parameters()}
    assert gc.tune(step, x, y, seconds=10)
    for p in step.get_parameters():
        np.testing.assert_array_equal(p.asnumpy(), values[p.name], err_msg=p.name)
    assert float(step(x, y)) < 100 and net.dense.weight.asnumpy().std() > 0


def test_no_time_tries_nothing(x):
    net = Net()
    net(x)
    assert gc.tune(net, x, seconds=0) == []


def test_errors(x):
    net = Net()
    with pytest.raises(NotCompiledError, match="call it once in GRAPH_MODE"):
        gc.tune(net, x)

    @gc.jit
    def prints(x):
        print("sum", ops.sum(x))
        return x + 1

    prints(x)
    with pytest.raises(ValueError, match="calls Python while it runs"):
        gc.tune(prints, x)


def test_an_unknown_choice_counts_for_nothing():
    with choices.Choices({"layout of images": "upside down"}).applied():
        assert choices.take("layout", "of images", ("as written", "channels last")) == "as written"
