"""Sums of loops made at once, after the loop: the graph that is left, and that it still computes the same."""
from __future__ import annotations

import numpy as np
import pytest

from graphcore.compiler.autodiff import expand_gradients
from graphcore.compiler.pipeline import run_stages
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph
from graphcore.ir.parser import parse_graph
from graphcore.ir.printer import print_graph
from graphcore.ir.types import parse_type
from graphcore.ir.verifier import verify
from graphcore.ops import pointwise as pw
from graphcore.ops.evaluate import interpret
from graphcore.ops.reduction import sum_
from graphcore.ops.view import broadcast_to, concat, place, reshape, slice_, transpose
from tests.compiler.region_functions import gradients, loop, loops, matmul, number, total

STEPS = 5


def leaf(name: str, text: str):
    return ir.input_(name, parse_type(text))


A, B = leaf("a", f"f64[{STEPS},4,3]"), leaf("b", f"f64[{STEPS},4,2]")
START, H, W = leaf("start", "f64[3,2]"), leaf("h", "f64[4,3]"), leaf("w", "f64[3,3]")
TIMES = leaf("times", "i64[]")


def turned(x):
    """Matrices with their last two axes exchanged, in memory of their own."""
    order = (*range(x.rank - 2), x.rank - 1, x.rank - 2)
    return pw.sin(transpose(x, perm=order))


def optimized(*outputs, leaves=(A, B, START, H, W)) -> Graph:
    """After the stages; the values are checked, and that the text of the graph can be read back."""
    graph = Graph("g", leaves, tuple(outputs))
    result = run_stages(graph)[-1].graph
    verify(result, final=True)
    assert parse_graph(print_graph(result)) == result
    random = np.random.RandomState(3)
    point = {x: np.array(3) if x is TIMES else random.standard_normal(x.shape).astype(x.dtype.storage) for x in leaves}
    given = expand_gradients(graph)
    expected, found = (interpret(g, point) for g in (given, result))
    for before, after in zip(given.outputs, result.outputs):
        np.testing.assert_allclose(found[after], expected[before], rtol=1e-9, atol=1e-12)
    return result


def products(graph: Graph) -> list:
    return [n for n in graph.nodes if n.op == "matmul"]


def test_products_of_elements_of_stacks_need_no_loop():
    (s,) = loop(lambda i, s, a, b: (pw.add(s, matmul(a, b, ta=True)),), START, A, B, carried=1, stacks=2, length=STEPS)
    graph = optimized(s)
    assert not loops(graph)
    (product,) = products(graph)
    assert [i.shape for i in product.inputs] == [(STEPS * 4, 3), (STEPS * 4, 2)]
    assert "copy" not in [n.op for n in graph.nodes]


@pytest.mark.parametrize("ta", [False, True])
@pytest.mark.parametrize("tb", [False, True])
def test_operands_transposed_or_not(ta, tb):
    def body(i, s, a, b):
        return (pw.add(matmul(a if ta else turned(a), turned(b) if tb else b, ta, tb), s),)
    (s,) = loop(body, START, A, B, carried=1, stacks=2, length=STEPS)
    graph = optimized(s)
    (product,) = products(graph)
    rows = product.inputs[0].shape[0 if product.attrs["transpose_a"] else 1]
    assert rows == STEPS * 4 and product.shape == (3, 2)


def test_outer_products_move_nothing():
    x, y = leaf("x", f"f64[{STEPS},3,1]"), leaf("y", f"f64[{STEPS},1,2]")
    (s,) = loop(lambda i, s, x, y: (pw.add(s, matmul(x, y)),), START, x, y, carried=1, stacks=2, length=STEPS)
    graph = optimized(s, leaves=(x, y, START))
    assert not loops(graph) and "copy" not in [n.op for n in graph.nodes]
    assert [i.shape for i in products(graph)[0].inputs] == [(STEPS, 3), (STEPS, 2)]


def test_products_with_more_axes():
    x, y = leaf("x", f"f64[{STEPS},2,4,3]"), leaf("y", f"f64[{STEPS},2,4,5]")
    start = leaf("start", "f64[2,3,5]")
    (s,) = loop(lambda i, s, x, y: (pw.add(s, matmul(x, y, ta=True)),), start, x, y, carried=1, stacks=2, length=STEPS)
    graph = optimized(s, leaves=(x, y, start))
    assert not loops(graph) and products(graph)[0].inputs[0].shape == (2, STEPS * 4, 3)


def test_what_the_product_needs_is_kept_once():
    """h changes from step to step: it is kept; what is kept anyway is not kept again, nor is it one step later."""
    def body(i, s, t, h, b, w):
        new = pw.tanh(matmul(h, w))
        return pw.add(s, matmul(h, b, ta=True)), pw.sub(pw.add(t, matmul(new, b, ta=True)), number(0)), new, new
    s, t, _, kept = loop(body, START, START, H, B, W, carried=3, stacks=1, length=STEPS)
    graph = optimized(s, t, kept)
    (node,) = loops(graph)
    assert node.attrs["carried"] == 1 and node.attrs["stacks"] == 0
    assert [i.shape for i in node.type.items] == [(4, 3), (STEPS, 4, 3)]
    assert [n.op for n in node.attrs["body"].nodes].count("matmul") == 1


