"""Pooling: kernels against references, references against plain loops, in all dtypes and window shapes."""
import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore.compiler.kernels.pooling import LOWERINGS
from graphcore.compiler.toolchain.cpu import host, x86_level
from graphcore.errors import DTypeError, ShapeError
from graphcore.ir import graph as ir
from graphcore.ir.types import TensorType
from graphcore.ops.pooling import (
    avg_pool2d,
    avg_pool2d_grad,
    max_pool2d,
    max_pool2d_grad,
    max_pool2d_grad_grad,
    pooled_shape,
)
from tests.kernels.lowering import as_floats, run, stored
from tests.thinning import thinned, thinned_values

# kernel, stride, pad, shape of a plane
WINDOWS = [
    ((2, 2), (2, 2), (0, 0, 0, 0), (8, 12)),
    ((2, 2), (2, 2), (0, 0, 0, 0), (9, 7)),             # a row and a column that no window covers
    ((3, 3), (2, 2), (1, 1, 1, 1), (14, 13)),
    ((3, 3), (1, 1), (1, 1, 1, 1), (5, 40)),
    ((3, 3), (2, 2), (0, 1, 0, 1), (6, 6)),
    ((3, 2), (1, 3), (2, 1, 1, 0), (4, 5)),
    ((1, 1), (2, 2), (0, 0, 0, 0), (5, 5)),
    ((5, 5), (3, 3), (2, 2, 2, 2), (3, 3)),             # more window than plane
    ((7, 7), (7, 7), (0, 0, 0, 0), (7, 7)),             # too large to unroll
    ((6, 8), (2, 3), (3, 5, 2, 7), (9, 11)),
]
IDS = ["x".join(map(str, k + s)) for k, s, *_ in WINDOWS]
TOLERANCE = {"f16": 2e-3, "bf16": 2e-2, "f32": 1e-6, "f64": 1e-14}
FLOATS = [dt.float32, dt.float64, dt.float16, dt.bfloat16]


def image(shape, seed=0):
    """Values with many ties."""
    return np.random.RandomState(seed).randint(-4, 5, shape).astype(np.float32) / 2


def attributes(window, **more):
    kernel, stride, pad, _ = window
    return {"kernel": kernel, "stride": stride, "pad": pad, **more}


def maximum(window, dilation=(1, 1)):
    return attributes(window, dilation=dilation)


def assert_same(got, want, dtype):
    assert got.shape == want.shape
    np.testing.assert_allclose(as_floats(got, dtype), as_floats(want, dtype), rtol=TOLERANCE.get(dtype.code, 0),
                               atol=TOLERANCE.get(dtype.code, 0))


def check(name, arrays, attrs, dtype, **how):
    got, want = run(LOWERINGS, name, [stored(a, dtype) for a in arrays], attrs, [dtype] * len(arrays), **how)
    assert_same(got, want, dtype)


@pytest.mark.parametrize("window", thinned_values(WINDOWS, 4), ids=IDS)
def test_maximum(window):
    attrs = maximum(window)
    x = image((2, 3, *window[3]))
    check("max_pool2d", [x], attrs, dt.float32)
    y = max_pool2d.reference(x, **attrs)
    check("max_pool2d_grad", [x, y, image(y.shape, 1)], attrs, dt.float32)
    check("max_pool2d_grad_grad", [x, y, image(x.shape, 1)], attrs, dt.float32)


@pytest.mark.parametrize("dilation", thinned_values([(2, 1), (1, 3), (2, 2)], 1))
def test_dilated_maximum(dilation):
    attrs = {"kernel": (3, 2), "stride": (2, 1), "pad": (2, 1, 0, 1), "dilation": dilation}
    x = image((2, 2, 9, 8))
    y = max_pool2d.reference(x, **attrs)
    check("max_pool2d", [x], attrs, dt.float32)
    check("max_pool2d_grad", [x, y, image(y.shape, 1)], attrs, dt.float32)
    check("max_pool2d_grad_grad", [x, y, image(x.shape, 1)], attrs, dt.float32)


