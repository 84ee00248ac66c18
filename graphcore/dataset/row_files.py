"""Datasets of rows in files: TFRecord, text, CSV; and rows given for padding."""
from __future__ import annotations

import csv
import enum
import glob
from pathlib import Path

import numpy as np

from graphcore.dataset.core import as_array
from graphcore.dataset.errors import DatasetError
from graphcore.dataset.mersenne import shuffled_by_buffer
from graphcore.dataset.samplers import Sampler
from graphcore.dataset.schema import Schema, numpy_type
from graphcore.dataset.sources import MappableSource
from graphcore.files.framed import places
from graphcore.files.protobuf import fields, read_varint

__all__ = ["CSVDataset", "PaddedDataset", "Shuffle", "TFRecordDataset", "TextFileDataset"]


class Shuffle(str, enum.Enum):
    """What is shuffled: files and rows, only the order of files, or only the rows within each file."""

    GLOBAL = "global"
    FILES = "files"
    INFILE = "infile"


_BUFFER = 10000         # rows, at least, of the buffer in which MindSpore shuffles what it reads


class RowsOfFiles(Sampler):
    """The rows of files one after the other, shuffled as `shuffle` says, and a share of them.

    Under a seed the orders are MindSpore's with one worker; of several it lets each read a file, in turns.

    counts: the rows of each file.  equal: shares are of equal length, and are blocks of rows; otherwise of files.
    """

    def __init__(self, counts: list, shuffle, num_samples, num_shards, shard_id, equal: bool):
        super().__init__(num_samples or None)
        if (num_shards is None) != (shard_id is None):
            raise ValueError("num_shards and shard_id need to be passed in together.")
        if num_shards is not None and not 0 <= shard_id < num_shards:
            raise ValueError(f"shard_id must lie between 0 and num_shards - 1 = {num_shards - 1}, got {shard_id}")
        self._counts, self._equal, self._shards = counts, equal, (num_shards or 1, shard_id or 0)
        kinds = {None: Shuffle.GLOBAL, True: Shuffle.GLOBAL, False: None}
        self._shuffle = kinds[shuffle] if shuffle is None or isinstance(shuffle, bool) else Shuffle(shuffle)

    def indices(self, rows, draws):
        starts = np.cumsum([0, *self._counts])
        files = np.arange(len(self._counts))
        shards, own = self._shards
        if not self._equal:
            files = files[own::shards]
        if self._shuffle is Shuffle.FILES or self._shuffle is Shuffle.GLOBAL:
            files = files[draws.order(len(files), "files", one_seed=True)]
        parts = [np.arange(starts[f], starts[f + 1]) for f in files]
        if self._shuffle is Shuffle.INFILE:
            generator = draws.generator
            parts = [generator.permutation(part) for part in parts]
        order = np.concatenate(parts) if parts else np.zeros(0, np.int64)
        if self._equal:
            share = -(-len(order) // shards)
            order = order[np.arange(own * share, (own + 1) * share) % max(len(order), 1)]
        if self._shuffle is Shuffle.GLOBAL:
            buffer = max(_BUFFER, 4 * (len(order) // max(len(files), 1)))
            words = draws.words(len(order))
            order = np.array(list(shuffled_by_buffer(iter(order), buffer, words)), np.int64)
        return self._limited(order)


def _found(patterns) -> list[Path]:
    """The files that a pattern, or a list of them, names, sorted.  Raises ValueError for a pattern without any."""
    patterns = [patterns] if isinstance(patterns, str) else list(patterns)
    found, without = [], []
    for pattern in patterns:
        matches = sorted(glob.glob(pattern))
        found += [Path(m) for m in matches]
        if not matches:
            without.append(pattern)
    if without:
        raise ValueError(f"The following patterns did not match any files: {without}.")
    return found


class TextFileDataset(MappableSource):
    """The lines of text files that are not empty: column text, 0-d arrays of str.

    dataset_files: a path or pattern, or a list of them.  shuffle: see `Shuffle`; None and True shuffle everything.
    """

    def __init__(self, dataset_files, num_samples=None, num_parallel_workers=None, shuffle=Shuffle.GLOBAL,
                 num_shards=None, shard_id=None, cache=None):
        files = [[line for line in path.read_text(encoding="utf-8").splitlines() if line]
                 for path in _found(dataset_files)]
        self._lines = [line for lines in files for line in lines]
        super().__init__(["text"], RowsOfFiles([len(lines) for lines in files], shuffle, num_samples, num_shards,
                                                shard_id, equal=True))

    def source_length(self):
        return len(self._lines)

    def row(self, index):
        return (np.array(self._lines[index]),)


class CSVDataset(MappableSource):
    """The lines of CSV files; numbers become int32 or float32, by `column_defaults`, all else str.

    field_delim: one character.  column_defaults: a value of the column's type for each column, taken for empty fields;
    without it everything is str.  column_names: by default the first line of each file has them.
    """

    def __init__(self, dataset_files, field_delim=",", column_defaults=None, column_names=None, num_samples=None,
                 num_parallel_workers=None, shuffle=Shuffle.GLOBAL, num_shards=None, shard_id=None, cache=None):
        if not isinstance(field_delim, str) or len(field_delim) != 1:
            raise ValueError(f"field_delim must be one character, got {field_delim!r}")
        counts, self._rows = [], []
        for path in _found(dataset_files):
            with path.open(encoding="utf-8", newline="") as file:
                lines = [line for line in csv.reader(file, delimiter=field_delim) if line]
            if column_names is None:
                names, lines = lines[0] if lines else [], lines[1:]
            else:
                names = list(column_names)
            wrong = next((line for line in lines if len(line) != len(names)), None)
            if wrong is not None:
                raise DatasetError(f"{path}: a line has {len(wrong)} fields, but there are {len(names)} columns")
            counts.append(len(lines))
            self._rows += lines
        self._defaults = column_defaults or [""] * len(names)
        if len(self._defaults) != len(names):
            raise ValueError(f"column_defaults has {len(self._defaults)} values for {len(names)} columns")
        super().__init__(names, RowsOfFiles(counts, shuffle, num_samples, num_shards, shard_id, equal=True))

    def source_length(self):
        return len(self._rows)

    def row(self, index):
        return tuple(self._value(text, default, name) for text, default, name in
                     zip(self._rows[index], self._defaults, self._columns))

    @staticmethod
    def _value(text: str, default, name: str) -> np.ndarray:
        if isinstance(default, str):
            return np.array(text or default)
        kind = np.float32 if isinstance(default, float) else np.int32
        try:
            return np.array(kind(text) if text else default, kind)
        except ValueError:
            raise DatasetError(f"CSVDataset: column {name!r} holds {kind.__name__}, but a line has {text!r}") from None


class TFRecordDataset(MappableSource):
    """The examples of TFRecord files: ints as int64, floats as float32, bytes as uint8, each an array of one axis.

    schema: a Schema, or the path of one; its columns alone are read, in its dtypes and shapes.  columns_list: the
    columns wanted, by default all.  shuffle: see `Shuffle`; None and True shuffle everything.  num_shards, shard_id:
    files dealt out, or with `shard_equal_rows` equal blocks of rows.
    """

    def __init__(self, dataset_files, schema=None, columns_list=None, num_samples=None, num_parallel_workers=None,
                 shuffle=Shuffle.GLOBAL, num_shards=None, shard_id=None, shard_equal_rows=False, cache=None,
                 compression_type=None):
        if compression_type:
            raise NotImplementedError("TFRecordDataset reads files that are not compressed; unpack them first")
        paths = _found(dataset_files)
        of_files = [places(path) for path in paths]
        self._places = [(path, *place) for path, found in zip(paths, of_files) for place in found]
        schema = Schema(schema) if isinstance(schema, str) else schema
        self._entries = {entry["name"]: entry for entry in schema.columns} if schema is not None else {}
        names = list(columns_list or self._entries) or (sorted(self._example(0)) if self._places else [])
        super().__init__(names, RowsOfFiles([len(found) for found in of_files], shuffle, num_samples, num_shards,
                                             shard_id, shard_equal_rows))

    def source_length(self):
        return len(self._places)

    def row(self, index):
        example = self._example(index)
        missing = [name for name in self._columns if name not in example]
        if missing:
            raise DatasetError(f"TFRecordDataset: example {index} has no column(s) {', '.join(missing)}; it has "
                               f"{', '.join(sorted(example))}")
        return tuple(self._typed(example[name], self._entries.get(name)) for name in self._columns)

    @staticmethod
    def _typed(array: np.ndarray, entry: dict | None) -> np.ndarray:
        if entry is None:
            return array
        array = array.astype(numpy_type(entry) or array.dtype)
        return array.reshape(entry["shape"]) if "shape" in entry else array

    def _example(self, index: int) -> dict:
        path, offset, length = self._places[index]
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(length)
        try:
            found = {}
            for _, features in fields(data):
                for _, item in fields(features):
                    parts = dict(fields(item))
                    found[parts[1].decode()] = _feature(parts[2])
            return found
        except (ValueError, KeyError) as error:
            raise DatasetError(f"{path}: record {index} is no tf.train.Example: {error}") from error


def _feature(data: bytes) -> np.ndarray:
    for number, values in fields(data):
        listed = [value for _, value in fields(values)]
        if number == 1:
            return np.frombuffer(b"".join(listed), np.uint8).copy()
        if number == 2:
            return np.frombuffer(b"".join(listed), "<f4").copy()
        numbers: list[int] = []
        for value in listed:
            at, packed = 0, isinstance(value, bytes)
            while packed and at < len(value):
                one, at = read_varint(value, at)
                numbers.append(one)
            if not packed:
                numbers.append(value)
        return np.array(numbers, np.uint64).astype(np.int64)
    return np.zeros(0, np.int64)


class PaddedDataset(MappableSource):
    """Rows given as dicts from column to array, to be added to another dataset."""

    def __init__(self, padded_samples):
        if not isinstance(padded_samples, list) or not padded_samples or not all(
                isinstance(row, dict) for row in padded_samples):
            raise TypeError("padded_samples must be a list of dicts, one for each row")
        names = list(padded_samples[0])
        if any(list(row) != names for row in padded_samples):
            raise ValueError("all padded_samples must have the same columns")
        self._rows = [tuple(as_array(row[name], f"column {name!r}") for name in names) for row in padded_samples]
        super().__init__(names, RowsOfFiles([len(self._rows)], False, None, None, None, equal=True))

    def source_length(self):
        return len(self._rows)

    def row(self, index):
        return self._rows[index]
