"""Convolutions and their gradients: shapes, strides, pads, dilations, groups and dtypes against NumPy in float64."""
import dataclasses

import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore.compiler.kernels import conv_weight, convolution
from graphcore.compiler.toolchain.cpu import host
from graphcore.errors import DTypeError, ShapeError
from graphcore.ir import graph as ir
from graphcore.ir.dims import Dim
from graphcore.ir.types import TensorType
from graphcore.ops import linear
from tests.kernels.runner import check
from tests.thinning import thinned


def numbers(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape)


def three_ways(x_shape, w_shape, dtype=dt.float32, parts=2, target=None, orders=(None, None, None), symbols=None,
               **attrs):
    """Check the convolution and both gradients; orders: of the axes of x, w and the result's gradient in memory."""
    x, w = numbers(*x_shape), numbers(*w_shape)
    g = numbers(*type(linear.conv2d).reference(x, w, **attrs).shape)
    of_x, of_w, of_g = orders
    symbolic = {}
    if symbols:
        shape, binding = symbols
        g_shape = linear.conv2d.infer(TensorType(dtype, shape), TensorType(dtype, w_shape), **attrs).shape
        symbolic = {"x": shape, "w": w_shape, "g": g_shape}

    def one(name, arrays, keys, orders, extra):
        types = ([symbolic[key] for key in keys], symbols[1]) if symbols else None
        check(convolution.LOWERINGS, name, arrays, attrs | extra, dtype, orders=orders, symbols=types, target=target)

    one("conv2d", [x, w], "xw", (of_x, of_w), {})
    one("conv2d_grad_input", [g, w], "gw", (of_g, of_w), {"shape": symbolic.get("x", x_shape)})
    one("conv2d_grad_weight", [x, g], "xg", (of_x, of_g), {"shape": w_shape})
    one("conv2d_grad_weight_parts", [x, g], "xg", (of_x, of_g), {"shape": w_shape, "parts": parts})


@pytest.mark.parametrize("x, w", [
    ((1, 1, 1, 1), (1, 1, 1, 1)), ((3, 1, 32, 32), (6, 1, 5, 5)), ((9, 6, 14, 14), (16, 6, 5, 5)),
    ((2, 3, 5, 6), (4, 3, 3, 3)), ((3, 5, 4, 7), (9, 5, 1, 1)), ((1, 2, 6, 5), (3, 2, 6, 5)),
    ((2, 7, 1, 40), (17, 7, 1, 3)),
    ((5, 20, 9, 9), (300, 20, 3, 3)), ((1, 3, 70, 60), (8, 3, 7, 7)), ((2, 1, 9, 9), (1, 1, 2, 9))])
def test_shapes(x, w):
    three_ways(x, w)


@pytest.mark.parametrize("stride", [(1, 1), (2, 2), (2, 1), (1, 3), (3, 2)])
@pytest.mark.parametrize("kernel", [(1, 1), (3, 3), (2, 3), (5, 4)])
@pytest.mark.parametrize("pad", [(0, 0, 0, 0), (1, 1, 1, 1), (2, 0, 1, 3)])
def test_strides_and_pads(stride, kernel, pad):
    three_ways((2, 3, 8, 9), (5, 3, *kernel), stride=stride, pad=pad)


@pytest.mark.parametrize("dilation, stride", [((2, 2), (1, 1)), ((3, 2), (1, 2)), ((2, 3), (2, 2)), ((4, 1), (3, 3))])
def test_dilation(dilation, stride):
    three_ways((2, 2, 11, 12), (4, 2, 3, 3), dilation=dilation, stride=stride, pad=(2, 3, 1, 2))


@pytest.mark.parametrize("groups, per_group_in, per_group_out", [
    (2, 3, 4), (5, 1, 1), (3, 1, 2), (4, 20, 18), (2, 2, 1)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 2)])
def test_groups(groups, per_group_in, per_group_out, stride):
    three_ways((3, groups * per_group_in, 7, 6), (groups * per_group_out, per_group_in, 3, 3), groups=groups,
               pad=(1, 1, 1, 1), stride=stride)


def test_depthwise_with_one_tap_and_steps():
    three_ways((2, 4, 7, 7), (4, 1, 1, 1), groups=4, stride=(2, 2))
    three_ways((2, 4, 9, 7), (4, 1, 9, 8), groups=4, pad=(4, 4, 4, 4))      # too many taps to write out


@pytest.mark.parametrize("x, w", [((20, 64, 4, 4), (64, 64, 3, 3)), ((3, 40, 8, 8), (130, 40, 3, 3)),
                                  ((2, 30, 14, 14), (64, 30, 3, 3))])
def test_pixels_gathered_densely(x, w):
    three_ways(x, w, pad=(1, 1, 1, 1))


@pytest.mark.parametrize("channels", [9, 17, 20, 33])
def test_panels_of_weights_narrower_than_a_vector(channels):
    """Their lines are packed by whole vectors, which must not reach into the panel that follows."""
    three_ways((2, channels, 2, 2), (5, channels, 1, 1))


def test_more_taps_than_the_depth_of_a_panel():
    three_ways((1, 2, 40, 40), (3, 2, 25, 25), pad=(12, 12, 12, 12))
    three_ways((1, 2, 40, 40), (200, 2, 25, 25), pad=(3, 3, 3, 3))


