"""Matrix products: every algorithm, size, layout and dtype against NumPy in float64."""
import dataclasses

import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore.compiler.kernels import matmul, products
from graphcore.compiler.kernels.blocking import Tile
from graphcore.compiler.toolchain.cpu import host
from graphcore.errors import DTypeError, ShapeError
from graphcore.ir import graph as ir
from graphcore.ir.dims import Dim
from graphcore.ir.types import TensorType
from graphcore.ops import linear
from tests.kernels.lowering import EagerBuild
from tests.kernels.runner import check
from tests.thinning import thinned

TILE = Tile.of(host(), dt.float32)
R, C, D = TILE.rows, TILE.columns, TILE.depth


def numbers(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape)


def operands(m, k, n, ta=False, tb=False):
    return [numbers(*((k, m) if ta else (m, k))), numbers(*((n, k) if tb else (k, n)))]


def product(arrays, dtype=dt.float32, **options):
    attrs = {key: options.pop(key) for key in ("transpose_a", "transpose_b", "parts") if key in options}
    name = "matmul_parts" if "parts" in attrs else "matmul"
    return check(matmul.LOWERINGS, name, arrays, attrs, dtype, **options)


@pytest.mark.parametrize("m", [1, 4, R - 1, R, R + 1, 3 * R + 2, 20 * R + 3])
@pytest.mark.parametrize("n", [1, C - 1, C, C + 1, 9 * C + 5])
def test_edges_of_the_tile(m, n):
    for k in (1, D - 1, D + 1, 2 * D):
        product(operands(m, k, n))


@pytest.mark.parametrize("dtype", [dt.float32, dt.float64])
@pytest.mark.parametrize("k", [0, 1, 2, 5, 33])
def test_strips_of_a_small_matrix(k, dtype):
    width = products.strip_width(Tile.of(host(), dtype))
    for m in (1, 3):
        for n in (1, width - 1, width, 2 * width + 5):
            product(operands(m, k, n), dtype)
            product(operands(m, k, n, ta=True), dtype, transpose_a=True)


@pytest.mark.parametrize("m, k, n", [(1, 32, 32), (3, 7, 70), (4, 1, 5)])
def test_a_small_matrix_is_turned_round_in_a_loop(m, k, n, monkeypatch):
    monkeypatch.setattr(EagerBuild, "in_loop", True)
    product(operands(m, k, n, tb=True), transpose_b=True)


@pytest.mark.parametrize("ta, tb", [(False, False), (False, True), (True, False), (True, True)])
@pytest.mark.parametrize("m, k, n", [(7, 17, 17), (5, 17, 68), (7, 15, C + 1), (R + 1, D + 13, 2 * C), (20 * R, 9, 33)])
def test_what_stays_the_same_in_a_loop_is_packed_before_it(m, k, n, ta, tb, monkeypatch):
    """Also for few rows, which read the right operand as it lies where there is no loop."""
    monkeypatch.setattr(EagerBuild, "in_loop", True)
    product(operands(m, k, n, ta, tb), transpose_a=ta, transpose_b=tb)


@pytest.mark.parametrize("ta, tb", [(False, True), (True, False), (True, True)])
@pytest.mark.parametrize("m, k, n", [(1, 7, 5), (3, 70, 40), (R + 5, D + 13, C + 7), (90, 33, 130), (17, D, 2 * C * R)])
def test_transposed(m, k, n, ta, tb):
    product(operands(m, k, n, ta, tb), transpose_a=ta, transpose_b=tb)


@pytest.mark.parametrize("m, k, n", [(0, 3, 4), (3, 0, 4), (50, 0, 60), (3, 4, 0)])
def test_empty(m, k, n):
    product(operands(m, k, n))


@pytest.mark.parametrize("a, b", [
    ((5, 9, 20), (5, 20, 30)), ((5, 9, 20), (20, 30)), ((9, 20), (5, 20, 30)), ((2, 1, 9, 20), (3, 20, 30)),
    ((4, 3, 40, 50), (4, 3, 50, 60)), ((3, 1, 1), (3, 1, 1)), ((12, 4, 5), (1, 5, 6)), ((0, 4, 5), (5, 6))])
def test_batches(a, b):
    product([numbers(*a), numbers(*b)])
    product([numbers(*a).swapaxes(-1, -2).copy(), numbers(*b)], transpose_a=True)


