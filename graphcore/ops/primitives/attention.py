"""Primitives of attention for language models, in the layouts of the devices they were made for."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore.ops import functional as F
from graphcore.ops.functional.arguments import shape_error
from graphcore.ops.primitives.base import primitive
from graphcore.tensor import Tensor

__all__ = ["FlashAttentionScore", "PagedAttention", "PagedAttentionMask", "ReshapeAndCache", "RotaryPositionEmbedding"]

# layout -> (axes of a tensor [B, N, S, D] made of one, and back); H is N * D
_TO_HEADS = {"BSND": (0, 2, 1, 3), "BSH": (0, 2, 1, 3), "SBH": (1, 2, 0, 3), "BNSD": (0, 1, 2, 3)}
_FROM_HEADS = {"BSND": (0, 2, 1, 3), "BSH": (0, 2, 1, 3), "SBH": (2, 0, 1, 3), "BNSD": (0, 1, 2, 3)}


@primitive
def FlashAttentionScore(query, key, value, real_shift=None, drop_mask=None, padding_mask=None, attn_mask=None,
                        prefix=None, actual_seq_qlen=None, actual_seq_kvlen=None, *, head_num, keep_prob=1.0,
                        scale_value=1.0, pre_tokens=2147483647, next_tokens=2147483647, inner_precise=0,
                        input_layout="BSH", sparse_mode=0):
    """softmax(scale_value * query @ key^T + real_shift, masked) @ value: (the largest score of each row, the sum of its
    exponentials, an empty Tensor, the result).

    input_layout: "BSH", "BNSD", "SBH" or "BSND", of all tensors and the result; key and value may have fewer heads.
    real_shift: [B, N, S1, S2]; attn_mask: true where a key does not count.  sparse_mode: 0 or 1 (the mask), 2 or 3
    (keys after the query do not count, from the left or the right end).  pre_tokens, next_tokens: how many keys before
    and after the query count (mode 0).  keep_prob: of the weights.  The first two results are float32 [B, N, S1, 8].
    Raises NotImplementedError for other layouts and modes, drop_mask, padding_mask and prefix.
    """
    if input_layout not in _TO_HEADS or sparse_mode not in (0, 1, 2, 3) or actual_seq_qlen is not None:
        raise NotImplementedError(f"FlashAttentionScore: input_layout={input_layout!r} with sparse_mode={sparse_mode}; "
                                  "use the layouts BSH, BNSD, SBH or BSND with sparse_mode 0 to 3")
    if any(t is not None for t in (drop_mask, padding_mask, prefix)):
        raise NotImplementedError("FlashAttentionScore takes no drop_mask, padding_mask or prefix; use keep_prob and "
                                  "attn_mask")
    size = query.shape[-1] // head_num if input_layout.endswith("H") else query.shape[-1]
    q, k, v = (F.transpose(F.reshape(t, (*t.shape[:2], -1, size)) if input_layout.endswith("H") else t,
                           _TO_HEADS[input_layout]) for t in (query, key, value))
    if q.shape[1] % k.shape[1]:
        raise shape_error(f"FlashAttentionScore: {q.shape[1]} heads of queries for {k.shape[1]} of keys")
    k, v = (F.repeat_interleave(t, q.shape[1] // k.shape[1], 1) if t.shape[1] != q.shape[1] else t for t in (k, v))
    scores = F.mul(F.cast(F.matmul(q, F.swapaxes(k, -1, -2)), dt.float32), scale_value)
    if real_shift is not None:
        scores = F.add(scores, F.cast(real_shift, dt.float32))
    hidden = _hidden(scores.shape[-2], scores.shape[-1], sparse_mode, pre_tokens, next_tokens)
    if attn_mask is not None and sparse_mode in (0, 1):
        given = F.cast(attn_mask, dt.bool_)
        hidden = given if hidden is None else F.logical_or(given, hidden)
    if hidden is not None:
        scores = F.where(hidden, -3e38, scores)
    largest = F.amax(scores, -1, True)
    powers = F.exp(F.sub(scores, largest))
    total = F.sum(powers, -1, True)
    weights = F.div(powers, total)
    if keep_prob != 1.0:
        weights = F.dropout(weights, 1.0 - keep_prob)
    result = F.transpose(F.matmul(F.cast(weights, v.dtype), v), _FROM_HEADS[input_layout])
    shown = [F.broadcast_to(t, (*t.shape[:-1], 8)) for t in (largest, total)]
    return (*shown, F.zeros((0,), query.dtype), F.reshape(result, query.shape))


def _hidden(queries: int, keys: int, mode: int, before: int, after: int) -> Tensor | None:
    """[queries, keys]: true where a key is out of reach, or None."""
    distance = np.arange(keys) - np.arange(queries)[:, None]
    if mode in (2, 3):
        return Tensor(distance > (keys - queries if mode == 3 else 0))
    if mode == 0 and (before < queries or after < keys):
        return Tensor((distance > after) | (-distance > before))
    return None


@primitive
def ReshapeAndCache(key, value=None, key_cache=None, value_cache=None, slot_mapping=None):
    """Writes rows of keys and values into caches, Parameters [blocks, block size, ...]; returns `key`.

    key, value: [tokens, ...]; slot_mapping: int32 [tokens], the row of the cache, counted over all blocks, that each
    token gets; negative: none.
    """
    for rows, cache in ((key, key_cache), (value, value_cache)):
        if rows is not None and cache is not None:
            flat = F.reshape(cache, (cache.shape[0] * cache.shape[1], -1))
            tokens = F.reshape(F.cast(rows, cache.dtype), (-1, flat.shape[1]))
            slots = F.reshape(F.cast(slot_mapping, dt.int32), (-1, 1))
            slots = F.where(slots < 0, flat.shape[0], slots)        # a row more, for tokens without a slot
            flat = F.concat([flat, F.zeros((1, flat.shape[1]), flat.dtype)], 0)
            F.assign(cache, F.reshape(F.tensor_scatter_update(flat, slots, tokens)[:-1], cache.shape))
    return key


@primitive
def PagedAttention(query, key_cache, value_cache=None, block_tables=None, context_lens=None, antiquant_scale=None,
                   antiquant_offset=None, attn_mask=None, q_seq_lens=None, alibi_mask=None, *, head_num, scale_value,
                   kv_head_num, kv_cache_quant_mode="DEFAULT", mask_mode="MASK_DEFAULT", mla_v_dim=0):
    """softmax(scale_value * query @ key^T) @ value of single tokens over keys and values in a cache of blocks.

    query: [tokens, ...] of head_num * D numbers a token; key_cache, value_cache: [blocks, block size, ...] of
    kv_head_num * D numbers a place, see `ReshapeAndCache`; block_tables: int [tokens, most blocks], the blocks of each
    token's sequence in order; context_lens: int [tokens], how many places of them count.  The result is like query.
    Raises NotImplementedError for quantised caches, masks and queries of several tokens (`q_seq_lens`).
    """
    if any(t is not None for t in (antiquant_scale, antiquant_offset, attn_mask, q_seq_lens, alibi_mask)) or mla_v_dim:
        raise NotImplementedError("PagedAttention takes one token of each sequence, without masks or quantised caches; "
                                  "use FlashAttentionScore for others")
    return _paged(query, key_cache, value_cache, block_tables, context_lens, head_num, scale_value, kv_head_num)


@primitive
def PagedAttentionMask(query, key_cache, value_cache, block_tables, context_lens, antiquant_scale=None,
                       antiquant_offset=None, alibi_mask=None, *, head_num, scale_value, kv_head_num,
                       kv_cache_quant_mode="DEFAULT"):
    """`PagedAttention` with a bias: alibi_mask [tokens, head_num, 1, places] is added to the scaled scores."""
    if antiquant_scale is not None or antiquant_offset is not None:
        raise NotImplementedError("PagedAttentionMask takes no quantised caches; keep keys and values as floats")
    return _paged(query, key_cache, value_cache, block_tables, context_lens, head_num, scale_value, kv_head_num,
                  alibi_mask)


def _paged(query, key_cache, value_cache, block_tables, context_lens, head_num, scale_value, kv_head_num, bias=None):
    tokens, size = query.shape[0], key_cache.shape[1]
    tables = F.cast(block_tables, dt.int32)
    places = F.reshape(F.expand_dims(tables * size, -1) + Tensor(np.arange(size, dtype=np.int32)), (tokens, -1))
    keys, values = (_of_places(cache, places, kv_head_num, head_num) for cache in (key_cache, value_cache))
    one = F.reshape(query, (tokens, head_num, 1, -1))
    scores = F.cast(F.matmul(one, F.swapaxes(keys, -1, -2)), dt.float32) * scale_value
    if bias is not None:
        scores = scores + F.cast(bias[..., :places.shape[1]], dt.float32)
    counts = Tensor(np.arange(places.shape[1], dtype=np.int32)) < F.reshape(F.cast(context_lens, dt.int32), (-1, 1))
    scores = F.where(F.reshape(counts, (tokens, 1, 1, -1)), scores, -3e38)
    return F.reshape(F.matmul(F.cast(F.softmax(scores), values.dtype), values), query.shape)


def _of_places(cache, places, heads: int, wanted: int):
    """[tokens, wanted heads, places, D] of a cache [blocks, block size, ...]."""
    rows = F.reshape(cache, (cache.shape[0] * cache.shape[1], heads, -1))
    found = F.swapaxes(F.gather(rows, places, 0), 1, 2)
    return found if heads == wanted else F.repeat_interleave(found, wanted // heads, 1)


@primitive
def RotaryPositionEmbedding(x, cos, sin, *, mode=0):
    """Pairs of numbers of x turned by angles; see `ops.rotary_position_embedding`."""
    return F.rotary_position_embedding(x, cos, sin, mode)
