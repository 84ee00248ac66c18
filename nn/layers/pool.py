"""Pooling layers: over windows, or to a given size."""
from __future__ import annotations

from graphcore import ops
from graphcore.nn.arguments import boolean, one_of, positive_int, rank
from graphcore.nn.cell import Cell
from graphcore.nn.layers.conv import TO_NCHW, TO_NHWC
from graphcore.ops import pooling as records
from graphcore.ops.functional.convolution import amounts
from graphcore.ops.functional.pooling import pool_same
from graphcore.ops.functional.volumes import pooled_maxima, pooled_means

__all__ = ["MaxPool1d", "MaxPool2d", "MaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "AdaptiveAvgPool1d",
           "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d"]


class _Pool(Cell):
    """What the pooling layers share: window, stride, padding and printed form.

    `axes` is the number of pooled axes; the input may lack the axis N.
    """

    axes: int

    def __init__(self, kernel_size, stride, pad_mode, padding, ceil_mode, data_format="NCHW"):
        super().__init__()
        if not isinstance(pad_mode, str):
            raise TypeError(f"{self.cls_name}: pad_mode must be a str, got {type(pad_mode).__name__}")
        self.pad_mode = one_of(pad_mode.upper(), ("VALID", "SAME", "PAD"), "pad_mode", self.cls_name)
        self.format = one_of(data_format, ("NCHW", "NHWC"), "data_format", self.cls_name)
        self.kernel_size = self._window("kernel_size", kernel_size)
        self.stride = self._window("stride", stride)
        self.kernel, self.steps = self._sizes(self.kernel_size), self._sizes(self.stride)
        self.ceil_mode = boolean(ceil_mode, "ceil_mode", self.cls_name)
        self.pads = self._padding(padding)

    def _window(self, name, value):
        """An int, or a tuple of one int for each pooled axis, as it is printed."""
        if not isinstance(value, tuple):
            return positive_int(value, name, self.cls_name)
        if len(value) not in (1, self.axes):
            raise ValueError(f"{self.cls_name}: {name} must be an int or a tuple of {self.axes}, got {value!r}")
        values = tuple(positive_int(v, name, self.cls_name) for v in value)
        return values[0] if len(values) == 1 else values

    def _sizes(self, value) -> tuple:
        return value if isinstance(value, tuple) else (value,) * self.axes

    def _padding(self, padding) -> tuple:
        """What is added before and after each axis."""
        values = tuple(padding) if isinstance(padding, (tuple, list)) else (padding,)
        values = values * self.axes if len(values) == 1 else values
        if len(values) != self.axes or any(isinstance(v, bool) or not isinstance(v, int) or v < 0 for v in values):
            raise ValueError(f"{self.cls_name}: padding must be an int >= 0 or a tuple of {self.axes}, got {padding!r}")
        if any(values) and self.pad_mode != "PAD":
            raise ValueError(f"{self.cls_name}: padding={padding} has an effect only with pad_mode='pad', which is "
                             f"{self.pad_mode.lower()!r}")
        return values

    def construct(self, x):
        rank(x, (self.axes + 1, self.axes + 2), self.cls_name)
        alone = len(x.shape) == self.axes + 1
        if alone:
            x = ops.expand_dims(x, 0)
        if self.format == "NHWC":
            return self._without_batch(ops.transpose(self.pooled(ops.transpose(x, TO_NCHW)), TO_NHWC), alone)
        result = self.pooled(x)
        if isinstance(result, tuple):
            return tuple(self._without_batch(r, alone) for r in result)
        return self._without_batch(result, alone)

    @staticmethod
    def _without_batch(x, alone):
        return ops.squeeze(x, 0) if alone else x

    def pooled(self, x):
        """The result for an input with all axes, channels at axis 1."""
        raise NotImplementedError(f"{self.cls_name} must define pooled(self, x)")

    def extend_repr(self):
        return f"kernel_size={self.kernel_size}, stride={self.stride}, pad_mode={self.pad_mode}"


