"""The layers of ``mint.nn``: most are a function with its arguments, the others layers of `nn` with other arguments."""
from __future__ import annotations

import inspect
import math

from graphcore import dtype as dt
from graphcore import nn
from graphcore.initializer import Normal, Uniform, initializer
from graphcore.mint import functions
from graphcore.mint.nn import functional, normalization
from graphcore.mint.nn.normalization import *  # noqa: F403
from graphcore.nn import (
    Cell,
    ConstantPad1d,
    ConstantPad2d,
    ConstantPad3d,
    Identity,
    PixelShuffle,
    ReflectionPad1d,
    ReflectionPad2d,
    ReflectionPad3d,
    ReplicationPad1d,
    ReplicationPad2d,
    ReplicationPad3d,
    Upsample,
    ZeroPad2d,
)
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor


def _layer(name: str, function, *settings: str) -> type:
    """A Cell that calls ``function(*inputs, **settings)``; a setting is ``"p=0.5"``, or ``"size"`` without default."""
    parameters, renamed = [], {}
    for setting in settings:
        setting, _, default = setting.partition("=")
        given, _, target = setting.partition(":")
        renamed[given] = target or given
        parameters.append(inspect.Parameter(given, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=(
            eval(default, {}) if default else inspect.Parameter.empty)))
    signature = inspect.Signature(parameters)

    def __init__(self, *args, **kwargs):
        Cell.__init__(self)
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        for key, value in bound.arguments.items():
            setattr(self, key, value)
        self._settings = {renamed[key]: value for key, value in bound.arguments.items() if key != "inplace"}

    def construct(self, *inputs):
        return function(*inputs, **self._settings)

    __init__.__signature__ = inspect.Signature(
        [inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY), *parameters])
    summary = (function.__doc__ or name).strip().splitlines()[0]
    return type(name, (Cell,), {"__init__": __init__, "construct": construct, "__module__": __name__,
                                "__doc__": f"`{function.__name__}` as a layer.  {summary}"})


_LAYERS = {
    "ReLU": ("relu", "inplace=False"), "ReLU6": ("relu6", "inplace=False"), "SiLU": ("silu", "inplace=False"),
    "SELU": ("selu", "inplace=False"), "Mish": ("mish", "inplace=False"),
    "Hardsigmoid": ("hardsigmoid", "inplace=False"),
    "Hardswish": ("hardswish", "inplace=False"), "ELU": ("elu", "alpha=1.0", "inplace=False"),
    "GELU": ("gelu", "approximate='none'"), "GLU": ("glu", "dim=-1"), "Hardshrink": ("hardshrink", "lambd=0.5"),
    "Softshrink": ("softshrink", "lambd=0.5"), "Hardtanh": ("hardtanh", "min_val=-1", "max_val=1", "inplace=False"),
    "Threshold": ("threshold", "threshold", "value", "inplace=False"), "Tanh": ("tanh",), "Sigmoid": ("sigmoid",),
    "LogSigmoid": ("logsigmoid",), "Softmax": ("softmax", "dim=None"), "LogSoftmax": ("log_softmax", "dim=None"),
    "L1Loss": ("l1_loss", "reduction='mean'"), "MSELoss": ("mse_loss", "reduction='mean'"),
    "SmoothL1Loss": ("smooth_l1_loss", "reduction='mean'", "beta=1.0"),
    "BCELoss": ("binary_cross_entropy", "weight=None", "reduction='mean'"),
    "KLDivLoss": ("kl_div", "reduction='mean'", "log_target=False"),
    "NLLLoss": ("nll_loss", "weight=None", "ignore_index=-100", "reduction='mean'"),
    "CrossEntropyLoss": ("cross_entropy", "weight=None", "ignore_index=-100", "reduction='mean'",
                         "label_smoothing=0.0"),
    "SoftMarginLoss": ("soft_margin_loss", "reduction='mean'"),
    "CosineEmbeddingLoss": ("cosine_embedding_loss", "margin=0.0", "reduction='mean'"),
    "AdaptiveAvgPool1d": ("adaptive_avg_pool1d", "output_size"),
    "AdaptiveAvgPool2d": ("adaptive_avg_pool2d", "output_size"),
    "AdaptiveAvgPool3d": ("adaptive_avg_pool3d", "output_size"),
    "AdaptiveMaxPool1d": ("adaptive_max_pool1d", "output_size", "return_indices=False"),
    "AdaptiveMaxPool2d": ("adaptive_max_pool2d", "output_size", "return_indices=False"),
    "AvgPool1d": ("avg_pool1d", "kernel_size", "stride=None", "padding=0", "ceil_mode=False", "count_include_pad=True"),
    "AvgPool2d": ("avg_pool2d", "kernel_size", "stride=None", "padding=0", "ceil_mode=False", "count_include_pad=True",
                  "divisor_override=None"),
    "AvgPool3d": ("avg_pool3d", "kernel_size", "stride=None", "padding=0", "ceil_mode=False", "count_include_pad=True",
                  "divisor_override=None"),
    "MaxPool2d": ("max_pool2d", "kernel_size", "stride=None", "padding=0", "dilation=1", "return_indices=False",
                  "ceil_mode=False"),
    "Unfold": ("unfold", "kernel_size", "dilation=1", "padding=0", "stride=1"),
    "Fold": ("fold", "output_size", "kernel_size", "dilation=1", "padding=0", "stride=1"),
}
globals().update({name: _layer(name, getattr(functional, function), *settings)
                  for name, (function, *settings) in _LAYERS.items()})
