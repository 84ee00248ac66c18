"""Pooling layers.

`construct` composes the operators `max_pool2d` and `avg_pool2d` over the two last axes; one axis is pooled as a row,
three axes plane by plane and then in depth.
"""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore import ops
from graphcore.errors import ShapeError
from graphcore.nn.arguments import boolean, one_of, positive_int, rank
from graphcore.nn.cell import Cell
from graphcore.nn.layers import windows
from graphcore.nn.layers.conv import TO_NCHW, TO_NHWC
from graphcore.ops import pooling
from graphcore.ops.dispatch import apply
from graphcore.tensor import Tensor

__all__ = ["MaxPool1d", "MaxPool2d", "MaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "AdaptiveAvgPool1d",
           "AdaptiveAvgPool2d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d"]


def _sizes(value, axes: int) -> tuple:
    return value if isinstance(value, tuple) else (value,) * axes


class _Pool(Cell):
    """What all pooling layers share: window, stride, padding and printed form.

    `axes` is the number of pooled axes; the input may lack the axis N.
    """

    axes: int

    def __init__(self, kernel_size, stride, pad_mode, padding, dilation, ceil_mode, data_format="NCHW"):
        super().__init__()
        if not isinstance(pad_mode, str):
            raise TypeError(f"{self.cls_name}: pad_mode must be a str, got {type(pad_mode).__name__}")
        self.pad_mode = one_of(pad_mode.upper(), ("VALID", "SAME", "PAD"), "pad_mode", self.cls_name)
        self.format = one_of(data_format, ("NCHW", "NHWC"), "data_format", self.cls_name)
        self.kernel_size = self._window("kernel_size", kernel_size)
        self.stride = self._window("stride", stride)
        self.ceil_mode = boolean(ceil_mode, "ceil_mode", self.cls_name)
        self.kernel, self.steps = _sizes(self.kernel_size, self.axes), _sizes(self.stride, self.axes)
        self.dilations = _sizes(self._window("dilation", dilation), self.axes)
        self.pads = self._padding(padding)

    def _window(self, name, value):
        """An int, or a tuple of one int for each pooled axis, as it is printed."""
        if not isinstance(value, tuple):
            return positive_int(value, name, self.cls_name)
        if len(value) not in (1, self.axes):
            raise ValueError(f"{self.cls_name}: {name} must be an int or a tuple of {self.axes}, got {value!r}")
        values = tuple(positive_int(v, name, self.cls_name) for v in value)
        return values[0] if len(values) == 1 else values

    def _padding(self, padding) -> tuple:
        """(before, after) of each axis in turn."""
        values = tuple(padding) if isinstance(padding, (tuple, list)) else (padding,)
        if len(values) == 1:
            values *= self.axes
        if len(values) == self.axes:
            values = tuple(v for v in values for _ in (0, 1))
        if len(values) != 2 * self.axes or any(isinstance(v, bool) or not isinstance(v, int) or v < 0 for v in values):
            raise ValueError(f"{self.cls_name}: padding must be an int >= 0 or a tuple of {self.axes}, got {padding!r}")
        if any(values) and self.pad_mode != "PAD":
            raise ValueError(f"{self.cls_name}: padding={padding} has an effect only with pad_mode='pad', which is "
                             f"{self.pad_mode.lower()!r}")
        return values

    def _require_pad_mode(self, **options):
        for name, (value, default) in options.items():
            if value != default and self.pad_mode != "PAD":
                raise ValueError(f"{self.cls_name}: {name}={value!r} is taken only with pad_mode='pad', which is "
                                 f"{self.pad_mode.lower()!r}")

    def window_pads(self, sizes) -> tuple:
        """(before, after) of each axis for the input's `sizes`, with what ceil_mode adds at the ends."""
        pads = windows.padding(self.pad_mode.lower(), sizes, self.kernel, self.steps, self.dilations, self.pads,
                               self.cls_name)
        if not self.ceil_mode:
            return pads
        pairs = [(before, after + windows.ceil_extra(size, k, s, d, before, after))
                 for size, k, s, d, before, after in zip(sizes, self.kernel, self.steps, self.dilations, pads[::2],
                                                         pads[1::2])]
        return tuple(p for pair in pairs for p in pair)

    def batched(self, x):
        """(input with an axis N, whether one was added)."""
        rank(x, (self.axes + 1, self.axes + 2), self.cls_name)
        alone = len(x.shape) == self.axes + 1
        return (ops.expand_dims(x, 0) if alone else x), alone

    def construct(self, x):
        x, alone = self.batched(x)
        if self.format == "NHWC":
            x = ops.transpose(x, TO_NCHW)
        result = self.pooled(x)
        if self.format == "NHWC":
            result = ops.transpose(result, TO_NHWC)
        if not alone:
            return result
        return tuple(ops.squeeze(r, 0) for r in result) if isinstance(result, tuple) else ops.squeeze(result, 0)

    def pooled(self, x):
        """The result for an input with all axes, channels at axis 1."""
        raise NotImplementedError

    def extend_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, pad_mode={self.pad_mode}"


