"""Decompositions, inverses and determinants: what defines them, gradients against differences, and in a graph."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, nn, ops

RANDOM = np.random.RandomState(0)
SQUARE = RANDOM.randn(3, 3) + 2 * np.eye(3)
BATCH = RANDOM.randn(2, 3, 3) + 2 * np.eye(3)
POSITIVE = SQUARE @ SQUARE.T + np.eye(3)
TALL = RANDOM.randn(4, 2)


def values(t):
    return t.asnumpy()


def test_inverses_and_solutions():
    np.testing.assert_allclose(values(ops.inverse(Tensor(BATCH))) @ BATCH, np.broadcast_to(np.eye(3), BATCH.shape),
                               atol=1e-12)
    np.testing.assert_allclose(values(ops.pinv(Tensor(TALL))), np.linalg.pinv(TALL), atol=1e-12)
    solution = values(ops.matrix_solve(Tensor(SQUARE), Tensor(POSITIVE)))
    np.testing.assert_allclose(SQUARE @ solution, POSITIVE, atol=1e-12)
    lower = np.tril(SQUARE)
    np.testing.assert_allclose(lower @ values(ops.matrix_triangular_solve(Tensor(SQUARE), Tensor(POSITIVE))), POSITIVE,
                               atol=1e-12)
    x, _ = ops.triangular_solve(Tensor(POSITIVE), Tensor(SQUARE), unitriangular=True)
    np.testing.assert_allclose((np.triu(SQUARE, 1) + np.eye(3)) @ values(x), POSITIVE, atol=1e-12)
    np.testing.assert_allclose(values(ops.lstsq(Tensor(TALL), Tensor(SQUARE[:1].repeat(4, 0)))),
                               np.linalg.lstsq(TALL, SQUARE[:1].repeat(4, 0), rcond=None)[0], atol=1e-12)


def test_determinants():
    np.testing.assert_allclose(values(ops.det(Tensor(BATCH))), np.linalg.det(BATCH))
    sign, size = ops.slogdet(Tensor(BATCH))
    np.testing.assert_allclose(values(sign) * np.exp(values(size)), np.linalg.det(BATCH))
    assert np.isnan(values(ops.logdet(Tensor([[0.0, 1.0], [1.0, 0.0]]))))
    np.testing.assert_allclose(values(ops.cond(Tensor(SQUARE))), np.linalg.cond(SQUARE))
    np.testing.assert_allclose(values(ops.cond(Tensor(SQUARE), "fro")), np.linalg.cond(SQUARE, "fro"))


def test_factors():
    lower = values(ops.cholesky(Tensor(POSITIVE)))
    np.testing.assert_allclose(lower @ lower.T, POSITIVE)
    np.testing.assert_allclose(values(ops.cholesky(Tensor(POSITIVE), upper=True)), lower.T)
    np.testing.assert_allclose(values(ops.cholesky_inverse(Tensor(lower))) @ POSITIVE, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(POSITIVE @ values(ops.cholesky_solve(Tensor(SQUARE), Tensor(lower))), SQUARE, atol=1e-12)
    for mode, rows in (("reduced", 2), ("complete", 4)):
        q, r = ops.qr(Tensor(TALL), mode)
        assert q.shape == (4, rows)
        np.testing.assert_allclose(values(q) @ values(r), TALL, atol=1e-12)
    s, u, v = ops.svd(Tensor(TALL))
    np.testing.assert_allclose(values(u) * values(s) @ values(v).T, TALL, atol=1e-12)
    w, v = ops.eigh(Tensor(POSITIVE))
    np.testing.assert_allclose(values(v) * values(w) @ values(v).T, POSITIVE, atol=1e-12)


def test_reflectors():
    a, tau = ops.geqrf(Tensor(TALL))
    q = values(ops.orgqr(a, tau))
    np.testing.assert_allclose(q.T @ q, np.eye(2), atol=1e-12)
    np.testing.assert_allclose(q @ np.triu(values(a)[:2]), TALL, atol=1e-12)
    whole = values(ops.ormqr(a, tau, Tensor(np.eye(4))))
    np.testing.assert_allclose(whole[:, :2], q, atol=1e-12)


def test_packed_lu():
    # row exchanges (1, 3), (2, 3), (3, 3) of a decomposition written by hand
    lu, pivots = Tensor(np.array([[4.0, 3, 2], [0.5, 2, 1], [0.25, 0.5, 1]])), Tensor([3, 3, 3], gc.int32)
    p, lower, upper = map(values, ops.lu_unpack(lu, pivots))
    a = p @ lower @ upper
    np.testing.assert_allclose(lower, [[1, 0, 0], [0.5, 1, 0], [0.25, 0.5, 1]])
    assert a[2].tolist() == [4, 3, 2] and sorted(map(tuple, p.tolist())) == [(0, 0, 1), (0, 1, 0), (1, 0, 0)]
    np.testing.assert_allclose(a @ values(ops.lu_solve(Tensor(SQUARE), lu, pivots)), SQUARE, atol=1e-12)


def test_powers():
    np.testing.assert_allclose(values(ops.matrix_power(Tensor(BATCH), 3)), np.linalg.matrix_power(BATCH, 3))
    np.testing.assert_allclose(values(ops.matrix_power(Tensor(BATCH), -2)), np.linalg.matrix_power(BATCH, -2))
    assert values(ops.matrix_power(Tensor(BATCH), 0)).tolist() == np.broadcast_to(np.eye(3), BATCH.shape).tolist()
    w, v = np.linalg.eigh(POSITIVE)
    np.testing.assert_allclose(values(ops.matrix_exp(Tensor(POSITIVE))), v * np.exp(w) @ v.T, rtol=1e-9)


WEIGHTS = Tensor(RANDOM.randn(4, 4))


def weighted(*tensors):
    """One number of results of any shape."""
    total = 0.0
    for k, t in enumerate(tensors):
        total = total + (t * WEIGHTS.ravel()[k:k + t.size].reshape(t.shape)).sum()
    return total


CASES = {
    "inverse": (lambda x: weighted(ops.inverse(x)), SQUARE), "det": (lambda x: ops.det(x), SQUARE),
    "slogdet": (lambda x: ops.slogdet(x)[1], SQUARE), "pinv": (lambda x: weighted(ops.pinv(x)), TALL),
    "cholesky": (lambda x: weighted(ops.cholesky(x @ x.T + ops.eye(3, 3, gc.float64))), SQUARE),
    "qr": (lambda x: weighted(*ops.qr(x)), TALL),
    "singular values": (lambda x: weighted(ops.svd(x, compute_uv=False)), TALL),
    "eigh": (lambda x: weighted(ops.eigh(x + x.T)[0], ops.square(ops.eigh(x + x.T)[1])), SQUARE),
    "solve": (lambda x: weighted(ops.matrix_solve(x, x * x)), SQUARE),
    "exp": (lambda x: weighted(ops.matrix_exp(x)), SQUARE),
}


@pytest.mark.parametrize("name", CASES)
def test_gradients(name):
    function, x = CASES[name]
    found = values(gc.grad(function)(Tensor(x)))
    step = 1e-6
    for place in np.ndindex(x.shape):
        moved = np.zeros_like(x)
        moved[place] = step
        slope = (values(function(Tensor(x + moved))) - values(function(Tensor(x - moved)))) / (2 * step)
        np.testing.assert_allclose(found[place], slope, rtol=1e-5, atol=1e-7)


def test_in_a_graph_with_gradients():
    class Net(nn.Cell):
        def construct(self, x):
            s, _, _ = ops.svd(ops.inverse(x), False, True)
            return ops.det(x) + s.sum()

    x = Tensor(SQUARE.astype(np.float32))
    value = Net()(x)
    expected = np.linalg.det(SQUARE) + np.linalg.svd(np.linalg.inv(SQUARE), compute_uv=False).sum()
    np.testing.assert_allclose(values(value), expected, rtol=1e-5)
    np.testing.assert_allclose(values(gc.grad(ops.det)(x)), np.linalg.det(SQUARE) * np.linalg.inv(SQUARE).T, rtol=1e-4)


def test_refusals_say_the_way_out():
    with pytest.raises(ValueError, match="inverse takes square matrices"):
        ops.inverse(Tensor(TALL))
    with pytest.raises(np.linalg.LinAlgError):
        ops.inverse(Tensor(np.zeros((2, 2))))
    with pytest.raises(ValueError, match="'reduced', 'complete' or 'r'"):
        ops.qr(Tensor(TALL), "full")
