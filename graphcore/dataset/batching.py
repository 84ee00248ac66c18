"""Stages that make one row of several: batch, padded batch, batches by length."""
from __future__ import annotations

from itertools import islice

import numpy as np

from graphcore.dataset.core import Dataset, as_array, names_list
from graphcore.dataset.errors import DatasetError, check_columns, check_distinct
from graphcore.dataset.rowwise import call_user
from graphcore.dataset.sources import ArrayDataset


class BatchInfo:
    """What a batch_size function or per_batch_map learns of the batch."""

    def __init__(self, batch: int, epoch: int):
        self._batch, self._epoch = batch, epoch

    def get_batch_num(self) -> int:
        """The number of the batch in its epoch, from 0."""
        return self._batch

    def get_epoch_num(self) -> int:
        """The number of the epoch, from 0."""
        return self._epoch


def stack(values: list, column: str) -> np.ndarray:
    """Arrays of one shape and dtype as one array with a new first axis.  Raises DatasetError naming the column."""
    first = values[0]
    if isinstance(first, dict):
        raise DatasetError(f"batch: column {column!r} holds dicts, which cannot be stacked; drop it with .project")
    for value in values:
        if value.shape != first.shape:
            raise DatasetError(f"batch: column {column!r} has rows of shape {first.shape} and {value.shape}; make "
                               "them equal with .map, or use .padded_batch")
        if value.dtype != first.dtype and value.dtype.kind not in "US":
            raise DatasetError(f"batch: column {column!r} has rows of dtype {first.dtype} and {value.dtype}; "
                               "convert them with transforms.TypeCast")
    return np.stack(values)


class Batch(Dataset):
    """Rows stacked to batches."""

    owns_rows = True

    def __init__(self, child: Dataset, batch_size, drop_remainder: bool, per_batch_map, input_columns,
                 output_columns):
        super().__init__(child)
        if not isinstance(drop_remainder, bool):
            raise TypeError(f"drop_remainder must be a bool, got {type(drop_remainder).__name__}")
        if per_batch_map is not None and not callable(per_batch_map):
            raise TypeError(f"per_batch_map must be callable, got {type(per_batch_map).__name__}")
        self._batch_size, self._drop, self._function = batch_size, drop_remainder, per_batch_map
        names = child.column_names
        self._inputs = names if input_columns is None else names_list(input_columns, "input_columns")
        self._outputs = self._inputs if output_columns is None else names_list(output_columns, "output_columns")
        check_columns(self._inputs, names, "batch")
        self._columns = list(names)
        if per_batch_map is not None and self._outputs != self._inputs:
            self._columns = self._outputs + [name for name in names if name not in self._inputs]
            check_distinct(self._columns, "batch")

    @property
    def column_names(self):
        return self._columns

    def rows(self, run):
        source = self.children[0]
        if isinstance(source, ArrayDataset) and self._function is None and not callable(self._batch_size):
            yield from self._sliced(source, run)
            return
        rows, number = source.rows(run), 0
        while True:
            info = BatchInfo(number, run.epoch)
            wanted = self._rows_of(info)
            group = list(islice(rows, wanted))
            if not group or (len(group) < wanted and self._drop):
                return
            yield self.combine(group, info)
            number += 1

    def _rows_of(self, info) -> int:
        if not callable(self._batch_size):
            return self._batch_size
        wanted = call_user(self._batch_size, (info,), "batch: the batch_size function")
        if not isinstance(wanted, (int, np.integer)) or wanted < 1:
            raise DatasetError(f"batch: the batch_size function must return an int of at least 1, got {wanted!r}")
        return int(wanted)

    def _sliced(self, source: ArrayDataset, run):
        """Batches of arrays by one indexing each, instead of row by row."""
        chosen = source.chosen(run)
        stop = len(chosen) - len(chosen) % self._batch_size if self._drop else len(chosen)
        for start in range(0, stop, self._batch_size):
            picked = chosen[start:start + self._batch_size]
            yield tuple(array[picked] for array in source.arrays)

    def combine(self, group: list, info: BatchInfo) -> tuple:
        """One row of the rows of a batch."""
        names = self.children[0].column_names
        lists = {name: [row[i] for row in group] for i, name in enumerate(names)}
        if self._function is not None:
            arguments = [lists[name] for name in self._inputs]
            result = call_user(self._function, (*arguments, info), "batch: per_batch_map")
            result = result if isinstance(result, tuple) else (result,)
            if len(result) != len(self._outputs):
                raise DatasetError(f"batch: per_batch_map returned {len(result)} column(s), but {len(self._outputs)} "
                                   f"are expected: {self._outputs}")
            for name, values in zip(self._outputs, result):
                lists[name] = [as_array(v, f"batch: per_batch_map, column {name!r}") for v in values]
        return tuple(stack(lists[name], name) for name in self._columns)

    def size(self):
        if callable(self._batch_size):
            return super().size()
        rows = self.children[0].get_dataset_size()
        return rows // self._batch_size if self._drop else -(-rows // self._batch_size)

    def get_batch_size(self):
        return -1 if callable(self._batch_size) else self._batch_size


