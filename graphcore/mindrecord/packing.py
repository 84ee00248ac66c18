"""How values lie in a MindRecord file: MessagePack for single values, arrays of ints with each in as few bytes as it
needs."""
from __future__ import annotations

import struct

import numpy as np

_INT_SIZES = (1, 2, 4, 8)       # bytes of an int by its code, of two bits


def pack_map(values: dict) -> bytes:
    """A flat dict of ints, floats and strings as a MessagePack map; ints and floats as small as they can be."""
    if len(values) > 0xFFFF:
        raise ValueError(f"{len(values)} single values in a row; a MindRecord file has at most {0xFFFF}")
    head = bytes([0x80 | len(values)]) if len(values) < 16 else b"\xde" + struct.pack(">H", len(values))
    return head + b"".join(_pack(part) for item in values.items() for part in item)


def _pack(value) -> bytes:
    if isinstance(value, str):
        text = value.encode()
        for limit, head in ((32, lambda n: bytes([0xA0 | n])), (1 << 8, lambda n: struct.pack(">BB", 0xD9, n)),
                            (1 << 16, lambda n: struct.pack(">BH", 0xDA, n)),
                            (1 << 32, lambda n: struct.pack(">BI", 0xDB, n))):
            if len(text) < limit:
                return head(len(text)) + text
    if isinstance(value, int):
        if 0 <= value < 128 or -32 <= value < 0:
            return struct.pack(">B", value & 0xFF)
        kinds = ((0xCC, "B"), (0xCD, "H"), (0xCE, "I"), (0xCF, "Q")) if value > 0 else (
            (0xD0, "b"), (0xD1, "h"), (0xD2, "i"), (0xD3, "q"))
        for code, kind in kinds:
            try:
                return struct.pack(f">B{kind}", code, value)
            except struct.error:
                continue
    if isinstance(value, float):
        small = struct.pack(">f", value)
        exact = struct.unpack(">f", small)[0] == value
        return b"\xca" + small if exact else b"\xcb" + struct.pack(">d", value)
    raise TypeError(f"a single value of a MindRecord row is an int, float or str, got {type(value).__name__}")


_FIXED = {0xCA: "f", 0xCB: "d", 0xCC: "B", 0xCD: "H", 0xCE: "I", 0xCF: "Q", 0xD0: "b", 0xD1: "h", 0xD2: "i", 0xD3: "q"}
_LENGTHS = {0xD9: "B", 0xDA: "H", 0xDB: "I"}


def unpack_map(data: bytes) -> dict:
    """The inverse of `pack_map`.  Raises ValueError, IndexError or struct.error for bytes that are none."""
    length, at = _map_length(data)
    found = {}
    for _ in range(length):
        key, at = _unpack(data, at)
        found[key], at = _unpack(data, at)
    if at != len(data):
        raise ValueError("not one MessagePack map")
    return found


def _map_length(data: bytes) -> tuple[int, int]:
    """(pairs, where they begin) of a map."""
    code = data[0]
    if 0x80 <= code < 0x90:
        return code & 0x0F, 1
    if code not in (0xDE, 0xDF):
        raise ValueError("not a MessagePack map")
    kind = ">H" if code == 0xDE else ">I"
    return struct.unpack_from(kind, data, 1)[0], 1 + struct.calcsize(kind)


def _unpack(data: bytes, at: int):
    """(value, where it ends) of a number or string."""
    code, at = data[at], at + 1
    if code < 0x80:
        return code, at
    if code >= 0xE0:
        return code - 256, at
    if code in _FIXED:
        kind = ">" + _FIXED[code]
        return struct.unpack_from(kind, data, at)[0], at + struct.calcsize(kind)
    if code in _LENGTHS:
        kind = ">" + _LENGTHS[code]
        length, at = struct.unpack_from(kind, data, at)[0], at + struct.calcsize(kind)
    elif 0xA0 <= code < 0xC0:
        length = code & 0x1F
    else:
        raise ValueError(f"MessagePack code {code:#x} has no place in a MindRecord file")
    if length > len(data) - at:
        raise ValueError(f"a string of {length} bytes in {len(data) - at}")
    return data[at:at + length].decode(), at + length


def pack_ints(array: np.ndarray) -> bytes:
    """An array of ints: their number, two bits each for the size, and the ints, little-endian."""
    values = array.reshape(-1).astype("<i8")
    codes = np.zeros(values.size, np.uint8)
    for code, size in enumerate(_INT_SIZES[:-1]):
        limit = 1 << (8 * size - 1)
        codes[(values < -limit) | (values >= limit)] = code + 1
    padded = np.zeros(-(-values.size // 4) * 4, np.uint8)
    padded[:values.size] = codes
    bits = (padded.reshape(-1, 4) << np.array([6, 4, 2, 0], np.uint8)).sum(1).astype(np.uint8)
    raw = values.view(np.uint8).reshape(-1, 8)
    kept = np.arange(8) < np.array(_INT_SIZES)[codes][:, None]
    return struct.pack(">I", values.size) + bits.tobytes() + raw[kept].tobytes()


def unpack_ints(data: bytes, dtype) -> np.ndarray:
    """The inverse of `pack_ints`, one axis."""
    count = struct.unpack_from(">I", data)[0]
    begin = 4 + -(-count // 4)
    bits = np.frombuffer(data, np.uint8, begin - 4, 4)
    codes = (bits[:, None] >> np.array([6, 4, 2, 0], np.uint8) & 3).reshape(-1)[:count]
    sizes = np.array(_INT_SIZES)[codes]
    packed = np.frombuffer(data, np.uint8, int(sizes.sum()), begin)
    kept = np.arange(8) < sizes[:, None]
    raw = np.zeros((count, 8), np.uint8)
    raw[kept] = packed
    values = raw.view("<i8").reshape(-1)
    shift = 64 - 8 * sizes
    return (values << shift >> shift).astype(dtype)         # the sign of the shorter ones
