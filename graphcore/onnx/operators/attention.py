"""Attention and rotary embeddings of the default domain."""
from __future__ import annotations

import math

from graphcore import dtype as dt
from graphcore.onnx.table import operator
from graphcore.onnx.tensors import dtype_of
from graphcore.ops import functional as F
from graphcore.ops.functional.creation import counted
from graphcore.tensor import Tensor


def _heads(x: Tensor, count: int) -> Tensor:
    """[N, L, heads * E] as [N, heads, L, E]."""
    n, length, width = x.shape
    return F.transpose(F.reshape(x, (n, length, count, width // count)), (0, 2, 1, 3))


@operator("Attention", 23)
def attention(q, k, v, attn_mask=None, past_key=None, past_value=None, nonpad_kv_seqlen=None, *, is_causal=0,
              kv_num_heads=None, q_num_heads=None, qk_matmul_output_mode=0, scale=None, softcap=0.0,
              softmax_precision=None, left_window_size=-1, right_window_size=-1, outputs):
    """(result, present keys, present values, products of queries and keys at the stage that the mode names)."""
    flat = q.ndim == 3
    if flat:
        if q_num_heads is None or kv_num_heads is None:
            raise ValueError("tensors of three axes need q_num_heads and kv_num_heads")
        q, k, v = _heads(q, q_num_heads), _heads(k, kv_num_heads), _heads(v, kv_num_heads)
    past = 0
    if past_key is not None:
        past = past_key.shape[2]
        k, v = F.concat([past_key, k], 2), F.concat([past_value, v], 2)
    present, groups = (k, v), q.shape[1] // k.shape[1]
    if groups > 1:
        k, v = (F.repeat_interleave(t, groups, 1) for t in (k, v))
    scale = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    half = math.sqrt(scale)
    products = F.matmul(q * half, F.swapaxes(k * half, -1, -2))
    length, keys = products.shape[-2:]
    # a query's place among the keys: behind the past, or at the end of what nonpad_kv_seqlen counts
    last = Tensor(past, dt.int64)
    if nonpad_kv_seqlen is not None:
        counts = F.reshape(F.cast(nonpad_kv_seqlen, dt.int64), (-1, 1, 1, 1))
        last = counts - length
    allowed, added = _limits(products, last, attn_mask, is_causal, left_window_size, right_window_size)
    if nonpad_kv_seqlen is not None:
        allowed = _both(allowed, F.reshape(counted(keys), (1, 1, 1, keys)) < counts)
    capped = F.tanh(products / softcap) * softcap if softcap else products
    biased = capped if added is None else capped + F.cast(added, capped.dtype)
    seen = biased if allowed is None else F.where(allowed, biased, Tensor(-math.inf, biased.dtype))
    weights = _weights(seen, softmax_precision)
    y = F.matmul(weights, v)
    if flat:
        n, heads, length, width = y.shape
        y = F.reshape(F.transpose(y, (0, 2, 1, 3)), (n, length, heads * width))
    stages = (products, capped, seen, weights)
    if not 0 <= qk_matmul_output_mode < len(stages):
        raise ValueError(f"unknown qk_matmul_output_mode {qk_matmul_output_mode}")
    return y, *present, stages[qk_matmul_output_mode]


def _both(a, b):
    return b if a is None else F.logical_and(a, b)


def _limits(products, last, mask, is_causal, left, right) -> tuple:
    """(bool mask of what may be seen, float mask that is added), each or None."""
    length, keys = products.shape[-2:]
    allowed = added = None
    if mask is not None:
        if mask.shape[-1] != keys:      # a shorter mask ends early: what lies behind is not seen
            missing = keys - mask.shape[-1]
            fill = False if mask.dtype.is_bool else -math.inf
            mask = F.concat([mask, F.full((*mask.shape[:-1], missing), fill, dtype=mask.dtype)], -1)
        allowed, added = (mask, None) if mask.dtype.is_bool else (None, mask)
    if is_causal or left >= 0 or right >= 0:
        away = F.reshape(counted(keys), (1, keys)) - (F.reshape(counted(length), (length, 1)) + last)
        if is_causal:
            allowed = _both(allowed, away <= 0)
        if left >= 0:
            allowed = _both(allowed, away >= -left)
        if right >= 0:
            allowed = _both(allowed, away <= right)
    return allowed, added


def _weights(x: Tensor, precision) -> Tensor:
    """The softmax along the last axis, zeros for a query that sees nothing."""
    wide = x if precision is None else F.cast(x, dtype_of(precision))
    top = F.amax(wide, -1, True)
    powers = F.exp(wide - F.where(F.equal(top, -math.inf), Tensor(0, wide.dtype), top))
    total = F.sum(powers, -1, True)
    return F.cast(powers / F.where(F.equal(total, 0), Tensor(1, wide.dtype), total), x.dtype)


@operator("RotaryEmbedding", 23)
def rotary(x, cos_cache, sin_cache, position_ids=None, *, interleaved=0, num_heads=0, rotary_embedding_dim=0):
    """Pairs of elements turned by the angles of their place; x: [N, heads, L, E] or [N, L, heads * E]."""
    flat = x.ndim == 3
    turned = _heads(x, num_heads) if flat else x
    size = rotary_embedding_dim or turned.shape[-1]
    front, rest = turned[..., :size], turned[..., size:]
    if position_ids is not None:
        cos_cache, sin_cache = (F.gather(c, position_ids, 0) for c in (cos_cache, sin_cache))
    cos, sin = (F.expand_dims(c[..., :size // 2], 1) for c in (cos_cache, sin_cache))
    if interleaved:
        a, b = front[..., 0::2], front[..., 1::2]
    else:
        a, b = front[..., :size // 2], front[..., size // 2:]
    real, imaginary = a * cos - b * sin, a * sin + b * cos
    if interleaved:
        y = F.reshape(F.stack([real, imaginary], -1), front.shape)
    else:
        y = F.concat([real, imaginary], -1)
    y = F.concat([y, rest], -1) if size != turned.shape[-1] else y
    return F.reshape(F.transpose(y, (0, 2, 1, 3)), x.shape) if flat else y
