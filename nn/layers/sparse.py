"""Sparse matrices given by places and values."""
from __future__ import annotations

from graphcore import ops
from graphcore.nn.arguments import boolean
from graphcore.nn.cell import Cell

__all__ = ["SparseTensorDenseMatmul", "SparseToDense"]


class SparseTensorDenseMatmul(Cell):
    """The product of a sparse matrix and a dense one: ``cell(indices, values, sparse_shape, dense)``.

    indices: [n, 2], the places of `values` [n] in a matrix of `sparse_shape`; adjoint_st, adjoint_dt: the sparse, the
    dense matrix is transposed first.
    """

    def __init__(self, adjoint_st=False, adjoint_dt=False):
        super().__init__()
        self.adjoint_st = boolean(adjoint_st, "adjoint_st", self.cls_name)
        self.adjoint_dt = boolean(adjoint_dt, "adjoint_dt", self.cls_name)
        self.product = ops.SparseTensorDenseMatmul(adjoint_st=adjoint_st, adjoint_dt=adjoint_dt)

    def construct(self, indices, values, sparse_shape, dense):
        return self.product(indices, values, sparse_shape, dense)


class SparseToDense(Cell):
    """The dense Tensor of a COOTensor."""

    def construct(self, sparse_tensor):
        return ops.SparseToDense()(sparse_tensor.indices, sparse_tensor.values, sparse_tensor.shape)
