"""Further transforms of images: adjustments, rotations, random ones with fixed ranges."""
from tests.compat.table import case, documented, own

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

# Blurs, patches, policies, mixed batches
for call in ("GaussianBlur(3, 3)", "GaussianBlur((5, 3), (1.0, 0.7))", "GaussianBlur(3)"):
    case(f"vision.{call}(wave(6, 8, 3).asnumpy())", scale=10)
    case(f"[str(vision.{call}(image(6, 8)).dtype), bool(abs(vision.{call}(image(6, 8)).astype(int) - image(6, 8)).max() < 60)]")
case("vision.GaussianBlur(4)", fails=True)
case("vision.GaussianBlur(3, -1)", fails=True)
# MindSpore puts the zeros of all pixels after the last one
for options, kind in (("", "float32"), (", 'float16'", "float16")):
    documented(f"vision.NormalizePad([100.0, 115.0, 121.0], [71.0, 68.0, 70.0]{options})(image(4, 5))",
               f"np.concatenate([vision.Normalize([100.0, 115.0, 121.0], [71.0, 68.0, 70.0])(image(4, 5)), np.zeros((4, 5, 1), np.float32)], -1).astype(np.{kind})")
for call in ("SlicePatches(2, 3)", "SlicePatches(4, 3, vision.SliceMode.PAD, 7)", "SlicePatches(4, 3, vision.SliceMode.DROP)", "SlicePatches()"):
    case(f"vision.{call}(image(6, 8))")
case("vision.SlicePatches(0)", fails=True)
case("vision.SlicePatches(1, 1, 3)", fails=True)
case("vision.Erase(1, 2, 3, 2, 9)(image(6, 8))")
case("vision.Erase(1, 2, 3, 2, (1, 2, 3))(image(6, 8))")
case("vision.LinearTransformation(wave(12, 12).asnumpy(), wave(12).asnumpy())(wave(3, 2, 2).asnumpy())")
case("vision.Perspective([[0, 0], [7, 0], [7, 5], [0, 5]], [[1, 1], [6, 0], [7, 4], [0, 5]], vision.Inter.NEAREST)(image(6, 8))")
case("[m.name for m in (*vision.AutoAugmentPolicy, *vision.SliceMode, *vision.ImageBatchFormat)]")
for call in ("AutoAugment()", "AutoAugment(vision.AutoAugmentPolicy.CIFAR10, vision.Inter.BILINEAR, 3)", "AutoAugment(vision.AutoAugmentPolicy.SVHN)", "RandAugment(3, 20)", "TrivialAugmentWide()"):
    case(f"a = [np.asarray(vision.{call}(image(16, 18))) for _ in range(30)]; [a[0].shape, str(a[0].dtype)]")
own("a = set(vision.AutoAugment()(image(16, 18)).tobytes() for _ in range(30)); len(a) > 3", "True")
case("a = np.asarray(vision.RandomPerspective(prob=1.0)(vision.ToPIL()(image(16, 18)))); [a.shape, str(a.dtype)]")
case("np.asarray(vision.RandomPerspective(prob=0.0)(vision.ToPIL()(image(16, 18))))")
case("vision.RandomPerspective(1.5)", fails=True)
case("vision.AutoAugment('imagenet')", fails=True)
BATCH = "data = dataset.NumpySlicesDataset((np.stack([image(6, 8), image(6, 8) // 2, image(6, 8) // 3]), [0, 1, 2]), ['image', 'label'], shuffle=False).map(transforms.OneHot(3), ['label']).batch(3).map(vision.{}, ['image', 'label']); "
for call in ("MixUpBatch(0.9)", "CutMixBatch(vision.ImageBatchFormat.NHWC, 1.0, 0.5)"):
    case(BATCH.format(call) + "a, b = rows(data)[0]; [a.shape, str(a.dtype), b.shape, str(b.dtype), [round(float(v), 3) for v in b.sum(1)]]")
case("vision.MixUpBatch(-1.0)", fails=True)
case("vision.CutMixBatch(3)", fails=True)
for call in ("AdjustBrightness(1.5)", "AdjustContrast(1.5)", "AdjustSaturation(0.5)"):
    case(f"vision.{call}(positive(4, 5, 3).asnumpy())")
