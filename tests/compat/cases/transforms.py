"""Transforms of data and of images."""
from tests.compat.table import case, documented

A = "np.arange(6).reshape(2, 3)"
for call in ("TypeCast(ms.float32)({})", "Slice(slice(0, 1))({})", "Slice([0, 1])({})", "Fill(3)({})",
             "Mask(transforms.Relational.GT, 2)({})", "Duplicate()({})",
             "PadEnd([3, 4], -1)({})"):
    case("transforms." + call.format(A))
case("transforms.Concatenate(0, np.array([7, 8]))(np.array([1, 2]))")
case("transforms.OneHot(4)(np.array(2))")
case("transforms.OneHot(4)(np.array([2, 0]))")
case("transforms.OneHot(4, 0.1)(np.array(2))")
documented("transforms.Unique()(np.array([3, 1, 3, 2, 1], np.int32))",
           "tuple(np.array(a, np.int32) for a in ([1, 2, 3], [2, 0, 2, 1, 0], [2, 1, 2]))")
case("transforms.Compose([lambda a: a + 1, lambda a: a * 2])(np.arange(3))")
case("transforms.Compose([transforms.TypeCast(ms.float32)])(np.arange(3))")
case("transforms.RandomApply([lambda a: a + 1], prob=1.0)(np.arange(3))")
case("transforms.RandomChoice([lambda a: a + 1])(np.arange(3))")
case("transforms.RandomOrder([lambda a: a + 1, lambda a: a + 2])(np.arange(3))")
case("[str(r) for r in (transforms.Relational.EQ, transforms.Relational.LE)]")
case("transforms.OneHot(-1)", fails=True)
case("data = dataset.NumpySlicesDataset([1, 2], ['a'], shuffle=False).map(transforms.TypeCast(ms.float16), ['a']); rows(data)")
documented("from mindspore.dataset.transforms.c_transforms import TypeCast, OneHot, Compose; "
           "Compose([TypeCast(ms.int32), OneHot(4)])(np.array(2))", "np.eye(4, dtype=np.int32)[2]")
documented("from mindspore.dataset.transforms import c_transforms as C2; C2.TypeCast(ms.float32)(np.arange(3))",
           "np.arange(3, dtype=np.float32)")
documented("from mindspore.dataset.transforms.py_transforms import Compose; Compose([lambda a: a + 1])(np.arange(3))",
           "np.arange(3) + 1")

IMAGE, FLOATS = "image(6, 8)", "wave(6, 8, 3).asnumpy()"
for call in ("Normalize([100.0, 110.0, 120.0], [50.0, 60.0, 70.0])({})", "Normalize(mean=(0.5,) * 3, std=(0.2,) * 3, is_hwc=True)({})",
             "Rescale(1 / 255.0, 0.5)({})", "HWC2CHW()({})", "HorizontalFlip()({})", "VerticalFlip()({})", "Invert()({})",
             "Crop((1, 2), (3, 4))({})", "CenterCrop(4)({})", "CenterCrop((4, 10))({})", "Pad(2)({})", "Pad((1, 2), fill_value=5)({})",
             "Pad((1, 2, 3, 0), padding_mode=vision.Border.EDGE)({})", "Pad(1, padding_mode=vision.Border.REFLECT)({})",
             "Pad(1, padding_mode=vision.Border.SYMMETRIC)({})", "ToTensor()({})", "ToType(np.float32)({})" ,
             "ConvertColor(vision.ConvertMode.COLOR_RGB2GRAY)({})", "ConvertColor(vision.ConvertMode.COLOR_RGB2BGR)({})",
             "RandomHorizontalFlip(1.0)({})", "RandomVerticalFlip(1.0)({})", "RandomHorizontalFlip(0.0)({})",
             "Resize((3, 4), vision.Inter.NEAREST)({})", "Resize((3, 4))({})", "Resize(3, vision.Inter.LINEAR)({})",
             ):
    case("np.asarray(vision." + call.format(IMAGE) + ")")
