"""Decompositions, inverses and determinants of matrices, computed by NumPy; the last two axes are the matrix.

The gradients are made of operators, so gradients of gradients exist too.
"""
from __future__ import annotations

import numpy as np

from graphcore.ops.functional.arguments import Tensor, cast, dt, floating, operands, shape_error, tensor_of
from graphcore.ops.functional.arithmetic import add, div, mul, sub
from graphcore.ops.functional.comparison import equal, greater, where
from graphcore.ops.functional.creation import eye, tril, triu, zeros
from graphcore.ops.functional.elementary import neg
from graphcore.ops.functional.linalg import matmul
from graphcore.ops.functional.reduction import amax, amin, matrix_norm
from graphcore.ops.functional.shaping import broadcast_to, expand_dims, swapaxes
from graphcore.ops.host import on_host

__all__ = [
    "inverse", "matrix_inverse", "pinv", "det", "logdet", "slogdet", "log_matrix_determinant", "matrix_determinant",
    "cholesky", "cholesky_inverse", "cholesky_solve", "qr", "svd", "eigh", "eigvalsh", "lu_solve", "lu_unpack",
    "lstsq", "matrix_solve", "matrix_triangular_solve", "triangular_solve", "matrix_power", "geqrf", "orgqr", "ormqr",
    "cond", "matrix_exp", "eig", "eigvals",
]


def _matrix(x, name: str, square_=True) -> Tensor:
    x = floating(tensor_of(x, name))
    if x.ndim < 2 or square_ and x.shape[-1] != x.shape[-2]:
        raise shape_error(f"{name} takes {'square ' if square_ else ''}matrices, got shape {x.shape}")
    return x


def _t(x: Tensor) -> Tensor:
    return swapaxes(x, -1, -2)


def _in_double(function):
    """`function` on float64 arrays: decompositions are rounded once."""
    return lambda *arrays: function(*(a.astype(np.float64) for a in arrays))


def _scalars(g: Tensor) -> Tensor:
    """One number a matrix, so that it broadcasts over the matrices."""
    return expand_dims(expand_dims(g, -1), -1)


# -- inverses -------------------------------------------------------------------------------------------------

def inverse(input):
    """The inverses of square matrices.  Raises LinAlgError where there is none."""
    x = _matrix(input, "inverse")
    return on_host("inverse", _in_double(np.linalg.inv), [x], [(x.dtype, x.shape)],
                   lambda i, y, g: [neg(matmul(matmul(_t(y[0]), g[0]), _t(y[0])))])


matrix_inverse = inverse


def pinv(x, *, atol=None, rtol=None, hermitian=False):
    """Moore and Penrose's pseudo-inverse; singular values of at most max(atol, rtol * the largest) count as 0."""
    x = _matrix(x, "pinv", False)

    def compute(a):
        u, s, v = np.linalg.svd(a, full_matrices=False)
        relative = rtol if rtol is not None else 0 if atol is not None else max(a.shape[-2:]) * np.finfo(
            x.dtype.storage).eps
        limit = np.maximum(0 if atol is None else atol, relative * s.max(-1, keepdims=True, initial=0))
        s = np.where(s > limit, 1 / s, 0)
        return np.swapaxes(v, -1, -2) @ (s[..., None] * np.swapaxes(u, -1, -2))

    def gradient(i, y, g):
        a, p, g = i[0], y[0], g[0]
        pt, gt = _t(p), _t(g)
        first = neg(matmul(matmul(pt, g), pt))
        left, right = sub(eye_like(a, -2), matmul(a, p)), sub(eye_like(a, -1), matmul(p, a))
        second = matmul(matmul(matmul(left, gt), p), pt)
        return [add(first, add(second, matmul(matmul(matmul(pt, p), gt), right)))]
    return on_host("pinv", _in_double(compute), [x], [(x.dtype, (*x.shape[:-2], x.shape[-1], x.shape[-2]))], gradient)


def eye_like(x: Tensor, axis: int) -> Tensor:
    """The identity matrix of the size of an axis."""
    return eye(x.shape[axis], x.shape[axis], x.dtype)


def matrix_solve(matrix, rhs, adjoint=False):
    """The solution x of matrix @ x = rhs; `adjoint`: of the transposed matrix."""
    a, b = operands(matrix, rhs, name="matrix_solve")
    a = _matrix(a, "matrix_solve")
    if adjoint:
        a = _t(a)

    def gradient(i, y, g):
        back = matrix_solve(_t(i[0]), g[0])
        return [neg(matmul(back, _t(y[0]))), back]
    return on_host("matrix_solve", _in_double(np.linalg.solve), [a, b], [(a.dtype, b.shape)], gradient)


