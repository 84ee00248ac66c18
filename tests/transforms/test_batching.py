"""Every operator batched over each input and over all of them: equal to stacking the results of single calls."""
import numpy as np
import pytest

from graphcore.compiler.program import compile_graph
from graphcore.dtype import float32, int64
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph
from graphcore.ir.types import TensorType
from graphcore.ops import pointwise, regions
from graphcore.ops.batching import Value, batch
from graphcore.ops.evaluate import evaluate, interpret
from graphcore.ops.structural import item
from tests.ops.cases import RECORDS, cases, random_array

SIZE = 3
STRUCTURAL = {"grad", "item", "barrier", "stop_gradient"}


def _some_cases(record, count=6):
    """A few cases of an operator, spread over its list."""
    found = list(cases(record))
    return found[::max(1, len(found) // count)]


CASES = [case for record in RECORDS if record.name not in STRUCTURAL and record.kind != "region" and record.arity != 0
         for case in _some_cases(record)]


def _variants(case, position, array):
    """One array for each example: other floats and flags, indices in another order."""
    if array.dtype.kind in "iu" and (case.record.kind != "pointwise" or array.size < 2):
        return [np.roll(array.reshape(-1), k).reshape(array.shape) for k in range(SIZE)]
    others = [array]
    for k in range(1, SIZE):
        if case.record.kind == "pointwise":
            others.append(np.roll(array.reshape(-1), k).reshape(array.shape))
        else:
            others.append(random_array(case.types[position].dtype, array.shape, seed=10 * position + k))
    return others


def _single(case, arrays):
    return evaluate(case.record, arrays, case.types, case.attrs, case.record.infer(*case.types, **case.attrs))


def _choices(count):
    """Which inputs are batched: each alone, and all."""
    alone = [tuple(i == k for i in range(count)) for k in range(count)]
    return list(dict.fromkeys([*alone, (True,) * count]))


def batched_graph(case, given):
    """A graph of the operator for a batch, and the graph's inputs."""
    leaves = tuple(ir.input_(f"x{i}", t) for i, t in enumerate(case.types))
    graph = Graph("single", leaves, (case.record(*leaves, **case.attrs),))
    wide = tuple(ir.input_(f"x{i}", TensorType(t.dtype, (SIZE, *t.shape)) if g else t)
                 for i, (t, g) in enumerate(zip(case.types, given)))
    outputs = batch(graph, [Value(n, g) for n, g in zip(wide, given)], SIZE).outputs
    assert all(o.batched for o in outputs)
    return Graph("batch", wide, tuple(o.node for o in outputs))


@pytest.mark.parametrize("case", [c for c in CASES if not c.record.random], ids=lambda c: c.label)
def test_a_batch_equals_single_calls(case):
    for given in _choices(len(case.arrays)):
        arrays = [_variants(case, i, a) if g else [a] * SIZE for i, (a, g) in enumerate(zip(case.arrays, given))]
        expected = np.stack([_single(case, [a[k] for a in arrays]) for k in range(SIZE)])
        graph = batched_graph(case, given)
        inputs = [np.stack(a) if g else a[0] for a, g in zip(arrays, given)]
        found = interpret(graph, dict(zip(graph.inputs, inputs)))[graph.outputs[0]]
        assert found.dtype == expected.dtype and graph.outputs[0].shape == expected.shape
        if expected.dtype.kind == "f":
            tolerance = 2e-3 if expected.dtype.itemsize == 2 else 1e-5
            np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
        else:
            np.testing.assert_array_equal(found, expected)


# -- natively ---------------------------------------------------------------------------------------------------------

NATIVE = ("matmul", "conv2d", "conv2d_grad_input", "conv2d_grad_weight", "gather", "scatter_add", "gather_nd",
          "scatter_nd_add", "scatter_nd_update", "gather_elements", "max_pool2d_grad", "avg_pool2d_grad", "cumsum",
          "topk_values", "update_slice", "matmul_parts")


@pytest.mark.parametrize("name", NATIVE)
def test_compiled(name):
    case = next(c for c in CASES if c.record.name == name)
    for given in _choices(len(case.arrays)):
        graph = batched_graph(case, given)
        arrays = [np.stack(_variants(case, i, a)) if g else a for i, (a, g) in enumerate(zip(case.arrays, given))]
        expected = interpret(graph, dict(zip(graph.inputs, arrays)))[graph.outputs[0]]
        (found,) = compile_graph(graph, {}).run(arrays)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


# -- regions that a capture does not make by itself -------------------------------------------------------------------

F32 = TensorType(float32, (2,))


def _region(make, count):
    """A graph of one region of `count` inputs f32[2], its values batched over each input and over all: all equal to
    single calls."""
    leaves = tuple(ir.input_(f"x{i}", F32) for i in range(count))
    node = make(*leaves)
    outputs = tuple(item(node, index=i) for i in range(len(node.type.items)))
    graph = Graph("single", leaves, outputs, (), (node,) if node.op == "host_call" else ())
    arrays = [np.random.default_rng(i).uniform(1, 2, (SIZE, 2)).astype("f4") for i in range(count)]
    for given in _choices(count):
        values = [Value(ir.input_(x.name, TensorType(float32, (SIZE, 2)) if g else F32), g)
                  for x, g in zip(leaves, given)]
        result = batch(graph, values, SIZE)
        nodes = [o.spread(SIZE) for o in result.outputs]
        wide = Graph("batch", tuple(v.node for v in values), tuple(nodes), (), result.effects)
        found = interpret(wide, {v.node: a if g else a[0] for v, a, g in zip(values, arrays, given)}, (np.negative,))
        for k in range(SIZE):
            inputs = {x: a[k if g else 0] for x, a, g in zip(leaves, arrays, given)}
            single = interpret(graph, inputs, (np.negative,))
            for new, old in zip(nodes, outputs):
                np.testing.assert_allclose(found[new][k], single[old], rtol=1e-6)


def _graph(function, *types):
    leaves = tuple(ir.input_(f"v{i}", t) for i, t in enumerate(types))
    return Graph("body", leaves, tuple(function(*leaves)))


@pytest.mark.parametrize("has_backward", [False, True])
def test_call(has_backward):
    body = _graph(lambda a, b: (pointwise.mul(a, b), pointwise.sin(a)), F32, F32)
    backward = _graph(lambda a, b, y, z, g, h: (pointwise.mul(g, b), pointwise.mul(g, a)), *[F32] * 6)
    _region(lambda a, b: regions.call(a, b, body=body, backward=backward if has_backward else None, recompute=False), 2)


@pytest.mark.parametrize("reverse", [False, True])
def test_loop_with_stacks(reverse):
    scalar = TensorType(float32, ())
    body = _graph(lambda i, state, element: (pointwise.mul(state, element), pointwise.add(state, element)),
                  TensorType(int64, ()), F32, scalar)
    _region(lambda a, b: regions.loop(a, b, body=body, carried=1, stacks=1, length=2, reverse=reverse), 2)


def test_a_call_into_python_happens_for_each_example():
    _region(lambda a: regions.host_call(a, callback=0, label="hook", returns=True), 1)
