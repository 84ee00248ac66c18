"""MindRecord files: MindSpore's own is read and written again byte for byte; pages, shards, appending, errors.

``rows.mindrecord.xz`` and its index were written by MindSpore 2.10 from `rows_of`, with the sizes of `small`.
"""
import lzma
import sqlite3
import struct
from pathlib import Path

import numpy as np
import pytest

from graphcore import dataset
from graphcore.mindrecord import FileReader, FileWriter, MindRecordException, MRMInvalidSchemaError, MRMOpenError
from graphcore.mindrecord.exceptions import MRMWriteRowError, ParamTypeError, ParamValueError
from graphcore.mindrecord.packing import pack_ints, pack_map, unpack_ints, unpack_map

SCHEMA = {"id": {"type": "int32"}, "vec": {"type": "float32", "shape": [-1]}, "name": {"type": "string"},
          "img": {"type": "bytes"}, "ids": {"type": "int64", "shape": [2, 3]}}


def rows_of(count, first=0):
    return [{"id": i, "vec": np.arange(i % 7 + 1, dtype=np.float32), "name": f"n{i}" * (i % 3 * 20 + 1),
             "img": bytes(range(i % 256 + 1)) * 9, "ids": np.array([[1, -300, 70000], [2 ** 40, -5, i]])}
            for i in range(first, first + count)]


def small(path, shards=1):
    writer = FileWriter(str(path), shards)
    writer.set_header_size(1 << 14)
    writer.set_page_size(1 << 15)
    writer.add_schema(SCHEMA, "rows")
    return writer


def unpacked(folder) -> Path:
    for name in ("rows.mindrecord", "rows.mindrecord.db"):
        data = Path(__file__).with_name(f"{name}.xz").read_bytes()
        (folder / name).write_bytes(lzma.decompress(data))
    return folder / "rows.mindrecord"


def check_rows(found, wanted):
    assert len(found) == len(wanted)
    for f, w in zip(found, wanted):
        assert set(f) == set(w)
        for name, value in w.items():
            np.testing.assert_array_equal(f[name], value)
            assert getattr(f[name], "dtype", None) == getattr(value, "dtype", None)


def test_a_file_of_mindspores_is_read(tmp_path):
    path = unpacked(tmp_path)
    check_rows(list(FileReader(str(path)).get_next()), rows_of(60))
    data = dataset.MindDataset(str(path), ["id", "ids"], shuffle=False)
    rows = list(data.create_tuple_iterator(num_epochs=1, output_numpy=True))
    assert [int(row[0]) for row in rows] == list(range(60))
    assert rows[7][0].dtype == np.int32 and rows[7][1].tolist() == [[1, -300, 70000], [2 ** 40, -5, 7]]


def test_pages_are_those_that_mindspore_writes(tmp_path):
    theirs = unpacked(tmp_path).read_bytes()
    writer = small(tmp_path / "own.mindrecord")
    writer.write_raw_data(rows_of(25))
    writer.write_raw_data(rows_of(35, 25))
    writer.commit()
    assert (tmp_path / "own.mindrecord").read_bytes()[1 << 14:] == theirs[1 << 14:]


def test_rows_over_several_pages_and_appended_ones(tmp_path):
    writer = small(tmp_path / "many.mindrecord")
    writer.write_raw_data(rows_of(200))
    writer.commit()
    check_rows(list(FileReader(str(tmp_path / "many.mindrecord")).get_next()), rows_of(200))
    writer = FileWriter.open_for_append(str(tmp_path / "many.mindrecord"))
    writer.write_raw_data(rows_of(40, 200))
    writer.commit()
    reader = FileReader(str(tmp_path / "many.mindrecord"))
    assert reader.len() == 240
    check_rows(list(reader.get_next()), rows_of(240))


def test_several_files_lead_to_each_other(tmp_path):
    writer = small(tmp_path / "r", shards=12)
    writer.write_raw_data(rows_of(30))
    writer.commit()
    assert sorted(p.name for p in tmp_path.glob("r*") if p.suffix != ".db") == [f"r{i:02d}" for i in range(12)]
    every = sorted(row["id"] for row in FileReader(str(tmp_path / "r03")).get_next())
    assert every == list(range(30))
    assert [row["id"] for row in FileReader([str(tmp_path / "r03")]).get_next()] == [3, 15, 27]


def test_padding_fills_up(tmp_path):
    writer = small(tmp_path / "p")
    writer.write_raw_data(rows_of(3))
    writer.commit()
    data = dataset.MindDataset(str(tmp_path / "p"), ["id"], shuffle=False, num_padded=2, padded_sample={"id": -1})
    assert [int(row[0]) for row in data.create_tuple_iterator(num_epochs=1, output_numpy=True)] == [0, 1, 2, -1, -1]


@pytest.mark.parametrize("shape", [(0,), (1,), (3, 5), (8,)])
@pytest.mark.parametrize("scale", [1, 1 << 7, 1 << 15, 1 << 31, 1 << 62])
def test_ints_come_back(shape, scale):
    values = np.random.default_rng(scale % 1000).integers(-scale, scale, shape)
    np.testing.assert_array_equal(unpack_ints(pack_ints(values), np.int64), values.reshape(-1))


