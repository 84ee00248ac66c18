"""Changes of brightness, contrast, saturation, sharpness and levels of uint8 images [H, W, 3]; PIL images stay such."""
from __future__ import annotations

import numpy as np

from graphcore.dataset import rng
from graphcore.dataset.errors import DatasetError
from graphcore.dataset.transforms.compose import Transform, check_probability
from graphcore.dataset.vision.color import Invert, _in_dtype, grey, hsv_to_rgb, rgb_to_hsv, turned_hue
from graphcore.dataset.vision.files import pillow
from graphcore.dataset.vision.resampling import as_image

__all__ = ["AdjustBrightness", "AdjustContrast", "AdjustGamma", "AdjustHue", "AdjustSaturation", "AdjustSharpness",
           "AutoContrast", "Equalize", "Grayscale", "HsvToRgb", "Posterize", "RandomAdjustSharpness",
           "RandomAutoContrast", "RandomColor", "RandomEqualize", "RandomGrayscale", "RandomInvert", "RandomLighting",
           "RandomPosterize", "RandomSharpness", "RandomSolarize", "RgbToHsv", "Solarize"]


def _factor(value, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number, got {type(value).__name__}")
    if value < 0:
        raise ValueError(f"{name} must not be negative, got {value}")
    return float(value)


class _OfPixels(Transform):
    """A transform of arrays [H, W, C] that gives PIL images for PIL images; `change` does it."""

    takes_floats = False

    def __call__(self, value):
        if hasattr(value, "getbands"):
            return pillow().fromarray(self.change(np.asarray(value)))
        image = as_image(value, type(self).__name__)
        if image.dtype != np.uint8 and not (self.takes_floats and image.dtype == np.float32):
            kinds = "a uint8 or float32" if self.takes_floats else "a uint8"
            raise DatasetError(f"{type(self).__name__} takes {kinds} image, got {image.dtype}")
        return self.change(image)

    def change(self, image: np.ndarray) -> np.ndarray:
        raise NotImplementedError


class AdjustBrightness(_OfPixels):
    """All values times a factor; uint8 or float32."""

    takes_floats = True

    def __init__(self, brightness_factor: float):
        self.factor = _factor(brightness_factor, "brightness_factor")

    def change(self, image):
        return _in_dtype(image.astype(np.float32) * np.float32(self.factor), image.dtype)


class AdjustContrast(_OfPixels):
    """The distance from the mean grey times a factor; uint8 or float32."""

    takes_floats = True

    def __init__(self, contrast_factor: float):
        self.factor = _factor(contrast_factor, "contrast_factor")

    def change(self, image):
        levels = grey(image.astype(np.float32))
        level = float(levels.mean()) if image.dtype == np.float32 else int(np.rint(levels).mean() + 0.5)
        return _in_dtype(image * self.factor + level * (1 - self.factor), image.dtype)


class AdjustSaturation(_OfPixels):
    """The distance of each pixel from its grey times a factor; uint8 or float32."""

    takes_floats = True

    def __init__(self, saturation_factor: float):
        self.factor = _factor(saturation_factor, "saturation_factor")

    def change(self, image):
        levels = grey(image.astype(np.float32))[..., None]
        levels = levels if image.dtype == np.float32 else np.rint(levels)
        return _in_dtype(image * self.factor + levels * (1 - self.factor), image.dtype)


class AdjustHue(_OfPixels):
    """The hue turned by a part of a full circle, from -0.5 to 0.5."""

    def __init__(self, hue_factor: float):
        if not -0.5 <= hue_factor <= 0.5:
            raise ValueError(f"hue_factor must lie in [-0.5, 0.5], got {hue_factor}")
        self.turn = float(hue_factor)

    def change(self, image):
        return _in_dtype(turned_hue(image, self.turn), image.dtype)


class AdjustGamma(_OfPixels):
    """``255 * gain * (value / 255) ** gamma``, at most 255."""

    def __init__(self, gamma: float, gain: float = 1.0):
        self.gamma, self.gain = _factor(gamma, "gamma"), float(gain)

    def change(self, image):
        levels = np.clip((np.arange(256) / 255) ** self.gamma * self.gain, 0, 1)
        return (levels * 255.999).astype(np.uint8)[image]       # to whole numbers as MindSpore does it


class AdjustSharpness(_OfPixels):
    """The distance from the smoothed image times a factor; pixels at the border stay."""

    def __init__(self, sharpness_factor: float):
        self.factor = _factor(sharpness_factor, "sharpness_factor")

    def change(self, image):
        return sharpened(image, self.factor)


def sharpened(image: np.ndarray, factor: float) -> np.ndarray:
    """Away from (factor above 1) or towards the mean over 3 by 3 pixels, the middle one counted five times."""
    wide = image.astype(np.float64)
    height, width = image.shape[:2]
    inner = sum(wide[1 + i:height - 1 + i, 1 + j:width - 1 + j] for i in (-1, 0, 1) for j in (-1, 0, 1))
    smooth = wide.copy()
    smooth[1:-1, 1:-1] = np.rint((inner + 4 * wide[1:-1, 1:-1]) / 13)
    return _in_dtype(wide * factor + smooth * (1 - factor), image.dtype)


class AutoContrast(_OfPixels):
    """Each channel spread over 0..255, without the `cutoff` percent of its lightest and darkest; ignore: left out."""

    def __init__(self, cutoff: float = 0.0, ignore=None):
        if not 0 <= cutoff < 50:
            raise ValueError(f"cutoff must lie in [0, 50), got {cutoff}")
        self.cutoff = float(cutoff)
        self.ignore = [] if ignore is None else [ignore] if isinstance(ignore, int) else list(ignore)

    def change(self, image):
        channels = image[..., None] if image.ndim == 2 else image
        spread = np.stack([self._table(channels[..., c])[channels[..., c]] for c in range(channels.shape[2])], -1)
        return spread.reshape(image.shape)

    def _table(self, channel: np.ndarray) -> np.ndarray:
        counts = np.bincount(channel.reshape(-1), minlength=256)
        counts[self.ignore] = 0
        cut = int(counts.sum() * self.cutoff / 100)
        for order in (range(256), range(255, -1, -1)):
            rest = cut
            for level in order:
                taken = min(rest, counts[level])
                counts[level] -= taken
                rest -= taken
                if not rest:
                    break
        used = np.flatnonzero(counts)
        if not used.size or used[0] == used[-1]:
            return np.arange(256, dtype=np.uint8)
        scale = 255.0 / (used[-1] - used[0])
        return np.clip((np.arange(256) * scale - used[0] * scale).astype(np.int64), 0, 255).astype(np.uint8)


class Equalize(_OfPixels):
    """Each channel's levels used equally often."""

    def change(self, image):
        channels = image[..., None] if image.ndim == 2 else image
        equal = np.stack([_equalizing(channels[..., c])[channels[..., c]] for c in range(channels.shape[2])], -1)
        return equal.reshape(image.shape)


def _equalizing(channel: np.ndarray) -> np.ndarray:
    counts = np.bincount(channel.reshape(-1), minlength=256)
    first = int(np.flatnonzero(counts)[0])
    rest = channel.size - counts[first]
    if not rest:
        return np.arange(256, dtype=np.uint8)
    above = np.cumsum(counts) - counts[first]
    return np.rint(np.clip(above, 0, None) * np.float32(255 / rest)).astype(np.uint8)


class Posterize(_OfPixels):
    """Only the `bits` highest bits of each value."""

    def __init__(self, bits: int):
        if not isinstance(bits, int) or not 0 <= bits <= 8:
            raise ValueError(f"bits must be an int from 0 to 8, got {bits!r}")
        self.bits = bits

    def change(self, image):
        return image & np.uint8((0xFF00 >> self.bits) & 0xFF)


class Solarize(_OfPixels):
    """Values within `threshold` (low, high), or from a number on, inverted."""

    def __init__(self, threshold):
        self.low, self.high = (threshold, 255) if isinstance(threshold, (int, float)) else threshold
        if not 0 <= self.low <= self.high <= 255:
            raise ValueError(f"threshold must be a range within 0..255, got {threshold!r}")

    def change(self, image):
        return np.where((image >= self.low) & (image <= self.high), 255 - image, image).astype(np.uint8)


class Grayscale(_OfPixels):
    """A PIL image in grey, of 1 or 3 channels."""

    def __init__(self, num_output_channels: int = 1):
        if num_output_channels not in (1, 3):
            raise ValueError(f"num_output_channels must be 1 or 3, got {num_output_channels!r}")
        self.channels = num_output_channels

    def change(self, image):
        plane = np.asarray(pillow().fromarray(image).convert("L"))
        return plane if self.channels == 1 else np.repeat(plane[..., None], 3, 2)


class RgbToHsv(Transform):
    """Red, green, blue from 0 to 1 as hue, saturation, value: float64 [3, H, W], or [H, W, 3] with `is_hwc`."""

    def __init__(self, is_hwc: bool = False):
        self.is_hwc = is_hwc

    def __call__(self, value):
        image = np.asarray(value, np.float64)
        axis = image.ndim - 1 if self.is_hwc else image.ndim - 3
        if image.ndim not in (3, 4) or image.shape[axis] != 3:
            raise TypeError(f"{type(self).__name__} takes images with 3 channels, got shape {image.shape}")
        return np.moveaxis(self.converted(np.moveaxis(image, axis, -1)), -1, axis)

    def converted(self, image):
        return rgb_to_hsv(image)


class HsvToRgb(RgbToHsv):
    """The inverse of `RgbToHsv`."""

    def converted(self, image):
        return hsv_to_rgb(image)


# -- at random ------------------------------------------------------------------------------------------------------

class _Sometimes(_OfPixels):
    is_random = True

    def __init__(self, prob: float, changed: _OfPixels):
        self.prob, self._changed = check_probability(prob), changed

    def change(self, image):
        return self._changed(image) if rng.current().random() < self.prob else image


class RandomInvert(_Sometimes):
    """`Invert` with probability `prob`."""

    def __init__(self, prob: float = 0.5):
        super().__init__(prob, Invert())


class RandomEqualize(_Sometimes):
    """`Equalize` with probability `prob`."""

    def __init__(self, prob: float = 0.5):
        super().__init__(prob, Equalize())


class RandomAutoContrast(_Sometimes):
    """`AutoContrast` with probability `prob`."""

    def __init__(self, cutoff: float = 0.0, ignore=None, prob: float = 0.5):
        super().__init__(prob, AutoContrast(cutoff, ignore))


class RandomAdjustSharpness(_Sometimes):
    """`AdjustSharpness` with probability `prob`."""

    def __init__(self, degree: float, prob: float = 0.5):
        super().__init__(prob, AdjustSharpness(degree))


class RandomGrayscale(_Sometimes):
    """A PIL image with three equal channels of grey, with probability `prob`."""

    def __init__(self, prob: float = 0.1):
        super().__init__(prob, Grayscale(3))


class _FromRange(_OfPixels):
    """Draws a number from a range at each call."""

    is_random = True

    def __init__(self, bounds, name: str, low: float, high: float):
        self.bounds = (bounds, bounds) if isinstance(bounds, (int, float)) else tuple(bounds)
        if len(self.bounds) != 2 or not low <= self.bounds[0] <= self.bounds[1] <= high:
            raise ValueError(f"{name} must be a range within {low} and {high}, got {bounds!r}")

    def drawn(self) -> float:
        return float(rng.current().uniform(*self.bounds))

    def drawn_int(self) -> int:
        return int(rng.current().integers(self.bounds[0], self.bounds[1] + 1))


class RandomPosterize(_FromRange):
    """`Posterize` with a random number of bits."""

    def __init__(self, bits=(8, 8)):
        super().__init__(bits, "bits", 1, 8)

    def change(self, image):
        return Posterize(self.drawn_int()).change(image)


class RandomSolarize(_FromRange):
    """`Solarize` within a random part of the range `threshold`."""

    def __init__(self, threshold=(0, 255)):
        super().__init__(threshold, "threshold", 0, 255)

    def change(self, image):
        low, high = sorted((self.drawn_int(), self.drawn_int()))
        return Solarize((low, high if high > low else 255)).change(image)


class RandomColor(_FromRange):
    """Saturation times a random factor."""

    def __init__(self, degrees=(0.1, 1.9)):
        super().__init__(degrees, "degrees", 0, float("inf"))

    def change(self, image):
        return AdjustSaturation(self.drawn()).change(image)


class RandomSharpness(_FromRange):
    """Sharpness times a random factor."""

    def __init__(self, degrees=(0.1, 1.9)):
        super().__init__(degrees, "degrees", 0, float("inf"))

    def change(self, image):
        return sharpened(image, self.drawn())


class RandomLighting(_OfPixels):
    """Noise along the main directions of colours in ImageNet (AlexNet's), with deviation `alpha`."""

    is_random = True
    _VALUES = np.array([0.2175, 0.0188, 0.0045])
    _VECTORS = np.array([[-0.5675, 0.7192, 0.4009], [-0.5808, -0.0045, -0.8140], [-0.5836, -0.6948, 0.4203]])

    def __init__(self, alpha: float = 0.05):
        self.alpha = _factor(alpha, "alpha")

    def change(self, image):
        shift = self._VECTORS @ (rng.current().normal(0, self.alpha, 3) * self._VALUES)
        return _in_dtype(image + shift, image.dtype)