def matrix_triangular_solve(matrix, rhs, lower=True, adjoint=False):
    """The solution x of matrix @ x = rhs, of which only the lower (or upper) triangle is read."""
    a, b = operands(matrix, rhs, name="matrix_triangular_solve")
    return matrix_solve(tril(a) if lower else triu(a), b, adjoint)


def triangular_solve(b, A, upper=True, transpose=False, unitriangular=False):
    """(solution x of A @ x = b, A); only a triangle of A is read; `unitriangular`: its diagonal counts as ones."""
    a = triu(A) if upper else tril(A)
    if unitriangular:
        identity = eye_like(a, -1)
        a = add(mul(a, sub(1, identity)), identity)
    return matrix_solve(a, b, transpose), A


def lstsq(input, A):
    """The solution x of smallest squared distance of input @ x from A (rows, columns); rank must be full."""
    a, b = operands(input, A, name="lstsq")
    is_vector = b.ndim == 1
    b = expand_dims(b, 1) if is_vector else b
    x = matmul(pinv(a), b)
    return x


def cond(A, p=None):
    """The condition number by the norm `p` (None or 2: the ratio of singular values)."""
    x = _matrix(A, "cond", p not in (None, 2, -2))
    if p in (None, 2, -2):
        s = svd(x, compute_uv=False)
        return div(amax(s, -1), amin(s, -1)) if p != -2 else div(amin(s, -1), amax(s, -1))
    return mul(matrix_norm(x, p), matrix_norm(inverse(x), p))


# -- determinants ---------------------------------------------------------------------------------------------

def det(input):
    """The determinants of square matrices."""
    x = _matrix(input, "det")
    return on_host("det", _in_double(np.linalg.det), [x], [(x.dtype, x.shape[:-2])],
                   lambda i, y, g: [mul(_scalars(mul(g[0], y[0])), _t(inverse(i[0])))])


matrix_determinant = det


def slogdet(input):
    """(sign, logarithm of the absolute value) of the determinants."""
    x = _matrix(input, "slogdet")
    return on_host("slogdet", _in_double(lambda a: tuple(np.linalg.slogdet(a))), [x], [(x.dtype, x.shape[:-2])] * 2,
                   lambda i, y, g: [mul(_scalars(g[1]), _t(inverse(i[0])))])


log_matrix_determinant = slogdet


def logdet(input):
    """The logarithms of the determinants; NaN for negative ones."""
    sign, size = slogdet(input)
    return where(greater(sign, 0), size, where(equal(sign, 0), float("-inf"), float("nan")))


# -- Cholesky -------------------------------------------------------------------------------------------------

def cholesky(input_x, upper=False):
    """The lower triangular L with L @ L.T = input_x (`upper`: its transpose).  Raises LinAlgError unless positive."""
    x = _matrix(input_x, "cholesky")

    def gradient(i, y, g):
        lower = y[0]
        phi = tril(matmul(_t(lower), g[0]))
        phi = sub(phi, mul(mul(phi, eye_like(phi, -1)), 0.5))
        inner = matmul(matmul(_t(inverse(lower)), add(phi, _t(phi))), inverse(lower))
        return [mul(inner, 0.5)]
    lower = on_host("cholesky", _in_double(np.linalg.cholesky), [x], [(x.dtype, x.shape)], gradient)
    return _t(lower) if upper else lower


def _from_factor(factor: Tensor, upper: bool) -> Tensor:
    return matmul(_t(factor), factor) if upper else matmul(factor, _t(factor))


def cholesky_inverse(input_x, upper=False):
    """The inverse of the matrix that has this Cholesky factor."""
    return inverse(_from_factor(_matrix(input_x, "cholesky_inverse"), upper))


def cholesky_solve(input, input2, upper=False):
    """The solution x of A @ x = input, where `input2` is the Cholesky factor of A."""
    return matrix_solve(_from_factor(_matrix(input2, "cholesky_solve"), upper), input)


# -- orthogonal -----------------------------------------------------------------------------------------------

