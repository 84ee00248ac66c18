"""Encoded images and PIL images; needs Pillow, which is an optional extra."""
from __future__ import annotations

import io

import numpy as np

from graphcore.dataset.core import as_array
from graphcore.dataset.errors import DatasetError
from graphcore.dataset.transforms.compose import Transform
from graphcore.dataset.vision.geometry import RandomResizedCrop
from graphcore.dataset.vision.resampling import Inter, as_image


def pillow():
    """The PIL.Image module.  Raises DatasetError with the way to get it."""
    try:
        from PIL import Image
    except ImportError:
        raise DatasetError("this transform needs Pillow: pip install pillow") from None
    return Image


class Decode(Transform):
    """The bytes of an image file as a uint8 array [H, W, 3] in RGB, or as a PIL image with `to_pil`."""

    def __init__(self, to_pil: bool = False):
        self.to_pil = to_pil

    def __call__(self, value):
        image_module = pillow()
        data = value if isinstance(value, bytes) else as_array(value, "Decode").tobytes()
        try:
            image = image_module.open(io.BytesIO(data)).convert("RGB")
        except Exception as error:
            raise DatasetError(f"Decode: the bytes are no image that Pillow can read: {error}") from error
        return image if self.to_pil else np.asarray(image)


class RandomCropDecodeResize(RandomResizedCrop):
    """`Decode`, then `RandomResizedCrop`."""

    def __call__(self, value):
        return super().__call__(Decode()(value))


class ToPIL(Transform):
    """A uint8 array [H, W] or [H, W, C] as a PIL image."""

    def __call__(self, value):
        image = as_image(value, "ToPIL")
        if image.dtype != np.uint8:
            raise DatasetError(f"ToPIL takes a uint8 image, got {image.dtype}")
        return pillow().fromarray(image[..., 0] if image.ndim == 3 and image.shape[2] == 1 else image)


class ToNumpy(Transform):
    """A PIL image as an array."""

    def __call__(self, value):
        return np.asarray(value)


def resize_pil(image, height: int, width: int, interpolation: Inter):
    """A PIL image with other numbers of pixels."""
    kinds = pillow().Resampling
    method = {Inter.NEAREST: kinds.NEAREST, Inter.ANTIALIAS: kinds.LANCZOS, Inter.BILINEAR: kinds.BILINEAR,
              Inter.BICUBIC: kinds.BICUBIC, Inter.PILCUBIC: kinds.BICUBIC, Inter.AREA: kinds.BOX}[interpolation]
    return image.resize((width, height), method)
