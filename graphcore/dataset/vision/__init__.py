"""Transforms of images, on NumPy arrays of shape [H, W] or [H, W, C] (uint8 or float)."""
from graphcore.dataset.vision.adjust import *  # noqa: F403
from graphcore.dataset.vision.adjust import __all__ as _adjusting
from graphcore.dataset.vision.color import (
    ConvertColor,
    ConvertMode,
    Invert,
    Normalize,
    RandomColorAdjust,
    Rescale,
    ToTensor,
    ToType,
)
from graphcore.dataset.vision.files import Decode, RandomCropDecodeResize, ToNumpy, ToPIL
from graphcore.dataset.vision.geometry import (
    HWC2CHW,
    CenterCrop,
    Crop,
    CutOut,
    HorizontalFlip,
    Pad,
    RandomCrop,
    RandomErasing,
    RandomHorizontalFlip,
    RandomResizedCrop,
    RandomVerticalFlip,
    Resize,
    VerticalFlip,
)
from graphcore.dataset.vision.mixing import *  # noqa: F403
from graphcore.dataset.vision.mixing import __all__ as _mixing
from graphcore.dataset.vision.policies import *  # noqa: F403
from graphcore.dataset.vision.policies import __all__ as _policies
from graphcore.dataset.vision.resampling import Border, Inter
from graphcore.dataset.vision.turning import *  # noqa: F403
from graphcore.dataset.vision.turning import __all__ as _turning

__all__ = [
    "Border", "CenterCrop", "ConvertColor", "ConvertMode", "Crop", "CutOut", "Decode", "HWC2CHW", "HorizontalFlip",
    "Inter", "Invert", "Normalize", "Pad", "RandomColorAdjust", "RandomCrop", "RandomCropDecodeResize",
    "RandomErasing", "RandomHorizontalFlip", "RandomResizedCrop", "RandomVerticalFlip", "Rescale", "Resize",
    "ToNumpy", "ToPIL", "ToTensor", "ToType", "VerticalFlip",
    *_adjusting, *_mixing, *_policies, *_turning,
]
