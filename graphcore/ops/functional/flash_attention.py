"""Attention of language models in one call, in the layouts of the devices it was made for."""
from __future__ import annotations

__all__ = ["flash_attention_score"]


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
