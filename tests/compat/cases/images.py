"""Further transforms of images: adjustments, rotations, random ones with fixed ranges."""
from tests.compat.table import case

for call in (
        "AdjustBrightness(1.5)({})",
        "AdjustContrast(1.5)({})",
        "AdjustGamma(2.0, 1.5)({})",
        "AdjustSaturation(1.5)({})",
        "AdjustSharpness(1.5)({})",
        "AutoContrast()({})",
        "Equalize()({})",
        "Grayscale(3)(vision.ToPIL()({}))",
        "Posterize(3)({})",
        "Solarize(100)({})",
        "Rotate(90)({})",
        "Rotate(30, vision.Inter.NEAREST)({})",
        "Rotate(45, vision.Inter.NEAREST, expand=True, fill_value=7)({})",
        "PadToSize(10)({})",
        "PadToSize((8, 12), (1, 2), 7)({})",
        "RandomPosterize((4, 4))({})",
        "RandomSolarize((100, 100))({})",
        "RandomInvert(1.0)({})",
        "RandomEqualize(1.0)({})",
        "RandomAutoContrast(prob=1.0)({})",
        "RandomGrayscale(1.0)(vision.ToPIL()({}))",
        "RandomRotation((90, 90))({})",
        "RandomColor((1.5, 1.5))({})",
        "RandomSharpness((1.5, 1.5))({})",
        "RandomAdjustSharpness(2.0, 1.0)({})",
        "FiveCrop(3)(vision.ToPIL()({}))",
        "TenCrop(3)(vision.ToPIL()({}))",
        "Affine(15, [0.1, 0.0], 1.2, [5.0, 3.0], vision.Inter.NEAREST, 7)({})",
        ):
    case("np.asarray(vision." + call.format("image(6, 8)") + ")")
for call in (
        "RandomResize(5)",
        "RandomRotation(30)",
        "RandomAffine(15, (0.1, 0.1), (0.8, 1.2), 5)",
        "RandomLighting(0.1)",
        "RandomColor()",
        "RandomSharpness()",
        "RandomPosterize()",
        "RandomSolarize()",
        "RandomSelectSubpolicy([[(vision.RandomRotation(45), 0.5)]])",
        "UniformAugment([vision.RandomHorizontalFlip(), vision.RandomColor()], 2)",
        ):
    case(f"a = np.asarray(vision.{call}(image(6, 8))); [a.shape, str(a.dtype)]")
for name in ("HsvToRgb", "RgbToHsv"):
    case(f"vision.{name}(is_hwc=True)(positive(3, 4, 3).asnumpy())", scale=1e4)       # MindSpore computes in float32
    case(f"vision.{name}()(positive(3, 3, 4).asnumpy())", scale=1e4)
    case(f"vision.{name}()(image(6, 8))", fails=True)
case("vision.ResizedCrop(1, 2, 3, 4, (6, 6))(wave(6, 8, 3).asnumpy())")
case("a = vision.AdjustHue(0.2)(image(6, 8)); [a.shape, str(a.dtype)]")
case("vision.AdjustHue(0.7)", fails=True)
case("vision.Affine(30.0, [1, 2], 1.0, 10.0)", fails=True)
case("vision.Posterize(9)", fails=True)
case("vision.RandomRotation(-1)", fails=True)
case("vision.AdjustBrightness(-1.0)", fails=True)
