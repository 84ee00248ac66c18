"""Dense layers, embeddings, dropout and small helpers.

Layers have no operators of their own: `construct` composes `graphcore.ops`.
"""
from __future__ import annotations

import math

from graphcore import dtype as dt
from graphcore import ops
from graphcore.errors import ShapeError
from graphcore.initializer import HeUniform, Uniform, initializer
from graphcore.nn.arguments import boolean, number, one_of, positive_int
from graphcore.nn.cell import Cell
from graphcore.nn.layers.activation import get_activation
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor

__all__ = ["Dense", "Linear", "BiDense", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "Flatten", "Unflatten",
           "Identity", "Norm", "OneHot", "Pad", "ClipByNorm", "L1Regularizer", "Tril", "Triu", "Roll", "Upsample",
           "ResizeBilinear"]


def dense_weight(weight_init, out_size: int, in_size: int, dtype) -> Parameter:
    """The weight (out_size, in_size) of a dense layer; by default uniform in ±1/sqrt(in_size)."""
    init = HeUniform(math.sqrt(5)) if weight_init is None else weight_init
    return Parameter(initializer(init, (out_size, in_size), dtype), name="weight")


def dense_bias(bias_init, out_size: int, fan_in: int, dtype) -> Parameter:
    """The bias (out_size,) of a layer; by default uniform in ±1/sqrt(fan_in)."""
    init = Uniform(1 / math.sqrt(fan_in)) if bias_init is None else bias_init
    return Parameter(initializer(init, (out_size,), dtype), name="bias")


def affine(x, weight, bias):
    """``x @ weight.T + bias`` over the last axis of `x`, as one matrix product whatever the number of axes."""
    sizes = tuple(x.shape)
    if not sizes or sizes[-1] != weight.shape[1]:
        raise ShapeError(f"the last axis of the input must be {weight.shape[1]}, got shape {sizes}; reshape the input, "
                         "or make the layer for its size")
    rows = x if len(sizes) == 2 else ops.reshape(x, (-1, sizes[-1]))
    y = ops.matmul(rows, ops.transpose(weight, (1, 0)))
    if bias is not None:
        y = y + bias
    return y if len(sizes) == 2 else ops.reshape(y, (*sizes[:-1], weight.shape[0]))


class Dense(Cell):
    """A fully connected layer: ``activation(x @ weight.T + bias)``.

    in_channels, out_channels: sizes of the last axis before and after.  weight_init, bias_init: initialisers, names,
    numbers or Tensors; by default uniform in ±1/sqrt(in_channels).  activation: a name (see `get_activation`), a Cell,
    an operator, or None.  dtype: of the Parameters.
    x: float (..., in_channels) → (..., out_channels).  Parameters: weight (out_channels, in_channels), bias
    (out_channels,).  Raises ValueError or TypeError for bad sizes, KeyError for an unknown activation, ShapeError for
    inputs of another size.
    """

    def __init__(self, in_channels, out_channels, weight_init=None, bias_init=None, has_bias=True, activation=None,
                 dtype=dt.float32):
        super().__init__()
        self.in_channels = positive_int(in_channels, "in_channels", self.cls_name)
        self.out_channels = positive_int(out_channels, "out_channels", self.cls_name)
        self.has_bias = boolean(has_bias, "has_bias", self.cls_name)
        self.weight = dense_weight(weight_init, out_channels, in_channels, dtype)
        self.bias = dense_bias(bias_init, out_channels, in_channels, dtype) if has_bias else None
        self.activation = get_activation(activation, self.cls_name) if isinstance(activation, str) else activation
        if self.activation is not None and not callable(self.activation):
            raise TypeError(f"{self.cls_name}: activation must be a name, a Cell or an operator, got "
                            f"{type(activation).__name__}")
        self.activation_flag = self.activation is not None

    def construct(self, x):
        y = affine(x, self.weight, self.bias)
        return self.activation(y) if self.activation_flag else y

    def extend_repr(self):
        text = f"input_channels={self.in_channels}, output_channels={self.out_channels}"
        if self.has_bias:
            text += f", has_bias={self.has_bias}"
        if self.activation_flag:
            text += f", activation={self.activation}"
        return text


