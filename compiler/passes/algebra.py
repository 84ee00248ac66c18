"""Simplification: identities of arithmetic, constant folding, chains of views and casts.

Common subexpressions and dead code need no pass: nodes are interned, and a graph is what its roots reach.
"""
from __future__ import annotations

import numpy as np

from graphcore.compiler.passes.rewrite import Rules
from graphcore.ir import graph as ir
from graphcore.ir.graph import Node
from graphcore.ir.types import TensorType
from graphcore.ops import pointwise, view
from graphcore.ops.evaluate import evaluate_node
from graphcore.ops.record import REGISTRY

RULES = Rules()
rule = RULES.rule

FOLD_LIMIT = 1024       # elements of a folded constant


def constant_value(node: Node):
    """The number that a node holds in every element, or None: a one-element constant, perhaps broadcast."""
    while node.op in ("broadcast_to", "reshape"):
        node = node.inputs[0]
    if node.op != "const" or node.type.size != 1:
        return None
    constant = node.attrs["value"]
    if constant.dtype.code == "bf16":
        from graphcore.dtype import bfloat16_to_float32
        return bfloat16_to_float32(constant.array).item()
    return constant.array.item()


def _as(result: Node, node: Node) -> Node:
    """`result` in the shape of `node`, for rules that drop an operand that broadcast."""
    if result.shape == node.shape:
        return result
    return view.broadcast_to(result, shape=node.shape)


@rule("*")
def fold_constants(node: Node):
    """f(constants) -> constant"""
    if node.is_leaf or not isinstance(node.type, TensorType) or not node.inputs:
        return None
    record = REGISTRY[node.op]
    if record.kind in ("structural",) or node.op == "broadcast_to" or not all(i.op == "const" for i in node.inputs):
        return None
    if not node.type.is_static or node.type.size > FOLD_LIMIT or record.random:
        return None
    return ir.const(evaluate_node(node, lambda i: i.attrs["value"].array), node.dtype)


@rule("iota")
def iota_along_one_axis(node: Node):
    """iota of several axes -> broadcast(reshape(iota of one axis))"""
    shape, axis = node.shape, node.attrs["axis"]
    if len(shape) == 1:
        return None
    line = pointwise.iota(shape=(shape[axis],), axis=0, dtype=node.dtype)
    placed = view.reshape(line, shape=tuple(s if i == axis else 1 for i, s in enumerate(shape)))
    return placed if placed.shape == shape else view.broadcast_to(placed, shape=shape)


@rule("add")
def add_zero(node: Node):
    """x + 0 -> x;  for floats x + -0.0 -> x alone: -0.0 + 0.0 is 0.0"""
    for x, c in (node.inputs, node.inputs[::-1]):
        value = constant_value(c)
        if value == 0 and not (x.dtype.is_float and np.copysign(1, value) > 0):
            return _as(x, node)
    return None


@rule("sub")
def subtract_zero(node: Node):
    """x - 0 -> x"""
    return _as(node.inputs[0], node) if constant_value(node.inputs[1]) == 0 else None


@rule("mul")
def multiply_by_one(node: Node):
    """x * 1 -> x;  x * -1 -> -x"""
    for x, c in (node.inputs, node.inputs[::-1]):
        value = constant_value(c)
        if value == 1:
            return _as(x, node)
        if value == -1 and x.dtype.is_float:
            return _as(pointwise.neg(x), node)
    return None


@rule("mul", "div", "add", "sub", "maximum", "minimum")
def scalar_operand(node: Node):
    """x op broadcast(c) -> x op c"""
    inputs = list(node.inputs)
    for k, operand in enumerate(inputs):
        other = inputs[1 - k]
        if operand.op == "broadcast_to" and other.shape == node.shape:
            source = operand.inputs[0]
            if source.shape == () or source.type.size == 1 and source.rank <= node.rank:
                inputs[k] = source
                return REGISTRY[node.op](*inputs)
    return None


@rule("select")
def select_of_equals(node: Node):
    """select(c, a, a) -> a"""
    _, a, b = node.inputs
    return a if a is b and a.shape == node.shape else None


@rule("select")
def select_scalar_branches(node: Node):
    """select(c, broadcast(a), b) -> select(c, a, b) where c already has the shape"""
    condition, a, b = node.inputs
    if condition.shape != node.shape:
        return None
    short = [o.inputs[0] if o.op == "broadcast_to" and o.inputs[0].shape == () else o for o in (a, b)]
    return pointwise.select(condition, *short) if tuple(short) != (a, b) else None


@rule("div")
def divide_by_constant(node: Node):
    """x / 1 -> x;  x / 2^k -> x * 2^-k"""
    x, c = node.inputs
    value = constant_value(c)
    if value is None:
        return None
    if value == 1:
        return _as(x, node)
    mantissa, _ = np.frexp(value)
    if abs(mantissa) == 0.5 and np.isfinite(value) and 1 / value != 0 and abs(value) < 1e30:
        return _as(pointwise.mul(x, pointwise.literal(1 / value, x)), node)
    return None


@rule("pow")
def small_powers(node: Node):
    """x ** 2 -> x * x, and the like for 0.5, 1, 3, -1"""
    x, c = node.inputs
    value = constant_value(c)
    if value is None or not x.dtype.is_float or x.shape != node.shape:
        return None
    if value == 1:
        return x
    if value == 2:
        return pointwise.mul(x, x)
    if value == 3:
        return pointwise.mul(pointwise.mul(x, x), x)
    if value == -1:
        return pointwise.reciprocal(x)
    return pointwise.sqrt(x) if value == 0.5 else None


@rule("square")
def square_is_product(node: Node):
    """square(x) -> x * x"""
    return pointwise.mul(node.inputs[0], node.inputs[0])


