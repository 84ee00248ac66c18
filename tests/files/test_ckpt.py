"""The .ckpt format: MindSpore's files, our own, and damaged ones."""
from pathlib import Path

import numpy as np
import pytest

from graphcore import dtype as dt
from graphcore.errors import FormatError
from graphcore.files import ckpt
from graphcore.files.ckpt import parse, read_ckpt, write_ckpt
from graphcore.files.stored import StoredTensor

DATA = Path(__file__).parent / "data"     # written by MindSpore 2.10 on the CPU

# What data/dtypes.ckpt holds: dtype, shape, values (words for bfloat16).
WRITTEN_BY_MINDSPORE = {
    "fc.weight": (dt.float32, (2, 3), [[0.0, 0.25, 0.5], [0.75, 1.0, 1.25]]),
    "half": (dt.float16, (2,), [-1.5, 2.0]),
    "flags": (dt.bool_, (3,), [True, False, True]),
    "step": (dt.int64, (), 7),
    "bytes": (dt.int8, (2, 2), [[1, 2], [3, -4]]),
    "brain": (dt.bfloat16, (3,), [0x3FC0, 0xC010, 0x7F62]),
    "double": (dt.float64, (1,), [1e300]),
    "big": (dt.uint64, (1,), [2**63]),
    "epoch": (dt.int64, (), 3),
    "lr": (dt.float32, (), 0.5),
    "on": (dt.bool_, (), True),
}
TRAILER = 17       # bytes of a check sum


def entries():
    found = read_ckpt(DATA / "dtypes.ckpt")
    found["empty"] = StoredTensor(dt.float32, np.zeros((0, 3), np.float32))
    found["nothing"] = StoredTensor(dt.int8, np.zeros(0, np.int8))
    found["text"] = "Größe 𝛼"
    return found


def assert_same(left, right):
    assert list(left) == list(right)
    for name in left:
        if isinstance(left[name], str):
            assert left[name] == right[name]
        else:
            assert (left[name].dtype, left[name].shape) == (right[name].dtype, right[name].shape)
            assert left[name].array.tobytes() == right[name].array.tobytes()


def test_reads_what_mindspore_wrote():
    found = read_ckpt(DATA / "dtypes.ckpt")
    assert found.pop("note") == "größe"
    assert {k: (v.dtype, v.shape, v.array.tolist()) for k, v in found.items()} == WRITTEN_BY_MINDSPORE


def test_reads_slices_and_check_sums_of_mindspore():
    found = read_ckpt(DATA / "slices.ckpt")
    assert found["long"].array.tolist() == np.arange(15).reshape(5, 3).tolist()
    assert list(read_ckpt(DATA / "crc.ckpt", crc_check=True)) == ["fc.weight", "half"]


def test_unwanted_entries_are_left_out():
    assert list(read_ckpt(DATA / "dtypes.ckpt", lambda name: name.startswith("b"))) == ["bytes", "brain", "big"]


@pytest.mark.parametrize("crc", [False, True])
def test_round_trip(tmp_path, crc):
    write_ckpt(tmp_path / "a.ckpt", entries(), crc)
    assert_same(read_ckpt(tmp_path / "a.ckpt", crc_check=crc), entries())


def test_large_tensors_are_sliced(tmp_path, monkeypatch):
    monkeypatch.setattr(ckpt, "SLICE_BYTES", 7)
    write_ckpt(tmp_path / "a.ckpt", entries())
    data = (tmp_path / "a.ckpt").read_bytes()
    assert data.count(b"fc.weight") == 4
    assert_same(parse(data), entries())


def test_big_endian_and_strided_arrays(tmp_path):
    strided = np.arange(12, dtype=np.float32).reshape(3, 4)[:, ::2]
    write_ckpt(tmp_path / "a.ckpt", {"x": StoredTensor(dt.float32, strided)})
    assert read_ckpt(tmp_path / "a.ckpt")["x"].array.tolist() == strided.tolist()


def test_crc_check_wants_a_check_sum():
    with pytest.raises(FormatError, match="no check sum"):
        read_ckpt(DATA / "dtypes.ckpt", crc_check=True)


@pytest.mark.parametrize("crc", [False, True])
def test_our_files_cut_anywhere_are_refused(tmp_path, crc):
    write_ckpt(tmp_path / "a.ckpt", entries(), crc)
    data = (tmp_path / "a.ckpt").read_bytes()
    for length in range(len(data)):
        with pytest.raises(FormatError):
            parse(data[:length])


