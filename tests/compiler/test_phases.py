"""Row-wise kernels: a dear value that several walks along a row need is computed once."""
import numpy as np
import pytest

from graphcore.compiler.pipeline import optimize
from graphcore.compiler.plan import compile_plan
from graphcore.compiler.program import compile_graph
from graphcore.compiler.toolchain.cpu import host
from graphcore.dtype import float16, float32
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph
from graphcore.ir.types import TensorType
from graphcore.ops import pointwise, reduction, view
from graphcore.ops.evaluate import interpret


def spread(value, like):
    return view.broadcast_to(value, shape=like.shape)


def softmax(x, axis):
    top = reduction.max_(x, axes=(axis,), keepdims=True)
    powers = pointwise.exp(pointwise.sub(x, spread(top, x)))
    return pointwise.div(powers, spread(reduction.sum_(powers, axes=(axis,), keepdims=True), x))


def two_outputs(x, axis):
    """tanh(x) waits in the first output's memory; the second still needs it when that is written."""
    t = pointwise.tanh(x)
    total = spread(reduction.sum_(t, axes=(axis,), keepdims=True), x)
    return pointwise.add(t, total), pointwise.mul(t, total)


def three_walks(x, axis):
    """Both the sum and the largest distance from it look at tanh(x), and so does the result."""
    t = pointwise.tanh(x)
    distance = pointwise.sub(t, spread(reduction.sum_(t, axes=(axis,), keepdims=True), x))
    return pointwise.mul(t, spread(reduction.max_(distance, axes=(axis,), keepdims=True), x))


@pytest.mark.parametrize("dtype", [float32, float16])
@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("function", [softmax, two_outputs, three_walks])
def test_results_are_those_of_the_references(function, axis, dtype):
    x = ir.input_("x", TensorType(dtype, (9, 70)))
    made = function(x, axis)
    graph = Graph("g", (x,), made if isinstance(made, tuple) else (made,))
    array = np.random.RandomState(0).randn(9, 70).astype(dtype.storage)
    values = interpret(graph, {x: array})
    for found, output in zip(compile_graph(graph, {}).run([array]), graph.outputs):
        tolerance = 2e-5 if dtype is float32 else 1e-2
        np.testing.assert_allclose(found.astype(np.float32), values[output].astype(np.float32), rtol=tolerance,
                                   atol=tolerance)


def test_a_softmax_has_one_exponential():
    x = ir.input_("x", TensorType(float32, (9, 70)))
    compiled = compile_plan(optimize(Graph("g", (x,), (softmax(x, 1),))), host(), {})
    (kernel,) = compiled.kernels
    assert kernel.source.count("exp(") == 1
