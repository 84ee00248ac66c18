"""The stored form of a compiled program in the cache on disk: JSON, with small constants in it.

Loading one imports nothing that compiling needs.
"""
from __future__ import annotations

import base64
from dataclasses import dataclass

import numpy as np

from graphcore.compiler.runtime.program import NativeProgram

LARGEST_STORED_CONSTANTS = 1 << 20      # bytes; programs with more folded constants are planned anew in each process


@dataclass(frozen=True)
class StoredCode:
    """Native programs, the cache keys of their kernels, and the names and arrays that their externals stand for.

    See `compiler.plan.Compiled` for the fields and the order of externals.
    """

    program: NativeProgram
    prologue: NativeProgram | None
    derived: tuple
    object_keys: dict
    params: tuple
    constants: tuple

    def to_json(self) -> dict | None:
        """As data for JSON; None if the constants are too large to store."""
        if sum(c.nbytes for c in self.constants) > LARGEST_STORED_CONSTANTS:
            return None
        return {"program": self.program.to_json(), "prologue": self.prologue and self.prologue.to_json(),
                "derived": [[size, dtype.str] for size, dtype in self.derived], "objects": dict(self.object_keys),
                "params": list(self.params), "constants": [_array_to_json(c) for c in self.constants]}

    @staticmethod
    def from_json(data: dict) -> StoredCode:
        """What `to_json` stored."""
        return StoredCode(
            NativeProgram.from_json(data["program"]),
            NativeProgram.from_json(data["prologue"]) if data["prologue"] else None,
            tuple((size, np.dtype(dtype)) for size, dtype in data["derived"]), data["objects"], tuple(data["params"]),
            tuple(_array_from_json(c) for c in data["constants"]))


def _array_to_json(array: np.ndarray) -> dict:
    return {"dtype": array.dtype.str, "shape": list(array.shape), "data": base64.b64encode(array.tobytes()).decode()}


def _array_from_json(data: dict) -> np.ndarray:
    return np.frombuffer(base64.b64decode(data["data"]), np.dtype(data["dtype"])).reshape(data["shape"]).copy()
