"""Reading MindRecord files."""
from __future__ import annotations

import os
import sqlite3
from bisect import bisect_right
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

import numpy as np

from graphcore.mindrecord.exceptions import MindRecordException, MRMOpenError
from graphcore.mindrecord.file_format import Schema, read_header


class Records:
    """The rows of MindRecord files by number: row i of the first file, then those of the next.

    files: one file, which leads to the others that were written with it, or a list of files, which are read alone.
    Raises MRMOpenError for files that are missing, are none, or have another schema than the first.
    """

    def __init__(self, files):
        if isinstance(files, (str, Path)):
            first = Path(files)
            paths = [first.parent / name for name in read_header(first)["shard_addresses"]]
            paths = paths if first.name in {path.name for path in paths} else [first]       # it was renamed
        else:
            paths = [Path(file) for file in files]
        headers = [read_header(path) for path in paths]
        schemas = [header["schema"][0] for header in headers]
        if any(schema["schema"] != schemas[0]["schema"] for schema in schemas):
            raise MRMOpenError(f"{', '.join(map(str, paths))} have different schemas")
        self.schema = Schema.checked(schemas[0]["schema"], schemas[0]["desc"])
        self._files = [(path, header, _index_of(path)) for path, header in zip(paths, headers)]
        self._ends = list(accumulate(len(places) for _, _, places in self._files))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    def __getitem__(self, number: int) -> dict:
        if not 0 <= number < len(self):
            raise IndexError(f"there is no row {number} of {len(self)}")
        which = bisect_right(self._ends, number)
        path, header, places = self._files[which]
        raw_page, raw_begin, raw_end, blob_page, blob_begin, blob_end = places[number - self._ends[which]].tolist()
        raw = self._read(path, header, raw_page, raw_begin, raw_end)
        return self.schema.unpack(raw, self._read(path, header, blob_page, blob_begin, blob_end))

    def _read(self, path: Path, header: dict, page: int, begin: int, end: int) -> bytes:
        start, length = header["header_size"] + page * header["page_size"] + begin + 8, end - begin - 8
        with path.open("rb") as file:       # opened anew: rows may be read by several threads and processes
            if length < 0 or start + length > os.fstat(file.fileno()).st_size:
                raise MRMOpenError(f"{path} ends within a row; it is damaged")
            file.seek(start)
            return file.read(length)


_STEPS_FOR_A_BYTE = 100     # of SQLite, for a byte of an index: a few hundred for a row of 50 bytes are enough


def _index_of(path: Path) -> np.ndarray:
    """int64 (rows, 6): page, begin and end of the raw part and of the blobs of each row.  Raises MRMOpenError."""
    index = path.with_name(path.name + ".db")
    if not index.exists():
        raise MRMOpenError(f"{index}, the index of {path}, is missing")
    try:
        database = sqlite3.connect(f"{index.absolute().as_uri()}?mode=ro", uri=True)
        try:
            # An index may come from anywhere: it must be a table, not a query that never ends.
            database.execute("PRAGMA trusted_schema = OFF")
            steps = 1000 + index.stat().st_size * _STEPS_FOR_A_BYTE // 1000
            ticks = iter(range(steps))
            database.set_progress_handler(lambda: next(ticks, None) is None, 1000)
            kinds = database.execute("SELECT type FROM sqlite_master WHERE name = 'INDEXES'").fetchall()
            if kinds != [("table",)]:
                raise ValueError("it has no table INDEXES")
            rows = database.execute(
                "SELECT PAGE_ID_RAW, PAGE_OFFSET_RAW, PAGE_OFFSET_RAW_END, PAGE_ID_BLOB, PAGE_OFFSET_BLOB, "
                "PAGE_OFFSET_BLOB_END FROM INDEXES ORDER BY ROW_ID")
            places = np.fromiter((value for row in rows for value in row), np.int64).reshape(-1, 6)
        finally:
            database.close()
    except (sqlite3.Error, ValueError, TypeError, OverflowError) as error:
        raise MRMOpenError(f"{index} is no index of a MindRecord file: {error}") from error
    if places.size and not 0 <= places.min() <= places.max() < 1 << 47:
        raise MRMOpenError(f"{index} is no index of a MindRecord file: its places are not in any file")
    return places


class FileReader:
    """Reads rows as dicts, in their order.

    file_name: a file or a list of files.  columns: the columns wanted, by default all.  num_consumer, operator:
    accepted for MindSpore's sake (threads, conditions on the index: None).
    """

    def __init__(self, file_name, num_consumer: int = 4, columns: list | None = None, operator=None):
        if operator is not None:
            raise NotImplementedError("FileReader does not search its index; filter the rows that get_next gives")
        self._records = Records(file_name)
        unknown = set(columns or ()) - set(self._records.schema.columns)
        if unknown:
            raise MindRecordException(f"there are no columns {', '.join(sorted(unknown))}; there are "
                                      f"{', '.join(self._records.schema.columns)}")
        self._columns, self._closed = columns, False

    def get_next(self) -> Iterator[dict]:
        """Yield the rows."""
        for number in range(len(self._records)):
            if self._closed:
                return
            row = self._records[number]
            yield row if self._columns is None else {name: row[name] for name in self._columns}

    def schema(self) -> dict:
        """The columns and their types."""
        return dict(self._records.schema.columns)

    def len(self) -> int:
        """How many rows there are."""
        return len(self._records)

    def close(self) -> None:
        """End `get_next`."""
        self._closed = True
