"""Protocol buffers: writing and reading messages field by field."""
from __future__ import annotations

import struct
from collections.abc import Iterator


def varint(value: int) -> bytes:
    """A number >= 0 in groups of seven bits."""
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(found + bytes([value]))


def whole(number: int, value: int) -> bytes:
    """Field `number` with an int >= 0."""
    return varint(number << 3) + varint(value)


def double(number: int, value: float) -> bytes:
    """Field `number` with a float64."""
    return varint(number << 3 | 1) + struct.pack("<d", value)


def single(number: int, value: float) -> bytes:
    """Field `number` with a float32."""
    return varint(number << 3 | 5) + struct.pack("<f", value)


def block(number: int, data) -> bytes:
    """Field `number` with bytes, a str or another message."""
    data = data.encode() if isinstance(data, str) else bytes(data)
    return varint(number << 3 | 2) + varint(len(data)) + data


def read_varint(data, at: int) -> tuple[int, int]:
    """(number, where it ends).  Raises IndexError at the end of the data."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data) -> Iterator[tuple]:
    """(number, value) of each field: an int, or bytes for blocks and fixed-size numbers.  Raises ValueError."""
    at, data = 0, memoryview(data)
    try:
        while at < len(data):
            key, at = read_varint(data, at)
            wire = key & 7
            if wire == 0:
                value, at = read_varint(data, at)
            else:
                if wire == 2:
                    size, at = read_varint(data, at)
                else:
                    size = {1: 8, 5: 4}[wire]
                value, at = bytes(data[at:at + size]), at + size
                if at > len(data):
                    raise IndexError
            yield key >> 3, value
    except (IndexError, KeyError):
        raise ValueError("not a protocol buffer") from None
