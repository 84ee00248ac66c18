"""Layers around pooling: the way back from maxima, norms of windows, windows at random places."""
from __future__ import annotations

from graphcore import ops
from graphcore.nn.arguments import boolean
from graphcore.nn.cell import Cell

__all__ = ["MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d", "LPPool1d", "LPPool2d", "FractionalMaxPool2d",
           "FractionalMaxPool3d"]


class _MaxUnpool(Cell):
    def __init__(self, kernel_size, stride=None, padding=0):
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding


class MaxUnpool1d(_MaxUnpool):
    """The inverse of pooling (N, C, L) or (C, L): maxima at their places, zeros elsewhere; see `ops.max_unpool1d`."""

    def construct(self, x, indices, output_size=None):
        return ops.max_unpool1d(x, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool2d(_MaxUnpool):
    """The inverse of pooling (N, C, H, W) or (C, H, W): maxima at their places; see `ops.max_unpool2d`.

    kernel_size, stride, padding: those of the pooling; construct takes the maxima, their places, and output_size where
    the pooling left it open.
    """

    def construct(self, x, indices, output_size=None):
        return ops.max_unpool2d(x, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool3d(_MaxUnpool):
    """The inverse of pooling (N, C, D, H, W) or (C, D, H, W): maxima at their places; see `MaxUnpool2d`."""

    def construct(self, x, indices, output_size=None):
        return ops.max_unpool3d(x, indices, self.kernel_size, self.stride, self.padding, output_size)


class _LPPool(Cell):
    def __init__(self, norm_type, kernel_size, stride=None, ceil_mode=False):
        super().__init__()
        self.norm_type, self.kernel_size, self.stride = norm_type, kernel_size, stride
        self.ceil_mode = boolean(ceil_mode, "ceil_mode", self.cls_name)


class LPPool1d(_LPPool):
    """The norm ``sum(x^p)^(1/p)`` of each window of (N, C, L) or (C, L), p being norm_type."""

    def construct(self, x):
        return ops.lp_pool1d(x, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)


class LPPool2d(_LPPool):
    """The norm ``sum(x^p)^(1/p)`` of each window of (N, C, H, W), p being norm_type."""

    def construct(self, x):
        return ops.lp_pool2d(x, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)


class _FractionalMaxPool(Cell):
    def __init__(self, kernel_size, output_size=None, output_ratio=None, return_indices=False, _random_samples=None):
        super().__init__()
        self.kernel_size, self.output_size, self.output_ratio = kernel_size, output_size, output_ratio
        self.return_indices = boolean(return_indices, "return_indices", self.cls_name)
        self._random_samples = _random_samples


class FractionalMaxPool2d(_FractionalMaxPool):
    """Maxima of windows of (N, C, H, W) or (C, H, W) at random places; see `ops.fractional_max_pool2d`."""

    def construct(self, input):
        return ops.fractional_max_pool2d(input, self.kernel_size, self.output_size, self.output_ratio,
                                         self.return_indices, self._random_samples)


class FractionalMaxPool3d(_FractionalMaxPool):
    """Maxima of windows of (N, C, D, H, W) or (C, D, H, W) at random places; see `ops.fractional_max_pool3d`."""

    def construct(self, input):
        return ops.fractional_max_pool3d(input, self.kernel_size, self.output_size, self.output_ratio,
                                         self.return_indices, self._random_samples)