class PaddedBatch(Batch):
    """Batches whose columns are padded first."""

    def __init__(self, child: Dataset, batch_size, drop_remainder: bool, pad_info: dict | None):
        super().__init__(child, batch_size, drop_remainder, None, None, None)
        self._pad_info = {name: (None, 0) for name in child.column_names} if pad_info is None else dict(pad_info)
        check_columns(self._pad_info, child.column_names, "padded_batch")

    def _sliced(self, source, run):
        for batch, group in enumerate(super()._sliced(source, run)):
            yield self.combine(list(zip(*group)), BatchInfo(batch, run.epoch))

    def combine(self, group, info):
        columns = []
        for i, name in enumerate(self._columns):
            values = [row[i] for row in group]
            if name in self._pad_info:
                values = pad_all(values, name, *self._pad_info[name])
            columns.append(stack(values, name))
        return tuple(columns)


def pad_all(values: list, column: str, shape, fill) -> list:
    """Arrays padded at their ends to `shape`; None in it means the largest of them."""
    rank = values[0].ndim
    if any(value.ndim != rank for value in values):
        raise DatasetError(f"padded_batch: column {column!r} has rows of different rank")
    shape = list(shape) if shape is not None else [None] * rank
    if len(shape) != rank:
        raise DatasetError(f"padded_batch: column {column!r} has rows of rank {rank}, but pad_info gives the shape "
                           f"{shape}")
    target = [max(value.shape[axis] for value in values) if size in (None, -1) else size
              for axis, size in enumerate(shape)]
    padded = []
    for value in values:
        if any(have > want for have, want in zip(value.shape, target)):
            # As in MindSpore, a given shape also cuts what is longer.
            value = value[tuple(slice(0, want) for want in target)]
        widths = [(0, want - have) for have, want in zip(value.shape, target)]
        padded.append(np.pad(value, widths, constant_values=0 if fill is None else fill))
    return padded


class BucketBatch(Dataset):
    """Batches of rows of similar length.

    bucket_boundaries: ascending lengths that part the buckets, n of them for n + 1 buckets; bucket_batch_sizes: n + 1
    batch sizes.  The length of a row is ``element_length_function(*columns)``, by default the first axis of the one
    column in `column_names`.  pad_to_bucket_boundary pads to the bucket's longest length.
    """

    def __init__(self, child: Dataset, columns: list, boundaries, batch_sizes, length_function, pad_info,
                 pad_to_boundary: bool, drop_remainder: bool):
        super().__init__(child)
        check_columns(columns, child.column_names, "bucket_batch_by_length")
        boundaries, batch_sizes = list(boundaries), list(batch_sizes)
        if not boundaries or any(a >= b for a, b in zip([0, *boundaries], boundaries)):
            raise ValueError(f"bucket_boundaries must be positive and ascending, got {boundaries}")
        if len(batch_sizes) != len(boundaries) + 1 or min(batch_sizes) < 1:
            raise ValueError(f"bucket_batch_sizes must be {len(boundaries) + 1} positive numbers, got {batch_sizes}")
        if length_function is None and len(columns) != 1:
            raise ValueError("bucket_batch_by_length: several column_names need an element_length_function")
        self._places = [child.column_names.index(name) for name in columns]
        self._length = length_function or (lambda value: len(value))
        self._boundaries, self._sizes, self._drop = boundaries, batch_sizes, drop_remainder
        self._pad_to_boundary = pad_to_boundary
        self._pad_info = {} if pad_info is None else dict(pad_info)
        check_columns(self._pad_info, child.column_names, "bucket_batch_by_length")

    def rows(self, run):
        waiting = [[] for _ in self._sizes]
        for row in self.children[0].rows(run):
            length = call_user(self._length, [row[i] for i in self._places], "element_length_function")
            bucket = int(np.searchsorted(self._boundaries, length, side="right"))
            waiting[bucket].append(row)
            if len(waiting[bucket]) == self._sizes[bucket]:
                yield self._combine(waiting[bucket], bucket)
                waiting[bucket] = []
        for bucket, group in enumerate(waiting):
            if group and not self._drop:
                yield self._combine(group, bucket)

    def _combine(self, group, bucket) -> tuple:
        columns = []
        for i, name in enumerate(self.column_names):
            values = [row[i] for row in group]
            if name in self._pad_info:
                shape, fill = self._pad_info[name]
                if self._pad_to_boundary and bucket < len(self._boundaries):
                    shape = [self._boundaries[bucket] - 1 if size is None else size
                             for size in (shape or [None] * values[0].ndim)]
                values = pad_all(values, name, shape, fill)
            columns.append(stack(values, name))
        return tuple(columns)
