"""Products of vectors and matrices."""
from __future__ import annotations

from graphcore.ir.dims import product
from graphcore.ops import linear
from graphcore.ops import view as records
from graphcore.ops.functional.arguments import (
    Tensor,
    apply,
    axis_of,
    dtype_error,
    ints_of,
    operands,
    shape_error,
    tensor_of,
)
from graphcore.ops.functional.arithmetic import add, mul, sub
from graphcore.ops.functional.elementary import abs, sqrt, square
from graphcore.ops.functional.joining import stack, unstack
from graphcore.ops.functional.reduction import sum, vector_norm
from graphcore.ops.functional.shaping import expand_dims, moveaxis, reshape, squeeze, transpose

__all__ = [
    "matmul", "mm", "bmm", "mv", "dense", "dot", "inner", "vecdot", "outer", "ger", "tensor_dot", "batch_dot",
    "addmm", "addmv", "addr", "baddbmm", "addbmm", "diagonal", "trace", "cross", "kron", "cdist",
]


def _numbers(name, *values) -> list:
    tensors = operands(*(tensor_of(v, name) for v in values), name=name)
    if tensors[0].dtype.is_bool:
        raise dtype_error(f"{name} takes numbers, got bools; convert them with .astype(ms.float32)")
    return tensors


def matmul(input, other):
    """The matrix product [..., M, K] x [..., K, N]; leading axes broadcast, vectors count as a row and as a column.

    Raises ShapeError for a 0-d tensor or inner sizes that differ.
    """
    a, b = _numbers("matmul", input, other)
    if not a.ndim or not b.ndim:
        raise shape_error(f"matmul takes vectors and matrices, got shapes {a.shape} and {b.shape}; use mul for numbers")
    row, column = a.ndim == 1, b.ndim == 1
    result = apply(linear.matmul, expand_dims(a, 0) if row else a, expand_dims(b, 1) if column else b,
                   transpose_a=False, transpose_b=False)
    dropped = ((-2,) if row else ()) + ((-1,) if column else ())
    return squeeze(result, dropped) if dropped else result


def product_of(a: Tensor, b: Tensor, transpose_a: bool, transpose_b: bool, name: str, rank=None) -> Tensor:
    """The matrix product with either input transposed first.  Raises ShapeError for another rank."""
    a, b = _numbers(name, a, b)
    if rank is not None and (a.ndim != rank or b.ndim != rank):
        raise shape_error(f"{name} takes tensors of {rank} axes, got shapes {a.shape} and {b.shape}; matmul broadcasts")
    return apply(linear.matmul, a, b, transpose_a=bool(transpose_a), transpose_b=bool(transpose_b))


def mm(input, mat2):
    """The product of two matrices."""
    return product_of(input, mat2, False, False, "mm", 2)


def bmm(input_x, mat2):
    """The products of two batches of matrices [..., B, M, K] x [..., B, K, N]."""
    return product_of(input_x, mat2, False, False, "bmm")


def mv(mat, vec):
    """A matrix times a vector.  Raises ShapeError for other ranks."""
    a, v = tensor_of(mat, "mv"), tensor_of(vec, "mv")
    if a.ndim != 2 or v.ndim != 1:
        raise shape_error(f"mv takes a matrix and a vector, got shapes {a.shape} and {v.shape}")
    return matmul(a, v)


def dense(input, weight, bias=None):
    """input [..., K] times the transpose of weight [N, K] (or a vector [K]), plus bias [N].

    Raises ShapeError if the sizes do not fit.
    """
    x, w = _numbers("dense", input, weight)
    if x.ndim == 0 or w.ndim not in (1, 2):
        raise shape_error(f"dense takes an input of 1 axis or more and a weight of 1 or 2, got {x.shape} and {w.shape}")
    if w.ndim == 1 or x.ndim == 1:
        result = matmul(x, w if w.ndim == 1 else transpose(w, (1, 0)))
    else:
        result = apply(linear.matmul, x, w, transpose_a=False, transpose_b=True)
    return result if bias is None else add(result, bias)


