"""Resizing and padding of image arrays, with MindSpore's (that is OpenCV's) pixel geometry."""
from __future__ import annotations

import enum

import numpy as np

from graphcore.dataset.core import as_array
from graphcore.dataset.errors import DatasetError


class Inter(enum.IntEnum):
    """How Resize interpolates."""

    NEAREST = 0
    ANTIALIAS = 1
    BILINEAR = 2
    LINEAR = 2
    BICUBIC = 3
    CUBIC = 3
    AREA = 4
    PILCUBIC = 5


class Border(str, enum.Enum):
    """What Pad puts around an image."""

    CONSTANT = "constant"
    EDGE = "edge"
    REFLECT = "reflect"
    SYMMETRIC = "symmetric"


def as_image(value, name: str) -> np.ndarray:
    """The image as an array.  Raises DatasetError unless its shape is [H, W] or [H, W, C]."""
    image = as_array(value, name)
    if image.ndim not in (2, 3) or not image.size:
        raise DatasetError(f"{name} takes an image of shape [H, W] or [H, W, C], got shape {image.shape}")
    if image.dtype.kind not in "biuf":
        raise DatasetError(f"{name} takes an image of numbers, got {image.dtype}; decode the file with vision.Decode")
    return image


def check_size(size, name: str, least: int = 1) -> tuple:
    """(height, width) from an int or a pair of ints."""
    pair = (size, size) if isinstance(size, (int, np.integer)) and not isinstance(size, bool) else size
    try:
        height, width = (int(n) for n in pair)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be an int or a (height, width) pair, got {size!r}") from None
    if min(height, width) < least:
        raise ValueError(f"{name} must be at least {least} in both directions, got {size!r}")
    return height, width


def check_padding(padding) -> tuple:
    """(left, top, right, bottom) from an int, (left-right, top-bottom), or all four."""
    parts = [padding] if isinstance(padding, (int, np.integer)) else list(padding)
    if len(parts) not in (1, 2, 4) or any(not isinstance(p, (int, np.integer)) or p < 0 for p in parts):
        raise ValueError(f"padding must be one, two or four non-negative ints, got {padding!r}")
    return tuple(parts * (4 // len(parts)))


def pad_image(image: np.ndarray, padding: tuple, fill_value, mode: Border) -> np.ndarray:
    """The image with (left, top, right, bottom) pixels around it."""
    left, top, right, bottom = padding
    if mode is not Border.CONSTANT:
        widths = [(top, bottom), (left, right)] + [(0, 0)] * (image.ndim - 2)
        return np.pad(image, widths, {"edge": "edge", "reflect": "reflect", "symmetric": "symmetric"}[mode.value])
    height, width = image.shape[:2]
    padded = np.empty((height + top + bottom, width + left + right) + image.shape[2:], image.dtype)
    padded[...] = fill_value
    padded[top:top + height, left:left + width] = image
    return padded


def resize(image: np.ndarray, height: int, width: int, interpolation: Inter) -> np.ndarray:
    """The image with other numbers of pixels, in its dtype."""
    if image.shape[:2] == (height, width):
        return image.copy()
    if interpolation == Inter.NEAREST:
        rows = np.minimum(np.arange(height) * image.shape[0] // height, image.shape[0] - 1)
        columns = np.minimum(np.arange(width) * image.shape[1] // width, image.shape[1] - 1)
        return image[rows[:, None], columns]
    if image.dtype == np.uint8 and interpolation == Inter.BILINEAR:
        return _bilinear_uint8(image, height, width)
    down, across = _weights(image.shape[0], height, interpolation), _weights(image.shape[1], width, interpolation)
    result = np.einsum("yh,hw...,xw->yx...", down, image.astype(np.float64), across, optimize=True)
    if image.dtype.kind in "iu":
        limits = np.iinfo(image.dtype)
        result = np.clip(np.rint(result), limits.min, limits.max)
    return result.astype(image.dtype)


def _linear_taps(old: int, new: int, weighs_edges: bool = False):
    """For each new pixel its two neighbours and the weight of the second.

    weighs_edges: beyond the edge the edge's pixel is both neighbours, with their weights; else the first alone.
    """
    centre = (np.arange(new) + 0.5) * (old / new) - 0.5
    first = np.floor(centre).astype(np.int64)
    weight = centre - first
    if not weighs_edges:
        weight = np.where((first < 0) | (first >= old - 1), 0.0, weight)
    return np.clip(first, 0, old - 1), np.clip(first + 1, 0, old - 1), weight


def _bilinear_uint8(image, height, width):
    """Bilinear in fixed point with 11 bits for a weight, as OpenCV computes it.

    Lines are cut off before they are added, so a line beyond the edge has to be added to itself as well.
    """
    top, bottom, down = _linear_taps(image.shape[0], height, weighs_edges=True)
    left, right, across = _linear_taps(image.shape[1], width)
    spread = (slice(None),) + (None,) * (image.ndim - 2)
    second = np.rint(across * 2048).astype(np.int64)[spread]
    first = np.rint((1 - across) * 2048).astype(np.int64)[spread]
    wide = image.astype(np.int64)
    lines = wide[:, left] * first + wide[:, right] * second
    spread = (slice(None),) + (None,) * (image.ndim - 1)
    below = np.rint(down * 2048).astype(np.int64)[spread]
    above = np.rint((1 - down) * 2048).astype(np.int64)[spread]
    return ((((above * (lines[top] >> 4)) >> 16) + ((below * (lines[bottom] >> 4)) >> 16) + 2) >> 2).astype(np.uint8)


def _cubic(x: np.ndarray) -> np.ndarray:
    """Keys' kernel with a = -0.75."""
    a, x = -0.75, np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def _weights(old: int, new: int, interpolation: Inter) -> np.ndarray:
    """The matrix [new, old] that resamples one axis."""
    matrix = np.zeros((new, old))
    rows = np.arange(new)
    if interpolation == Inter.BILINEAR:
        first, second, weight = _linear_taps(old, new)
        np.add.at(matrix, (rows, first), 1 - weight)
        np.add.at(matrix, (rows, second), weight)
        return matrix
    if interpolation == Inter.BICUBIC:
        centre = (rows + 0.5) * (old / new) - 0.5
        base = np.floor(centre).astype(np.int64)
        for tap in range(-1, 3):
            np.add.at(matrix, (rows, np.clip(base + tap, 0, old - 1)), _cubic(centre - (base + tap)))
        return matrix
    if interpolation == Inter.AREA:
        if new > old:
            return _weights(old, new, Inter.BILINEAR)
        edges = np.arange(new + 1) * (old / new)
        low, high = edges[:-1, None], edges[1:, None]
        cells = np.arange(old)
        matrix = np.clip(np.minimum(high, cells + 1) - np.maximum(low, cells), 0, None)
        return matrix / matrix.sum(1, keepdims=True)
    raise DatasetError(f"Inter.{interpolation.name} works on PIL images only; put vision.ToPIL() before Resize")
