"""Every operator compiled, against its NumPy reference: all cases of one operator as one program."""
from __future__ import annotations

import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore.compiler.program import compile_graph
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph
from graphcore.ops.evaluate import evaluate
from tests.ops.cases import ALL, RECORDS

STRUCTURAL = ("grad", "item", "barrier", "stop_gradient")
TOLERANCE = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 2e-5, "float64": 1e-11}


def widen(array, dtype):
    return dt.bfloat16_to_float32(array) if dtype is dt.bfloat16 else array


@pytest.mark.parametrize("record", [r for r in RECORDS if r.name not in STRUCTURAL], ids=lambda r: r.name)
def test_kernels_agree_with_reference(record):
    cases = [c for c in ALL if c.record is record]
    leaves, arrays, outputs = [], [], []
    for case in cases:
        own = [ir.input_(f"x{len(leaves) + i}", t) for i, t in enumerate(case.types)]
        leaves += own
        arrays += [np.ascontiguousarray(a).reshape(a.shape) for a in case.arrays]
        outputs.append(record(*own, **case.attrs))
    results = compile_graph(Graph(record.name, tuple(leaves), tuple(outputs)), {}).run(arrays)
    for case, output, result in zip(cases, outputs, results):
        wanted = evaluate(record, case.arrays, case.types, case.attrs, output.type)
        assert result.shape == wanted.shape and result.dtype == wanted.dtype, case.label
        tolerance = TOLERANCE.get(output.dtype.name)
        if tolerance is None:
            np.testing.assert_array_equal(result, wanted, err_msg=case.label)
        else:
            np.testing.assert_allclose(widen(result, output.dtype), widen(wanted, output.dtype), rtol=tolerance,
                                       atol=tolerance, err_msg=case.label)