for call in ("CenterCrop(4)({})", "Crop((1, 2), 3)({})", "HorizontalFlip()({})", "Normalize((0.5,) * 3, (0.2,) * 3)({})", "HWC2CHW()({})",
             "Resize((3, 4), vision.Inter.LINEAR)({})", "Pad(2)({})", "Rescale(2.0, 1.0)({})", "Resize((12, 16), vision.Inter.LINEAR)({})",
             "Resize((9, 7), vision.Inter.BICUBIC)({})", "Resize((3, 4), vision.Inter.AREA)({})"):
    case("vision." + call.format(FLOATS))
for call in ("RandomCrop(4)", "RandomCrop((4, 5), 2)", "RandomResizedCrop(4)", "RandomColorAdjust(0.4, 0.4, 0.4, 0.1)", "RandomErasing(1.0)" , "CutOut(2, 1)"):
    if call.startswith("RandomErasing"):
        case(f"a = vision.{call}(vision.ToTensor()(image(6, 8))); [a.shape, str(a.dtype)]")
    else:
        case(f"a = np.asarray(vision.{call}(image(6, 8))); [a.shape, str(a.dtype)]")
case("import io; from PIL import Image; s = io.BytesIO(); Image.fromarray(image(6, 8)).save(s, 'PNG'); "
     "vision.Decode()(np.frombuffer(s.getvalue(), np.uint8))")
case("import io; from PIL import Image; s = io.BytesIO(); Image.fromarray(image(6, 8)).save(s, 'PNG'); "
     "np.asarray(vision.Decode(to_pil=True)(np.frombuffer(s.getvalue(), np.uint8)))")
case("import io; from PIL import Image; s = io.BytesIO(); Image.fromarray(image(6, 8)).save(s, 'PNG'); "
     "vision.RandomCropDecodeResize(4)(np.frombuffer(s.getvalue(), np.uint8)).shape")
case("np.asarray(vision.ToPIL()(image(6, 8)))")
case("vision.ToNumpy()(vision.ToPIL()(image(6, 8)))")
for name in "LINEAR NEAREST CUBIC BICUBIC AREA PILCUBIC ANTIALIAS BILINEAR".split():
    case(f"vision.Inter.{name}.name")
for name in "CONSTANT EDGE REFLECT SYMMETRIC".split():
    case(f"vision.Border.{name}.name")
case("vision.Normalize([1.0], [0.0])", fails=True)
case("vision.CenterCrop(-1)", fails=True)
case("vision.RandomHorizontalFlip(1.5)", fails=True)
case("vision.Resize((0, 4))", fails=True)
for path in ("mindspore.dataset.vision.c_transforms", "mindspore.dataset.transforms.vision.c_transforms"):
    documented(f"import {path} as old; old.HWC2CHW()(old.Resize((3, 4))(image(6, 8)))",
               "vision.HWC2CHW()(vision.Resize((3, 4))(image(6, 8)))")
    documented(f"import {path} as old; [old.Normalize([0.5] * 3, [0.2] * 3)(old.Rescale(1 / 255, 0.0)(old.CenterCrop(4)(image(6, 8)))), "
               "old.RandomHorizontalFlip(1.0)(image(6, 8)), old.RandomVerticalFlip(1.0)(image(6, 8))]",
               "[vision.Normalize([0.5] * 3, [0.2] * 3)(vision.Rescale(1 / 255, 0.0)(vision.CenterCrop(4)(image(6, 8)))), "
               "vision.HorizontalFlip()(image(6, 8)), vision.VerticalFlip()(image(6, 8))]")
for path in ("mindspore.dataset.vision.py_transforms", "mindspore.dataset.transforms.vision.py_transforms"):
    documented(f"import {path} as old; old.Normalize([0.5] * 3, [0.2] * 3)(old.ToTensor()(image(6, 8)))",
               "vision.Normalize([0.5] * 3, [0.2] * 3, is_hwc=False)(vision.ToTensor()(image(6, 8)))")
    documented(f"import {path} as old; np.asarray(old.Resize((3, 4))(old.ToPIL()(image(6, 8))))",
               "np.asarray(vision.Resize((3, 4))(vision.ToPIL()(image(6, 8))))")
documented("from mindspore.dataset.vision import Inter; Inter.BICUBIC.name", "vision.Inter.BICUBIC.name")