class Linear(Cell):
    """`Dense` with the argument names of mint: ``Linear(in_features, out_features, bias=True)``."""

    def __init__(self, in_features, out_features, bias=True, weight_init=None, bias_init=None, dtype=None):
        super().__init__()
        dtype = dt.float32 if dtype is None else dtype
        self.in_features = positive_int(in_features, "in_features", self.cls_name)
        self.out_features = positive_int(out_features, "out_features", self.cls_name)
        self.has_bias = boolean(bias, "bias", self.cls_name)
        self.weight = dense_weight(weight_init, out_features, in_features, dtype)
        self.bias = dense_bias(bias_init, out_features, in_features, dtype) if bias else None

    def construct(self, x):
        return affine(x, self.weight, self.bias)

    def extend_repr(self):
        text = f"input_features={self.in_features}, output_features={self.out_features}"
        return text + (f", has_bias={self.has_bias}" if self.has_bias else "")


class BiDense(Cell):
    """A bilinear layer: ``y[o] = x1 @ weight[o] @ x2 + bias[o]``.

    input1: (..., in1_channels), input2: (..., in2_channels) → (..., out_channels).  Parameters: weight
    (out_channels, in1_channels, in2_channels), bias (out_channels,), uniform in ±1/sqrt(in1_channels) by default.
    """

    def __init__(self, in1_channels, in2_channels, out_channels, weight_init=None, bias_init=None, has_bias=True,
                 dtype=dt.float32):
        super().__init__()
        self.in1_channels = positive_int(in1_channels, "in1_channels", self.cls_name)
        self.in2_channels = positive_int(in2_channels, "in2_channels", self.cls_name)
        self.out_channels = positive_int(out_channels, "out_channels", self.cls_name)
        self.has_bias = boolean(has_bias, "has_bias", self.cls_name)
        init = Uniform(1 / math.sqrt(in1_channels)) if weight_init is None else weight_init
        self.weight = Parameter(initializer(init, (out_channels, in1_channels, in2_channels), dtype), name="weight")
        self.bias = dense_bias(bias_init, out_channels, in1_channels, dtype) if has_bias else None

    def construct(self, input1, input2):
        sizes = tuple(input1.shape)
        left = ops.reshape(input1, (-1, self.in1_channels))
        right = ops.reshape(input2, (-1, 1, self.in2_channels))
        weight = ops.reshape(ops.transpose(self.weight, (1, 0, 2)), (self.in1_channels, -1))
        projected = ops.reshape(ops.matmul(left, weight), (-1, self.out_channels, self.in2_channels))
        y = ops.sum(projected * right, -1)
        if self.has_bias:
            y = y + self.bias
        return ops.reshape(y, (*sizes[:-1], self.out_channels))

    def extend_repr(self):
        text = (f"in1_channels={self.in1_channels}, in2_channels={self.in2_channels}, "
                f"out_channels={self.out_channels}")
        return text + (f", has_bias={self.has_bias}" if self.has_bias else "")


class Dropout(Cell):
    """In training, sets elements to 0 with probability `p` and divides the others by 1 - p; otherwise the identity.

    keep_prob: MindSpore's old way to say 1 - p; used when `p` is None.  p: in [0, 1).  Raises ValueError otherwise.
    Both are attributes that may be set later; keep_prob = 1 switches it off, whatever `p` is.
    """

    def __init__(self, keep_prob=0.5, p=None, dtype=dt.float32):
        super().__init__()
        if p is None:
            number(keep_prob, "keep_prob", self.cls_name, low=0.0, high=1.0, open_low=True)
        else:
            number(p, "p", self.cls_name, low=0.0, high=1.0, open_high=True)
        self.p, self.keep_prob = p, keep_prob

    def construct(self, x):
        rate = 1.0 - self.keep_prob if self.p is None else self.p
        if not self.training or self.keep_prob == 1 or rate == 0:
            return x
        return ops.dropout(x, p=rate, training=True)

    def extend_repr(self):
        return f"keep_prob={self.keep_prob}" if self.p is None else f"p={self.p}"


