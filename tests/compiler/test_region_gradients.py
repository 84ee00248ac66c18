"""Gradients of branches and loops, of first, second and third order, against finite differences in float64."""
from __future__ import annotations

import numpy as np
import pytest

from graphcore.compiler.autodiff import expand_gradients
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph
from graphcore.ir.parser import parse_graph
from graphcore.ir.printer import print_graph
from graphcore.ir.verifier import verify
from graphcore.ops import pointwise as pw
from graphcore.ops import regions, structural
from graphcore.ops.evaluate import interpret
from tests.compiler.region_functions import FUNCTIONS, INDEX, POINT, VECTOR, X, Y, gradients, total


def run(graph: Graph, leaves: dict) -> list:
    graph = expand_gradients(graph)
    verify(graph, final=True)
    assert parse_graph(print_graph(graph)) == graph
    values = interpret(graph, leaves)
    return [values[o] for o in graph.outputs]


def difference(graph: Graph, leaf, step=1e-6) -> np.ndarray:
    """The derivatives of a graph's only output by each element of a leaf."""
    found = np.zeros(leaf.shape)
    for place in np.ndindex(leaf.shape):
        sides = []
        for sign in (1, -1):
            moved = POINT[leaf].copy()
            moved[place] += sign * step
            sides.append(run(graph, {**POINT, leaf: moved})[0])
        found[place] = (sides[0] - sides[1]) / (2 * step)
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients(name):
    loss = FUNCTIONS[name](X, Y)
    value = Graph("g", (X, Y), (loss,))
    for leaf, g in zip((X, Y), run(Graph("g", (X, Y), tuple(gradients(loss, X, Y))), POINT)):
        np.testing.assert_allclose(g, difference(value, leaf), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradients_of_gradients(name):
    gx, gy = gradients(FUNCTIONS[name](X, Y), X, Y)
    mixed = pw.add(total(pw.sin(gx)), total(pw.mul(gy, Y)))
    first = Graph("g", (X, Y), (mixed,))
    for leaf, g in zip((X, Y), run(Graph("g", (X, Y), tuple(gradients(mixed, X, Y))), POINT)):
        np.testing.assert_allclose(g, difference(first, leaf), rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", ["newton", "recurrent", "counted_by_hand"])
def test_gradients_of_third_order(name):
    (gy,) = gradients(FUNCTIONS[name](X, Y), Y)
    (hy,) = gradients(total(pw.sin(gy)), Y)
    mixed = total(pw.mul(hy, Y))
    second = Graph("g", (X, Y), (mixed,))
    for leaf, g in zip((X, Y), run(Graph("g", (X, Y), tuple(gradients(mixed, X, Y))), POINT)):
        np.testing.assert_allclose(g, difference(second, leaf), rtol=1e-4, atol=1e-5)


def test_a_differentiated_loop_runs_forward_once():
    loss = FUNCTIONS["recurrent"](X, Y)
    (gy,) = gradients(loss, Y)
    graph = expand_gradients(Graph("g", (X, Y), (loss, gy)))
    assert sum(n.op == "loop" for n in graph.nodes) == 2


def test_effects_happen_once():
    """The backward pass computes the body again without what it does besides."""
    h, row = ir.input_("v1", VECTOR), ir.input_("v2", VECTOR)
    shown = regions.host_call(h, callback=0, label="print", returns=False)
    body = Graph("body", (ir.input_("v0", INDEX), h, row), (pw.sin(pw.mul(h, row)),), (), (shown,))
    node = regions.loop(Y, X, body=body, carried=1, stacks=1, length=4, reverse=False)
    (gy,) = gradients(total(structural.item(node, index=0)), Y)
    graph = expand_gradients(Graph("g", (X, Y), (gy,), (), (node,)))
    verify(graph, final=True)
    calls: list = []
    interpret(graph, POINT, (calls.append,))
    assert len(calls) == 4
