"""MindSpore's checkpoint files (``.ckpt``), read and written without protobuf.

The file is one protobuf message, as MindSpore declares it::

    message Checkpoint {
        message Value { required string tag = 1; oneof value { TensorProto tensor = 2; MapTensorProto maptensor = 3; } }
        repeated Value value = 1;
    }
    message TensorProto { repeated int64 dims = 1; required string tensor_type = 2; required bytes tensor_content = 3; }

What is not in the declaration: a tensor of more than 512 MiB stands in several consecutive values of one tag, each
with the full dims; a string has the type ``str``, dims ``[0]`` and UTF-32 content; dims ``[0]`` with content is a
scalar (of old versions); the file may end with ``crc_num`` and the CRC-32 of all before it in 10 big-endian bytes.

A protobuf message cut between two values is still a message.  Our files therefore begin with a field 15, which
MindSpore skips: the size of the file.  Reading checks every length against what is there before it touches the data.
"""
from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator

import numpy as np

from graphcore import dtype as dt
from graphcore.errors import FormatError
from graphcore.files.atomic import atomic_write
from graphcore.files.stored import Entries, StoredTensor

SLICE_BYTES = 512 * 1024 * 1024
MAX_RANK = 32
MAX_ENTRIES = 1 << 17       # each costs memory far beyond its bytes
_CRC_TAG = b"crc_num"
_CRC_BYTES = len(_CRC_TAG) + 10
_SIZE_FIELD = 15

_DTYPES = {"Float16": dt.float16, "Float32": dt.float32, "Float64": dt.float64, "BFloat16": dt.bfloat16,
           "Int8": dt.int8, "Int16": dt.int16, "Int32": dt.int32, "Int64": dt.int64, "UInt8": dt.uint8,
           "UInt16": dt.uint16, "UInt32": dt.uint32, "UInt64": dt.uint64, "Bool": dt.bool_}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


# Reading.

class _Reader:
    """The fields of one protobuf message in ``data[start:stop]``."""

    def __init__(self, data: memoryview, start: int, stop: int):
        self.data, self.place, self.stop = data, start, stop

    def varint(self) -> int:
        value = shift = 0
        while True:
            if self.place >= self.stop:
                raise FormatError(f"the file ends within a number at byte {self.place}")
            byte = self.data[self.place]
            self.place += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                break
            shift += 7
            if shift > 63:
                raise FormatError(f"a number before byte {self.place} is longer than 64 bits")
        if value >= 1 << 64:
            raise FormatError(f"a number before byte {self.place} is longer than 64 bits")
        return value

    def span(self) -> tuple:
        """(start, stop) of a length-delimited field."""
        length = self.varint()
        start = self.place
        if length > self.stop - start:
            raise FormatError(f"{length} bytes are announced at byte {start}, but only {self.stop - start} are left; "
                              "the file is cut off or damaged")
        self.place = start + length
        return start, self.place

    def fields(self) -> Iterator[tuple]:
        """(number, wire type, byte offset) of each field; the caller reads the value."""
        while self.place < self.stop:
            at = self.place
            key = self.varint()
            yield key >> 3, key & 7, at

    def text(self, what: str) -> str:
        start, stop = self.span()
        try:
            return bytes(self.data[start:stop]).decode()
        except UnicodeDecodeError:
            raise FormatError(f"{what} at byte {start} is not UTF-8") from None


def _unexpected(message: str, number: int, wire: int, at: int) -> FormatError:
    return FormatError(f"byte {at}: {message} has no field {number} of wire type {wire}; this is no MindSpore "
                       "checkpoint, or it is damaged")


class _Value:
    """One entry as it stands in the file; `content` is a (start, stop) into it."""

    __slots__ = ("tag", "dims", "type_name", "content")

    def __init__(self):
        self.tag = self.type_name = self.content = None
        self.dims = []


