"""``mindspore.scipy.linalg``: SciPy's names for the decompositions of `ops`.

The arguments ``overwrite_...``, ``check_finite`` and ``debug`` are accepted and change nothing.
"""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore.ops import functional as F
from graphcore.ops.functional.arguments import shape_error, tensor_of
from graphcore.ops.host import on_host
from graphcore.tensor import Tensor

__all__ = ["block_diag", "inv", "cho_factor", "cholesky", "cho_solve", "eigh", "lu_factor", "lu", "lu_solve",
           "solve_triangular", "lstsq", "det"]


def block_diag(*arrs):
    """Matrices (vectors as a row) along the diagonal of a matrix of zeros."""
    return F.block_diag(*arrs)


def inv(a, overwrite_a=False, check_finite=True):
    """The inverse of square matrices."""
    return F.inverse(a)


def det(a, overwrite_a=False, check_finite=True):
    """The determinants of square matrices."""
    return F.det(a)


def cholesky(a, lower=False, overwrite_a=False, check_finite=True):
    """The Cholesky factor of a positive matrix: upper triangular, unless `lower`."""
    return F.cholesky(a, upper=not lower)


def cho_factor(a, lower=False, overwrite_a=False, check_finite=True):
    """(Cholesky factor, lower) for `cho_solve`; the other triangle holds that of `a`."""
    a = tensor_of(a, "cho_factor")
    factor = F.cholesky(a, upper=not lower)
    rest = F.triu(F.cast(a, factor.dtype), 1) if lower else F.tril(F.cast(a, factor.dtype), -1)
    return F.add(factor, rest), lower


def cho_solve(c_and_lower, b, overwrite_b=False, check_finite=True):
    """The solution x of A @ x = b from the factor of A that `cho_factor` gave."""
    factor, lower = c_and_lower
    factor = F.tril(factor) if lower else F.triu(factor)
    matrix, is_vector = _column(b)
    x = F.cholesky_solve(matrix, factor, not lower)
    return F.squeeze(x, -1) if is_vector else x


def _column(b):
    b = tensor_of(b, "b")
    return (F.expand_dims(b, -1), True) if b.ndim == 1 else (b, False)


def solve_triangular(a, b, trans=0, lower=False, unit_diagonal=False, overwrite_b=False, debug=None, check_finite=True):
    """The solution x of a @ x = b, of which only a triangle of `a` is read.

    trans: 0 or "N"; 1, "T", 2 or "C": of the transposed matrix.  unit_diagonal: the diagonal counts as ones.
    """
    matrix, is_vector = _column(b)
    if trans not in (0, 1, 2, "N", "T", "C"):
        raise shape_error(f"solve_triangular: trans is 0, 1, 2, 'N', 'T' or 'C', got {trans!r}")
    x, _ = F.triangular_solve(matrix, a, not lower, trans in (1, 2, "T", "C"), unit_diagonal)
    return F.squeeze(x, -1) if is_vector else x


def eigh(a, b=None, lower=True, eigvals_only=False, overwrite_a=False, overwrite_b=False, turbo=True, eigvals=None,
         type=1, check_finite=True):
    """(eigenvalues, eigenvectors as columns) of a symmetric matrix; with `eigvals_only` the values alone.

    Raises ValueError for a second matrix: general problems are not there.
    """
    if b is not None or eigvals is not None or type != 1:
        raise shape_error("eigh solves a @ v = w * v for all eigenvalues: leave b, eigvals and type out")
    w, v = F.eigh(a, "L" if lower else "U")
    return w if eigvals_only else (w, v)


def _packed(a: np.ndarray) -> tuple:
    """(L below the diagonal and U on and above it, pivots from 0) of one matrix, with partial pivoting."""
    a = a.astype(np.float64)
    pivots = np.zeros(min(a.shape), np.int64)
    for k in range(len(pivots)):
        p = pivots[k] = k + np.argmax(np.abs(a[k:, k]))
        a[[k, p]] = a[[p, k]]
        if a[k, k] != 0:
            a[k + 1:, k] /= a[k, k]
            a[k + 1:, k + 1:] -= np.outer(a[k + 1:, k], a[k, k + 1:])
    return a, pivots


def lu_factor(a, overwrite_a=False, check_finite=True):
    """(L below the diagonal and U on and above it, pivots): row i was exchanged with row pivots[i]."""
    a = F.arguments.floating(tensor_of(a, "lu_factor"))
    if a.ndim != 2:
        raise shape_error(f"lu_factor takes a matrix, got shape {a.shape}")
    return on_host("lu_factor", _packed, [a], [(a.dtype, a.shape), (dt.int32, (min(a.shape),))])


def lu(a, permute_l=False, overwrite_a=False, check_finite=True):
    """(permutation, L, U) with a = P @ L @ U; with `permute_l` (P @ L, U)."""
    packed, pivots = lu_factor(a)
    p, lower, upper = F.lu_unpack(packed, F.add(pivots, 1))
    return (F.matmul(p, lower), upper) if permute_l else (p, lower, upper)


def lu_solve(lu_and_piv, b, trans=0, overwrite_b=False, check_finite=True):
    """The solution x of A @ x = b from the decomposition of A that `lu_factor` gave; trans: of its transpose."""
    packed, pivots = lu_and_piv
    matrix, is_vector = _column(b)
    p, lower, upper = F.lu_unpack(packed, F.add(pivots, 1))
    x = F.matrix_solve(F.matmul(F.matmul(p, lower), upper), matrix, bool(trans))
    return F.squeeze(x, -1) if is_vector else x


def lstsq(A, B, rcond=None, driver=None):
    """(solution x of smallest squared distance of A @ x from B, squared distances, rank, singular values)."""
    a = F.arguments.floating(tensor_of(A, "lstsq"))
    b, is_vector = _column(B)
    x = F.matmul(F.pinv(a, rtol=rcond), F.cast(b, a.dtype))
    s = F.svd(a, compute_uv=False)
    limit = (np.finfo(a.dtype.storage).eps * max(a.shape)) if rcond is None else rcond
    rank = F.sum(F.cast(s > F.mul(F.amax(s), limit), dt.int32), dtype=dt.int32)
    far = F.sum(F.square(F.sub(F.matmul(a, x), F.cast(b, a.dtype))), 0) if a.shape[0] > a.shape[1] else Tensor(
        np.zeros(0), a.dtype)
    return F.squeeze(x, -1) if is_vector else x, far, rank, s
