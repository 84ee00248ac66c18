"""Compiled graphs against the NumPy references, on random graphs, forward and with gradients."""
from __future__ import annotations

import numpy as np
import pytest

from graphcore.compiler.autodiff import expand_gradients
from graphcore.compiler.program import compile_graph
from graphcore.ops.evaluate import interpret
from tests.compiler.random_graphs import GraphMaker, with_gradients


def check(graph, arrays):
    results = compile_graph(graph, {}).run(arrays)
    plain = expand_gradients(graph)
    expected = interpret(plain, dict(zip(plain.inputs, arrays)))
    for output, result in zip(plain.outputs, results):
        wanted = expected[output]
        assert result.shape == wanted.shape and result.dtype == wanted.dtype
        scale = max(1.0, float(np.max(np.abs(wanted), initial=0)))
        np.testing.assert_allclose(result, wanted, rtol=1e-4, atol=2e-5 * scale, err_msg=str(output))


@pytest.mark.parametrize("seed", range(12))
def test_compiled_equals_reference(seed):
    check(*GraphMaker(seed).make(14))


@pytest.mark.parametrize("seed", range(100, 108))
def test_gradients_equal_reference(seed):
    graph, arrays = GraphMaker(seed).make(10)
    check(with_gradients(graph), arrays)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_many(seed):
    graph, arrays = GraphMaker(seed).make(30)
    check(with_gradients(graph) if seed % 2 else graph, arrays)
