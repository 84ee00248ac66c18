"""Functions of sparse tensors: element by element, sums, products, conversions.

Values are computed by operators, so gradients reach them.  Where the places of a result depend on those of the operands
(sums, concatenation, ordering), these must be known: outside of a graph, or as constants in one.
"""
from __future__ import annotations

import numpy as np

from graphcore.common.sparse_tensor import COOTensor, CSRTensor, RowTensor
from graphcore.ops.functional import activation, comparison, elementary
from graphcore.ops.functional.arguments import (
    Tensor,
    axis_of,
    cast,
    dt,
    dtype_error,
    promote,
    shape_error,
    shown,
    tensor_of,
)
from graphcore.ops.functional.arithmetic import add, div, mul, sub
from graphcore.ops.functional.elementary import exp
from graphcore.ops.functional.indexing import gather, gather_nd, unsorted_segment_sum
from graphcore.ops.functional.joining import concat
from graphcore.ops.functional.linalg import matmul
from graphcore.ops.functional.shaping import expand_dims, reshape
from graphcore.ops.host import on_host

# -- element by element ---------------------------------------------------------------------------------------

_FUNCTIONS = {name: getattr(elementary, name) for name in """abs acos acosh asin asinh atan atanh ceil cos cosh exp
    expm1 floor inv log log1p neg round sin sinh sqrt square tan tanh""".split()}
_FUNCTIONS |= {name: getattr(activation, name) for name in ("relu", "relu6", "sigmoid", "softsign")}
_FUNCTIONS |= {name: getattr(comparison, name) for name in ("isfinite", "isinf", "isnan")}


def _on_values(kind: type, name: str, function):
    prefix = "csr" if kind is CSRTensor else "coo"

    def on_values(x):
        if not isinstance(x, kind):
            raise dtype_error(f"{prefix}_{name} takes a {kind.__name__}, got {shown(x)}")
        return x.with_values(function(x.values))
    on_values.__name__ = on_values.__qualname__ = f"{prefix}_{name}"
    on_values.__doc__ = (f"The {kind.__name__} with `{name}` of the values that it holds; where it holds none, nothing "
                         "is computed.\n\n    Raises DTypeError for anything else.\n    ")
    return on_values


_ON_VALUES = {f.__name__: f for kind in (CSRTensor, COOTensor) for f in (
    _on_values(kind, name, function) for name, function in _FUNCTIONS.items())}
globals().update(_ON_VALUES)

__all__ = [*_ON_VALUES, "coalesce", "coo_add", "coo_concat", "csr_add", "csr_div", "csr_gather", "csr_mm", "csr_mul",
           "csr_mv", "csr_reduce_sum", "csr_softmax", "csr_to_coo", "csr_to_dense", "csr2coo", "coo2csr",
           "dense_to_sparse_coo", "dense_to_sparse_csr", "make_coo_tensor", "make_csr_tensor", "make_sparse_tensor",
           "make_row_tensor"]


# -- places ---------------------------------------------------------------------------------------------------

def csr2coo(indptr, nnz):
    """The row of each of `nnz` elements, from where the rows begin."""
    indptr = tensor_of(indptr, "csr2coo")
    return on_host("csr2coo", lambda starts: np.repeat(np.arange(starts.size - 1), np.diff(starts)), [indptr],
                   [(indptr.dtype, (nnz,))])


def coo2csr(row_indices, height):
    """Where each of `height` rows begins, and the last ends, from the ascending rows of elements."""
    rows = tensor_of(row_indices, "coo2csr")
    return on_host("coo2csr", lambda r: np.searchsorted(r, np.arange(height + 1)), [rows],
                   [(rows.dtype, (height + 1,))])


def rows_of(x: CSRTensor) -> Tensor:
    """The row of each element, in the dtype of the columns."""
    return cast(csr2coo(x.indptr, x.indices.shape[0]), x.indices.dtype)


def _coalesced(indices: np.ndarray, shape: tuple) -> tuple:
    """(different rows of `indices` in order, the number among them of each row)."""
    flat = np.ravel_multi_index(tuple(indices.T), shape) if len(indices) else np.zeros(0, np.int64)
    kept, number = np.unique(flat, return_inverse=True)
    return np.stack(np.unravel_index(kept, shape), 1).reshape(-1, len(shape)), number


