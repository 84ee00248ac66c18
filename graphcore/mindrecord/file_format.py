"""The layout of a MindRecord file, and of the index that lies beside it as ``NAME.db``.

A file is a header (its length in 8 bytes, JSON, room up to `header_size`) and pages of `page_size` bytes.  Of a row,
single values (numbers, strings) go to RAW_DATA pages as a MessagePack map, arrays and bytes to BLOB_DATA pages; the
index, an SQLite table, has for each row the pages and the places in them.
"""
from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from graphcore.mindrecord.exceptions import MRMInvalidSchemaError, MRMOpenError, MRMWriteRowError
from graphcore.mindrecord.packing import pack_ints, pack_map, unpack_ints, unpack_map

HEADER_SIZE, PAGE_SIZE = 1 << 24, 1 << 25
VERSION = "3.0"
TYPES = ("bytes", "string", "int32", "int64", "float32", "float64")
INDEX_TYPES = {"string": "TEXT", "int32": "INTEGER", "int64": "INTEGER", "float32": "REAL", "float64": "REAL"}


@dataclass(frozen=True)
class Schema:
    """The columns: name -> {"type": ...} or {"type": ..., "shape": [...]}, sorted by name."""

    columns: dict
    description: str

    @classmethod
    def checked(cls, content, description=None) -> Schema:
        """A schema from what a user gives.  Raises MRMInvalidSchemaError."""
        if not isinstance(content, dict) or not content:
            raise MRMInvalidSchemaError(f"a schema is a dict from column names to their types, got {content!r}")
        for name, entry in content.items():
            if not isinstance(entry, dict) or entry.get("type") not in TYPES or set(entry) - {"type", "shape"}:
                raise MRMInvalidSchemaError(f"column {name!r} is described by {entry!r}; it takes {{'type': one of "
                                            f"{', '.join(TYPES)}}} and, for arrays, a 'shape'")
            if "shape" in entry and entry["type"] in ("bytes", "string"):
                raise MRMInvalidSchemaError(f"column {name!r}: {entry['type']} has no shape")
            sizes = entry.get("shape", ())
            if not isinstance(sizes, (list, tuple)) or not all(_is_count(size) or size == -1 for size in sizes):
                raise MRMInvalidSchemaError(f"column {name!r}: a shape is a list of sizes, one may be -1; got "
                                            f"{sizes!r}")
        return cls(dict(sorted(content.items())), description or "")

    @property
    def blobs(self) -> list:
        """The columns that are arrays or bytes."""
        return [name for name, entry in self.columns.items() if "shape" in entry or entry["type"] == "bytes"]

    @property
    def singles(self) -> list:
        """The columns that are numbers or strings."""
        return [name for name in self.columns if name not in self.blobs]

    def as_json(self) -> dict:
        return {"blob_fields": self.blobs, "desc": self.description, "schema": self.columns}

    # -- rows ------------------------------------------------------------------------------------------------
    def pack(self, row: dict) -> tuple[bytes, bytes]:
        """The two parts of a row.  Raises MRMWriteRowError for one that does not fit."""
        missing = [name for name in self.columns if name not in row]
        if missing:
            raise MRMWriteRowError(f"a row lacks the column(s) {', '.join(missing)}; it has {', '.join(map(str, row))}")
        singles = {name: self._single(name, row[name]) for name in self.singles}
        blobs = [self._blob(name, row[name]) for name in self.blobs]
        if not blobs:
            return pack_map(singles), bytes(4)
        if len(blobs) == 1:
            return pack_map(singles or {"id": 0}), blobs[0]
        return pack_map(singles or {"id": 0}), b"".join(struct.pack(">Q", len(b)) + b for b in blobs)

    def _single(self, name: str, value):
        kind = self.columns[name]["type"]
        convert = {"string": str, "int32": int, "int64": int, "float32": float, "float64": float}[kind]
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value.item()
        wanted = {str: str, int: (int, np.integer), float: (int, float, np.integer, np.floating)}[convert]
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise MRMWriteRowError(f"column {name!r} holds {kind}, but a row has a {type(value).__name__}")
        return convert(value)

    def _blob(self, name: str, value) -> bytes:
        entry = self.columns[name]
        if entry["type"] == "bytes":
            if not isinstance(value, (bytes, bytearray)):
                raise MRMWriteRowError(f"column {name!r} holds bytes, but a row has a {type(value).__name__}")
            return bytes(value)
        array = np.asarray(value)
        if array.dtype != entry["type"]:
            raise MRMWriteRowError(f"column {name!r} holds arrays of {entry['type']}, but a row has one of "
                                   f"{array.dtype}; convert it with .astype")
        shape = entry["shape"]
        fits = array.size == abs(int(np.prod(shape))) if -1 not in shape else True
        if not fits:
            raise MRMWriteRowError(f"column {name!r} holds arrays of shape {shape}, but a row has {list(array.shape)}")
        return pack_ints(array) if array.dtype.kind == "i" else array.tobytes()

    def unpack(self, raw: bytes, blob: bytes) -> dict:
        """A row as MindSpore gives it: Python's numbers and strings, arrays, bytes.  Raises MRMOpenError."""
        try:
            singles = unpack_map(raw)
            row = {name: singles[name] for name in self.singles}
            for name, part in zip(self.blobs, self._split(blob)):
                entry = self.columns[name]
                row[name] = part if entry["type"] == "bytes" else _array(part, entry)
        except (ValueError, KeyError, IndexError, struct.error) as error:
            raise MRMOpenError(f"a row is damaged: {type(error).__name__}: {error}") from None
        return row

    def _split(self, blob: bytes) -> list:
        """The bytes of each array column.  Raises ValueError, struct.error."""
        if len(self.blobs) < 2:
            return [blob]
        parts, at = [], 0
        for _ in self.blobs:
            length = struct.unpack_from(">Q", blob, at)[0]
            at += 8 + length
            if at > len(blob):
                raise ValueError(f"an array of {length} bytes in {len(blob)}")
            parts.append(blob[at - length:at])
        return parts