def dot(input, other):
    """The sum over the last axis of `input` and the second to last (of a vector: the only) axis of `other`."""
    a, b = _numbers("dot", input, other)
    return tensor_dot(a, b, ((a.ndim - 1,), (max(b.ndim - 2, 0),))) if a.ndim and b.ndim else mul(a, b)


def inner(input, other):
    """The sum of products over the last axis of both."""
    a, b = _numbers("inner", input, other)
    return tensor_dot(a, b, ((a.ndim - 1,), (b.ndim - 1,))) if a.ndim and b.ndim else mul(a, b)


def vecdot(x, y, *, axis=-1):
    """The sum of products along `axis`."""
    return sum(mul(x, y), axis)


def outer(input, vec2):
    """All products of the elements of two vectors."""
    a, b = _numbers("outer", input, vec2)
    return mul(reshape(a, (-1, 1)), reshape(b, (1, -1)))


ger = outer


def tensor_dot(x1, x2, axes):
    """The sum of products over pairs of axes.

    axes: an int n (the last n axes of x1 with the first n of x2), or a pair of ints or of tuples of ints.
    Raises ShapeError if sizes differ.
    """
    a, b = _numbers("tensor_dot", x1, x2)
    if isinstance(axes, int):
        left, right = tuple(range(a.ndim - axes, a.ndim)), tuple(range(axes))
    else:
        left, right = (ints_of(side, "tensor_dot: axes") for side in axes)
    left = [axis_of(i, a.ndim, "tensor_dot") for i in left]
    right = [axis_of(i, b.ndim, "tensor_dot") for i in right]
    if [a.shape[i] for i in left] != [b.shape[i] for i in right]:
        raise shape_error(f"tensor_dot: axes {left} of {a.shape} and {right} of {b.shape} have different sizes")
    kept_a = [i for i, _ in enumerate(a.shape) if i not in left]
    kept_b = [i for i, _ in enumerate(b.shape) if i not in right]
    rows, columns = [a.shape[i] for i in kept_a], [b.shape[i] for i in kept_b]
    shared = product(a.shape[i] for i in left)
    a = reshape(transpose(a, kept_a + left), (product(rows), shared))
    b = reshape(transpose(b, right + kept_b), (shared, product(columns)))
    result = apply(linear.matmul, a, b, transpose_a=False, transpose_b=False)
    return reshape(result, (*rows, *columns))


def batch_dot(x1, x2, axes=None):
    """For each slice along the first axis, the sum of products over one axis of each (by default as matmul)."""
    a, b = _numbers("batch_dot", x1, x2)
    axes = (a.ndim - 1, b.ndim - 2 if b.ndim > 2 else b.ndim - 1) if axes is None else axes
    left, right = (axes, axes) if isinstance(axes, int) else axes
    a, b = moveaxis(a, left, -1), moveaxis(b, right, 1)
    n, k = a.shape[0], a.shape[-1]
    result = bmm(reshape(a, (n, -1, k)), reshape(b, (n, k, -1)))
    return reshape(result, (n, *a.shape[1:-1], *b.shape[2:]) if a.ndim + b.ndim > 4 else (n, 1))


# -- sums with products -----------------------------------------------------------------------------------

def _scaled(x, factor):
    return x if isinstance(factor, (int, float)) and factor == 1 else mul(x, factor)


def addmm(input, mat1, mat2, *, beta=1, alpha=1):
    """beta * input + alpha * (mat1 @ mat2)."""
    return add(_scaled(input, beta), _scaled(mm(mat1, mat2), alpha))


def addmv(input, mat, vec, *, beta=1, alpha=1):
    """beta * input + alpha * (mat @ vec)."""
    return add(_scaled(input, beta), _scaled(mv(mat, vec), alpha))


