"""Convolutions and transposed convolutions.

`construct` composes the operators `conv2d` and `conv2d_grad_input`; the bias is a pointwise addition, which the
compiler fuses into them.
"""
from __future__ import annotations

import math

from graphcore import dtype as dt
from graphcore import ops
from graphcore.errors import ShapeError
from graphcore.initializer import HeUniform, Uniform, initializer
from graphcore.nn.arguments import boolean, one_of, padding_sizes, pair, positive_int, rank
from graphcore.nn.cell import Cell
from graphcore.nn.layers import windows
from graphcore.ops import linear
from graphcore.ops.dispatch import apply, operands
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor

__all__ = ["Conv1d", "Conv2d", "Conv3d", "Conv1dTranspose", "Conv2dTranspose"]

PAD_MODES = ("same", "valid", "pad")
TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)


def with_bias(y, bias):
    """`y` plus one number per channel (axis 1), or `y` if there is no bias."""
    if bias is None:
        return y
    return y + ops.reshape(bias, (1, bias.shape[0]) + (1,) * (len(y.shape) - 2))


class _Conv(Cell):
    """What all convolutions share: arguments, weight, bias, printed form."""

    def __init__(self, in_channels, out_channels, kernel_size, stride, pad_mode, padding, dilation, group, has_bias,
                 weight_init, bias_init, data_format="NCHW", transposed=False, dtype=dt.float32):
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
        shape = self._weight_shape(transposed)
        self.weight_init = HeUniform(math.sqrt(5)) if weight_init is None else weight_init
        self.weight = Parameter(initializer(self.weight_init, shape, dtype), name="weight")
        self.bias_init, self.bias = bias_init, None
        if has_bias:
            if bias_init is None:
                self.bias_init = Uniform(1 / math.sqrt(math.prod(shape[1:])))
            self.bias = Parameter(initializer(self.bias_init, (out_channels,), dtype), name="bias")

    def _weight_shape(self, transposed) -> tuple:
        if transposed:
            return (self.in_channels, self.out_channels // self.group, *self.kernel_size)
        if self.data_format == "NHWC":
            return (self.out_channels, *self.kernel_size, self.in_channels // self.group)
        return (self.out_channels, self.in_channels // self.group, *self.kernel_size)

    def check_channels(self, x, axis=1):
        """Raise ShapeError unless `x` has `in_channels` channels."""
        if x.shape[axis] != self.in_channels:
            raise ShapeError(f"{self.cls_name} of {self.in_channels} input channels takes input whose axis {axis} is "
                             f"{self.in_channels}, got shape {tuple(x.shape)}")

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

    def construct(self, x):
        rank(x, (4,), self.cls_name)
        channels_last = self.data_format == "NHWC"
        self.check_channels(x, 3 if channels_last else 1)
        x, weight = operands(x, self.weight, name=self.cls_name)
        if channels_last:
            x, weight = ops.transpose(x, TO_NCHW), ops.transpose(weight, TO_NCHW)
        y = with_bias(self.convolve(x, weight), self.bias)
        return ops.transpose(y, TO_NHWC) if channels_last else y

    def convolve(self, x, weight):
        """The convolution of an (N, C, H, W) image, without bias."""
        pads = windows.padding(self.pad_mode, x.shape[2:], self.kernel_size, self.stride, self.dilation, self.pads,
                               self.cls_name)
        return apply(linear.conv2d, x, weight, stride=self.stride, pad=pads, dilation=self.dilation, groups=self.group)


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
        rank(x, (3,), self.cls_name)
        self.check_channels(x)
        x, weight = operands(ops.expand_dims(x, 2), self.weight, name=self.cls_name)
        pads = windows.padding(self.pad_mode, x.shape[2:], self.kernel_size, self.stride, self.dilation, self.pads,
                               self.cls_name)
        y = apply(linear.conv2d, x, weight, stride=self.stride, pad=pads, dilation=self.dilation, groups=self.group)
        return ops.squeeze(with_bias(y, self.bias), 2)


def _triple(value, name, owner) -> tuple:
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * 3
    if len(values) != 3:
        raise ValueError(f"{owner}: {name} must be an int or a tuple of three, got {value!r}")
    return tuple(positive_int(v, name, owner) for v in values)


class Conv3d(_Conv):
    """3-D convolution of volumes (N, in_channels, D, H, W); arguments as in `Conv2d`.

    padding: int or (head, tail, top, bottom, left, right).  It is the sum of one 2-D convolution per tap in depth.
    """

    def __init__(self, in_channels, out_channels, kernel_size, stride=1, pad_mode="same", padding=0, dilation=1,
                 group=1, has_bias=False, weight_init=None, bias_init=None, data_format="NCDHW", dtype=dt.float32):
        owner = type(self).__name__
        one_of(data_format, ("NCDHW",), "data_format", owner)
        super().__init__(in_channels, out_channels, _triple(kernel_size, "kernel_size", owner),
                         _triple(stride, "stride", owner), pad_mode, padding, _triple(dilation, "dilation", owner),
                         group, has_bias, weight_init, bias_init, data_format, dtype=dtype)

    def construct(self, x):
        rank(x, (5,), self.cls_name)
        self.check_channels(x)
        x, weight = operands(x, self.weight, name=self.cls_name)
        head, tail, *pads = windows.padding(self.pad_mode, x.shape[2:], self.kernel_size, self.stride, self.dilation,
                                            self.pads, self.cls_name)
        if head or tail:
            x = ops.pad(x, [0, 0, 0, 0, head, tail])
        n, _, depth, rows, columns = x.shape
        (kernel, *_), (stride, *strides), (dilation, *dilations) = self.kernel_size, self.stride, self.dilation
        layers = (depth - windows.reach(kernel, dilation)) // stride + 1
        total = None
        for tap in range(kernel):
            start = tap * dilation
            seen = x[:, :, start:start + (layers - 1) * stride + 1:stride]
            images = ops.reshape(ops.transpose(seen, (0, 2, 1, 3, 4)), (n * layers, self.in_channels, rows, columns))
            y = apply(linear.conv2d, images, weight[:, :, tap], stride=tuple(strides), pad=tuple(pads),
                      dilation=tuple(dilations), groups=self.group)
            total = y if total is None else total + y
        y = ops.reshape(total, (n, layers, *total.shape[1:]))
        return with_bias(ops.transpose(y, (0, 2, 1, 3, 4)), self.bias)


class _TransposedConv(_Conv):
    """What transposed convolutions of one and two axes share."""

    def spread(self, x):
        """The transposed convolution of (N, C, H, W), with bias."""
        x, weight = operands(x, self.weight, name=self.cls_name)
        n, _, *sizes = x.shape
        made = [windows.transposed_size(self.pad_mode, size, k, s, d, self.pads[2 * i:2 * i + 2])
                for i, (size, k, s, d) in enumerate(zip(sizes, self.kernel_size, self.stride, self.dilation))]
        pads = windows.padding(self.pad_mode, made, self.kernel_size, self.stride, self.dilation, self.pads,
                               self.cls_name)
        y = apply(linear.conv2d_grad_input, x, weight, shape=(n, self.out_channels, *made), stride=self.stride,
                  pad=pads, dilation=self.dilation, groups=self.group)
        return with_bias(y, self.bias)


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
                         has_bias, weight_init, bias_init, transposed=True, dtype=dtype)
        self.output_padding = output_padding
        self.added = padding_sizes(output_padding, 2, owner)
        if any(self.added) and pad_mode != "pad":
            raise ValueError(f"{owner}: output_padding={output_padding} needs pad_mode='pad', which is {pad_mode!r}")
        for extra, stride_, dilation_ in zip(self.added, self.stride, self.dilation):
            if extra >= max(stride_, dilation_):
                raise ValueError(f"{owner}: output_padding must be less than the stride or the dilation, got {extra}")

    def construct(self, x):
        rank(x, (4,), self.cls_name)
        self.check_channels(x)
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
                         transposed=True, dtype=dtype)

    def construct(self, x):
        rank(x, (3,), self.cls_name)
        self.check_channels(x)
        return ops.squeeze(self.spread(ops.expand_dims(x, 2)), 2)
