"""MindSpore's checkpoint files: protocol buffers, of which fields are changed and the lengths around them with them."""
from __future__ import annotations

import tempfile
from pathlib import Path
from random import Random

import numpy as np

import graphcore as gc
from graphcore.files.ckpt import read_ckpt, write_ckpt
from graphcore.files.protobuf import read_varint
from graphcore.files.stored import StoredTensor
from tests.files.fuzz import mutations
from tests.files.fuzz.safetensors_files import use

NAME = "net.ckpt"
load = read_ckpt
__all__ = ["NAME", "load", "mutant", "seeds", "use"]


def seeds() -> list[dict]:
    """Three files by MindSpore, one by graphcore."""
    folder = Path(__file__).parent.parent / "data"
    found = [(folder / f"{name}.ckpt").read_bytes() for name in ("crc", "dtypes", "slices")]
    entries = {f"layer{i}.weight": StoredTensor(gc.float32, np.full((2, i), i, np.float32)) for i in range(4)}
    entries["epoch"] = "seven"
    with tempfile.TemporaryDirectory() as temporary:
        for crc in (False, True):
            write_ckpt(Path(temporary, NAME), entries, crc)
            found.append(Path(temporary, NAME).read_bytes())
    return [{NAME: data} for data in found]


def mutant(random: Random, seeds: list) -> dict:
    files = [seed[NAME] for seed in seeds]
    data = random.choice(files)
    if random.random() < 0.4:
        return {NAME: mutations.blind(random, data, files)}
    return {NAME: _changed(random, data)}


def _fields(data: bytes) -> list:
    """[number, wire type, value] of each field; raises IndexError for bytes that are no message."""
    found, at = [], 0
    while at < len(data):
        key, at = read_varint(data, at)
        wire, start = key & 7, at
        if wire == 0:
            value, at = read_varint(data, at)
        else:
            if wire == 2:
                size, start = read_varint(data, at)
            else:
                size = {1: 8, 5: 4}[wire]
            at = start + size
            value = data[start:at]
            if at > len(data):
                raise IndexError
        found.append([key >> 3, wire, value])
    return found


def _changed(random: Random, data: bytes) -> bytes:
    """A message with a field changed, or something within a field."""
    try:
        fields = _fields(data)
    except (IndexError, KeyError):
        return mutations.blind(random, data, [data])
    if not fields:
        return varint_field(random)
    field = random.choice(fields)
    how = random.random()
    if how < 0.08:
        fields.remove(field)
    elif how < 0.16:
        fields.insert(random.randrange(len(fields) + 1), list(field))
    elif how < 0.2:
        field[random.randrange(2)] = random.randrange(6)
    elif field[1] == 0:
        field[2] = random.choice(mutations.NUMBERS)
    elif isinstance(field[2], bytes):
        field[2] = _changed(random, field[2]) if how < 0.9 else mutations.blind(random, field[2], [data])
    return b"".join(_encoded(random, *field) for field in fields)


def varint_field(random: Random) -> bytes:
    return mutations.varint(8) + mutations.varint(random.choice(mutations.NUMBERS))


def _encoded(random: Random, number: int, wire: int, value) -> bytes:
    head = mutations.varint(number << 3 | wire)
    if isinstance(value, int):
        return head + mutations.varint(value)
    length = random.choice(mutations.NUMBERS) if random.random() < 0.02 else len(value)
    return head + (mutations.varint(length) if wire == 2 else b"") + value
