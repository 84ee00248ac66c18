"""Images blurred, erased, seen from another side, cut in patches; batches of images mixed with each other."""
from __future__ import annotations

import enum

import numpy as np

from graphcore.dataset import rng
from graphcore.dataset.core import as_array
from graphcore.dataset.errors import DatasetError
from graphcore.dataset.transforms.compose import Transform, check_probability
from graphcore.dataset.vision.color import Normalize
from graphcore.dataset.vision.resampling import Border, Inter, as_image, pad_image
from graphcore.dataset.vision.turning import _Turns, warped

__all__ = ["CutMixBatch", "Erase", "GaussianBlur", "ImageBatchFormat", "LinearTransformation", "MixUpBatch",
           "NormalizePad", "Perspective", "RandomPerspective", "SliceMode", "SlicePatches"]


class SliceMode(enum.IntEnum):
    """What SlicePatches does with rows and columns that are over."""

    PAD = 0
    DROP = 1


class ImageBatchFormat(enum.IntEnum):
    """The order of axes in a batch of images."""

    NHWC = 0
    NCHW = 1


class GaussianBlur(_Turns):
    """Blurred by a Gaussian of `kernel_size` (width, height; odd), mirrored at the edges.

    sigma: its standard deviation, by default 0.15 * kernel_size + 0.35; one number, or one for each direction.
    """

    def __init__(self, kernel_size, sigma=None):
        sizes = (kernel_size,) * 2 if isinstance(kernel_size, int) else tuple(kernel_size)
        if len(sizes) != 2 or any(not isinstance(n, int) or n < 1 or n % 2 == 0 for n in sizes):
            raise ValueError(f"GaussianBlur: kernel_size must be odd and positive, got {kernel_size!r}")
        deviations = (sigma,) * 2 if sigma is None or isinstance(sigma, (int, float)) else tuple(sigma)
        if any(d is not None and d < 0 for d in deviations):
            raise ValueError(f"GaussianBlur: sigma must be positive, got {sigma!r}")
        self.kernels = [_gaussian(n, d or 0.15 * n + 0.35) for n, d in zip(sizes, deviations)]

    def change(self, image):
        result = image.astype(np.float64)
        for axis, kernel in ((1, self.kernels[0]), (0, self.kernels[1])):
            half = len(kernel) // 2
            sides = [(half, half) if a == axis else (0, 0) for a in range(image.ndim)]
            padded = np.pad(result, sides, "reflect")
            windows = np.lib.stride_tricks.sliding_window_view(padded, len(kernel), axis)
            result = windows @ kernel
        return np.rint(result).astype(image.dtype) if image.dtype.kind in "iu" else result.astype(image.dtype)


