"""Scans, sorting, top-k and argmax: kernels against references in all dtypes, axes and sizes."""
import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore.compiler.kernels import scan, sorting
from graphcore.errors import DTypeError, ShapeError
from graphcore.ir import graph as ir
from graphcore.ir.types import TensorType
from graphcore.ops.evaluate import interpret
from graphcore.ops.sorting import argmax, cumprod, cumsum, sort_values, topk_values
from tests.kernels.lowering import as_floats, run, stored
from tests.thinning import thinned

LOWERINGS = {**scan.LOWERINGS, **sorting.LOWERINGS}
FLOATS = [dt.float32, dt.float64, dt.float16, dt.bfloat16]
INTEGERS = [dt.int32, dt.int64, dt.int8, dt.uint8, dt.uint64]
TOLERANCE = {"f16": 2e-3, "bf16": 2e-2, "f32": 2e-6, "f64": 1e-14}
SHAPES = [((7,), 0), ((3, 5), 0), ((3, 5), 1), ((2, 4, 130), 1), ((2, 300, 3), 1), ((6, 1), 1), ((2, 0), 1),
          ((0, 3), 1)]


def values(shape, dtype, seed=0, spread=5):
    """Random elements with ties."""
    r = np.random.RandomState(seed)
    if dtype.is_bool:
        return r.rand(*shape) > 0.5
    if dtype.is_integer:
        info = np.iinfo(dtype.storage)
        x = r.randint(info.min, info.max, shape, dtype.storage)
        return np.where(r.rand(*shape) < 0.5, x, r.randint(0, 4, shape).astype(dtype.storage))
    return stored(r.randint(-spread, spread + 1, shape).astype(np.float32) / 2, dtype)


