"""Scaled dot-product attention: softmax(query @ key^T * scale + mask) @ value.

The operator `attention` computes it without the weights in memory.  Where these are wanted, or some of them dropped, it
is composed of other operators.
"""
from __future__ import annotations

import math

from graphcore.errors import ShapeError
from graphcore.ops import attention as kernels
from graphcore.ops import pointwise as pw
from graphcore.ops import reduction as records
from graphcore.ops import structural, view
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
from graphcore.ops.record import broadcast_shapes

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
    shape = _shape_of_weights(query, key, attn_mask, is_causal)
    if value.ndim < 2 or value.shape[-2] != key.shape[-2]:
        raise shape_error(f"{_NAME}: there must be a value for each key, got keys of shape {key.shape} and values of "
                          f"shape {value.shape}")
    if is_number(dropout_p) and dropout_p == 0:
        return _attended(query, key, value, _readable(attn_mask, shape), bool(is_causal), scale)
    return matmul(dropout(attention_weights(query, key, attn_mask, is_causal, scale), dropout_p), value)


def _attended(query, key, value, mask, is_causal: bool, scale) -> Tensor:
    """The result without dropout; 16-bit floats are computed in float32."""
    wide = [widened(x) for x in (query, key, value)]
    factor = _factor(query, scale)
    if isinstance(factor, Tensor):
        wide[0], factor = mul(wide[0], cast(factor, wide[0].dtype)), 1.0
    masks = () if mask is None else (mask if mask.dtype.is_bool else cast(mask, wide[0].dtype),)
    both = apply(kernels.attention, *wide, *masks, scale=float(factor), causal=is_causal)
    lead, size = both.shape[:-1], (query.shape[-2], value.shape[-1])
    output = apply(view.slice_, both, begin=(0,) * both.ndim, size=(*lead, size[0] * size[1]), stride=(1,) * both.ndim)
    return cast(apply(view.reshape, output, shape=(*lead, *size)), query.dtype)


def attention_weights(query, key, attn_mask=None, is_causal=False, scale=None):
    """The weights (..., L, S) of `scaled_dot_product_attention`, before dropout."""
    query, key = same_dtype([floating(tensor_of(x, _NAME)) for x in (query, key)])
    mask = _readable(attn_mask, _shape_of_weights(query, key, attn_mask, is_causal))
    products = product_of(mul(query, _factor(query, scale)), key, False, True, _NAME)
    if is_causal:
        rows, columns = row_and_column(products.shape[-2:])
        return softmax(where(apply(pw.le, columns, rows), products, -math.inf), -1)
    if mask is None:
        return softmax(products, -1)
    return _softmax_of_some(where(mask, products, -math.inf) if mask.dtype.is_bool else
                            add(products, cast(mask, products.dtype)))


def _shape_of_weights(query, key, mask, is_causal) -> tuple:
    """(..., L, S).  Raises ShapeError for queries and keys that do not fit, and for two masks."""
    if query.ndim < 2 or key.ndim < 2 or query.shape[-1] != key.shape[-1]:
        raise shape_error(f"{_NAME} takes queries (..., L, E) and keys (..., S, E), got shapes {query.shape} and "
                          f"{key.shape}")
    if is_causal and mask is not None:
        raise shape_error(f"{_NAME}: is_causal=True makes a mask of its own; leave out attn_mask, or put ops.tril of "
                          "ones into it")
    return *_broadcast(query.shape[:-2], key.shape[:-2]), query.shape[-2], key.shape[-2]


def _readable(mask, shape: tuple) -> Tensor | None:
    """The mask as a Tensor, bool or float, that broadcasts to `shape`."""
    if mask is None:
        return None
    mask = tensor_of(mask, _NAME)
    if not mask.dtype.is_bool and not mask.dtype.is_float:
        raise dtype_error(f"{_NAME}: attn_mask must be bool (True: takes part) or float (added), got "
                          f"{mask.dtype.name}; write mask != 0")
    if _broadcast(mask.shape, shape) != shape:
        raise shape_error(f"{_NAME}: attn_mask must broadcast to {shape}, got shape {mask.shape}")
    return mask


def _broadcast(*shapes: tuple) -> tuple:
    try:
        return broadcast_shapes(*shapes)
    except ShapeError as error:
        raise shape_error(f"{_NAME}: {error}") from None


def _softmax_of_some(x: Tensor) -> Tensor:
    """Softmax along the last axis; zeros, with gradients of zero, in rows that are -inf throughout."""
    wide = widened(x)
    top = apply(structural.stop_gradient, apply(records.max_, wide, axes=(x.ndim - 1,), keepdims=True))
    powers = exp(sub(wide, where(top == -math.inf, 0.0, top)))
    total = apply(records.sum_, powers, axes=(x.ndim - 1,), keepdims=True)
    return cast(div(powers, where(total == 0.0, 1.0, total)), x.dtype)


def _factor(query, scale):
    """What the products are multiplied by: a number, or a Tensor."""
    if scale is None:
        return 1.0 / math.sqrt(query.shape[-1]) if query.shape[-1] else 1.0
    if isinstance(scale, Tensor) and scale.ndim == 0 or is_number(scale) and not isinstance(scale, bool):
        return scale
    raise dtype_error(f"{_NAME}: scale must be a number, got {scale!r}")
