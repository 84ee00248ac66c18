"""Winograd's convolutions against NumPy in float64: odd shapes, blocks of all kinds, epilogues, threads, the choice."""
import dataclasses

import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn, ops
from graphcore import dtype as dt
from graphcore.compiler.kernels import convolution, winograd, winograd_transforms
from graphcore.compiler.runtime import native
from graphcore.compiler.toolchain.cpu import host
from graphcore.ir.dims import Dim
from graphcore.ops import linear
from tests.kernels.runner import check
from tests.kernels.winograd_cases import cases, numbers
from tests.thinning import thinned_values


@pytest.fixture(params=[4, 2])
def forced(request, monkeypatch):
    """Every convolution that Winograd's algorithm can do is done by it, with tiles of 4x4 or 2x2 pixels."""
    monkeypatch.setattr(winograd, "best_tile", lambda *sizes: request.param)
    monkeypatch.setattr(winograd, "launch", lambda conv, blocks, launch=winograd.launch: (
        used.append(blocks), launch(conv, blocks)))
    used: list = []
    return used


def both_ways(images, channels, rows, height, width, pad, target=None):
    """Check the convolution of such images, and the gradient for its input."""
    x, w = numbers(images, channels, height, width), numbers(rows, channels, 3, 3)
    g = numbers(images, rows, height + pad[0] + pad[1] - 2, width + pad[2] + pad[3] - 2)
    check(convolution.LOWERINGS, "conv2d", [x, w], {"pad": pad}, target=target)
    check(convolution.LOWERINGS, "conv2d_grad_input", [g, w], {"pad": pad, "shape": x.shape}, target=target)


@pytest.mark.parametrize("case", thinned_values(cases((1, 2, 3, 5, 7, 8, 14, 17, 31, 33), (2, 1, 3)), 12))
def test_shapes(case, forced):
    both_ways(*case)
    assert bool(forced) == (case[1:3] != (1, 1))        # that is a depthwise convolution


@pytest.mark.parametrize("height, width", [(1, 1), (2, 2), (3, 3), (5, 7), (8, 8), (14, 17), (31, 33)])
def test_sizes(height, width, forced):
    both_ways(3, 7, 17, height, width, (1, 1, 1, 1))


def test_more_padding_than_the_gradient_has(forced):
    both_ways(2, 5, 6, 3, 4, (3, 4, 5, 3))
    both_ways(1, 2, 3, 9, 1, (0, 0, 4, 6))


def test_tiles_that_seem_to_be_neighbours(forced):
    """The last tiles of an image, one pixel high, and the first of the next."""
    both_ways(40, 3, 1, 9, 12, (1, 1, 1, 1))
    both_ways(40, 3, 1, 5, 6, (1, 1, 1, 1))


def test_blocks_of_every_kind(forced):
    cpu = dataclasses.replace(host(), vector_bytes=32, vector_registers=16, l1=32 << 10, l2=512 << 10, l3=32 << 20)
    both_ways(40, 16, 20, 8, 8, (1, 1, 1, 1), cpu)      # several images to a block
    both_ways(1, 5, 8, 70, 66, (1, 1, 1, 1), cpu)       # bands of one
    both_ways(2, 400, 70, 5, 5, (1, 1, 1, 1), cpu)      # tiles transformed first, several blocks of rows, deep sums
    assert {blocks.shared for blocks in forced} == {True, False}
    assert any(blocks.images > 1 and not blocks.shared for blocks in forced)
    assert any(1 < blocks.lines < blocks.down for blocks in forced)


def test_weights_transformed_where_they_are_needed(forced):
    """What many weights would get is given to few by a CPU with hardly a cache."""
    both_ways(1, 33, 70, 5, 5, (1, 1, 1, 1), dataclasses.replace(host(), l3=1024))
    assert all(blocks.count == 1 for blocks in forced)


@pytest.mark.parametrize("vector_bytes, registers", [
    (16, 16), pytest.param(64, 32, marks=pytest.mark.slow), pytest.param(16, 32, marks=pytest.mark.slow)])
def test_other_vectors(vector_bytes, registers, forced):
    target = dataclasses.replace(host(), vector_bytes=vector_bytes, vector_registers=registers, l1=16 << 10,
                                 l2=64 << 10)
    both_ways(3, 17, 20, 9, 9, (1, 1, 1, 1), target)


