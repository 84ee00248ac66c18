"""What loops keep: values as the loop that takes them uses them, each written by the kernel that makes it."""
from __future__ import annotations

import numpy as np
import pytest

from graphcore.compiler.passes.loop_results import kept_values_apart
from graphcore.compiler.pipeline import run_stages
from graphcore.compiler.program import compile_graph
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph
from graphcore.ir.types import parse_type
from graphcore.ops import linear
from graphcore.ops import pointwise as pw
from graphcore.ops.view import concat, slice_
from tests.compiler.region_functions import gradients, loop, loops, optimized_in_float32, total

ROWS, H, C, W, BIAS = (ir.input_(name, parse_type(text)) for name, text in (
    ("rows", "f32[6,4,8]"), ("h", "f32[4,8]"), ("c", "f32[4,8]"), ("w", "f32[8,8]"), ("bias", "f32[8]")))
LEAVES = (ROWS, H, C, W, BIAS)
HALF = ir.const(np.float32(0.5))


def optimized(*outputs) -> Graph:
    return optimized_in_float32(LEAVES, outputs)


def launches(*outputs) -> int:
    return compile_graph(Graph("g", LEAVES, tuple(outputs)), {}).launches


def body_ops(node) -> list:
    return [n.op for n in node.attrs["body"].nodes if not n.is_leaf]


def recurrent(activation, used=None):
    """The state after all rows, and the states kept, of h <- f(row + h w + bias)."""
    def body(i, h, row, w, bias):
        before = pw.add(row, pw.add(linear.matmul(h, w, transpose_a=False, transpose_b=False), bias))
        new = activation(before)
        return new, used(before) if used else new
    return loop(body, H, ROWS, W, BIAS, carried=1, stacks=1, length=6)


# -- kept as used ----------------------------------------------------------------------------------------------------

def test_an_activation_is_kept_instead_of_what_it_is_made_of():
    h, kept = recurrent(pw.tanh)
    graph = optimized(*gradients(pw.add(total(h), total(pw.square(kept))), W, BIAS))
    forward, backward = loops(graph)
    assert len(forward.type.items) == 2                     # the state and its stack, which serves for all
    assert "tanh" not in body_ops(backward) and "matmul" in body_ops(backward)


def test_what_the_backward_pass_uses_in_parts_is_kept_before_it_is_parted():
    def halves(x):
        first, second = (slice_(x, begin=(0, k), size=(4, 4), stride=(1, 1)) for k in (0, 4))
        return pw.mul(pw.sigmoid(first), pw.tanh(second))
    h, kept = recurrent(pw.sin, halves)
    graph = optimized(*gradients(pw.add(total(h), total(kept)), W, BIAS))
    backward = loops(graph)[1]
    assert "slice" in body_ops(backward)
    assert ROWS not in backward.inputs and BIAS not in backward.inputs      # nothing is added up again


def test_several_values_of_the_loop_are_added_up():
    """What else goes into the value that is kept may be computed itself."""
    def body(i, h, row, w, bias):
        product = linear.matmul(h, w, transpose_a=False, transpose_b=False)
        both = pw.add(pw.mul(row, bias), pw.add(product, bias))
        first, second = (slice_(both, begin=(0, k), size=(4, 4), stride=(1, 1)) for k in (0, 4))
        return (concat(pw.sigmoid(first), pw.tanh(second), axis=1),)
    (h,) = loop(body, H, ROWS, W, BIAS, carried=1, stacks=1, length=6)
    backward = loops(optimized(*gradients(total(pw.sin(h)), W)))[1]
    assert ROWS not in backward.inputs and BIAS not in backward.inputs


