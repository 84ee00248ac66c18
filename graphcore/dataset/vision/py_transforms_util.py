"""``mindspore.dataset.vision.py_transforms_util``: what scripts take from MindSpore's helpers for PIL images."""
from __future__ import annotations

augment_error_message = "img should be PIL image. Got {}. Use Decode() for encoded data or ToPIL() for decoded data."


def is_pil(img) -> bool:
    """Whether it is a PIL image."""
    return hasattr(img, "getbands") and hasattr(img, "im")
