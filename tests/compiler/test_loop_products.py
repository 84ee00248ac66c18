"""Products of what a loop is given are made before it: the graph that is left, and its values."""
from __future__ import annotations

import pytest

from graphcore.compiler.pipeline import run_stages
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph
from graphcore.ir.types import parse_type
from graphcore.ops import indexing
from graphcore.ops import pointwise as pw
from graphcore.ops.view import slice_
from tests.compiler.region_functions import gradients, loop, loops, matmul, optimized_in_float32, total

ROWS, WIDE, H, W, U, TALL = (ir.input_(name, parse_type(text)) for name, text in (
    ("rows", "f32[6,4,8]"), ("wide", "f32[6,4,16]"), ("h", "f32[4,8]"), ("w", "f32[8,8]"), ("u", "f32[8,8]"),
    ("tall", "f32[4,4]")))
LEAVES = (ROWS, WIDE, H, W, U, TALL)


def optimized(*outputs) -> Graph:
    return optimized_in_float32(LEAVES, outputs, reach=0.5)


def products_in(node) -> int:
    return [n.op for n in node.attrs["body"].nodes].count("matmul")


@pytest.mark.parametrize("stack, view", [
    (ROWS, lambda x: x),
    (WIDE, lambda x: slice_(x, begin=(0, 4), size=(4, 8), stride=(1, 1))),
])
@pytest.mark.parametrize("tb", [False, True])
def test_inputs_are_multiplied_at_once(stack, view, tb):
    def body(i, h, x, w, u):
        return (pw.tanh(pw.add(matmul(view(x), w, tb=tb), matmul(h, u))),)
    (h,) = loop(body, H, stack, W, U, carried=1, stacks=1, length=6)
    graph = optimized(h)
    (node,) = loops(graph)
    assert products_in(node) == 1
    (product,) = (n for n in graph.nodes if n.op == "matmul")
    assert product.shape == (6, 4, 8)


def test_rows_read_by_the_index():
    """As users write it: for i in range(6): h = tanh(x[i] w + h u)."""
    def body(i, h, x, w, u):
        return (pw.tanh(pw.add(matmul(indexing.gather(x, i, axis=0), w), matmul(h, u))),)
    (h,) = loop(body, H, ROWS, W, U, carried=1, length=6)
    assert products_in(loops(optimized(h))[0]) == 1


def test_gradients_are_products_at_once_too():
    def body(i, h, x, w, u):
        return (pw.tanh(pw.add(matmul(x, w), matmul(h, u))),)
    (h,) = loop(body, H, ROWS, W, U, carried=1, stacks=1, length=6)
    graph = optimized(*gradients(total(pw.sin(h)), W, U, ROWS))
    assert [products_in(node) for node in loops(graph)] == [1, 1]


@pytest.mark.parametrize("body", [
    lambda i, h, x, w, u, t: pw.add(h, matmul(pw.mul(x, h), w)),            # made of the state
    lambda i, h, x, w, u, t: pw.sin(pw.add(h, matmul(t, x))),               # on the other side
    lambda i, h, x, w, u, t: pw.sin(pw.add(h, matmul(pw.sin(x), w))),       # not itself on a stack
])
def test_other_products_stay(body):
    (h,) = loop(lambda *v: (body(*v),), H, ROWS, W, U, TALL, carried=1, stacks=1, length=6)
    node = loops(optimized(h))
    assert not node or products_in(node[0]) == 1


def test_products_that_would_fill_the_memory_stay():
    thin, broad, start = (ir.input_(name, parse_type(text)) for name, text in (
        ("thin", "f32[1000,512,8]"), ("broad", "f32[8,4096]"), ("start", "f32[512,4096]")))
    (h,) = loop(lambda i, h, x, w: (pw.sin(pw.add(h, matmul(x, w))),), start, thin, broad, carried=1, stacks=1,
                length=1000)
    graph = run_stages(Graph("g", (thin, broad, start), (h,)))[-1].graph
    assert products_in(loops(graph)[0]) == 1


def test_the_rewrite_is_recorded():
    (h,) = loop(lambda i, h, x, w: (pw.sin(pw.add(h, matmul(x, w))),), H, ROWS, W, carried=1, stacks=1, length=6)
    assert "products_at_once" in [r.rule for report in run_stages(Graph("g", LEAVES, (h,))) for r in report.rewrites]
