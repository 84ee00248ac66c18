"""Attention as one operator, and its gradient: the weights of queries by keys never lie in memory as a whole.

An operator gives one tensor.  Where there are several results they lie one behind the other, row-major, along the last
axis, for each index of the leading axes: `attention_results` and `attention_gradients` give the views on them.
Leading axes broadcast, a mask to (..., Lq, Lk).  Gradients of gradients are composed of products and maps.
"""
from __future__ import annotations

import numpy as np

from graphcore.dtype import float32, float64, int32
from graphcore.errors import DTypeError, ShapeError
from graphcore.ir.dims import product
from graphcore.ir.graph import Node
from graphcore.ir.types import TensorType
from graphcore.ops.linear import matmul
from graphcore.ops.pointwise import add, eq, exp, iota, le, literal, mul, neg, select, sub, zeros_like
from graphcore.ops.record import Scheduled, broadcast_shapes, op
from graphcore.ops.reduction import sum_
from graphcore.ops.view import reshape, slice_

# -- shapes ----------------------------------------------------------------------------------------------------------

def attention_shape(name: str, q: TensorType, k: TensorType, v: TensorType, mask: TensorType | None = None) -> tuple:
    """(leading axes, Lq, Lk, D, Dv) of the attention of q (..., Lq, D) to k (..., Lk, D) and v (..., Lk, Dv).

    Raises ShapeError, DTypeError naming the operator `name`.
    """
    if q.dtype not in (float32, float64) or any(t.dtype is not q.dtype for t in (k, v)):
        raise DTypeError(f"{name} takes queries, keys and values all of float32 or all of float64, got {q}, {k} and "
                         f"{v}; cast them")
    if min(q.rank, k.rank, v.rank) < 2 or q.shape[-1] != k.shape[-1] or k.shape[-2] != v.shape[-2]:
        raise ShapeError(f"{name} takes queries (..., L, D), keys (..., S, D) and values (..., S, F), got the shapes "
                         f"{q.shape}, {k.shape} and {v.shape}")
    lead = broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    if mask is not None:
        if not mask.dtype.is_bool and mask.dtype is not q.dtype:
            raise DTypeError(f"{name}: the mask is bool, or of the queries' dtype {q.dtype.name}, got {mask}")
        lead = broadcast_shapes(lead, mask.shape[:-2])
        scores = (q.shape[-2], k.shape[-2])
        if broadcast_shapes(mask.shape[-2:], scores) != scores:
            raise ShapeError(f"{name}: the mask must broadcast to (..., {scores[0]}, {scores[1]}), got {mask.shape}")
    return lead, q.shape[-2], k.shape[-2], q.shape[-1], v.shape[-1]


def _parts(shapes) -> list:
    """(start, size, shape) of parts of these shapes one behind the other."""
    found, start = [], 0
    for shape in shapes:
        found.append((start, product(shape), shape))
        start = start + product(shape)
    return found


def _split(flat, shapes, cut=None) -> tuple:
    """The parts of the last axis, under their shapes behind the leading axes; of an array or (with `cut`) a node."""
    lead = flat.shape[:-1]
    if cut is None:
        return tuple(flat[..., start:start + size].reshape(*lead, *shape) for start, size, shape in _parts(shapes))
    found = (cut(flat, start, size) for start, size, _ in _parts(shapes))
    return tuple(x if x is None else reshape(x, shape=(*lead, *shape)) for x, shape in zip(found, shapes))


def _joined(*parts: tuple) -> np.ndarray:
    """What `_split` takes apart, of (array, number of its own axes)."""
    return np.concatenate([a.reshape(*a.shape[:a.ndim - own], product(a.shape[a.ndim - own:])) for a, own in parts], -1)


def _slice(x: Node, start, size) -> Node:
    lead = x.rank - 1
    return slice_(x, begin=(0,) * lead + (start,), size=(*x.shape[:-1], size), stride=(1,) * x.rank)


def _slice_of_gradient(g: Node, start, size) -> Node | None:
    """A part of what has arrived at all parts; None for zeros.  What came from one part alone is found as it was."""
    if g.op == "add" and g.inputs[0].shape == g.inputs[1].shape:
        a, b = (_slice_of_gradient(x, start, size) for x in g.inputs)
        return add(a, b) if a is not None and b is not None else b if a is None else a
    if g.op == "place" and g.attrs["fill"] == 0 and g.inputs[0].shape[:-1] == g.shape[:-1]:
        (inner,), begin = g.inputs, g.attrs["begin"][-1]
        if begin == start and inner.shape[-1] == size:
            return inner
        if begin + inner.shape[-1] == start or start + size == begin:
            return None
    return _slice(g, start, size)


def _result_shapes(lq, dv) -> tuple:
    return (lq, dv), (lq,)


def attention_results(y: Node, q: Node, v: Node) -> tuple:
    """(output (..., Lq, Dv), logsumexp (..., Lq)) of an `attention` node."""
    return _split(y, _result_shapes(q.shape[-2], v.shape[-1]), _slice)