def test_bands_of_a_large_image():
    three_ways((2, 3, 90, 100), (5, 3, 3, 3), pad=(1, 1, 1, 1), stride=(2, 2))
    three_ways((1, 2, 120, 130), (20, 2, 3, 3))
    three_ways((1, 30, 61, 67), (40, 30, 1, 1))


@pytest.mark.parametrize("x, w", [
    ((0, 2, 5, 5), (3, 2, 3, 3)), ((2, 0, 5, 5), (3, 0, 3, 3)), ((2, 2, 5, 5), (0, 2, 3, 3))])
def test_empty(x, w):
    three_ways(x, w)


@pytest.mark.parametrize("parts", [1, 3, 5, 9])
def test_parts(parts):
    three_ways((7, 3, 6, 6), (4, 3, 3, 3), parts=parts)
    three_ways((7, 3, 6, 6), (40, 3, 3, 3), parts=parts)


def test_number_of_parts_follows_static_sizes():
    def parts(n, c, size, o, k):
        x = TensorType(dt.float32, (n, c, size, size))
        g = TensorType(dt.float32, (n, o, size - k + 1, size - k + 1))
        return conv_weight.conv2d_parts_for(x, g, shape=(o, c, k, k))
    assert 1 < parts(64, 1, 32, 6, 5) <= 64
    assert 1 < parts(64, 6, 14, 16, 5) <= 64
    assert parts(1, 1, 5, 2, 3) == 1
    assert parts(Dim.symbol("N"), 64, 32, 64, 3) > 1


@pytest.mark.parametrize("dtype", thinned([dt.float16, dt.float64, dt.bfloat16], 1))
def test_dtypes(dtype):
    three_ways((2, 5, 9, 9), (20, 5, 3, 3), dtype, pad=(1, 1, 1, 1), stride=(2, 2))
    three_ways((2, 5, 9, 9), (4, 5, 3, 3), dtype, pad=(1, 0, 1, 2))
    three_ways((2, 4, 9, 9), (4, 1, 3, 3), dtype, groups=4)


def test_strided_inputs():
    three_ways((2, 3, 6, 7), (4, 3, 3, 3), orders=((0, 2, 3, 1), (2, 3, 1, 0), (1, 0, 2, 3)))


@pytest.mark.parametrize("n", [1, 5])
def test_symbolic_batch_and_size(n):
    size, side = Dim.symbol("N"), Dim.symbol("H")
    three_ways((n, 3, 9, 9), (20, 3, 3, 3), symbols=((size, 3, 9, 9), {"N": n}), pad=(1, 1, 1, 1), stride=(2, 2))
    three_ways((2, 3, n + 4, n + 4), (4, 3, 3, 3), symbols=((2, 3, side, side), {"H": n + 4}))
    three_ways((2, 3, n + 4, n + 4), (3, 1, 3, 3), symbols=((2, 3, side, side), {"H": n + 4}), groups=3, stride=(2, 2))
    three_ways((2, 8, n + 4, 5), (4, 8, 1, 1), symbols=((2, 8, side, 5), {"H": n + 4}))


@pytest.mark.parametrize("vector_bytes, registers", [
    (32, 16), pytest.param(16, 16, marks=pytest.mark.slow), pytest.param(16, 32, marks=pytest.mark.slow)])
def test_other_vectors(vector_bytes, registers):
    """Tiles of smaller vectors are right too; this CPU runs them all."""
    target = dataclasses.replace(host(), vector_bytes=vector_bytes, vector_registers=registers, l1=16 << 10)
    three_ways((3, 5, 9, 9), (20, 5, 3, 3), target=target, pad=(1, 1, 1, 1))
    three_ways((3, 5, 9, 9), (3, 5, 3, 3), target=target, stride=(2, 2))
    three_ways((3, 40, 4, 4), (64, 40, 3, 3), target=target, pad=(1, 1, 1, 1))


@pytest.mark.parametrize("x, w, attrs, words", [
    ((1, 3, 2, 2), (8, 3, 3, 3), {}, "does not fit"), ((1, 4, 5, 5), (8, 3, 3, 3), {}, "4 channels"),
    ((1, 4, 5, 5), (7, 2, 3, 3), {"groups": 2}, "divided into 2 groups"), ((4, 5, 5), (7, 2, 3, 3), {}, "N, C, H, W"),
    ((1, 3, 5, 5), (8, 3, 3, 3), {"stride": (0, 1)}, "at least 1"),
    ((1, 3, 5, 5), (8, 3, 3, 3), {"pad": (1,)}, "4 .top")])
def test_wrong_shapes(x, w, attrs, words):
    leaves = [ir.input_(name, TensorType(dt.float32, shape)) for name, shape in (("x", x), ("w", w))]
    with pytest.raises(ShapeError, match=words):
        linear.conv2d(*leaves, **attrs)


def test_gradients_check_the_shape_of_the_result():
    g = ir.input_("g", TensorType(dt.float32, (1, 8, 4, 4)))
    w = ir.input_("w", TensorType(dt.float32, (8, 3, 3, 3)))
    with pytest.raises(ShapeError, match="convolves to"):
        linear.conv2d_grad_input(g, w, shape=(1, 3, 5, 5))


def test_wrong_dtypes():
    x, w = ir.input_("x", TensorType(dt.int32, (1, 1, 3, 3))), ir.input_("w", TensorType(dt.int32, (1, 1, 3, 3)))
    with pytest.raises(DTypeError, match="float"):
        linear.conv2d(x, w)
