"""Folders of models compiled ahead of time: the manifest, and the weights beside the library, are anybody's.

A library is code and is taken from nobody who is not trusted; here it stays as it is.
"""
from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from random import Random

import numpy as np

import graphcore as gc
from graphcore import nn, ops
from graphcore.errors import GraphcoreError
from tests.files.fuzz import Finding, mutations

NAME, WEIGHTS = "manifest.json", "net.safetensors"
_INPUT = np.linspace(-1, 1, 6, dtype=np.float32).reshape(2, 3)


class _Net(nn.Cell):
    """Two outputs, so that there is a result to be nested."""

    def __init__(self):
        super().__init__()
        self.fc = nn.Dense(3, 4)

    def construct(self, x):
        y = ops.tanh(self.fc(x))
        return y, (y * 2.0, x)


def seeds() -> list[dict]:
    """A library with its weights inside, and one for any number of rows with them beside."""
    from graphcore.ir.types import parse_type
    gc.set_seed(1)
    found = []
    for text, weights in (("f32[2,3]", "inside"), ("f32[N,3]", "beside")):
        with tempfile.TemporaryDirectory() as folder:
            gc.export(_Net(), parse_type(text), file_name=folder, file_format="SO", name="net", weights=weights,
                      levels=(2,), threads=False)
            found.append({path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())})
    return [{NAME: files[NAME]} | files for files in found]


def mutant(random: Random, seeds: list) -> dict:
    files = dict(random.choice(seeds))
    if WEIGHTS in files and random.random() < 0.3:
        files[WEIGHTS] = mutations.blind(random, files[WEIGHTS], [files[WEIGHTS]])
        if random.random() < 0.8:               # and the manifest says that it has to be like this
            manifest = json.loads(files[NAME])
            manifest["weights"] |= {"bytes": len(files[WEIGHTS]),
                                    "sha256": hashlib.sha256(files[WEIGHTS]).hexdigest()}
            files[NAME] = json.dumps(manifest).encode()
        return files
    if random.random() < 0.3:
        files[NAME] = mutations.blind(random, files[NAME], [seed[NAME] for seed in seeds])
    for _ in range(random.choice((1, 1, 2))):
        files[NAME] = mutations.json_text(random, files[NAME])
    return files


def load(path: Path):
    return gc.load(path.parent), path.parent


def use(loaded) -> str:
    """It gives arrays of the right kinds, and with the weights that came with it the right ones."""
    model, folder = loaded
    try:
        results = [result.asnumpy() for result in _leaves(model(_INPUT))]
    except GraphcoreError:
        return "refused when used"
    if any(result.dtype != np.float32 or result.shape not in ((2, 3), (2, 4)) for result in results):
        raise Finding(f"results of other kinds: {[(result.dtype, result.shape) for result in results]}")
    if not (folder / WEIGHTS).exists():
        if not all(np.isfinite(result).all() and (np.abs(result) <= 2).all() for result in results):
            raise Finding("wrong results")
        return "used"
    return "used with other weights"


def _leaves(value) -> list:
    return [leaf for part in value for leaf in _leaves(part)] if isinstance(value, (tuple, list)) else [value]