@pytest.mark.parametrize("name", ["dtypes.ckpt", "slices.ckpt", "crc.ckpt"])
def test_mindspore_files_cut_within_an_entry_are_refused(name):
    """A cut between two entries leaves a valid, shorter file, which nobody can tell from a whole one."""
    data = (DATA / name).read_bytes()
    whole = list(parse(data))
    for length in range(len(data)):
        try:
            kept = list(parse(data[:length]))
        except FormatError:
            continue
        assert kept == whole[:len(kept)] and kept


@pytest.mark.parametrize("crc", [False, True])
def test_appended_bytes_are_refused(tmp_path, crc):
    write_ckpt(tmp_path / "a.ckpt", entries(), crc)
    data = (tmp_path / "a.ckpt").read_bytes()
    for garbage in (b"\0", b"x", data[9:40], data):
        with pytest.raises(FormatError):
            parse(data + garbage)
    for name in ("dtypes.ckpt", "slices.ckpt"):
        for garbage in (b"\0", b"garbage", b"\x7f" * 40):
            with pytest.raises(FormatError):
                parse((DATA / name).read_bytes() + garbage)


def test_one_changed_bit_is_noticed_with_a_check_sum(tmp_path):
    write_ckpt(tmp_path / "a.ckpt", entries(), crc=True)
    data = (tmp_path / "a.ckpt").read_bytes()
    for place in range(len(data) - TRAILER):
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        with pytest.raises(FormatError):
            parse(changed)


def test_random_damage_gives_format_errors_only():
    sources = [(DATA / name).read_bytes() for name in ("dtypes.ckpt", "slices.ckpt", "crc.ckpt")]
    generator = np.random.default_rng(0)
    for _ in range(4000):
        data = bytearray(sources[generator.integers(3)])
        for _ in range(generator.integers(1, 5)):
            kind, place = generator.integers(3), int(generator.integers(len(data)))
            if kind == 0:
                data[place] = generator.integers(256)
            elif kind == 1:
                del data[place:place + int(generator.integers(1, 9))]
            else:
                data[place:place] = generator.bytes(int(generator.integers(1, 9)))
        try:
            parse(data)
        except FormatError:
            pass


def field(number, content):
    return ckpt._header(number, len(content)) + content


def tensor(dims=b"\x08\x02", kind=b"Float32", content=b"\0" * 8):
    return dims + field(2, kind) + field(3, content)


def value(name=b"x", body=None):
    return field(1, field(1, name) + field(2, tensor() if body is None else body))


@pytest.mark.parametrize("data, words", [
    (b"", "no parameters"),
    (value() + value(b"y") + value(), "'x' stands twice"),
    (value(b""), "name"),
    (value(b"\xff"), "UTF-8"),
    (value(body=tensor(kind=b"Int4")), "'Int4'"),
    (value(body=tensor(content=b"\0" * 7)), "8 bytes, but the file has 7"),
    (value(body=tensor(dims=b"\x08" + b"\xff" * 8 + b"\x7f")), "18446744|bytes"),
    (value(body=tensor(dims=b"\x08" + b"\xff" * 9 + b"\x01")), "negative"),
    (value(body=tensor(dims=b"\x08" + b"\xff" * 10 + b"\x01")), "64 bits"),
    (value(body=tensor(dims=b"\x08\x01" * 33)), "32 dimensions"),
    (value(body=tensor(dims=field(1, b"\x01" * 100))), "32 dimensions"),
    (field(1, field(1, b"x") + field(3, b"")), "hash table"),
    (field(1, field(1, b"x")), "lacks"),
    (value(body=field(2, b"Float32")), "lacks its dtype or its content"),
    (field(2, b"x"), "no field 2"),
    (b"\x0a\xff\xff\xff\xff\x0f", "cut off"),
    (b"\x0b" + value(), "wire type 3"),
    (value(body=tensor(kind=b"str", content=b"\0\0\0\xff")), "UTF-32"),
    (value() + value(body=tensor(dims=b"\x08\x03")), "differ"),
])
def test_malformed_messages_say_what_is_wrong(data, words):
    with pytest.raises(FormatError, match=words):
        parse(data)


def test_packed_dims_and_old_scalars():
    assert parse(value(body=tensor(dims=field(1, b"\x01\x02"))))["x"].shape == (1, 2)
    scalar = parse(value(body=tensor(dims=b"\x08\x00", content=b"\0" * 4)))["x"]
    assert (scalar.shape, scalar.array) == ((), 0)


def test_booleans_are_zero_or_one():
    found = parse(value(body=tensor(kind=b"Bool", content=b"\x02\x00")))["x"]
    assert found.array.view(np.uint8).tolist() == [1, 0]


def test_the_error_names_the_file(tmp_path):
    (tmp_path / "bad.ckpt").write_bytes(b"garbage")
    with pytest.raises(FormatError, match="Failed to read the checkpoint file .*bad.ckpt.*corrupted"):
        read_ckpt(tmp_path / "bad.ckpt")
