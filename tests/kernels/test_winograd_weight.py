"""Gradients for weights by Winograd's algorithm against NumPy in float64: odd shapes, chunks, epilogues, the choice."""
import dataclasses

import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn, ops
from graphcore.compiler.kernels import convolution, winograd_weight
from graphcore.compiler.toolchain.cpu import host
from graphcore.ir.types import TensorType
from tests.kernels.runner import check
from tests.kernels.winograd_cases import cases, numbers
from tests.thinning import thinned_values


@pytest.fixture
def forced(monkeypatch):
    """Every gradient for weights that can be had by Winograd's algorithm is; the fixture counts them."""
    monkeypatch.setattr(winograd_weight, "is_worth_it", lambda *sizes: True)
    monkeypatch.setattr(winograd_weight, "launch", lambda *arguments, launch=winograd_weight.launch: (
        used.append(arguments), launch(*arguments)))
    used: list = []
    return used


def compare(images, channels, rows, height, width, pad, target=None):
    x = numbers(images, channels, height, width)
    g = numbers(images, rows, height + pad[0] + pad[1] - 2, width + pad[2] + pad[3] - 2)
    return check(convolution.LOWERINGS, "conv2d_grad_weight", [x, g], {"pad": pad, "shape": (rows, channels, 3, 3)},
                 target=target)


@pytest.mark.parametrize("case", thinned_values(cases((1, 2, 3, 4, 5, 7, 14, 17, 31, 33), (2, 1, 3, 9, 17)), 12))
def test_shapes(case, forced):
    compare(*case)
    assert len(forced) == 2         # for each split over threads


def test_images_in_chunks(forced, monkeypatch):
    whole = compare(21, 9, 11, 9, 10, (1, 1, 1, 1))
    monkeypatch.setattr(winograd_weight, "TILES_AT_ONCE", 4 * winograd_weight.MATRICES * 9 * 20 * 8)
    parts = compare(21, 9, 11, 9, 10, (1, 1, 1, 1))
    np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=3e-6 * np.abs(whole).max() * 2)


@pytest.mark.parametrize("vector_bytes, registers", [(16, 16), (64, 32)])
def test_other_widths_of_vectors(vector_bytes, registers, forced):
    cpu = dataclasses.replace(host(), vector_bytes=vector_bytes, vector_registers=registers, l1=16 << 10)
    compare(5, 18, 35, 11, 6, (1, 1, 1, 1), target=cpu)


def test_error_is_that_of_float32():
    """At 128 channels the largest error is a few times that of the plain sum."""
    x, g = numbers(8, 128, 16, 16).astype(np.float32), numbers(8, 128, 16, 16).astype(np.float32)
    conv = nn.Conv2d(128, 128, 3)
    found = gc.grad(lambda x: ops.sum(conv(x) * Tensor(g)), None, conv.trainable_params())(Tensor(x))[0].asnumpy()
    padded = np.pad(x.astype(np.float64), ((0, 0), (0, 0), (1, 1), (1, 1)))
    want = np.stack([np.tensordot(g.astype(np.float64), padded[:, :, i:i + 16, j:j + 16], ((0, 2, 3), (0, 2, 3)))
                     for i in range(3) for j in range(3)], -1).reshape(128, 128, 3, 3)
    assert np.abs(found - want).max() < 5e-6 * np.abs(want).max()


def test_what_it_is_for(monkeypatch):
    def suits(x, g, shape, **attrs):
        return winograd_weight.suits(TensorType(gc.float32, x), TensorType(gc.float32, g), shape, **attrs)

    large = ((32, 64, 32, 32), (32, 64, 32, 32), (64, 64, 3, 3))
    ones = {"pad": (1, 1, 1, 1)}
    assert suits(*large, **ones)
    assert not suits(*large, **ones, groups=2) and not suits(*large, **ones, dilation=(2, 2))
    assert not suits((32, 64, 32, 32), (32, 64, 16, 16), (64, 64, 3, 3), **ones, stride=(2, 2))
    assert not suits((32, 64, 32, 32), (32, 64, 32, 32), (64, 64, 1, 1))
    assert not suits((32, 1, 32, 32), (32, 4, 32, 32), (4, 1, 3, 3), **ones)     # tiles cost more than they save
    monkeypatch.setenv("GRAPHCORE_WINOGRAD", "0")
    assert not suits(*large, **ones)
