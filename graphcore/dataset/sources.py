"""Sources in memory: any Python generator or sequence, and arrays cut along their first axis."""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from graphcore.dataset.core import Dataset, Pass, as_array, names_list
from graphcore.dataset.errors import DatasetError, check_distinct, users_line
from graphcore.dataset.samplers import Sampler, select_sampler


class MappableSource(Dataset):
    """A source with random access: a sampler chooses the rows of each epoch.

    A subclass defines `source_length()` and `row(index)`.  sampler None: the source can be read in its order only.
    """

    def __init__(self, columns: list, sampler: Sampler | None):
        super().__init__()
        check_distinct(columns, type(self).__name__)
        self._columns = columns
        self.sampler = sampler

    @property
    def column_names(self):
        return self._columns

    def source_length(self) -> int:
        """How many rows there are to choose from."""
        raise NotImplementedError

    def row(self, index: int) -> tuple:
        """One row, a tuple of arrays."""
        raise NotImplementedError

    def chosen(self, run: Pass) -> np.ndarray:
        """The row numbers of an epoch."""
        self.sampler.look_at(self)
        return self.sampler.select(self.source_length(), run.draws(self))

    def rows(self, run):
        for index in self.chosen(run):
            yield self.row(int(index))

    def size(self):
        self.sampler.look_at(self)
        return self.sampler.selected(self.source_length())

    def labels(self, column: str) -> np.ndarray:
        """The values of a column of class numbers, one for each row.  Raises DatasetError for one that is not there."""
        if column not in self._columns:
            raise DatasetError(f"there is no column {column!r}; the columns are {self._columns}")
        place = self._columns.index(column)
        return np.array([int(self.row(i)[place]) for i in range(self.source_length())], np.int64)

    def use_sampler(self, new_sampler: Sampler) -> None:
        """Replace the sampler."""
        if not isinstance(new_sampler, Sampler):
            raise TypeError(f"use_sampler takes a Sampler, got {type(new_sampler).__name__}")
        if self.sampler is None:
            raise DatasetError("use_sampler: the source has no __getitem__, so its rows cannot be chosen")
        self.sampler, self._size = new_sampler, None

    def with_sampler(self, sampler: Sampler) -> MappableSource:
        """The same source, read with another sampler."""
        twin = object.__new__(type(self))
        twin.__dict__.update(self.__dict__)
        twin.sampler, twin._size = sampler, None
        return twin


class _Recorded:
    """Makes a one-shot iterator repeatable: what was read is kept."""

    def __init__(self, iterator: Iterator):
        self._iterator, self._read = iterator, []

    def __iter__(self):
        place = 0
        while True:
            if place == len(self._read):
                try:
                    self._read.append(next(self._iterator))
                except StopIteration:
                    return
            yield self._read[place]
            place += 1


class _RowReader:
    """Turns what a source yields into a row: a tuple (or list) has one value a column, all else is one column."""

    def __init__(self, columns: list, types: list | None):
        self._columns, self._types = columns, types

    def __call__(self, value, index) -> tuple:
        values = value if isinstance(value, (tuple, list)) else (value,)
        if len(values) != len(self._columns):
            raise DatasetError(f"row {index} of the source has {len(values)} value(s), but the columns are "
                               f"{self._columns}; give each value a column name")
        row = tuple(as_array(v, f"row {index} of the source, column {name!r}")
                    for v, name in zip(values, self._columns))
        for array, wanted, name in zip(row, self._types or (), self._columns):
            if array.dtype != wanted:
                raise DatasetError(f"row {index} of the source, column {name!r}: column_types says {wanted}, but the "
                                   f"value is {array.dtype}; convert it in the source or with transforms.TypeCast")
        return row


def _numpy_type(value) -> np.dtype:
    from graphcore.dtype import as_dtype
    return as_dtype(value).storage


