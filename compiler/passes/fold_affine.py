"""Inference: fold a per-channel scale behind a convolution or matmul into its weights.

BatchNorm in inference is ``(z - mean) * scale + beta`` with values that depend on Parameters alone.  The scale moves
into the weights, the rest becomes one bias; both are computed by the prologue that reruns when a Parameter changes.
"""
from __future__ import annotations

from graphcore.compiler.passes.rewrite import Rules
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node
from graphcore.ops import pointwise, view
from graphcore.ops.record import REGISTRY


def fold_affine(graph: Graph, log: list | None = None) -> Graph:
    """Apply the rules below to a graph that writes no Parameter; others are returned as they are."""
    if graph.updates:
        return graph
    fixed = parameter_only(graph)

    def is_fixed(node: Node) -> bool:
        if node not in fixed:
            fixed[node] = node.op in ("param", "const") or bool(node.inputs) and all(map(is_fixed, node.inputs))
        return fixed[node]

    return _rules(is_fixed).apply(graph, log)


def parameter_only(graph: Graph) -> dict:
    """Node → whether it depends on Parameters and constants alone."""
    fixed: dict = {}
    for n in graph.nodes:
        random = not n.is_leaf and REGISTRY[n.op].random
        fixed[n] = n.op in ("param", "const") or bool(n.inputs) and not random and all(fixed[i] for i in n.inputs)
    return fixed


def _rules(is_fixed) -> Rules:
    rules = Rules()

    def weighted(node: Node) -> bool:
        """A convolution or matmul by fixed weights, perhaps already with fixed terms added."""
        while node.op in ("add", "sub") and any(map(is_fixed, node.inputs)):
            node = next((i for i in node.inputs if not is_fixed(i)), node.inputs[0])
        return node.op in ("conv2d", "matmul") and is_fixed(node.inputs[1])

    def split(node: Node):
        """(the weighted operand, the fixed one), or None."""
        a, b = node.inputs
        for z, s in ((a, b), (b, a)):
            if is_fixed(s) and not is_fixed(z) and weighted(z) and s.op != "const":
                return z, s
        return None

    @rules.rule("mul")
    def scale_of_sum(node: Node):
        """(z + c) * s -> z * s + c * s"""
        found = split(node)
        if found is None or found[0].op not in ("add", "sub"):
            return None
        total, s = found
        a, b = total.inputs
        record = REGISTRY[total.op]
        return record(pointwise.mul(a, s), pointwise.mul(b, s))

    @rules.rule("add", "sub")
    def one_offset(node: Node):
        """(z + a) + b -> z + (a + b) for fixed a and b; the same where one or both are subtracted"""
        total, b = node.inputs
        if node.op == "add" and is_fixed(total):
            total, b = b, total
        if not is_fixed(b) or is_fixed(total) or total.op not in ("add", "sub") or not weighted(total):
            return None
        z, a = total.inputs
        if total.op == "add" and is_fixed(z):
            z, a = a, z
        if is_fixed(z) or not is_fixed(a):
            return None
        if total.op == node.op:
            return REGISTRY[node.op](z, pointwise.add(a, b))
        return pointwise.add(z, pointwise.sub(b, a) if node.op == "add" else pointwise.sub(a, b))

    @rules.rule("div")
    def divide_is_scale(node: Node):
        """z / s -> z * (1 / s)"""
        z, s = node.inputs
        if is_fixed(s) and not is_fixed(z) and weighted(z):
            return pointwise.mul(z, pointwise.reciprocal(s))
        return None

    @rules.rule("mul")
    def scale_into_weights(node: Node):
        """conv2d(x, w) * s -> conv2d(x, w * s), with s along the output channels; the same for matmul"""
        found = split(node)
        if found is None or found[0].op not in ("conv2d", "matmul"):
            return None
        z, s = found
        x, w = z.inputs
        channel_axis = 1 if z.op == "conv2d" else z.rank - 1
        scale = _along_axis(s, z.shape, channel_axis)
        if scale is None or z.op == "matmul" and w.rank != 2:
            return None
        if z.op == "conv2d":
            scaled = pointwise.mul(w, view.reshape(scale, shape=(w.shape[0], 1, 1, 1)))
        elif z.attrs.get("transpose_b"):
            scaled = pointwise.mul(w, view.reshape(scale, shape=(w.shape[0], 1)))
        else:
            scaled = pointwise.mul(w, scale)
        return ir.node(z.op, (x, scaled), z.attrs, z.type)

    return rules


def _along_axis(s: Node, shape: tuple, axis: int) -> Node | None:
    """`s` as a vector along `axis` of `shape`, if it varies along no other axis."""
    while s.op == "broadcast_to":
        s = s.inputs[0]
    lead = len(shape) - s.rank
    for i, size in enumerate(s.shape):
        if size != 1 and i + lead != axis:
            return None
    if s.type.size == 1:
        return view.broadcast_to(view.reshape(s, shape=(1,)), shape=(shape[axis],))
    return view.reshape(s, shape=(shape[axis],))
