"""Simplification of branches and loops: the graph that is left, and that it still computes the same."""
from __future__ import annotations

import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore.compiler.autodiff import expand_gradients
from graphcore.compiler.pipeline import run_stages
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph
from graphcore.ir.types import parse_type
from graphcore.ir.verifier import verify
from graphcore.ops import indexing, regions, structural
from graphcore.ops import pointwise as pw
from graphcore.ops.evaluate import interpret
from graphcore.ops.view import broadcast_to, place, reshape, slice_, transpose
from tests.compiler.region_functions import (
    FUNCTIONS,
    MATRIX,
    POINT,
    X,
    Y,
    gradients,
    if_,
    loop,
    matmul,
    number,
    total,
    while_,
)


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
        if report.name not in ("capture", "canonical", "regions", "attention"):
            verify(report.graph, final=True)
            for a, b in zip(values(report.graph), expected):
                np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12, err_msg=report.name)


# -- single steps ----------------------------------------------------------------------------------------------------

FLAG = ir.input_("flag", parse_type("bool[]"))
TIMES = ir.input_("times", parse_type("i64[]"))


def optimized(*outputs) -> Graph:
    """After the stages, with the values checked on the way."""
    graph = Graph("g", (X, Y, FLAG, TIMES), tuple(outputs))
    result = run_stages(graph)[-1].graph
    verify(result, final=True)
    for flag in (True, False):
        leaves = {**POINT, FLAG: np.array(flag), TIMES: np.array(3)}
        a, b = (interpret(g, leaves) for g in (graph, result))
        for before, after in zip(graph.outputs, result.outputs):
            np.testing.assert_allclose(b[after], a[before], rtol=1e-12)
    return result


def the(op: str, graph: Graph):
    (node,) = (n for n in graph.nodes if n.op == op)
    return node


def ops(graph: Graph) -> list:
    return [n.op for n in graph.nodes]


def dear(x):
    """Something that no `select` is made for."""
    return matmul(x, reshape(x, shape=(3, 4)))


def test_an_if_of_a_constant_is_its_branch():
    (z,) = if_(ir.const(True), lambda x: (pw.sin(x),), lambda x: (pw.cos(x),), X)
    assert optimized(z).outputs == (pw.sin(X),)


def test_what_both_branches_agree_on_is_computed_before():
    a, b, _ = if_(FLAG, lambda x, y: (dear(x), pw.sin(y), y), lambda x, y: (dear(pw.sin(x)), pw.sin(y), pw.exp(y)),
                  X, Y)
    graph = optimized(a, b)
    assert graph.outputs[1] is pw.sin(Y)
    assert the("if", graph).inputs == (FLAG, X)            # neither y nor the third result is left


def test_constants_and_equal_operands_move_into_branches():
    (z,) = if_(FLAG, lambda a, b, c: (pw.add(dear(a), pw.mul(dear(b), c)),), lambda a, b, c: (dear(pw.sin(b)),),
               X, X, number(3))
    assert the("if", optimized(z)).inputs == (FLAG, X)


def test_a_long_chain_of_branches_loses_what_its_end_does_not_need():
    """One after the other, from the end on: as many rounds as there are branches."""
    def step(scale):
        return lambda a, b: (pw.mul(a, number(scale)), pw.mul(b, pw.add(total(dear(a)), number(scale))))

    a, b = X, Y
    for k in range(45):
        a, b = if_(FLAG, step(1 + k / 1000), step(1 - k / 1000), a, b)
    graph = optimized(a)
    assert Y not in graph.nodes and "matmul" not in ops(graph)


def test_cheap_branches_become_a_select():
    (z,) = if_(FLAG, lambda x, y: (pw.mul(x, y),), lambda x, y: (pw.exp(x),), X, Y)
    graph = optimized(z)
    assert "if" not in ops(graph) and "select" in ops(graph)
    assert "if" in ops(optimized(*if_(FLAG, lambda x: (dear(x),), lambda x: (dear(pw.sin(x)),), X)))


def test_the_branch_not_taken_does_not_reach_the_gradient():
    big = pw.mul(X, number(1e200))
    (z,) = if_(pw.gt(total(X), number(1e9)), lambda x: (pw.exp(pw.mul(x, x)),), lambda x: (pw.mul(x, x),), big)
    graph = run_stages(Graph("g", (X,), tuple(gradients(total(z), X))))[-1].graph
    assert "if" not in ops(graph)
    with np.errstate(all="ignore"):
        g = interpret(graph, POINT)[graph.outputs[0]]
    assert not np.isnan(g).any()


def test_an_if_keeps_its_effects():
    leaf = ir.input_("v0", MATRIX)
    shown = regions.host_call(leaf, callback=0, label="print", returns=False)
    branches = [Graph(name, (leaf,), (leaf,), (), effects) for name, effects in (("then", (shown,)), ("orelse", ()))]
    node = regions.if_(ir.const(True), X, then=branches[0], orelse=branches[1])
    graph = run_stages(Graph("g", (X,), (structural.item(node, index=0),), (), (node,)))[-1].graph
    assert graph.outputs == (X,) and [e.op for e in graph.effects] == ["host_call"]


def test_a_loop_of_one_iteration_is_its_body():
    h, kept = loop(lambda i, h, row: (pw.mul(h, row), h), Y, slice_(X, begin=(1, 0), size=(1, 3), stride=(1, 1)),
                   carried=1, stacks=1, length=1)
    assert "loop" not in ops(optimized(h, kept))


