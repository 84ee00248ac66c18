"""Dataset: the base of all sources and pipeline stages, with the methods that chain them.

A dataset is a description; nothing is read until an iterator asks.  A stage turns the rows of its children (tuples of
NumPy arrays, one for each column) into rows of its own, epoch by epoch; Tensors are made by the iterator, last.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from graphcore.dataset import rng
from graphcore.dataset.errors import DatasetError


@dataclass(frozen=True)
class Pass:
    """One way through a pipeline: the epoch, the seeds of the random stages, and what these keep between epochs."""

    epoch: int
    seed: int
    numbers: dict
    kept: dict = field(default_factory=dict)

    def draws(self, stage: Dataset) -> rng.Draws:
        """What a stage decides by in this epoch."""
        number = self.numbers[id(stage)]
        return rng.Draws(self.seed, number, self.epoch, self.kept.setdefault(number, {}))

    def row_generators(self, stage: Dataset) -> rng.RowGenerators:
        """The generators of random transforms in the rows of a stage in this epoch."""
        return rng.RowGenerators(self.seed, self.numbers[id(stage)], self.epoch)

    def at_epoch(self, epoch: int) -> Pass:
        """The same seeds in another epoch."""
        return Pass(epoch, self.seed, self.numbers, self.kept)


def first_pass(root: Dataset) -> Pass:
    """The start of a new iterator over `root`.

    Stages are numbered from the sources up, so that further stages do not change how those below shuffle.
    """
    numbers: dict = {}

    def number(stage: Dataset) -> None:
        if id(stage) not in numbers:
            for child in stage.children:
                number(child)
            numbers[id(stage)] = len(numbers)

    number(root)
    return Pass(0, rng.fresh_seed(), numbers)


def as_array(value, where: str):
    """A column's value as an array; a dict stays a dict.  Raises DatasetError for what is no array."""
    if isinstance(value, (np.ndarray, dict)):
        return value
    if hasattr(value, "asnumpy"):
        return value.asnumpy()
    if value is None:
        raise DatasetError(f"{where} returned None; it must return one value for each column")
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise DatasetError(f"{where}: the value cannot become an array: {error}") from error
    if array.dtype == object:
        raise DatasetError(f"{where}: a value of type {type(value).__name__} cannot become an array of numbers or "
                           "strings; return a NumPy array")
    return array


