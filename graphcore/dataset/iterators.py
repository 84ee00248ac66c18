"""Iterators over a dataset: epochs of rows, as Tensors or NumPy arrays."""
from __future__ import annotations

import numpy as np

from graphcore.dataset.core import Dataset, first_pass
from graphcore.dataset.errors import DatasetError


class _Iterator:
    """Each complete ``for`` loop over the iterator is one epoch; `num_epochs` of them are allowed (-1: any number)."""

    def __init__(self, source: Dataset, num_epochs: int, output_numpy: bool):
        if isinstance(num_epochs, bool) or not isinstance(num_epochs, int):
            raise TypeError(f"num_epochs must be an int, got {type(num_epochs).__name__}")
        if num_epochs < 1 and num_epochs != -1:
            raise ValueError(f"num_epochs must be -1 or at least 1, got {num_epochs}")
        if not isinstance(output_numpy, bool):
            raise TypeError(f"output_numpy must be a bool, got {type(output_numpy).__name__}")
        self._source, self._num_epochs = source, num_epochs
        self._columns = source.get_col_names()
        self._start = first_pass(source)
        self._epoch = 0
        self._rows = None
        if output_numpy:
            self._convert = np.asarray
        else:
            from graphcore.tensor import Tensor
            make = Tensor.from_numpy if source.owns_rows else Tensor
            self._convert = lambda value: make(value) if value.dtype.kind in "biuf" else value

    def __iter__(self):
        return self

    def skip_epochs(self, count: int) -> None:
        """Begin with another epoch, `count` from the first, which count as used; for a new iterator."""
        self._epoch = count

    def _next_row(self) -> list:
        if self._rows is None:
            if self._num_epochs != -1 and self._epoch >= self._num_epochs:
                raise DatasetError(f"this iterator was made for {self._num_epochs} epoch(s), and they are over; "
                                   "make it with a larger num_epochs, or make a new one for each epoch")
            self._rows = self._source.rows(self._start.at_epoch(self._epoch))
            self._epoch += 1
        try:
            row = next(self._rows)
        except StopIteration:
            self._rows = None
            raise
        return [value if isinstance(value, dict) else self._convert(value) for value in row]


class TupleIterator(_Iterator):
    """Rows as lists, one value for each column."""

    def __next__(self) -> list:
        return self._next_row()


class DictIterator(_Iterator):
    """Rows as dicts from column name to value."""

    def __next__(self) -> dict:
        return dict(zip(self._columns, self._next_row()))
