"""Every operator batched over each input and over all of them: equal to stacking the results of single calls."""
import itertools

import numpy as np
import pytest

from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph
from graphcore.ir.types import TensorType
from graphcore.ops.batching import Value, batch
from graphcore.ops.evaluate import evaluate, interpret
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
