"""Rotations and affine maps of images, random sizes, and random choices among transforms."""
from __future__ import annotations

import math

import numpy as np

from graphcore.dataset import rng
from graphcore.dataset.transforms.compose import Transform, check_probability
from graphcore.dataset.vision.files import pillow
from graphcore.dataset.vision.geometry import Resize, _cut
from graphcore.dataset.vision.resampling import Inter, as_image, check_size, resize

__all__ = ["Affine", "FiveCrop", "PadToSize", "RandomAffine", "RandomResize", "RandomRotation", "RandomSelectSubpolicy",
           "ResizedCrop", "Rotate", "TenCrop", "UniformAugment"]


def warped(image: np.ndarray, inverse: np.ndarray, height: int, width: int, interpolation: Inter, fill) -> np.ndarray:
    """The image whose pixel (x, y) is that at ``inverse @ (x, y, 1)`` of `image`; `fill` where that lies outside.

    inverse: [2, 3], or [3, 3] whose third row divides the other two.
    """
    rows, columns = np.mgrid[:height, :width]
    x, y, *scale = np.tensordot(inverse, np.stack([columns, rows, np.ones_like(rows)]).astype(np.float64), 1)
    if scale:
        x, y = x / scale[0], y / scale[0]
    channels = image if image.ndim == 3 else image[..., None]
    fill = np.broadcast_to(np.asarray(fill, np.float64), channels.shape[2:])

    def pixels(at_x, at_y):
        inside = (at_x >= 0) & (at_x < image.shape[1]) & (at_y >= 0) & (at_y < image.shape[0])
        found = channels[np.where(inside, at_y, 0), np.where(inside, at_x, 0)].astype(np.float64)
        return np.where(inside[..., None], found, fill)

    # to 1/1024 of a pixel, as OpenCV computes places
    x, y = np.rint(x * 1024) / 1024, np.rint(y * 1024) / 1024
    if interpolation == Inter.NEAREST:
        result = pixels(np.floor(x + 0.5).astype(np.int64), np.floor(y + 0.5).astype(np.int64))
    else:
        left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
        across, down = (x - left)[..., None], (y - top)[..., None]
        result = ((pixels(left, top) * (1 - across) + pixels(left + 1, top) * across) * (1 - down)
                  + (pixels(left, top + 1) * (1 - across) + pixels(left + 1, top + 1) * across) * down)
    if image.dtype.kind in "iu":
        result = np.rint(result)
    return result.astype(image.dtype).reshape((height, width) + image.shape[2:])


def rotated(image: np.ndarray, degrees: float, interpolation: Inter, expand: bool, center, fill) -> np.ndarray:
    """The image turned counterclockwise about `center` (x, y), by default its middle."""
    height, width = image.shape[:2]
    x, y = ((width - 1) / 2, (height - 1) / 2) if center is None else center
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    new_height, new_width = height, width
    shift_x = shift_y = 0.0
    if expand:
        new_width = int(width * abs(cosine) + height * abs(sine) + 0.5)
        new_height = int(width * abs(sine) + height * abs(cosine) + 0.5)
        shift_x, shift_y = new_width / 2 - width / 2, new_height / 2 - height / 2
    # from the new image's (u, v) to (x, y) of the old one
    inverse = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0]])
    inverse[:, 2] = np.array([x, y]) - inverse[:, :2] @ np.array([x + shift_x, y + shift_y])
    return warped(image, inverse, new_height, new_width, interpolation, fill)


class _Turns(Transform):
    def __call__(self, value):
        if hasattr(value, "getbands"):
            return pillow().fromarray(self.change(np.asarray(value)))
        return self.change(as_image(value, type(self).__name__))


class Rotate(_Turns):
    """Turned counterclockwise by `degrees`, or by a random angle of a range; resample: how pixels are taken.

    expand: the result holds all of the image.  center: (x, y), by default the middle.  fill_value: what comes in.
    """

    is_random = True

    def __init__(self, degrees, resample: Inter = Inter.NEAREST, expand: bool = False, center=None, fill_value=0):
        self.range = (degrees, degrees) if isinstance(degrees, (int, float)) else tuple(degrees)
        if len(self.range) != 2 or self.range[0] > self.range[1]:
            raise ValueError(f"degrees must be a number or a range (low, high), got {degrees!r}")
        self.resample, self.expand, self.center, self.fill_value = Inter(resample), expand, center, fill_value

    def change(self, image):
        low, high = self.range
        degrees = low if low == high else float(rng.current().uniform(low, high))
        return rotated(image, degrees, self.resample, self.expand, self.center, self.fill_value)