def _array(part: bytes, entry: dict) -> np.ndarray:
    dtype = np.dtype(entry["type"])
    flat = unpack_ints(part, dtype) if dtype.kind == "i" else np.frombuffer(part, dtype).copy()
    return flat.reshape(entry["shape"])


def _is_count(value) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and 0 <= value < 1 << 47


def header_bytes(pages: list, schema: Schema, index_fields: list, files: list, shard: int, header_size: int,
                 page_size: int) -> bytes:
    """The header of a file, padded to `header_size`.  Raises MRMWriteRowError where it does not fit."""
    fields = [{"index_field": name, "schema_id": 0} for name in index_fields] or None
    text = json.dumps({
        "header_size": header_size, "index_fields": fields, "page": pages, "page_size": page_size,
        "compression_size": 0, "schema": [schema.as_json()], "shard_addresses": files, "shard_id": shard,
        "statistics": None, "version": VERSION}, separators=(",", ":")).encode()
    if len(text) + 8 > header_size:
        raise MRMWriteRowError(f"the header needs {len(text) + 8} bytes of {header_size}; see set_header_size")
    return struct.pack("<Q", len(text)) + text


def read_header(path: Path) -> dict:
    """The header of a file.  Raises MRMOpenError for what is no MindRecord file."""
    try:
        with path.open("rb") as file:
            length, size = int.from_bytes(file.read(8), "little"), path.stat().st_size
            if not 0 < length <= size - 8:
                raise ValueError("its header has no length")
            header = json.loads(file.read(length))
        _check_header(header)
        return header
    except (OSError, ValueError, RecursionError) as error:
        raise MRMOpenError(f"{path} cannot be read as a MindRecord file: {error}") from error


def _check_header(header) -> None:
    """Raise ValueError unless a header has what a reader needs: sizes, one schema, the names of files beside it."""
    if not isinstance(header, dict) or not {"header_size", "page_size", "schema", "shard_addresses"} <= set(header):
        raise ValueError("its header lacks entries")
    if not all(_is_count(header[name]) for name in ("header_size", "page_size")):
        raise ValueError("its header has no sizes")
    schemas, names = header["schema"], header["shard_addresses"]
    if not isinstance(schemas, list) or len(schemas) != 1 or not isinstance(schemas[0], dict) or not {
            "schema", "desc"} <= set(schemas[0]):
        raise ValueError("its header has no schema")
    try:
        Schema.checked(schemas[0]["schema"])
    except MRMInvalidSchemaError as error:
        raise ValueError(str(error)) from None
    if not isinstance(names, list) or not all(isinstance(name, str) and _is_file_name(name) for name in names):
        raise ValueError("the files that belong to it must lie beside it")


def _is_file_name(name: str) -> bool:
    return name not in ("", ".", "..") and not any(character in name for character in "/\\\0")