def test_maps_come_back():
    numbers = [0, 1, 127, 128, 255, 256, 65535, 65536, 2 ** 32, 2 ** 63 - 1, -1, -32, -33, -128, -129, -32769, -2 ** 40]
    values = {f"k{i}": n for i, n in enumerate([*numbers, 0.5, 0.1, "", "x" * 31, "y" * 300, "ü" * 70000])}
    assert unpack_map(pack_map(values)) == values


def test_what_is_wrong_is_said(tmp_path):
    writer = small(tmp_path / "e")
    for row, text in (({"id": 1}, "lacks the column"), ({**rows_of(1)[0], "id": "a"}, "holds int32"),
                      ({**rows_of(1)[0], "vec": np.zeros(2)}, "astype"),
                      ({**rows_of(1)[0], "img": "text"}, "holds bytes"),
                      ({**rows_of(1)[0], "ids": np.zeros((2, 2), np.int64)}, "shape"),
                      ({**rows_of(1)[0], "img": bytes(1 << 16)}, "set_page_size")):
        with pytest.raises(MRMWriteRowError, match=text):
            writer.write_raw_data([row])
    with pytest.raises(MindRecordException, match="exists already"):
        small(tmp_path / "e").commit()
    for schema in ({}, 3, {"a": "int32"}, {"a": {"type": "int8"}}, {"a": {"type": "string", "shape": [1]}}):
        with pytest.raises(MRMInvalidSchemaError):
            FileWriter(str(tmp_path / "s")).add_schema(schema)
    for make, kind in ((lambda: FileWriter(3), ParamTypeError), (lambda: FileWriter("a", 0), ParamValueError),
                       (lambda: small(tmp_path / "z").set_page_size(7), ParamValueError),
                       (lambda: small(tmp_path / "z").write_raw_data({}), ParamTypeError)):
        with pytest.raises(kind):
            make()
    (tmp_path / "no").write_bytes(b"\x07\0\0\0\0\0\0\0nothing")
    with pytest.raises(MRMOpenError, match="cannot be read"):
        FileReader(str(tmp_path / "no"))
    with pytest.raises(MindRecordException, match="no columns"):
        FileReader(str(unpacked(tmp_path)), columns=["other"])


def changed_header(path: Path, old: bytes, new: bytes) -> None:
    """Replace text in a file's header, with its length."""
    data = path.read_bytes()
    text = data[8:8 + int.from_bytes(data[:8], "little")]
    assert old in text
    text = text.replace(old, new)
    path.write_bytes(len(text).to_bytes(8, "little") + text.ljust((1 << 14) - 8, b"\0") + data[1 << 14:])


@pytest.mark.parametrize("old, new", [(b'"shard_addresses":["rows.mindrecord"]', b'"shard_addresses":["../secret"]'),
                                      (b'"shard_addresses":["rows.mindrecord"]', b'"shard_addresses":["/secret"]'),
                                      (b'"page_size":32768,', b'"page_size":-1,'),
                                      (b'"schema":[{', b'"schema":7,"a":[{'),
                                      (b'"statistics":', b'"s":' + b"[" * 4000 + b"]" * 4000 + b',"statistics":')])
def test_a_header_that_leads_elsewhere_is_refused(tmp_path, old, new):
    path = unpacked(tmp_path)
    changed_header(path, old, new)
    with pytest.raises(MRMOpenError):
        FileReader(str(path))


ENDLESS = ("DROP TABLE INDEXES; CREATE VIEW INDEXES AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) "
           "SELECT x ROW_ID, x PAGE_ID_RAW FROM c")


@pytest.mark.parametrize("change", [ENDLESS, "UPDATE INDEXES SET PAGE_OFFSET_RAW_END = 1 << 40",
                                    "UPDATE INDEXES SET PAGE_OFFSET_BLOB = -9", "UPDATE INDEXES SET PAGE_ID_RAW = 'x'",
                                    "UPDATE INDEXES SET PAGE_OFFSET_RAW_END = PAGE_OFFSET_RAW"])
def test_an_index_that_leads_out_of_its_file_is_refused(tmp_path, change):
    path = unpacked(tmp_path)
    database = sqlite3.connect(path.with_name("rows.mindrecord.db"))
    with database:
        database.executescript(change)
    database.close()
    with pytest.raises(MRMOpenError):
        list(FileReader(str(path)).get_next())


@pytest.mark.parametrize("data", [b"", b"\x81", b"\x81\xa1", b"\x81\xa1k\xa9short", b"\xdf\xff\xff\xff\xff", b"\x90",
                                  b"\x81" * 5000, b"\x80\x00", b"\x81\xa1k\xc0"])
def test_damaged_maps_are_refused(data):
    with pytest.raises((ValueError, IndexError, struct.error)):
        unpack_map(data)