class _MaxPool(_Pool):
    """Maximum over windows of the last `axes` axes."""

    def __init__(self, kernel_size=1, stride=1, pad_mode="valid", padding=0, dilation=1, return_indices=False,
                 ceil_mode=False, data_format="NCHW"):
        super().__init__(kernel_size, stride, pad_mode, padding, dilation, ceil_mode, data_format)
        self.return_indices = boolean(return_indices, "return_indices", self.cls_name)
        self._require_pad_mode(dilation=(dilation, 1), return_indices=(return_indices, False),
                               ceil_mode=(ceil_mode, False))


def _max_pool(x, kernel, stride, pad, dilation):
    return apply(pooling.max_pool2d, x, kernel=tuple(kernel), stride=tuple(stride), pad=tuple(pad),
                 dilation=tuple(dilation))


def _avg_pool(x, kernel, stride, pad, count_include_pad=True, divisor=None):
    return apply(pooling.avg_pool2d, x, kernel=tuple(kernel), stride=tuple(stride), pad=tuple(pad),
                 count_include_pad=count_include_pad, divisor_override=divisor)


def _places(x, largest, kernel, stride, pad, dilation):
    """The place in its H * W plane (int64) of the first element of each window that equals the maximum `largest`."""
    (top, bottom, left, right), (height, width), (rows, columns) = pad, x.shape[2:], largest.shape[2:]
    if not all(isinstance(size, int) for size in (height, width)):
        raise ShapeError(f"return_indices needs to know the height and width, which are symbolic: {height}, {width}")
    padded = ops.pad(x, [left, right, top, bottom], value=float("-inf"))
    result = ops.zeros_like(ops.cast(largest, dt.int64))
    for i, j in reversed([(i, j) for i in range(kernel[0]) for j in range(kernel[1])]):
        y, x0 = i * dilation[0], j * dilation[1]
        seen = padded[:, :, y:y + (rows - 1) * stride[0] + 1:stride[0], x0:x0 + (columns - 1) * stride[1] + 1:stride[1]]
        places = (np.arange(rows)[:, None] * stride[0] + y - top) * width + np.arange(columns) * stride[1] + x0 - left
        hit = ops.logical_or(seen == largest, ops.isnan(seen))
        result = ops.select(hit, Tensor(places.astype(np.int64)), result)
    return result


class MaxPool2d(_MaxPool):
    """The largest element of each window of (N, C, H, W) or (C, H, W).

    kernel_size, stride: int or (rows, columns).  pad_mode: "valid", "same" or "pad" with `padding`, an int or
    (rows, columns).  dilation, ceil_mode (round the number of windows up) and return_indices (also return the place of
    each maximum in its H * W plane, int64) are taken with pad_mode "pad" only, as in MindSpore.  data_format: "NCHW" or
    "NHWC".
    Raises ValueError or TypeError for bad arguments, ShapeError where no window fits.
    """

    axes = 2

    def pooled(self, x):
        pads = self.window_pads(x.shape[2:])
        largest = _max_pool(x, self.kernel, self.steps, pads, self.dilations)
        if not self.return_indices:
            return largest
        return largest, _places(x, largest, self.kernel, self.steps, pads, self.dilations)


class MaxPool1d(_MaxPool):
    """The largest element of each window of (N, C, L) or (C, L); arguments as in `MaxPool2d`, all sizes ints."""

    axes = 1

    def __init__(self, kernel_size=1, stride=1, pad_mode="valid", padding=0, dilation=1, return_indices=False,
                 ceil_mode=False):
        super().__init__(kernel_size, stride, pad_mode, padding, dilation, return_indices, ceil_mode)
        self.kernel_size, self.stride = (1, *self.kernel), (1, *self.steps)

    def pooled(self, x):
        row = ops.expand_dims(x, 2)
        pads, dilation = (0, 0, *self.window_pads(x.shape[2:])), (1, *self.dilations)
        largest = _max_pool(row, self.kernel_size, self.stride, pads, dilation)
        if not self.return_indices:
            return ops.squeeze(largest, 2)
        return ops.squeeze(largest, 2), ops.squeeze(
            _places(row, largest, self.kernel_size, self.stride, pads, dilation), 2)