def qr(input, mode="reduced"):
    """(orthogonal Q, upper triangular R) with Q @ R = input; mode "reduced", "complete" or "r" (an empty Q)."""
    x = _matrix(input, "qr", False)
    m, n = x.shape[-2:]
    lead = x.shape[:-2]
    if mode not in ("reduced", "complete", "r"):
        raise shape_error(f"qr: the mode is 'reduced', 'complete' or 'r', got {mode!r}")
    k = m if mode == "complete" else min(m, n)

    def gradient(i, y, g):
        q, r = y
        upper = sub(matmul(r, _t(g[1])), matmul(_t(g[0]), q))
        symmetric = tril(upper)
        symmetric = add(symmetric, _t(sub(symmetric, mul(symmetric, eye_like(symmetric, -1)))))
        return [_t(matrix_solve(r, _t(add(g[0], matmul(q, symmetric)))))]
    differentiable = mode == "reduced" and m >= n
    q, r = on_host("qr", _in_double(lambda a: tuple(np.linalg.qr(a, "complete" if mode == "complete" else "reduced"))),
                   [x], [(x.dtype, (*lead, m, k)), (x.dtype, (*lead, k, n))], gradient if differentiable else None)
    return (zeros((0,), x.dtype), r) if mode == "r" else (q, r)


def svd(input, full_matrices=False, compute_uv=True):
    """(singular values, U, V) with U @ diag(s) @ V.T = input; without `compute_uv` the values alone.

    The gradient is that of the values.
    """
    x = _matrix(input, "svd", False)
    m, n = x.shape[-2:]
    lead, k = x.shape[:-2], min(m, n)

    def values(i, y, g):
        _, u, v = svd(i[0])
        return [matmul(mul(u, expand_dims(g[0], -2)), _t(v))]
    if not compute_uv:
        return on_host("svd", _in_double(lambda a: np.linalg.svd(a, compute_uv=False)), [x], [(x.dtype, (*lead, k))],
                       values)

    def compute(a):
        u, s, vt = np.linalg.svd(a, full_matrices=full_matrices)
        return s, u, np.swapaxes(vt, -1, -2)
    rows, columns = (m, n) if full_matrices else (k, k)
    return on_host("svd", _in_double(compute), [x],
                   [(x.dtype, (*lead, k)), (x.dtype, (*lead, m, rows)), (x.dtype, (*lead, n, columns))])


def eigh(A, UPLO="L"):
    """(eigenvalues, eigenvectors as columns) of symmetric matrices, of which one triangle is read."""
    x = _matrix(A, "eigh")

    def gradient(i, y, g):
        w, v = y
        gap = sub(expand_dims(w, -2), expand_dims(w, -1))
        identity = eye_like(v, -1)
        inner = mul(div(matmul(_t(v), g[1]), add(gap, identity)), sub(1, identity))
        inner = add(inner, mul(identity, expand_dims(g[0], -1)))
        return [matmul(matmul(v, inner), _t(v))]
    return on_host("eigh", _in_double(lambda a: tuple(np.linalg.eigh(a, UPLO))), [x],
                   [(x.dtype, x.shape[:-1]), (x.dtype, x.shape)], gradient)


def eigvalsh(A, UPLO="L"):
    """The eigenvalues of symmetric matrices, ascending."""
    return eigh(A, UPLO)[0]


def _reflectors(a):
    """Householder's reflectors of a QR decomposition as LAPACK stores them: (R above, vectors below; scales)."""
    a = a.copy()
    m, n = a.shape[-2:]
    if a.ndim > 2:
        parts = [_reflectors(part) for part in a.reshape(-1, m, n)]
        return (np.stack([p[0] for p in parts]).reshape(a.shape),
                np.stack([p[1] for p in parts]).reshape(*a.shape[:-2], min(m, n)))
    tau = np.zeros(min(m, n))
    for k in range(min(m, n)):
        x = a[k:, k]
        norm = np.linalg.norm(x)
        if np.linalg.norm(x[1:]) == 0:
            continue
        beta = -np.copysign(norm, x[0])
        tau[k] = (beta - x[0]) / beta
        v = np.append(1.0, x[1:] / (x[0] - beta))
        a[k:, k + 1:] -= tau[k] * np.outer(v, v @ a[k:, k + 1:])
        a[k, k], a[k + 1:, k] = beta, v[1:]
    return a, tau


def _product_of_reflectors(a, tau, size):
    q = np.eye(size)
    for k in range(tau.shape[-1] - 1, -1, -1):
        v = np.zeros(size)
        v[k], v[k + 1:] = 1, a[k + 1:, k]
        q -= tau[k] * np.outer(v, v @ q)
    return q


def geqrf(input):
    """(R above the diagonal and the vectors of reflectors below it, their scales): QR as LAPACK stores it."""
    x = _matrix(input, "geqrf", False)
    return on_host("geqrf", _in_double(_reflectors), [x],
                   [(x.dtype, x.shape), (x.dtype, (*x.shape[:-2], min(x.shape[-2:])))])