Flatten = _layer("Flatten", functions.flatten, "start_dim=1", "end_dim=-1")


class Linear(nn.Linear):
    """x [..., in_features] times the transpose of a weight, plus a bias; as `nn.Linear`."""


class Dropout(Cell):
    """`dropout` with probability p while training."""

    def __init__(self, p=0.5, inplace=False):
        super().__init__()
        self.p = p

    def construct(self, x):
        return functional.dropout(x, self.p, self.training)


class Dropout2d(Cell):
    """`dropout2d`, whole channels with probability p, while training."""

    def __init__(self, p=0.5, inplace=False):
        super().__init__()
        self.p = p

    def construct(self, x):
        return functional.dropout2d(x, self.p, self.training)


class BCEWithLogitsLoss(Cell):
    """`binary_cross_entropy_with_logits` with weights of elements and of the positive class."""

    def __init__(self, weight=None, reduction="mean", pos_weight=None):
        super().__init__()
        self.weight, self.reduction, self.pos_weight = weight, reduction, pos_weight

    def construct(self, input, target):
        weight, pos_weight = (functions.ones_like(input) if w is None else w for w in (self.weight, self.pos_weight))
        return functional.binary_cross_entropy_with_logits(input, target, weight, self.reduction, pos_weight)


class PReLU(nn.PReLU):
    """x above 0, a learnt multiple of it below; one for all, or one a channel."""

    def __init__(self, num_parameters=1, init=0.25, dtype=None):
        super().__init__(num_parameters, init)


def _convolution(name: str, base: type) -> type:
    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, dilation=1, groups=1, bias=True,
                 padding_mode="zeros", dtype=None):
        if padding_mode != "zeros":
            raise ValueError(f"{name}: the padding mode is 'zeros', got {padding_mode!r}; pad the input with "
                             "mint.nn.functional.pad")
        if isinstance(padding, (tuple, list)):
            padding = tuple(p for p in padding for _ in range(2))
        how = padding if isinstance(padding, str) else "pad"
        border = padding if how == "pad" else 0
        base.__init__(self, in_channels, out_channels, kernel_size, stride, how, border, dilation, groups, bias)
    summary = (base.__doc__ or "").strip().splitlines()[0]
    return type(name, (base,), {"__init__": __init__, "__module__": __name__, "__doc__": (
        f"{summary}\n\n    padding: an int, one for each axis, 'same' or 'valid' (0).\n    ")})


Conv1d, Conv2d, Conv3d = (_convolution(n, getattr(nn, n)) for n in ("Conv1d", "Conv2d", "Conv3d"))


class ZeroPad1d(ConstantPad1d):
    """Zeros at both ends of the last axis."""

    def __init__(self, padding):
        super().__init__(padding, 0.0)


class ZeroPad3d(ConstantPad3d):
    """Zeros around the last three axes."""

    def __init__(self, padding):
        super().__init__(padding, 0.0)