class _ChannelDropout(Cell):
    """In training, sets whole channels to 0 with probability `p` and divides the others by 1 - p."""

    def __init__(self, p=0.5):
        super().__init__()
        self.p = number(p, "p", self.cls_name, low=0.0, high=1.0)

    def extend_repr(self):
        return f"p={self.p}"


class Dropout1d(_ChannelDropout):
    """Dropout of whole channels of (N, C, L) or (C, L)."""

    def construct(self, x):
        return ops.dropout1d(x, self.p, self.training)


class Dropout2d(_ChannelDropout):
    """Dropout of whole channels of (N, C, H, W) or (C, H, W)."""

    def construct(self, x):
        return ops.dropout2d(x, self.p, self.training)


class Dropout3d(_ChannelDropout):
    """Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W)."""

    def construct(self, x):
        return ops.dropout3d(x, self.p, self.training)


class Flatten(Cell):
    """Makes the axes `start_dim` to `end_dim` one.  Raises ValueError for axes that the input lacks."""

    def __init__(self, start_dim=1, end_dim=-1):
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def construct(self, x):
        rank = max(len(x.shape), 1)
        for axis in (self.start_dim, self.end_dim):
            if not -rank <= axis < rank:
                raise ShapeError(f"Flatten(start_dim={self.start_dim}, end_dim={self.end_dim}): there is no axis "
                                 f"{axis} in an input of shape {tuple(x.shape)}")
        return ops.flatten(x, start_dim=self.start_dim, end_dim=self.end_dim)


class Unflatten(Cell):
    """Splits the axis `axis` into axes of the sizes `unflattened_size`."""

    def __init__(self, axis, unflattened_size):
        super().__init__()
        if not isinstance(axis, int) or isinstance(axis, bool):
            raise TypeError(f"Unflatten: axis must be an int, got {axis!r}")
        if not isinstance(unflattened_size, (tuple, list)):
            raise TypeError("Unflatten: unflattened_size must be a tuple or list, got "
                            f"{type(unflattened_size).__name__}")
        self.axis, self.unflattened_size = axis, tuple(unflattened_size)

    def construct(self, input_x):
        sizes = tuple(input_x.shape)
        axis = self.axis % len(sizes)
        return ops.reshape(input_x, (*sizes[:axis], *self.unflattened_size, *sizes[axis + 1:]))


class Identity(Cell):
    """Returns its input; arguments are accepted and ignored."""

    def __init__(self, *args, **kwargs):
        super().__init__()

    def construct(self, input):
        return input


class Norm(Cell):
    """The Euclidean norm along `axis` (all axes for ())."""

    def __init__(self, axis=(), keep_dims=False):
        super().__init__()
        self.axis, self.keep_dims = axis, boolean(keep_dims, "keep_dims", self.cls_name)

    def construct(self, x):
        axis = None if self.axis == () else self.axis
        return ops.sqrt(ops.sum(ops.square(x), axis, self.keep_dims))

    def extend_repr(self):
        return f"axis={self.axis}, keep_dims={self.keep_dims}"


class OneHot(Cell):
    """`depth` numbers for each index: `on_value` at the index, `off_value` elsewhere, along a new axis `axis`."""

    def __init__(self, axis=-1, depth=1, on_value=1.0, off_value=0.0, dtype=dt.float32):
        super().__init__()
        self.axis, self.depth, self.dtype = axis, depth, dtype
        self.on_value, self.off_value = on_value, off_value

    def construct(self, indices):
        on, off = Tensor(self.on_value, self.dtype), Tensor(self.off_value, self.dtype)
        return ops.one_hot(indices, self.depth, on, off, self.axis)