class RandomRotation(Rotate):
    """Turned by a random angle: from (-degrees, degrees), or from a range."""

    def __init__(self, degrees, resample: Inter = Inter.NEAREST, expand: bool = False, center=None, fill_value=0):
        if isinstance(degrees, (int, float)):
            if degrees < 0:
                raise ValueError(f"degrees must not be negative, got {degrees}")
            degrees = (-degrees, degrees)
        super().__init__(degrees, resample, expand, center, fill_value)


def affine(image: np.ndarray, degrees, translate, scale, shear, interpolation: Inter, fill) -> np.ndarray:
    """Turned clockwise about the middle, sheared (degrees along x and y), scaled, and moved (pixels)."""
    height, width = image.shape[:2]
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    turn, shear_x, shear_y = (math.radians(v) for v in (degrees, *shear))
    forward = scale * np.array([
        [math.cos(turn - shear_y) / math.cos(shear_y),
         -math.cos(turn - shear_y) * math.tan(shear_x) / math.cos(shear_y) - math.sin(turn)],
        [math.sin(turn - shear_y) / math.cos(shear_y),
         -math.sin(turn - shear_y) * math.tan(shear_x) / math.cos(shear_y) + math.cos(turn)]])
    back = np.linalg.inv(forward)
    inverse = np.concatenate([back, (centre - back @ (centre + np.asarray(translate, float)))[:, None]], 1)
    return warped(image, inverse, height, width, interpolation, fill)


class Affine(_Turns):
    """`affine` with fixed numbers; translate: parts of width and height, from -1 to 1."""

    def __init__(self, degrees, translate, scale, shear, resample: Inter = Inter.NEAREST, fill_value=0):
        if not all(-1 <= t <= 1 for t in translate) or len(translate) != 2:
            raise ValueError(f"translate must be two numbers within [-1, 1], got {translate!r}")
        if scale <= 0:
            raise ValueError(f"scale must be above 0, got {scale!r}")
        self.degrees, self.translate, self.scale = float(degrees), tuple(translate), float(scale)
        self.shear = (shear, 0.0) if isinstance(shear, (int, float)) else tuple(shear)
        self.resample, self.fill_value = Inter(resample), fill_value

    def change(self, image):
        height, width = image.shape[:2]
        moved = (self.translate[0] * width, self.translate[1] * height)
        return affine(image, self.degrees, moved, self.scale, self.shear, self.resample, self.fill_value)


class RandomAffine(_Turns):
    """`affine` with random numbers from ranges.

    degrees: n for (-n, n), or a range.  translate: ranges (x0, x1[, y0, y1]) of parts of the size.  scale: a range.
    shear: n for (-n, n) along x, a range along x, or ranges along x and y.
    """

    is_random = True

    def __init__(self, degrees, translate=None, scale=None, shear=None, resample: Inter = Inter.NEAREST, fill_value=0):
        self.degrees = (-degrees, degrees) if isinstance(degrees, (int, float)) else tuple(degrees)
        translate = tuple(translate or (0.0, 0.0))
        self.translate = translate if len(translate) == 4 else (*translate, 0.0, 0.0)
        self.scale = tuple(scale or (1.0, 1.0))
        if isinstance(shear, (int, float)):
            shear = (-shear, shear)
        shear = tuple(shear or (0.0, 0.0))
        self.shear = shear if len(shear) == 4 else (*shear, 0.0, 0.0)
        if not all(-1 <= t <= 1 for t in self.translate):
            raise ValueError(f"translate must lie within [-1, 1], got {translate!r}")
        if min(self.scale) <= 0:
            raise ValueError(f"scale must be above 0, got {scale!r}")
        self.resample, self.fill_value = Inter(resample), fill_value

    def change(self, image):
        height, width = image.shape[:2]
        drawn = rng.current().uniform
        moved = (drawn(*self.translate[:2]) * width, drawn(*self.translate[2:]) * height)
        shear = drawn(*self.shear[:2]), drawn(*self.shear[2:])
        return affine(image, drawn(*self.degrees), moved, drawn(*self.scale), shear, self.resample, self.fill_value)


