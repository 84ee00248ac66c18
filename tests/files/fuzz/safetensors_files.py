"""safetensors files: the header is JSON behind its length."""
from __future__ import annotations

import struct
from pathlib import Path
from random import Random

import numpy as np

import graphcore as gc
from graphcore.files.safetensors_file import read_safetensors, write_safetensors
from graphcore.files.stored import StoredTensor
from tests.files.fuzz import mutations

NAME = "net.safetensors"
load = read_safetensors


def seeds() -> list[dict]:
    """Two files by MindSpore, one of a net by graphcore."""
    import tempfile
    folder = Path(__file__).parent.parent / "data"
    found = [(folder / name).read_bytes() for name in ("dtypes.safetensors", "plain.safetensors")]
    entries = {f"layer{i}.weight": StoredTensor(gc.float32, np.full((2, i), i, np.float32)) for i in range(5)}
    entries["flags"], entries["epoch"] = StoredTensor(gc.bool_, np.array([True, False])), "7"
    with tempfile.TemporaryDirectory() as temporary:
        write_safetensors(Path(temporary, NAME), entries)
        found.append(Path(temporary, NAME).read_bytes())
    return [{NAME: data} for data in found]


def mutant(random: Random, seeds: list) -> dict:
    files = [seed[NAME] for seed in seeds]
    data = random.choice(files)
    if random.random() < 0.4:
        return {NAME: mutations.blind(random, data, files)}
    size = struct.unpack_from("<Q", data)[0]
    header, body = data[8:8 + size], data[8 + size:]
    for _ in range(random.choice((1, 1, 2))):
        header = mutations.json_text(random, header)
    length = random.choice(mutations.NUMBERS) if random.random() < 0.1 else len(header)
    body = random.choice((body, body, body, body[:-1], body + b"\0", b""))
    return {NAME: struct.pack("<Q", length & (1 << 64) - 1) + header + body}


def use(entries: dict) -> str:
    """Every byte of every tensor is there."""
    for entry in entries.values():
        if not isinstance(entry, str):
            entry.to_tensor().asnumpy().copy()
    return "used"
