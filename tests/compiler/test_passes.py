"""The rewriting passes, on graphs of a few nodes: what is left after each, and that every rewrite is recorded."""
from __future__ import annotations

import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore.compiler.autodiff import expand_gradients
from graphcore.compiler.passes import algebra, split_reductions
from graphcore.compiler.passes.rewrite import Rules
from graphcore.errors import CompileError
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node
from graphcore.ir.types import parse_type
from graphcore.ops import linear, pointwise, reduction, structural, view

X = ir.input_("x", parse_type("f32[4,6]"))
Y = ir.input_("y", parse_type("f32[4,6]"))


def number(value) -> Node:
    return pointwise.literal(value, X)


def simplified(node: Node) -> Node:
    return algebra.RULES.apply(Graph("g", (X, Y), (node,))).outputs[0]


@pytest.mark.parametrize("node, expected", [
    (pointwise.add(X, number(-0.0)), X),
    (pointwise.add(X, number(0)), pointwise.add(X, number(0))),             # -0.0 + 0.0 is 0.0
    (pointwise.mul(number(1), X), X),
    (pointwise.mul(X, number(-1)), pointwise.neg(X)),
    (pointwise.neg(pointwise.neg(X)), X),
    (pointwise.sub(X, pointwise.neg(Y)), pointwise.sub(X, pointwise.neg(Y))),
    (pointwise.add(X, pointwise.neg(Y)), pointwise.sub(X, Y)),
    (pointwise.div(X, number(4)), pointwise.mul(X, number(0.25))),
    (pointwise.div(X, number(3)), pointwise.div(X, number(3))),
    (pointwise.pow_(X, number(2)), pointwise.mul(X, X)),
    (pointwise.mul(pointwise.mul(X, number(2)), number(4)), pointwise.mul(pointwise.mul(X, number(2)), number(4))),
    (view.transpose(view.transpose(X, perm=(1, 0)), perm=(1, 0)), X),
    (view.reshape(view.reshape(X, shape=(24,)), shape=(4, 6)), X),
    (view.slice_(X, begin=(0, 0), size=(4, 6), stride=(1, 1)), X),
    (pointwise.cast(pointwise.cast(X, dtype=dt.float64), dtype=dt.float32), X),
    (reduction.sum_(view.reshape(X, shape=(4, 1, 6)), axes=(1,), keepdims=False), X),
    (pointwise.exp(number(0)), number(1)),
    (reduction.sum_(view.broadcast_to(number(2), shape=(4, 6)), axes=(0, 1), keepdims=False), number(48)),
], ids=lambda n: n.op)
def test_algebra(node, expected):
    assert simplified(node) is expected


def test_a_cast_that_loses_bits_stays():
    rounded = pointwise.cast(pointwise.cast(X, dtype=dt.float16), dtype=dt.float32)
    assert simplified(rounded) is rounded


def test_transposes_become_part_of_a_matmul():
    product = linear.matmul(X, view.transpose(Y, perm=(1, 0)), transpose_a=False, transpose_b=False)
    assert simplified(product) is linear.matmul(X, Y, transpose_a=False, transpose_b=True)


def test_the_gradient_of_a_split_is_a_concat():
    parts = [view.slice_(X, begin=(0, 2 * i), size=(4, 2), stride=(1, 1)) for i in range(3)]
    loss = pointwise.add(pointwise.mul(parts[0], parts[1]), pointwise.exp(parts[2]))
    gradient = structural.item(structural.grad(loss, X, sens=False), index=0)
    graph = algebra.RULES.apply(expand_gradients(Graph("g", (X,), (gradient,))))
    assert graph.outputs[0].op == "concat"
    assert not any(n.op == "place" for n in graph.nodes)


def test_rewrites_are_recorded_with_their_rule():
    log: list = []
    algebra.RULES.apply(Graph("g", (X,), (pointwise.add(X, number(-0.0)),)), log)
    assert [(r.rule, r.old.op, r.new) for r in log] == [("add_zero", "add", X)]


def test_rules_that_do_not_end_are_named():
    endless = Rules()

    @endless.rule("neg")
    def back_and_forth(node):
        return pointwise.abs_(node.inputs[0])

    @endless.rule("abs")
    def forth_and_back(node):
        return pointwise.neg(node.inputs[0])

    with pytest.raises(CompileError, match="forth_and_back"):
        endless.apply(Graph("g", (X,), (pointwise.neg(X),)))


def test_a_long_sum_is_made_in_two_stages():
    big = ir.input_("big", parse_type("f32[512,512]"))
    graph = Graph("g", (big,), (reduction.sum_(big, axes=(0, 1), keepdims=False),))
    split = split_reductions.RULES.apply(graph)
    assert [n.op for n in split.nodes if n.op == "sum"] == ["sum", "sum"]
    assert np.prod(split.nodes[1].shape) == 512 * 512