class GeneratorDataset(MappableSource):
    """A dataset of what a Python object yields: a generator function, an iterable, or a random-access object.

    source: a function without arguments that returns an iterator (called for each epoch), an iterable, or an object
    with ``__getitem__`` and ``__len__``.  A row is a tuple with one value for each of `column_names`.
    column_types: dtypes that the values must have.  shuffle: None shuffles random-access sources and leaves the order
    of generators.  sampler, num_shards, shard_id: for random-access sources.
    Raises TypeError for a source that cannot be iterated, ValueError for missing names and conflicting arguments;
    reading raises DatasetError for a row that does not fit the columns.
    """

    def __init__(self, source, column_names=None, column_types=None, schema=None, num_samples=None,
                 num_parallel_workers: int = 1, shuffle=None, sampler=None, num_shards=None, shard_id=None,
                 python_multiprocessing: bool = True, max_rowsize=None):
        if schema is not None:
            raise ValueError("schema files are not supported; give column_names (and column_types)")
        if column_names is None:
            raise ValueError("Neither columns_names nor schema are provided.")
        columns = names_list(column_names, "column_names")
        types = None if column_types is None else [_numpy_type(t) for t in column_types]
        if types is not None and len(types) != len(columns):
            raise ValueError(f"column_types has {len(types)} entries for {len(columns)} columns")
        chooser = None
        if hasattr(source, "__getitem__"):
            if not hasattr(source, "__len__"):
                raise TypeError(f"a source with __getitem__ needs __len__ too, but {type(source).__name__} has none")
            if not len(source):
                raise DatasetError("the source has no rows: its len() is 0")
            chooser = select_sampler(num_samples, sampler, shuffle, num_shards, shard_id)
        elif sampler is not None or num_shards is not None or shard_id is not None:
            argument = "sampler" if sampler is not None else "num_shards"
            raise ValueError(f"{argument} is not supported if source does not have attribute '__getitem__'.")
        elif not callable(source):
            source = _repeatable(source)
        super().__init__(columns, chooser)
        self.source, self._reader, self._limit = source, _RowReader(columns, types), num_samples or None

    def source_length(self):
        return len(self.source)

    def row(self, index):
        try:
            value = self.source[index]
        except Exception as error:
            raise DatasetError(f"the source failed at row {index}: {type(error).__name__}: {error}"
                               f"{users_line(error)}") from error
        return self._reader(value, index)

    def rows(self, run):
        return self._stream() if self.sampler is None else super().rows(run)

    def _stream(self) -> Iterator[tuple]:
        values = iter(self.source() if callable(self.source) else self.source)
        index = 0
        while index != self._limit:
            try:
                value = next(values)
            except StopIteration:
                return
            except Exception as error:
                raise DatasetError(f"the source failed at row {index}: {type(error).__name__}: {error}"
                                   f"{users_line(error)}") from error
            yield self._reader(value, index)
            index += 1

    def size(self):
        if self.sampler is not None:
            return super().size()
        if hasattr(self.source, "__len__"):
            return len(self.source) if self._limit is None else min(len(self.source), self._limit)
        return sum(1 for _ in self._stream())


def _repeatable(source):
    """An iterable that can be read once for each epoch."""
    if not hasattr(source, "__iter__"):
        raise TypeError("the source of a GeneratorDataset must be a generator function, an iterable or an object with "
                        f"__getitem__ and __len__, got {type(source).__name__}")
    return _Recorded(source) if iter(source) is source else source


class ArrayDataset(MappableSource):
    """Columns that are arrays of one length in memory, cut along their first axis."""

    def __init__(self, arrays: list, columns: list, sampler: Sampler):
        super().__init__(columns, sampler)
        self.arrays = arrays

    def source_length(self):
        return len(self.arrays[0])

    def row(self, index):
        return tuple(np.asarray(array[index]) for array in self.arrays)


class NumpySlicesDataset(ArrayDataset):
    """Arrays cut along their first axis: row i is ``(a[i], b[i], ...)``.

    data: an array or list (one column), a tuple of them, or a dict from column name to array; all of one length.
    column_names: by default the dict's keys, else ``column_0``, ``column_1``, ...  shuffle: None means True.
    """

    def __init__(self, data, column_names=None, num_samples=None, num_parallel_workers: int = 1, shuffle=None,
                 sampler=None, num_shards=None, shard_id=None):
        names = None if column_names is None else names_list(column_names, "column_names")
        if isinstance(data, dict):
            names, values = names or list(data), list(data.values())
        else:
            values = list(data) if isinstance(data, tuple) else [data]
            names = names or [f"column_{i}" for i in range(len(values))]
        if len(names) != len(values):
            raise ValueError(f"Num of input column names is {len(names)}, but required is {len(values)}.")
        arrays = [as_array(value, f"column {name!r}") for name, value in zip(names, values)]
        lengths = {name: len(array) if array.ndim else 0 for name, array in zip(names, arrays)}
        if not lengths or not all(lengths.values()):
            raise ValueError("Argument data cannot be empty; each column needs at least one row, got "
                             + ", ".join(f"{name}: {n}" for name, n in lengths.items()))
        if len(set(lengths.values())) > 1:
            raise ValueError("Data length in each column is not equal: "
                             + ", ".join(f"{name} has {n} rows" for name, n in lengths.items()))
        super().__init__(arrays, names, select_sampler(num_samples, sampler, shuffle, num_shards, shard_id))