@pytest.mark.parametrize("m", [2, 4])
def test_the_matrices_make_a_convolution(m):
    back, weights, source = (np.array(matrix, np.float64) for matrix in winograd_transforms.transforms(m))
    d, g = numbers(m + 2), numbers(3)
    np.testing.assert_allclose(back @ ((weights @ g) * (source @ d)), [d[i:i + 3] @ g for i in range(m)])


@pytest.mark.parametrize("forced", [4], indirect=True)
def test_who_is_left_alone(forced):
    def one(dtype=dt.float32, x=(2, 4, 9, 9), w=(6, 4, 3, 3), symbols=None, **attrs):
        check(convolution.LOWERINGS, "conv2d", [numbers(*x), numbers(*w)], attrs, dtype, symbols=symbols)

    for dtype in (dt.float16, dt.float64):
        one(dtype)
    one(stride=(2, 1))
    one(dilation=(1, 2))
    one(w=(6, 2, 3, 3), groups=2)
    one(w=(6, 4, 1, 9))
    one(w=(6, 4, 5, 3))
    one(symbols=([(Dim.symbol("N"), 4, 9, 9), (6, 4, 3, 3)], {"N": 2}))
    one(x=(0, 4, 9, 9))
    assert not forced


@pytest.mark.parametrize("sizes, m", [
    ((32, 64, 64, 32, 32), 4), ((32, 128, 128, 16, 16), 4), ((32, 256, 256, 8, 8), 4), ((32, 512, 512, 4, 4), 4),
    ((32, 3, 64, 32, 32), 0), ((32, 64, 3, 32, 32), 0), ((1, 64, 64, 56, 56), 4), ((1, 256, 256, 14, 14), 4),
    ((1, 512, 512, 7, 7), 2), ((1, 8, 8, 4, 4), 0)])
def test_the_choice(sizes, m):
    assert winograd.best_tile(*sizes, lanes=8) == m


def test_the_switch(forced, monkeypatch):
    monkeypatch.setenv("GRAPHCORE_WINOGRAD", "0")
    both_ways(2, 16, 16, 8, 8, (1, 1, 1, 1))
    assert not forced


class Residual(nn.Cell):
    """Two convolutions with everything around them that an epilogue may do."""

    def __init__(self, channels: int):
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, pad_mode="same", has_bias=True)
        self.second = nn.Conv2d(channels, channels, 3, pad_mode="same", has_bias=True)
        for name, parameter in self.parameters_dict().items():
            value = numbers(*parameter.shape) * (1 if "bias" in name else 0.1)
            parameter.set_data(Tensor(value.astype(np.float32)))

    def construct(self, x):
        return ops.relu(self.second(ops.relu(self.first(x))) + x)


def by_numpy(net, x):
    def layer(conv, x):
        w, b = conv.weight.asnumpy().astype(np.float64), conv.bias.asnumpy().astype(np.float64)
        return linear.conv2d.reference(x, w, pad=(1, 1, 1, 1)) + b[:, None, None]
    return np.maximum(layer(net.second, np.maximum(layer(net.first, x), 0)) + x, 0)


@pytest.mark.parametrize("images, channels, size", [(2, 48, 13), (16, 40, 8), (1, 36, 60)])
def test_epilogues_and_threads(images, channels, size):
    """Bias, relu and a residual: right, and equal bit by bit for any number of threads; so are the gradients."""
    assert winograd.best_tile(images, channels, channels, size, size, lanes=8)
    net, x = Residual(channels), numbers(images, channels, size, size).astype(np.float32)
    gradient = gc.value_and_grad(lambda x: (net(x) ** 2).sum(), grad_position=0, weights=net.trainable_params())
    before, results = native.threads(), []
    try:
        for threads in (1, 2, 3):
            native.set_threads(threads)
            _, (for_x, for_weights) = gradient(Tensor(x))
            results.append([net(Tensor(x)).asnumpy(), for_x.asnumpy(), *(g.asnumpy() for g in for_weights)])
    finally:
        native.set_threads(before)
    for other in results[1:]:
        assert all(a.tobytes() == b.tobytes() for a, b in zip(results[0], other))
    want = by_numpy(net, x.astype(np.float64))
    np.testing.assert_allclose(results[0][0], want, rtol=1e-5, atol=1e-5 * np.abs(want).max())
    direction = numbers(*x.shape)
    step = 1e-5 * direction
    slope = ((by_numpy(net, x + step) ** 2).sum() - (by_numpy(net, x - step) ** 2).sum()) / 2e-5
    np.testing.assert_allclose((results[0][1] * direction).sum(), slope, rtol=1e-3)
