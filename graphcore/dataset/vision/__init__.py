"""Transforms of images, on NumPy arrays of shape [H, W] or [H, W, C] (uint8 or float)."""
from graphcore.namespace import namespace

__getattr__, __dir__, __all__ = namespace("graphcore.dataset.vision", {
    "adjust": """
        AdjustBrightness AdjustContrast AdjustGamma AdjustHue AdjustSaturation AdjustSharpness AutoContrast Equalize
        Grayscale HsvToRgb Posterize RandomAdjustSharpness RandomAutoContrast RandomColor RandomEqualize
        RandomGrayscale RandomInvert RandomLighting RandomPosterize RandomSharpness RandomSolarize RgbToHsv Solarize""",
    "color": "ConvertColor ConvertMode Invert Normalize RandomColorAdjust Rescale ToTensor ToType",
    "files": "Decode RandomCropDecodeResize ToNumpy ToPIL",
    "geometry": """
        HWC2CHW CenterCrop Crop CutOut HorizontalFlip Pad RandomCrop RandomErasing RandomHorizontalFlip
        RandomResizedCrop RandomVerticalFlip Resize VerticalFlip""",
    "mixing": """
        CutMixBatch Erase GaussianBlur ImageBatchFormat LinearTransformation MixUpBatch NormalizePad Perspective
        RandomPerspective SliceMode SlicePatches""",
    "policies": "AutoAugment AutoAugmentPolicy RandAugment TrivialAugmentWide",
    "resampling": "Border Inter",
    "turning": """
        Affine FiveCrop PadToSize RandomAffine RandomResize RandomRotation RandomSelectSubpolicy ResizedCrop Rotate
        TenCrop UniformAugment""",
}, modules="c_transforms py_transforms py_transforms_util")
