"""Depthwise convolution with channels last, and patches: sizes, strides, pads, dilations against float64."""
import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore.compiler.kernels import channels_last
from graphcore.ops import channels_last as operators  # noqa: F401  registers them
from tests.kernels.runner import check

PLAIN = {"stride": (1, 1), "pad": (1, 1, 1, 1), "dilation": (1, 1)}


def numbers(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape)


def depthwise(shape, kernel, dtype=dt.float32, **attrs):
    images, weights = numbers(*shape), numbers(*kernel, shape[-1])
    check(channels_last.LOWERINGS, "depthwise_channels_last", [images, weights], PLAIN | attrs, dtype)


@pytest.mark.parametrize("channels", [1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 63, 65, 127, 129])
def test_channels(channels):
    depthwise((2, 7, 9, channels), (3, 3))


@pytest.mark.parametrize("height, width", [(1, 1), (1, 2), (2, 1), (3, 3), (7, 15), (17, 31), (33, 7), (65, 129),
                                           (2, 65)])
def test_images(height, width):
    depthwise((1, height, width, 40), (3, 3))


@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (5, 5), (7, 7), (2, 3), (1, 9)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (1, 3)])
@pytest.mark.parametrize("pad", [(0, 0, 0, 0), (1, 1, 1, 1), (4, 0, 2, 3)])
def test_strides_and_pads(kernel, stride, pad):
    depthwise((2, 9, 11, 20), kernel, stride=stride, pad=pad)


@pytest.mark.parametrize("dilation, stride", [((2, 2), (1, 1)), ((3, 2), (1, 2)), ((4, 1), (3, 3))])
def test_dilation(dilation, stride):
    depthwise((1, 12, 13, 24), (3, 3), dilation=dilation, stride=stride, pad=(3, 2, 1, 4))


def test_no_images():
    depthwise((0, 5, 6, 3), (3, 3))


def test_float64():
    depthwise((2, 8, 9, 21), (3, 3), dtype=dt.float64)


@pytest.mark.parametrize("order", [None, (0, 2, 3, 1)])
@pytest.mark.parametrize("dtype", [dt.float32, dt.float64])
@pytest.mark.parametrize("attrs", [{}, {"stride": (2, 3)}, {"dilation": (2, 2), "pad": (0, 3, 2, 1)}])
def test_patches(order, dtype, attrs):
    check(channels_last.LOWERINGS, "pixel_patches", [numbers(2, 3, 9, 17)], PLAIN | attrs | {"kernel": (3, 2)}, dtype,
          orders=(order,))
