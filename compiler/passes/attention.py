"""Attention that was written out becomes the operator `attention`, which keeps the weights out of memory.

    softmax(mask(matmul(q, k^T) * scale)) @ v  ->  attention(q, k, v[, mask])

Before gradients are taken, so that the gradient is the operator's own.  Only where the weights are asked for by that
one product alone, where the matrices are large enough for it to pay, and where a mask that is added needs no gradient
worth mentioning: a constant, or one number for each key.  The results are the same up to rounding: a query that may see
no key gives NaN, as the softmax of nothing but -inf.
"""
from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from graphcore.compiler.choices import default_first, take
from graphcore.compiler.passes.algebra import constant_value
from graphcore.compiler.passes.rewrite import Rewrite
from graphcore.dtype import float32, float64
from graphcore.ir import graph as ir
from graphcore.ir.dims import Dim
from graphcore.ir.graph import Graph, Node
from graphcore.ops import pointwise, view
from graphcore.ops.attention import attention, attention_results

#: Weights of a head from which on the operator is the faster one; with the future hidden it computes half of them.
WORTH, CAUSAL_WORTH = 1 << 13, 1 << 12
_WAYS = ("weights kept out of memory", "as written")


@dataclass(frozen=True)
class _Scores:
    """What the softmax is taken of: `product`, scaled and masked; `hides`: whether a mask is True for hidden keys."""

    product: Node
    scale: float = 1.0
    causal: bool = False
    mask: Node | None = None
    hides: bool = False


def find_attention(graph: Graph, log: list | None = None) -> Graph:
    """The graph with the operator in place of what computes the same."""
    users, new = ir.users(graph), {}
    for root in (*graph.outputs, *(value for _, value in graph.updates), *graph.effects):
        users[root].append(None)

    def expand(node: Node, inputs: tuple) -> Node:
        result = node if inputs == node.inputs else ir.node(node.op, inputs, node.attrs, node.type)
        found = _attention(node, users, new) if node.op == "matmul" else None
        if found is not None:
            if log is not None:
                log.append(Rewrite("attention_of_products", node, found))
            result = found
        new[node] = result
        return result

    return ir.rebuild(graph, expand) if any(n.op == "matmul" for n in graph.nodes) else graph


def _attention(node: Node, users: dict, new: dict) -> Node | None:
    """The operator for the product of weights and values, on what `new` has for its operands; None: it is not one."""
    weights, values = node.inputs
    if node.dtype not in (float32, float64) or node.attrs.get("transpose_a"):
        return None
    scores = _softmax_of(weights, users)
    found = scores and _scores(scores)
    if not found or found.product.shape != scores.shape:
        return None
    usual = _WAYS[not _is_worth_it(scores.shape[-2:], found.causal)]
    if take("attention", f"of {scores.type}", default_first(usual, *_WAYS)) == _WAYS[1]:
        return None
    q, k = (new[x] for x in found.product.inputs)
    q = _turned(q) if found.product.attrs.get("transpose_a") else q
    k = k if found.product.attrs.get("transpose_b") else _turned(k)
    v = _turned(new[values]) if node.attrs.get("transpose_b") else new[values]
    masks = () if found.mask is None else (new[found.mask],)
    if found.hides:
        masks = (pointwise.logical_not(*masks),)
    result = attention(q, k, v, *masks, scale=found.scale, causal=found.causal, empty_is_nan=True)
    result = attention_results(result, q, v)[0]
    return result if result.type == node.type else None


def _turned(x: Node) -> Node:
    """x with its last two axes swapped."""
    return view.transpose(x, perm=(*range(x.rank - 2), x.rank - 1, x.rank - 2))


def _softmax_of(weights: Node, users: dict) -> Node | None:
    """s for exp(s - max(s)) / sum(exp(s - max(s))) along the last axis, which nobody else uses."""
    if weights.op != "div" or len(users[weights]) != 1:
        return None
    powers, total = weights.inputs
    along = {"axes": (weights.rank - 1,), "keepdims": True}
    if powers.op != "exp" or total.op != "sum" or total.inputs != (powers,) or dict(total.attrs) != along:
        return None
    shifted = powers.inputs[0]
    if shifted.op != "sub" or len(users[powers]) != 2 or len(users[shifted]) != 1:
        return None
    scores, top = shifted.inputs
    top = top.inputs[0] if top.op == "stop_gradient" else top
    is_top = top.op == "max" and top.inputs == (scores,) and dict(top.attrs) == along
    return scores if is_top and len(users[scores]) == 2 else None


def _scores(node: Node) -> _Scores | None:
    """The scores that a node computes, if they are a product, perhaps scaled and then masked."""
    if node.op == "matmul":
        return _Scores(node)
    if node.op in ("mul", "div"):
        return _scaled(node)
    if node.op == "select":
        condition, a, b = node.inputs
        if constant_value(b) == -np.inf:
            return _masked(_scores(a), condition, False)
        return _masked(_scores(b), condition, True) if constant_value(a) == -np.inf else None
    if node.op == "add":
        for x, mask in (node.inputs, node.inputs[::-1]):
            found = _scores(x) if x.shape == node.shape else None
            if found is not None and mask.rank and (mask.op == "const" or mask.rank < 2 or mask.shape[-2] == 1):
                return _masked(found, mask, False)
    return None


def _scaled(node: Node) -> _Scores | None:
    for x, factor in (node.inputs, node.inputs[::-1]):
        value = constant_value(factor)
        if x.op == "matmul" and x.shape == node.shape and value is not None:
            if node.op == "mul":
                return _Scores(x, float(value))
            return _Scores(x, 1.0 / value) if x is node.inputs[0] and value else None
    return None


def _masked(found: _Scores | None, mask: Node, hides: bool) -> _Scores | None:
    """`found` with a mask more, of which it takes one besides the hidden future."""
    if found is None:
        return None
    if _is_future(mask, hides):
        return replace(found, causal=True)
    return replace(found, mask=mask, hides=hides) if found.mask is None else None


def _is_future(mask: Node, hides: bool) -> bool:
    """Whether a constant hides from each query the keys behind it, and nothing else."""
    if mask.op != "const" or mask.rank < 2 or any(size != 1 for size in mask.shape[:-2]):
        return False
    array = mask.attrs["value"].array
    past = np.tri(*array.shape[-2:], dtype=bool)
    if mask.dtype.is_bool:
        return bool((array == (past ^ hides)).all())
    return bool((array == np.where(past, 0, -np.inf)).all())


def _is_worth_it(shape: tuple, causal: bool) -> bool:
    """Whether the weights of a head are many; sizes that are not known may well be."""
    if any(isinstance(size, Dim) for size in shape):
        return True
    return shape[0] * shape[1] >= (CAUSAL_WORTH if causal else WORTH)