def test_values_that_do_not_matter_leave_a_loop():
    """A value that is only carried, one that nobody takes, one that is the same in all iterations."""
    def body(i, h, idle, same, w):
        return pw.tanh(pw.mul(h, same)), pw.add(idle, w), same, idle, pw.exp(w)
    h, _, same, _, kept = loop(body, Y, Y, pw.sin(Y), Y, carried=3, length=4)
    graph = optimized(h, same, kept)
    node = the("loop", graph)
    assert node.attrs["carried"] == 1 and len(node.type.items) == 1
    assert graph.outputs[1] is pw.sin(Y) and graph.outputs[2] is broadcast_to(pw.exp(Y), shape=(4, 3))


def test_what_does_not_change_is_computed_once():
    (h,) = loop(lambda i, h, w: (pw.mul(h, pw.exp(pw.sin(w))),), Y, Y, carried=1, length=4)
    node = the("loop", optimized(h))
    assert [n.op for n in node.attrs["body"].nodes if not n.is_leaf] == ["mul"]


def test_a_while_is_not_computed_before_a_loop_that_may_not_run():
    def body(i, h, w):
        z, _ = while_(lambda z: pw.lt(total(z), number(100)), lambda z: (pw.add(z, z),), w, carried=1)
        return (pw.add(h, z),)
    (h,) = loop(body, TIMES, Y, Y, carried=1)
    graph = optimized(h)
    assert "while" not in ops(graph) and "while" in ops(the("loop", graph).attrs["body"])


@pytest.mark.parametrize("read, begin, step", [
    (lambda x, i: indexing.gather(x, i, axis=0), 0, 1),
    (lambda x, i: indexing.gather(x, pw.add(i, ir.const(1)), axis=0), 1, 1),
    (lambda x, i: indexing.gather(x, pw.sub(ir.const(3), i), axis=0), 3, -1),
    (lambda x, i: indexing.gather(x, pw.select(pw.lt(i, ir.const(0)), pw.add(i, ir.const(4)), i), axis=0), 0, 1),
    (lambda x, i: indexing.gather(transpose(x, perm=(1, 0)), i, axis=1), 0, 1),
])
def test_rows_read_at_the_index_become_elements(read, begin, step):
    (h,) = loop(lambda i, h, x: (pw.tanh(pw.add(h, read(x, i))),), Y, X, carried=1, length=3)
    graph = optimized(h)
    node = the("loop", graph)
    assert node.attrs["stacks"] == 1
    rows = POINT[X][[begin + step * i for i in range(3)]]
    np.testing.assert_array_equal(interpret(Graph("g", (X,), (node.inputs[1],)), POINT)[node.inputs[1]], rows)
    gradient = run_stages(Graph("g", (X, Y), tuple(gradients(total(h), X))))[-1].graph
    assert not any("scatter" in n.op for loop in gradient.nodes if loop.op == "loop"
                   for n in loop.attrs["body"].nodes)


def test_a_row_out_of_range_is_read_by_its_index():
    (h,) = loop(lambda i, h, x: (pw.add(h, indexing.gather(x, pw.add(i, ir.const(2)), axis=0)),), Y, X, carried=1,
                length=3)
    assert the("loop", optimized(h)).attrs["stacks"] == 0


def test_a_stack_is_placed_in_the_order_in_which_it_is_read():
    """As the gradient of x[:, -1] is, where the loop runs over the second axis."""
    placed = place(reshape(Y, shape=(3, 1)), shape=(3, 4), begin=(0, 3), stride=(1, 1), fill=0.0)
    (h,) = loop(lambda i, h, row: (pw.sin(pw.add(h, row)),), Y, transpose(placed, perm=(1, 0)), carried=1, stacks=1,
                length=4)
    stack = the("loop", optimized(h)).inputs[1]
    assert stack.op == "place" and stack.attrs["begin"] == (3, 0)


def test_a_gradient_inside_a_region_keeps_its_variables_apart():
    """Both operands are the same value; the gradient is by one of them."""
    (g,) = if_(FLAG, lambda a, b: tuple(gradients(total(pw.mul(a, b)), a)), lambda a, b: (a,), Y, Y)
    graph = run_stages(Graph("g", (Y, FLAG), (g,)))[-1].graph
    np.testing.assert_array_equal(interpret(graph, {**POINT, FLAG: np.array(True)})[graph.outputs[0]], POINT[Y])


def test_rewrites_of_regions_are_recorded():
    (z,) = if_(ir.const(True), lambda x: (pw.sin(x),), lambda x: (pw.cos(x),), X)
    rules = [r.rule for report in run_stages(Graph("g", (X,), (z,))) for r in report.rewrites]
    assert "decided" in rules


@pytest.mark.parametrize("compare, start, bound, step, length", [
    (pw.lt, 0, 4, 1, 4), (pw.lt, 1, 4, 2, 2), (pw.le, 0, 4, 2, 3), (pw.gt, 4, 0, -1, 4), (pw.ge, 5, 0, -2, 3),
    (pw.lt, 5, 4, 1, 0),
])
def test_a_while_that_counts_is_a_loop(compare, start, bound, step, length):
    def body(i, h):
        return pw.add(i, ir.const(step)), pw.add(h, pw.cast(i, dtype=dt.float64))
    i, h, trips, *_ = while_(lambda i, h: compare(i, ir.const(bound)), body, ir.const(start), Y, carried=2)
    graph = optimized(i, h, trips)
    assert "while" not in ops(graph)
    assert ("loop" in ops(graph)) == bool(length)
    if length:
        assert the("loop", graph).attrs["length"] == length


def test_a_while_that_may_end_early_stays():
    i, h, *_ = while_(lambda i, h: pw.logical_and(pw.lt(i, ir.const(9)), pw.lt(total(h), number(50))),
                      lambda i, h: (pw.add(i, ir.const(1)), pw.add(h, h)), ir.const(0), Y, carried=2)
    assert "while" in ops(optimized(i, h))
