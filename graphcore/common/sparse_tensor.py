"""Tensors of which only some rows are held."""
from __future__ import annotations

from graphcore.errors import ShapeError
from graphcore.tensor import Tensor

__all__ = ["RowTensor"]


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
