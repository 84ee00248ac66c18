"""MindDataset: rows of MindRecord files."""
from __future__ import annotations

import os

import numpy as np

from graphcore.dataset.errors import DatasetError
from graphcore.dataset.samplers import select_sampler
from graphcore.dataset.sources import MappableSource
from graphcore.mindrecord.reader import Records


class MindDataset(MappableSource):
    """The rows of MindRecord files, as `mindrecord.FileWriter` writes them.

    dataset_files: one file, which leads to the others written with it, or a list of files that are read alone.
    columns_list: the columns wanted, by default all, in the order of their names.  shuffle: None and True shuffle rows;
    MindSpore's Shuffle values do so too, except that INFILE and FILES keep to the files.
    padded_sample, num_padded: that many rows with these values are added at the end.
    Numbers are 0-d arrays of the column's dtype, strings 0-d arrays of str, bytes an array [1] of bytes.
    """

    def __init__(self, dataset_files, columns_list=None, num_parallel_workers=None, shuffle=None, num_shards=None,
                 shard_id=None, sampler=None, padded_sample=None, num_padded=None, num_samples=None, cache=None):
        for file in [dataset_files] if isinstance(dataset_files, str) else dataset_files:
            if not os.path.isfile(file):
                raise ValueError(f"The file {file} does not exist or permission denied!")
        self.records = Records(dataset_files)
        known = self.records.schema.columns
        unknown = [name for name in columns_list or () if name not in known]
        if unknown:
            raise DatasetError(f"MindDataset: there are no columns {', '.join(unknown)}; there are {', '.join(known)}")
        if (padded_sample is None) != (num_padded is None):
            raise ValueError("padded_sample and num_padded are given together")
        shuffled = shuffle if shuffle is None or isinstance(shuffle, bool) else True
        super().__init__(list(columns_list or known),
                         select_sampler(num_samples, sampler, shuffled, num_shards, shard_id))
        self._padding, self._padded = padded_sample, num_padded or 0
        missing = [name for name in self._columns if self._padded and name not in padded_sample]
        if missing:
            raise ValueError(f"padded_sample lacks the column(s) {', '.join(missing)}")

    def source_length(self):
        return len(self.records) + self._padded

    def row(self, index):
        row = self.records[index] if index < len(self.records) else self._padding
        return tuple(self._array(name, row[name]) for name in self._columns)

    def _array(self, name: str, value) -> np.ndarray:
        entry = self.records.schema.columns[name]
        if entry["type"] == "bytes":
            return np.array([bytes(value)])
        if entry["type"] == "string":
            return np.array(value)
        return np.asarray(value, entry["type"])
