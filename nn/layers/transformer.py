"""Transformer layers, stacks of them, and the whole: attention and dense layers with residuals and normalisation."""
from __future__ import annotations

import copy

from graphcore import dtype as dt
from graphcore import ops
from graphcore.errors import ShapeError
from graphcore.initializer import initializer
from graphcore.nn.arguments import boolean, one_of, positive_int
from graphcore.nn.cell import Cell
from graphcore.nn.containers import CellList
from graphcore.nn.layers.attention import MultiheadAttention
from graphcore.nn.layers.basic import Dense, Dropout
from graphcore.nn.layers.norm import LayerNorm

__all__ = ["TransformerEncoderLayer", "TransformerDecoderLayer", "TransformerEncoder", "TransformerDecoder",
           "Transformer"]


class _Layer(Cell):
    """What the layers of encoder and decoder share: attention to oneself, the dense layers, and the arguments."""

    def __init__(self, cross, d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
                 norm_first, dtype):
        super().__init__()
        dtype = dt.float32 if dtype is None else dtype
        attentions = ("self_attn", "multihead_attn") if cross else ("self_attn",)
        for name in attentions:
            setattr(self, name, MultiheadAttention(d_model, nhead, dropout, batch_first=batch_first, dtype=dtype))
        self.dense1 = Dense(d_model, dim_feedforward, dtype=dtype)
        self.dropout = Dropout(p=dropout)
        self.dense2 = Dense(dim_feedforward, d_model, dtype=dtype)
        numbers = range(1, len(attentions) + 2)
        for i in numbers:
            setattr(self, f"norm{i}", LayerNorm((d_model,), epsilon=layer_norm_eps, dtype=dtype))
        for i in numbers:
            setattr(self, f"dropout{i}", Dropout(p=dropout))
        self.activation = _activation(activation, self.cls_name)
        self.d_model, self.nhead, self.dim_feedforward = d_model, nhead, dim_feedforward
        self.dropout_num, self.layernorm_eps, self.batch_first = dropout, layer_norm_eps, batch_first
        self.norm_first, self.dtype = boolean(norm_first, "norm_first", self.cls_name), dtype

    def _around(self, block, norm, x):
        """The residual connection around a block, normalised before or after it."""
        return x + block(norm(x)) if self.norm_first else norm(x + block(x))

    def _attention(self, attention, dropout, x, memory, attn_mask, padding):
        return dropout(attention(x, memory, memory, padding, False, attn_mask)[0])

    def _ff_block(self, x, dropout):
        return dropout(self.dense2(self.dropout(self.activation(self.dense1(x)))))


class TransformerEncoderLayer(_Layer):
    """Attention of a sequence to itself, then two dense layers, each with dropout, residual and LayerNorm.

    d_model: features; nhead: heads, which must divide it; dim_feedforward: features between the dense layers.
    dropout: probability, in training.  activation: "relu" or "gelu", a Cell, or a function.  layer_norm_eps: epsilon
    of the norms.  batch_first: (N, S, d_model) instead of (S, N, d_model).  norm_first: normalise what goes into the
    attention and the dense layers, instead of the sums.  dtype: of the Parameters.

    src: float (S, N, d_model), or (S, d_model) for one sequence → the same.  src_mask: (S, S) or (N * nhead, S, S);
    src_key_padding_mask: (N, S) or (S,); see `MultiheadAttention`.
    Parameters: those of self_attn, dense1, dense2, norm1, norm2.
    Raises ValueError or TypeError for bad arguments, ShapeError or DTypeError for inputs that do not fit.
    """

    def __init__(self, d_model, nhead, dim_feedforward=2048, dropout=0.1, activation="relu", layer_norm_eps=1e-5,
                 batch_first=False, norm_first=False, dtype=dt.float32):
        super().__init__(False, d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
                         norm_first, dtype)

    def construct(self, src, src_mask=None, src_key_padding_mask=None):
        def attention(x):
            return self._attention(self.self_attn, self.dropout1, x, x, src_mask, src_key_padding_mask)

        x = self._around(attention, self.norm1, src)
        return self._around(lambda x: self._ff_block(x, self.dropout2), self.norm2, x)


class TransformerDecoderLayer(_Layer):
    """`TransformerEncoderLayer` with attention to the encoder's result between its two parts.

    The arguments are those of `TransformerEncoderLayer`.
    tgt: float (T, N, d_model); memory: (S, N, d_model); with batch_first N comes first; without N for one sequence →
    as tgt.  tgt_mask: (T, T) or (N * nhead, T, T); memory_mask: (T, S) or (N * nhead, T, S); tgt_key_padding_mask:
    (N, T) or (T,); memory_key_padding_mask: (N, S) or (S,).
    Parameters: those of self_attn, multihead_attn, dense1, dense2, norm1, norm2, norm3.
    """

    def __init__(self, d_model, nhead, dim_feedforward=2048, dropout=0.1, activation="relu", layer_norm_eps=1e-5,
                 batch_first=False, norm_first=False, dtype=dt.float32):
        super().__init__(True, d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
                         norm_first, dtype)

    def construct(self, tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None,
                  memory_key_padding_mask=None):
        def to_itself(x):
            return self._attention(self.self_attn, self.dropout1, x, x, tgt_mask, tgt_key_padding_mask)

        def to_memory(x):
            return self._attention(self.multihead_attn, self.dropout2, x, memory, memory_mask, memory_key_padding_mask)

        x = self._around(to_itself, self.norm1, tgt)
        x = self._around(to_memory, self.norm2, x)
        return self._around(lambda x: self._ff_block(x, self.dropout3), self.norm3, x)


