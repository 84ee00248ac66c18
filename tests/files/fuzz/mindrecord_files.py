"""MindRecord files: a header of JSON and pages, and an index, an SQLite database beside it."""
from __future__ import annotations

import lzma
import sqlite3
import struct
import tempfile
from pathlib import Path
from random import Random

import numpy as np

from graphcore.mindrecord import FileReader, FileWriter
from tests.files.fuzz import mutations

NAME = "rows.mindrecord"
INDEX = NAME + ".db"
_PLACES = ("PAGE_ID_RAW", "PAGE_OFFSET_RAW", "PAGE_OFFSET_RAW_END", "PAGE_ID_BLOB", "PAGE_OFFSET_BLOB",
           "PAGE_OFFSET_BLOB_END", "ROW_ID")


def seeds() -> list[dict]:
    """A file by MindSpore, and three by graphcore: one array, several columns, no array."""
    schemas = [{"label": {"type": "int32"}, "image": {"type": "bytes"}},
               {"a": {"type": "int32", "shape": [-1]}, "b": {"type": "float32", "shape": [2, 2]},
                "name": {"type": "string"}, "size": {"type": "float64"}, "n": {"type": "int64"}},
               {"text": {"type": "string"}, "n": {"type": "int64"}}]
    values = {"label": 3, "image": b"pixels", "a": np.arange(-3, 700, 100, np.int32), "b": np.ones((2, 2), np.float32),
              "name": "x" * 40, "size": 0.1, "n": -(1 << 40), "text": "short"}
    folder = Path(__file__).parents[2] / "dataset"
    recorded = {name: lzma.decompress((folder / f"rows.mindrecord{end}.xz").read_bytes())
                for name, end in ((NAME, ""), (INDEX, ".db"))}
    return [recorded, *(_written(schema, values) for schema in schemas)]


def _written(schema: dict, values: dict) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        writer = FileWriter(str(Path(folder, NAME)))
        writer.set_header_size(1 << 14)
        writer.set_page_size(1 << 15)
        writer.add_schema(schema)
        writer.write_raw_data([{name: values[name] for name in schema}] * 3)
        writer.commit()
        data = Path(folder, NAME).read_bytes().rstrip(b"\0") + bytes(8)
        return {NAME: data, INDEX: Path(folder, INDEX).read_bytes()}


def mutant(random: Random, seeds: list) -> dict:
    files = dict(random.choice(seeds))
    how = random.random()
    if how < 0.3:
        name = random.choice((NAME, INDEX))
        files[name] = mutations.blind(random, files[name], [seed[name] for seed in seeds])
    elif how < 0.65:
        size = struct.unpack_from("<Q", files[NAME])[0]
        header = mutations.json_text(random, files[NAME][8:8 + size])
        length = random.choice(mutations.NUMBERS) & (1 << 64) - 1 if random.random() < 0.1 else len(header)
        files[NAME] = struct.pack("<Q", length) + header.ljust((1 << 14) - 8, b"\0") + files[NAME][1 << 14:]
    elif how < 0.8:
        start = 1 << random.choice((14, 15))
        files[NAME] = files[NAME][:start] + mutations.blind(random, files[NAME][start:], [files[NAME]])
    else:
        files[INDEX] = _other_index(random, files[INDEX])
    return files


def _other_index(random: Random, data: bytes) -> bytes:
    """The index with a place changed, or of another structure."""
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.deserialize(data)
    value = random.choice((*mutations.NUMBERS[:14], *mutations.NUMBERS[16:20], "text", 1.5, b"bytes", "9" * 30))
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x ROW_ID, " + ", ".join(
        f"x {name}" for name in _PLACES[:-1]) + " FROM c"
    change = random.choice((
        lambda: database.execute(f"UPDATE INDEXES SET {random.choice(_PLACES)} = ? WHERE ROW_ID < ?",
                                 (value, random.randrange(4))),
        lambda: database.execute(f"UPDATE INDEXES SET {random.choice(_PLACES)} = ROW_ID * {random.randrange(1 << 20)}"),
        lambda: database.executescript(f"DROP TABLE INDEXES; CREATE VIEW INDEXES AS {endless}"),
        lambda: database.execute(f"ALTER TABLE INDEXES DROP COLUMN {random.choice(_PLACES[:-1])}"),
        lambda: database.executescript("CREATE TABLE o AS SELECT * FROM INDEXES; DROP TABLE INDEXES"),
    ))
    try:
        change()
    except (sqlite3.Error, OverflowError):      # what SQLite itself does not let in
        pass
    return database.serialize()


def load(path: Path) -> list:
    """All rows."""
    return list(FileReader(str(path)).get_next())


def use(rows: list) -> str:
    """Every byte of every value is there."""
    for row in rows:
        for value in row.values():
            bytes(str(value), "utf-8", "replace")
    return "used"