class _MaxPool(_Pool):
    """Maximum over windows of the last `axes` axes."""

    def __init__(self, kernel_size=1, stride=1, pad_mode="valid", padding=0, dilation=1, return_indices=False,
                 ceil_mode=False, data_format="NCHW"):
        super().__init__(kernel_size, stride, pad_mode, padding, ceil_mode, data_format)
        self.dilations = self._sizes(self._window("dilation", dilation))
        self.return_indices = boolean(return_indices, "return_indices", self.cls_name)
        for name, value, default in (("dilation", dilation, 1), ("return_indices", return_indices, False),
                                     ("ceil_mode", ceil_mode, False)):
            if value != default and self.pad_mode != "PAD":
                raise ValueError(f"{self.cls_name}: {name}={value!r} is taken only with pad_mode='pad', which is "
                                 f"{self.pad_mode.lower()!r}")
        if return_indices and data_format == "NHWC":
            raise ValueError(f"{self.cls_name}: return_indices is taken only with data_format='NCHW'")

    def largest(self, image, *leading):
        """The maxima, with indices if wanted, over the two last axes; `leading`: the window along the first of them."""
        kernel, steps = (*leading, *self.kernel), (*leading, *self.steps)
        if self.pad_mode != "PAD":
            return pool_same(records.max_pool2d, image, kernel, steps, self.pad_mode)
        pads = (0,) * len(leading) + self.pads
        return ops.max_pool2d(image, kernel, steps, pads, (*leading, *self.dilations), self.return_indices,
                              self.ceil_mode)


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
        return self.largest(x)


class MaxPool1d(_MaxPool):
    """The largest element of each window of (N, C, L) or (C, L); arguments as in `MaxPool2d`, all sizes ints."""

    axes = 1

    def __init__(self, kernel_size=1, stride=1, pad_mode="valid", padding=0, dilation=1, return_indices=False,
                 ceil_mode=False):
        super().__init__(kernel_size, stride, pad_mode, padding, dilation, return_indices, ceil_mode)
        self.kernel_size, self.stride = (1, *self.kernel), (1, *self.steps)

    def pooled(self, x):
        result = self.largest(ops.expand_dims(x, 2), 1)
        return tuple(ops.squeeze(r, 2) for r in result) if self.return_indices else ops.squeeze(result, 2)


class MaxPool3d(_MaxPool):
    """The largest element of each window of (N, C, D, H, W) or (C, D, H, W); see `MaxPool2d`.

    return_indices gives places in the D * H * W volume.
    """

    axes = 3

    def __init__(self, kernel_size=1, stride=1, pad_mode="valid", padding=0, dilation=1, return_indices=False,
                 ceil_mode=False):
        super().__init__(kernel_size, stride, pad_mode, padding, dilation, return_indices, ceil_mode)

    def pooled(self, x):
        return pooled_maxima(x, self.kernel, self.steps, _sides(self, x), self.dilations, self.ceil_mode,
                             self.return_indices)


class _AvgPool(_Pool):
    """Mean over windows of the last `axes` axes."""

    def __init__(self, kernel_size=1, stride=1, pad_mode="valid", padding=0, ceil_mode=False, count_include_pad=True,
                 divisor_override=None, data_format="NCHW"):
        super().__init__(kernel_size, stride, pad_mode, padding, ceil_mode, data_format)
        self.count_include_pad = boolean(count_include_pad, "count_include_pad", self.cls_name)
        if divisor_override is not None:
            positive_int(divisor_override, "divisor_override", self.cls_name)
        self.divisor_override = divisor_override

    def mean(self, image, *leading):
        """The means over the two last axes; `leading`: the window along the first of them."""
        kernel, steps = (*leading, *self.kernel), (*leading, *self.steps)
        if self.pad_mode == "SAME":
            return pool_same(records.avg_pool2d, image, kernel, steps, "same")
        return ops.avg_pool2d(image, kernel, steps, (0,) * len(leading) + self.pads, self.ceil_mode,
                              self.count_include_pad, self.divisor_override or 0)


class AvgPool2d(_AvgPool):
    """The mean of each window of (N, C, H, W) or (C, H, W).

    kernel_size, stride: int or (rows, columns).  pad_mode: "valid", "same" (padding is not counted) or "pad" with
    `padding`, an int or (rows, columns).  ceil_mode: round the number of windows up.  count_include_pad: whether zeros
    of the padding count.  divisor_override: divide by this number instead.  data_format: "NCHW" or "NHWC".
    Raises ValueError or TypeError for bad arguments, ShapeError where no window fits.
    """

    axes = 2

    def pooled(self, x):
        return self.mean(x)