class MaxPool3d(_MaxPool):
    """The largest element of each window of (N, C, D, H, W) or (C, D, H, W); see `MaxPool2d`; without indices."""

    axes = 3

    def __init__(self, kernel_size=1, stride=1, pad_mode="valid", padding=0, dilation=1, return_indices=False,
                 ceil_mode=False):
        super().__init__(kernel_size, stride, pad_mode, padding, dilation, return_indices, ceil_mode)
        if return_indices:
            raise ValueError("MaxPool3d: return_indices is not supported; use MaxPool2d, or take the maxima alone")

    def pooled(self, x):
        (head, tail, *pads), (kd, *kernel) = self.window_pads(x.shape[2:]), self.kernel
        (sd, *strides), (dd, *dilations) = self.steps, self.dilations
        planes = _max_pool(_planes(x), kernel, strides, pads, dilations)
        columns = _columns(planes, x)
        return _volumes(_max_pool(columns, (kd, 1), (sd, 1), (head, tail, 0, 0), (dd, 1)), planes)


def _planes(x):
    """(N, C, D, H, W) as images (N, C * D, H, W)."""
    n, c, d, h, w = x.shape
    return ops.reshape(x, (n, c * d, h, w))


def _columns(planes, x):
    """Images (N, C * D, H', W') as (N, C, D, H' * W'), for pooling in depth."""
    n, c, d = x.shape[:3]
    return ops.reshape(planes, (n, c, d, planes.shape[2] * planes.shape[3]))


def _volumes(columns, planes):
    """(N, C, D', H' * W') as (N, C, D', H', W')."""
    n, c, d, _ = columns.shape
    return ops.reshape(columns, (n, c, d, planes.shape[2], planes.shape[3]))


class _AvgPool(_Pool):
    """Mean over windows of the last `axes` axes."""

    def __init__(self, kernel_size=1, stride=1, pad_mode="valid", padding=0, ceil_mode=False, count_include_pad=True,
                 divisor_override=None, data_format="NCHW"):
        super().__init__(kernel_size, stride, pad_mode, padding, 1, ceil_mode, data_format)
        self.count_include_pad = boolean(count_include_pad, "count_include_pad", self.cls_name)
        if divisor_override is not None:
            positive_int(divisor_override, "divisor_override", self.cls_name)
        self.divisor_override = divisor_override

    def average(self, x, kernel, stride, sizes):
        """The mean over windows of the last two axes of `x`, of which the last ones are pooled and have `sizes`."""
        rows = (0, 0) * (2 - len(sizes))
        if self.divisor_override is not None:
            return _avg_pool(x, kernel, stride, rows + self.window_pads(sizes), divisor=self.divisor_override)
        if not self.ceil_mode and self.pad_mode != "SAME":
            return _avg_pool(x, kernel, stride, rows + self.window_pads(sizes), self.count_include_pad)
        if not self.count_include_pad or self.pad_mode == "SAME" or not any(self.pads):
            return _avg_pool(x, kernel, stride, rows + self.window_pads(sizes), False)
        # The padding that was asked for counts as elements, what ceil_mode adds after it does not.
        top, bottom, left, right = rows + self.pads
        added = tuple(p - asked for p, asked in zip(self.window_pads(sizes), self.pads))
        return _avg_pool(ops.pad(x, [left, right, top, bottom]), kernel, stride, rows + added, False)


class AvgPool2d(_AvgPool):
    """The mean of each window of (N, C, H, W) or (C, H, W).

    kernel_size, stride: int or (rows, columns).  pad_mode: "valid", "same" (padding is not counted) or "pad" with
    `padding`, an int or (rows, columns).  ceil_mode: round the number of windows up.  count_include_pad: whether zeros
    of the padding count.  divisor_override: divide by this number instead.  data_format: "NCHW" or "NHWC".
    Raises ValueError or TypeError for bad arguments, ShapeError where no window fits.
    """

    axes = 2

    def pooled(self, x):
        return self.average(x, self.kernel, self.steps, x.shape[2:])


class AvgPool1d(_AvgPool):
    """The mean of each window of (N, C, L) or (C, L); arguments as in `AvgPool2d`, all sizes ints."""

    axes = 1

    def __init__(self, kernel_size=1, stride=1, pad_mode="valid", padding=0, ceil_mode=False, count_include_pad=True):
        super().__init__(kernel_size, stride, pad_mode, padding, ceil_mode, count_include_pad)
        self.kernel_size, self.stride = (1, *self.kernel), (1, *self.steps)

    def pooled(self, x):
        return ops.squeeze(self.average(ops.expand_dims(x, 2), self.kernel_size, self.stride, x.shape[2:]), 2)