def attention_gradients(y: Node, q: Node, k: Node, v: Node) -> tuple:
    """The gradients by q, k and v, each with all leading axes, of an `attention_grad` node."""
    return _split(y, [x.shape[-2:] for x in (q, k, v)], _slice)


# -- the references --------------------------------------------------------------------------------------------------

def _scores(q, k, mask, scale, causal):
    scores = np.matmul(q * q.dtype.type(scale), np.swapaxes(k, -1, -2))
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
    if causal:
        scores = np.where(np.tri(*scores.shape[-2:], dtype=bool), scores, -np.inf)
    return scores.astype(q.dtype)


def _powers(scores, shift):
    """exp(scores - shift), where rows with a shift of -inf, which are -inf throughout, give zeros."""
    return np.exp(scores - np.where(np.isneginf(shift), 0, shift))


# -- the composition, for gradients of gradients ---------------------------------------------------------------------

def _as_column(x: Node) -> Node:
    return reshape(x, shape=(*x.shape, 1))


def _row_sums(x: Node) -> Node:
    return sum_(x, axes=(x.rank - 1,), keepdims=False)


def _scaled(x: Node, scale: float) -> Node:
    return mul(x, literal(scale, x))


def _weights(q, k, lse, mask, scale, causal) -> Node:
    """The weights (..., Lq, Lk) from the logsumexp of each row."""
    scores = _scaled(matmul(q, k, transpose_b=True), scale)
    nothing = literal(-np.inf, scores)
    if mask is not None:
        scores = select(mask, scores, nothing) if mask.dtype.is_bool else add(scores, mask)
    if causal:
        rows, columns = (iota(shape=scores.shape[-2:], axis=axis, dtype=int32) for axis in (0, 1))
        scores = select(le(columns, rows), scores, nothing)
    shift = select(eq(lse, literal(-np.inf, lse)), literal(0, lse), lse)
    return exp(sub(scores, _as_column(shift)))


@op
class attention(Scheduled):
    """softmax(q k^T * scale + mask) v and the logarithm of the softmax's divisor, one behind the other.

    q: float32 or float64 (..., Lq, D); k: (..., Lk, D); v: (..., Lk, Dv); mask (may be left out): broadcasts to
    (..., Lq, Lk), of q's dtype (added) or bool (True: takes part).  causal: query i sees the keys 0 to i.
    Result (..., Lq*Dv + Lq), see `attention_results`.  A query that sees no key gives zeros and -inf, or, as the
    softmax of nothing but -inf does, with `empty_is_nan` NaN.
    """
    arity = None
    kernel = "attention"

    def infer(q, k, v, mask=None, *, scale, causal, empty_is_nan=False):
        lead, lq, _, _, dv = attention_shape("attention", q, k, v, mask)
        return q.with_shape((*lead, lq * dv + lq))

    def multiply_adds(q, k, v, mask=None, **attrs):
        lead, lq, lk, d, dv = attention_shape("attention", q, k, v, mask)
        return product(lead) * lq * lk * (d + dv)

    def reference(q, k, v, mask=None, *, scale, causal, empty_is_nan=False):
        scores = _scores(q, k, mask, scale, causal)
        top = scores.max(-1, initial=-np.inf, keepdims=True)
        powers = _powers(scores, top)
        total = powers.sum(-1, keepdims=True)
        with np.errstate(divide="ignore"):
            lse = np.log(total) + top
        output = np.matmul(powers / np.where(total == 0, 1, total), v)
        if empty_is_nan:
            output, lse = (np.where(total == 0, q.dtype.type(np.nan), x) for x in (output, lse))
        lead = output.shape[:-2]
        return _joined((output, 2), (np.broadcast_to(lse[..., 0], (*lead, q.shape[-2])), 1))

    def vjp(g, y, q, k, v, mask=None, *, scale, causal, empty_is_nan=False):
        masks = () if mask is None else (mask,)
        output, lse = attention_results(y, q, v)
        g_output, g_lse = _split(g, _result_shapes(q.shape[-2], v.shape[-1]), _slice_of_gradient)
        if g_output is None:
            g_output, delta = zeros_like(output), neg(g_lse)
        else:
            delta = _row_sums(mul(g_output, output))
            delta = delta if g_lse is None else sub(delta, g_lse)
        found = attention_grad(q, k, v, g_output, lse, delta, *masks, scale=scale, causal=causal)
        found = attention_gradients(found, q, k, v)
        if mask is None:
            return found
        if mask.dtype.is_bool:
            return *found, None
        weights = _weights(q, k, lse, mask, scale, causal)
        return *found, mul(weights, sub(matmul(g_output, v, transpose_b=True), _as_column(delta)))

    def samples():
        return [([q, k, v, *masks], {"scale": scale, "causal": causal})
                for (q, k, v), masks, scale, causal in _examples()]