def _check_positive(value, name: str, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name} must be an int, got {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, got {value}")


def names_list(names, what: str) -> list:
    """A list of column names from one name or several.  Raises TypeError for anything else."""
    names = [names] if isinstance(names, str) else list(names)
    if not names or not all(isinstance(name, str) for name in names):
        raise TypeError(f"{what} must be a column name or a list of them, got {names!r}")
    return names


class Dataset:
    """Base of all datasets.

    A subclass defines `column_names`, `rows(run)` (a generator over one epoch's rows: tuples of arrays) and `size()`.
    """

    def __init__(self, *children: Dataset):
        self.children = children
        self._size: int | None = None

    # What a stage defines.

    owns_rows = False
    """Whether the arrays of its rows belong to nobody else, so that Tensors may be made over them without a copy."""

    @property
    def column_names(self) -> list:
        """The names of the columns, in order."""
        return self.children[0].column_names

    def rows(self, run: Pass) -> Iterator[tuple]:
        """The rows of one epoch."""
        raise NotImplementedError

    def size(self) -> int:
        """The number of rows of an epoch; by default the rows are counted."""
        return sum(1 for _ in self.rows(first_pass(self)))

    # Pipeline stages.

    def batch(self, batch_size, drop_remainder: bool = False, num_parallel_workers: int | None = None, *,
              per_batch_map=None, input_columns=None, output_columns=None, python_multiprocessing: bool = False,
              max_rowsize=None) -> Dataset:
        """Stack `batch_size` rows to one, column by column; rows of a column must agree in shape and dtype.

        batch_size: an int, or a function of a BatchInfo that returns one.
        per_batch_map: ``f(*columns, batch_info)`` on the lists of values of `input_columns` before they are stacked;
        it returns a tuple of lists, one for each of `output_columns` (default: the input columns).
        """
        from graphcore.dataset.batching import Batch
        if not callable(batch_size):
            _check_positive(batch_size, "batch_size", 1)
        return Batch(self, batch_size, drop_remainder, per_batch_map, input_columns, output_columns)

    def padded_batch(self, batch_size, drop_remainder: bool = False, num_parallel_workers: int | None = None,
                     pad_info: dict | None = None) -> Dataset:
        """Like batch, after each column in `pad_info` was padded: ``{column: (shape, value)}``.

        A None in a shape, or the whole shape, means the largest of the batch.  Without `pad_info` all columns are
        padded with 0 to the largest of their batch.
        """
        from graphcore.dataset.batching import PaddedBatch
        if not callable(batch_size):
            _check_positive(batch_size, "batch_size", 1)
        return PaddedBatch(self, batch_size, drop_remainder, pad_info)

    def bucket_batch_by_length(self, column_names, bucket_boundaries, bucket_batch_sizes,
                               element_length_function=None, pad_info=None, pad_to_bucket_boundary: bool = False,
                               drop_remainder: bool = False) -> Dataset:
        """Batch rows of similar length together and pad them; see `graphcore.dataset.batching.BucketBatch`."""
        from graphcore.dataset.batching import BucketBatch
        return BucketBatch(self, names_list(column_names, "column_names"), bucket_boundaries, bucket_batch_sizes,
                           element_length_function, pad_info, pad_to_bucket_boundary, drop_remainder)

    def map(self, operations, input_columns=None, output_columns=None, num_parallel_workers: int | None = None, *,
            python_multiprocessing: bool = False, cache=None, callbacks=None, max_rowsize=None,
            offload=None) -> Dataset:
        """Apply operations, one after the other, to `input_columns` (default: the first ones).

        An operation takes one argument a column and returns one value, or a tuple of them for `output_columns`.
        With num_parallel_workers > 1 rows are mapped by that many threads, in order and with the same results.
        """
        from graphcore.dataset.config import get_num_parallel_workers
        from graphcore.dataset.rowwise import Map
        return Map(self, operations, input_columns, output_columns, num_parallel_workers or get_num_parallel_workers())

    def filter(self, predicate, input_columns=None, num_parallel_workers: int | None = None) -> Dataset:
        """Keep the rows for which ``predicate(*columns)`` is true."""
        from graphcore.dataset.rowwise import Filter
        return Filter(self, predicate, input_columns)

    def flat_map(self, func) -> Dataset:
        """Replace each row by the rows of the dataset that ``func(*columns)`` returns."""
        from graphcore.dataset.rowwise import FlatMap
        return FlatMap(self, func)

    def shuffle(self, buffer_size: int) -> Dataset:
        """Shuffle with a buffer of `buffer_size` rows (at least 2); a buffer of all rows shuffles fully."""
        from graphcore.dataset.rowwise import Shuffle
        _check_positive(buffer_size, "buffer_size", 2)
        return Shuffle(self, buffer_size)

    def repeat(self, count: int | None = None) -> Dataset:
        """The rows `count` times; None or -1: without end."""
        from graphcore.dataset.rowwise import Repeat
        if count not in (None, -1):
            _check_positive(count, "count", 1)
        return Repeat(self, None if count == -1 else count)

    def skip(self, count: int) -> Dataset:
        """All rows but the first `count`."""
        from graphcore.dataset.rowwise import Skip
        _check_positive(count, "count", 0)
        return Skip(self, count)

    def take(self, count: int = -1) -> Dataset:
        """The first `count` rows; -1: all."""
        from graphcore.dataset.rowwise import Take
        if count == -1:
            return self
        _check_positive(count, "count", 1)
        return Take(self, count)

    def project(self, columns) -> Dataset:
        """Only the given columns, in the given order."""
        from graphcore.dataset.rowwise import Project
        return Project(self, names_list(columns, "columns"))

    def rename(self, input_columns, output_columns) -> Dataset:
        """Columns under new names."""
        from graphcore.dataset.rowwise import Rename
        return Rename(self, names_list(input_columns, "input_columns"), names_list(output_columns, "output_columns"))

    def zip(self, datasets) -> Dataset:
        """Rows of this and the other datasets side by side; ends with the shortest."""
        others = datasets if isinstance(datasets, (tuple, list)) else (datasets,)
        return zip_datasets((self, *others))

    def concat(self, datasets) -> Dataset:
        """The rows of this dataset, then those of the others; all must have the same columns."""
        from graphcore.dataset.rowwise import Concat
        others = datasets if isinstance(datasets, (tuple, list)) else (datasets,)
        return Concat((self, *others))

    def __add__(self, other: Dataset) -> Dataset:
        return self.concat(other)

    def split(self, sizes, randomize: bool = True) -> tuple:
        """Disjoint parts: `sizes` are row counts, or fractions whose sum is 1."""
        from graphcore.dataset.splitting import split
        return split(self, sizes, randomize)

    def apply(self, apply_func) -> Dataset:
        """``apply_func(self)``, which must be a dataset."""
        result = apply_func(self)
        if not isinstance(result, Dataset):
            raise TypeError(f"apply_func must return a dataset, got {type(result).__name__}")
        return result

    # Reading.

    def create_tuple_iterator(self, columns=None, num_epochs: int = -1, output_numpy: bool = False,
                              do_copy: bool = False):
        """An iterator of lists, one Tensor (or array) a column; `num_epochs` limits its epochs (-1: no limit)."""
        from graphcore.dataset.iterators import TupleIterator
        source = self if columns is None else self.project(columns)
        return TupleIterator(source, num_epochs, output_numpy)

    def create_dict_iterator(self, num_epochs: int = -1, output_numpy: bool = False, do_copy: bool = False):
        """An iterator of dicts from column name to Tensor (or array)."""
        from graphcore.dataset.iterators import DictIterator
        return DictIterator(self, num_epochs, output_numpy)

    def __iter__(self):
        return self.create_tuple_iterator(num_epochs=1)

    def get_dataset_size(self) -> int:
        """The number of rows (batches after `batch`) of an epoch."""
        if self._size is None:
            self._size = self.size()
        return self._size

    def __len__(self) -> int:
        return self.get_dataset_size()

    def __bool__(self) -> bool:
        return True

    def get_col_names(self) -> list:
        """The names of the columns."""
        return list(self.column_names)

    def get_batch_size(self) -> int:
        """The number of rows in a batch, 1 before `batch`."""
        return self.children[0].get_batch_size() if self.children else 1

    def get_repeat_count(self) -> int:
        """How often `repeat` makes the rows come, -1 for without end."""
        return self.children[0].get_repeat_count() if self.children else 1

    def output_shapes(self, estimate: bool = False) -> list:
        """The shapes of the first row's columns; with `estimate`, None for a dimension that differs between rows."""
        first = self._first_row()
        if not estimate:
            return [list(np.shape(value)) for value in first]
        shapes = [list(np.shape(value)) for value in first]
        for row in self.rows(first_pass(self)):
            shapes = [[size if size == other else None for size, other in zip(shape, np.shape(value))]
                      for shape, value in zip(shapes, row)]
        return shapes

    def output_types(self) -> list:
        """The NumPy dtypes of the first row's columns."""
        return [value.dtype for value in self._first_row()]

    def _first_row(self) -> tuple:
        for row in self.rows(first_pass(self)):
            return row
        raise DatasetError(f"{type(self).__name__} has no rows, so shapes and dtypes are unknown")

    def reset(self) -> None:
        """Nothing to do: each iterator has a state of its own."""


def zip_datasets(datasets) -> Dataset:
    """Rows of several datasets side by side; ends with the shortest.  Column names must differ."""
    from graphcore.dataset.rowwise import Zip
    if not isinstance(datasets, (tuple, list)) or not all(isinstance(d, Dataset) for d in datasets):
        raise TypeError(f"zip takes a tuple of datasets, got {datasets!r}")
    return Zip(tuple(datasets))
