"""Values, dtypes and shapes that MindSpore 2.10 gave for some five hundred expressions, at once and in a graph.

The expressions use the names that `_names` makes; ``mindspore_results.json`` holds what MindSpore answered.
"""
import json
from pathlib import Path

import numpy as np
import pytest

import graphcore as ms
import graphcore.ops.composite as C
import graphcore.ops.functional as F
import graphcore.ops.operations as P
from graphcore import Tensor, ops
from graphcore.capture.trace import NeedsValue, Trace
from graphcore.errors import CaptureError
from graphcore.ops.evaluate import interpret

EXPECTED = json.loads(Path(__file__).with_name("mindspore_results.json").read_text())
# These draw numbers, or their result is not a value of the graph.
RANDOM = ("rand", "normal", "uniform", "bernoulli", "multinomial", "Uniform", "ropout")


def _names() -> dict:
    counted = np.arange(6).reshape(2, 3)
    tensors = {name: Tensor(counted, dtype) for name, dtype in
               (("x", ms.int32), ("f", ms.float32), ("h", ms.float16), ("l", ms.int64), ("u", ms.uint8),
                ("d", ms.float64))}
    return {**tensors, "b": Tensor([True, False, True]), "np": np, "ms": ms, "Tensor": Tensor, "ops": ops, "P": P,
            "F": F, "C": C}


def _check(found, expected, tolerance=2e-5):
    if isinstance(expected, list):
        assert len(found) == len(expected)
        for part, wanted in zip(found, expected):
            _check(part, wanted)
    elif "python" in expected:
        assert str(found) == expected["python"]
    else:
        assert (str(found.dtype), list(found.shape)) == (expected["dtype"], expected["shape"])
        tolerance = 2e-3 if found.dtype.itemsize == 2 else tolerance
        np.testing.assert_allclose(found.asnumpy().astype(np.float64), np.array(expected["values"], np.float64),
                                   rtol=tolerance, atol=2e-6)


@pytest.mark.parametrize("expression", EXPECTED)
def test_at_once(expression):
    _check(eval(expression, _names()), EXPECTED[expression])


@pytest.mark.parametrize("expression", [e for e in EXPECTED if not any(word in e for word in RANDOM)])
def test_in_a_graph(expression):
    names, trace = _names(), Trace("test")
    leaves = {}
    with trace.active():
        for name, tensor in list(names.items()):
            if isinstance(tensor, Tensor):
                names[name] = trace.add_input(name, tensor.type_)
                leaves[names[name].node] = tensor._array
        try:
            found = eval(expression, names)
        except NeedsValue:          # a size that depends on the data: a program for each, see tests/language
            return
        except CaptureError as error:
            assert "is needed for" in str(error)
            return
        found = _interpreted(found, trace, leaves)
    _check(found, EXPECTED[expression])


def _interpreted(value, trace, leaves):
    if isinstance(value, (tuple, list)):
        return type(value)(_interpreted(v, trace, leaves) for v in value)
    if not isinstance(value, Tensor):
        return value
    node = trace.node_of(value)
    leaves |= {leaf: trace.parameters[leaf.name].materialized()._array for leaf in trace._leaves.values()}
    return Tensor._wrap(interpret(trace.finish([node]), leaves)[node], node.dtype)
