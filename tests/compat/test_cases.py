"""Every case gives what MindSpore gave, at once; those on Tensors alone also in a graph, on the NumPy references."""
import json
from pathlib import Path

import pytest

import graphcore
from graphcore.capture.trace import NeedsValue, Trace
from graphcore.cli import mindspore_hook
from graphcore.errors import CaptureError
from graphcore.ops.evaluate import interpret
from tests.compat import runner, table
from tests.compat.inputs import Helpers
from tests.language import encoding

CASES = {f"{entry.topic}: {entry.text}": entry for entry in table.every_case()}
RECORDED = {topic: json.loads(Path(__file__).with_name("recorded").joinpath(f"{topic}.json").read_text())
            for topic in table.topics()}


@pytest.fixture
def mindspore():
    """graphcore under MindSpore's name."""
    mindspore_hook.install()
    try:
        import mindspore
        yield mindspore
    finally:
        mindspore_hook.uninstall()


def _named(key: str) -> str:
    """The id of a test: with the topic, so that ``-k TOPIC`` finds it; pytest gives long ones a number instead."""
    return key[:80]


@pytest.mark.parametrize("key", CASES, ids=_named)
def test_at_once(key, mindspore):
    entry = CASES[key]
    assert not list(runner.problems(mindspore, entry, RECORDED[entry.topic]))


@pytest.mark.parametrize("key", [key for key, entry in CASES.items() if entry.in_a_graph], ids=_named)
def test_in_a_graph(key, mindspore):
    entry, trace, leaves, inputs = CASES[key], Trace("test"), {}, {}
    tensors = {name: getattr(Helpers(mindspore), name) for name in table.TENSORS}
    with trace.active():
        for name, tensor in tensors.items():
            inputs[name] = trace.add_input(name, tensor.type_)
            leaves[inputs[name].node] = tensor._array
        try:
            found = runner.evaluate(mindspore, entry.text, inputs)
        except NeedsValue:          # a size that depends on the data: a program for each, see tests/language
            return
        except CaptureError as error:
            assert "is needed for" in str(error)
            return
        found = _interpreted(found, trace, leaves)
    wanted = RECORDED[entry.topic][entry.name]["value"]
    assert not list(runner.differences(runner.shortened(encoding.encode(found)), wanted, entry.scale))


def _interpreted(value, trace, leaves):
    if isinstance(value, (tuple, list)):
        return type(value)(_interpreted(v, trace, leaves) for v in value)
    if not isinstance(value, graphcore.Tensor):
        return value
    node = trace.node_of(value)
    leaves |= {leaf: trace.parameters[leaf.name].materialized()._array for leaf in trace._leaves.values()}
    return graphcore.Tensor._wrap(interpret(trace.finish([node]), leaves, trace.callbacks)[node], node.dtype)


@pytest.mark.parametrize("topic", table.topics())
def test_what_is_recorded_belongs_to_a_case(topic):
    """A line without its record, or a record without its line; and what MindSpore refused is expected to fail."""
    entries = {entry.name: entry for entry in runner.load(topic)}
    again = f"record: python -m tests.parity.record compat/{topic}"
    assert not set(entries) ^ set(RECORDED[topic]), again
    for name, result in RECORDED[topic].items():
        assert "crash" not in result, name
        refused = isinstance(result["value"], dict) and "error" in result["value"]
        assert refused == entries[name].fails, f"{name}: {result['value']}"
