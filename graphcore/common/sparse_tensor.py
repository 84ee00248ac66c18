"""Tensors of which only some elements (COO, CSR) or rows are held; the others are zero."""
from __future__ import annotations

from graphcore.errors import ShapeError
from graphcore.tensor import Tensor

__all__ = ["COOTensor", "CSRTensor", "RowTensor", "SparseTensor"]


class RowTensor:
    """Some rows of a larger tensor, as gradients of embeddings have them; the others are zero.

    indices: integer Tensor (n,), the rows held; values: Tensor (n, ...), these rows; dense_shape: the shape of all.
    Raises TypeError or ShapeError for arguments of other kinds or sizes.
    """

    def __init__(self, indices=None, values=None, shape=None, row_tensor=None):
        if row_tensor is not None:
            indices, values, shape = row_tensor.indices, row_tensor.values, row_tensor.dense_shape
        if not isinstance(indices, Tensor) or not isinstance(values, Tensor) or not isinstance(shape, tuple):
            raise TypeError("RowTensor takes a Tensor of indices, a Tensor of values and a tuple for the shape, got "
                            f"{type(indices).__name__}, {type(values).__name__} and {type(shape).__name__}")
        if indices.ndim != 1 or values.ndim != len(shape) or values.shape[0] != indices.shape[0]:
            raise ShapeError(f"RowTensor: values of shape {tuple(values.shape)} do not go with indices of shape "
                             f"{tuple(indices.shape)} in a whole of shape {shape}")
        self.indices, self.values, self.dense_shape = indices, values, shape

    @property
    def dtype(self):
        """The dtype of the values."""
        return self.values.dtype

    def __repr__(self) -> str:
        return f"RowTensor(shape={self.dense_shape}, dtype={self.dtype}, indices={self.indices}, values={self.values})"


class _Sparse:
    """What both formats have in common: `values`, `shape`, and arithmetic by the functions of `ops`."""

    values: Tensor
    shape: tuple

    @property
    def dtype(self):
        """The dtype of the values."""
        return self.values.dtype

    @property
    def size(self) -> int:
        """How many elements are held."""
        return self.values.size

    @property
    def itemsize(self) -> int:
        """Bytes of one element."""
        return self.values.itemsize

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    def with_values(self, values: Tensor):
        """Other values at the same places."""
        raise NotImplementedError

    def astype(self, dtype):
        """Converted to a dtype."""
        return self.with_values(self.values.astype(dtype))

    def abs(self):
        """The absolute values."""
        return self.with_values(self.values.abs())

    def __neg__(self):
        return self.with_values(-self.values)

    def __truediv__(self, other):
        return self._scaled(other, "div")

    def __mul__(self, other):
        return self._scaled(other, "mul")

    def _scaled(self, other, name: str):
        """Multiplied or divided by a number, or by a Tensor that broadcasts to the shape."""
        from graphcore import ops
        combine = getattr(ops, name)
        if not isinstance(other, Tensor):
            return self.with_values(combine(self.values, other))
        places = self._coordinates()
        there = ops.gather_nd(ops.broadcast_to(other, self.shape[:places.shape[1]]), places)
        return self.with_values(combine(self.values, there))

    def _coordinates(self) -> Tensor:
        raise NotImplementedError

    def __add__(self, other):
        return self._sum(other, 1)

    def __sub__(self, other):
        return self._sum(other, -1)


class COOTensor(_Sparse):
    """``COOTensor(indices, values, shape)``: elements by their coordinates.

    indices: integer Tensor (n, ndim); values: Tensor (n,); shape: a tuple.  The same place may come several times: the
    values there are added up.  Raises TypeError or ShapeError for arguments of other kinds or sizes.
    """

    def __init__(self, indices=None, values=None, shape=None, coo_tensor=None):
        if coo_tensor is not None:
            indices, values, shape = coo_tensor.to_tuple()
        if not isinstance(indices, Tensor) or not isinstance(values, Tensor) or not isinstance(shape, tuple):
            raise TypeError("COOTensor takes a Tensor of indices, a Tensor of values and a tuple for the shape, got "
                            f"{type(indices).__name__}, {type(values).__name__} and {type(shape).__name__}")
        if not indices.dtype.is_integer:
            raise TypeError(f"COOTensor: the indices must be integers, not {indices.dtype.name}")
        if indices.ndim != 2 or values.ndim != 1 or indices.shape != (values.shape[0], len(shape)):
            raise ShapeError(f"COOTensor: indices of shape {tuple(indices.shape)} do not go with values of shape "
                             f"{tuple(values.shape)} and the shape {shape}: give a row of {len(shape)} coordinates for "
                             "each value")
        self.indices, self.values, self.shape = indices, values, shape

    def with_values(self, values: Tensor) -> COOTensor:
        return COOTensor(self.indices, values, self.shape)

    def to_tuple(self) -> tuple:
        """(indices, values, shape)."""
        return self.indices, self.values, self.shape

    def to_dense(self) -> Tensor:
        """All elements."""
        from graphcore import ops
        return ops.scatter_nd(self.indices, self.values, self.shape)

    def to_csr(self) -> CSRTensor:
        """By rows; the elements in order.  Raises ShapeError unless there are two axes."""
        from graphcore.ops.functional import sparse
        return sparse.coo_to_csr(self)

    def coalesce(self) -> COOTensor:
        """Every place once, in order."""
        from graphcore.ops.functional import sparse
        return sparse.coalesced(self)

    def add(self, other: COOTensor, thresh) -> COOTensor:
        """The sum; elements that are not larger than `thresh` are left out."""
        from graphcore import ops
        return ops.coo_add(self, other, thresh)

    def _coordinates(self) -> Tensor:
        return self.indices

    def _sum(self, other, factor):
        from graphcore import ops
        if isinstance(other, Tensor):
            return ops.scatter_nd(self.indices, self.values, self.shape) + other * factor
        return ops.coo_add(self, other.with_values(other.values * factor), Tensor(0, self.dtype))

    def __repr__(self) -> str:
        return (f"COOTensor(shape={list(self.shape)}, dtype={self.dtype}, indices={_shown(self.indices)}, "
                f"values={_shown(self.values)})")


