"""Files of records, each with its length and check sums: TFRecord's framing, which MindSpore's summaries have too."""
from __future__ import annotations

import functools
import struct
from collections.abc import Iterator
from pathlib import Path

from graphcore.errors import FormatError


@functools.cache
def _table() -> tuple:
    rows = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        rows.append(value)
    return tuple(rows)


def _masked_sum(data: bytes) -> int:
    """CRC-32C, turned and shifted so that a sum of data with sums in it is no trivial one."""
    table, crc = _table(), 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) & 0xFFFFFFFF


def framed(data: bytes) -> bytes:
    """A record as it stands in a file."""
    length = struct.pack("<Q", len(data))
    return length + struct.pack("<I", _masked_sum(length)) + data + struct.pack("<I", _masked_sum(data))


def places(path: Path) -> list[tuple[int, int]]:
    """(offset, length) of the data of each record.  Raises FormatError for what is no such file, or is cut off."""
    found, size = [], path.stat().st_size
    with path.open("rb") as file:
        at = 0
        while at < size:
            file.seek(at)
            head = file.read(12)
            length = int.from_bytes(head[:8], "little")
            if len(head) < 12 or struct.pack("<I", _masked_sum(head[:8])) != head[8:]:
                raise FormatError(f"{path} is no file of records: at byte {at} no length of a record stands")
            if at + length + 16 > size:
                raise FormatError(f"{path} ends within the record at byte {at}; it is damaged")
            found.append((at + 12, length))
            at += length + 16
    return found


def records(path: Path) -> Iterator[bytes]:
    """The data of the records, check sums compared.  Raises FormatError."""
    for offset, length in places(path):
        with path.open("rb") as file:
            file.seek(offset)
            data, stored = file.read(length), file.read(4)
        if struct.pack("<I", _masked_sum(data)) != stored:
            raise FormatError(f"{path}: the record at byte {offset} is damaged")
        yield data
