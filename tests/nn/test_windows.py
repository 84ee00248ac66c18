"""Convolutions and pooling against values recorded from MindSpore 2.10 (CPU)."""
import math

import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn
from tests.nn.cases import IMAGES, VOLUME, check_together, close, count, ramp

# -- convolutions ------------------------------------------------------------------------------------------
CONVOLUTIONS = {
    "same, stride 2": (
        lambda: nn.Conv2d(3, 2, 3, stride=2, weight_init=ramp(2, 3, 3, 3)), IMAGES,
        [[[[39, 40, 18], [32, 50, 36]], [[41, -25, 4], [-2, 10, 13]]],
         [[[-38, -30, -90], [3, -43, -51]], [[-23, -24, -12], [-1, 9, -9]]]]),
    "groups, uneven padding, bias": (
        lambda: nn.Conv2d(3, 3, (2, 3), pad_mode="pad", padding=(1, 0, 0, 2), group=3, has_bias=True,
                          weight_init=ramp(3, 1, 2, 3), bias_init=ramp(3)), IMAGES[:1],
        [[[[2, 5, 8, 1, -3], [13, 10, 7, -11, -15], [-35, -38, -41, -42, -30], [-17, 13, 10, -7, -12]],
          [[-11, -11, 0, -3, -4], [-3, 28, -7, -11, -3], [-13, -26, -28, -5, 18], [-23, -3, 28, -10, -5]],
          [[-23, -26, -29, -21, -1], [6, 5, 37, 6, -11], [-21, -22, -23, -6, -11], [7, 6, 5, 37, 11]]]]),
    "valid, dilated": (
        lambda: nn.Conv2d(3, 1, 2, pad_mode="valid", dilation=(3, 2), weight_init=ramp(1, 3, 2, 2)), IMAGES,
        [[[[-26, -31, -36]]], [[[-29, -34, 5]]]]),
    "one axis": (
        lambda: nn.Conv1d(3, 2, 3, stride=2, pad_mode="pad", padding=1, has_bias=True, weight_init=ramp(2, 3, 3),
                          bias_init="ones"), IMAGES[:, :, 0],
        [[[-8, -30, 16], [-8, -5, -14]], [[-11, -33, -37], [3, 1, 13]]]),
    "transposed, same": (
        lambda: nn.Conv2dTranspose(3, 2, 3, stride=2, weight_init=ramp(3, 2, 3, 3)), IMAGES[:1, :, :2, :2],
        [[[[-5, 11, 18, 10], [-20, -4, -10, -3], [-35, -10, -24, -15], [-8, 1, 0, 2]],
          [[27, -20, 25, -22], [12, -21, 11, -21], [15, 19, -3, 19], [10, 12, 0, 12]]]]),
    "transposed, groups, padding, bias": (
        lambda: nn.Conv2dTranspose(2, 4, 2, pad_mode="pad", padding=(1, 0, 0, 1), group=2, has_bias=True,
                                   weight_init=ramp(2, 2, 2, 2), bias_init="ones"), IMAGES[:1, :2, :3, :3],
        [[[[-14, -28, -34], [-34, -25, -9], [-9, 1, 0]], [[6, 20, 23], [26, 24, 5], [31, -29, 4]],
          [[-5, -1, -3], [-15, -22, -24], [1, 9, 10]], [[-20, -30, 3], [8, 25, 25], [-23, -42, -47]]]]),
    "transposed, valid, dilated": (
        lambda: nn.Conv2dTranspose(3, 1, 2, dilation=2, pad_mode="valid", weight_init=ramp(3, 1, 2, 2)),
        IMAGES[:1, :, :2, :2],
        [[[[-5, -9, 11, 10], [-14, -18, -5, -6], [27, 29, -20, -22], [4, 6, -8, -10]]]]),
    "transposed, valid, stride above the kernel": (
        lambda: nn.Conv2dTranspose(1, 1, 2, stride=3, pad_mode="valid", weight_init="ones"),
        count(1, 1, 2, 2),
        [[[[0, 0, 0, 1, 1, 0], [0, 0, 0, 1, 1, 0], [0] * 6, [2, 2, 0, 3, 3, 0], [2, 2, 0, 3, 3, 0], [0] * 6]]]),
    "transposed, output_padding": (
        lambda: nn.Conv2dTranspose(1, 1, 3, stride=2, pad_mode="pad", padding=1, output_padding=1, weight_init="ones"),
        count(1, 1, 3, 3),
        [[[[0, 1, 1, 3, 2, 0], [3, 8, 5, 12, 7, 0], [3, 7, 4, 9, 5, 0], [9, 20, 11, 24, 13, 0], [6, 13, 7, 15, 8, 0],
           [0] * 6]]]),
    "transposed, one axis": (
        lambda: nn.Conv1dTranspose(1, 1, 3, stride=2, weight_init="ones"), count(1, 1, 3),
        [[[0, 0, 1, 1, 3, 2]]]),
    "three axes, same": (
        lambda: nn.Conv3d(2, 1, (2, 1, 2), stride=(1, 2, 1), weight_init=ramp(1, 2, 2, 1, 2)), VOLUME,
        [[[[[3, 0, 8, 5, 16], [-27, 3, 0, 8, 16]], [[-46, -27, 3, 0, 16], [-43, -46, -27, 3, 5]],
           [[-32, -34, -36, -16, 5], [-30, -32, -34, -36, -26]]]]]),
    "transposed, three axes, padding, output_padding": (
        lambda: nn.Conv3dTranspose(2, 1, 2, stride=(2, 1, 1), pad_mode="pad", padding=(1, 0, 1, 1, 0, 0),
                                   output_padding=(1, 0, 0), has_bias=True, weight_init=ramp(2, 1, 2, 2, 2),
                                   bias_init="ones"), VOLUME[:, :, :2, :2, :2],
        [[[[[11, 22, -2]], [[-33, -50, -12]], [[38, 38, -2]], [[1, 1, 1]]]]]),
    "transposed, three axes, same, groups": (
        lambda: nn.Conv3dTranspose(2, 2, (1, 2, 1), stride=2, group=2, weight_init=ramp(2, 1, 1, 2, 1)),
        VOLUME[:, :, :1, :2, :2],
        [[[[[0, 0, -3, 0], [0, 0, -2, 0], [-15, 0, -18, 0], [-10, 0, -12, 0]], [[0] * 4] * 4],
          [[[-5, 0, -6, 0], [0] * 4, [-10, 0, 0, 0], [0] * 4], [[0] * 4] * 4]]]),
}