def test_what_is_used_twice_stays():
    """The gradient by the state needs the product itself too: keeping more would take memory."""
    def body(i, h, row, w):
        product = linear.matmul(h, w, transpose_a=False, transpose_b=False)
        return (pw.tanh(pw.mul(product, pw.mul(product, row))),)
    (h,) = loop(body, H, ROWS, W, carried=1, stacks=1, length=6)
    forward, backward = loops(optimized(*gradients(total(h), W)))
    kept = forward.attrs["body"].outputs[1:]
    assert any(n.op == "matmul" for n in kept)


def test_what_somebody_else_takes_is_not_kept_twice():
    def body(i, h, row, w, bias):
        product = linear.matmul(h, w, transpose_a=False, transpose_b=False)
        return pw.sin(pw.add(product, bias)), product
    h, kept = loop(body, H, ROWS, W, BIAS, carried=1, stacks=1, length=6)
    found = gradients(pw.add(total(h), total(kept)), W)
    forward = loops(optimized(*found, kept))[0]
    assert sum(n.op == "matmul" for n in forward.attrs["body"].outputs) == 1


@pytest.mark.parametrize("reverse", [False, True])
def test_gradients_of_gradients(reverse):
    def body(i, h, row, w, bias):
        new = pw.tanh(pw.add(row, pw.add(linear.matmul(h, w, transpose_a=False, transpose_b=False), bias)))
        return new, new
    h, kept = loop(body, H, ROWS, W, BIAS, carried=1, stacks=1, length=6, reverse=reverse)
    first = gradients(pw.add(total(h), total(pw.mul(kept, kept))), W, BIAS)
    optimized(*gradients(pw.add(total(pw.square(first[0])), total(pw.sin(first[1]))), W, BIAS))


def test_the_rewrite_is_recorded():
    h, _ = recurrent(pw.tanh)
    graph = Graph("g", LEAVES, tuple(gradients(total(h), W, BIAS)))
    assert "kept_as_used" in [r.rule for report in run_stages(graph) for r in report.rewrites]


# -- kept apart ------------------------------------------------------------------------------------------------------

def cell(i, h, c, row):
    """The states before and after are all kept."""
    new = pw.add(pw.mul(pw.sigmoid(row), c), pw.tanh(h))
    out = pw.mul(pw.sin(row), pw.tanh(new))
    return out, new, h, c, out, new


def test_one_kernel_writes_states_and_stacks():
    found = loop(cell, H, C, ROWS, carried=2, stacks=1, length=6)
    (node,) = loops(optimized(*found))
    outputs = node.attrs["body"].outputs
    assert len(set(outputs)) == 6 and [o.op for o in outputs[2:]] == ["copy"] * 4
    assert launches(*found) == 3            # two bring the states in


@pytest.mark.parametrize("body", [
    lambda i, h, c, row: (c, h, h, c),                                          # exchanged, and both kept
    lambda i, h, c, row: (pw.add(h, row), h, h, h),                             # a register that shifts
    lambda i, h, c, row: (pw.sin(c), pw.sin(h), h, c),
    lambda i, h, c, row: (pw.mul(h, HALF), pw.add(c, h), pw.mul(h, HALF), pw.mul(h, HALF)),
    lambda i, h, c, row: (h, pw.add(c, row), c, pw.add(c, row)),
])
@pytest.mark.parametrize("reverse", [False, True])
def test_states_that_take_from_one_another(body, reverse):
    optimized(*loop(body, H, C, ROWS, carried=2, stacks=1, length=6, reverse=reverse))


def test_products_that_are_kept():
    def body(i, h, row, w):
        new = linear.matmul(h, w, transpose_a=False, transpose_b=False)
        return new, new, h, pw.mul(new, row)
    optimized(*loop(body, H, ROWS, W, carried=1, stacks=1, length=6))


def test_a_value_kept_alone_needs_no_copy():
    """It is written where it belongs as it is."""
    h, kept = loop(lambda i, h, row: (pw.sin(h), pw.mul(h, row)), H, ROWS, carried=1, stacks=1, length=6)
    graph = Graph("g", LEAVES, (h, kept))
    assert kept_values_apart(graph) == graph
