"""Attention and Transformer layers by name: run by the tests, and by ``record_transformer.py``."""
import math

import numpy as np

E, HEADS, BATCH, TARGET, SOURCE = 8, 2, 2, 3, 4


def wave(*shape, step=0.7):
    """Small numbers that repeat themselves nowhere."""
    return np.sin(step * np.arange(1, math.prod(shape) + 1)).reshape(shape).astype(np.float32)


def weights_of(index, shape):
    """What Parameter number `index` is set to."""
    return (0.4 * wave(*shape, step=0.37 + 0.11 * index) + (1.0 if len(shape) == 1 else 0.0)).astype(np.float32)


SEQUENCE, OTHER = wave(TARGET, BATCH, E), wave(SOURCE, BATCH, E, step=1.3)
NARROW, NARROWER = wave(SOURCE, BATCH, 5, step=1.3), wave(SOURCE, BATCH, 6, step=0.9)
CAUSAL = np.triu(np.ones((TARGET, TARGET), bool), 1)
CROSS = np.zeros((TARGET, SOURCE), bool)
CROSS[0, 1:3] = CROSS[2, 3] = True
PADDING = np.array([[False, False, True, True], [False, False, False, True]])
OWN_PADDING = np.array([[False, False, True], [False, False, False]])
BIAS = wave(TARGET, SOURCE, step=0.3)
MANY = wave(BATCH * HEADS, TARGET, SOURCE, step=0.3)


def first(array):
    """With the batch axis first."""
    return array.swapaxes(0, 1)


def one(array):
    """The first of the batch alone."""
    return array[:, 0]


# name: (class, arguments, inputs, keyword inputs)
CASES = {
    "self attention": ("MultiheadAttention", dict(embed_dim=E, num_heads=HEADS), (SEQUENCE,) * 3, {}),
    "cross attention": ("MultiheadAttention", dict(embed_dim=E, num_heads=HEADS), (SEQUENCE, OTHER, OTHER), {}),
    "no weights": ("MultiheadAttention", dict(embed_dim=E, num_heads=HEADS), (SEQUENCE, OTHER, OTHER),
                   dict(need_weights=False)),
    "weights of each head": ("MultiheadAttention", dict(embed_dim=E, num_heads=4), (SEQUENCE, OTHER, OTHER),
                             dict(average_attn_weights=False)),
    "batch first": ("MultiheadAttention", dict(embed_dim=E, num_heads=HEADS, batch_first=True),
                    (first(SEQUENCE), first(OTHER), first(OTHER)), {}),
    "no bias": ("MultiheadAttention", dict(embed_dim=E, num_heads=HEADS, has_bias=False), (SEQUENCE, OTHER, OTHER), {}),
    "other sizes": ("MultiheadAttention", dict(embed_dim=E, num_heads=HEADS, kdim=5, vdim=6),
                    (SEQUENCE, NARROW, NARROWER), {}),
    "bias of keys": ("MultiheadAttention", dict(embed_dim=E, num_heads=HEADS, add_bias_kv=True),
                     (SEQUENCE, OTHER, OTHER), {}),
    "zero attention": ("MultiheadAttention", dict(embed_dim=E, num_heads=HEADS, add_zero_attn=True),
                       (SEQUENCE, OTHER, OTHER), dict(attn_mask=BIAS)),
    "one sequence": ("MultiheadAttention", dict(embed_dim=E, num_heads=HEADS), (one(SEQUENCE), one(OTHER), one(OTHER)),
                     dict(key_padding_mask=PADDING[0])),
    "padding": ("MultiheadAttention", dict(embed_dim=E, num_heads=HEADS), (SEQUENCE, OTHER, OTHER),
                dict(key_padding_mask=PADDING, need_weights=False)),
    "mask": ("MultiheadAttention", dict(embed_dim=E, num_heads=HEADS), (SEQUENCE, OTHER, OTHER),
             dict(attn_mask=CROSS)),
    "both masks": ("MultiheadAttention", dict(embed_dim=E, num_heads=HEADS), (SEQUENCE, OTHER, OTHER),
                   dict(attn_mask=CROSS, key_padding_mask=PADDING, need_weights=False)),
    "float masks": ("MultiheadAttention", dict(embed_dim=E, num_heads=HEADS), (SEQUENCE, OTHER, OTHER),
                    dict(attn_mask=BIAS, key_padding_mask=wave(BATCH, SOURCE))),
    "a mask for each head": ("MultiheadAttention", dict(embed_dim=E, num_heads=HEADS), (SEQUENCE, OTHER, OTHER),
                             dict(attn_mask=MANY)),
    "encoder layer": ("TransformerEncoderLayer", dict(d_model=E, nhead=HEADS, dim_feedforward=6), (OTHER,),
                      dict(src_key_padding_mask=PADDING)),
    "encoder layer, norm first": ("TransformerEncoderLayer", dict(d_model=E, nhead=HEADS, dim_feedforward=6,
                                  activation="gelu", norm_first=True, batch_first=True), (first(SEQUENCE),),
                                  dict(src_mask=CAUSAL)),
    "decoder layer": ("TransformerDecoderLayer", dict(d_model=E, nhead=HEADS, dim_feedforward=6), (SEQUENCE, OTHER),
                      dict(tgt_mask=CAUSAL, memory_key_padding_mask=PADDING)),
    "decoder layer, norm first": ("TransformerDecoderLayer", dict(d_model=E, nhead=HEADS, dim_feedforward=6,
                                  activation="gelu", norm_first=True, batch_first=True),
                                  (first(SEQUENCE), first(OTHER)),
                                  dict(memory_mask=CROSS, tgt_key_padding_mask=OWN_PADDING)),
    "transformer": ("Transformer", dict(d_model=E, nhead=HEADS, num_encoder_layers=2, num_decoder_layers=2,
                                        dim_feedforward=6), (OTHER, SEQUENCE),
                    dict(tgt_mask=CAUSAL, src_key_padding_mask=PADDING, memory_key_padding_mask=PADDING)),
    "transformer, batch first": ("Transformer", dict(d_model=E, nhead=HEADS, num_encoder_layers=1,
                                 num_decoder_layers=1, dim_feedforward=6, batch_first=True, norm_first=True),
                                 (first(OTHER), first(SEQUENCE)), {}),
}


def make(nn, case):
    """The net of a case; `nn` is the module with the classes."""
    name, arguments, _, _ = CASES[case]
    return getattr(nn, name)(**arguments)


def filled(net, tensor):
    """`net` with known numbers as Parameters; `tensor` makes a Tensor."""
    for i, parameter in enumerate(net.get_parameters()):
        parameter.set_data(tensor(weights_of(i, tuple(parameter.shape))))
    return net


def inputs_of(case, tensor):
    """(inputs without repetition, the place of each argument in them, keyword arguments)."""
    _, _, inputs, named = CASES[case]
    distinct = {id(array): array for array in inputs}
    return ([tensor(np.ascontiguousarray(array)) for array in distinct.values()],
            [list(distinct).index(id(array)) for array in inputs],
            {k: tensor(v) if isinstance(v, np.ndarray) else v for k, v in named.items()})


def digest(array) -> float:
    """One number that tells an array from others."""
    array = np.asarray(array, np.float64)
    return float((array.ravel() * np.cos(0.3 * np.arange(array.size))).sum())
