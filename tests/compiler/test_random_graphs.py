"""Compiled graphs against the NumPy references, on random graphs, forward and with gradients."""
from __future__ import annotations

import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore.compiler.autodiff import expand_gradients
from graphcore.compiler.program import compile_graph
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph
from graphcore.ir.types import TensorType
from graphcore.ops import pointwise, reduction
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


def test_the_gradient_of_a_maximum_finds_it():
    """x * y is used twice, so one use may round once (multiply-add) where another rounds twice."""
    x, y, z = (ir.input_(name, TensorType(dt.float32, (40, 333))) for name in "xyz")
    product = pointwise.mul(x, y)
    largest = reduction.max_(pointwise.add(product, z), axes=(1,), keepdims=True)
    graph = Graph("maximum", (x, y, z), (pointwise.mul(product, largest),))
    random = np.random.RandomState(0)
    arrays = [random.randn(40, 333).astype(np.float32) for _ in range(3)]
    results = compile_graph(with_gradients(graph), {}).run(arrays)
    assert np.isfinite(results[3]).all() and (np.count_nonzero(results[3], axis=1) == 1).all()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1000, 1200))
def test_many(seed):
    graph, arrays = GraphMaker(seed).make(30)
    check(with_gradients(graph) if seed % 2 else graph, arrays)