def coalesced(x: COOTensor) -> COOTensor:
    """Every place once, in order; the values there are added up."""
    indices, number = _coalesced(x.indices.asnumpy(), x.shape)
    values = unsorted_segment_sum(x.values, Tensor(number, dt.int32), len(indices))
    return COOTensor(Tensor(indices, x.indices.dtype), values, x.shape)


def coalesce(x_indices, x_values, x_shape):
    """(indices, values, shape) with every place once, in order; indices (axes, n), as `ops.Coalesce` takes them."""
    found = coalesced(COOTensor(x_indices.transpose(), x_values, tuple(x_shape.tolist())))
    return found.indices.transpose(), found.values, x_shape


# -- conversions ----------------------------------------------------------------------------------------------

def coo_to_csr(x: COOTensor) -> CSRTensor:
    """The same matrix by rows.  Raises ShapeError unless it has two axes."""
    if x.ndim != 2:
        raise shape_error(f"a CSRTensor has two axes, this COOTensor has the shape {x.shape}")
    ordered = coalesced(x)
    return CSRTensor(coo2csr(ordered.indices[:, 0], x.shape[0]), ordered.indices[:, 1], ordered.values, x.shape)


def csr_to_coo(tensor):
    """A CSRTensor by coordinates."""
    return _expect(tensor, CSRTensor, "csr_to_coo").to_coo()


def csr_to_dense(csr_tensor):
    """All elements of a CSRTensor."""
    return _expect(csr_tensor, CSRTensor, "csr_to_dense").to_dense()


def dense_to_sparse_coo(tensor):
    """The elements of a Tensor that are not 0, by coordinates; their places must be known."""
    x = tensor_of(tensor, "dense_to_sparse_coo")
    places = Tensor(np.argwhere(x.asnumpy() != 0), dt.int32)
    return COOTensor(places, gather_nd(x, places), tuple(x.shape))


def dense_to_sparse_csr(tensor):
    """The elements of a matrix that are not 0, by rows; their places must be known."""
    x = tensor_of(tensor, "dense_to_sparse_csr")
    if x.ndim != 2:
        raise shape_error(f"dense_to_sparse_csr takes a matrix, got shape {x.shape}")
    places = np.argwhere(x.asnumpy() != 0)
    starts = np.searchsorted(places[:, 0], np.arange(x.shape[0] + 1))
    values = gather_nd(x, Tensor(places))
    return CSRTensor(Tensor(starts, dt.int32), Tensor(places[:, 1], dt.int32), values, tuple(x.shape))


def make_coo_tensor(indices, values, dense_shape):
    """`COOTensor`."""
    return COOTensor(indices, values, dense_shape)


make_sparse_tensor = make_coo_tensor


def make_csr_tensor(indptr, indices, values, dense_shape):
    """`CSRTensor`."""
    return CSRTensor(indptr, indices, values, dense_shape)


def make_row_tensor(indices, values, dense_shape):
    """`RowTensor`."""
    return RowTensor(indices, values, dense_shape)


def _expect(x, kind: type, name: str):
    if not isinstance(x, kind):
        raise dtype_error(f"{name} takes a {kind.__name__}, got {shown(x)}; dense_to_sparse_coo and "
                          "dense_to_sparse_csr make one of a Tensor")
    return x


# -- sums and products ----------------------------------------------------------------------------------------

def coo_add(x1, x2, thresh):
    """The sum of two COOTensors, every place once, in order; elements of at most `thresh` are left out (0: none are).

    Raises ShapeError for different shapes.
    """
    for x in (x1, x2):
        _expect(x, COOTensor, "coo_add")
    if x1.shape != x2.shape:
        raise shape_error(f"coo_add takes tensors of one shape, got {x1.shape} and {x2.shape}")
    dtype = promote(x1.dtype, x2.dtype)
    values = concat([cast(x1.values, dtype), cast(x2.values, dtype)])
    total = coalesced(COOTensor(concat([x1.indices, cast(x2.indices, x1.indices.dtype)]), values, x1.shape))
    limit = float(thresh.item() if isinstance(thresh, Tensor) else thresh)
    if limit <= 0:
        return total
    kept = Tensor(np.flatnonzero(np.abs(total.values.asnumpy()) > limit), dt.int32)
    return COOTensor(gather(total.indices, kept, 0), gather(total.values, kept, 0), x1.shape)