def test_an_operand_that_does_not_change_is_multiplied_once():
    (s,) = loop(lambda i, s, b, h: (pw.add(s, matmul(h, b, ta=True)),), START, B, H, carried=1, stacks=1, length=STEPS)
    graph = optimized(s)
    assert not loops(graph)
    assert products(graph)[0].inputs[0] is H and products(graph)[0].inputs[1].op == "sum"


def test_chains_and_differences():
    def body(i, s, a, b):
        term = matmul(a, b, ta=True)
        return (pw.sub(pw.add(term, pw.add(s, matmul(pw.sin(a), b, ta=True))), matmul(pw.cos(a), b, ta=True)),)
    (s,) = loop(body, START, A, B, carried=1, stacks=2, length=STEPS)
    graph = optimized(s)
    assert len(products(graph)) == 3 and all(n.shape == (3, 2) for n in products(graph))
    assert not any(n.op == "matmul" for node in loops(graph) for n in node.attrs["body"].nodes)


def test_terms_that_are_no_products_stay():
    def body(i, s, a, b):
        return (pw.add(s, pw.add(matmul(a, b, ta=True), pw.exp(matmul(pw.sin(a), b, ta=True)))),)
    (s,) = loop(body, START, A, B, carried=1, stacks=2, length=STEPS)
    graph = optimized(s)
    (node,) = loops(graph)
    assert [n.op for n in node.attrs["body"].nodes].count("matmul") == 1 and len(products(graph)) == 1


@pytest.mark.parametrize("body", [
    lambda i, s, a, b: (pw.add(s, matmul(a, b, ta=True)), s),                           # its values are kept
    lambda i, s, a, b: (pw.add(s, matmul(a, pw.mul(b, total(s)), ta=True)), b),         # terms are made of it
    lambda i, s, a, b: (pw.mul(s, matmul(a, b, ta=True)), b),                           # no sum
    lambda i, s, a, b: (pw.sub(matmul(a, b, ta=True), s), b),                           # alternating
    lambda i, s, a, b: (pw.add(pw.add(s, s), matmul(a, b, ta=True)), b),                # a geometric series
])
def test_what_is_no_plain_sum_stays(body):
    s, kept = loop(body, START, A, B, carried=1, stacks=2, length=STEPS)
    graph = optimized(s, kept)
    assert len(loops(graph)) == 1 and not products(graph)


def test_reductions_through_views():
    start = leaf("start", "f64[6]")

    def body(i, s, a):
        summed = reshape(sum_(a, axes=(0,), keepdims=True), shape=(3,))
        return (pw.add(s, concat(summed, pw.mul(pw.neg(summed), number(2)), axis=0)),)
    (s,) = loop(body, start, A, carried=1, stacks=1, length=STEPS)
    graph = optimized(s, leaves=(A, start))
    assert not loops(graph) and {n.shape for n in graph.nodes if n.op == "sum"} == {(3,)}


def test_parts_of_a_sum_that_is_placed():
    def body(i, s, a, b):
        part = matmul(slice_(a, begin=(0, 1), size=(4, 2), stride=(1, 1)), b, ta=True)
        return (pw.add(s, place(part, shape=(3, 2), begin=(1, 0), stride=(1, 1), fill=0.0)),)
    (s,) = loop(body, START, A, B, carried=1, stacks=2, length=STEPS)
    graph = optimized(s)
    assert not loops(graph) and products(graph)[0].inputs[0].shape == (STEPS * 4, 2)


def test_a_row_added_to_all_rows():
    (s,) = loop(lambda i, s, b: (pw.add(s, broadcast_to(sum_(b, axes=(0,), keepdims=True), shape=(3, 2))),), START, B,
                carried=1, stacks=1, length=STEPS)
    assert not loops(optimized(s))


def test_a_sum_over_a_large_value_that_is_not_kept_stays():
    big, start = leaf("big", "f32[1000,1000]"), leaf("start", "f32[1000]")
    factor = ir.const(np.float32(0.5))

    def body(i, s, big):
        big = pw.mul(pw.sin(big), factor)
        return pw.add(s, sum_(big, axes=(0,), keepdims=False)), big
    s, _ = loop(body, start, big, carried=2, length=100)
    (node,) = loops(run_stages(Graph("g", (big, start), (s,)))[-1].graph)
    assert node.attrs["carried"] == 2 and len(node.type.items) == 2


def test_a_long_product_of_values_that_are_not_kept_stays():
    """Their stacks would be much larger than the sum that each step adds to."""
    long, start = leaf("long", "f32[100000,4]"), leaf("start", "f32[4,4]")

    def body(i, s, x):
        return pw.add(s, matmul(x, pw.exp(x), ta=True)), pw.sin(x)
    s, _ = loop(body, start, long, carried=2, length=50)
    (node,) = loops(run_stages(Graph("g", (long, start), (s,)))[-1].graph)
    assert node.attrs["carried"] == 2 and len(node.type.items) == 2


