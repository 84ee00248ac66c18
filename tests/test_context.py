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


@pytest.mark.parametrize("level, by_environment", [(1, False), (True, False), (3, True)])
def test_save_graphs_writes_files_under_mindspores_names(tmp_path, monkeypatch, level, by_environment):
    if by_environment:
        monkeypatch.setenv("MS_DEV_SAVE_GRAPHS", str(level))
        monkeypatch.setenv("MS_DEV_SAVE_GRAPHS_PATH", str(tmp_path))
    else:
        gc.set_context(save_graphs=level, save_graphs_path=str(tmp_path))
    try:
        for width in (3, 4):
            nn.Dense(2, width)(Tensor(np.ones((1, 2), np.float32)))
    finally:
        gc.set_context(save_graphs=False, save_graphs_path=".")
    names = [p.relative_to(tmp_path).as_posix() for p in sorted(tmp_path.rglob("*.ir"), key=lambda p: p.name[-7:])]
    first = ["01_type_inference_0000.ir", "13_optimize_0001.ir", "24_execute_0002.ir", "graph_build_0_0003.ir"]
    passes = ["verbose_ir_files/opt_pass_1_canonical_0004.ir"] * (level is True or level == 3)
    assert names[:4 + len(passes)] == first + passes and len(names) == 2 * (4 + len(passes))
    graphs = [parse_graph((tmp_path / name).read_text()) for name in names if "graph_build" not in name]
    assert graphs[0].outputs[0].shape == (1, 3) and graphs[-1].outputs[0].shape == (1, 4)
    assert "def matmul" in (tmp_path / "graph_build_0_0003.ir").read_text()
    assert len(list(tmp_path.rglob("*.dot"))) == (len(graphs) if level == 3 else 0)


def test_nothing_is_saved_unless_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("MS_DEV_SAVE_GRAPHS", "0")
    monkeypatch.chdir(tmp_path)
    nn.Dense(2, 5)(Tensor(np.ones((1, 2), np.float32)))
    assert not list(tmp_path.iterdir())


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
