"""A format whose reader does all that none may do: by this the campaign itself is tested."""
from __future__ import annotations

import os
import time

import numpy as np

from graphcore.errors import FormatError

FAULTS = ("accepted", "refused", "raises", "memory", "slow", "ends", "hangs", "wrong")


def seeds() -> list:
    return [{"file": b""}]


def mutant(random, seeds) -> dict:
    """A file that names a fault."""
    return {"file": random.choice(FAULTS).encode()}


def load(path) -> str:
    """Does what the file says."""
    fault = path.read_text()
    if fault == "refused":
        raise FormatError(fault)
    if fault == "raises":
        raise KeyError(fault)
    if fault == "memory":
        np.ones(80 << 20, np.uint8)
    if fault == "slow":
        began = time.thread_time()
        while time.thread_time() - began < 1.2:
            pass
    if fault == "ends":
        os.abort()
    if fault == "hangs":
        while True:
            pass
    return fault


def use(fault: str) -> str:
    assert fault != "wrong"
    return "used"