@pytest.mark.parametrize("window", thinned_values(WINDOWS, 4), ids=IDS)
@pytest.mark.parametrize("include", [True, False])
def test_mean(window, include):
    attrs = attributes(window, count_include_pad=include, divisor_override=None)
    shape = (2, 3, *window[3])
    check("avg_pool2d", [image(shape)], attrs, dt.float32)
    g = image(pooled_shape("", shape, *window[:3]), 1)
    check("avg_pool2d_grad", [g], {**attrs, "shape": shape}, dt.float32)
    attrs["divisor_override"] = 7
    check("avg_pool2d", [image(shape)], attrs, dt.float32)
    check("avg_pool2d_grad", [g], {**attrs, "shape": shape}, dt.float32)


@pytest.mark.parametrize("dtype", thinned(FLOATS, 2), ids=str)
@pytest.mark.parametrize("window", [WINDOWS[1], WINDOWS[2], WINDOWS[9]], ids=["tiles", "overlap", "large"])
def test_float_types(window, dtype):
    shape = (2, 2, *window[3])
    x, attrs = image(shape), maximum(window)
    y = max_pool2d.reference(x, **attrs)
    check("max_pool2d", [x], attrs, dtype)
    check("max_pool2d_grad", [x, y, image(y.shape, 1)], attrs, dtype)
    check("max_pool2d_grad_grad", [x, y, image(x.shape, 1)], attrs, dtype)
    attrs = attributes(window, count_include_pad=False, divisor_override=None)
    check("avg_pool2d", [x], attrs, dtype)
    check("avg_pool2d_grad", [y], {**attrs, "shape": shape}, dtype)


@pytest.mark.parametrize("dtype", thinned([dt.int8, dt.uint8, dt.int32, dt.int64, dt.uint64], 2), ids=str)
@pytest.mark.parametrize("dilation", [(1, 1), (2, 2)])
def test_maximum_of_integers(dtype, dilation):
    info = np.iinfo(dtype.storage)
    x = np.random.RandomState(0).randint(info.min, info.max, (2, 2, 7, 9), dtype.storage)
    x[0, 0] = info.min
    got, want = run(LOWERINGS, "max_pool2d", [x], maximum(((3, 3), (2, 2), (1, 1, 1, 1)) + (None,), dilation))
    assert np.array_equal(got, want)


@pytest.mark.parametrize("window", [WINDOWS[0], WINDOWS[2], WINDOWS[9]], ids=["tiles", "overlap", "large"])
def test_nan_and_infinity_pass(window):
    x, attrs = image((1, 2, *window[3])), maximum(window)
    x[0, 0, 3, 4], x[0, 0, 3, 5], x[0, 1] = np.nan, np.nan, -np.inf
    y = max_pool2d.reference(x, **attrs)
    assert np.isnan(y[0, 0]).any() and np.isneginf(y[0, 1]).all()
    check("max_pool2d", [x], attrs, dt.float32)
    check("max_pool2d_grad", [x, y, image(y.shape, 1)], attrs, dt.float32)
    check("max_pool2d_grad_grad", [x, y, image(x.shape, 1)], attrs, dt.float32)
    x[0, 1, 0, 0] = np.inf
    check("avg_pool2d", [x], attributes(window, count_include_pad=True, divisor_override=None), dt.float32)


@pytest.mark.parametrize("how", ["symbolic", "strided"])
def test_symbolic_batch_and_windows_on_larger_arrays(how):
    window = WINDOWS[2]
    x, attrs = image((3, 2, *window[3])), maximum(window)
    y = max_pool2d.reference(x, **attrs)
    how = {how: True}
    check("max_pool2d", [x], attrs, dt.float32, **how)
    check("max_pool2d_grad", [x, y, image(y.shape, 1)], attrs, dt.float32, **how)
    check("avg_pool2d", [x], attributes(window, count_include_pad=False, divisor_override=None), dt.float32, **how)


@pytest.mark.parametrize("level", ["x86-64-v2", "x86-64-v3"])
@pytest.mark.parametrize("window", thinned_values([WINDOWS[1], WINDOWS[2], WINDOWS[9]], 1),
                         ids=["tiles", "overlap", "large"])
def test_other_cpus(window, level):
    """One lane on CPUs without masked access, half as many on those with half the vector width."""
    cpu = x86_level(level)
    if not cpu.is_x86 or not all(host().has(feature) for feature in ("sse4.2", "avx2")):
        pytest.skip("needs a CPU that can run these")
    x, attrs = image((2, 2, *window[3])), maximum(window)
    y = max_pool2d.reference(x, **attrs)
    check("max_pool2d", [x], attrs, dt.float32, cpu=cpu)
    check("max_pool2d_grad", [x, y, image(y.shape, 1)], attrs, dt.float32, cpu=cpu)
    check("max_pool2d_grad_grad", [x, y, image(x.shape, 1)], attrs, dt.float32, cpu=cpu)
    attrs = attributes(window, count_include_pad=False, divisor_override=None)
    check("avg_pool2d", [x], attrs, dt.float32, cpu=cpu)
    check("avg_pool2d_grad", [y], {**attrs, "shape": x.shape}, dt.float32, cpu=cpu)


