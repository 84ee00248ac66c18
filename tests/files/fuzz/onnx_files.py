"""ONNX models, damaged where their protocol buffers mean something: see `tests.onnx.fuzz`."""
from __future__ import annotations

from pathlib import Path
from random import Random

import graphcore as gc
from tests.onnx import fuzz

NAME = "model.onnx"
PORTION = 1000          # what a process has captured stays in its memory


def seeds() -> list[dict]:
    """Sound models of all families of operators."""
    return [{NAME: data} for data in fuzz.seeds()]


def mutant(random: Random, seeds: list) -> dict:
    return {NAME: fuzz.mutant(random, random.choice(seeds)[NAME])}


def load(path: Path):
    return gc.import_onnx(path, max_elements=fuzz.LIMIT)


def use(net) -> str:
    """Run it operator by operator and capture it as a graph: what is refused now is refused by a FormatError, too."""
    gc.set_context(mode=gc.PYNATIVE_MODE)
    became = {fuzz.use(net, capture) for capture in (False, True)}
    return "refused when used" if "run" in became else "not tried" if "import" in became else "used"
