"""Gathers, scatters and their gradients: kernels against references in all dtypes, axes and shapes."""
import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore.compiler.kernels.indexing import LOWERINGS
from graphcore.errors import DTypeError, ShapeError
from graphcore.ir import graph as ir
from graphcore.ir.types import TensorType
from graphcore.ops import indexing as ops
from tests.kernels.lowering import as_floats, run, stored

TOLERANCE = {"f16": 2e-3, "bf16": 2e-2, "f32": 1e-5, "f64": 1e-13}
NUMBERS = [dt.float32, dt.float64, dt.float16, dt.bfloat16, dt.int32, dt.int64, dt.int8, dt.uint8]
INDEX_TYPES = [np.int32, np.int64]
SHAPES = [(6,), (5, 1), (4, 7), (3, 5, 70), (2, 3, 4, 5)]


def values(shape, dtype=dt.float32, seed=0):
    r = np.random.RandomState(seed)
    if dtype.is_bool:
        return r.rand(*shape) > 0.5
    if dtype.is_integer:
        return r.randint(0, 100, shape).astype(dtype.storage)
    return stored(np.asarray(r.randn(*shape), np.float32), dtype)


def indices(shape, extent, index_type=np.int32, seed=3):
    """Valid ones of both signs, and some out of range."""
    return np.random.RandomState(seed).randint(-extent - 1, extent + 2, shape).astype(index_type)


def check(name, arrays, attrs, dtype=dt.float32, exact=True, **how):
    dtypes = [dtype if a.dtype == dtype.storage else dt.from_numpy(a.dtype) for a in arrays]
    got, want = run(LOWERINGS, name, arrays, attrs, dtypes, **how)
    assert got.shape == want.shape and got.dtype == want.dtype
    if exact:
        assert np.array_equal(got, want)
    else:
        np.testing.assert_allclose(as_floats(got, dtype), as_floats(want, dtype), rtol=TOLERANCE.get(dtype.code, 0),
                                   atol=TOLERANCE.get(dtype.code, 0))


def axes_of(shapes):
    return [(shape, axis) for shape in shapes for axis in range(len(shape))]


@pytest.mark.parametrize("shape, axis", axes_of(SHAPES))
@pytest.mark.parametrize("count", [(), (3,), (2, 4), (0,)])
def test_gather_and_scatter_add(shape, axis, count):
    where = indices(count, shape[axis])
    check("gather", [values(shape), where], {"axis": axis})
    g = values((*shape[:axis], *count, *shape[axis + 1:]))
    check("scatter_add", [where, g], {"axis": axis, "shape": shape}, exact=False)


@pytest.mark.parametrize("shape, axis", axes_of(SHAPES))
@pytest.mark.parametrize("index_type", INDEX_TYPES)
def test_elements(shape, axis, index_type):
    count = [max(1, n - 1) for n in shape]
    count[axis] = 9
    where = indices(count, shape[axis], index_type)
    check("gather_elements", [values(shape), where], {"axis": axis})
    check("scatter_elements_add", [where, values(count)], {"axis": axis, "shape": shape}, exact=False)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("index_type", INDEX_TYPES)
def test_points(shape, index_type):
    for rank in range(1, len(shape) + 1):
        for count in ((), (4,), (2, 3), (0,)):
            where = np.stack([indices(count, n, index_type, seed) for seed, n in enumerate(shape[:rank])], -1)
            given = values((*count, *shape[rank:]), seed=5)
            check("gather_nd", [values(shape), where], {})
            check("scatter_nd_add", [where, given], {"shape": shape}, exact=False)
            check("scatter_nd_update", [values(shape), where, given], {})


@pytest.mark.parametrize("dtype", NUMBERS + [dt.bool_], ids=str)
def test_types(dtype):
    x, rows, index = values((5, 3), dtype), indices((7,), 5), indices((4, 3), 5)
    where = indices((6, 2), 3)
    check("gather", [x, rows], {"axis": 0}, dtype)
    check("gather_elements", [x, index], {"axis": 0}, dtype)
    check("gather_nd", [x, where], {}, dtype)
    check("scatter_nd_update", [x, where, values((6,), dtype, 1)], {}, dtype)
    if not dtype.is_bool:
        check("scatter_add", [rows, values((7, 3), dtype)], {"axis": 0, "shape": (5, 3)}, dtype, exact=False)
        check("scatter_elements_add", [index, values((4, 3), dtype)], {"axis": 0, "shape": (5, 3)}, dtype, exact=False)
        check("scatter_elements_add", [index, values((4, 3), dtype)], {"axis": 1, "shape": (4, 5)}, dtype, exact=False)
        check("scatter_nd_add", [where, values((6,), dtype)], {"shape": (5, 3)}, dtype, exact=False)


def test_half_precision_sums_are_kept_in_float32():
    """4096 ones in float16 would stop at 2048."""
    where, g = np.zeros(4096, np.int32), np.ones((4096, 1), np.float16)
    got, _ = run(LOWERINGS, "scatter_add", [where, g], {"axis": 0, "shape": (2, 1)})
    assert got.ravel().tolist() == [4096, 0]