def _read_tensor(reader: _Reader, value: _Value) -> None:
    for number, wire, at in reader.fields():
        if number == 1 and wire in (0, 2):
            if wire == 0:
                sizes = [reader.varint()]
            else:
                packed = _Reader(reader.data, *reader.span())
                sizes = []
                while packed.place < packed.stop and len(sizes) <= MAX_RANK:
                    sizes.append(packed.varint())
            value.dims += sizes
            if len(value.dims) > MAX_RANK:
                raise FormatError(f"{value.tag!r} has more than {MAX_RANK} dimensions")
            if any(size >= 1 << 63 for size in sizes):
                raise FormatError(f"{value.tag!r} has a negative dimension")
        elif number == 2 and wire == 2 and value.type_name is None:
            value.type_name = reader.text("a dtype's name")
        elif number == 3 and wire == 2 and value.content is None:
            value.content = reader.span()
        else:
            raise _unexpected("TensorProto", number, wire, at)


def _read_value(reader: _Reader) -> _Value:
    value, tensor = _Value(), None
    for number, wire, at in reader.fields():
        if number == 1 and wire == 2 and value.tag is None:
            value.tag = reader.text("a name")
        elif number == 2 and wire == 2 and tensor is None:
            tensor = reader.span()
        elif number == 3 and wire == 2:
            raise FormatError(f"{value.tag!r} is a hash table (MapParameter), which graphcore does not have")
        else:
            raise _unexpected("Checkpoint.Value", number, wire, at)
    if not value.tag or tensor is None:
        raise FormatError(f"the value that ends at byte {reader.place} lacks its name or its tensor")
    _read_tensor(_Reader(reader.data, *tensor), value)
    if value.type_name is None or value.content is None:
        raise FormatError(f"{value.tag!r} lacks its dtype or its content")
    return value


def _read_values(data: memoryview, stop: int, size: int) -> Iterator[_Value]:
    reader = _Reader(data, 0, stop)
    for number, wire, at in reader.fields():
        if number == 1 and wire == 2:
            yield _read_value(_Reader(data, *reader.span()))
        elif number == _SIZE_FIELD and wire == 1 and at == 0 and stop >= 9:
            announced = struct.unpack_from("<Q", data, reader.place)[0]
            reader.place += 8
            if announced != size:
                raise FormatError(f"the file has {size} bytes, but was written with {announced}; it is cut off or "
                                  "something was appended")
        else:
            raise _unexpected("Checkpoint", number, wire, at)


def _check_crc(data: memoryview, crc_check: bool) -> int:
    """Where the message ends.  Raises FormatError if the check sum differs, or is wanted and missing."""
    end = len(data) - _CRC_BYTES
    if end < 0 or data[end:end + len(_CRC_TAG)] != _CRC_TAG:
        if crc_check:
            raise FormatError("crc_check=True, but the file has no check sum; it was saved without crc_check")
        return len(data)
    stored = int.from_bytes(data[end + len(_CRC_TAG):], "big")
    if stored != zlib.crc32(data[:end]):
        raise FormatError("the check sum at the file's end is not that of its content; the file is damaged")
    return end


def _decode_text(tag: str, content: bytes) -> str:
    try:
        return content.decode("utf-32-le").rstrip("\0")
    except UnicodeDecodeError:
        raise FormatError(f"the string {tag!r} is not UTF-32") from None


def _assemble(data: memoryview, slices: list):
    """The entry made of consecutive values of one tag."""
    first = slices[0]
    for part in slices[1:]:
        if part.dims != first.dims or part.type_name != first.type_name:
            raise FormatError(f"the slices of {first.tag!r} differ in shape or dtype")
    total = sum(stop - start for start, stop in (part.content for part in slices))
    if first.type_name == "str":
        return _decode_text(first.tag, b"".join(bytes(data[slice(*part.content)]) for part in slices))
    dtype = _DTYPES.get(first.type_name)
    if dtype is None:
        raise FormatError(f"{first.tag!r} has the dtype {first.type_name!r}; graphcore reads {', '.join(_DTYPES)}")
    shape = () if first.dims == [0] and total else tuple(first.dims)
    expected = dtype.itemsize
    for size in shape:
        expected *= size
    if expected != total:
        raise FormatError(f"{first.tag!r} is {first.type_name}{list(shape)}, that is {expected} bytes, but the file "
                          f"has {total} bytes of it")
    array = np.empty(shape, dtype.storage)
    flat, place = array.reshape(-1).view(np.uint8), 0
    for start, stop in (part.content for part in slices):
        flat[place:place + stop - start] = np.frombuffer(data, np.uint8, stop - start, start)
        place += stop - start
    if dtype is dt.bool_:
        # A byte that is neither 0 nor 1 would be a boolean that equals neither.
        np.not_equal(flat, 0, out=array.reshape(-1))
    return StoredTensor(dtype, array)