class _Stack(Cell):
    """`num_layers` copies of a layer, and a last normalisation."""

    def __init__(self, layer, num_layers, norm):
        super().__init__()
        if not isinstance(layer, Cell):
            raise TypeError(f"{self.cls_name}: the layer must be a Cell, such as {self.cls_name}Layer(d_model, nhead); "
                            f"got {type(layer).__name__}")
        self.num_layers = positive_int(num_layers, "num_layers", self.cls_name)
        self.layers = CellList([copy.deepcopy(layer) for _ in range(num_layers)])
        self.norm = norm

    def _normalized(self, x):
        return x if self.norm is None else self.norm(x)


class TransformerEncoder(_Stack):
    """`num_layers` copies of `encoder_layer`, one after the other, then `norm`, if it is given.

    Inputs and result are those of `TransformerEncoderLayer`; the layers begin with equal weights.
    Parameters: ``layers.<i>.…``, ``norm.…``.  Raises TypeError or ValueError for bad arguments.
    """

    def __init__(self, encoder_layer, num_layers, norm=None):
        super().__init__(encoder_layer, num_layers, norm)

    def construct(self, src, src_mask=None, src_key_padding_mask=None):
        for layer in self.layers:
            src = layer(src, src_mask=src_mask, src_key_padding_mask=src_key_padding_mask)
        return self._normalized(src)


class TransformerDecoder(_Stack):
    """`num_layers` copies of `decoder_layer`, one after the other, then `norm`, if it is given.

    Inputs and result are those of `TransformerDecoderLayer`; the layers begin with equal weights.
    Parameters: ``layers.<i>.…``, ``norm.…``.  Raises TypeError or ValueError for bad arguments.
    """

    def __init__(self, decoder_layer, num_layers, norm=None):
        super().__init__(decoder_layer, num_layers, norm)

    def construct(self, tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None,
                  memory_key_padding_mask=None):
        for layer in self.layers:
            tgt = layer(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
                        tgt_key_padding_mask=tgt_key_padding_mask, memory_key_padding_mask=memory_key_padding_mask)
        return self._normalized(tgt)


class Transformer(Cell):
    """An encoder and a decoder that attends to its result.

    num_encoder_layers, num_decoder_layers: their sizes; custom_encoder, custom_decoder: Cells that take their place.
    The other arguments are those of `TransformerEncoderLayer`.
    src: float (S, N, d_model); tgt: (T, N, d_model); with batch_first N comes first; without N for one sequence → as
    tgt.  The masks are those of `TransformerEncoderLayer` and `TransformerDecoderLayer`.
    Parameters: ``encoder.…``, ``decoder.…``; all matrices begin as XavierUniform().
    Raises ValueError or TypeError for bad arguments, ShapeError for inputs that do not fit.
    """

    def __init__(self, d_model=512, nhead=8, num_encoder_layers=6, num_decoder_layers=6, dim_feedforward=2048,
                 dropout=0.1, activation="relu", custom_encoder=None, custom_decoder=None, layer_norm_eps=1e-5,
                 batch_first=False, norm_first=False, dtype=dt.float32):
        super().__init__()

        def stack(custom, stack_class, layer_class, count):
            if custom is not None:
                return custom
            layer = layer_class(d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
                                norm_first, dtype)
            return stack_class(layer, count, LayerNorm((d_model,), epsilon=layer_norm_eps, dtype=layer.dtype))

        self.encoder = stack(custom_encoder, TransformerEncoder, TransformerEncoderLayer, num_encoder_layers)
        self.decoder = stack(custom_decoder, TransformerDecoder, TransformerDecoderLayer, num_decoder_layers)
        for parameter in self.get_parameters():
            if len(parameter.shape) > 1:
                parameter.set_data(initializer("xavier_uniform", parameter.shape, parameter.dtype))
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def construct(self, src, tgt, src_mask=None, tgt_mask=None, memory_mask=None, src_key_padding_mask=None,
                  tgt_key_padding_mask=None, memory_key_padding_mask=None):
        self._check(tuple(src.shape), tuple(tgt.shape))
        memory = self.encoder(src, src_mask=src_mask, src_key_padding_mask=src_key_padding_mask)
        return self.decoder(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
                            tgt_key_padding_mask=tgt_key_padding_mask,
                            memory_key_padding_mask=memory_key_padding_mask)

    def _check(self, source, target):
        """Raise ShapeError unless both have d_model features and one batch size."""
        batch_axis = 0 if self.batch_first else 1
        if source[-1] != self.d_model or target[-1] != self.d_model:
            raise ShapeError(f"Transformer: the last axis of src and tgt must be d_model = {self.d_model}, got shapes "
                             f"{source} and {target}")
        if len(source) == len(target) == 3 and source[batch_axis] != target[batch_axis]:
            raise ShapeError(f"Transformer: src and tgt must have one batch size, axis {batch_axis} with "
                             f"batch_first={self.batch_first}, got shapes {source} and {target}")


def _activation(activation, owner: str):
    """The function of a name; a Cell or function as it is.  Raises ValueError or TypeError."""
    if isinstance(activation, str):
        return getattr(ops, one_of(activation, ("relu", "gelu"), "activation", owner))
    if not callable(activation):
        raise TypeError(f"{owner}: activation must be 'relu', 'gelu', a Cell or a function, got {activation!r}")
    return activation