@rule("neg")
def double_negation(node: Node):
    """-(-x) -> x"""
    return node.inputs[0].inputs[0] if node.inputs[0].op == "neg" else None


@rule("add")
def add_negation(node: Node):
    """a + (-b) -> a - b"""
    a, b = node.inputs
    if b.op == "neg":
        return pointwise.sub(a, b.inputs[0])
    return pointwise.sub(b, a.inputs[0]) if a.op == "neg" else None


@rule("cast")
def cast_to_same(node: Node):
    """cast(x) -> x where x has the dtype;  f32 -> f64 -> f32 and the like cancel"""
    x = node.inputs[0]
    if x.dtype is node.dtype:
        return x
    if x.op == "cast":
        source = x.inputs[0]
        widens = source.dtype.is_float and x.dtype.is_float and x.dtype.itemsize > source.dtype.itemsize
        if widens:
            return pointwise.cast(source, dtype=node.dtype)
    return None


@rule("cast")
def cast_of_broadcast(node: Node):
    """cast(broadcast(c)) -> broadcast(cast(c)) for constants"""
    x = node.inputs[0]
    if x.op == "broadcast_to" and x.inputs[0].op == "const":
        return view.broadcast_to(pointwise.cast(x.inputs[0], dtype=node.dtype), shape=node.shape)
    return None


@rule("neg", "exp", "log", "sqrt", "rsqrt", "reciprocal")
def unary_of_broadcast(node: Node):
    """f(broadcast(c)) -> broadcast(f(c)) for constants"""
    x = node.inputs[0]
    if x.op == "broadcast_to" and x.inputs[0].op == "const":
        return view.broadcast_to(REGISTRY[node.op](x.inputs[0]), shape=node.shape)
    return None


@rule("reshape")
def merge_reshapes(node: Node):
    """reshape(reshape(x)) -> reshape(x);  reshape to the same shape -> x"""
    x = node.inputs[0]
    if x.shape == node.shape:
        return x
    return view.reshape(x.inputs[0], shape=node.shape) if x.op == "reshape" else None


@rule("transpose")
def merge_transposes(node: Node):
    """transpose(transpose(x)) -> one transpose, or x"""
    x, perm = node.inputs[0], node.attrs["perm"]
    if perm == tuple(range(x.rank)):
        return x
    if x.op == "transpose":
        return view.transpose(x.inputs[0], perm=tuple(x.attrs["perm"][p] for p in perm))
    return None


@rule("broadcast_to")
def trivial_broadcast(node: Node):
    """broadcast to the same shape -> x;  broadcast(broadcast(x)) -> broadcast(x)"""
    x = node.inputs[0]
    if x.shape == node.shape:
        return x
    return view.broadcast_to(x.inputs[0], shape=node.shape) if x.op == "broadcast_to" else None


@rule("slice")
def whole_slice(node: Node):
    """a slice that takes everything in order -> x"""
    x = node.inputs[0]
    return x if node.shape == x.shape and all(s == 1 for s in node.attrs["stride"]) else None


@rule("add")
def sum_of_places(node: Node):
    """place(a) + place(b) + ... that tile an axis -> concat(a, b, ...): the gradient of a split"""
    places, stack = [], [node]
    while stack:
        n = stack.pop()
        if n.op == "add":
            stack.extend(n.inputs)
        elif n.op == "place" and n.shape == node.shape and n.attrs["fill"] == 0 and set(n.attrs["stride"]) == {1}:
            places.append(n)
        else:
            return None
    axes = [i for i, extent in enumerate(node.shape) if any(p.inputs[0].shape[i] != extent for p in places)]
    if len(axes) != 1:
        return None
    (axis,) = axes
    places.sort(key=lambda p: str(p.attrs["begin"][axis]).zfill(12))
    end = 0
    for p in places:
        if p.attrs["begin"][axis] != end:
            return None
        end = p.inputs[0].shape[axis] + end
    return view.concat(*(p.inputs[0] for p in places), axis=axis) if end == node.shape[axis] else None


@rule("concat")
def concat_of_one(node: Node):
    """concat(x) -> x"""
    return node.inputs[0] if len(node.inputs) == 1 else None


@rule("sum", "max", "min", "prod", "all", "any")
def reduce_unit_axes(node: Node):
    """a reduction over axes of size 1 only -> reshape"""
    x = node.inputs[0]
    if all(x.shape[a] == 1 for a in node.attrs["axes"]):
        return view.reshape(x, shape=node.shape)
    return None


@rule("sum")
def sum_of_broadcast(node: Node):
    """sum(broadcast(c)) over static sizes -> c * count"""
    x = node.inputs[0]
    value = constant_value(x)
    if value is None or not x.dtype.is_float:
        return None
    count = 1
    for a in node.attrs["axes"]:
        count = x.shape[a] * count
    if not isinstance(count, int):
        return None
    total = pointwise.literal(value * count, node)
    return view.broadcast_to(total, shape=node.shape) if node.shape else total


@rule("matmul")
def absorb_transposes(node: Node):
    """matmul(transpose(a), b) -> matmul(a, b) {transpose_a}"""
    a, b = node.inputs
    attrs = dict(node.attrs)
    inputs = [a, b]
    for k, key in enumerate(("transpose_a", "transpose_b")):
        x = inputs[k]
        if x.op == "transpose" and _swaps_last_two(x.attrs["perm"]):
            inputs[k] = x.inputs[0]
            attrs[key] = not attrs[key]
    return REGISTRY["matmul"](*inputs, **attrs) if inputs != [a, b] else None


def _swaps_last_two(perm: tuple) -> bool:
    rank = len(perm)
    return rank >= 2 and perm == (*range(rank - 2), rank - 1, rank - 2)
