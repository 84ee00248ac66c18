"""Transforms that move pixels: crops, flips, padding, resizing, layout."""
from __future__ import annotations

import math

import numpy as np

from graphcore.dataset import rng
from graphcore.dataset.errors import DatasetError
from graphcore.dataset.transforms.compose import Transform, check_probability
from graphcore.dataset.vision.resampling import Border, Inter, as_image, check_padding, check_size, pad_image, resize


def _cut(image, top, left, height, width, name):
    if top < 0 or left < 0 or top + height > image.shape[0] or left + width > image.shape[1]:
        raise DatasetError(f"{name}: a crop of {height} x {width} at ({top}, {left}) does not fit into an image of "
                           f"{image.shape[0]} x {image.shape[1]}; pad it first")
    return image[top:top + height, left:left + width]


class HWC2CHW(Transform):
    """[H, W, C] to [C, H, W]; [H, W] stays as it is."""

    def __call__(self, value):
        image = as_image(value, "HWC2CHW")
        return image if image.ndim == 2 else np.ascontiguousarray(image.transpose(2, 0, 1))


class HorizontalFlip(Transform):
    """Left becomes right."""

    def __call__(self, value):
        return np.ascontiguousarray(as_image(value, "HorizontalFlip")[:, ::-1])


class VerticalFlip(Transform):
    """Top becomes bottom."""

    def __call__(self, value):
        return np.ascontiguousarray(as_image(value, "VerticalFlip")[::-1])


class _Chance(Transform):
    is_random = True

    def __init__(self, prob: float = 0.5):
        self.prob = check_probability(prob)


class RandomHorizontalFlip(_Chance):
    """Flip left and right with probability `prob`."""

    def __call__(self, value):
        image = as_image(value, "RandomHorizontalFlip")
        return np.ascontiguousarray(image[:, ::-1]) if rng.current().random() < self.prob else image


class RandomVerticalFlip(_Chance):
    """Flip top and bottom with probability `prob`."""

    def __call__(self, value):
        image = as_image(value, "RandomVerticalFlip")
        return np.ascontiguousarray(image[::-1]) if rng.current().random() < self.prob else image


class Crop(Transform):
    """The part of `size` (height, width) whose upper left corner is at `coordinates` (top, left)."""

    def __init__(self, coordinates, size):
        self.coordinates = check_size(coordinates, "coordinates", 0)
        self.size = check_size(size, "size")

    def __call__(self, value):
        return _cut(as_image(value, "Crop"), *self.coordinates, *self.size, "Crop").copy()


