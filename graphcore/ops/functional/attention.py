"""Scaled dot-product attention: softmax(query @ key^T * scale + mask) @ value.

It is composed of other operators here, in this module alone, so that one operator with a kernel of its own can take
the place of `scaled_dot_product_attention`.
"""
from __future__ import annotations

import math

from graphcore.ops import pointwise as pw
from graphcore.ops import reduction as records
from graphcore.ops import structural
from graphcore.ops.functional.activation import softmax
from graphcore.ops.functional.arguments import (
    Tensor,
    apply,
    cast,
    dtype_error,
    floating,
    is_number,
    same_dtype,
    shape_error,
    tensor_of,
    widened,
)
from graphcore.ops.functional.arithmetic import add, div, mul, sub
from graphcore.ops.functional.comparison import where
from graphcore.ops.functional.creation import row_and_column
from graphcore.ops.functional.elementary import exp
from graphcore.ops.functional.linalg import matmul, product_of
from graphcore.ops.functional.normalization import dropout

__all__ = ["scaled_dot_product_attention"]

_NAME = "scaled_dot_product_attention"


def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None):
    """For each query the mean of the values, weighed by the softmax of its products with the keys.

    query: float (..., L, E); key: (..., S, E); value: (..., S, F); leading axes broadcast → (..., L, F).
    attn_mask: broadcasts to (..., L, S); bool: True where a key takes part; float: added to the products.  A query that
    may see no key gives zeros.  is_causal: query i sees the keys 0 to i; not together with attn_mask.
    dropout_p: probability with which weights are dropped (always: give 0 outside of training).
    scale: what the products are multiplied by; None: 1 / sqrt(E).
    Raises ShapeError (a ValueError) for shapes that do not fit and a dropout_p outside [0, 1], DTypeError for a mask of
    another dtype.
    """
    query, key, value = same_dtype([floating(tensor_of(x, _NAME)) for x in (query, key, value)])
    weights = attention_weights(query, key, attn_mask, is_causal, scale)
    if value.ndim < 2 or value.shape[-2] != key.shape[-2]:
        raise shape_error(f"{_NAME}: there must be a value for each key, got keys of shape {key.shape} and values of "
                          f"shape {value.shape}")
    return matmul(dropout(weights, dropout_p), value)


def attention_weights(query, key, attn_mask=None, is_causal=False, scale=None):
    """The weights (..., L, S) of `scaled_dot_product_attention`, before dropout."""
    query, key = same_dtype([floating(tensor_of(x, _NAME)) for x in (query, key)])
    if query.ndim < 2 or key.ndim < 2 or query.shape[-1] != key.shape[-1]:
        raise shape_error(f"{_NAME} takes queries (..., L, E) and keys (..., S, E), got shapes {query.shape} and "
                          f"{key.shape}")
    if is_causal and attn_mask is not None:
        raise shape_error(f"{_NAME}: is_causal=True makes a mask of its own; leave out attn_mask, or put ops.tril of "
                          "ones into it")
    factor = 1.0 / math.sqrt(query.shape[-1]) if scale is None else _number(scale)
    products = product_of(mul(query, factor), key, False, True, _NAME)
    if is_causal:
        rows, columns = row_and_column(products.shape[-2:])
        return softmax(where(apply(pw.le, columns, rows), products, -math.inf), -1)
    return softmax(products, -1) if attn_mask is None else _softmax_of_some(_masked(products, attn_mask))


def _masked(products: Tensor, mask) -> Tensor:
    """The products, -inf where a bool mask is False, or plus a float one."""
    mask = tensor_of(mask, _NAME)
    if not mask.dtype.is_bool and not mask.dtype.is_float:
        raise dtype_error(f"{_NAME}: attn_mask must be bool (True: takes part) or float (added), got "
                          f"{mask.dtype.name}; write mask != 0")
    masked = where(mask, products, -math.inf) if mask.dtype.is_bool else add(products, cast(mask, products.dtype))
    if masked.shape != products.shape:
        raise shape_error(f"{_NAME}: attn_mask must broadcast to {products.shape}, got shape {mask.shape}")
    return masked


def _softmax_of_some(x: Tensor) -> Tensor:
    """Softmax along the last axis; zeros, with gradients of zero, in rows that are -inf throughout."""
    wide = widened(x)
    top = apply(structural.stop_gradient, apply(records.max_, wide, axes=(x.ndim - 1,), keepdims=True))
    powers = exp(sub(wide, where(top == -math.inf, 0.0, top)))
    total = apply(records.sum_, powers, axes=(x.ndim - 1,), keepdims=True)
    return cast(div(powers, where(total == 0.0, 1.0, total)), x.dtype)


def _number(scale):
    if isinstance(scale, Tensor) and scale.ndim == 0 or is_number(scale) and not isinstance(scale, bool):
        return scale
    raise dtype_error(f"{_NAME}: scale must be a number, got {scale!r}")
