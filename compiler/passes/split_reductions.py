"""Give reductions with few results parallel work: the long sums of weight gradients are made in parts.

A weight gradient of a convolution (or of a layer with few units) has few elements, each a sum over the whole batch.
It becomes ``sum(parts)``: the parts are computed side by side, and their sum fuses with the optimiser's update.  The
number of parts depends on sizes alone, so results do not depend on the number of threads.
"""
from __future__ import annotations

from graphcore.compiler.kernels.conv_weight import conv2d_parts_for
from graphcore.compiler.kernels.matmul import matmul_parts_for
from graphcore.compiler.passes.rewrite import Rules
from graphcore.ir.dims import product
from graphcore.ir.graph import Node
from graphcore.ops import linear
from graphcore.ops.record import REGISTRY
from graphcore.ops.reduction import sum_
from graphcore.ops.view import reshape, transpose

RULES = Rules()

LONG = 1 << 16          # elements of a reduction to few results from which it is made in two stages
FEW = 4


@RULES.rule("conv2d_grad_weight")
def weight_gradient_in_parts(node: Node):
    """conv2d_grad_weight(x, g) -> sum(conv2d_grad_weight_parts(x, g))"""
    parts = conv2d_parts_for(*(i.type for i in node.inputs), **node.attrs)
    if parts <= 1:
        return None
    return sum_(linear.conv2d_grad_weight_parts(*node.inputs, **node.attrs, parts=parts), axes=(0,), keepdims=False)


@RULES.rule("matmul")
def product_in_parts(node: Node):
    """matmul(a, b) with a long inner axis -> sum(matmul_parts(a, b))"""
    if node.rank != 2:
        return None
    parts = matmul_parts_for(*(i.type for i in node.inputs), **node.attrs)
    if parts <= 1:
        return None
    return sum_(linear.matmul_parts(*node.inputs, **node.attrs, parts=parts), axes=(0,), keepdims=False)


@RULES.rule("sum", "max", "min", "prod", "all", "any")
def reduction_in_two_stages(node: Node):
    """reduce(x) to few results -> reduce(reduce(x in pieces))"""
    x = node.inputs[0]
    axes = node.attrs["axes"]
    if not x.type.is_static or x.type.size < LONG or node.type.size >= FEW:
        return None
    kept = tuple(i for i in range(x.rank) if i not in axes)
    if any(x.shape[k] != 1 for k in kept):
        order = kept + axes
        if order != tuple(range(x.rank)):
            x = transpose(x, perm=order)
    rows, length = product(node.shape), product(node.inputs[0].shape[a] for a in axes)
    pieces = next((p for p in (64, 32, 16, 8, 128, 50, 49, 36, 25, 12, 10, 7, 6, 5) if length % p == 0), None)
    if pieces is None:
        return None
    record = REGISTRY[node.op]
    first = record(reshape(x, shape=(rows * pieces, length // pieces)), axes=(1,), keepdims=False)
    second = record(reshape(first, shape=(rows, pieces)), axes=(1,), keepdims=False)
    return reshape(second, shape=node.shape)