class CenterCrop(Transform):
    """The middle part of `size`; where the image is smaller it is padded with 0 first."""

    def __init__(self, size):
        self.size = check_size(size, "size")

    def __call__(self, value):
        image = as_image(value, "CenterCrop")
        height, width = self.size
        # The odd row of padding goes above and left, as MindSpore puts it.
        rows, columns = max(height - image.shape[0], 0), max(width - image.shape[1], 0)
        image = pad_image(image, ((columns + 1) // 2, (rows + 1) // 2, columns // 2, rows // 2), 0, Border.CONSTANT)
        top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
        return _cut(image, top, left, height, width, "CenterCrop").copy()


class Pad(Transform):
    """Pixels around the image: `padding` is one width, (left-right, top-bottom) or (left, top, right, bottom)."""

    def __init__(self, padding, fill_value=0, padding_mode: Border = Border.CONSTANT):
        self.padding, self.fill_value, self.padding_mode = check_padding(padding), fill_value, Border(padding_mode)

    def __call__(self, value):
        return pad_image(as_image(value, "Pad"), self.padding, self.fill_value, self.padding_mode)


class RandomCrop(Transform):
    """A part of `size` from a random place, after `padding`; pad_if_needed pads images that are too small."""

    is_random = True

    def __init__(self, size, padding=None, pad_if_needed: bool = False, fill_value=0,
                 padding_mode: Border = Border.CONSTANT):
        self.size = check_size(size, "size")
        self.padding = None if padding is None else check_padding(padding)
        self.pad_if_needed, self.fill_value, self.padding_mode = pad_if_needed, fill_value, Border(padding_mode)

    def __call__(self, value):
        image = as_image(value, "RandomCrop")
        height, width = self.size
        if self.padding is not None:
            image = pad_image(image, self.padding, self.fill_value, self.padding_mode)
        if self.pad_if_needed:
            rows, columns = max(height - image.shape[0], 0), max(width - image.shape[1], 0)
            if rows or columns:
                image = pad_image(image, (columns, rows, columns, rows), self.fill_value, self.padding_mode)
        spare_rows, spare_columns = image.shape[0] - height, image.shape[1] - width
        if min(spare_rows, spare_columns) < 0:
            raise DatasetError(f"RandomCrop: the crop of {height} x {width} is larger than the image of "
                               f"{image.shape[0]} x {image.shape[1]}; give padding or pad_if_needed=True")
        generator = rng.current()
        top, left = int(generator.integers(spare_rows + 1)), int(generator.integers(spare_columns + 1))
        return image[top:top + height, left:left + width].copy()


class Resize(Transform):
    """The image with `size` pixels: (height, width), or an int for the shorter side.

    Pixel centres are at half integers, without smoothing first, as in MindSpore and OpenCV.  PIL images are resized by
    Pillow.
    """

    def __init__(self, size, interpolation: Inter = Inter.BILINEAR):
        self._shorter = isinstance(size, (int, np.integer))
        self.size, self.interpolation = check_size(size, "size"), Inter(interpolation)

    def _target(self, height: int, width: int) -> tuple:
        if not self._shorter:
            return self.size
        short = self.size[0]
        return (short, int(width * short / height)) if height <= width else (int(height * short / width), short)

    def __call__(self, value):
        if hasattr(value, "getbands"):
            from graphcore.dataset.vision.files import resize_pil
            return resize_pil(value, *self._target(value.height, value.width), self.interpolation)
        image = as_image(value, "Resize")
        return resize(image, *self._target(*image.shape[:2]), self.interpolation)


class RandomResizedCrop(Transform):
    """A random part with `scale` of the area and a width-to-height `ratio` in the given ranges, resized to `size`."""

    is_random = True

    def __init__(self, size, scale=(0.08, 1.0), ratio=(3 / 4, 4 / 3), interpolation: Inter = Inter.BILINEAR,
                 max_attempts: int = 10):
        self.size, self.interpolation, self.max_attempts = check_size(size, "size"), Inter(interpolation), max_attempts
        for name, (low, high) in (("scale", scale), ("ratio", ratio)):
            if not 0 <= low <= high or high == 0:
                raise ValueError(f"{name} must be a range (low, high) of positive numbers, got {(low, high)}")
        self.scale, self.ratio = tuple(scale), tuple(ratio)

    def __call__(self, value):
        image = as_image(value, "RandomResizedCrop")
        top, left, height, width = self._window(*image.shape[:2])
        return resize(image[top:top + height, left:left + width], *self.size, self.interpolation)

    def _window(self, rows: int, columns: int):
        generator = rng.current()
        for _ in range(self.max_attempts):
            area = rows * columns * generator.uniform(*self.scale)
            aspect = math.exp(generator.uniform(math.log(max(self.ratio[0], 1e-6)), math.log(self.ratio[1])))
            width, height = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < width <= columns and 0 < height <= rows:
                return (int(generator.integers(rows - height + 1)), int(generator.integers(columns - width + 1)),
                        height, width)
        # No window fitted: the largest in the middle whose shape the ratio allows.
        width = min(columns, max(1, round(rows * self.ratio[1])))
        height = min(rows, max(1, round(width / self.ratio[0])))
        return (rows - height) // 2, (columns - width) // 2, height, width


class CutOut(Transform):
    """`num_patches` squares of side `length` at random places set to 0."""

    is_random = True

    def __init__(self, length: int, num_patches: int = 1, is_hwc: bool = True):
        if min(length, num_patches) < 1:
            raise ValueError(f"length and num_patches must be positive, got {length} and {num_patches}")
        self.length, self.num_patches, self.is_hwc = length, num_patches, is_hwc

    def __call__(self, value):
        image = as_image(value, "CutOut").copy()
        plane = image if self.is_hwc or image.ndim == 2 else image.transpose(1, 2, 0)
        generator = rng.current()
        for _ in range(self.num_patches):
            row, column = (int(generator.integers(n)) for n in plane.shape[:2])
            top, left = max(row - self.length // 2, 0), max(column - self.length // 2, 0)
            bottom, right = row - self.length // 2 + self.length, column - self.length // 2 + self.length
            plane[top:bottom, left:right] = 0
        return image


class RandomErasing(Transform):
    """With probability `prob`, a random rectangle of a [C, H, W] image set to `value` (a number, one a channel, or
    'random')."""

    is_random = True

    def __init__(self, prob: float = 0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0, inplace: bool = False,
                 max_attempts: int = 10):
        self.prob, self.scale, self.ratio = check_probability(prob), tuple(scale), tuple(ratio)
        self.value, self.inplace, self.max_attempts = value, inplace, max_attempts

    def __call__(self, value):
        image = as_image(value, "RandomErasing")
        generator = rng.current()
        if image.ndim != 3:
            raise DatasetError(f"RandomErasing takes an image of shape [C, H, W], got {image.shape}")
        if generator.random() >= self.prob:
            return image
        image = image if self.inplace else image.copy()
        channels, rows, columns = image.shape
        for _ in range(self.max_attempts):
            area = rows * columns * generator.uniform(*self.scale)
            aspect = math.exp(generator.uniform(math.log(self.ratio[0]), math.log(self.ratio[1])))
            height, width = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
            if 0 < height < rows and 0 < width < columns:
                top = int(generator.integers(rows - height + 1))
                left = int(generator.integers(columns - width + 1))
                fill = (generator.standard_normal((channels, height, width)) if self.value == "random"
                        else np.reshape(self.value, (-1, 1, 1)))
                image[:, top:top + height, left:left + width] = fill
                break
        return image
