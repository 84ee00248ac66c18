"""docs/errors.md is true: each program gives the error that is printed below it, and each cure works.

``python -m tests.errors.test_catalogue`` writes the errors into the document again.
"""
from __future__ import annotations

import linecache
import re
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import graphcore as gc
from graphcore import Parameter, Tensor, errors, nn, ops

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "errors.md"
ENTRY = re.compile(r"^### (?P<title>.+?)\n.*?```python\n(?P<wrong>.*?)```\n\n```text\n(?P<printed>.*?)```\n"
                   r".*?```python\n(?P<cure>.*?)```\n", re.M | re.S)
ENTRIES = list(ENTRY.finditer(DOCUMENT.read_text(encoding="utf-8")))


def run(source: str, filename: str) -> None:
    linecache.cache[filename] = len(source), None, source.splitlines(True), filename
    names = {"gc": gc, "np": np, "nn": nn, "ops": ops, "Tensor": Tensor, "Parameter": Parameter, "__name__": "example"}
    exec(compile(source, filename, "exec"), names)


def printed(source: str) -> str:
    """What a program's error prints, without the functions around the program."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            run(source, "net.py")
    except Exception as error:
        lines = "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())]).splitlines()
        return "\n".join(ln for ln in lines if "called from" not in ln or "net.py" in ln) + "\n"
    finally:
        gc.set_context(mode=gc.GRAPH_MODE)
    raise AssertionError("the program does not fail")


def comparable(text: str) -> str:
    """Carets are as wide as the expression from Python 3.11 on only."""
    if sys.version_info < (3, 11):
        text = re.sub(r"\n *\^+", "", text)
    return text


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e["title"])
def test_the_program_gives_the_error(entry):
    assert comparable(printed(entry["wrong"])) == comparable(entry["printed"])


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e["title"])
def test_the_cure_works(entry):
    run(entry["cure"], "cure.py")


def test_every_class_has_an_entry():
    classes = {name for name, value in vars(errors).items()
               if isinstance(value, type) and issubclass(value, errors.GraphcoreError)}
    headings = set(re.findall(r"^## (\w+)", DOCUMENT.read_text(encoding="utf-8"), re.M))
    assert classes - headings == {"GraphcoreError"}


def _renew() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    for entry in ENTRIES:
        text = text.replace(entry[0], entry[0].replace(f"```text\n{entry['printed']}```",
                                                       f"```text\n{printed(entry['wrong'])}```"))
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _renew()
