"""``mindspore.dataset.vision.py_transforms_util``: what scripts take from MindSpore's helpers for PIL images."""
from __future__ import annotations

import numpy as np

augment_error_message = "img should be PIL image. Got {}. Use Decode() for encoded data or ToPIL() for decoded data."


def is_pil(img) -> bool:
    """Whether it is a PIL image."""
    return hasattr(img, "getbands") and hasattr(img, "im")


def is_numpy(img) -> bool:
    """Whether it is a NumPy array."""
    return isinstance(img, np.ndarray)


def hwc_to_chw(img: np.ndarray) -> np.ndarray:
    """An image [H, W, C] as [C, H, W]; one of two axes is left as it is.  Raises TypeError for anything else."""
    if not is_numpy(img):
        raise TypeError(f"img should be NumPy array. Got {type(img)}.")
    if img.ndim not in (2, 3):
        raise TypeError(f"img dimension should be 2 or 3. Got {img.ndim}.")
    return img if img.ndim == 2 else img.transpose(2, 0, 1).copy()
