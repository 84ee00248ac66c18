"""Attention of language models in one call, in the layouts of the devices it was made for; turned positions."""
from __future__ import annotations

from graphcore.ops.functional.arguments import cast, shape_error, tensor_of
from graphcore.ops.functional.arithmetic import add, mul
from graphcore.ops.functional.elementary import neg
from graphcore.ops.functional.joining import concat, stack
from graphcore.ops.functional.shaping import reshape

__all__ = ["flash_attention_score", "rotary_position_embedding"]


def flash_attention_score(query, key, value, head_num, real_shift=None, drop_mask=None, padding_mask=None,
                          attn_mask=None, prefix=None, actual_seq_qlen=None, actual_seq_kvlen=None, keep_prob=1.0,
                          scalar_value=1.0, pre_tokens=2147483647, next_tokens=2147483647, inner_precise=0,
                          input_layout="BSH", sparse_mode=0):
    """The attention that the primitive `FlashAttentionScore` computes, alone; see there for arguments and errors."""
    from graphcore.ops.primitives.attention import FlashAttentionScore
    primitive = FlashAttentionScore(head_num, keep_prob, scalar_value, pre_tokens, next_tokens, inner_precise,
                                    input_layout, sparse_mode)
    return primitive(query, key, value, real_shift, drop_mask, padding_mask, attn_mask, prefix, actual_seq_qlen,
                     actual_seq_kvlen)[3]


def rotary_position_embedding(x, cos, sin, mode=0):
    """Pairs of numbers along the last axis of x, turned by angles: x * cos + turned(x) * sin.

    cos, sin: of a shape that broadcasts to x.  mode 0: a number and the one half the axis further are a pair; mode 1:
    neighbours are.  Raises ValueError for another mode, or an odd size.
    """
    x = tensor_of(x, "rotary_position_embedding")
    half = x.shape[-1] // 2
    if mode not in (0, 1) or x.shape[-1] % 2:
        raise shape_error("rotary_position_embedding: mode is 0 or 1 and the last axis is even, got "
                          f"{mode!r} and shape {x.shape}")
    if mode == 0:
        turned = concat([neg(x[..., half:]), x[..., :half]], -1)
    else:
        turned = reshape(stack([neg(x[..., 1::2]), x[..., ::2]], -1), x.shape)
    return cast(add(mul(x, cos), mul(turned, sin)), x.dtype)