@pytest.mark.parametrize("how", ["symbolic", "strided"])
def test_symbolic_sizes_and_windows(how):
    how = {how: True}
    x, g = values((6, 5)), values((6, 70))
    check("gather", [x, indices((6,), 5)], {"axis": 1}, **how)
    check("gather_elements", [x, indices((6, 3), 5)], {"axis": 1}, **how)
    check("gather_nd", [x, indices((6, 2), 5)], {}, **how)
    check("scatter_add", [indices((6,), 4), g], {"axis": 0, "shape": (4, 70)}, exact=False, **how)
    check("scatter_nd_add", [indices((6, 1), 4), g], {"shape": (4, 70)}, exact=False, **how)
    check("scatter_nd_update", [x, indices((6, 1), 6), values((6, 5), seed=1)], {}, **how)


def test_many_columns_and_rows():
    check("gather_elements", [values((3, 2500)), indices((3, 2500), 3)], {"axis": 0})
    check("gather_elements", [values((3, 2500)), indices((3, 4000), 2500)], {"axis": 1})
    check("scatter_elements_add", [indices((5, 300), 3), values((5, 300))], {"axis": 0, "shape": (3, 300)}, exact=False)
    check("scatter_add", [indices((500,), 9), values((500, 200))], {"axis": 0, "shape": (9, 200)}, exact=False)


def test_the_last_of_several_values_stays():
    where = np.array([[1], [1], [1]], np.int32)
    got, _ = run(LOWERINGS, "scatter_nd_update", [np.zeros(3, "f4"), where, np.array([1, 2, 3], "f4")], {})
    assert got.tolist() == [0, 3, 0]


def test_empty_axis_reads_zeros():
    check("gather", [values((0, 3)), indices((2,), 1)], {"axis": 0})
    check("gather_elements", [values((0, 3)), indices((2, 3), 1)], {"axis": 0})


def test_references_against_numpy():
    x = values((4, 5, 3))
    np.testing.assert_array_equal(ops.gather.reference(x, np.array([1, -1]), axis=1), np.take(x, [1, -1], 1))
    index = np.random.RandomState(0).randint(0, 5, (4, 2, 3))
    np.testing.assert_array_equal(ops.gather_elements.reference(x, index, axis=1), np.take_along_axis(x, index, 1))
    np.testing.assert_array_equal(ops.gather_nd.reference(x, np.array([[1, 2], [-1, 0]])), x[[1, -1], [2, 0]])


def test_scatters_are_transposes_of_gathers():
    x = values((4, 5), seed=1).astype(np.float64)
    rows, index, where = indices((6,), 5), indices((4, 3), 5), indices((7, 2), 4)
    for gather, scatter, at, attrs in (
            (ops.gather, ops.scatter_add, rows, {"axis": 1}),
            (ops.gather_elements, ops.scatter_elements_add, index, {"axis": 1}),
            (ops.gather_nd, ops.scatter_nd_add, where, {})):
        y = gather.reference(x, at, **attrs)
        g = np.random.RandomState(2).randn(*y.shape)
        assert np.isclose((y * g).sum(), (scatter.reference(at, g, shape=x.shape, **attrs) * x).sum())


def node(shape, dtype=dt.float32, name="x"):
    return ir.input_(name, TensorType(dtype, shape))


def test_bad_input():
    x = node((4, 5))
    with pytest.raises(DTypeError, match="cast them first"):
        ops.gather(x, node((2,), dt.float32), axis=0)
    with pytest.raises(ShapeError, match="axis 2 is out of range"):
        ops.gather(x, node((2,), dt.int32), axis=2)
    with pytest.raises(ShapeError, match="they must agree"):
        ops.gather_elements(x, node((2,), dt.int32), axis=0)
    with pytest.raises(ShapeError, match="larger than the tensor"):
        ops.gather_elements(x, node((2, 6), dt.int32), axis=0)
    with pytest.raises(ShapeError, match="coordinates of a point"):
        ops.gather_nd(x, node((2, 3), dt.int32))
    with pytest.raises(ShapeError, match="ask for values"):
        ops.scatter_add(node((2,), dt.int32), node((3, 5)), axis=0, shape=(4, 5))
    with pytest.raises(ShapeError, match="ask for values"):
        ops.scatter_nd_update(x, node((2, 1), dt.int32), node((2, 5), dt.float64))
    with pytest.raises(DTypeError):
        ops.scatter_nd_add(node((2, 1), dt.int32), node((2, 5), dt.bool_), shape=(4, 5))


def test_gradients_are_nodes_of_the_right_type():
    x, at = node((4, 5)), node((3,), dt.int64, "i")
    y = ops.gather(x, at, axis=0)
    assert ops.gather.vjp(y, y, x, at, axis=0)[0].type == x.type
    v, where = node((3, 5), name="v"), node((3, 1), dt.int32, "w")
    y = ops.scatter_nd_update(x, where, v)
    gx, _, gv = ops.scatter_nd_update.vjp(y, y, x, where, v)
    assert gx.type == x.type and gv.type == v.type