def check(name, x, attrs, dtype, tolerance=0, **how):
    result = {"sort_indices": dt.int32, "topk_indices": dt.int32}.get(name, attrs.get("dtype", dtype))
    got, want = run(LOWERINGS, name, [x], attrs, [dtype], **how)
    assert got.shape == want.shape and got.dtype == want.dtype
    np.testing.assert_allclose(as_floats(got, result), as_floats(want, result), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", ["cumsum", "cumprod"])
@pytest.mark.parametrize("exclusive, reverse", [(False, False), (True, False), (False, True), (True, True)])
@pytest.mark.parametrize("shape, axis", SHAPES)
def test_scan(name, exclusive, reverse, shape, axis):
    x = np.random.RandomState(0).uniform(0.8, 1.2, shape).astype(np.float32)
    check(name, x, {"axis": axis, "exclusive": exclusive, "reverse": reverse}, dt.float32, 1e-5)


@pytest.mark.parametrize("dtype", thinned(FLOATS + INTEGERS, 4), ids=str)
@pytest.mark.parametrize("axis", [0, 1])
def test_scan_types(dtype, axis):
    attrs = {"axis": axis, "exclusive": False, "reverse": False}
    with np.errstate(all="ignore"):
        check("cumsum", values((20, 9), dtype), attrs, dtype, TOLERANCE.get(dtype.code, 0))
        check("cumprod", values((5, 4), dtype), attrs, dtype, TOLERANCE.get(dtype.code, 0))


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("name", ["sort_values", "sort_indices"])
@pytest.mark.parametrize("shape, axis", SHAPES)
def test_sort(name, descending, shape, axis):
    check(name, values(shape, dt.float32), {"axis": axis, "descending": descending}, dt.float32)


@pytest.mark.parametrize("length", [1, 2, 7, 8, 9, 16, 17, 63, 100, 191, 192, 1000, 4096])
def test_sort_lengths(length):
    check("sort_indices", values((2, length), dt.float32, length, 300), {"axis": 1, "descending": False}, dt.float32)


@pytest.mark.parametrize("dtype", thinned(FLOATS + INTEGERS + [dt.bool_], 3), ids=str)
@pytest.mark.parametrize("descending", [False, True])
def test_order_types(dtype, descending):
    x = values((3, 50), dtype)
    for name in ("sort_values", "sort_indices"):
        check(name, x, {"axis": 1, "descending": descending}, dtype)
        check(name, values((2, 700), dtype, spread=300), {"axis": 1, "descending": descending}, dtype)
    for name in ("topk_values", "topk_indices"):
        check(name, x, {"axis": 1, "k": 5, "largest": descending}, dtype)
    for name in ("argmax", "argmin"):
        check(name, x, {"axis": int(descending), "keepdims": False, "dtype": dt.int64}, dtype)


@pytest.mark.parametrize("shape, axis", SHAPES)
@pytest.mark.parametrize("largest", [True, False])
def test_topk(shape, axis, largest):
    x = values(shape, dt.float32)
    for k in {0, 1, shape[axis] // 2, min(shape[axis], 33), shape[axis]}:
        k = min(k, shape[axis])
        for name in ("topk_values", "topk_indices"):
            check(name, x, {"axis": axis, "k": k, "largest": largest}, dt.float32)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
@pytest.mark.parametrize("shape, axis", [case for case in SHAPES if case[0][case[1]]])
@pytest.mark.parametrize("keepdims", [True, False])
def test_extreme(name, shape, axis, keepdims):
    check(name, values(shape, dt.float32), {"axis": axis, "keepdims": keepdims, "dtype": dt.int32}, dt.float32)


@pytest.mark.parametrize("axis", [0, 1])
def test_nan_infinities_and_zeros(axis):
    x = np.array([[0.0, -0.0, np.nan, 1, -np.inf, np.inf, -np.nan, -1]] * 3, np.float32)
    x[1] = [np.inf, -0.0, 0.0, -0.0, 2, -np.inf, 1e-45, -1e-45]
    for flag in (False, True):
        check("sort_indices", x, {"axis": axis, "descending": flag}, dt.float32)
        check("sort_indices", np.tile(x, (60, 60)), {"axis": axis, "descending": flag}, dt.float32)
        check("sort_indices", np.tile(x, (60, 60)).astype("f8"), {"axis": axis, "descending": flag}, dt.float64)
        check("topk_indices", x, {"axis": axis, "k": 2, "largest": flag}, dt.float32)
    for name in ("argmax", "argmin"):
        check(name, x, {"axis": axis, "keepdims": False, "dtype": dt.int64}, dt.float32)
    assert argmax.reference(x, axis=1, keepdims=False, dtype=dt.int64)[0] == 2


@pytest.mark.parametrize("how", ["symbolic", "strided"])
@pytest.mark.parametrize("axis", [0, 1])
def test_symbolic_sizes_and_windows(how, axis):
    x, how = values((6, 40), dt.float32), {how: True}
    check("cumsum", x, {"axis": axis, "exclusive": True, "reverse": True}, dt.float32, 1e-6, **how)
    check("sort_values", x, {"axis": axis, "descending": True}, dt.float32, **how)
    check("topk_indices", x, {"axis": axis, "k": 3, "largest": True}, dt.float32, **how)
    check("argmin", x, {"axis": axis, "keepdims": False, "dtype": dt.int32}, dt.float32, **how)


def test_stable_in_both_directions():
    x = np.array([1, 0, 1, 0], np.float32)
    for descending, order in ((False, [1, 3, 0, 2]), (True, [0, 2, 1, 3])):
        got, want = run(LOWERINGS, "sort_indices", [x], {"axis": 0, "descending": descending})
        assert got.tolist() == want.tolist() == order


@pytest.mark.parametrize("exclusive, reverse", [(False, False), (True, True)])
def test_gradient_of_cumprod_with_zeros(exclusive, reverse):
    x0 = np.array([[1.5, 0.0, -2.0, 0.5], [2.0, 3.0, 0.0, 0.0], [1.0, 2.0, -1.0, 0.5]])
    weights = np.random.RandomState(0).randn(*x0.shape)
    attrs = {"axis": 1, "exclusive": exclusive, "reverse": reverse}
    x, g = (ir.input_(name, TensorType(dt.float64, x0.shape)) for name in "xg")
    (gx,) = cumprod.vjp(g, cumprod(x, **attrs), x, **attrs)
    got = interpret(ir.Graph("gradient", (x, g), (gx,)), {x: x0, g: weights})[gx]
    for place in np.ndindex(x0.shape):
        step = np.zeros_like(x0)
        step[place] = 1e-6
        slope = (cumprod.reference(x0 + step, **attrs) - cumprod.reference(x0 - step, **attrs)) / 2e-6
        assert np.isclose(got[place], (slope * weights).sum(), atol=1e-7)


def test_gradients_are_nodes_of_the_right_type():
    x = ir.input_("x", TensorType(dt.float32, (4, 6)))
    y = topk_values(x, k=2, axis=1, largest=True)
    assert topk_values.vjp(y, y, x, k=2, axis=1, largest=True)[0].type == x.type
    y = sort_values(x, axis=0, descending=True)
    assert sort_values.vjp(y, y, x, axis=0, descending=True)[0].type == x.type


def test_bad_input():
    x = ir.input_("x", TensorType(dt.float32, (4, 6)))
    with pytest.raises(ShapeError, match="k = 7"):
        topk_values(x, k=7, axis=1, largest=True)
    with pytest.raises(ShapeError, match="out of range"):
        cumsum(x, axis=2, exclusive=False, reverse=False)
    with pytest.raises(DTypeError):
        cumsum(ir.input_("b", TensorType(dt.bool_, (4,))), axis=0, exclusive=False, reverse=False)
    with pytest.raises(ShapeError, match="need an element"):
        argmax(ir.input_("e", TensorType(dt.float32, (0,))), axis=0, keepdims=False, dtype=dt.int32)
