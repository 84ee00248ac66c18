"""Convolutions and transposed convolutions."""
from __future__ import annotations

import math

from graphcore import dtype as dt
from graphcore import ops
from graphcore.errors import ShapeError
from graphcore.initializer import HeUniform, Uniform, initializer
from graphcore.nn.arguments import boolean, one_of, padding_sizes, pair, positive_int, rank
from graphcore.nn.cell import Cell
from graphcore.ops.dispatch import operands
from graphcore.ops.functional.convolution import transposed, transposed3d
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor

__all__ = ["Conv1d", "Conv2d", "Conv3d", "Conv1dTranspose", "Conv2dTranspose", "Conv3dTranspose"]

PAD_MODES = ("same", "valid", "pad")
TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)


class _Conv(Cell):
    """What all convolutions share: arguments, weight, bias, printed form."""

    def __init__(self, in_channels, out_channels, kernel_size, stride, pad_mode, padding, dilation, group, has_bias,
                 weight_init, bias_init, data_format="NCHW", is_transposed=False, dtype=dt.float32):
        super().__init__()
        self.in_channels = positive_int(in_channels, "in_channels", self.cls_name)
        self.out_channels = positive_int(out_channels, "out_channels", self.cls_name)
        self.kernel_size, self.stride, self.dilation = kernel_size, stride, dilation
        self.pad_mode = one_of(pad_mode, PAD_MODES, "pad_mode", self.cls_name)
        self.data_format = data_format
        self.padding = padding
        self.pads = padding_sizes(padding, 2 * len(kernel_size), self.cls_name)
        if pad_mode != "pad" and any(self.pads):
            raise ValueError(f"{self.cls_name}: padding={padding} has an effect only with pad_mode='pad'; pad_mode is "
                             f"{pad_mode!r}")
        self.group = positive_int(group, "group", self.cls_name)
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % group:
                raise ValueError(f"{self.cls_name}: {name} ({channels}) must be divisible by group ({group})")
        self.has_bias = boolean(has_bias, "has_bias", self.cls_name)
        shape = self._weight_shape(is_transposed)
        self.weight_init = HeUniform(math.sqrt(5)) if weight_init is None else weight_init
        self.weight = Parameter(initializer(self.weight_init, shape, dtype), name="weight")
        self.bias_init, self.bias = bias_init, None
        if has_bias:
            if bias_init is None:
                self.bias_init = Uniform(1 / math.sqrt(math.prod(shape[1:])))
            self.bias = Parameter(initializer(self.bias_init, (out_channels,), dtype), name="bias")

    def _weight_shape(self, is_transposed) -> tuple:
        if is_transposed:
            return (self.in_channels, self.out_channels // self.group, *self.kernel_size)
        if self.data_format == "NHWC":
            return (self.out_channels, *self.kernel_size, self.in_channels // self.group)
        return (self.out_channels, self.in_channels // self.group, *self.kernel_size)

    def check_input(self, x, dimensions, channel_axis=1):
        """Raise ShapeError unless `x` has that many axes, and `in_channels` channels."""
        rank(x, (dimensions,), self.cls_name)
        if x.shape[channel_axis] != self.in_channels:
            raise ShapeError(f"{self.cls_name} of {self.in_channels} input channels takes input whose axis "
                             f"{channel_axis} is {self.in_channels}, got shape {tuple(x.shape)}")

    def convolved(self, convolution, x, weight):
        """`convolution` of ops on an input whose axis 1 holds the channels, with bias."""
        return convolution(x, weight, self.bias, self.stride, self.pad_mode, self.pads, self.dilation, self.group)

    def extend_repr(self):
        return (f"input_channels={self.in_channels}, output_channels={self.out_channels}, "
                f"kernel_size={self.kernel_size}, stride={self.stride}, pad_mode={self.pad_mode}, "
                f"padding={self.padding}, dilation={self.dilation}, group={self.group}, has_bias={self.has_bias}, "
                f"weight_init={self.weight_init}, bias_init={self.bias_init}, format={self.data_format}")


class Conv2d(_Conv):
    """2-D convolution of images (N, in_channels, H, W) to (N, out_channels, H', W').

    kernel_size, stride, dilation: int or (rows, columns).  pad_mode: "same" (H' = ceil(H / stride), an odd padding goes
    to the bottom and right), "valid" (none) or "pad" with `padding`, an int or (top, bottom, left, right).
    group: channels are split into that many groups, convolved apart.  data_format: "NCHW" or "NHWC" (images
    (N, H, W, C), weight (out, rows, columns, in / group)).  weight_init, bias_init: initialisers, names, numbers or
    Tensors; by default uniform in ±1/sqrt(fan_in).  dtype: of the Parameters.
    Parameters: weight (out_channels, in_channels / group, rows, columns), bias (out_channels,) with has_bias.
    Raises ValueError or TypeError for bad arguments, ShapeError for inputs of other shapes.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, pad_mode="same", padding=0, dilation=1,
                 group=1, has_bias=False, weight_init=None, bias_init=None, data_format="NCHW", dtype=dt.float32):
        owner = type(self).__name__
        one_of(data_format, ("NCHW", "NHWC"), "data_format", owner)
        super().__init__(in_channels, out_channels, pair(kernel_size, "kernel_size", owner),
                         pair(stride, "stride", owner), pad_mode, padding, pair(dilation, "dilation", owner), group,
                         has_bias, weight_init, bias_init, data_format, dtype=dtype)
        # what subclasses with a construct of their own call, as in MindSpore
        self.conv2d = ops.Conv2D(self.out_channels, self.kernel_size, 1, pad_mode, self.pads, self.stride,
                                 self.dilation, group, data_format)
        self.bias_add = ops.BiasAdd(data_format)

    def construct(self, x):
        if self.data_format == "NCHW":
            self.check_input(x, 4)
            return self.convolved(ops.conv2d, x, self.weight)
        self.check_input(x, 4, 3)
        y = self.convolved(ops.conv2d, ops.transpose(x, TO_NCHW), ops.transpose(self.weight, TO_NCHW))
        return ops.transpose(y, TO_NHWC)


def _row_pair(value, name, owner) -> tuple:
    """(1, value): a size along the one axis, as rows and columns."""
    return 1, positive_int(value, name, owner)


def _row_weight(weight_init):
    """A given (O, I, k) weight as (O, I, 1, k)."""
    if not isinstance(weight_init, Tensor):
        return weight_init
    if weight_init.ndim != 3:
        raise ShapeError("the weight of a 1-D convolution has 3 axes, the tensor given has shape "
                         f"{tuple(weight_init.shape)}")
    return Tensor(weight_init.asnumpy()[:, :, None, :], weight_init.dtype)


def _row_padding(padding, owner) -> tuple:
    if isinstance(padding, bool) or not isinstance(padding, int):
        raise TypeError(f"{owner}: padding must be an int, got {padding!r}")
    return 0, 0, padding, padding


class Conv1d(_Conv):
    """1-D convolution of (N, in_channels, L) to (N, out_channels, L'); arguments as in `Conv2d`, all sizes ints.

    The weight is (out_channels, in_channels / group, 1, kernel_size), as in MindSpore; a Tensor given as `weight_init`
    has no axis for the 1.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, pad_mode="same", padding=0, dilation=1,
                 group=1, has_bias=False, weight_init=None, bias_init=None, dtype=dt.float32):
        owner = type(self).__name__
        super().__init__(in_channels, out_channels, _row_pair(kernel_size, "kernel_size", owner),
                         _row_pair(stride, "stride", owner), pad_mode, _row_padding(padding, owner),
                         _row_pair(dilation, "dilation", owner), group, has_bias, _row_weight(weight_init), bias_init,
                         dtype=dtype)

    def construct(self, x):
        self.check_input(x, 3)
        return ops.squeeze(self.convolved(ops.conv2d, ops.expand_dims(x, 2), self.weight), 2)


def _triple(value, name, owner) -> tuple:
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * 3
    if len(values) != 3:
        raise ValueError(f"{owner}: {name} must be an int or a tuple of three, got {value!r}")
    return tuple(positive_int(v, name, owner) for v in values)


class Conv3d(_Conv):
    """3-D convolution of volumes (N, in_channels, D, H, W); arguments as in `Conv2d`, sizes an int or three.

    padding: int or (head, tail, top, bottom, left, right).
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, pad_mode="same", padding=0, dilation=1,
                 group=1, has_bias=False, weight_init=None, bias_init=None, data_format="NCDHW", dtype=dt.float32):
        owner = type(self).__name__
        one_of(data_format, ("NCDHW",), "data_format", owner)
        super().__init__(in_channels, out_channels, _triple(kernel_size, "kernel_size", owner),
                         _triple(stride, "stride", owner), pad_mode, padding, _triple(dilation, "dilation", owner),
                         group, has_bias, weight_init, bias_init, data_format, dtype=dtype)

    def construct(self, x):
        self.check_input(x, 5)
        return self.convolved(ops.conv3d, x, self.weight)


class _TransposedConv(_Conv):
    """What transposed convolutions share."""

    def spread(self, x, transposition=transposed):
        """The transposed convolution of (N, C, H, W), with bias."""
        x, weight = operands(x, self.weight, name=self.cls_name)
        pads, extra = self._cut_and_extra()
        y = transposition(x, weight, self.stride, pads, self.dilation, self.group, extra)
        return y if self.bias is None else ops.bias_add(y, self.bias)

    def _cut_and_extra(self) -> tuple:
        """(what is cut from the full result at each side, what is asked for beyond its end along each axis)."""
        if self.pad_mode == "pad":
            return self.pads, (0,) * len(self.stride)
        overlaps = [d * (k - 1) + 1 - s for k, s, d in zip(self.kernel_size, self.stride, self.dilation)]
        extra = tuple(max(-overlap, 0) for overlap in overlaps)
        if self.pad_mode == "valid":
            return (0,) * len(self.pads), extra
        halves = [max(overlap, 0) // 2 for overlap in overlaps]
        cuts = [(half, max(overlap, 0) - half) for half, overlap in zip(halves, overlaps)]
        return sum(cuts, ()), extra


class Conv2dTranspose(_TransposedConv):
    """Transposed 2-D convolution: the gradient of a `Conv2d` for its input, as a layer.

    x: (N, in_channels, H, W) → (N, out_channels, H', W') with H' = H * stride for pad_mode "same",
    H * stride + max(span - stride, 0) for "valid" and H * stride - top - bottom + span - stride for "pad",
    span = dilation * (kernel_size - 1) + 1.
    output_padding: rows and columns of zeros added at the bottom and right; with pad_mode "pad" only.
    Parameters: weight (in_channels, out_channels / group, rows, columns), bias (out_channels,) with has_bias.
    Raises ValueError or TypeError for bad arguments, ShapeError for inputs of other shapes.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, pad_mode="same", padding=0, output_padding=0,
                 dilation=1, group=1, has_bias=False, weight_init=None, bias_init=None, dtype=dt.float32):
        owner = type(self).__name__
        super().__init__(in_channels, out_channels, pair(kernel_size, "kernel_size", owner),
                         pair(stride, "stride", owner), pad_mode, padding, pair(dilation, "dilation", owner), group,
                         has_bias, weight_init, bias_init, is_transposed=True, dtype=dtype)
        self.output_padding = output_padding
        self.added = padding_sizes(output_padding, 2, owner)
        if any(self.added) and pad_mode != "pad":
            raise ValueError(f"{owner}: output_padding={output_padding} needs pad_mode='pad', which is {pad_mode!r}")
        for extra, step, dilated in zip(self.added, self.stride, self.dilation):
            if extra >= max(step, dilated):
                raise ValueError(f"{owner}: output_padding must be less than the stride or the dilation, got {extra}")

    def construct(self, x):
        self.check_input(x, 4)
        y = self.spread(x)
        return ops.pad(y, [0, self.added[1], 0, self.added[0]]) if any(self.added) else y


class Conv1dTranspose(_TransposedConv):
    """Transposed 1-D convolution of (N, in_channels, L): see `Conv2dTranspose`."""

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, pad_mode="same", padding=0, dilation=1,
                 group=1, has_bias=False, weight_init=None, bias_init=None, dtype=dt.float32):
        owner = type(self).__name__
        super().__init__(in_channels, out_channels, _row_pair(kernel_size, "kernel_size", owner),
                         _row_pair(stride, "stride", owner), pad_mode, _row_padding(padding, owner),
                         _row_pair(dilation, "dilation", owner), group, has_bias, _row_weight(weight_init), bias_init,
                         is_transposed=True, dtype=dtype)

    def construct(self, x):
        self.check_input(x, 3)
        return ops.squeeze(self.spread(ops.expand_dims(x, 2)), 2)


class Conv3dTranspose(_TransposedConv):
    """Transposed 3-D convolution of volumes (N, in_channels, D, H, W); arguments as in `Conv2dTranspose`, for three.

    padding: int or (head, tail, top, bottom, left, right).  output_padding: an int or three; slices, rows and columns
    by which the result goes on at its end.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, pad_mode="same", padding=0, dilation=1,
                 group=1, output_padding=0, has_bias=False, weight_init=None, bias_init=None, data_format="NCDHW",
                 dtype=dt.float32):
        owner = type(self).__name__
        one_of(data_format, ("NCDHW",), "data_format", owner)
        super().__init__(in_channels, out_channels, _triple(kernel_size, "kernel_size", owner),
                         _triple(stride, "stride", owner), pad_mode, padding, _triple(dilation, "dilation", owner),
                         group, has_bias, weight_init, bias_init, data_format, is_transposed=True, dtype=dtype)
        self.output_padding = output_padding
        self.added = padding_sizes(output_padding, 3, owner)
        for extra, step, dilated in zip(self.added, self.stride, self.dilation):
            if extra >= max(step, dilated):
                raise ValueError(f"{owner}: output_padding must be less than the stride or the dilation, got {extra}")

    def construct(self, x):
        self.check_input(x, 5)
        return self.spread(x, transposed3d)

    def _cut_and_extra(self) -> tuple:
        pads, extra = super()._cut_and_extra()
        return pads, tuple(a + b for a, b in zip(extra, self.added))
