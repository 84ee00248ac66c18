"""Transforms of pixel values: scaling, normalisation, dtypes, colours."""
from __future__ import annotations

import enum

import numpy as np

from graphcore.dataset import rng
from graphcore.dataset.errors import DatasetError
from graphcore.dataset.transforms.basic import TypeCast, numpy_dtype
from graphcore.dataset.transforms.compose import Transform
from graphcore.dataset.vision.resampling import as_image


class ConvertMode(enum.Enum):
    """The conversions of ConvertColor."""

    COLOR_BGR2RGB = "BGR2RGB"
    COLOR_RGB2BGR = "RGB2BGR"
    COLOR_BGR2GRAY = "BGR2GRAY"
    COLOR_RGB2GRAY = "RGB2GRAY"
    COLOR_GRAY2BGR = "GRAY2BGR"
    COLOR_GRAY2RGB = "GRAY2RGB"


class Rescale(Transform):
    """``image * rescale + shift`` as float32, any shape."""

    def __init__(self, rescale: float, shift: float):
        self.rescale, self.shift = np.float32(rescale), np.float32(shift)

    def __call__(self, value):
        return as_image(value, "Rescale").astype(np.float32) * self.rescale + self.shift


class Normalize(Transform):
    """``(image - mean) / std`` for each channel, as float32.

    mean, std: one number a channel, or one for all.  is_hwc: whether channels are the last axis or the first.
    """

    def __init__(self, mean, std, is_hwc: bool = True):
        self.mean = np.atleast_1d(np.asarray(mean, np.float32))
        self.std = np.atleast_1d(np.asarray(std, np.float32))
        if self.mean.ndim != 1 or self.mean.shape != self.std.shape:
            raise ValueError("Length of mean and std must be equal.")
        if not ((self.std > 0) & (self.std <= 255)).all():
            raise ValueError(f"each std must be greater than 0 and at most 255, got {list(std)}")
        self.is_hwc = is_hwc

    def __call__(self, value):
        image = as_image(value, "Normalize")
        axis = image.ndim if image.ndim == 2 else (2 if self.is_hwc else 0)
        channels = 1 if image.ndim == 2 else image.shape[axis]
        if len(self.mean) not in (1, channels):
            raise DatasetError(f"Normalize: mean and std have {len(self.mean)} numbers, but the image of shape "
                               f"{image.shape} has {channels} channels (is_hwc={self.is_hwc})")
        mean, std = self.mean, self.std
        if image.ndim == 3 and not self.is_hwc:
            mean, std = mean[:, None, None], std[:, None, None]
        return (image.astype(np.float32) - mean) / std


class ToTensor(Transform):
    """[H, W] or [H, W, C] with values 0..255 to [C, H, W] with values 0..1, in `output_type`."""

    def __init__(self, output_type=np.float32):
        self.output_type = numpy_dtype(output_type)

    def __call__(self, value):
        image = as_image(value, "ToTensor")
        image = image[..., None] if image.ndim == 2 else image
        scaled = np.ascontiguousarray(image.transpose(2, 0, 1)).astype(np.float32) * np.float32(1 / 255)
        return scaled.astype(self.output_type, copy=False)


class ToType(TypeCast):
    """The image in another dtype."""


class Invert(Transform):
    """255 minus each value of a uint8 image."""

    def __call__(self, value):
        image = as_image(value, "Invert")
        if image.dtype != np.uint8:
            raise DatasetError(f"Invert takes a uint8 image, got {image.dtype}")
        return 255 - image


class ConvertColor(Transform):
    """An image of shape [H, W, 3] in another order of channels, to grey ([H, W]) or from grey."""

    def __init__(self, convert_mode: ConvertMode):
        self.convert_mode = ConvertMode(convert_mode)

    def __call__(self, value):
        image, mode = as_image(value, "ConvertColor"), self.convert_mode.value
        source, target = mode.split("2")
        if source == "GRAY":
            plane = image if image.ndim == 2 else image[..., 0]
            return np.repeat(plane[..., None], 3, axis=2)
        if image.ndim != 3 or image.shape[2] != 3:
            raise DatasetError(f"ConvertColor {mode} takes an image of shape [H, W, 3], got {image.shape}")
        if target == "GRAY":
            rgb = image if source == "RGB" else image[..., ::-1]
            return _in_dtype(grey(rgb.astype(np.float32)), image.dtype)
        return np.ascontiguousarray(image[..., ::-1])


