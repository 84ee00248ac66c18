"""Simplification of branches and loops: the graph that is left, and that it still computes the same."""
from __future__ import annotations

import numpy as np
import pytest

from graphcore.compiler.autodiff import expand_gradients
from graphcore.compiler.pipeline import run_stages
from graphcore.ir.graph import Graph
from graphcore.ir.verifier import verify
from graphcore.ops import pointwise as pw
from graphcore.ops.evaluate import interpret
from tests.compiler.region_functions import FUNCTIONS, POINT, X, Y, gradients, total


def values(graph: Graph) -> list:
    found = interpret(graph, POINT)
    return [found[o] for o in graph.outputs]


@pytest.mark.parametrize("order", [0, 1, 2])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_stages_keep_the_value(name, order):
    found = [FUNCTIONS[name](X, Y)]
    for _ in range(order):
        found = gradients(total(pw.sin(found[0])), X, Y)
    graph = Graph("g", (X, Y), tuple(found))
    expected = values(expand_gradients(graph))
    for report in run_stages(graph):
        if report.name not in ("capture", "canonical", "regions"):
            verify(report.graph, final=True)
            for a, b in zip(values(report.graph), expected):
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12, err_msg=report.name)
