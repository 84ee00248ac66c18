"""MultiheadAttention: attention of several heads side by side, with its projections."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore import ops
from graphcore.errors import DTypeError, ShapeError
from graphcore.initializer import XavierNormal, XavierUniform, initializer
from graphcore.nn.arguments import boolean, number, positive_int
from graphcore.nn.cell import Cell
from graphcore.nn.layers.basic import Dense, affine
from graphcore.ops.functional.attention import attention_weights
from graphcore.parameter import Parameter

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Cell):
    """Projects queries, keys and values, attends in each of `num_heads` parts of them, and projects the result.

    embed_dim: size of queries and results; `num_heads` must divide it.  kdim, vdim: sizes of keys and values
    (embed_dim).  dropout: of the weights, in training.  has_bias: of the projections.  add_bias_kv: a trained key and
    value more; add_zero_attn: a key and value of zeros more.  batch_first: see below.  dtype: of the Parameters.

    query: float (L, N, embed_dim), key: (S, N, kdim), value: (S, N, vdim); with batch_first (N, L, embed_dim) and so
    on; without the axis N for one sequence alone.
    key_padding_mask: (N, S), or (S,) for one sequence; attn_mask: (L, S) or (N * num_heads, L, S).  bool: True for keys
    that are left out; float: added to the products.  A query that is left no key gives the projection of zeros.
    Returns (output,), or with need_weights (output, weights): output as query; weights (N, L, S), the mean of the
    heads, or with average_attn_weights=False (N, num_heads, L, S); without N for one sequence.

    Parameters: in_proj_weight (3 * embed_dim, embed_dim), or where kdim or vdim differ q_proj_weight, k_proj_weight and
    v_proj_weight (embed_dim, size); in_proj_bias (3 * embed_dim,), bias_k and bias_v (1, 1, embed_dim); those of
    out_proj, a `Dense`.
    Raises ValueError or TypeError for bad arguments, ShapeError (a ValueError) or DTypeError (a TypeError) for inputs
    that do not fit.
    """

    def __init__(self, embed_dim, num_heads, dropout=0.0, has_bias=True, add_bias_kv=False, add_zero_attn=False,
                 kdim=None, vdim=None, batch_first=False, dtype=dt.float32):
        super().__init__()
        self.embed_dim = positive_int(embed_dim, "embed_dim", self.cls_name)
        self.num_heads = positive_int(num_heads, "num_heads", self.cls_name)
        if embed_dim % num_heads:
            raise ValueError(f"{self.cls_name}: embed_dim must be divisible by num_heads, got {embed_dim} and "
                             f"{num_heads}")
        self.kdim = embed_dim if kdim is None else positive_int(kdim, "kdim", self.cls_name)
        self.vdim = embed_dim if vdim is None else positive_int(vdim, "vdim", self.cls_name)
        self.dropout = number(dropout, "dropout", self.cls_name, low=0.0, high=1.0)
        self.batch_first = boolean(batch_first, "batch_first", self.cls_name)
        self.add_zero_attn = boolean(add_zero_attn, "add_zero_attn", self.cls_name)
        self.head_dim, self.dtype = embed_dim // num_heads, dt.float32 if dtype is None else dtype
        self._make_parameters(boolean(has_bias, "has_bias", self.cls_name),
                              boolean(add_bias_kv, "add_bias_kv", self.cls_name))

    def _make_parameters(self, has_bias, add_bias_kv):
        size, dtype = self.embed_dim, self.dtype
        self._qkv_same_embed_dim = self.kdim == self.vdim == size
        shapes = {"in_proj_weight": (3 * size, size)} if self._qkv_same_embed_dim else {
            "q_proj_weight": (size, size), "k_proj_weight": (size, self.kdim), "v_proj_weight": (size, self.vdim)}
        for name in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"):
            setattr(self, name, Parameter(initializer(XavierUniform(), shapes[name], dtype), name=name)
                    if name in shapes else None)
        self.in_proj_bias = Parameter(initializer("zeros", (3 * size,), dtype), "in_proj_bias") if has_bias else None
        self.out_proj = Dense(size, size, has_bias=has_bias, dtype=dtype)
        for name in ("bias_k", "bias_v"):
            setattr(self, name, Parameter(initializer(XavierNormal(), (1, 1, size), dtype), name=name)
                    if add_bias_kv else None)

    def construct(self, query, key, value, key_padding_mask=None, need_weights=True, attn_mask=None,
                  average_attn_weights=True):
        self._check(query, key, value)
        batched, batch_axis = len(query.shape) == 3, 0 if self.batch_first else 1
        q, k, v = self._projected(query, key, value)
        if not batched:
            q, k, v = (ops.expand_dims(x, batch_axis) for x in (q, k, v))
        if self.bias_k is not None:
            k, v = (self._with(x, bias, batch_axis) for x, bias in ((k, self.bias_k), (v, self.bias_v)))
        q, k, v = (self._heads(x, batch_axis) for x in (q, k, v))
        added = (self.bias_k is not None) + self.add_zero_attn
        if self.add_zero_attn:
            k, v = (ops.cat((x, ops.zeros((*x.shape[:2], 1, self.head_dim), x.dtype)), 2) for x in (k, v))
        mask = self._mask(attn_mask, key_padding_mask, batched, q.shape[0], q.shape[2], k.shape[2] - added)
        mask = None if mask is None else _wider(mask, added)
        rate = self.dropout if self.training else 0.0
        if not need_weights:
            return (self._joined(ops.scaled_dot_product_attention(q, k, v, mask, rate), batched, batch_axis),)
        weights = ops.dropout(attention_weights(q, k, mask), rate)
        output = self._joined(ops.matmul(weights, v), batched, batch_axis)
        weights = ops.mean(weights, 1) if average_attn_weights else weights
        return output, weights if batched else ops.squeeze(weights, 0)

    def _check(self, query, key, value):
        """Raise ShapeError unless the three go together."""
        shapes = [tuple(x.shape) for x in (query, key, value)]
        sizes = (self.embed_dim, self.kdim, self.vdim)
        if len(shapes[0]) not in (2, 3) or any(len(s) != len(shapes[0]) for s in shapes):
            raise ShapeError(f"{self.cls_name} takes a query, key and value of 3 axes each, or of 2 for one sequence, "
                             f"got shapes {', '.join(map(str, shapes))}")
        for shape, size, name in zip(shapes, sizes, ("query", "key", "value")):
            if shape[-1] != size:
                raise ShapeError(f"{self.cls_name}: the last axis of the {name} must be {size}, got shape {shape}")
        batch_axis = 0 if self.batch_first else 1
        pairs = [*zip(shapes[1][:-1], shapes[2][:-1])]
        if len(shapes[0]) == 3:
            pairs.append((shapes[0][batch_axis], shapes[1][batch_axis]))
        if any(map(_differ, pairs)):
            raise ShapeError(f"{self.cls_name}: there must be a value for each key, and one batch size (axis "
                             f"{batch_axis} with batch_first={self.batch_first}), got query, key and value of shapes "
                             f"{', '.join(map(str, shapes))}")

    def _projected(self, query, key, value):
        """Queries, keys and values after their projections; what stands for several of them is multiplied once."""
        size, bias = self.embed_dim, self.in_proj_bias
        biases = (None,) * 3 if bias is None else tuple(bias[i * size:(i + 1) * size] for i in range(3))
        if not self._qkv_same_embed_dim:
            weights = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
            return tuple(affine(*row) for row in zip((query, key, value), weights, biases))
        weight = self.in_proj_weight
        if query is key and key is value:
            return _parts(affine(query, weight, bias), 3, size)
        if key is value:
            both = affine(key, weight[size:], None if bias is None else bias[size:])
            return affine(query, weight[:size], biases[0]), *_parts(both, 2, size)
        return tuple(affine(x, weight[i * size:(i + 1) * size], biases[i]) for i, x in enumerate((query, key, value)))

    @staticmethod
    def _with(x, bias, batch_axis):
        """Keys or values with one more behind them."""
        sizes = (x.shape[0], 1, x.shape[2]) if batch_axis == 0 else (1, *x.shape[1:])
        return ops.cat((x, ops.broadcast_to(ops.cast(bias, x.dtype), sizes)), 1 - batch_axis)

    def _heads(self, x, batch_axis):
        """(L, N, embed_dim), or (N, L, embed_dim), as (N, num_heads, L, head_dim)."""
        split = ops.reshape(x, (*x.shape[:2], self.num_heads, self.head_dim))
        return ops.transpose(split, (0, 2, 1, 3) if batch_axis == 0 else (1, 2, 0, 3))

    def _joined(self, x, batched, batch_axis):
        """What the heads (N, num_heads, L, head_dim) have found, side by side and projected, in the layout of query."""
        ordered = ops.transpose(x, (0, 2, 1, 3) if batch_axis == 0 else (2, 0, 1, 3))
        output = self.out_proj(ops.reshape(ordered, (*ordered.shape[:2], self.embed_dim)))
        return output if batched else ops.squeeze(output, batch_axis)

    def _mask(self, attn_mask, padding, batched, batch, length, keys):
        """One mask for `scaled_dot_product_attention` from both, or None: float, or bool, then True for keys to see."""
        masks = []
        if attn_mask is not None:
            mask = self._readable(attn_mask, "attn_mask", (length, keys), (batch * self.num_heads, length, keys))
            masks.append(mask if len(mask.shape) == 2 else ops.reshape(mask, (batch, self.num_heads, length, keys)))
        if padding is not None:
            mask = self._readable(padding, "key_padding_mask", (batch, keys) if batched else (keys,))
            masks.append(ops.reshape(mask, (batch, 1, 1, keys)))
        if not masks:
            return None
        if all(mask.dtype.is_bool for mask in masks):
            return ops.logical_not(masks[0] if len(masks) == 1 else ops.logical_or(*masks))
        masks = [ops.where(mask, float("-inf"), 0.0) if mask.dtype.is_bool else mask for mask in masks]
        return masks[0] if len(masks) == 1 else masks[0] + masks[1]

    def _readable(self, mask, name, *shapes):
        """A bool or float mask of one of the shapes; uint8 counts as bool."""
        if mask.dtype == dt.uint8:
            mask = mask != 0
        if not mask.dtype.is_bool and not mask.dtype.is_float:
            raise DTypeError(f"{self.cls_name}: {name} must be bool (True: left out) or float (added), got "
                             f"{mask.dtype.name}; write mask != 0")
        found = tuple(mask.shape)
        if not any(len(found) == len(shape) and not any(map(_differ, zip(found, shape))) for shape in shapes):
            raise ShapeError(f"{self.cls_name}: {name} must have shape {' or '.join(map(str, shapes))}, got "
                             f"{tuple(mask.shape)}")
        return mask


def _differ(sizes) -> bool:
    """Whether two sizes are known to be unequal: symbolic ones may turn out to be equal."""
    return all(isinstance(size, int) for size in sizes) and sizes[0] != sizes[1]


def _parts(x, count, size):
    """The `count` parts of the last axis."""
    return tuple(x[..., i * size:(i + 1) * size] for i in range(count))


def _wider(mask, columns):
    """The mask with `columns` more, for keys that all may see."""
    if not columns:
        return mask
    make = ops.ones if mask.dtype.is_bool else ops.zeros
    return ops.cat((mask, make((*mask.shape[:-1], columns), mask.dtype)), len(mask.shape) - 1)
