"""Splitting a dataset into disjoint parts."""
from __future__ import annotations

from itertools import islice

import numpy as np

from graphcore.dataset import rng
from graphcore.dataset.core import Dataset
from graphcore.dataset.errors import DatasetError
from graphcore.dataset.samplers import DistributedSampler, RandomSampler, SubsetRandomSampler, SubsetSampler
from graphcore.dataset.sources import MappableSource


def split(dataset: Dataset, sizes, randomize: bool) -> tuple:
    """The parts of `dataset`, as `Dataset.split` describes them."""
    counts = part_sizes(sizes, dataset.get_dataset_size())
    order = np.arange(sum(counts))
    seed = rng.fresh_seed()
    if randomize:
        order = rng.Draws(seed).order(len(order))
    stops = np.cumsum(counts)
    chosen = [order[stop - count:stop] for stop, count in zip(stops, counts)]
    if isinstance(dataset, MappableSource) and dataset.sampler is not None:
        if isinstance(dataset.sampler, DistributedSampler):
            raise DatasetError("split: a sharded dataset cannot be split; split it first, then give each part a "
                               "DistributedSampler with use_sampler")
        rows = dataset.sampler.select(dataset.source_length(), rng.Draws(seed))
        shuffles = isinstance(dataset.sampler, RandomSampler) and randomize
        kind = SubsetRandomSampler if shuffles else SubsetSampler
        return tuple(dataset.with_sampler(kind(rows[part])) for part in chosen)
    return tuple(_Part(dataset, part, seed) for part in chosen)


def part_sizes(sizes, rows: int) -> list:
    """Row counts from counts or fractions.  Raises ValueError, or DatasetError if the counts do not add up."""
    sizes = list(sizes)
    if not sizes or any(isinstance(size, bool) or size <= 0 for size in sizes):
        raise ValueError(f"split: sizes must be positive numbers, got {sizes}")
    if all(isinstance(size, (int, np.integer)) for size in sizes):
        if sum(sizes) != rows:
            raise DatasetError(f"Sum of split sizes {sum(sizes)} is not equal to dataset size {rows}.")
        return [int(size) for size in sizes]
    if not all(isinstance(size, float) for size in sizes):
        raise ValueError(f"split: sizes must be all int or all float, got {sizes}")
    if abs(sum(sizes) - 1) > 1e-6:
        raise ValueError(f"sizes is a list of float, but the percentages do not sum up to 1: {sizes}")
    counts = [int(round(size * rows)) for size in sizes]
    # MindSpore's rule: the first part gets what rounding left over, the first that can gives what it took too much.
    excess = sum(counts) - rows
    place = 0 if excess <= 0 else next((i for i, count in enumerate(counts) if count > excess), 0)
    counts[place] -= excess
    if min(counts) < 1:
        raise DatasetError(f"split: {sizes} of {rows} rows gives parts of {counts} rows; a part would be empty")
    return counts


class _Part(Dataset):
    """Some rows of a dataset without random access; the whole of it is read in an order that never changes."""

    def __init__(self, child: Dataset, chosen: np.ndarray, seed: int):
        super().__init__(child)
        self._chosen, self._seed = np.sort(chosen), seed

    def rows(self, run):
        # The split must not move between epochs, so the children always run the same epoch with the same seed.
        fixed = type(run)(0, self._seed, run.numbers)
        wanted = iter(self._chosen.tolist())
        position, nxt = -1, next(wanted, None)
        source = self.children[0].rows(fixed)
        while nxt is not None:
            row = next(islice(source, nxt - position - 1, None), None)
            if row is None:
                return
            position, nxt = nxt, next(wanted, None)
            yield row

    def size(self):
        return len(self._chosen)
