"""Products with the states before each iteration of a loop take those after it: the graph, and its values."""
from __future__ import annotations

import numpy as np
import pytest

from graphcore.compiler.passes.states_before import states_before
from graphcore.compiler.pipeline import run_stages
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph
from graphcore.ir.types import parse_type
from graphcore.ops import pointwise as pw
from graphcore.ops.view import broadcast_to, reshape
from tests.compiler.region_functions import gradients, loop, matmul, optimized_in_float32, total

ROWS, H, W, OTHER = (ir.input_(name, parse_type(text)) for name, text in (
    ("rows", "f32[6,4,8]"), ("h", "f32[4,8]"), ("w", "f32[8,8]"), ("other", "f32[24,5]")))
LEAVES = (ROWS, H, W, OTHER)
ZERO = broadcast_to(ir.const(np.float32(0)), shape=(4, 8))


def recurrent(start=H, reverse=False):
    """The last state, the stack of those before each step, the stack of those after."""
    def body(i, h, row, w):
        new = pw.tanh(pw.add(row, matmul(h, w)))
        return new, h, new
    return loop(body, start, ROWS, W, carried=1, stacks=1, length=6, reverse=reverse)


def rows(stack):
    return reshape(stack, shape=(24, 8))


def optimized(*outputs) -> Graph:
    return optimized_in_float32(LEAVES, outputs)


def stacks_of(graph: Graph) -> int:
    """How many stacks the only loop keeps."""
    (node,) = (n for n in graph.nodes if n.op == "loop")
    return len(node.type.items) - node.attrs["carried"]


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("start", [H, ZERO])
@pytest.mark.parametrize("product", [
    lambda states: matmul(OTHER, states, ta=True),
    lambda states: matmul(reshape(OTHER, shape=(5, 24)), states),
    lambda states: matmul(states, OTHER, ta=True),
    lambda states: matmul(states, reshape(OTHER, shape=(5, 24)), ta=True, tb=True),
])
def test_the_stack_of_states_after_serves_for_both(product, start, reverse):
    _, before, after = recurrent(start, reverse)
    graph = optimized(product(rows(before)), after)
    assert stacks_of(graph) == 1
    assert [n.op for n in graph.nodes].count("matmul") == (2 if start is H else 1)


def test_several_products():
    _, before, after = recurrent()
    graph = optimized(matmul(OTHER, rows(before), ta=True), matmul(rows(before), pw.sin(OTHER), ta=True), after)
    assert stacks_of(graph) == 1


@pytest.mark.parametrize("use", [
    lambda before: before,                                                      # asked for itself
    lambda before: matmul(rows(before), W),                                     # rows stay rows
    lambda before: pw.sin(before),
    lambda before: matmul(rows(before), rows(before), ta=True),
    lambda before: matmul(reshape(before, shape=(48, 4)), reshape(ROWS, shape=(48, 4)), ta=True),
])
def test_states_that_are_used_otherwise_are_kept(use):
    _, before, after = recurrent()
    assert stacks_of(optimized(use(before), matmul(OTHER, rows(before), ta=True), after)) == 2


def test_states_after_are_kept_in_place_of_those_before():
    _, before, _ = recurrent()
    graph = optimized(matmul(OTHER, rows(before), ta=True))
    (node,) = (n for n in graph.nodes if n.op == "loop")
    assert [o.op for o in node.attrs["body"].outputs] == ["tanh", "copy"]


def test_a_state_that_is_another_one_before_is_kept():
    """A register that shifts: the state after is a state before itself."""
    def body(i, h, last, row):
        return pw.tanh(pw.add(h, row)), h, last
    _, _, before = loop(body, H, H, ROWS, carried=2, stacks=1, length=6)
    graph = Graph("g", LEAVES, (matmul(OTHER, rows(before), ta=True),))
    assert states_before(graph) == graph
    optimized(*graph.outputs)


@pytest.mark.parametrize("reverse", [False, True])
def test_gradients(reverse):
    """The gradient of the weight is such a product; so are some of its gradient."""
    h, _, after = recurrent(reverse=reverse)
    (first,) = gradients(pw.add(total(pw.square(h)), total(pw.sin(after))), W)
    log = [r.rule for report in run_stages(Graph("g", LEAVES, (first,))) for r in report.rewrites]
    assert "states_before" in log
    optimized(first, *gradients(total(pw.square(first)), W, H))
