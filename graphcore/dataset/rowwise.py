"""Stages that pass rows on one by one: map, filter, shuffle, repeat, skip, take, columns, zip, concat."""
from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import count, islice

import numpy as np

from graphcore.dataset.core import Dataset, as_array, names_list
from graphcore.dataset.errors import ColumnError, DatasetError, check_columns, check_distinct, users_line
from graphcore.dataset.mersenne import shuffled_by_buffer


def _operation_name(operation) -> str:
    return getattr(operation, "__name__", type(operation).__name__)


def call_user(function, arguments, where):
    """``function(*arguments)``; whatever it raises becomes a DatasetError that says where (a str, or makes one)."""
    try:
        return function(*arguments)
    except DatasetError:
        raise
    except Exception as error:
        where = where() if callable(where) else where
        raise DatasetError(f"{where} failed: {type(error).__name__}: {error}{users_line(error)}") from error


class PassedOn(Dataset):
    """Base of the stages whose rows are those of their children."""

    @property
    def owns_rows(self):
        return all(child.owns_rows for child in self.children)


class Map(Dataset):
    """Operations applied to some columns of each row."""

    def __init__(self, child: Dataset, operations, input_columns, output_columns, workers: int):
        super().__init__(child)
        self._operations = list(operations) if isinstance(operations, (list, tuple)) else [operations]
        for operation in self._operations:
            if not callable(operation):
                raise TypeError(f"map: an operation must be callable, got {type(operation).__name__}")
        if not self._operations:
            raise ValueError("map: operations must not be empty")
        available = child.column_names
        if input_columns is None:
            # MindSpore's rule: as many of the first columns as the operation takes; all its own transforms take one.
            input_columns = available[:_required_arguments(self._operations[0])]
        self._inputs = names_list(input_columns, "input_columns")
        check_columns(self._inputs, available, "map")
        self._outputs = self._inputs if output_columns is None else names_list(output_columns, "output_columns")
        self._places = [available.index(name) for name in self._inputs]
        self._columns, self._layout = self._arrange(available)
        check_distinct(self._columns, "map")
        self._workers = workers
        self._random = any(getattr(operation, "is_random", False) for operation in self._operations)

    def _arrange(self, available):
        """Names of the new columns, and for each where it comes from: ('new', i) or ('old', i)."""
        if len(self._outputs) == len(self._inputs):
            names, layout = list(available), [("old", i) for i in range(len(available))]
            for i, place in enumerate(self._places):
                names[place], layout[place] = self._outputs[i], ("new", i)
            return names, layout
        kept = [i for i in range(len(available)) if i not in self._places]
        return (self._outputs + [available[i] for i in kept],
                [("new", i) for i in range(len(self._outputs))] + [("old", i) for i in kept])

    @property
    def column_names(self):
        return self._columns

    def _apply(self, row: tuple, index: int, generators) -> tuple:
        values = tuple(row[place] for place in self._places)
        if generators is None:
            values = self._run_operations(values, index)
        else:
            values = generators.run(index, self._run_operations, values, index)
        if len(values) != len(self._outputs):
            raise DatasetError(f"map: the operations on {self._inputs} returned {len(values)} column(s), but "
                               f"output_columns names {len(self._outputs)}: {self._outputs}")
        new = [value if isinstance(value, np.ndarray) else as_array(
            value, f"map: operation {_operation_name(self._operations[-1])} on columns {self._inputs}, row {index},")
               for value in values]
        return tuple(new[i] if kind == "new" else row[i] for kind, i in self._layout)

    def _run_operations(self, values, index):
        for operation in self._operations:
            result = call_user(operation, values, lambda operation=operation: (
                f"map: operation {_operation_name(operation)} on columns {self._inputs}, row {index},"))
            values = result if isinstance(result, tuple) else (result,)
        return values

    def rows(self, run):
        source = enumerate(self.children[0].rows(run))
        generators = run.row_generators(self) if self._random else None
        if self._workers == 1:
            for index, row in source:
                yield self._apply(row, index, generators)
            return
        pool, waiting = ThreadPoolExecutor(self._workers), deque()
        try:
            for index, row in source:
                waiting.append(pool.submit(self._apply, row, index, generators))
                if len(waiting) >= 4 * self._workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:            # after an error, Ctrl-C or a loop that was left, rows ahead are not worth waiting for
            pool.shutdown(cancel_futures=True)

    def size(self):
        return self.children[0].get_dataset_size()


def _required_arguments(operation) -> int:
    """How many positional arguments a plain Python function takes, 1 for anything else."""
    code = getattr(operation, "__code__", None)
    if code is None or code.co_flags & 0x04:
        return 1
    return max(code.co_argcount - len(getattr(operation, "__defaults__", None) or ()), 1)


class Filter(PassedOn):
    """The rows for which a predicate holds."""

    def __init__(self, child: Dataset, predicate, input_columns):
        super().__init__(child)
        if not callable(predicate):
            raise TypeError(f"filter: predicate must be callable, got {type(predicate).__name__}")
        names = child.column_names if input_columns is None else names_list(input_columns, "input_columns")
        check_columns(names, child.column_names, "filter")
        self._predicate, self._places = predicate, [child.column_names.index(name) for name in names]

    def rows(self, run):
        for index, row in enumerate(self.children[0].rows(run)):
            if call_user(self._predicate, [row[i] for i in self._places],
                         lambda index=index: f"filter: the predicate, row {index},"):
                yield row