def _gaussian(size: int, deviation: float) -> np.ndarray:
    kernel = np.exp(-0.5 * ((np.arange(size) - size // 2) / deviation) ** 2)
    return kernel / kernel.sum()


class NormalizePad(Normalize):
    """`Normalize`, and a further channel of zeros; dtype: "float32" or "float16"."""

    def __init__(self, mean, std, dtype="float32", is_hwc=True):
        super().__init__(mean, std, is_hwc)
        if dtype not in ("float32", "float16"):
            raise ValueError(f"NormalizePad: dtype must be 'float32' or 'float16', got {dtype!r}")
        self._dtype, self._axis = np.dtype(dtype), -1 if is_hwc else 0

    def __call__(self, value):
        image = super().__call__(value)
        return np.concatenate([image, np.zeros_like(image.take([0], self._axis))], self._axis).astype(self._dtype)


class SlicePatches(Transform):
    """num_height times num_width patches of one size, row by row: an array each, so `map` needs as many columns.

    slice_mode: PAD fills what lacks on the right and below with `fill_value`, DROP leaves what is over.
    """

    def __init__(self, num_height=1, num_width=1, slice_mode=SliceMode.PAD, fill_value=0):
        for name, number in (("num_height", num_height), ("num_width", num_width)):
            if not isinstance(number, int) or isinstance(number, bool):
                raise TypeError(f"SlicePatches: {name} must be an int, got {type(number).__name__}")
            if number < 1:
                raise ValueError(f"SlicePatches: {name} must be positive, got {number}")
        if not isinstance(slice_mode, SliceMode):
            raise TypeError(f"SlicePatches: slice_mode must be a SliceMode, got {type(slice_mode).__name__}")
        if not 0 <= fill_value <= 255:
            raise ValueError(f"SlicePatches: fill_value must lie in [0, 255], got {fill_value}")
        self.counts, self.slice_mode, self.fill_value = (num_height, num_width), slice_mode, fill_value

    def __call__(self, value):
        image = as_image(value, "SlicePatches")
        rows, columns = self.counts
        if self.slice_mode is SliceMode.PAD:
            lacking = [-n % count for n, count in zip(image.shape, self.counts)]
            image = pad_image(image, (0, 0, lacking[1], lacking[0]), self.fill_value, Border.CONSTANT)
        height, width = image.shape[0] // rows, image.shape[1] // columns
        patches = tuple(image[i * height:(i + 1) * height, j * width:(j + 1) * width].copy()
                        for i in range(rows) for j in range(columns))
        return patches if len(patches) > 1 else patches[0]


class Erase(Transform):
    """A rectangle set to `value`, a number or one for each channel; [..., H, W, C]."""

    def __init__(self, top, left, height, width, value=0, inplace=False):
        if min(top, left) < 0 or min(height, width) < 1:
            raise ValueError(f"Erase: a rectangle of {height} x {width} at ({top}, {left})")
        self.place, self.value, self.inplace = (top, left, height, width), value, inplace

    def __call__(self, value):
        image = as_array(value, "Erase")
        top, left, height, width = self.place
        if top + height > image.shape[-3] or left + width > image.shape[-2]:
            raise DatasetError(f"Erase: {height} x {width} at ({top}, {left}) does not fit into shape {image.shape}")
        result = image if self.inplace and image.flags.writeable else image.copy()
        result[..., top:top + height, left:left + width, :] = self.value
        return result


class LinearTransformation(Transform):
    """(x - mean_vector) @ transformation_matrix of a flattened array, in its shape."""

    def __init__(self, transformation_matrix, mean_vector):
        self.matrix, self.mean = np.asarray(transformation_matrix), np.asarray(mean_vector)
        if self.matrix.ndim != 2 or self.matrix.shape[0] != self.matrix.shape[1]:
            raise ValueError(f"transformation_matrix should be a square matrix, got shape {self.matrix.shape}")
        if self.mean.shape != self.matrix.shape[:1]:
            raise ValueError(f"mean_vector length {self.mean.shape} should match the matrix {self.matrix.shape}")

    def __call__(self, value):
        image = as_array(value, "LinearTransformation")
        if image.size != self.mean.size:
            raise DatasetError(f"LinearTransformation: {image.size} values for a matrix of shape {self.matrix.shape}")
        return ((image.reshape(-1) - self.mean) @ self.matrix).reshape(image.shape).astype(self.matrix.dtype)


def _turned_plane(start_points, end_points) -> np.ndarray:
    """[3, 3]: from the places of the result to those of the image; the points are four (x, y)."""
    equations, values = [], []
    for (x, y), (u, v) in zip(start_points, end_points):
        equations += [[u, v, 1, 0, 0, 0, -x * u, -x * v], [0, 0, 0, u, v, 1, -y * u, -y * v]]
        values += [x, y]
    return np.append(np.linalg.solve(np.array(equations, float), np.array(values, float)), 1.0).reshape(3, 3)


class Perspective(_Turns):
    """Seen from another side: the four `start_points` (x, y) come to lie at `end_points`."""

    def __init__(self, start_points, end_points, interpolation=Inter.BILINEAR):
        for name, points in (("start_points", start_points), ("end_points", end_points)):
            if len(points) != 4 or any(len(p) != 2 for p in points):
                raise TypeError(f"Perspective: {name} must be four pairs of ints, got {points!r}")
        self.inverse, self.interpolation = _turned_plane(start_points, end_points), Inter(interpolation)

    def change(self, image):
        return warped(image, self.inverse, *image.shape[:2], self.interpolation, 0)


class RandomPerspective(_Turns):
    """With probability `prob` seen from a random side: each corner moves inwards by up to distortion_scale / 2."""

    is_random = True

    def __init__(self, distortion_scale=0.5, prob=0.5, interpolation=Inter.BICUBIC):
        if not isinstance(distortion_scale, float):
            raise TypeError(f"distortion_scale must be a float, got {type(distortion_scale).__name__}")
        if not 0 <= distortion_scale <= 1:
            raise ValueError(f"distortion_scale must lie in [0, 1], got {distortion_scale}")
        self.distortion_scale, self.prob = distortion_scale, check_probability(prob)
        self.interpolation = Inter(interpolation)

    def change(self, image):
        generator = rng.current()
        if generator.random() >= self.prob:
            return image
        height, width = image.shape[:2]
        corners = [(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)]
        inwards = self.distortion_scale * np.array([width // 2, height // 2])
        moved = [(x + (1 if x == 0 else -1) * generator.uniform(0, inwards[0] + 1e-9),
                  y + (1 if y == 0 else -1) * generator.uniform(0, inwards[1] + 1e-9)) for x, y in corners]
        return warped(image, _turned_plane(corners, moved), height, width, self.interpolation, 0)


class _OfBatches(Transform):
    is_random = True

    @staticmethod
    def _checked(images, labels, name: str) -> tuple:
        images, labels = as_array(images, name), as_array(labels, name)
        if images.ndim != 4 or labels.ndim < 2 or len(labels) != len(images):
            raise DatasetError(f"{name} takes a batch of images of four axes and one-hot labels [N, classes], got "
                               f"shapes {images.shape} and {labels.shape}; batch them and use OneHot first")
        return images, labels


class MixUpBatch(_OfBatches):
    """Each image of a batch and its one-hot label mixed with another one's, in a random proportion for all.

    alpha: the proportion is drawn from Beta(alpha, alpha).  Raises TypeError unless it is a float, ValueError unless it
    is positive.
    """

    def __init__(self, alpha=1.0):
        if not isinstance(alpha, (int, float)) or isinstance(alpha, bool):
            raise TypeError(f"MixUpBatch: alpha must be a float, got {type(alpha).__name__}")
        if alpha <= 0:
            raise ValueError(f"MixUpBatch: alpha must be positive, got {alpha}")
        self.alpha = alpha

    def __call__(self, images, labels):
        images, labels = self._checked(images, labels, "MixUpBatch")
        generator = rng.current()
        share, order = generator.beta(self.alpha, self.alpha), generator.permutation(len(images))
        mixed = images * share + images[order] * (1.0 - share)
        of_labels = labels * share + labels[order] * (1.0 - share)
        return mixed.astype(images.dtype), of_labels.astype(np.float32)


class CutMixBatch(_OfBatches):
    """In each image of a batch, with probability `prob`, a rectangle from another one; labels by the shares of pixels.

    image_batch_format: an ImageBatchFormat.  alpha: the share kept is drawn from Beta(alpha, alpha).
    """

    def __init__(self, image_batch_format, alpha=1.0, prob=1.0):
        if not isinstance(image_batch_format, ImageBatchFormat):
            raise TypeError(f"image_batch_format must be an ImageBatchFormat, got {type(image_batch_format).__name__}")
        if alpha <= 0:
            raise ValueError(f"CutMixBatch: alpha must be positive, got {alpha}")
        self.format, self.alpha, self.prob = image_batch_format, alpha, check_probability(prob)

    def __call__(self, images, labels):
        images, labels = self._checked(images, labels, "CutMixBatch")
        generator, result = rng.current(), images.copy()
        of_labels = labels.astype(np.float32)
        first = 1 if self.format is ImageBatchFormat.NHWC else 2
        height, width = images.shape[first:first + 2]
        order = generator.permutation(len(images))
        for i, other in enumerate(order):
            if generator.random() >= self.prob:
                continue
            side = np.sqrt(1.0 - generator.beta(self.alpha, self.alpha))
            y, x = generator.integers(height), generator.integers(width)
            rows = slice(max(0, int(y - side * height / 2)), min(height, int(y + side * height / 2)))
            columns = slice(max(0, int(x - side * width / 2)), min(width, int(x + side * width / 2)))
            part = (rows, columns) if first == 1 else (slice(None), rows, columns)
            result[i][part] = images[other][part]
            share = (rows.stop - rows.start) * (columns.stop - columns.start) / (height * width)
            of_labels[i] = labels[i] * (1.0 - share) + labels[other] * share
        return result, of_labels