def test_a_loop_whose_length_is_data_stays():
    (s,) = loop(lambda i, s, h, w: (pw.add(s, matmul(pw.mul(h, pw.cast(i, dtype=h.dtype)), w, ta=True)),), TIMES,
                leaf("s", "f64[3,3]"), H, H, carried=1)
    assert len(loops(optimized(s, leaves=(leaf("s", "f64[3,3]"), H, TIMES)))) == 1


def test_integers_are_left_alone():
    x, start = leaf("x", f"i32[{STEPS},4]"), leaf("start", "i32[]")
    (s,) = loop(lambda i, s, x: (pw.add(s, sum_(x, axes=(0,), keepdims=False)),), start, x, carried=1, stacks=1,
                length=STEPS)
    assert len(loops(optimized(s, leaves=(x, start)))) == 1


def test_symbolic_sizes():
    x, y, start = leaf("x", "f32[T,N,40]"), leaf("y", "f32[T,N,30]"), leaf("start", "f32[40,30]")
    length = x.shape[0]
    (s,) = loop(lambda i, s, x, y: (pw.add(s, matmul(x, pw.sin(y), ta=True)),), start, x, y, carried=1, stacks=2,
                length=length)
    graph = run_stages(Graph("g", (x, y, start), (s,)))[-1].graph
    verify(graph, final=True)
    assert products(graph)[0].inputs[0].shape == (length * x.shape[1], 40)


def test_a_sum_over_what_would_be_much_memory_for_a_symbolic_size_stays():
    """The loop takes nothing from stacks: there is no telling how long it is, and whether there is memory for more."""
    x, start, times = leaf("x", "f32[N,4]"), leaf("start", "f32[4,4]"), leaf("times", "f32[T]")

    def body(i, s, x, time):
        return pw.add(s, matmul(x, pw.exp(x), ta=True)), pw.mul(pw.sin(x), time)
    s, _ = loop(body, start, x, times, carried=2, stacks=1, length=times.shape[0])
    (node,) = loops(run_stages(Graph("g", (x, start, times), (s,)))[-1].graph)
    assert node.attrs["carried"] == 2 and len(node.type.items) == 2


def test_sums_of_nested_loops():
    x, y = leaf("x", "f64[2,3,4,3]"), leaf("y", "f64[2,3,4,2]")

    def outer(i, s, x, y):
        (s,) = loop(lambda j, s, x, y: (pw.add(s, matmul(x, y, ta=True)),), s, x, y, carried=1, stacks=2, length=3)
        return (s,)
    (s,) = loop(outer, START, x, y, carried=1, stacks=2, length=2)
    graph = optimized(s, leaves=(x, y, START))
    assert not loops(graph) and products(graph)[0].inputs[0].shape == (24, 3)


@pytest.mark.parametrize("order", [1, 2])
def test_gradients_of_a_recurrent_net(order):
    """Every sum of weights' gradients leaves the loops, those of gradients of gradients too."""
    bias = leaf("bias", "f64[3]")

    def body(i, h, a, w, bias):
        new = pw.tanh(pw.add(pw.add(a, matmul(h, w)), bias))
        return new, new
    h, kept = loop(body, H, A, W, bias, carried=1, stacks=1, length=STEPS)
    found = gradients(pw.add(total(pw.square(h)), total(pw.sin(kept))), W, bias)
    if order == 2:
        found = gradients(pw.add(total(pw.square(found[0])), total(pw.square(found[1]))), W, bias)
    graph = optimized(*found, leaves=(A, H, W, bias))
    for node in loops(graph):
        assert not any(n.op == "add" and n.shape in (W.shape, bias.shape) for n in node.attrs["body"].nodes)


def test_the_text_before_and_after():
    (s,) = loop(lambda i, s, a, b: (pw.add(s, matmul(a, b, ta=True)),), START, A, B, carried=1, stacks=2, length=STEPS)
    graph = Graph("g", (A, B, START), (s,))
    assert "%1 = matmul(%v2, %v3) {transpose_a=True} : f64[3,2]" in print_graph(graph)
    assert print_graph(run_stages(graph)[-1].graph) == """\
graph g(%a: f64[5,4,3], %b: f64[5,4,2], %start: f64[3,2]) -> f64[3,2] {
  %1 = reshape(%a) {shape=(20,3)} : f64[20,3]
  %2 = reshape(%b) {shape=(20,2)} : f64[20,2]
  %3 = matmul(%1, %2) {transpose_a=True, transpose_b=False} : f64[3,2]
  %4 = add(%start, %3) : f64[3,2]
  return %4
}
"""


def test_the_rewrite_is_recorded():
    (s,) = loop(lambda i, s, a, b: (pw.add(s, matmul(a, b, ta=True)),), START, A, B, carried=1, stacks=2, length=STEPS)
    rules = [r.rule for report in run_stages(Graph("g", (A, B, START), (s,))) for r in report.rewrites]
    assert "sums_at_once" in rules