def grey(rgb: np.ndarray) -> np.ndarray:
    """The luminance of [H, W, 3] as [H, W]."""
    return rgb @ np.array([0.299, 0.587, 0.114], np.float32)


def _in_dtype(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        values = np.clip(np.rint(values), limits.min, limits.max)
    return values.astype(dtype)


class RandomColorAdjust(Transform):
    """Brightness, contrast and saturation each times a random factor from its range, and a turn of the hue.

    For [H, W, 3] images in RGB.  A range is (low, high), or one number n for (max(0, 1 - n), 1 + n); of hue, parts of
    a full turn: (low, high) within (-0.5, 0.5), or n for (-n, n).
    """

    is_random = True

    def __init__(self, brightness=(1, 1), contrast=(1, 1), saturation=(1, 1), hue=(0, 0)):
        self.brightness, self.contrast, self.saturation = (
            _factor_range(r, n) for r, n in ((brightness, "brightness"), (contrast, "contrast"),
                                             (saturation, "saturation")))
        self.hue = (-hue, hue) if isinstance(hue, (int, float)) else tuple(hue)
        if not -0.5 <= self.hue[0] <= self.hue[1] <= 0.5:
            raise ValueError(f"hue must be a range within (-0.5, 0.5), got {hue!r}")

    def __call__(self, value):
        image = as_image(value, "RandomColorAdjust")
        if image.ndim != 3 or image.shape[2] != 3:
            raise DatasetError(f"RandomColorAdjust takes an image of shape [H, W, 3], got {image.shape}")
        generator, result = rng.current(), image.astype(np.float32)
        factors = [float(generator.uniform(*r)) for r in (self.brightness, self.contrast, self.saturation)]
        turn = float(generator.uniform(*self.hue))
        for step in generator.permutation(4 if turn else 3):
            if step == 3:
                result = turned_hue(result, turn)
            elif step == 0:
                result = result * factors[0]
            elif step == 1:
                mean = float(grey(result).mean())
                result = (result - mean) * factors[1] + mean
            else:
                luminance = grey(result)[..., None]
                result = (result - luminance) * factors[2] + luminance
            if image.dtype == np.uint8:
                result = np.clip(result, 0, 255)
        return _in_dtype(result, image.dtype)


def rgb_to_hsv(rgb: np.ndarray) -> np.ndarray:
    """[..., 3] of red, green and blue from 0 to 1 as hue, saturation and value from 0 to 1."""
    largest, smallest = rgb.max(-1), rgb.min(-1)
    spread = largest - smallest
    safe = np.where(spread == 0, 1, spread)
    red, green, blue = ((largest - rgb[..., c]) / safe for c in range(3))
    sector = np.where(rgb[..., 0] == largest, blue - green,
                      np.where(rgb[..., 1] == largest, 2 + red - blue, 4 + green - red))
    saturation = np.where(largest == 0, 0, spread / np.where(largest == 0, 1, largest))
    return np.stack([np.where(spread == 0, 0, sector / 6 % 1), saturation, largest], -1)


def hsv_to_rgb(hsv: np.ndarray) -> np.ndarray:
    """The inverse of `rgb_to_hsv`."""
    hue, saturation, value = (hsv[..., c] for c in range(3))
    sector = np.floor(hue * 6)
    rest = hue * 6 - sector
    low, falling = value * (1 - saturation), value * (1 - saturation * rest)
    rising = value * (1 - saturation * (1 - rest))
    choices = ((value, rising, low), (falling, value, low), (low, value, rising), (low, falling, value),
               (rising, low, value), (value, low, falling))
    place = sector.astype(np.int64) % 6
    return np.stack([np.choose(place, [c[channel] for c in choices]) for channel in range(3)], -1)


def turned_hue(rgb: np.ndarray, turn: float) -> np.ndarray:
    """An image [H, W, 3] of values 0..255 with its hue moved by `turn` of a full circle."""
    hsv = rgb_to_hsv(np.clip(rgb, 0, 255).astype(np.float64) / 255)
    hsv[..., 0] = (hsv[..., 0] + turn) % 1
    return (hsv_to_rgb(hsv) * 255).astype(np.float32)


def _factor_range(value, name: str) -> tuple:
    low, high = (max(0.0, 1 - value), 1 + value) if isinstance(value, (int, float)) else value
    if not 0 <= low <= high:
        raise ValueError(f"{name} must be a range of non-negative numbers, got {value!r}")
    return float(low), float(high)