def addr(x, vec1, vec2, *, beta=1, alpha=1):
    """beta * x + alpha * outer(vec1, vec2)."""
    return add(_scaled(x, beta), _scaled(outer(vec1, vec2), alpha))


def baddbmm(input, batch1, batch2, beta=1, alpha=1):
    """beta * input + alpha * bmm(batch1, batch2)."""
    return add(_scaled(input, beta), _scaled(bmm(batch1, batch2), alpha))


def addbmm(input, batch1, batch2, *, beta=1, alpha=1):
    """beta * input + alpha * (the sum of the products of all pairs of matrices)."""
    return add(_scaled(input, beta), _scaled(sum(bmm(batch1, batch2), 0), alpha))


# -- parts and distances of matrices -----------------------------------------------------------------------

def diagonal(input, offset=0, dim1=0, dim2=1):
    """The diagonals of the matrices in the axes dim1 and dim2, as the last axis.

    Raises ShapeError if `offset` lies outside of the matrix.
    """
    x = moveaxis(tensor_of(input, "diagonal"), (dim1, dim2), (-2, -1))
    rows, columns = x.shape[-2:]
    first_row, first_column = max(-offset, 0), max(offset, 0)
    n = min(rows - first_row, columns - first_column)
    if n <= 0:
        raise shape_error(f"diagonal: {offset} lies outside a matrix of {rows} x {columns}")
    lead, start = x.shape[:-2], (0,) * (x.ndim - 2)
    block = apply(records.slice_, x, begin=(*start, first_row, first_column), size=(*lead, n, n), stride=(1,) * x.ndim)
    # row-major, the diagonal of n x n lies at steps of n + 1
    flat = reshape(block, (*lead, n * n))
    return apply(records.slice_, flat, begin=(*start, 0), size=(*lead, n), stride=(*(1 for _ in lead), n + 1))


def trace(input):
    """The sum of the diagonal of a matrix.  Raises ShapeError for another rank."""
    x = tensor_of(input, "trace")
    if x.ndim != 2:
        raise shape_error(f"trace takes a matrix, got shape {x.shape}")
    return sum(diagonal(x), dtype=x.dtype)


def cross(input, other, dim=None):
    """The cross product of vectors of size 3 along `dim` (None: the first axis of that size)."""
    a, b = _numbers("cross", input, other)
    from graphcore.ops.functional.shaping import broadcast_tensors
    a, b = broadcast_tensors(a, b)
    if dim is None:
        dim = next((i for i, s in enumerate(a.shape) if s == 3), None)
    if dim is None or a.shape[axis_of(dim, a.ndim, "cross")] != 3:
        raise shape_error(f"cross needs an axis of size 3, got shapes {a.shape} and {b.shape}")
    (a0, a1, a2), (b0, b1, b2) = unstack(a, dim), unstack(b, dim)
    return stack([sub(mul(a1, b2), mul(a2, b1)), sub(mul(a2, b0), mul(a0, b2)), sub(mul(a0, b1), mul(a1, b0))], dim)


def kron(input, other):
    """The Kronecker product: every element of `input` times the whole of `other`."""
    a, b = _numbers("kron", input, other)
    rank = max(a.ndim, b.ndim)
    a, b = (reshape(x, (1,) * (rank - x.ndim) + x.shape) for x in (a, b))
    spread_a = reshape(a, [s for n in a.shape for s in (n, 1)])
    spread_b = reshape(b, [s for n in b.shape for s in (1, n)])
    return reshape(mul(spread_a, spread_b), [m * n for m, n in zip(a.shape, b.shape)])


def cdist(x1, x2, p=2.0):
    """The p-norm distances of all pairs of rows: [..., P, M] and [..., R, M] give [..., P, R]."""
    a, b = _numbers("cdist", x1, x2)
    difference = sub(expand_dims(a, -2), expand_dims(b, -3))
    if p == 1:
        return sum(abs(difference), -1)
    return sqrt(sum(square(difference), -1)) if p == 2 else vector_norm(difference, p, -1)
