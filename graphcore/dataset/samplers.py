"""Samplers: which rows of a random-access source an epoch visits, and in which order."""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from graphcore.dataset import mersenne
from graphcore.dataset.errors import DatasetError
from graphcore.dataset.rng import Draws, base_seed

_COMMON_SEED = 5489      # MindSpore's, where none was set


def _check_count(value, name: str, least: int = 1) -> None:
    if value is not None and (isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < least):
        raise ValueError(f"{name} must be an integer of at least {least}, got {value!r}")


class Sampler:
    """Base of all samplers, built in and user-defined.

    A user's sampler overrides ``__iter__`` to yield row numbers; `self.dataset_size` is the number of rows and
    `self.num_samples` the limit that was given (None: no limit).
    """

    def __init__(self, num_samples: int | None = None):
        _check_count(num_samples, "num_samples")
        self.num_samples = num_samples
        self.dataset_size = 0
        self.child_sampler: Sampler | None = None

    def add_child(self, sampler: Sampler) -> None:
        """Let another sampler choose first: this one then chooses among the rows of that one, by their places.

        Raises RuntimeError if there is one already.
        """
        if self.child_sampler is not None:
            raise RuntimeError("Cannot add child sampler, this sampler already has a child.")
        self.child_sampler = sampler

    def get_child(self) -> Sampler | None:
        """The sampler that chooses first."""
        return self.child_sampler

    def look_at(self, source) -> None:
        """Told of the source before its rows are chosen, for samplers that need more than their number."""

    def select(self, rows: int, draws: Draws) -> np.ndarray:
        """The row numbers of one epoch: those of `indices`, after the child's choice if there is one."""
        if self.child_sampler is None:
            return self.indices(rows, draws)
        chosen = self.child_sampler.select(rows, draws)
        return chosen[self.indices(len(chosen), draws)]

    def selected(self, rows: int) -> int:
        """How many rows `select` gives."""
        return self.size(rows if self.child_sampler is None else self.child_sampler.selected(rows))

    def __iter__(self) -> Iterator[int]:
        raise NotImplementedError(f"{type(self).__name__} must define __iter__, which yields row numbers")

    def indices(self, rows: int, draws: Draws) -> np.ndarray:
        """The row numbers of one epoch, int64, out of ``range(rows)``.  Raises DatasetError for any other number."""
        self.dataset_size = rows
        chosen = np.fromiter((int(i) for i in self), np.int64)
        return self._limited(self._checked(chosen, rows))

    def size(self, rows: int) -> int:
        """How many rows an epoch has."""
        return len(self.indices(rows, Draws(0)))

    def _checked(self, chosen: np.ndarray, rows: int) -> np.ndarray:
        if len(chosen) and (chosen.min() < 0 or chosen.max() >= rows):
            wrong = chosen[(chosen < 0) | (chosen >= rows)][0]
            raise DatasetError(f"{type(self).__name__} asks for row {wrong}, but the source has rows 0 to {rows - 1}")
        return chosen

    def _limited(self, chosen: np.ndarray) -> np.ndarray:
        return chosen if self.num_samples is None else chosen[:self.num_samples]


BuiltinSampler = Sampler


class SequentialSampler(Sampler):
    """Rows in their order, from `start_index` (default 0) on, `num_samples` of them (default: all)."""

    def __init__(self, start_index: int | None = None, num_samples: int | None = None):
        super().__init__(num_samples)
        _check_count(start_index, "start_index", 0)
        self.start_index = start_index or 0

    def indices(self, rows, draws):
        if rows and self.start_index >= rows:
            raise DatasetError(f"SequentialSampler starts at row {self.start_index}, but the source has {rows} rows")
        return self._limited(np.arange(self.start_index, rows))