@pytest.mark.parametrize("case", CONVOLUTIONS)
def test_convolutions_as_in_mindspore(case, eager):
    make, x, expected = CONVOLUTIONS[case]
    result = make()(Tensor(x))
    assert result.shape == np.shape(expected)
    close(result, expected, atol=1e-4)


def test_compiled_convolutions(compiled):
    check_together(CONVOLUTIONS)


def test_channels_last(mode):
    first = nn.Conv2d(3, 2, 3, stride=2, weight_init=ramp(2, 3, 3, 3), has_bias=True, bias_init="ones")
    last = nn.Conv2d(3, 2, 3, stride=2, weight_init=Tensor(first.weight.asnumpy().transpose(0, 2, 3, 1)), has_bias=True,
                     bias_init="ones", data_format="NHWC")
    assert last.weight.shape == (2, 3, 3, 3)
    images = Tensor(np.ascontiguousarray(IMAGES.transpose(0, 2, 3, 1)))
    close(last(images), first(Tensor(IMAGES)).asnumpy().transpose(0, 2, 3, 1))
    pooled = nn.MaxPool2d(2, 2)(Tensor(IMAGES)).asnumpy().transpose(0, 2, 3, 1)
    close(nn.MaxPool2d(2, 2, data_format="NHWC")(images), pooled)
    close(nn.BatchNorm2d(3, data_format="NHWC", gamma_init=ramp(3))(images),
          nn.BatchNorm2d(3, gamma_init=ramp(3))(Tensor(IMAGES)).asnumpy().transpose(0, 2, 3, 1))


