"""The user's line: which line of which file, outside graphcore itself, is being executed."""
from __future__ import annotations

import linecache
import os
import sys

from graphcore.ir.graph import Origin

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_is_library: dict[str, bool] = {}


def is_library_file(filename: str) -> bool:
    """Whether code of this file is graphcore's own."""
    known = _is_library.get(filename)
    if known is None:
        folders = [_ROOT]
        for name in ("graphcore.nn", "graphcore.compiler"):     # beside the package in a checkout
            module = sys.modules.get(name)
            if module is not None and module.__file__:
                folders.append(os.path.dirname(os.path.abspath(module.__file__)))
        path = os.path.abspath(filename)
        known = filename.startswith("<frozen") or any(path.startswith(f + os.sep) for f in folders)
        _is_library[filename] = known
    return known


def treat_as_library(filename: str) -> None:
    """Never take the code of `filename` for the user's (for programs that call the user's code)."""
    _is_library[filename] = True


def user_frame(frame=None):
    """The innermost frame that is not graphcore's; None if there is none."""
    frame = frame or sys._getframe(1)
    while frame is not None and is_library_file(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def user_origin(scope: str = "") -> Origin:
    """The place of the user's code that is being executed."""
    frame = user_frame(sys._getframe(1))
    return Origin(scope, frame.f_code.co_filename, frame.f_lineno) if frame is not None else Origin(scope)


def _columns(frame):
    """(first, last) column of the expression that `frame` is executing, where Python knows it (3.11 and later)."""
    positions = getattr(frame.f_code, "co_positions", None)
    if positions is None:
        return None
    index = frame.f_lasti // 2
    for i, (line, end_line, first, last) in enumerate(positions()):
        if i == index:
            return (first, last) if line == end_line and first is not None else None
    return None


def describe(frame) -> str:
    """The line that `frame` is executing, with a caret under the expression."""
    if frame is None:
        return ""
    filename, line = frame.f_code.co_filename, frame.f_lineno
    text = linecache.getline(filename, line).rstrip("\n")
    place = f"  {filename}:{line}, in {frame.f_code.co_name}"
    if not text.strip():
        return place
    indent = len(text) - len(text.lstrip())
    first, last = _columns(frame) or (indent, len(text))
    return f"{place}\n    {text.strip()}\n    {' ' * (first - indent)}{'^' * max(1, last - first)}"


def _raising_frame(error: Exception):
    """The innermost frame of the user's that an error which was raised passed through."""
    found, step = None, error.__traceback__
    while step is not None:
        if not is_library_file(step.tb_frame.f_code.co_filename):
            found = step.tb_frame
        step = step.tb_next
    return found


def locate(error: Exception) -> Exception:
    """The same error with the user's line at its end (once): the line being executed now, or where it was raised."""
    if getattr(error, "located", False):
        return error
    where = describe(_raising_frame(error) or user_frame(sys._getframe(1)))
    if not where:
        return error
    message = str(error.args[0]) if error.args else str(error)
    result = type(error)(f"{message}\n{where}")
    result.located = True
    return result