class AvgPool1d(_AvgPool):
    """The mean of each window of (N, C, L) or (C, L); arguments as in `AvgPool2d`, all sizes ints."""

    axes = 1

    def __init__(self, kernel_size=1, stride=1, pad_mode="valid", padding=0, ceil_mode=False, count_include_pad=True):
        super().__init__(kernel_size, stride, pad_mode, padding, ceil_mode, count_include_pad)
        self.kernel_size, self.stride = (1, *self.kernel), (1, *self.steps)

    def pooled(self, x):
        return ops.squeeze(self.mean(ops.expand_dims(x, 2), 1), 2)


class AvgPool3d(_AvgPool):
    """The mean of each window of (N, C, D, H, W) or (C, D, H, W); see `AvgPool2d`."""

    axes = 3

    def __init__(self, kernel_size=1, stride=1, pad_mode="valid", padding=0, ceil_mode=False, count_include_pad=True,
                 divisor_override=None):
        super().__init__(kernel_size, stride, pad_mode, padding, ceil_mode, count_include_pad, divisor_override)

    def pooled(self, x):
        return pooled_means(x, self.kernel, self.steps, _sides(self, x), self.ceil_mode, self.count_include_pad,
                            self.divisor_override or 0)


def _sides(pool, x) -> tuple:
    """(before, after) for each pooled axis."""
    dilations = getattr(pool, "dilations", (1,) * pool.axes)
    return amounts(pool.cls_name, pool.pad_mode, pool.pads, x.shape[2:], pool.kernel, pool.steps, dilations)


# -- to a given size -------------------------------------------------------------------------------------------
class _Adaptive(Cell):
    """Windows chosen so that the result has `output_size` elements along each pooled axis."""

    axes: int

    def __init__(self, output_size):
        super().__init__()
        values = output_size if isinstance(output_size, tuple) else (output_size,) * self.axes
        if len(values) != self.axes:
            raise ValueError(f"{self.cls_name}: output_size must be an int or a tuple of {self.axes}, got "
                             f"{output_size!r}")
        for value in values:
            if value is not None:
                positive_int(value, "output_size", self.cls_name)
        self.output_size, self.sizes = output_size, values


class AdaptiveAvgPool1d(_Adaptive):
    """Means over windows that divide (N, C, L) into (N, C, output_size)."""

    axes = 1

    def construct(self, input):
        return ops.adaptive_avg_pool1d(input, self.sizes)


class AdaptiveAvgPool2d(_Adaptive):
    """Means over windows that divide (N, C, H, W) or (C, H, W) into (..., *output_size).

    output_size: int or (rows, columns), None for a size that stays.  Raises ValueError or TypeError for anything else.
    """

    axes = 2

    def construct(self, input):
        return ops.adaptive_avg_pool2d(input, self.sizes)


class AdaptiveAvgPool3d(_Adaptive):
    """Means over windows that divide (N, C, D, H, W) into (N, C, *output_size)."""

    axes = 3

    def construct(self, input):
        return ops.adaptive_avg_pool3d(input, self.sizes)


class _AdaptiveMax(_Adaptive):
    """Maxima, with their places if wanted."""

    def __init__(self, output_size, return_indices=False):
        super().__init__(output_size)
        self.return_indices = boolean(return_indices, "return_indices", self.cls_name)


class AdaptiveMaxPool1d(_Adaptive):
    """Maxima over windows that divide (N, C, L) into (N, C, output_size)."""

    axes = 1

    def construct(self, x):
        return ops.adaptive_max_pool1d(x, self.sizes)


class AdaptiveMaxPool2d(_AdaptiveMax):
    """Maxima over windows that divide (N, C, H, W) or (C, H, W) into (..., *output_size).

    return_indices: also the place of each maximum in its plane.
    """

    axes = 2

    def construct(self, input):
        return ops.adaptive_max_pool2d(input, self.sizes, self.return_indices)


class AdaptiveMaxPool3d(_AdaptiveMax):
    """Maxima over windows that divide (N, C, D, H, W) or (C, D, H, W) into (..., *output_size).

    return_indices: also the place of each maximum in its volume, int32.
    """

    axes = 3

    def construct(self, input):
        return ops.adaptive_max_pool3d(input, self.sizes, self.return_indices)