def test_first_values_of_convolutions():
    conv = nn.Conv2d(4, 64, 5, has_bias=True)
    bound = 1 / math.sqrt(4 * 25)
    for values in (conv.weight.asnumpy(), conv.bias.asnumpy()):
        assert 0.9 * bound < np.abs(values).max() <= bound
    assert nn.Conv1d(1, 1, 3).weight.shape == (1, 1, 1, 3)
    assert nn.Conv2dTranspose(2, 4, 2, group=2).weight.shape == (2, 2, 2, 2)
    assert nn.Conv2d(1, 1, 1, dtype=gc.float16).weight.dtype is gc.float16


def test_windows_side_by_side(mode):
    """nn.Unfold as documented: MindSpore 2.10 has no kernel for it on the CPU."""
    x = np.arange(36, dtype=np.float32).reshape(1, 3, 3, 4)
    y = nn.Unfold([1, 2, 2, 1], [1, 1, 2, 1], [1, 1, 1, 1], "SAME")(Tensor(x)).asnumpy()
    padded = np.pad(x, ((0, 0), (0, 0), (0, 1), (0, 0)))
    for i, j in np.ndindex(2, 2):
        np.testing.assert_array_equal(y[:, 3 * (2 * i + j):][:, :3], padded[:, :, i:i + 3, j::2])
    assert nn.Unfold((1, 2, 2, 1), (1, 2, 2, 1), (1, 2, 2, 1))(Tensor(np.ones((2, 3, 6, 6)))).shape == (2, 12, 2, 2)
    with pytest.raises(ValueError, match="rows, columns"):
        nn.Unfold([2, 2, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1])
    with pytest.raises(TypeError, match="tuple or list"):
        nn.Unfold(2, [1, 1, 1, 1], [1, 1, 1, 1])