@op
class attention_grad(Scheduled):
    """The gradients of `attention` by q, k and v, one behind the other.

    q, k, v, mask (last; may be left out), scale, causal: as there; g: (..., Lq, Dv), the gradient of the output; lse:
    (..., Lq), the logsumexp of each query; delta: (..., Lq), the sum over g * output, less the gradient of lse.
    Result (..., Lq*D + Lk*D + Lk*Dv), see `attention_gradients`.
    """
    arity = None
    kernel = "attention_grad"

    def infer(q, k, v, g, lse, delta, mask=None, *, scale, causal):
        lead, lq, lk, d, dv = attention_shape("attention_grad", q, k, v, mask)
        for x, own in ((g, (lq, dv)), (lse, (lq,)), (delta, (lq,))):
            if x.dtype is not q.dtype:
                raise DTypeError(f"attention_grad takes tensors of one dtype, got {q} and {x}; cast one of them")
            if x.rank < len(own) or x.shape[x.rank - len(own):] != own:
                raise ShapeError(f"attention_grad: g must be (..., {lq}, {dv}) and lse and delta (..., {lq}), got the "
                                 f"shapes {g.shape}, {lse.shape} and {delta.shape}")
            lead = broadcast_shapes(lead, x.shape[:x.rank - len(own)])
        return q.with_shape((*lead, lq * d + lk * d + lk * dv))

    def reference(q, k, v, g, lse, delta, mask=None, *, scale, causal):
        weights = _powers(_scores(q, k, mask, scale, causal), lse[..., None])
        slopes = weights * (np.matmul(g, np.swapaxes(v, -1, -2)) - delta[..., None])
        slopes_by_key = np.swapaxes(slopes, -1, -2)
        found = (np.matmul(slopes, k) * q.dtype.type(scale), np.matmul(slopes_by_key, q) * q.dtype.type(scale),
                 np.matmul(np.swapaxes(weights, -1, -2), g))
        lead = np.broadcast_shapes(slopes.shape[:-2], *(x.shape[:-2] for x in found))
        return _joined(*((np.broadcast_to(x, (*lead, *x.shape[-2:])), 2) for x in found))

    def vjp(u, y, q, k, v, g, lse, delta, mask=None, *, scale, causal):
        u_q, u_k, u_v = _split(u, [x.shape[-2:] for x in (q, k, v)], _slice)
        weights = _weights(q, k, lse, mask, scale, causal)
        lift = sub(matmul(g, v, transpose_b=True), _as_column(delta))
        slopes = mul(weights, lift)
        by_slopes = _scaled(add(matmul(u_q, k, transpose_b=True), matmul(q, u_k, transpose_b=True)), scale)
        by_lift = mul(by_slopes, weights)
        by_scores = mul(weights, add(mul(by_slopes, lift), matmul(g, u_v, transpose_b=True)))
        found = (_scaled(add(matmul(by_scores, k), matmul(slopes, u_k)), scale),
                 _scaled(add(matmul(by_scores, q, transpose_a=True), matmul(slopes, u_q, transpose_a=True)), scale),
                 matmul(by_lift, g, transpose_a=True),
                 add(matmul(by_lift, v), matmul(weights, u_v)),
                 neg(_row_sums(by_scores)), neg(_row_sums(by_lift)))
        return found if mask is None else (*found, None if mask.dtype.is_bool else by_scores)

    def samples():
        found = []
        for (q, k, v), masks, scale, causal in _examples():
            shape = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], *(m.shape[:-2] for m in masks))
            rng = np.random.default_rng(3)
            g, lse, delta = (rng.standard_normal((*shape, q.shape[-2], *own)).astype("f4") + shift
                             for own, shift in (((v.shape[-1],), 0), ((), 1), ((), 0)))
            found.append(([q, k, v, g, lse.astype("f4"), delta, *masks], {"scale": scale, "causal": causal}))
        return found


def _examples() -> list:
    """((q, k, v), masks, scale, causal)."""
    rng = np.random.default_rng(0)

    def normal(*shape):
        return rng.standard_normal(shape).astype("f4")

    def operands(lead, lq, lk, d, dv, lead_of_keys=None):
        shared = lead if lead_of_keys is None else lead_of_keys
        return normal(*lead, lq, d), normal(*shared, lk, d), normal(*shared, lk, dv)

    seen = rng.random((2, 1, 4, 5)) < 0.6
    seen[..., 1] = True
    return [(operands((), 3, 4, 5, 2), (), 0.5, False), (operands((2,), 5, 3, 4, 4), (), -0.4, True),
            (operands((2, 3), 4, 5, 3, 2, (3,)), (normal(4, 5),), 0.3, False),
            (operands((2, 3), 4, 5, 3, 1, (2, 1)), (seen,), 0.6, False),
            (operands((2,), 3, 7, 1, 3), (normal(7),), 0.6, True), (operands((1,), 1, 1, 1, 1), (), 1.0, True)]