def orgqr(input, input2):
    """The first columns of the orthogonal matrix that reflectors of `geqrf` make."""
    a, tau = operands(input, input2, name="orgqr")
    m, n = a.shape[-2:]

    def compute(a, tau):
        if a.ndim == 2:
            return _product_of_reflectors(a, tau, m)[:, :n]
        pairs = zip(a.reshape(-1, m, n), tau.reshape(-1, tau.shape[-1]))
        return np.stack([_product_of_reflectors(x, t, m)[:, :n] for x, t in pairs]).reshape(a.shape)
    return on_host("orgqr", _in_double(compute), [a, tau], [(a.dtype, a.shape)])


def ormqr(input, tau, other, left=True, transpose=False):
    """`other` times the orthogonal matrix that reflectors of `geqrf` make, from the left or right."""
    a, t = operands(input, tau, name="ormqr")
    m = a.shape[-2]
    q = on_host("ormqr", _in_double(lambda a, t: _product_of_reflectors(a, t, m)), [a, t], [(a.dtype, (m, m))])
    q = _t(q) if transpose else q
    return matmul(q, other) if left else matmul(other, q)


# -- LU -------------------------------------------------------------------------------------------------------

def lu_unpack(LU_data, LU_pivots, unpack_data=True, unpack_pivots=True):
    """(permutation P, lower L, upper U) with P @ L @ U the matrix, from a packed LU decomposition and its pivots.

    Pivots count from 1.  What is not unpacked is an empty Tensor.
    """
    lu, pivots = tensor_of(LU_data, "lu_unpack"), tensor_of(LU_pivots, "lu_unpack")
    m, n = lu.shape[-2:]
    k = min(m, n)
    lower = add(mul(tril(lu[..., :, :k], -1), 1), eye(m, k, lu.dtype))
    upper = triu(lu[..., :k, :])

    def permutation(p):
        order = _order_of(p, m)
        return np.swapaxes(np.eye(m)[order], -1, -2)
    nothing = zeros((0,), lu.dtype)
    matrix = nothing
    if unpack_pivots:
        matrix = on_host("lu_unpack", permutation, [pivots], [(lu.dtype, (*lu.shape[:-2], m, m))])
    return matrix, (lower if unpack_data else nothing), (upper if unpack_data else nothing)


def _order_of(pivots, size):
    """The order of rows that exchanges of row i with row pivots[i] - 1 leave."""
    order = np.broadcast_to(np.arange(size), (*pivots.shape[:-1], size)).copy()
    for flat, row in zip(order.reshape(-1, size), pivots.reshape(-1, pivots.shape[-1])):
        for i, p in enumerate(row):
            flat[[i, p - 1]] = flat[[p - 1, i]]
    return order


def lu_solve(b, LU_data, LU_pivots):
    """The solution x of A @ x = b from the packed LU decomposition of A and its pivots, which count from 1."""
    permutation, lower, upper = lu_unpack(LU_data, LU_pivots)
    return matrix_solve(matmul(matmul(permutation, lower), upper), b)


# -- powers ---------------------------------------------------------------------------------------------------

def matrix_power(input, n):
    """The n-fold product of square matrices with themselves; of the inverse for a negative n."""
    x = _matrix(input, "matrix_power")
    if n < 0:
        x, n = inverse(x), -n
    result = None
    while n:
        if n & 1:
            result = x if result is None else matmul(result, x)
        n >>= 1
        x = matmul(x, x) if n else x
    return broadcast_to(eye_like(x, -1), x.shape) if result is None else result


def matrix_exp(input):
    """e to the power of square matrices, by scaling and a series."""
    x = _matrix(input, "matrix_exp")
    halvings = 8
    x = mul(cast(x, dt.float64), 0.5 ** halvings)
    result = term = broadcast_to(eye_like(x, -1), x.shape)
    for k in range(1, 14):
        term = div(matmul(term, x), k)
        result = add(result, term)
    for _ in range(halvings):
        result = matmul(result, result)
    return cast(result, _matrix(input, "matrix_exp").dtype)


def eig(A):
    """(complex eigenvalues [..., N], complex eigenvectors of length 1 as columns [..., N, N]) of square matrices.

    Outside of graphs only, which have no complex numbers.
    """
    a = tensor_of(A, "eig")
    a = a if a.dtype.is_complex else _matrix(a, "eig")
    wide = dt.complex128 if a.dtype in (dt.float64, dt.complex128) else dt.complex64
    return on_host("eig", lambda m: tuple(np.linalg.eig(m)), [a], [(wide, a.shape[:-1]), (wide, a.shape)])


def eigvals(A):
    """The complex eigenvalues [..., N] of square matrices; see `eig`."""
    return eig(A)[0]
