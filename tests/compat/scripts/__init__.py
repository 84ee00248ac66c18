"""Whole programs in MindSpore's quick-start style, which `graphcore run` carries unchanged.

Each program imports mindspore alone, as a tutorial does, and takes its weights and data from seeds of NumPy, as the two
frameworks draw other random numbers.  What MindSpore 2.10 printed lies beside it (``NAME.out``); graphcore has to print
the same lines (see `comparison`).

    python -m tests.compat.scripts                                   # compares all, or those named
    python -m tests.compat.scripts --record --python PYTHON [NAME]   # asks MindSpore in its own environment

A new program is a file here, recorded once; `pytest tests/compat/test_scripts.py` finds it.
"""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
LONG = frozenset({"resnet_transfer", "gpt_language_model"})
_OURS = {"__init__", "__main__", "comparison"}
_SECONDS = 300


def programs() -> list:
    """The names of the programs, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.py") if path.stem not in _OURS)


def printed(command: list, name: str) -> str:
    """What a program prints when `command` runs it.  Raises RuntimeError with its errors' end if it fails."""
    environment = {**os.environ, "MS_JIT_IGNORE_MODULES": "numpy,scipy", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([*command, str(FOLDER / f"{name}.py")], capture_output=True, text=True, timeout=_SECONDS,
                          env=environment)
    if done.returncode:
        raise RuntimeError(f"{name} ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout


def printed_by_graphcore(name: str) -> str:
    """What ``graphcore run NAME.py`` prints."""
    return printed([sys.executable, "-m", "graphcore", "run"], name)


def record_of(name: str) -> Path:
    """Where it is kept what MindSpore printed."""
    return FOLDER / f"{name}.out"
