"""Wrong programs give the documented error: its class, the user's line, a way out, and nothing from inside."""
from __future__ import annotations

import os
import traceback
import warnings

import pytest

import graphcore as gc
from graphcore.capture.location import is_library_file
from graphcore.errors import GraphcoreError
from tests.errors import table

PROGRAMS = table.programs()
IN_GRAPHS = table.expressions(graph=True)
EAGER = [p for p in table.expressions(graph=False) if not p.name.startswith(("operators_captured", "layers_captured"))]
ROOT = os.path.dirname(os.path.dirname(gc.__file__))


@pytest.fixture(autouse=True)
def graph_mode():
    yield
    gc.set_context(mode=gc.GRAPH_MODE)


def error_of(program: table.WrongProgram) -> Exception:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(Exception) as caught:
            program.run()
    return caught.value


def text_of(error: Exception) -> str:
    return "\n".join([str(error), *getattr(error, "__notes__", ())])


def check(program: table.WrongProgram, error: Exception) -> None:
    text = text_of(error)
    assert type(error).__name__ == program.kind, text
    assert program.piece in str(error), text
    place = f"{program.filename}:{program.line}"
    if isinstance(error, GraphcoreError) and not program.name.startswith("configuration"):
        assert place in text and program.source.splitlines()[program.line - 1].strip() in text
        assert "NoneType" not in text
    else:
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == program.filename]
        assert place in text or program.line in lines, text
    assert ROOT + os.sep not in text.replace(os.path.join(ROOT, "tests"), "")
    assert "numba" not in text.lower() and "llvm" not in text.lower() and "TracedTensor" not in text


def check_frames(error: Exception) -> None:
    """No frame of graphcore's own: the first two are this file and the table."""
    inside = [f.filename for f in traceback.extract_tb(error.__traceback__) if is_library_file(f.filename)]
    assert not inside, "".join(traceback.format_exception(error))


@pytest.mark.parametrize("program", PROGRAMS + IN_GRAPHS, ids=lambda p: p.name)
def test_in_graph_mode(program):
    error = error_of(program)
    check(program, error)
    if not program.name.startswith("configuration"):        # ordinary calls of constructors and settings
        check_frames(error)


@pytest.mark.parametrize("program", EAGER, ids=lambda p: p.name)
def test_in_pynative_mode(program):
    gc.set_context(mode=gc.PYNATIVE_MODE)
    check(program, error_of(program))


def test_there_are_enough_of_them():
    assert len(PROGRAMS) + len(IN_GRAPHS) >= 200 and len(EAGER) >= 60
