"""Writing MindRecord files."""
from __future__ import annotations

import sqlite3
import struct
from pathlib import Path

from graphcore.mindrecord.exceptions import (
    MindRecordException,
    MRMInvalidSchemaError,
    MRMOpenError,
    MRMWriteRowError,
    ParamTypeError,
    ParamValueError,
)
from graphcore.mindrecord.file_format import (
    HEADER_SIZE,
    INDEX_TYPES,
    PAGE_SIZE,
    Schema,
    header_bytes,
    read_header,
)


class FileWriter:
    """Writes rows to ``file_name``, or to `shard_num` files ``file_name0``, ``file_name1``, ...; a ``.db`` beside each.

        writer = FileWriter("train.mindrecord")
        writer.add_schema({"image": {"type": "bytes"}, "label": {"type": "int32"}})
        writer.write_raw_data([{"image": data, "label": 3}])
        writer.commit()

    Rows of several files are dealt out in turn.  Raises ParamTypeError, ParamValueError for unusable arguments,
    MindRecordException for files that exist already, unless `overwrite`.
    """

    def __init__(self, file_name: str, shard_num: int = 1, overwrite: bool = False):
        if not isinstance(file_name, str):
            raise ParamTypeError(f"file_name must be a str, got {type(file_name).__name__}")
        if not isinstance(shard_num, int) or isinstance(shard_num, bool):
            raise ParamTypeError(f"shard_num must be an int, got {type(shard_num).__name__}")
        if not 1 <= shard_num <= 1000:
            raise ParamValueError(f"shard_num must lie between 1 and 1000, got {shard_num}")
        digits = len(str(shard_num - 1))
        self._paths = [Path(file_name)] if shard_num == 1 else [
            Path(f"{file_name}{i:0{digits}d}") for i in range(shard_num)]
        self._overwrite, self._schema, self._index = overwrite, None, []
        self._header_size, self._page_size = HEADER_SIZE, PAGE_SIZE
        self._shards: list | None = None
        self._rows = 0

    @classmethod
    def open_for_append(cls, file_name: str) -> FileWriter:
        """A writer that adds rows to files that exist; file_name: the (first) file.  Raises MRMOpenError."""
        try:
            return cls._appending(file_name, read_header(Path(file_name)))
        except (KeyError, TypeError, IndexError, AttributeError, sqlite3.Error) as error:
            raise MRMOpenError(f"{file_name} cannot be read as a MindRecord file: {error}") from error

    @classmethod
    def _appending(cls, file_name: str, header: dict) -> FileWriter:
        writer = cls(file_name)
        writer._paths = [Path(file_name).parent / name for name in header["shard_addresses"]]
        writer._schema = Schema.checked(header["schema"][0]["schema"], header["schema"][0]["desc"])
        writer._index = [entry["index_field"] for entry in header["index_fields"] or ()]
        writer._header_size, writer._page_size = header["header_size"], header["page_size"]
        writer._shards = [_Shard.existing(path, writer) for path in writer._paths]
        writer._rows = sum(len(shard.index) for shard in writer._shards)
        return writer

    # -- before the first row ----------------------------------------------------------------------------------
    def add_schema(self, content: dict, desc: str | None = None) -> int:
        """Say which columns there are: ``{"label": {"type": "int32"}, "mask": {"type": "int64", "shape": [-1]}}``.

        Raises MRMInvalidSchemaError for what is none.
        """
        if self._schema is not None:
            raise MRMInvalidSchemaError("the files have a schema already; add_schema is called once")
        self._schema = Schema.checked(content, desc)
        return 0

    def add_index(self, index_fields: list) -> int:
        """Choose columns, of numbers or strings, by which the index can be searched."""
        for name in index_fields:
            if self._schema is None or name not in self._schema.singles:
                raise MindRecordException(f"add_index: {name!r} is no column of numbers or strings of the schema")
        self._index = list(index_fields)
        return 0

    def set_header_size(self, header_size: int) -> int:
        """The bytes kept for the header, a multiple of 4 from 16 KiB to 128 MiB."""
        self._header_size = _checked_size(header_size, "header_size", 1 << 14, 1 << 27)
        return 0

    def set_page_size(self, page_size: int) -> int:
        """The bytes of a page, the most that a row may take: a multiple of 4 from 32 KiB to 256 MiB."""
        self._page_size = _checked_size(page_size, "page_size", 1 << 15, 1 << 28)
        return 0

    def open_and_set_header(self) -> int:
        """Begin the files; `write_raw_data` does it too."""
        if self._shards is None:
            if self._schema is None:
                raise MRMInvalidSchemaError("there is no schema yet; call add_schema first")
            taken = [p for path in self._paths for p in (path, _index_path(path)) if p.exists()]
            if taken and not self._overwrite:
                raise MindRecordException(f"{taken[0]} exists already; remove it, or set overwrite=True")
            for path in taken:
                path.unlink()
            self._shards = [_Shard(path, self) for path in self._paths]
            if not self._index:
                self._index = self._schema.singles[:10]     # as many as MindSpore takes
        return 0

    # -- rows ----------------------------------------------------------------------------------------------------
    def write_raw_data(self, raw_data: list, parallel_writer: bool = False) -> int:
        """Write rows, a list of dicts from column names to values.

        parallel_writer: accepted; one process writes.  Raises MRMWriteRowError for rows that do not fit the schema.
        """
        if not isinstance(raw_data, list) or not all(isinstance(row, dict) for row in raw_data):
            raise ParamTypeError("write_raw_data takes a list of dicts, one for each row")
        self.open_and_set_header()
        packed = [(self._schema.pack(row), [row[name] for name in self._index]) for row in raw_data]
        for (raw, blob), indexed in packed:
            self._shards[self._rows % len(self._shards)].add(raw, blob, indexed)
            self._rows += 1
        return 0

    def commit(self) -> int:
        """Finish the files: headers and indices are written now."""
        self.open_and_set_header()
        names = [path.name for path in self._paths]
        for number, shard in enumerate(self._shards):
            shard.finish(self, names, number)
        return 0


