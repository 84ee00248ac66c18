"""Measures of images, and their middle: SSIM, PSNR, ImageGradients, CentralCrop."""
from __future__ import annotations

import math

import numpy as np

from graphcore import dtype as dt
from graphcore import ops
from graphcore.nn.arguments import number
from graphcore.nn.cell import Cell
from graphcore.nn.layers.conv import Conv2d
from graphcore.tensor import Tensor

__all__ = ["CentralCrop", "ImageGradients", "PSNR", "SSIM"]


def _require_alike(cell: Cell, img1, img2) -> None:
    if img1.ndim != 4 or img1.shape != img2.shape or img1.dtype != img2.dtype:
        raise ValueError(f"{cell.cls_name} compares images [N, C, H, W] of one shape and dtype, got {img1.shape} of "
                         f"{img1.dtype} and {img2.shape} of {img2.dtype}")


def _scaled(cell: Cell, img):
    """float32; what is not float is divided by its dtype's largest value."""
    if img.dtype.is_float:
        return ops.cast(img, dt.float32)
    return ops.cast(img, dt.float32) * (1.0 / np.iinfo(img.dtype.storage).max)


def gaussian_window(size: int, sigma: float) -> np.ndarray:
    """float32 [1, 1, size, size] of sum 1, largest in the middle."""
    places = np.arange(size, dtype=np.float32) - size // 2 + (1 - size % 2)
    line = np.exp(-places ** 2 / (2 * sigma ** 2))
    window = np.outer(line, line)
    return (window / window.sum()).astype(np.float32)[None, None]


class SSIM(Cell):
    """The structural similarity [N] of images [N, C, H, W]: 1 for equal ones.

    max_val: the largest value of a pixel.  filter_size, filter_sigma: the Gaussian window over which means are taken.
    k1, k2: steady small denominators.  Raises ValueError for images smaller than the window, or that are not alike.
    """

    def __init__(self, max_val=1.0, filter_size=11, filter_sigma=1.5, k1=0.01, k2=0.03):
        super().__init__()
        self.max_val = number(max_val, "max_val", self.cls_name, low=0.0, open_low=True)
        if not isinstance(filter_size, int) or filter_size < 1:
            raise ValueError(f"{self.cls_name}: filter_size must be an int of at least 1, got {filter_size!r}")
        sigma = number(filter_sigma, "filter_sigma", self.cls_name, low=0.0, open_low=True)
        self.filter_size = filter_size
        self.k1, self.k2 = (number(k, name, self.cls_name) for k, name in ((k1, "k1"), (k2, "k2")))
        self.conv = Conv2d(1, 1, filter_size, pad_mode="valid", weight_init=Tensor(gaussian_window(filter_size, sigma)))
        self.conv.weight.requires_grad = False

    def construct(self, img1, img2):
        _require_alike(self, img1, img2)
        if min(img1.shape[2:]) < self.filter_size:
            raise ValueError(f"{self.cls_name}: images must be at least {self.filter_size} pixels high and wide, the "
                             f"size of the window; got {img1.shape}")
        batch, channels, height, width = img1.shape
        planes = (batch * channels, 1, height, width)
        x, y = (ops.reshape(_scaled(self, img), planes) for img in (img1, img2))
        mean_x, mean_y = self.conv(x), self.conv(y)
        variance_x = self.conv(x * x) - mean_x * mean_x
        variance_y = self.conv(y * y) - mean_y * mean_y
        covariance = self.conv(x * y) - mean_x * mean_y
        c1, c2 = (self.k1 * self.max_val) ** 2, (self.k2 * self.max_val) ** 2
        similarity = ((2.0 * mean_x * mean_y + c1) * (2.0 * covariance + c2)
                      / ((mean_x * mean_x + mean_y * mean_y + c1) * (variance_x + variance_y + c2)))
        return ops.mean(ops.reshape(ops.mean(similarity, (1, 2, 3)), (batch, channels)), -1)


class PSNR(Cell):
    """The peak signal-to-noise ratio [N] of images [N, C, H, W], in decibels; max_val: the largest value of a pixel."""

    def __init__(self, max_val=1.0):
        super().__init__()
        self.max_val = number(max_val, "max_val", self.cls_name, low=0.0, open_low=True)

    def construct(self, img1, img2):
        _require_alike(self, img1, img2)
        error = ops.mean(ops.square(_scaled(self, img1) - _scaled(self, img2)), (-3, -2, -1))
        return ops.log(self.max_val ** 2 / error) * (10.0 / math.log(10.0))


class ImageGradients(Cell):
    """(differences to the pixels below, to those on the right) of images [N, C, H, W]; 0 in the last row or column."""

    def construct(self, images):
        if images.ndim != 4:
            raise ValueError(f"{self.cls_name} takes images [N, C, H, W], got shape {images.shape}")
        below = ops.concat((images[:, :, 1:, :], images[:, :, -1:, :]), 2)
        right = ops.concat((images[:, :, :, 1:], images[:, :, :, -1:]), 3)
        return below - images, right - images


class CentralCrop(Cell):
    """The middle of images [C, H, W] or [N, C, H, W]: `central_fraction`, in (0, 1], of height and width."""

    def __init__(self, central_fraction):
        super().__init__()
        self.central_fraction = number(central_fraction, "central_fraction", self.cls_name, low=0.0, high=1.0,
                                       open_low=True)

    def construct(self, image):
        if image.ndim not in (3, 4):
            raise ValueError(f"{self.cls_name} takes images [C, H, W] or [N, C, H, W], got shape {image.shape}")
        height, width = image.shape[-2:]
        top, left = (int((n - n * self.central_fraction) / 2) for n in (height, width))
        return image[..., top:height - top, left:width - left]