class RandomResize(Resize):
    """`Resize` with an interpolation drawn at random."""

    is_random = True

    def __init__(self, size):
        super().__init__(size)

    def __call__(self, value):
        kinds = (Inter.NEAREST, Inter.BILINEAR, Inter.BICUBIC, Inter.AREA)
        return Resize(self.size[0] if self._shorter else self.size, kinds[rng.current().integers(len(kinds))])(value)


class ResizedCrop(_Turns):
    """A part of the image, resized to `size`."""

    def __init__(self, top: int, left: int, height: int, width: int, size, interpolation: Inter = Inter.BILINEAR):
        self.window, self.size = (top, left, height, width), size
        self.interpolation = Inter(interpolation)

    def change(self, image):
        part = _cut(image, *self.window, "ResizedCrop")
        return resize(part, *Resize(self.size)._target(*part.shape[:2]), self.interpolation)


class PadToSize(_Turns):
    """Pixels around the image up to `size`; offset: how many go above and to the left, by default half of them."""

    def __init__(self, size, offset=None, fill_value=0, padding_mode=None):
        from graphcore.dataset.vision.resampling import Border
        self.size = check_size(size, "size")
        self.offset = (offset, offset) if isinstance(offset, int) else tuple(offset) if offset else None
        self.fill_value, self.mode = fill_value, Border(padding_mode or Border.CONSTANT)

    def change(self, image):
        from graphcore.dataset.vision.resampling import pad_image
        rows, columns = self.size[0] - image.shape[0], self.size[1] - image.shape[1]
        top, left = (rows // 2, columns // 2) if self.offset is None else self.offset
        if min(rows - top, columns - left) < 0:
            raise ValueError(f"PadToSize: an image of {image.shape[:2]} does not fit into {self.size}")
        return pad_image(image, (left, top, columns - left, rows - top), self.fill_value, self.mode)


class FiveCrop(Transform):
    """The corners and the middle of a PIL image, each of `size`, as a tuple of PIL images."""

    def __init__(self, size):
        self.size = check_size(size, "size")

    def __call__(self, value):
        height, width = self.size
        image = np.asarray(value)
        bottom, right = image.shape[0] - height, image.shape[1] - width
        middle = round(bottom / 2), round(right / 2)
        places = ((0, 0), (0, right), (bottom, 0), (bottom, right), middle)
        return tuple(pillow().fromarray(_cut(image, top, left, height, width, type(self).__name__).copy())
                     for top, left in places)


class TenCrop(FiveCrop):
    """`FiveCrop` of a PIL image and of its mirror image (upside down with `use_vertical_flip`)."""

    def __init__(self, size, use_vertical_flip: bool = False):
        super().__init__(size)
        self.use_vertical_flip = use_vertical_flip

    def __call__(self, value):
        image = np.asarray(value)
        mirrored = image[::-1] if self.use_vertical_flip else image[:, ::-1]
        return super().__call__(image) + super().__call__(mirrored)


class RandomSelectSubpolicy(Transform):
    """One of the lists of (transform, probability) drawn at random; its transforms follow each other."""

    is_random = True

    def __init__(self, policy):
        if not isinstance(policy, (list, tuple)) or not policy:
            raise ValueError("policy must be a list of lists of (transform, probability)")
        self.policy = [[(t, check_probability(p)) for t, p in subpolicy] for subpolicy in policy]

    def __call__(self, value):
        generator = rng.current()
        for transform, probability in self.policy[int(generator.integers(len(self.policy)))]:
            if generator.random() < probability:
                value = transform(value)
        return value


class UniformAugment(Transform):
    """`num_ops` of the transforms drawn at random, each done with probability one half."""

    is_random = True

    def __init__(self, transforms, num_ops: int = 2):
        if not 0 < num_ops <= len(transforms):
            raise ValueError(f"num_ops must lie between 1 and the number of transforms, got {num_ops}")
        self.transforms, self.num_ops = list(transforms), num_ops

    def __call__(self, value):
        generator = rng.current()
        for place in generator.permutation(len(self.transforms))[:self.num_ops]:
            if generator.random() < 0.5:
                value = self.transforms[place](value)
        return value
