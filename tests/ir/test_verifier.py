"""The verifier finds each kind of broken graph and says which node and line it is."""
import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore.errors import IRError
from graphcore.ir import graph as ir
from graphcore.ir.dims import Dim
from graphcore.ir.graph import Graph, Node, Origin
from graphcore.ir.types import TensorType
from graphcore.ir.verifier import verify
from graphcore.ops import pointwise, reduction, structural


def f32(*shape):
    return TensorType(dt.float32, shape)


X, W = ir.input_("x", f32(2, 3)), ir.param("w", f32(3))


def graph_of(*outputs, inputs=(X,), updates=()):
    return Graph("g", inputs, outputs, updates)


def test_a_good_graph_passes():
    y = reduction.sum_(pointwise.mul(X, W), axes=(0,), keepdims=False)
    verify(graph_of(y, updates=(("w", y),)), final=True)
    size = Dim.symbol("N") + 1
    verify(graph_of(ir.input_("x", f32(size)), inputs=(ir.input_("x", f32(size)),)))


@pytest.mark.parametrize("node, message", [
    (ir.node("mul", (X, W), {}, f32(3, 2)), r"%1 = mul\(%x, w\) : f32\[3,2\]: its type should be f32\[2,3\]"),
    (ir.node("no_such_op", (X,), {}, f32(2)), "there is no operator 'no_such_op'"),
    (ir.node("mul", (X,), {}, f32(2, 3)), "mul takes 2 inputs"),
    (ir.node("mul", (X, ir.const(np.float64(1))), {}, f32(2, 3)), "dtypes differ"),
    (ir.node("reshape", (X,), {"shape": (7,)}, f32(7)), "has 6 elements"),
    (ir.node("reshape", (X,), {"form": (6,)}, f32(6)), "its type rule fails.*TypeError"),
    (ir.node("reshape", (X,), {"shape": ("a",)}, f32(6)), "attribute shape must be a tuple of sizes"),
    (ir.node("reshape", (X,), {"shape": (-2, -3)}, f32(-2, -3)), "the size -2 is negative"),
    (ir.node("reshape", (X,), {"shape": (True, 6)}, f32(True, 6)), "attribute shape must be a tuple of sizes"),
    (ir.node("broadcast_to", (X,), {"shape": (1 << 44, 2, 3)}, f32(1 << 44, 2, 3)), "larger than any memory"),
    (ir.node("cast", (X,), {"dtype": object}, f32(6)), "cannot stand in a graph"),
    (ir.node("const", (), {"value": ir.Constant(np.zeros(3, "f4"))}, f32(4)), "does not have the type"),
    (ir.param("v", f32(-1)), "the size -1 is negative"),
    (ir.param("v", f32(1.5)), "1.5 is not a size"),
    (ir.param("v", f32(Dim.symbol("f32"))), "'f32', which is no name for a symbol"),
], ids=lambda v: v if isinstance(v, str) else "")
def test_a_broken_node_is_named(node, message):
    with pytest.raises(IRError, match=message):
        verify(graph_of(node))


def test_the_users_line_is_named():
    node = ir.node("mul", (X, W), {}, f32(9))
    graph = graph_of(node)
    graph.origins.add(node, [Origin("fc", "/home/user/net.py", 7)])
    with pytest.raises(IRError, match=r"\(fc  net.py:7\)"):
        verify(graph)


def test_names_must_be_unique():
    with pytest.raises(IRError, match="not unique"):
        verify(graph_of(X, inputs=(X, ir.input_("x", f32()))))
    with pytest.raises(IRError, match="not an input"):
        verify(graph_of(X, inputs=()))
    with pytest.raises(IRError, match="two types"):
        verify(graph_of(W, ir.param("w", f32(4))))


def test_updates_have_the_type_of_their_parameter():
    y = pointwise.mul(X, W)
    with pytest.raises(IRError, match=r"w has type f32\[3\], but its new value is %1 = mul"):
        verify(graph_of(y, updates=(("w", y),)))
    with pytest.raises(IRError, match="updated twice"):
        verify(graph_of(W, updates=(("w", W), ("w", W))))


def test_structural_nodes_must_be_gone_in_the_end():
    marked = structural.stop_gradient(X)
    verify(graph_of(marked))
    with pytest.raises(IRError, match="stop_gradient is bookkeeping"):
        verify(graph_of(marked), final=True)


def test_a_node_that_was_not_interned():
    twin = object.__new__(Node)
    good = pointwise.relu(X)
    twin.op, twin.inputs, twin.attrs, twin.type = good.op, good.inputs, good.attrs, good.type
    with pytest.raises(IRError, match="is the same as %1"):
        verify(graph_of(good, twin))


def test_regions_are_verified_too():
    bad = Graph("body", (X,), (ir.node("mul", (X, X), {}, f32(1)),))
    node = ir.node("relu", (X,), {"body": bad}, X.type)
    with pytest.raises(IRError):
        verify(graph_of(node))
