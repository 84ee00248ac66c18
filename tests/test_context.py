"""Options of set_context do what they say, or are refused."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Parameter, Tensor, nn, ops
from graphcore.ir.parser import parse_graph


def test_threads_change_nothing_but_the_time():
    from graphcore.compiler.runtime import native
    before = native.threads()
    x = Tensor(np.random.RandomState(0).randn(300, 700).astype(np.float32))
    net = nn.SequentialCell(nn.Dense(700, 257), nn.GELU(), nn.Dense(257, 130))
    results = []
    try:
        for count in (1, 2, 4):
            gc.set_context(runtime_num_threads=count)
            results.append((net(x).asnumpy(), ops.softmax(net(x)).asnumpy()))
    finally:
        native.set_threads(before)
    for other in results[1:]:
        for a, b in zip(results[0], other):
            np.testing.assert_array_equal(a, b)


def test_save_graphs_writes_each_stage_that_changes_something(tmp_path):
    gc.set_context(save_graphs=True, save_graphs_path=str(tmp_path))
    try:
        for width in (3, 4):
            nn.Dense(2, width)(Tensor(np.ones((1, 2), np.float32)))
    finally:
        gc.set_context(save_graphs=False, save_graphs_path=".")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names[0] == "Dense-2_00_capture.gir" and "Dense_00_capture.gir" in names
    for path in tmp_path.iterdir():
        parse_graph(path.read_text())


def test_an_unknown_option_names_the_nearest():
    with pytest.raises(ValueError, match="device_target"):
        gc.set_context(device_targt="CPU")


def test_a_write_on_the_tape_is_seen_by_derived_weights():
    class Scaled(nn.Cell):
        def __init__(self):
            super().__init__()
            self.fc = nn.Dense(3, 3)
            self.calls = Parameter(Tensor(np.zeros(3, np.float32)), requires_grad=False)

        def construct(self, x):
            return self.fc(x) * (self.calls + 1)

    net, x = Scaled(), Tensor(np.ones((2, 3), np.float32))

    def counted(x):
        ops.assign_add(net.calls, 1.0)
        return net.fc(x).sum()

    before = net(x).asnumpy()
    gc.set_context(mode=gc.PYNATIVE_MODE)
    gc.value_and_grad(counted, None, net.trainable_params())(x)
    gc.set_context(mode=gc.GRAPH_MODE)
    np.testing.assert_allclose(net(x).asnumpy(), 2 * before, rtol=1e-6)