class Pad(Cell):
    """Pads each axis by its (before, after) in `paddings`; mode "CONSTANT" (zeros), "REFLECT" or "SYMMETRIC".

    paddings: a tuple with a pair for every axis.  Raises TypeError or ValueError for anything else.
    """

    def __init__(self, paddings, mode="CONSTANT"):
        super().__init__()
        one_of(mode, ("CONSTANT", "REFLECT", "SYMMETRIC"), "mode", self.cls_name)
        if not isinstance(paddings, tuple):
            raise TypeError(f"Pad: paddings must be a tuple of pairs, got {type(paddings).__name__}")
        if any(len(p) != 2 or min(p) < 0 for p in paddings):
            raise ValueError(f"Pad: each axis takes two sizes (before, after) >= 0, got {paddings}")
        self.paddings, self.mode = paddings, mode

    def construct(self, x):
        if len(self.paddings) != len(x.shape):
            raise ShapeError(f"Pad: {len(self.paddings)} pairs of paddings do not go with an input of shape "
                             f"{tuple(x.shape)}")
        flat = [size for both in reversed(self.paddings) for size in both]
        return ops.pad(x, flat, self.mode.lower())


class ClipByNorm(Cell):
    """``x * clip_norm / max(norm(x), clip_norm)``, the norm taken along `axis` (all axes for None)."""

    def __init__(self, axis=None):
        super().__init__()
        self.axis = axis

    def construct(self, x, clip_norm):
        norm = ops.sqrt(ops.sum(ops.square(ops.cast(x, dt.float32)), self.axis, True))
        return ops.cast(x * (clip_norm / ops.maximum(norm, clip_norm)), x.dtype)


class L1Regularizer(Cell):
    """``scale * sum(|weights|)``; scale: a number above 0."""

    def __init__(self, scale):
        super().__init__()
        self.scale = number(scale, "scale", self.cls_name, low=0.0, open_low=True, high=math.inf, open_high=True)

    def construct(self, weights):
        return self.scale * ops.sum(ops.abs(weights))


class Tril(Cell):
    """The lower triangle of the last two axes, zeros above diagonal `k`."""

    def construct(self, x, k=0):
        return ops.tril(x, k)


class Triu(Cell):
    """The upper triangle of the last two axes, zeros below diagonal `k`."""

    def construct(self, x, k=0):
        return ops.triu(x, k)


class Roll(Cell):
    """Moves the elements by `shift` places along `axis`, round the end; ints, or lists of equal length."""

    def __init__(self, shift, axis):
        super().__init__()
        self.shift = list(shift) if isinstance(shift, (list, tuple)) else [shift]
        self.axis = list(axis) if isinstance(axis, (list, tuple)) else [axis]
        if len(self.shift) != len(self.axis):
            raise ValueError(f"Roll: {len(self.shift)} shifts do not go with {len(self.axis)} axes")

    def construct(self, input_x):
        return ops.roll(input_x, tuple(self.shift), tuple(self.axis))


class Upsample(Cell):
    """Resizes the spatial axes: to `size`, or by `scale_factor`; mode as in `ops.interpolate`."""

    def __init__(self, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None):
        super().__init__()
        self.size, self.scale_factor, self.mode = size, scale_factor, mode
        self.align_corners, self.recompute_scale_factor = align_corners, recompute_scale_factor

    def construct(self, x):
        return ops.interpolate(x, self.size, self.scale_factor, self.mode, self.align_corners,
                               self.recompute_scale_factor)


class ResizeBilinear(Cell):
    """Resizes images [N, C, H, W] by linear interpolation, as MindSpore 1.x's layer did.

    half_pixel_centers: pixel centres lie at halves; otherwise at whole numbers, so that the first pixel stays in place.
    Called with `size` (two ints) or `scale_factor` (an int); align_corners: the corner pixels keep their places.
    Raises ValueError unless one of the two is given.
    """

    def __init__(self, half_pixel_centers=False):
        super().__init__()
        if not isinstance(half_pixel_centers, bool):
            raise TypeError(f"{self.cls_name}: half_pixel_centers must be a bool, "
                            f"got {type(half_pixel_centers).__name__}")
        self.half_pixel_centers = half_pixel_centers

    def construct(self, x, size=None, scale_factor=None, align_corners=False):
        if (size is None) == (scale_factor is None):
            raise ValueError("ResizeBilinear: give either size or scale_factor")
        if size is None:
            size = (x.shape[2] * scale_factor, x.shape[3] * scale_factor)
        return ops.ResizeBilinear(tuple(size), align_corners, self.half_pixel_centers)(x)
