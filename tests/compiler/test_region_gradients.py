"""Gradients of branches and loops, of first, second and third order, against finite differences in float64."""
from __future__ import annotations

import numpy as np
import pytest

from graphcore.compiler.autodiff import expand_gradients
from graphcore.errors import GradientError
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Origin
from graphcore.ir.parser import parse_graph
from graphcore.ir.printer import print_graph
from graphcore.ir.types import parse_type
from graphcore.ir.verifier import verify
from graphcore.ops import pointwise as pw
from graphcore.ops import regions, structural
from graphcore.ops.evaluate import interpret
from graphcore.ops.record import REGISTRY
from tests.compiler.region_functions import (
    FUNCTIONS,
    INDEX,
    POINT,
    VECTOR,
    X,
    Y,
    closed,
    gradients,
    items,
    loop,
    number,
    total,
)


def run(graph: Graph, leaves: dict) -> list:
    graph = expand_gradients(graph)
    verify(graph, final=True)
    assert parse_graph(print_graph(graph)) == graph
    return evaluated(graph, leaves)


def evaluated(graph: Graph, leaves: dict) -> list:
    values = interpret(graph, leaves)
    return [values[o] for o in graph.outputs]


def difference(graph: Graph, leaf, step=1e-6) -> np.ndarray:
    """The derivatives of a graph's only output by each element of a leaf."""
    graph, found = expand_gradients(graph), np.zeros(leaf.shape)
    for place in np.ndindex(leaf.shape):
        sides = []
        for sign in (1, -1):
            moved = POINT[leaf].copy()
            moved[place] += sign * step
            sides.append(evaluated(graph, {**POINT, leaf: moved})[0])
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


# -- calls and hooks -------------------------------------------------------------------------------------------------

def call(function, *operands, backward=None, recompute=False):
    types = [o.type for o in operands]
    body = closed(function, *types)
    if backward is not None:
        results = [o.type for o in body.outputs]
        backward = closed(backward, *types, *results, *results, name="backward")
    return items(regions.call(*operands, body=body, backward=backward, recompute=recompute))


def test_a_call_is_differentiated_like_its_body():
    def body(x, y):
        return pw.tanh(pw.mul(x, y)), pw.exp(y)
    expected = body(X, Y)
    for recompute in (False, True):
        found = call(body, X, Y, recompute=recompute)
        wanted, again = ([*gradients(pw.add(total(pw.square(a)), total(b)), X, Y)] for a, b in (expected, found))
        wanted, again = (run(Graph("g", (X, Y), tuple(g)), POINT) for g in (wanted, again))
        for a, b in zip(wanted, again):
            np.testing.assert_allclose(a, b, rtol=1e-12)


def test_a_call_with_a_gradient_of_its_own():
    def backward(x, y, product, exponential, of_product, of_exponential):
        return pw.mul(of_product, number(7)), pw.add(of_exponential, exponential)
    product, _ = call(lambda x, y: (pw.mul(x, y), pw.exp(y)), X, Y, backward=backward)
    gx, gy = run(Graph("g", (X, Y), tuple(gradients(total(product), X, Y))), POINT)
    np.testing.assert_array_equal(gx, np.full((4, 3), 7.0))
    np.testing.assert_allclose(gy, np.exp(POINT[Y]))       # no gradient arrives at the second result


def test_what_is_computed_again_stands_apart():
    (z,) = call(lambda x, y: (pw.tanh(pw.exp(pw.mul(x, y))),), X, Y, recompute=True)
    graph = expand_gradients(Graph("g", (X, Y), (z, *gradients(total(pw.mul(z, z)), X))))
    assert sum(n.op == "exp" for n in graph.nodes) == 2
    assert sum(n.op == "call" for n in graph.nodes) == 0


@pytest.mark.parametrize("inside", [False, True], ids=["plain", "in a loop"])
def test_a_hook_changes_the_gradient_that_passes(inside):
    def hooked(h):
        return pw.mul(regions.hook(h, callback=0, label="double"), number(3))
    if inside:
        (h,) = loop(lambda i, h: (hooked(h),), Y, carried=1, length=2)
    else:
        h = hooked(hooked(Y))
    seen: list = []

    def double(g):
        seen.append(g.copy())
        return 2 * g
    graph = expand_gradients(Graph("g", (Y,), tuple(gradients(total(h), Y))))
    (g,) = graph.outputs
    np.testing.assert_array_equal(interpret(graph, POINT, (double,))[g], np.full(3, 36.0))
    np.testing.assert_array_equal(seen, [np.full(3, 3.0), np.full(3, 18.0)])
    assert not any(n.op == "hook" for n in graph.nodes)


def test_a_backward_graph_may_call_python():
    """What a gradient of one's own does besides happens in the backward pass, in each iteration."""
    types = (VECTOR,)
    leaves = tuple(ir.input_(f"v{k}", VECTOR) for k in range(3))
    shown = regions.host_call(leaves[2], callback=0, label="print", returns=False)
    backward = Graph("backward", leaves, (pw.mul(leaves[2], number(2)),), (), (shown,))
    body = closed(lambda x: (pw.sin(x),), *types)

    def step(i, h):
        return (structural.item(regions.call(h, body=body, backward=backward, recompute=False), index=0),)
    (h,) = loop(step, Y, carried=1, length=3)
    graph = expand_gradients(Graph("g", (Y,), tuple(gradients(total(h), Y))))
    verify(graph, final=True)
    seen: list = []
    (g,) = graph.outputs
    np.testing.assert_array_equal(interpret(graph, POINT, (seen.append,))[g], np.full(3, 8.0))
    assert [v[0] for v in seen] == [1, 2, 4]


@pytest.mark.parametrize("region", ["if", "loop"])
def test_an_operator_without_gradient_is_named_with_its_place(region, monkeypatch):
    monkeypatch.setattr(REGISTRY["erf"], "vjp", None, raising=False)
    leaves = (ir.input_("v0", INDEX), ir.input_("v1", VECTOR))[region == "if":]
    node = pw.erf(leaves[-1])
    body = Graph("body", leaves, (node,))
    body.origins.add(node, (Origin("net.block", "net.py", 7),))
    if region == "if":
        outer = regions.if_(ir.input_("flag", parse_type("bool[]")), Y, then=body, orelse=body)
    else:
        outer = regions.loop(Y, body=body, carried=1, stacks=0, length=3, reverse=False)
    (g,) = gradients(total(structural.item(outer, index=0)), Y)
    with pytest.raises(GradientError, match=r"erf has no gradient.*net.block  net.py:7"):
        expand_gradients(Graph("g", outer.inputs, (g,)))