def _checked_size(value, name: str, low: int, high: int) -> int:
    if not isinstance(value, int) or value % 4 or not low <= value <= high:
        raise ParamValueError(f"{name} must be a multiple of 4 between {low} and {high}, got {value!r}")
    return value


def _index_path(path: Path) -> Path:
    return path.with_name(path.name + ".db")


class _Page:
    """A page that is being filled."""

    def __init__(self, number: int, kind: str, kind_number: int, group: int, first_row: int):
        self.number, self.kind, self.kind_number = number, kind, kind_number
        self.groups = [{"id": group, "offset": 0}]
        self.size, self.first_row, self.rows = 0, first_row, 0

    def as_json(self) -> dict:
        raw = self.kind == "RAW_DATA"
        return {"end_row_id": 0 if raw else self.first_row + self.rows, "page_id": self.number, "page_size": self.size,
                "page_type": self.kind, "page_type_id": self.kind_number, "row_group_ids": self.groups, "shard_id": 0,
                "start_row_id": 0 if raw else self.first_row}


class _Shard:
    """One file of a writer: its pages and its index."""

    def __init__(self, path: Path, writer: FileWriter):
        self.header_size, self.page_size = writer._header_size, writer._page_size
        self.pages: list[_Page] = []
        self.index: list[tuple] = []
        self._path = path
        try:
            self._file = path.open("wb")
        except OSError as error:
            raise MRMOpenError(f"{path} cannot be written: {error.strerror}") from error

    @classmethod
    def existing(cls, path: Path, writer: FileWriter) -> _Shard:
        """A file to which rows are added, on pages of their own."""
        header = read_header(path)
        shard = object.__new__(cls)
        shard.header_size, shard.page_size, shard._path = writer._header_size, writer._page_size, path
        shard.pages, shard._file = [], path.open("r+b")
        for entry in header["page"]:
            page = _Page(entry["page_id"], entry["page_type"], entry["page_type_id"], 0, entry["start_row_id"])
            page.groups, page.size = entry["row_group_ids"], shard.page_size
            page.size, page.rows = entry["page_size"], entry["end_row_id"] - entry["start_row_id"]
            shard.pages.append(page)
        with sqlite3.connect(_index_path(path)) as database:
            shard.index = database.execute("SELECT * FROM INDEXES ORDER BY ROW_ID").fetchall()
        database.close()
        return shard

    def add(self, raw: bytes, blob: bytes, indexed: list) -> None:
        raw, blob = (struct.pack("<Q", len(part)) + part for part in (raw, blob))
        if max(len(raw), len(blob)) > self.page_size:
            raise MRMWriteRowError(f"a row has {max(len(raw), len(blob))} bytes, more than a page of {self.page_size}; "
                                   "see set_page_size")
        row = len(self.index)
        blob_page = self._page("BLOB_DATA", len(blob))
        group = blob_page.groups[0]["id"]
        raw_page = self._page("RAW_DATA", len(raw), group)
        if raw_page.groups[-1]["id"] != group:
            raw_page.groups.append({"id": group, "offset": raw_page.size})
        raw_begin, blob_begin = self._put(raw_page, raw), self._put(blob_page, blob)
        values = [value for column in _index_entries(row, indexed) for value in column]
        self.index.append((row, raw_page.number, raw_begin, raw_page.size, group, blob_page.number, blob_begin,
                           blob_page.size, *values))

    def _page(self, kind: str, size: int, group: int | None = None) -> _Page:
        """The last page of a kind, or a new one where `size` more bytes do not fit."""
        own = [page for page in self.pages if page.kind == kind]
        if not own or own[-1].size + size > self.page_size:
            page = _Page(len(self.pages), kind, len(own), len(own) if group is None else group, len(self.index))
            self.pages.append(page)
            return page
        return own[-1]

    def _put(self, page: _Page, data: bytes) -> int:
        begin = page.size
        self._file.seek(self.header_size + page.number * self.page_size + begin)
        self._file.write(data)
        page.size += len(data)
        page.rows += 1
        return begin

    def finish(self, writer: FileWriter, names: list, number: int) -> None:
        self._file.seek(0)
        self._file.write(header_bytes([page.as_json() for page in self.pages], writer._schema, writer._index, names,
                                      number, self.header_size, self.page_size))
        self._file.close()
        columns = [(f"INC_{i} INT", f"{name}_{i} {INDEX_TYPES[writer._schema.columns[name]['type']]}")
                   for i, name in enumerate(writer._index)]
        keys = ", ".join(["ROW_ID", *(f"INC_{i}" for i in range(len(columns)))])
        table = "".join(f", {part}" for pair in columns for part in pair)
        path = _index_path(self._path)
        path.unlink(missing_ok=True)
        with sqlite3.connect(path) as database:
            database.execute(
                "CREATE TABLE INDEXES(ROW_ID INT NOT NULL, PAGE_ID_RAW INT NOT NULL, PAGE_OFFSET_RAW INT NOT NULL, "
                "PAGE_OFFSET_RAW_END INT NOT NULL, ROW_GROUP_ID INT NOT NULL, PAGE_ID_BLOB INT NOT NULL, "
                "PAGE_OFFSET_BLOB INT NOT NULL, PAGE_OFFSET_BLOB_END INT NOT NULL"
                f"{table}, PRIMARY KEY({keys}))")
            places = ",".join("?" * (8 + 2 * len(columns)))
            database.executemany(f"INSERT INTO INDEXES VALUES({places})", self.index)
            database.execute("CREATE TABLE SHARD_NAME(NAME TEXT NOT NULL)")
            database.execute("INSERT INTO SHARD_NAME VALUES(?)", (self._path.name,))
        database.close()


def _index_entries(row: int, indexed: list) -> list:
    """(counter, value) for each column of the index."""
    return [(0, value.item() if hasattr(value, "item") else value) for value in indexed]
