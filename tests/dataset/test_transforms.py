"""Transforms, against what MindSpore 2.10 gives (`vision.npz` was written by its transforms on the image below)."""
from pathlib import Path

import numpy as np
import pytest

from graphcore import dataset as ds
from graphcore import dtype as dt
from graphcore.dataset import DatasetError, transforms, vision
from graphcore.tensor import Tensor

IMAGE = (np.arange(5 * 4 * 3) ** 2 % 251).astype(np.uint8).reshape(5, 4, 3)
GREY = IMAGE[..., 0].copy()
EXPECTED = np.load(Path(__file__).with_name("vision.npz"))
Border, Inter = vision.Border, vision.Inter

CASES = {
    "rescale": (vision.Rescale(1 / 255, 0.5), IMAGE), "normalize": (vision.Normalize([1, 2, 3], [4, 5, 6]), IMAGE),
    "normalize_chw": (vision.Normalize([9.0], [2.0], is_hwc=False), IMAGE.transpose(2, 0, 1)[:1]),
    "hwc2chw": (vision.HWC2CHW(), IMAGE), "to_tensor": (vision.ToTensor(), IMAGE),
    "to_tensor_grey": (vision.ToTensor(), GREY), "center_small": (vision.CenterCrop((2, 3)), IMAGE),
    "center_large": (vision.CenterCrop((8, 7)), GREY), "pad": (vision.Pad((1, 0, 2, 1), fill_value=7), GREY),
    "pad_reflect": (vision.Pad(1, padding_mode=Border.REFLECT), GREY),
    "pad_symmetric": (vision.Pad(2, padding_mode=Border.SYMMETRIC), GREY),
    "pad_edge": (vision.Pad(1, padding_mode=Border.EDGE), IMAGE), "hflip": (vision.HorizontalFlip(), IMAGE),
    "vflip": (vision.VerticalFlip(), IMAGE), "crop": (vision.Crop((1, 1), (2, 3)), IMAGE),
    "resize_up": (vision.Resize((9, 7)), IMAGE), "resize_down": (vision.Resize((2, 3)), GREY),
    "resize_short": (vision.Resize(3), GREY), "nearest": (vision.Resize((9, 7), Inter.NEAREST), GREY),
    "float": (vision.Resize((9, 7)), GREY.astype(np.float32)), "cubic": (vision.Resize((9, 7), Inter.BICUBIC), GREY),
    "area": (vision.Resize((2, 3), Inter.AREA), GREY), "invert": (vision.Invert(), IMAGE),
}


def test_every_expected_array_is_compared():
    assert set(CASES) == set(EXPECTED.files)


@pytest.mark.parametrize("name", CASES)
def test_against_mindspore(name):
    transform, image = CASES[name]
    result, expected = transform(image.copy()), EXPECTED[name]
    assert (result.shape, result.dtype) == (expected.shape, expected.dtype)
    # Whole grey values: bilinear ones are MindSpore's, others are rounded elsewhere.
    resampled = name in ("cubic", "area") and result.dtype == np.uint8
    np.testing.assert_allclose(result.astype(np.float64), expected, rtol=3e-7, atol=1.0 if resampled else 1e-5)


@pytest.mark.parametrize("name", CASES)
def test_inputs_are_left_alone(name):
    transform, image = CASES[name]
    before = image.copy()
    transform(image)
    assert (image == before).all()


@pytest.mark.parametrize("transform, shape", [
    (vision.RandomCrop(4, padding=1), (4, 4, 3)), (vision.RandomCrop(9, pad_if_needed=True), (9, 9, 3)),
    (vision.RandomHorizontalFlip(), (5, 4, 3)), (vision.RandomVerticalFlip(1.0), (5, 4, 3)),
    (vision.RandomResizedCrop((3, 2)), (3, 2, 3)), (vision.RandomColorAdjust((0.5, 1.5), 0.4, 0.4), (5, 4, 3)),
    (vision.CutOut(2), (5, 4, 3)), (vision.RandomErasing(1.0), (5, 4, 3)),
])
def test_random_transforms_repeat_with_the_seed(transform, shape):
    results = []
    for _ in range(2):
        ds.config.set_seed(11)
        results.append(np.stack([transform(IMAGE) for _ in range(8)]))
    assert results[0].shape == (8, *shape)
    assert (results[0] == results[1]).all()


def test_random_crop_is_a_part_of_the_image():
    image = np.arange(36).reshape(6, 6)
    for _ in range(20):
        part = vision.RandomCrop((2, 3))(image)
        top, left = divmod(int(part[0, 0]), 6)
        assert (part == image[top:top + 2, left:left + 3]).all()