class AvgPool3d(_AvgPool):
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W); arguments as in `AvgPool2d`.

    Padding counts as zeros (count_include_pad=True); ceil_mode is not taken.
    """

    axes = 3

    def __init__(self, kernel_size=1, stride=1, pad_mode="valid", padding=0, ceil_mode=False, count_include_pad=True,
                 divisor_override=None):
        super().__init__(kernel_size, stride, pad_mode, padding, ceil_mode, count_include_pad, divisor_override)
        if ceil_mode or (not count_include_pad or self.pad_mode == "SAME") and divisor_override is None:
            raise ValueError("AvgPool3d takes pad_mode 'valid' or 'pad' with count_include_pad=True and no ceil_mode")

    def pooled(self, x):
        (head, tail, *pads), (kd, *kernel), (sd, *strides) = self.window_pads(x.shape[2:]), self.kernel, self.steps
        planes = _avg_pool(_planes(x), kernel, strides, pads, divisor=self.divisor_override)
        columns = _avg_pool(_columns(planes, x), (kd, 1), (sd, 1), (head, tail, 0, 0),
                            divisor=None if self.divisor_override is None else 1)
        return _volumes(columns, planes)


class _Adaptive(Cell):
    """Windows chosen so that the result has `output_size` elements along each pooled axis."""

    axes: int

    def __init__(self, output_size):
        super().__init__()
        values = output_size if isinstance(output_size, tuple) else (output_size,) * self.axes
        if len(values) != self.axes:
            raise ValueError(f"{self.cls_name}: output_size must be an int or a tuple of {self.axes}, got "
                             f"{output_size!r}")
        self.output_size = output_size
        self.wanted = tuple(v if v is None else positive_int(v, "output_size", self.cls_name) for v in values)

    def construct(self, input):
        rank(input, (self.axes + 1, self.axes + 2), self.cls_name)
        sizes = tuple(input.shape)
        rows = (1,) * (2 - self.axes)
        image = ops.reshape(input, (1,) * (self.axes + 2 - len(sizes)) + sizes[:len(sizes) - self.axes] + rows
                            + sizes[-self.axes:])
        targets = rows + tuple(size if w is None else w for w, size in zip(self.wanted, sizes[-self.axes:]))
        result = self.pooled(image, targets)
        return ops.reshape(result, sizes[:len(sizes) - self.axes] + targets[len(rows):])

    def pooled(self, x, targets):
        """An image (N, C, H, W) pooled to `targets`: by even windows where sizes divide, else one by one."""
        sizes = tuple(x.shape[2:])
        if not all(isinstance(s, int) for s in sizes):
            raise ShapeError(f"{self.cls_name} needs to know the sizes of the pooled axes, which are symbolic: {sizes}")
        if all(size % target == 0 for size, target in zip(sizes, targets)):
            kernel = tuple(size // target for size, target in zip(sizes, targets))
            return self.one(x, kernel, kernel)
        rows = [self.one(x[:, :, top:bottom], (bottom - top, 1), (1, 1))
                for top, bottom in _spans(sizes[0], targets[0])]
        tall = ops.concat(rows, 2) if len(rows) > 1 else rows[0]
        columns = [self.one(tall[:, :, :, left:right], (1, right - left), (1, 1))
                   for left, right in _spans(sizes[1], targets[1])]
        return ops.concat(columns, 3) if len(columns) > 1 else columns[0]

    def one(self, x, kernel, stride):
        """Pool with one window size."""
        raise NotImplementedError


def _spans(size, count):
    """(start, end) of each of `count` windows that cover `size` elements as evenly as whole numbers allow."""
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


class AdaptiveAvgPool2d(_Adaptive):
    """The mean over windows such that (N, C, H, W) or (C, H, W) becomes (..., *output_size).

    output_size: int or (rows, columns), None for a size that stays.  Raises ValueError or TypeError for anything else.
    """

    axes = 2

    def one(self, x, kernel, stride):
        return _avg_pool(x, kernel, stride, (0, 0, 0, 0))


class AdaptiveAvgPool1d(AdaptiveAvgPool2d):
    """The mean over windows such that (N, C, L) becomes (N, C, output_size)."""

    axes = 1


class AdaptiveMaxPool2d(_Adaptive):
    """The maximum over windows such that (N, C, H, W) or (C, H, W) becomes (..., *output_size).

    output_size: int or (rows, columns), None for a size that stays.  Raises ValueError for anything else, and for
    return_indices=True, which is not supported.
    """

    axes = 2

    def __init__(self, output_size, return_indices=False):
        super().__init__(output_size)
        if return_indices:
            raise ValueError(f"{self.cls_name}: return_indices is not supported; use MaxPool2d(pad_mode='pad')")
        self.return_indices = return_indices

    def one(self, x, kernel, stride):
        return _max_pool(x, kernel, stride, (0, 0, 0, 0), (1, 1))


class AdaptiveMaxPool1d(AdaptiveMaxPool2d):
    """The maximum over windows such that (N, C, L) becomes (N, C, output_size)."""

    axes = 1

    def __init__(self, output_size):
        super().__init__(output_size)