SparseTensor = COOTensor


class CSRTensor(_Sparse):
    """``CSRTensor(indptr, indices, values, shape)``: elements row by row.

    indptr: integer Tensor (rows + 1,): elements indptr[i] to indptr[i + 1] belong to row i; indices: integer Tensor
    (n,), their columns; values: Tensor (n, ...).  Raises TypeError or ShapeError for arguments of other kinds or sizes.
    """

    def __init__(self, indptr=None, indices=None, values=None, shape=None, csr_tensor=None):
        if csr_tensor is not None:
            indptr, indices, values, shape = csr_tensor.to_tuple()
        if not all(isinstance(t, Tensor) for t in (indptr, indices, values)) or not isinstance(shape, tuple):
            raise TypeError("CSRTensor takes Tensors of row starts, columns and values, and a tuple for the shape")
        if not indptr.dtype.is_integer or not indices.dtype.is_integer:
            raise TypeError(f"CSRTensor: indptr and indices must be integers, not {indptr.dtype.name} and "
                            f"{indices.dtype.name}")
        if (len(shape) < 2 or indptr.shape != (shape[0] + 1,) or indices.ndim != 1
                or tuple(values.shape) != (*indices.shape, *shape[2:])):
            raise ShapeError(f"CSRTensor: indptr {tuple(indptr.shape)}, indices {tuple(indices.shape)} and values "
                             f"{tuple(values.shape)} do not go with the shape {shape}: indptr has an entry more than "
                             "there are rows, and there is a column for each value")
        self.indptr, self.indices, self.values, self.shape = indptr, indices, values, shape

    def with_values(self, values: Tensor) -> CSRTensor:
        return CSRTensor(self.indptr, self.indices, values, self.shape)

    def to_tuple(self) -> tuple:
        """(indptr, indices, values, shape)."""
        return self.indptr, self.indices, self.values, self.shape

    def to_coo(self) -> COOTensor:
        """By coordinates."""
        return COOTensor(self._coordinates(), self.values, self.shape)

    def to_dense(self) -> Tensor:
        """All elements."""
        from graphcore import ops
        return ops.scatter_nd(self._coordinates(), self.values, self.shape)

    def mv(self, dense_vector: Tensor) -> Tensor:
        """The product with a column, a Tensor (columns, 1)."""
        return self.mm(dense_vector)

    def mm(self, matrix):
        """The product with a matrix; with another CSRTensor it is one, too."""
        from graphcore import ops
        return ops.csr_mm(self, matrix)

    def sum(self, axis: int) -> Tensor:
        """The sums of the rows, as a column: the axis is 1."""
        from graphcore import ops
        return ops.csr_reduce_sum(self, axis)

    def add(self, b: CSRTensor, alpha, beta) -> CSRTensor:
        """alpha * self + beta * b."""
        from graphcore import ops
        return ops.csr_add(self, b, alpha, beta)

    def _coordinates(self) -> Tensor:
        from graphcore import ops
        from graphcore.ops.functional import sparse
        return ops.stack([sparse.rows_of(self), self.indices], 1)

    def _sum(self, other, factor):
        from graphcore import ops
        if isinstance(other, Tensor):
            return self.to_dense() + other * factor
        return ops.csr_add(self, other, 1, factor)

    def __repr__(self) -> str:
        return (f"CSRTensor(shape={list(self.shape)}, dtype={self.dtype}, indptr={_shown(self.indptr)}, "
                f"indices={_shown(self.indices)}, values={_shown(self.values)})")


def _shown(tensor: Tensor) -> str:
    """A Tensor as it is printed within a sparse one: without commas between its elements."""
    head, values = repr(tensor).split("value=")
    return f"{head}value={values.strip(' ').replace(',', '')}"
