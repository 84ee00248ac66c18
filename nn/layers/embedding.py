"""Tables of vectors looked up by integer ids."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore import ops
from graphcore.errors import DTypeError
from graphcore.initializer import initializer
from graphcore.nn.arguments import boolean, number, positive_int
from graphcore.nn.cell import Cell
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor

__all__ = ["Embedding", "EmbeddingLookup"]


def check_ids(ids, owner: str) -> None:
    """Raise DTypeError unless `ids` are integers."""
    if not ids.dtype.is_integer:
        raise DTypeError(f"{owner} takes integer ids, got {ids.dtype.name}; convert them: ids.astype(int32)")


class Embedding(Cell):
    """The rows of a trained table (vocab_size, embedding_size) that integer ids name.

    embedding_table: initialiser of the table; padding_idx: a row that starts as zeros; use_one_hot: by a matrix product
    instead of a gather; dtype: of the table.
    ids: int32 or int64 of any shape → ids.shape + (embedding_size,).  Parameter: embedding_table.
    Raises ValueError or TypeError for bad sizes, DTypeError for ids that are not integers.
    """

    def __init__(self, vocab_size, embedding_size, use_one_hot=False, embedding_table="normal", dtype=dt.float32,
                 padding_idx=None):
        super().__init__()
        self.vocab_size = positive_int(vocab_size, "vocab_size", self.cls_name)
        self.embedding_size = positive_int(embedding_size, "embedding_size", self.cls_name)
        self.use_one_hot = boolean(use_one_hot, "use_one_hot", self.cls_name)
        self.dtype, self.padding_idx = dt.as_dtype(dtype), padding_idx
        table = initializer(embedding_table, (vocab_size, embedding_size), self.dtype)
        if padding_idx is not None:
            if isinstance(padding_idx, bool) or not isinstance(padding_idx, (int, np.integer)):
                raise TypeError(f"Embedding: padding_idx must be an int, got {padding_idx!r}")
            if not 0 <= padding_idx < vocab_size:
                raise ValueError(f"Embedding: padding_idx must lie in [0, {vocab_size}), got {padding_idx}")
            values = table.asnumpy().copy()
            values[padding_idx] = 0
            table = Tensor(values, table.dtype)
        self.embedding_table = Parameter(table, name="embedding_table")

    def construct(self, ids):
        check_ids(ids, self.cls_name)
        if not self.use_one_hot:
            return ops.gather(self.embedding_table, ids, 0)
        table = self.embedding_table
        on, off = Tensor(1.0, table.dtype), Tensor(0.0, table.dtype)
        rows = ops.one_hot(ops.reshape(ids, (-1,)), self.vocab_size, on, off)
        return ops.reshape(ops.matmul(rows, table), (*ids.shape, self.embedding_size))

    def extend_repr(self):
        return (f"vocab_size={self.vocab_size}, embedding_size={self.embedding_size}, use_one_hot={self.use_one_hot}, "
                f"embedding_table={self.embedding_table}, dtype={self.dtype}, padding_idx={self.padding_idx}")


class EmbeddingLookup(Cell):
    """`Embedding` under the arguments that MindSpore uses for tables split over devices.

    param_init: initialiser of the table; max_norm: rows of a larger Euclidean norm are scaled down to it.  `target`,
    `slice_mode`, `manual_shapes` and `sparse` steer other hardware and are accepted without effect.
    """

    BATCH_SLICE, FIELD_SLICE = "batch_slice", "field_slice"
    TABLE_ROW_SLICE, TABLE_COLUMN_SLICE = "table_row_slice", "table_column_slice"

    def __init__(self, vocab_size, embedding_size, param_init="normal", target="CPU", slice_mode="batch_slice",
                 manual_shapes=None, max_norm=None, sparse=True, dtype=dt.float32):
        super().__init__()
        self.vocab_size = positive_int(vocab_size, "vocab_size", self.cls_name)
        self.embedding_size = positive_int(embedding_size, "embedding_size", self.cls_name)
        self.target = target
        if max_norm is not None:
            number(max_norm, "max_norm", self.cls_name, low=0.0, open_low=True)
        self.max_norm = max_norm
        self.embedding_table = Parameter(initializer(param_init, (vocab_size, embedding_size), dtype),
                                         name="embedding_table")

    def construct(self, indices):
        check_ids(indices, self.cls_name)
        rows = ops.gather(self.embedding_table, indices, 0)
        if self.max_norm is None:
            return rows
        norms = ops.sqrt(ops.sum(ops.square(rows), -1, True))
        return rows * (self.max_norm / ops.maximum(norms, self.max_norm))
