"""MindCV's models, imported unmodified: names of Parameters and outputs as MindSpore 2.10 has them.

One small variant of each family: the names of all, outputs by NumPy (PYNATIVE_MODE) of the lighter ones, compiled for
the lightest; all of them are compiled with ``-m slow``.
The whole table is run by hand: ``python -m tests.compat.mindcv --all --report``.
"""
import importlib.util

import numpy as np
import pytest

from graphcore.cli import mindspore_hook
from graphcore.inspect import compiled_graph
from tests.compat.mindcv import campaign, exact, report
from tests.compat.mindcv.families import smallest_of_each
from tests.compat.mindcv.inputs import names_checksum
from tests.compat.mindcv.one import check, recorded, recorded_steps

pytestmark = pytest.mark.skipif(importlib.util.find_spec("mindcv") is None,
                                reason="MindCV is not installed: pip install mindcv==0.3.0")

RECORDS = recorded()
SMALL = smallest_of_each(RECORDS, RECORDS)
QUICK = [name for name in SMALL if RECORDS[name]["size"] <= 96 and RECORDS[name]["parameters"] < 7e6]
COMPILED = ["mobilenet_v1_025", "squeezenet1_1"]


@pytest.fixture
def mindspore():
    """``import mindspore`` gives graphcore."""
    mindspore_hook.install()
    yield
    mindspore_hook.uninstall()


def _as_recorded(result: dict) -> None:
    assert "failed" not in result, result["failed"]
    assert result["names"], f"{result['model']}: the Parameters' names or shapes are not MindSpore's"
    assert result["matches"], f"{result['model']}: {result['error']} of the norm away from MindSpore's outputs"


@pytest.mark.parametrize("name", SMALL)
def test_names(name, mindspore):
    from mindcv.models import create_model
    net = create_model(name, num_classes=10)
    assert names_checksum(list(net.get_parameters())) == RECORDS[name]["names_crc"]


@pytest.mark.parametrize("name", QUICK)
def test_one_of_each_family(name, mindspore):
    _as_recorded(check(name, RECORDS[name], "pynative"))


@pytest.mark.parametrize("name", COMPILED)
def test_compiled(name, mindspore):
    _as_recorded(check(name, RECORDS[name]))


@pytest.mark.slow
@pytest.mark.parametrize("name", list(recorded_steps()))
def test_training_step(name):
    result = campaign.run_one(name, "train", seconds=600, gigabytes=16)
    assert "failed" not in result, result["failed"]
    assert report.verdict(result) != "misses", f"the step is {result['error']} away from MindSpore's: {result}"


@pytest.mark.slow
def test_no_farther_from_the_outputs_without_rounding_than_mindspore():
    result = campaign.run_one("visformer_tiny_v2", "exact", seconds=600, gigabytes=16)
    assert "failed" not in result, result["failed"]
    assert result["matches"], result


def test_a_graph_in_float64_rounds_as_float64_does(mindspore):
    import mindspore as ms
    ms.set_context(mode=ms.GRAPH_MODE)
    net = ms.nn.SequentialCell(ms.nn.Dense(20, 30), ms.nn.Softmax())
    x = np.random.default_rng(0).standard_normal((4, 20)).astype(np.float32)
    y = net(ms.Tensor(x)).asnumpy()
    graph, weights = compiled_graph(net), {p.name: p.asnumpy() for p in net.get_parameters()}
    leaves = {n: weights[n.name] for n in graph.nodes if n.op == "param"} | {graph.inputs[0]: x}
    found, = exact.in_float64(graph, leaves)
    sums = np.exp(x.astype(np.float64) @ weights["0.weight"].T.astype(np.float64) + weights["0.bias"])
    assert np.abs(found - sums / sums.sum(-1, keepdims=True)).max() < 1e-15
    assert 0 < np.abs(found - y).max() < 1e-6


@pytest.mark.parametrize("chooses", ["relu", "max"])
def test_a_gradient_in_float64_on_the_sides_of_another(chooses, mindspore):
    import mindspore as ms
    ms.set_context(mode=ms.GRAPH_MODE)
    cell = ms.nn.ReLU() if chooses == "relu" else ms.nn.MaxPool2d(2, 2)
    x = np.array([[[[1, 3], [2, 4]]]], np.float32)
    w = ms.Parameter(np.float32(1), name="w")
    gradient = ms.value_and_grad(lambda a: cell(a * w).sum(), None, [w])
    gradient(ms.Tensor(x))
    graph = compiled_graph(gradient, "grad")
    leaves = {n: w.asnumpy() for n in graph.nodes if n.op == "param"} | {graph.inputs[0]: x}

    def seen(choices):
        kinks = exact.Kinks(choices)
        return exact.in_float64(graph, leaves, kinks)[1], kinks.flipped, kinks.units

    _, choices = exact.with_choices(graph, {"w": w}, [x])
    without = 10 if chooses == "relu" else 4            # the sum of the units that are let through
    assert seen(choices) == (without, 0, 4 if chooses == "relu" else 1)
    moved = {n: np.where(v == 3, np.float32(0), v) if chooses == "relu" else v[..., ::-1, ::-1]
             for n, v in choices.items()}               # 3 is not let through; the maximum is where 1 is
    assert seen(moved) == ((7, 1, 4) if chooses == "relu" else (1, 1, 1))


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in SMALL if name not in COMPILED])
def test_one_of_each_family_compiled(name):
    _as_recorded(campaign.run_one(name, "graph", seconds=600, gigabytes=16))


def test_a_model_that_fails_does_not_end_the_run(tmp_path):
    results = tmp_path / "results.jsonl"
    results.write_text('{"model": "squeezenet1_1", "mode": "pynative", "matches": true}\n')
    said = []
    campaign.run_all(["squeezenet1_1", "no_such_model", "mobilenet_v1_025"], "pynative", results, again=False,
                     seconds=60, gigabytes=8, say=said.append)
    assert [r["model"] for r in said] == ["no_such_model", "mobilenet_v1_025"]     # the first one has its result
    assert "KeyError" in said[0]["failed"] and said[1]["matches"]
    assert len(campaign.results_in(results)) == 3


def test_the_report_is_up_to_date():
    page = report.page(RECORDS, campaign.results_in(campaign.RESULTS), recorded_steps())
    assert page == report.PAGE.read_text(), "run: python -m tests.compat.mindcv --report"