class RandomSampler(Sampler):
    """Rows in random order, another one each epoch; with `replacement` a row may come more than once."""

    def __init__(self, replacement: bool = False, num_samples: int | None = None):
        super().__init__(num_samples)
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement must be a bool, got {replacement!r}")
        self.replacement = replacement

    def indices(self, rows, draws):
        if self.replacement:
            return np.array(mersenne.drawn(self.size(rows), rows, draws.own_seed + draws.epoch), np.int64)
        return self._limited(draws.order(rows, self))

    def size(self, rows):
        return rows if self.num_samples is None else min(rows, self.num_samples)


class SubsetSampler(Sampler):
    """The given rows, in the given order."""

    def __init__(self, indices, num_samples: int | None = None):
        super().__init__(num_samples)
        chosen = np.atleast_1d(np.asarray(list(indices) if not isinstance(indices, int) else [indices]))
        if chosen.size and chosen.dtype.kind not in "iu":
            raise TypeError(f"{type(self).__name__}: indices must be integers, got {chosen.dtype}")
        self.chosen = chosen.astype(np.int64)

    def indices(self, rows, draws):
        return self._limited(self._checked(self.chosen, rows))


class SubsetRandomSampler(SubsetSampler):
    """The given rows in random order, another one each epoch."""

    def indices(self, rows, draws):
        chosen = self._checked(self.chosen, rows)
        return self._limited(chosen[draws.order(len(chosen), self, one_seed=True)])


class WeightedRandomSampler(Sampler):
    """Rows drawn with the probabilities ``weights / sum(weights)``.

    weights: one non-negative number a row; num_samples: rows an epoch (default: as many as weights).  All epochs of an
    iterator are the same draw, as in MindSpore.
    """

    def __init__(self, weights, num_samples: int | None = None, replacement: bool = True):
        super().__init__(num_samples)
        self.weights = np.asarray(weights, np.float64)
        if self.weights.ndim != 1 or not self.weights.size or not np.isfinite(self.weights).all():
            raise ValueError("WeightedRandomSampler: weights must be a list of finite numbers, one for each row")
        if (self.weights < 0).any() or not self.weights.any():
            raise ValueError("WeightedRandomSampler: weights must not be negative, and not all of them 0")
        self.replacement = replacement

    def indices(self, rows, draws):
        if len(self.weights) > rows:
            raise DatasetError(f"WeightedRandomSampler has {len(self.weights)} weights, but the source {rows} rows")
        count = len(self.weights) if self.num_samples is None else self.num_samples
        if not self.replacement and count > np.count_nonzero(self.weights):
            raise DatasetError(f"WeightedRandomSampler: {count} rows are wanted without replacement, but only "
                               f"{np.count_nonzero(self.weights)} weights are above 0")
        if self.replacement:
            return mersenne.weighted(count, self.weights, draws.own_seed)
        return mersenne.weighted_order(self.weights, draws.own_seed)[:count]