def parse(data, wanted=None, crc_check: bool = False) -> dict:
    """The entries of a checkpoint's bytes, in their order.

    wanted: a function of the name that says whether to keep an entry (all are checked, the others not copied).
    Raises FormatError for anything that is not a complete, consistent checkpoint.
    """
    data = memoryview(data)
    stop = _check_crc(data, crc_check)
    entries: dict = {}
    seen: set = set()
    group: list = []

    def finish() -> None:
        if group and (wanted is None or wanted(group[0].tag)):
            entries[group[0].tag] = _assemble(data, group)
        group.clear()

    for value in _read_values(data, stop, len(data)):
        if not group or group[0].tag != value.tag:
            finish()
            if value.tag in seen:
                raise FormatError(f"the name {value.tag!r} stands twice in the file")
            seen.add(value.tag)
            if len(seen) > MAX_ENTRIES:
                raise FormatError(f"the file holds more than {MAX_ENTRIES} parameters; save them in several files")
        group.append(value)
    finish()
    if not seen:
        raise FormatError("the file holds no parameters")
    return entries


def read_ckpt(path: str | os.PathLike, wanted=None, crc_check: bool = False) -> dict:
    """The entries of a checkpoint file: {name: StoredTensor or str}; see `parse`."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        return parse(data, wanted, crc_check)
    except FormatError as error:
        raise FormatError(f"Failed to read the checkpoint file {os.fspath(path)}. The file may be corrupted, and the "
                          f"content cannot be parsed: {error}") from None


# Writing.

def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _header(number: int, length: int) -> bytes:
    """The key and length of a length-delimited field."""
    return _varint(number << 3 | 2) + _varint(length)


def _value_head(tag: str, dims, type_name: str, length: int) -> bytes:
    """All bytes of a value before its content."""
    name, kind = tag.encode(), type_name.encode()
    tensor = b"".join(b"\x08" + _varint(size) for size in dims) + _header(2, len(kind)) + kind + _header(3, length)
    value = _header(1, len(name)) + name + _header(2, len(tensor) + length) + tensor
    return _header(1, len(value) + length) + value


def _pieces(entries: Entries) -> Iterator[tuple]:
    """(head, content) of each value of the file."""
    for name, entry in entries.items():
        if isinstance(entry, str):
            content = memoryview(entry.encode("utf-32-le"))
            yield _value_head(name, [0], "str", len(content)), content
            continue
        array = np.ascontiguousarray(entry.array).reshape(entry.array.shape)
        content = memoryview(array.reshape(-1).view(np.uint8))
        for start in range(0, max(len(content), 1), SLICE_BYTES):
            part = content[start:start + SLICE_BYTES]
            yield _value_head(name, entry.shape, _NAMES[entry.dtype], len(part)), part


def write_ckpt(path: str | os.PathLike, entries: Entries, crc: bool = False) -> None:
    """Write a checkpoint file that replaces `path` only when it is complete; with `crc` it ends with a check sum.

    Raises OSError as writing to `path` would.
    """
    size = 9 + sum(len(head) + len(content) for head, content in _pieces(entries)) + crc * _CRC_BYTES
    with atomic_write(path) as file:
        start = _varint(_SIZE_FIELD << 3 | 1) + struct.pack("<Q", size)
        checksum = zlib.crc32(start)
        file.write(start)
        for head, content in _pieces(entries):
            file.write(head)
            file.write(content)
            if crc:
                checksum = zlib.crc32(content, zlib.crc32(head, checksum))
        if crc:
            file.write(_CRC_TAG + checksum.to_bytes(10, "big"))
