"""The checked-in lists of examples, and where MindSpore is."""
from __future__ import annotations

import importlib.util
import os
from pathlib import Path

_FOLDER = Path(__file__).parents[1]
PASS, STALE = _FOLDER / "docstrings_pass.txt", _FOLDER / "docstrings_stale.txt"
PASS_HEADING = "Examples of MindSpore 2.10's documentation that print here what is documented; the list only grows."
STALE_HEADING = "Examples of MindSpore 2.10's documentation that MindSpore 2.10 itself does not reproduce on a CPU."
PYTHON_VARIABLE = "GRAPHCORE_MINDSPORE_PYTHON"


def read(path: Path) -> set[str]:
    """The names in a list; empty for one that is not there."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {line for line in lines if line and not line.startswith("#")}


def write(path: Path, names: set[str], heading: str) -> None:
    """A name a line, sorted."""
    path.write_text("\n".join([f"# {heading}", *sorted(names)]) + "\n", encoding="utf-8")


def interpreter() -> str | None:
    """MindSpore's interpreter, as the environment names it."""
    return os.environ.get(PYTHON_VARIABLE)


def find_mindspore(place: str | None = None) -> Path | None:
    """The folder of the `mindspore` package: below `place`, that of the environment's interpreter, or this Python's."""
    place = place or interpreter()
    if place is None:
        found = importlib.util.find_spec("mindspore")
        return None if found is None or found.origin is None else Path(found.origin).parent
    path = Path(place)
    candidates = ([path / "mindspore", path] if path.is_dir()
                  else sorted(path.absolute().parents[1].glob("lib/python3*/site-packages/mindspore")))
    return next((c for c in candidates if (c / "common" / "tensor.py").is_file()), None)