def test_empty_batch():
    window = WINDOWS[0]
    check("max_pool2d", [image((0, 2, *window[3]))], maximum(window), dt.float32)


def test_references_against_plain_loops():
    x = image((1, 2, 6, 7))
    kernel, stride, pad = (3, 2), (2, 2), (1, 2, 0, 1)
    largest = max_pool2d.reference(x, kernel=kernel, stride=stride, pad=pad, dilation=(1, 1))
    mean = avg_pool2d.reference(x, kernel=kernel, stride=stride, pad=pad, count_include_pad=False,
                                divisor_override=None)
    for oh in range(largest.shape[2]):
        for ow in range(largest.shape[3]):
            top, left = oh * 2 - 1, ow * 2
            window = x[:, :, max(top, 0):top + 3, left:left + 2]
            np.testing.assert_array_equal(largest[:, :, oh, ow], window.max((2, 3)))
            np.testing.assert_allclose(mean[:, :, oh, ow], window.mean((2, 3)), rtol=1e-6)


def test_gradients_are_transposes():
    """<pool'(g), x> is what is linear in x; checked through inner products."""
    window = WINDOWS[2]
    x, attrs = np.random.RandomState(0).randn(2, 2, *window[3]), maximum(window)
    y = max_pool2d.reference(x, **attrs)
    g = np.random.RandomState(1).randn(*y.shape)
    assert np.isclose((max_pool2d_grad.reference(x, y, g, **attrs) * x).sum(), (g * y).sum())
    gg = np.random.RandomState(2).randn(*x.shape)
    assert np.isclose((max_pool2d_grad_grad.reference(x, y, gg, **attrs) * g).sum(),
                      (max_pool2d_grad.reference(x, y, g, **attrs) * gg).sum())
    attrs = attributes(window, count_include_pad=False, divisor_override=None)
    assert np.isclose((avg_pool2d_grad.reference(g, shape=x.shape, **attrs) * x).sum(),
                      (avg_pool2d.reference(x, **attrs) * g).sum())


def test_gradient_nodes_can_be_differentiated_again():
    x = ir.input_("x", TensorType(dt.float32, (1, 1, 4, 4)))
    attrs = {"kernel": (2, 2), "stride": (2, 2), "pad": (0, 0, 0, 0), "dilation": (1, 1)}
    y = max_pool2d(x, **attrs)
    (gx,) = max_pool2d.vjp(y, y, x, **attrs)
    assert gx.op == "max_pool2d_grad" and gx.type == x.type
    gg = max_pool2d_grad.vjp(x, gx, x, y, y, **attrs)[2]
    assert gg.op == "max_pool2d_grad_grad" and gg.type == y.type
    assert max_pool2d_grad_grad.vjp(y, gg, x, y, x, **attrs)[2].type == x.type


@pytest.mark.parametrize("attrs, message", [
    ({"kernel": (9, 2)}, "does not fit into H = 8"),
    ({"pad": (2, 0, 0, 0)}, "less than the window"),
    ({"stride": (0, 1)}, "at least 1"),
])
def test_bad_windows(attrs, message):
    x = ir.input_("x", TensorType(dt.float32, (1, 1, 8, 8)))
    attrs = {"kernel": (2, 2), "stride": (2, 2), "pad": (0, 0, 0, 0), "dilation": (1, 1)} | attrs
    with pytest.raises(ShapeError, match=message):
        max_pool2d(x, **attrs)


def test_bad_inputs():
    attrs = {"kernel": (2, 2), "stride": (2, 2), "pad": (0, 0, 0, 0)}
    with pytest.raises(ShapeError, match="4|N, C, H, W"):
        max_pool2d(ir.input_("x", TensorType(dt.float32, (8, 8))), dilation=(1, 1), **attrs)
    with pytest.raises(DTypeError):
        avg_pool2d(ir.input_("x", TensorType(dt.int32, (1, 1, 8, 8))), count_include_pad=True, divisor_override=None,
                   **attrs)