class FlatMap(Dataset):
    """Each row replaced by the rows of a dataset made from it."""

    def __init__(self, child: Dataset, function):
        super().__init__(child)
        if not callable(function):
            raise TypeError(f"flat_map: func must be callable, got {type(function).__name__}")
        self._function = function
        self._names = None

    @property
    def column_names(self):
        if self._names is None:
            from graphcore.dataset.core import first_pass
            first = next(self.children[0].rows(first_pass(self.children[0])))
            self._names = self._inner(first).column_names
        return self._names

    def _inner(self, row) -> Dataset:
        inner = call_user(self._function, row, "flat_map: func")
        if not isinstance(inner, Dataset):
            raise DatasetError(f"flat_map: func must return a dataset, got {type(inner).__name__}")
        return inner

    def rows(self, run):
        from graphcore.dataset.core import first_pass
        for row in self.children[0].rows(run):
            inner = self._inner(row)
            yield from inner.rows(first_pass(inner))


class Shuffle(PassedOn):
    """A buffer from which rows leave in random order."""

    def __init__(self, child: Dataset, buffer_size: int):
        super().__init__(child)
        self._buffer_size = buffer_size

    def rows(self, run):
        words = run.draws(self).words(self.size() if run.epoch else 0)
        yield from shuffled_by_buffer(self.children[0].rows(run), self._buffer_size, words)

    def size(self):
        return self.children[0].get_dataset_size()


class Repeat(PassedOn):
    """The rows of several epochs as one."""

    def __init__(self, child: Dataset, times: int | None):
        super().__init__(child)
        self._times = times

    def rows(self, run):
        if self._times is None:
            for epoch in count(run.epoch):
                empty = True
                for row in self.children[0].rows(run.at_epoch(epoch)):
                    empty = False
                    yield row
                if empty:
                    return
        for i in range(self._times):
            yield from self.children[0].rows(run.at_epoch(run.epoch * self._times + i))

    def size(self):
        # A repeat without end counts one round, as in MindSpore: it is how many steps make an epoch.
        return self.children[0].get_dataset_size() * (self._times or 1)

    def get_repeat_count(self):
        inner = self.children[0].get_repeat_count()
        return -1 if self._times is None or inner == -1 else inner * self._times


class Skip(PassedOn):
    """All rows but the first ones."""

    def __init__(self, child: Dataset, number: int):
        super().__init__(child)
        self._number = number

    def rows(self, run):
        return islice(self.children[0].rows(run), self._number, None)

    def size(self):
        return max(self.children[0].get_dataset_size() - self._number, 0)


class Take(PassedOn):
    """The first rows."""

    def __init__(self, child: Dataset, number: int):
        super().__init__(child)
        self._number = number

    def rows(self, run):
        return islice(self.children[0].rows(run), self._number)

    def size(self):
        return min(self.children[0].get_dataset_size(), self._number)


class Project(PassedOn):
    """Some of the columns."""

    def __init__(self, child: Dataset, columns: list):
        super().__init__(child)
        check_columns(columns, child.column_names, "project")
        check_distinct(columns, "project")
        self._columns, self._places = columns, [child.column_names.index(name) for name in columns]

    @property
    def column_names(self):
        return self._columns

    def rows(self, run):
        for row in self.children[0].rows(run):
            yield tuple(row[i] for i in self._places)

    def size(self):
        return self.children[0].get_dataset_size()


class Rename(PassedOn):
    """Columns under new names."""

    def __init__(self, child: Dataset, old: list, new: list):
        super().__init__(child)
        if len(old) != len(new):
            raise ValueError(f"rename: {len(old)} input_columns, but {len(new)} output_columns")
        check_columns(old, child.column_names, "rename")
        names = dict(zip(old, new))
        self._columns = [names.get(name, name) for name in child.column_names]
        check_distinct(self._columns, "rename")

    @property
    def column_names(self):
        return self._columns

    def rows(self, run):
        return self.children[0].rows(run)

    def size(self):
        return self.children[0].get_dataset_size()


class Zip(PassedOn):
    """Rows of several datasets side by side."""

    def __init__(self, datasets: tuple):
        if not datasets:
            raise ValueError("zip needs at least one dataset")
        super().__init__(*datasets)
        self._columns = [name for dataset in datasets for name in dataset.column_names]
        check_distinct(self._columns, "zip")

    @property
    def column_names(self):
        return self._columns

    def rows(self, run):
        for parts in zip(*(child.rows(run) for child in self.children)):
            yield tuple(value for part in parts for value in part)

    def size(self):
        return min(child.get_dataset_size() for child in self.children)


class Concat(PassedOn):
    """The rows of one dataset after those of another."""

    def __init__(self, datasets: tuple):
        super().__init__(*datasets)
        for dataset in datasets:
            if not isinstance(dataset, Dataset):
                raise TypeError(f"concat takes datasets, got {type(dataset).__name__}")
            if dataset.column_names != datasets[0].column_names:
                raise ColumnError(f"concat: the datasets must have the same columns, got {datasets[0].column_names} "
                                  f"and {dataset.column_names}")

    def rows(self, run):
        for child in self.children:
            yield from child.rows(run)

    def size(self):
        return sum(child.get_dataset_size() for child in self.children)