class DistributedSampler(Sampler):
    """The share of one of `num_shards` processes: rows shard_id, shard_id + num_shards, ...

    All shards have the same number of rows (the first rows fill up the last shards), unless `offset` says by how many
    rows the deal is shifted; then rows are dealt once.  With `shuffle`, all shards shuffle alike before the deal, by
    the seed that was set, else by a fixed one.  The order is MindSpore's, but for what its later epochs do with
    `num_samples` and `offset` (there they go on with rows of the epoch before).
    """

    def __init__(self, num_shards: int, shard_id: int, shuffle: bool = True, num_samples: int | None = None,
                 offset: int = -1):
        super().__init__(num_samples)
        _check_count(num_shards, "num_shards")
        if not isinstance(shard_id, int) or not 0 <= shard_id < num_shards:
            raise ValueError(f"shard_id must lie between 0 and num_shards - 1 = {num_shards - 1}, got {shard_id!r}")
        if not -1 <= offset <= num_shards:
            raise ValueError(f"offset must lie between -1 and num_shards = {num_shards}, got {offset}")
        self.num_shards, self.shard_id, self.shuffle, self.offset = num_shards, shard_id, shuffle, offset

    def indices(self, rows, draws):
        order = np.arange(rows)
        if self.shuffle:
            # Not a seed of the system's: the processes must agree although only a set seed is common to them.
            seed = base_seed()
            draws = replace(draws, seed=_COMMON_SEED if seed is None else seed)
            order = draws.order(rows, self, later=1)
        if self.offset == -1:
            share = -(-rows // self.num_shards)
            return self._limited(order[(np.arange(share) * self.num_shards + self.shard_id) % max(rows, 1)])
        places = np.arange(self.shard_id - self.offset, rows, self.num_shards)
        return self._limited(order[places[places >= 0]])

    def size(self, rows):
        if self.offset == -1:
            share = -(-rows // self.num_shards)
            return share if self.num_samples is None else min(share, self.num_samples)
        places = range(self.shard_id - self.offset, rows, self.num_shards)
        share = sum(place >= 0 for place in places)
        return share if self.num_samples is None else min(share, self.num_samples)


class PKSampler(Sampler):
    """`num_val` rows of each class, drawn with replacement, class by class.

    shuffle: the classes in random order, which stays that of the first epoch.  class_column: the column of class
    numbers.  Raises ValueError unless num_val is positive, NotImplementedError for a num_class.
    """

    def __init__(self, num_val: int, num_class: int | None = None, shuffle: bool = False, class_column: str = "label",
                 num_samples: int | None = None):
        super().__init__(num_samples)
        _check_count(num_val, "num_val")
        if num_class is not None:
            raise NotImplementedError("Not supported to specify num_class for PKSampler.")
        if not isinstance(shuffle, bool):
            raise TypeError(f"shuffle must be a bool, got {shuffle!r}")
        self.num_val, self.shuffle, self.class_column = num_val, shuffle, class_column
        self._source, self._rows_of = None, []

    def look_at(self, source):
        if source is not self._source:
            labels = source.labels(self.class_column)
            self._source, self._rows_of = source, [np.flatnonzero(labels == c) for c in np.unique(labels)]

    def indices(self, rows, draws):
        numbers, sizes = list(range(len(self._rows_of))), [len(r) for r in self._rows_of]
        seed = draws.own_seed
        if self.shuffle:
            numbers, places = mersenne.shuffled_then_drawn(numbers, self.num_val, sizes, seed)
        if not self.shuffle or draws.epoch:
            places = mersenne.drawn_below([sizes[c] for c in numbers], self.num_val, seed + draws.epoch)
        chosen = [self._rows_of[c][p] for c, of_class in zip(numbers, places) for p in of_class]
        return self._limited(np.array(chosen, np.int64))

    def size(self, rows):
        count = len(self._rows_of) * self.num_val
        return count if self.num_samples is None else min(count, self.num_samples)


class IterSampler(Sampler):
    """Any iterable of row numbers as a sampler."""

    def __init__(self, sampler, num_samples: int | None = None):
        super().__init__(num_samples)
        self.sampler = sampler

    def __iter__(self):
        return iter(self.sampler)


def select_sampler(num_samples, sampler, shuffle, num_shards, shard_id) -> Sampler:
    """The sampler that a source's arguments ask for.  Raises ValueError if they contradict each other."""
    if (num_shards is None) != (shard_id is None):
        raise ValueError("num_shards and shard_id need to be passed in together.")
    _check_count(num_samples, "num_samples", 0)
    num_samples = num_samples or None
    if sampler is not None:
        if any(argument is not None for argument in (num_samples, shuffle, num_shards)):
            raise ValueError(f"a sampler decides which rows come and how they are shuffled, so it cannot be combined "
                             f"with num_samples={num_samples}, shuffle={shuffle} or num_shards={num_shards}; "
                             "give these to the sampler")
        return sampler if isinstance(sampler, Sampler) else IterSampler(sampler)
    shuffle = True if shuffle is None else shuffle
    if num_shards is not None:
        return DistributedSampler(num_shards, shard_id, shuffle, num_samples)
    if shuffle:         # as MindSpore does it: a number of rows is drawn, a row may come more than once
        return RandomSampler(replacement=num_samples is not None, num_samples=num_samples)
    return SequentialSampler(num_samples=num_samples)
