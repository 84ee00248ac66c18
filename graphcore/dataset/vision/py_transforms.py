"""MindSpore 1.x's image transforms in Python, under their old path.

They differ from those of `dataset.vision` in what they take: `Normalize` an array [C, H, W], as `ToTensor` makes it;
`Decode` gives PIL images.
"""
# ruff: noqa: F403, F811
from graphcore.dataset.vision import *
from graphcore.dataset.vision import color as _color
from graphcore.dataset.vision import files as _files


class Normalize(_color.Normalize):
    """``(image - mean) / std`` for each channel of an array [C, H, W]."""

    def __init__(self, mean, std):
        super().__init__(mean, std, is_hwc=False)


class Decode(_files.Decode):
    """The bytes of an image file as a PIL image."""

    def __init__(self):
        super().__init__(to_pil=True)
