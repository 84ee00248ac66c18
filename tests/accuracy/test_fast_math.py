"""What fast-math breaks stays right through the whole compiler: rounding tricks, NaN, infinities, zeros, subnormals.

The rule: products and sums may be contracted to one rounding, the terms of a reduction may be added in another order;
nothing else may change a result.
"""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, ops

F = np.float32
SPECIAL = np.array([0.0, -0.0, 1, -1, 3, -0.1, np.inf, -np.inf, np.nan, 1e-45, -1e-45, 1.1754942e-38, -1.1754944e-38,
                    3e38, -3e38, 1e30, -1e-30, 16777216], F)
X, Y = (v.ravel() for v in np.meshgrid(SPECIAL, SPECIAL))
BIG = F(1.5 * 2 ** 23)


def compiled(f, *arrays):
    """The result of `f` in GRAPH_MODE."""
    result = gc.jit(f)(*map(Tensor, arrays))
    return tuple(r.asnumpy() for r in result) if isinstance(result, tuple) else result.asnumpy()


def assert_equal_bits(got, want):
    """Equal, also in the signs of zeros; any NaN equals any other."""
    np.testing.assert_array_equal(got, want)
    if got.dtype == F:
        number = ~np.isnan(want)
        np.testing.assert_array_equal(np.signbit(got[number]), np.signbit(want[number]))