def test_colours():
    bgr = vision.ConvertColor(vision.ConvertMode.COLOR_RGB2BGR)(IMAGE)
    assert (bgr == IMAGE[..., ::-1]).all()
    assert vision.ConvertColor(vision.ConvertMode.COLOR_RGB2GRAY)(IMAGE).shape == (5, 4)
    assert vision.ConvertColor(vision.ConvertMode.COLOR_GRAY2RGB)(GREY).shape == (5, 4, 3)


@pytest.mark.parametrize("call", [
    lambda: vision.RandomCrop(9)(IMAGE), lambda: vision.Crop((3, 3), (4, 4))(IMAGE),
    lambda: vision.Normalize([1, 2], [3, 4])(IMAGE), lambda: vision.HWC2CHW()(np.zeros(3)),
    lambda: vision.Resize((3, 3), Inter.PILCUBIC)(IMAGE), lambda: vision.Invert()(GREY.astype(np.float32)),
    lambda: vision.Rescale(1.0, 0.0)(np.array("text")), lambda: transforms.OneHot(3)(np.int32(3)),
    lambda: transforms.OneHot(3)(np.int32(-1)), lambda: transforms.OneHot(3)(np.float32(1)),
])
def test_unusable_inputs(call):
    with pytest.raises(DatasetError):
        call()


@pytest.mark.parametrize("make", [
    lambda: vision.Normalize([1], [0]), lambda: vision.Normalize([1, 2], [3]), lambda: vision.Resize(0),
    lambda: vision.Pad(-1), lambda: vision.Pad((1, 2, 3)), lambda: vision.RandomHorizontalFlip(1.5),
    lambda: vision.RandomResizedCrop(3, scale=(2, 1)), lambda: transforms.OneHot(0), lambda: transforms.Compose([]),
    lambda: vision.RandomColorAdjust(hue=0.6),
])
def test_unusable_arguments(make):
    with pytest.raises(ValueError):
        make()


def test_one_hot():
    assert transforms.OneHot(3)(np.array([1, 2])).tolist() == [[0, 1, 0], [0, 0, 1]]
    assert transforms.OneHot(3)(np.int32(2)).dtype == np.int32
    np.testing.assert_allclose(transforms.OneHot(3, 0.1)(1), [0.1 / 3, 0.9 + 0.1 / 3, 0.1 / 3])


def test_type_cast():
    assert transforms.TypeCast(dt.int32)(np.float32([1.7, -1.7])).tolist() == [1, -1]
    assert transforms.TypeCast("float16")(3).dtype == np.float16
    assert transforms.TypeCast(np.float64)(Tensor([1.0])).dtype == np.float64
    with pytest.raises(TypeError, match="foo"):
        transforms.TypeCast("foo")


def test_small_transforms():
    line = np.arange(5)
    assert transforms.PadEnd([7], 9)(line).tolist() == [0, 1, 2, 3, 4, 9, 9]
    assert transforms.PadEnd([2])(line).tolist() == [0, 1]
    assert transforms.Fill(3)(line).tolist() == [3] * 5
    assert transforms.Mask(transforms.Relational.GT, 2)(line).tolist() == [False, False, False, True, True]
    assert transforms.Slice(slice(1, 3))(line).tolist() == [1, 2]
    assert transforms.Slice([0, 2], [1])(line.reshape(5, 1).repeat(2, 1)).tolist() == [[0], [2]]
    assert transforms.Concatenate(0, np.array([8]), np.array([9]))(line).tolist() == [8, 0, 1, 2, 3, 4, 9]
    assert [part.tolist() for part in transforms.Unique()(np.array([3, 1, 3]))] == [[1, 3], [1, 0, 1], [1, 2]]


def test_composition():
    plus, times = (lambda x: x + 1), (lambda x: x * 2)
    assert transforms.Compose([plus, times])(3) == 8
    assert transforms.Compose([transforms.Duplicate(), lambda x, y: x + y])(np.array([3])).tolist() == [6]
    assert transforms.RandomApply([plus], 0.0)(3) == 3 and transforms.RandomApply([plus], 1.0)(3) == 4
    assert {transforms.RandomChoice([plus, times])(5) for _ in range(60)} == {6, 10}
    assert {transforms.RandomOrder([plus, times])(5) for _ in range(60)} == {11, 12}
    assert not transforms.Compose([plus]).is_random
    assert transforms.Compose([transforms.Compose([vision.RandomCrop(2)])]).is_random
