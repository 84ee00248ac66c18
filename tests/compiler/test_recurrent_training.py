"""Gradients of recurrent layers: native programs against the evaluation of the graphs as they were captured."""
from __future__ import annotations

import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn, ops
from graphcore.compiler.autodiff import expand_gradients
from graphcore.compiler.control import walk
from graphcore.compiler.launch import Launch
from graphcore.compiler.pipeline import run_stages
from graphcore.compiler.plan import compile_plan
from graphcore.compiler.schedule.derive import split_launches
from graphcore.compiler.toolchain.cpu import host
from graphcore.inspect import compiled_graph
from graphcore.ops.evaluate import interpret

X = np.random.RandomState(0).uniform(-1, 1, (3, 40, 8)).astype(np.float32)


class Steps(nn.Cell):
    """A cell called in a loop of the user's."""

    def __init__(self):
        super().__init__()
        self.cell = nn.LSTMCell(8, 5)

    def construct(self, x):
        h, c = ops.zeros((3, 5), gc.float32), ops.zeros((3, 5), gc.float32)
        for t in range(40):
            h, c = self.cell(x[:, t], (h, c))
        return h, c


LAYERS = {
    "lstm": lambda: nn.LSTM(8, 5, batch_first=True),
    "lstm of two layers both ways": lambda: nn.LSTM(8, 5, num_layers=2, bidirectional=True, batch_first=True),
    "gru": lambda: nn.GRU(8, 5, batch_first=True),
    "gru without bias": lambda: nn.GRU(8, 5, batch_first=True, has_bias=False),
    "rnn": lambda: nn.RNN(8, 5, batch_first=True),
    "rnn of two layers": lambda: nn.RNN(8, 5, num_layers=2, nonlinearity="relu", batch_first=True),
    "cell in a loop": Steps,
}


def gradients(name: str):
    """The function that gives loss and gradients of a layer, and its Parameters by name."""
    gc.set_context(mode=gc.GRAPH_MODE)
    net = LAYERS[name]()
    random = np.random.RandomState(1)
    for p in net.get_parameters():
        p.set_data(Tensor(random.uniform(-0.5, 0.5, p.shape).astype(np.float32)))

    def loss(x):
        out, state = net(x)
        return ops.sin(out).sum() + (out * out).mean() + (state[0] if isinstance(state, tuple) else state).sum()
    function = gc.value_and_grad(loss, 0, net.trainable_params())

    @gc.jit
    def both(x):
        return function(x)
    return both, {p.name: p for p in net.get_parameters()}


def flat(values) -> list:
    return [x for v in values for x in flat(v)] if isinstance(values, (tuple, list)) else [values]


@pytest.mark.parametrize("name", LAYERS)
def test_gradients_are_those_of_the_graph_as_captured(name):
    function, parameters = gradients(name)
    found = [x.asnumpy() for x in flat(function(Tensor(X)))]
    again = [x.asnumpy() for x in flat(function(Tensor(X)))]
    graph = expand_gradients(compiled_graph(function, "capture"))
    leaves = {leaf: parameters[key].asnumpy() for key, leaf in graph.params.items()} | {graph.inputs[0]: X}
    values = interpret(graph, leaves)
    assert len(found) == len(graph.outputs)
    for array, second, output in zip(found, again, graph.outputs):
        np.testing.assert_array_equal(array, second)
        np.testing.assert_allclose(array, values[output], rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name, most", [("lstm", (2, 6)), ("gru", (2, 8)), ("rnn", (2, 2)), ("cell in a loop", (2, 6))])
def test_launches_of_an_iteration(name, most):
    """Forward and backward: more means that something is copied, added up or packed in each iteration again."""
    function, _ = gradients(name)
    function(Tensor(X))
    final = run_stages(compiled_graph(function, "capture"))[-1].graph
    entries = split_launches(compile_plan(final, host(), {}).lowered, writes_parameters=True).entries
    inside = [sum(isinstance(e, Launch) for e in loop.body) for loop in walk(entries) if not isinstance(loop, Launch)]
    assert len(inside) == 2 and all(count <= limit for count, limit in zip(inside, most))
