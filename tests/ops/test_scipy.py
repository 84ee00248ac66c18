"""``mindspore.scipy``: what defines the decompositions and transforms."""
import numpy as np
import pytest

from graphcore import Tensor
from graphcore.scipy import fft, linalg

RANDOM = np.random.RandomState(0)
A = RANDOM.randn(4, 4)
POSITIVE = A @ A.T + np.eye(4)
B = RANDOM.randn(4)
X = RANDOM.randn(4, 6).astype(np.float32)


def values(t):
    return t.asnumpy()


def test_cosine_transforms():
    full = values(fft.dct(Tensor(X), norm="ortho"))
    np.testing.assert_allclose((full ** 2).sum(), (X ** 2).sum(), rtol=1e-5)
    k = np.arange(6)
    second = 2 * (X[0] * np.cos(np.pi * 2 * (2 * k + 1) / 12)).sum()
    np.testing.assert_allclose(values(fft.dct(Tensor(X)))[0, 2], second, atol=1e-5)
    np.testing.assert_allclose(values(fft.idct(fft.dct(Tensor(X)))), X, atol=1e-5)
    np.testing.assert_allclose(values(fft.idctn(fft.dctn(Tensor(X)))), X, atol=1e-5)
    assert fft.dctn(Tensor(X), s=(2, 8)).shape == (2, 8)
    with pytest.raises(ValueError, match="type 2"):
        fft.dct(Tensor(X), 3)


@pytest.mark.parametrize("lower", [True, False])
def test_cholesky(lower):
    factor = values(linalg.cholesky(Tensor(POSITIVE), lower))
    np.testing.assert_allclose(factor @ factor.T if lower else factor.T @ factor, POSITIVE)
    x = linalg.cho_solve(linalg.cho_factor(Tensor(POSITIVE), lower), Tensor(B))
    np.testing.assert_allclose(POSITIVE @ values(x), B, atol=1e-10)


def test_lu():
    p, lower, upper = map(values, linalg.lu(Tensor(A)))
    np.testing.assert_allclose(p @ lower @ upper, A, atol=1e-12)
    assert np.abs(lower).max() <= 1 and np.allclose(np.tril(upper, -1), 0)
    np.testing.assert_allclose(A @ values(linalg.lu_solve(linalg.lu_factor(Tensor(A)), Tensor(B))), B, atol=1e-10)
    np.testing.assert_allclose(A.T @ values(linalg.lu_solve(linalg.lu_factor(Tensor(A)), Tensor(B), 1)), B, atol=1e-10)


def test_triangular_systems():
    for lower, part in ((True, np.tril(A)), (False, np.triu(A))):
        for trans, matrix in ((0, part), ("T", part.T)):
            x = values(linalg.solve_triangular(Tensor(A), Tensor(B), trans, lower))
            np.testing.assert_allclose(matrix @ x, B, atol=1e-9)
    with pytest.raises(ValueError, match="trans is 0, 1, 2"):
        linalg.solve_triangular(Tensor(A), Tensor(B), "X")


def test_least_squares():
    tall, right = RANDOM.randn(6, 3), RANDOM.randn(6, 2)
    x, far, rank, s = linalg.lstsq(Tensor(tall), Tensor(right))
    expected = np.linalg.lstsq(tall, right, rcond=None)
    for found, wanted in zip((x, far, s), (expected[0], expected[1], expected[3])):
        np.testing.assert_allclose(values(found), wanted)
    assert rank.item() == 3
    w, v = linalg.eigh(Tensor(POSITIVE))
    np.testing.assert_allclose(POSITIVE @ values(v), values(v) * values(w), atol=1e-10)