#: Of two arrays; `m` is `ops` or NumPy.  None adds a product, so each has one result.
EXPRESSIONS = {
    "x != x": lambda m, x, y: x != x,
    "x == x": lambda m, x, y: x == x,
    "isnan": lambda m, x, y: m.isnan(x - y),
    "isfinite": lambda m, x, y: m.isfinite(x * y),
    "isinf": lambda m, x, y: m.isinf(x / y),
    "not less": lambda m, x, y: m.logical_not(x < y),
    "less or not": lambda m, x, y: m.where(x < y, 1.0 * x, 2.0 * y),
    "x - x": lambda m, x, y: x - x,
    "x * 0": lambda m, x, y: x * 0.0,
    "0 * x": lambda m, x, y: 0.0 * x,
    "x / x": lambda m, x, y: x / x,
    "0 / x": lambda m, x, y: 0.0 / x,
    "1 / x": lambda m, x, y: 1.0 / x,
    "1 / (1 / x)": lambda m, x, y: 1.0 / (1.0 / x),
    "x + 0": lambda m, x, y: x + 0.0,
    "x - 0": lambda m, x, y: x - 0.0,
    "0 - x": lambda m, x, y: 0.0 - x,
    "-x": lambda m, x, y: -x,
    "-(x - y)": lambda m, x, y: -(x - y),
    "x + (-y)": lambda m, x, y: x + (-y),
    "x * -1": lambda m, x, y: x * -1.0,
    "(x + y) - x": lambda m, x, y: (x + y) - x,
    "(x - y) + y": lambda m, x, y: (x - y) + y,
    "(x + big) - big": lambda m, x, y: (x + 12582912.0) - 12582912.0,
    "x + 1 + 1": lambda m, x, y: (x + 1.0) + 1.0,
    "x + y + x": lambda m, x, y: (x + y) + x,
    "x * y / y": lambda m, x, y: (x * y) / y,
    "x / 3": lambda m, x, y: x / 3.0,
    "x / 8": lambda m, x, y: x / 8.0,
    "x / 2**127": lambda m, x, y: x / 2.0 ** 127,
    "x * 3 / 3": lambda m, x, y: (x * 3.0) / 3.0,
    "x * 1e30 * 1e30": lambda m, x, y: (x * 1e30) * 1e30,
    "x * 1e-30 * 1e30": lambda m, x, y: (x * 1e-30) * 1e30,
    "x * 0.1 * 10": lambda m, x, y: (x * F(0.1)) * 10.0,
    "x * 2 * 0.5": lambda m, x, y: (x * 2.0) * 0.5,
    "x * 0.5": lambda m, x, y: x * 0.5,
    "x / y / y": lambda m, x, y: (x / y) / y,
    "sqrt": lambda m, x, y: m.sqrt(x),
    "sqrt(x * x)": lambda m, x, y: m.sqrt(x * x),
    "1 / sqrt": lambda m, x, y: 1.0 / m.sqrt(x),
    "abs": lambda m, x, y: m.abs(x),
    "maximum": lambda m, x, y: m.maximum(x, y) + 0.0,
    "minimum": lambda m, x, y: m.minimum(x, y) + 0.0,
    "select of NaN": lambda m, x, y: m.where(m.isnan(x), y, x),
    "floor": lambda m, x, y: m.floor(x),
    "sign of zero": lambda m, x, y: m.where(1.0 / x < 0.0, -1.0 + 0.0 * y, 1.0 + 0.0 * y),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expressions(name):
    """Equal to NumPy's float32, bit by bit."""
    f = EXPRESSIONS[name]
    with np.errstate(all="ignore"):
        want = f(np, X, Y)
    assert_equal_bits(compiled(lambda x, y: f(ops, x, y), X, Y), want)


def test_expressions_in_one_kernel():
    """All of them together, behind a product whose epilogue they are."""
    scales = np.ones((1, 1), F)

    def together(x, y, one):
        x = ops.reshape(ops.matmul(ops.reshape(x, (-1, 1)), one), (-1,))
        return tuple(f(ops, x, y) for f in EXPRESSIONS.values())

    known = ~np.isin(X, (0,))           # a product adds to +0: it has no -0
    with np.errstate(all="ignore"):
        for got, f in zip(compiled(together, X, Y, scales), EXPRESSIONS.values()):
            want = f(np, X, Y)
            assert_equal_bits(got[known], want[known])


def test_reductions_of_what_is_not_finite():
    x = np.tile(np.linspace(-1, 1, 70, dtype=F), (6, 1))
    x[0, 5], x[1, 6], x[2, 7], x[3, 8] = np.nan, np.inf, -np.inf, np.inf
    x[3, 60] = -np.inf
    for axis in (0, 1):
        def f(x, axis=axis):
            return (ops.sum(x, axis), ops.mean(x, axis), ops.max(x, axis)[0], ops.min(x, axis)[0], ops.prod(x, axis),
                    ops.any(ops.isnan(x), axis), ops.all(ops.isfinite(x), axis), ops.argmax(x, axis))
        with np.errstate(all="ignore"):
            wanted = (x.sum(axis), x.mean(axis), x.max(axis), x.min(axis), x.prod(axis), np.isnan(x).any(axis),
                      np.isfinite(x).all(axis), x.argmax(axis))
        for got, want in zip(compiled(f, x), wanted):
            np.testing.assert_allclose(got.astype(np.float64), want, rtol=1e-5, atol=1e-5)


def test_softmax_of_infinities():
    """-inf takes no part; a row of nothing but -inf, or with inf or NaN, is NaN, as the formula says."""
    x = np.zeros((4, 40), F)
    x[0, :7], x[1], x[2, 3], x[3, 5] = -np.inf, -np.inf, np.inf, np.nan
    got = compiled(lambda x: ops.softmax(x, -1), x)
    np.testing.assert_allclose(got[0], np.where(np.isneginf(x[0]), 0, 1 / 33), rtol=1e-6)
    assert np.isnan(got[1]).all() and np.isnan(got[2]).any() and np.isnan(got[3]).all()


@pytest.mark.parametrize("shape", [(999,), (33, 65)])
def test_the_terms_of_a_sum_are_not_simplified(shape):
    """Each term is rounded to whole numbers before they are added, whose sum is exact in any order."""
    x = np.random.default_rng(0).uniform(-8, 8, shape).astype(F)
    terms = (x + BIG) - BIG
    assert abs(terms.sum() - x.sum()) > 0.01
    got = compiled(lambda x: ops.sum((x + 12582912.0) - 12582912.0), x)
    assert got == terms.sum()
    for axis in range(len(shape)):
        got = compiled(lambda x, axis=axis: ops.sum((x + 12582912.0) - 12582912.0, axis), x)
        np.testing.assert_array_equal(got, terms.sum(axis))


def test_range_reduction_in_two_parts():
    """n * HIGH is exact, the rest is small: in one part the error were 1e-6."""
    high, low, log2_e = 0.693359375, -2.12194440e-4, 1.4426950408889634

    def rest(x):
        n = (x * log2_e + 12582912.0) - 12582912.0
        return (x - n * high) - n * low, n

    x = np.linspace(-80, 80, 4001, dtype=F)
    r, n = compiled(rest, x)
    assert np.array_equal(n, np.rint(n)) and np.abs(r).max() < 0.3467
    exact = x.astype(np.float64) - n.astype(np.float64) * (np.float64(F(high)) + np.float64(F(low)))
    np.testing.assert_allclose(r, exact, atol=4e-8)


def two_sum(a, b):
    """a + b as a rounded sum and its error (Knuth)."""
    s = a + b
    other = s - a
    return s, (a - (s - other)) + (b - other)


def test_error_free_sum():
    r = np.random.default_rng(0)
    a, b = (r.standard_normal(5000).astype(F) * F(10) ** r.integers(-6, 6, 5000).astype(F) for _ in range(2))
    s, error = compiled(two_sum, a, b)
    np.testing.assert_array_equal(s, a + b)
    assert np.count_nonzero(error) > 1000
    np.testing.assert_array_equal(s.astype(np.float64) + error, a.astype(np.float64) + b)


def kahan(rows):
    """The compensated sum of rows."""
    total = rows[0] * 0.0
    lost = rows[0] * 0.0
    for row in rows:
        term = row - lost
        grown = total + term
        lost = (grown - total) - term
        total = grown
    return total


@pytest.mark.parametrize("count", [7, 5000])
def test_compensated_sum(count):
    """Unrolled, and as a loop of the program."""
    rows = (1 + np.random.default_rng(0).random((count, 37))).astype(F)
    exact = rows.astype(np.float64).sum(0)
    np.testing.assert_allclose(compiled(kahan, rows), exact, rtol=1.3e-7)
    if count > 1000:
        plain = np.add.accumulate(rows, 0)[-1]
        assert (np.abs(plain - exact) / exact).max() > 1e-6         # what it is without the compensation


def test_compensated_sum_in_a_loop_on_a_condition():
    def total_of(x):
        i, total, lost = ops.zeros((), gc.int32), ops.zeros((), gc.float32), ops.zeros((), gc.float32)
        while i < x.shape[0]:
            term = x[i] - lost
            grown = total + term
            lost = (grown - total) - term
            total = grown
            i = i + 1
        return total

    x = np.full(3000, 0.1, F)
    exact = x.astype(np.float64).sum()
    assert abs(compiled(total_of, x) - exact) <= 1.3e-7 * exact < abs(np.add.accumulate(x)[-1] - exact)


def test_subnormals_are_not_flushed():
    tiny = (np.arange(1, 2001, dtype=np.int32)).view(F)                # the first 2000 subnormals
    np.testing.assert_array_equal(compiled(lambda x: x * 1.0 + x, tiny), tiny + tiny)
    np.testing.assert_array_equal(compiled(lambda x: ops.relu(x) / 2.0, tiny), tiny / 2)
    assert compiled(ops.sum, tiny) == tiny.astype(np.float64).sum()
    assert compiled(lambda x: x.max(), tiny) == tiny[-1]
    a = tiny.reshape(40, 50)
    want = a.astype(np.float64) @ np.ones((50, 30))
    np.testing.assert_array_equal(compiled(ops.matmul, a, np.ones((50, 30), F)), want)


def test_zeros_times_what_is_not_finite_in_a_product():
    a, b = np.zeros((20, 40), F), np.ones((40, 30), F)
    b[3, 4], b[5, 6], b[7, 8] = np.inf, np.nan, -np.inf
    got = compiled(ops.matmul, a, b)
    wrong = np.zeros((20, 30), bool)
    wrong[:, [4, 6, 8]] = True
    np.testing.assert_array_equal(np.isnan(got), wrong)


def test_gradients_at_special_values():
    """None is made finite or zero by a simplification."""
    x = np.array([np.nan, np.inf, -np.inf, 0, -0.0, 4], F)
    slope = gc.grad(lambda x: (x * x - x).sum())(Tensor(x)).asnumpy()
    np.testing.assert_array_equal(slope, 2 * x - 1)
    slope = gc.grad(lambda x: ops.sqrt(x).sum())(Tensor(x)).asnumpy()
    np.testing.assert_array_equal(slope, [np.nan, 0, np.nan, np.inf, -np.inf, 0.25])
    slope = gc.grad(lambda x: (x / x).sum())(Tensor(x)).asnumpy()
    np.testing.assert_array_equal(slope, [np.nan] * 5 + [0])