@pytest.mark.parametrize("orders", [((1, 0), (1, 0)), ((1, 0), None), (None, (1, 0)), ((0, 1), (0, 1))])
@pytest.mark.parametrize("m, k, n", [(2, 31, 45), (R, 40, C), (5 * R + 1, D + 5, 3 * C + 2)])
def test_strided(m, k, n, orders):
    product(operands(m, k, n), orders=orders)


def test_strided_batches():
    product([numbers(3, 4, 10, 20), numbers(3, 4, 20, 15)], orders=((0, 2, 1, 3), (0, 2, 1, 3)))
    product([numbers(6, 10, 20), numbers(20, 15)], orders=((1, 0, 2), None))


@pytest.mark.parametrize("dtype", thinned([dt.float64, dt.float16, dt.bfloat16], 2))
def test_floats(dtype):
    for m, k, n in ((3, 50, 20), (R + 1, 2 * D + 3, C + 3), (70, 20, 100)):
        product(operands(m, k, n), dtype)
        product(operands(m, k, n, tb=True), dtype, transpose_b=True)
    product([numbers(3, 20, 9), numbers(9, 10)], dtype)


@pytest.mark.parametrize("dtype", [dt.int8, dt.int32, dt.uint8, dt.int64, dt.uint64])
def test_integers_wrap(dtype):
    a, b = (np.random.default_rng(0).integers(0, 120, s).astype(dtype.storage) for s in ((2, 5, 30), (30, 7)))
    product([a, b], dtype)
    product([a, b], dtype, orders=((2, 0, 1), (1, 0)))


@pytest.mark.parametrize("parts", [1, 2, 3, 7])
def test_parts(parts):
    product(operands(20, 50, 60, ta=True), transpose_a=True, parts=parts)
    product(operands(R + 1, 3 * D + 5, C + 1), parts=parts)
    product(operands(5, 4, 3), parts=parts)


def test_number_of_parts_follows_static_sizes():
    def parts(m, k, n, **attrs):
        return matmul.matmul_parts_for(TensorType(dt.float32, (m, k)), TensorType(dt.float32, (k, n)), **attrs)
    assert parts(512, 512, 512) == 1
    assert parts(8, 8, 8) == 1
    assert parts(16, 50000, 16) > 1
    assert parts(Dim.symbol("N"), 50000, 16) > 1


@pytest.mark.parametrize("n", [1, 6, 200])
def test_symbolic_sizes(n):
    size = Dim.symbol("N")
    product(operands(n, 30, 70), symbols=([(size, 30), (30, 70)], {"N": n}))
    product(operands(30, n, 70), symbols=([(30, size), (size, 70)], {"N": n}))
    product(operands(9, 30, n), symbols=([(9, 30), (30, size)], {"N": n}))
    product([numbers(n, 4, 5), numbers(5, 6)], symbols=([(size, 4, 5), (5, 6)], {"N": n}))
    product([numbers(n, 4, 5), numbers(n, 5, 6)], symbols=([(size, 4, 5), (size, 5, 6)], {"N": n}))


@pytest.mark.parametrize("vector_bytes, registers", thinned([(32, 16), (16, 16), (16, 32)], 1))
def test_other_vectors(vector_bytes, registers):
    """Tiles of smaller vectors are right too; this CPU runs them all."""
    target = dataclasses.replace(host(), vector_bytes=vector_bytes, vector_registers=registers, l1=16 << 10)
    for m, k, n in ((13, 70, 50), (40, 300, 33)):
        product(operands(m, k, n), target=target)
        product(operands(m, k, n, tb=True), target=target, transpose_b=True)


def test_nan_and_infinity_stay_where_they_belong():
    a, b = operands(40, 60, 70)
    a[3, 5], a[7, 8], b[9, 11] = np.nan, np.inf, -np.inf
    product([a, b])


@pytest.mark.parametrize("a, b, words", [
    ((3, 4), (3, 4), "inner sizes"), ((4,), (4, 4), "2 axes"), ((2, 3, 4), (3, 4, 5), "do not broadcast")])
def test_wrong_shapes(a, b, words):
    with pytest.raises(ShapeError, match=words):
        linear.matmul(*(ir.input_(name, TensorType(dt.float32, shape)) for name, shape in (("a", a), ("b", b))))


def test_wrong_dtypes():
    a, b, c = (ir.input_(d.name, TensorType(d, (2, 2))) for d in (dt.float32, dt.float64, dt.bool_))
    with pytest.raises(DTypeError, match="one dtype"):
        linear.matmul(a, b)
    with pytest.raises(DTypeError, match="number"):
        linear.matmul(c, c)