def coo_concat(sp_input, concat_dim=0):
    """COOTensors behind each other along an axis.  Raises ShapeError where other sizes differ."""
    parts = [_expect(x, COOTensor, "coo_concat") for x in sp_input]
    axis = axis_of(concat_dim, parts[0].ndim, "coo_concat")
    others = {tuple(s for i, s in enumerate(p.shape) if i != axis) for p in parts}
    if len(others) > 1:
        raise shape_error(f"coo_concat along axis {axis}: shapes {[p.shape for p in parts]} differ elsewhere")
    shifted, start = [], 0
    for part in parts:
        shift = np.zeros(part.ndim, np.int64)
        shift[axis] = start
        shifted.append(add(part.indices, Tensor(shift, part.indices.dtype)))
        start += part.shape[axis]
    shape = tuple(start if i == axis else s for i, s in enumerate(parts[0].shape))
    return coalesced(COOTensor(concat(shifted), concat([p.values for p in parts]), shape))


def csr_add(a, b, alpha, beta):
    """alpha * a + beta * b, of CSRTensors of one shape."""
    for x in (a, b):
        _expect(x, CSRTensor, "csr_add")
    first, second = a.to_coo(), b.to_coo()
    total = coo_add(first.with_values(mul(first.values, alpha)), second.with_values(mul(second.values, beta)), 0)
    made = coo_to_csr(total)
    return CSRTensor(cast(made.indptr, a.indptr.dtype), made.indices, made.values, a.shape)


def csr_mul(x, y):
    """A CSRTensor times a Tensor or number that broadcasts to its shape."""
    return _expect(x, CSRTensor, "csr_mul") * y


def csr_div(x, y):
    """A CSRTensor divided by a Tensor or number that broadcasts to its shape."""
    return _expect(x, CSRTensor, "csr_div") / y


def csr_gather(indptr, indices, dense, sparse_shape):
    """The elements of a matrix at the places of a CSRTensor."""
    rows = csr2coo(indptr, indices.shape[0])
    return gather_nd(dense, concat([expand_dims(cast(i, dt.int32), 1) for i in (rows, indices)], 1))


def csr_mv(csr_tensor, dense):
    """The product of a CSRTensor with a column (columns, 1)."""
    return csr_mm(csr_tensor, dense)


def csr_mm(a, b, trans_a=False, trans_b=False, adjoint_a=False, adjoint_b=False):
    """The product of a CSRTensor with a matrix, or with another CSRTensor, then as one.

    Raises ShapeError if the inner sizes differ.
    """
    a = _expect(a, CSRTensor, "csr_mm")
    if isinstance(b, CSRTensor):
        dense = b.to_dense()
        left = a.to_dense()
        left = left.transpose() if trans_a or adjoint_a else left
        return dense_to_sparse_csr(matmul(left, dense.transpose() if trans_b or adjoint_b else dense))
    b = tensor_of(b, "csr_mm")
    if b.ndim != 2 or b.shape[0] != a.shape[1]:
        raise shape_error(f"csr_mm: a CSRTensor of shape {a.shape} and a Tensor of shape {b.shape} do not fit")
    terms = mul(expand_dims(a.values, 1), gather(b, a.indices, 0))
    return unsorted_segment_sum(terms, rows_of(a), a.shape[0])


def csr_reduce_sum(csr_tensor, axis):
    """The sums of the rows of a CSRTensor, a column.  Raises ShapeError for another axis than 1."""
    x = _expect(csr_tensor, CSRTensor, "csr_reduce_sum")
    if axis_of(axis, x.ndim, "csr_reduce_sum") != 1:
        raise shape_error("csr_reduce_sum sums along axis 1; use to_dense() for other axes")
    return reshape(unsorted_segment_sum(x.values, rows_of(x), x.shape[0]), (x.shape[0], 1))


def csr_softmax(logits, dtype):
    """The softmax of each row of a CSRTensor over the elements that it holds, in `dtype`."""
    x = _expect(logits, CSRTensor, "csr_softmax").astype(dtype)
    rows = rows_of(x)
    largest = on_host("csr_softmax", lambda v, r: _largest_of_rows(v, r, x.shape[0]), [x.values, rows],
                      [(x.dtype, (x.shape[0],))])        # any number gives the same softmax: it has no gradient
    exponentials = exp(sub(x.values, gather(largest, rows, 0)))
    totals = unsorted_segment_sum(exponentials, rows, x.shape[0])
    return x.with_values(div(exponentials, gather(totals, rows, 0)))


def _largest_of_rows(values: np.ndarray, rows: np.ndarray, count: int) -> np.ndarray:
    found = np.full(count, -np.inf)
    np.maximum.at(found, rows, values)
    return found