class UpsamplingNearest2d(Cell):
    """Images of `size`, or `scale_factor` times as large, each pixel the nearest one."""

    def __init__(self, size=None, scale_factor=None):
        super().__init__()
        self.size, self.scale_factor = size, scale_factor

    def construct(self, input):
        return functional.interpolate(input, self.size, self.scale_factor, "nearest")


class UpsamplingBilinear2d(Cell):
    """Images of `size`, or `scale_factor` times as large, interpolated; the corners stay where they are."""

    def __init__(self, size=None, scale_factor=None):
        super().__init__()
        self.size, self.scale_factor = size, scale_factor

    def construct(self, input):
        return functional.interpolate(input, self.size, self.scale_factor, "bilinear", True)


class Embedding(Cell):
    """The rows of a trained table `weight` (num_embeddings, embedding_dim) that integer ids name.

    padding_idx: a row that starts as zeros and gets no gradient.  _weight: the table; _freeze: it is not trained.
    Raises ValueError for a padding_idx outside the table, for a _weight of another shape, and for max_norm,
    scale_grad_by_freq and sparse, which are not supported.
    """

    def __init__(self, num_embeddings, embedding_dim, padding_idx=None, max_norm=None, norm_type=2.0,
                 scale_grad_by_freq=False, sparse=False, _weight=None, _freeze=False, dtype=None):
        super().__init__()
        if max_norm is not None or scale_grad_by_freq or sparse:
            raise ValueError("mint.nn.Embedding: max_norm, scale_grad_by_freq and sparse are not supported")
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(f"Embedding: padding_idx must lie in [{-num_embeddings}, {num_embeddings}), got "
                             f"{padding_idx}")
        self.num_embeddings, self.embedding_dim, self.padding_idx = num_embeddings, embedding_dim, padding_idx
        shape = (num_embeddings, embedding_dim)
        if _weight is None:
            table = initializer(Normal(1.0), shape, dt.float32 if dtype is None else dtype).asnumpy().copy()
            if padding_idx is not None:
                table[padding_idx] = 0
            _weight = Tensor(table)
        elif tuple(_weight.shape) != shape:
            raise ValueError(f"Embedding: _weight is of shape {tuple(_weight.shape)}, not {shape}")
        self.weight = Parameter(_weight, name="weight", requires_grad=not _freeze)

    def construct(self, input):
        return functional.embedding(input, self.weight, self.padding_idx)

    def extend_repr(self):
        return (f"num_embeddings={self.num_embeddings}, embedding_dim={self.embedding_dim}, "
                f"padding_idx={self.padding_idx}")


class ConvTranspose2d(Cell):
    """The transposed convolution of images (n, in_channels, h, w); Parameters weight (in_channels, out_channels /
    groups, kh, kw) and bias (out_channels,)."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, groups=1,
                 bias=True, dilation=1, padding_mode="zeros", dtype=None):
        super().__init__()
        if padding_mode != "zeros":
            raise ValueError(f"ConvTranspose2d: the padding mode is 'zeros', got {padding_mode!r}")
        size = kernel_size if isinstance(kernel_size, tuple) else (kernel_size,) * 2
        dtype = dt.float32 if dtype is None else dtype
        bound = 1 / math.sqrt(out_channels // groups * size[0] * size[1])
        self.weight = Parameter(initializer(Uniform(bound), (in_channels, out_channels // groups, *size), dtype),
                                name="weight")
        self.bias = Parameter(initializer(Uniform(bound), (out_channels,), dtype), name="bias") if bias else None
        self.stride, self.padding, self.output_padding = stride, padding, output_padding
        self.groups, self.dilation = groups, dilation

    def construct(self, input):
        return functional.conv_transpose2d(input, self.weight, self.bias, self.stride, self.padding,
                                           self.output_padding, self.groups, self.dilation)


_TAKEN = (*(getattr(normalization, name) for name in normalization.__all__), ConstantPad1d, ConstantPad2d,
          ConstantPad3d, Identity, PixelShuffle, ReflectionPad1d, ReflectionPad2d, ReflectionPad3d, ReplicationPad1d,
          ReplicationPad2d, ReplicationPad3d, Upsample, ZeroPad2d)
__all__ = sorted({t.__name__ for t in _TAKEN} | {
    n for n, v in list(globals().items()) if isinstance(v, type) and v.__module__ == __name__})