# -- pooling -----------------------------------------------------------------------------------------------
POOLS = {
    "max, padding, ceil, dilation": (
        lambda: nn.MaxPool2d(2, 2, pad_mode="pad", padding=1, ceil_mode=True, dilation=2), IMAGES[0],
        [[[6, 8, 8], [6, 8, 8], [5, 7, 7]], [[4, 6, 6], [4, 6, 6], [3, 5, 5]], [[2, 4, 4], [2, 4, 4], [1, 3, 3]]]),
    "max, same": (lambda: nn.MaxPool2d(3, 2, pad_mode="same"), -count(1, 1, 4, 4),
                  [[[[0, -2], [-8, -10]]]]),
    "max, one axis": (lambda: nn.MaxPool1d(3, 2, pad_mode="pad", padding=1), IMAGES[:, :, 0],
                      [[[1, 3, 4], [10, 10, 2], [8, 10, 10]], [[6, 8, 9], [4, 6, 7], [2, 4, 5]]]),
    "max, one axis, same": (lambda: nn.MaxPool1d(3, 2, pad_mode="same"), count(1, 1, 8),
                            [[[2, 4, 6, 7]]]),
    "max, three axes": (lambda: nn.MaxPool3d(2, 2), VOLUME,
                        [[[[[10, 8], [10, 10]]], [[[10, 10], [10, 10]]]]]),
    "mean, three axes": (
        lambda: nn.AvgPool3d((2, 1, 2), 1), VOLUME[:, :1],
        [[[[[5, 3.25, 1.5, 2.5], [4.5, 5.5, 6.5, 7.5], [6.75, 5, 3.25, 1.5], [3.5, 4.5, 5.5, 6.5]],
           [[8.5, 6.75, 5, 3.25], [2.5, 3.5, 4.5, 5.5], [7.5, 8.5, 6.75, 5], [1.5, 2.5, 3.5, 4.5]]]]]),
    "mean, same": (lambda: nn.AvgPool2d(3, 2, pad_mode="same"), count(1, 1, 4, 4),
                   [[[[5, 6.5], [11, 12.5]]]]),
    "mean, padding, divisor": (
        lambda: nn.AvgPool2d(2, 2, pad_mode="pad", padding=1, divisor_override=3), IMAGES[0],
        [[[0, 1, 2.33333], [5, 4.66667, 7.33333], [1.33333, 3.66667, 5]],
         [[3, 3.33333, 1], [3.66667, 9.33333, 4.66667], [0.66667, 2.33333, 3.66667]],
         [[2.33333, 5.66667, 3.33333], [2.33333, 6.66667, 9.33333], [0, 1, 2.33333]]]),
    "mean, padding, ceil": (
        lambda: nn.AvgPool2d(3, 2, pad_mode="pad", padding=1, ceil_mode=True), IMAGES[0, :1],
        [[[1.33333, 3, 2.66667], [3.33333, 4.66667, 4.11111], [1.5, 3, 2.5]]]),
    "mean, padding that does not count, ceil": (
        lambda: nn.AvgPool2d(3, 2, pad_mode="pad", padding=1, ceil_mode=True, count_include_pad=False), IMAGES[0, :1],
        [[[3, 4.5, 6], [5, 4.66667, 6.16667], [4.5, 6, 7.5]]]),
    "mean, ceil": (lambda: nn.AvgPool2d(3, 2, ceil_mode=True), IMAGES[0, :1], [[[3.55556, 4.33333], [4.33333, 4.5]]]),
    "mean, one axis": (lambda: nn.AvgPool1d(3, 2, pad_mode="pad", padding=1), IMAGES[0, :, 0],
                       [[0.33333, 2, 2.33333], [6.33333, 3.66667, 1], [5, 9, 3.33333]]),
    "mean, one axis, window of nearly all": (lambda: nn.AvgPool1d(6, 3), count(1, 1, 8),
                                             [[[2.5]]]),
    "mean to a size": (lambda: nn.AdaptiveAvgPool2d((3, 2)), IMAGES[0, :1],
                       [[[3.5, 5.5], [4.83333, 5], [4.33333, 4.5]]]),
    "mean to half a size": (lambda: nn.AdaptiveAvgPool2d((None, 2)), count(1, 1, 5, 5),
                            [[[[1, 3], [6, 8], [11, 13], [16, 18], [21, 23]]]]),
    "mean to an uneven size": (lambda: nn.AdaptiveAvgPool2d(2), count(1, 1, 3, 3), [[[[2, 3], [5, 6]]]]),
    "mean of all": (lambda: nn.AdaptiveAvgPool2d(1), IMAGES, IMAGES.mean((2, 3), keepdims=True)),
    "max to a size": (lambda: nn.AdaptiveMaxPool2d((3, None)), IMAGES[0, :1],
                      [[[5, 6, 7, 8, 9], [10, 6, 7, 8, 9], [10, 5, 6, 7, 8]]]),
    "mean to a size, one axis": (lambda: nn.AdaptiveAvgPool1d(2), count(1, 2, 4),
                                 [[[0.5, 2.5], [4.5, 6.5]]]),
    "max to a size, one axis": (lambda: nn.AdaptiveMaxPool1d(2), count(1, 2, 4),
                                [[[1, 3], [5, 7]]]),
}


@pytest.mark.parametrize("case", POOLS)
def test_pools_as_in_mindspore(case, eager):
    make, x, expected = POOLS[case]
    result = make()(Tensor(x))
    assert result.shape == np.shape(expected)
    close(result, expected)


def test_compiled_pools(compiled):
    check_together(POOLS)


def test_places_of_maxima(mode):
    largest, places = nn.MaxPool2d(3, 2, pad_mode="pad", padding=1, ceil_mode=True, return_indices=True)(
        Tensor(count(1, 1, 4, 4)))
    close(largest, [[[[5, 7, 7], [13, 15, 15], [13, 15, 15]]]])
    assert places.dtype is gc.int64
    close(places, [[[[5, 7, 7], [13, 15, 15], [13, 15, 15]]]])
    row = nn.MaxPool1d(2, 2, pad_mode="pad", return_indices=True)(Tensor([[[1.0, 3.0, 5.0, 4.0]]]))
    close(row[0], [[[3, 5]]])
    close(row[1], [[[1, 2]]])
