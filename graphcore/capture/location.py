"""The user's line: which line of which file, outside graphcore itself, is being executed, and in which Cell."""
from __future__ import annotations

import linecache
import os
import sys
import sysconfig
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType, FrameType, TracebackType

from graphcore.ir.graph import Origin

_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_STANDARD = os.path.abspath(sysconfig.get_paths()["stdlib"])
_INSTALLED = ("site-packages", "dist-packages")
_OTHERS = frozenset({"numpy", "numba", "llvmlite"})     # packages whose code is never what the user has to change
_CALLERS = 3                                            # how many functions around the innermost one are named
_is_library: dict[str, bool] = {}
_is_foreign: dict[str, bool] = {}


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


def is_foreign_file(filename: str) -> bool:
    """Whether code of this file belongs to Python's standard library, to NumPy or to Numba."""
    known = _is_foreign.get(filename)
    if known is None:
        parts = os.path.abspath(filename).split(os.sep)
        packages = {parts[i + 1] for i, part in enumerate(parts[:-1]) if part in _INSTALLED}
        standard = os.path.abspath(filename).startswith(_STANDARD + os.sep) and not packages
        known = _is_foreign[filename] = bool(standard or packages & _OTHERS)
    return known


def is_users_file(filename: str) -> bool:
    """Whether code of this file is something that the user wrote, or installed beside graphcore."""
    return not is_library_file(filename) and not is_foreign_file(filename)


def treat_as_library(filename: str) -> None:
    """Never take the code of `filename` for the user's (for programs that call the user's code)."""
    _is_library[filename] = True


def user_frame(frame=None):
    """The innermost frame that is the user's; None if there is none."""
    frame = frame or sys._getframe(1)
    while frame is not None and not is_users_file(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """A warning at the user's line."""
    frame = user_frame()
    if frame is None:
        warnings.warn(message, category, stacklevel=2)
    else:
        warnings.warn_explicit(message, category, frame.f_code.co_filename, frame.f_lineno,
                               registry=frame.f_globals.setdefault("__warningregistry__", {}))


def user_origin(scope: str = "") -> Origin:
    """The place of the user's code that is being executed."""
    frame = user_frame(sys._getframe(1))
    return Origin(scope, frame.f_code.co_filename, frame.f_lineno) if frame is not None else Origin(scope)


# -- where an exception comes from ------------------------------------------------------------------------------

@dataclass(frozen=True)
class Step:
    """A frame, and the line and instruction at which it stands or an exception left it."""

    frame: FrameType
    line: int
    instruction: int

    @property
    def code(self) -> CodeType:
        return self.frame.f_code

    @property
    def is_users(self) -> bool:
        return is_users_file(self.code.co_filename)

    @property
    def place(self) -> str:
        return f"{self.code.co_filename}:{self.line}, in {self.code.co_name}"


def steps_of(error: BaseException) -> list[Step]:
    """The way of an exception: the frames that it left, and those around the present one; the innermost first."""
    entries = list(traceback_entries(error.__traceback__))
    frame = entries[0].tb_frame.f_back if entries else sys._getframe(1)
    steps = [Step(e.tb_frame, e.tb_lineno, e.tb_lasti) for e in reversed(entries)]
    while frame is not None:
        steps.append(Step(frame, frame.f_lineno, frame.f_lasti))
        frame = frame.f_back
    return steps


def traceback_entries(traceback: TracebackType | None) -> Iterator[TracebackType]:
    """The entries of a traceback, the outermost first."""
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def is_block_of(inner: CodeType, outer: CodeType) -> bool:
    """Whether `inner` is a piece of `outer` that conversion made a function of its own."""
    same = inner.co_name == outer.co_name or inner.co_name == "<lambda>" and not inner.co_argcount
    return same and inner is not outer and _contains(outer, inner)


def _contains(outer: CodeType, inner: CodeType) -> bool:
    return any(c is inner or _contains(c, inner) for c in outer.co_consts if isinstance(c, CodeType))


def _users_steps(steps: list) -> list[Step]:
    """The user's steps below graphcore's outermost frame, and the one that called it; a function's blocks are one."""
    own = [i for i, s in enumerate(steps) if is_library_file(s.code.co_filename)]
    last = own[-1] if own else -1
    found: list[Step] = []
    for i, step in enumerate(steps):
        if step.is_users and not (found and is_block_of(found[-1].code, step.code)):
            found.append(step)
            if i > last:
                break
    return found


# -- text ---------------------------------------------------------------------------------------------------------

def describe(frame) -> str:
    """The line that `frame` is executing, with a caret under the expression."""
    return "" if frame is None else _described(Step(frame, frame.f_lineno, frame.f_lasti))


def describe_definition(code: CodeType) -> str:
    """The first line of a function."""
    text = linecache.getline(code.co_filename, code.co_firstlineno).strip()
    return f"  {code.co_filename}:{code.co_firstlineno}, in {code.co_name}" + f"\n    {text}" * bool(text)


def _described(step: Step) -> str:
    text = linecache.getline(step.code.co_filename, step.line, step.frame.f_globals).rstrip("\n")
    if not text.strip():
        return f"  {step.place}"
    indent = len(text) - len(text.lstrip())
    first, last = _columns(step, text) or (indent, len(text))
    return f"  {step.place}\n    {text.strip()}\n    {' ' * (first - indent)}{'^' * max(1, last - first)}"


def _columns(step: Step, text: str):
    """(first, last) column of the expression that a step executes, where Python knows it (3.11 and later)."""
    positions = getattr(step.code, "co_positions", None)
    if positions is None:
        return None
    index = step.instruction // 2
    for i, (line, end_line, first, last) in enumerate(positions()):
        if i == index:
            if line != step.line or first is None:
                return None
            raw = text.encode()             # columns are counted in bytes
            return (len(raw[:first].decode(errors="replace")),
                    len(raw[:last].decode(errors="replace")) if line == end_line else len(text))
    return None


def cell_of(steps: list) -> str:
    """``in Cell block.conv (Conv2d) of Net``: the innermost Cell whose construct runs; "" if there is none."""
    from graphcore.nn.cell import Cell
    cells = [s.frame.f_locals["self"] for s in steps if s.code is Cell._construct.__code__]
    if not cells:
        return ""
    inner, root = cells[0], cells[-1]
    if inner is root:
        return f"  in Cell {type(inner).__name__}"
    path = inner.param_prefix
    name = f"{path} ({type(inner).__name__})" if path else type(inner).__name__
    return f"  in Cell {name} of {type(root).__name__}"


def place_of(error: BaseException) -> str:
    """The user's line where an exception was raised (or is about to be), the Cell, and the functions around it."""
    steps = steps_of(error)
    users = _users_steps(steps)
    if not users:
        return ""
    callers = [f"  called from {s.place}" for s in users[1:1 + _CALLERS]]
    return "\n".join(filter(None, (_described(users[0]), cell_of(steps), *callers)))


def locate(error: Exception) -> Exception:
    """The same error with the user's line at its end (once): the line being executed now, or where it was raised."""
    if not getattr(error, "located", False) and (where := place_of(error)):
        if isinstance(error, KeyError):         # shows its argument quoted
            add_note(error, where)
        else:
            error.args = (f"{error}\n{where}",)
        error.located = True
    return error


def add_note(error: BaseException, text: str) -> None:
    """Show `text` below the message of an error."""
    if hasattr(error, "add_note"):
        error.add_note(text)
    elif error.args and isinstance(error.args[0], str):     # Python 3.10
        error.args = (f"{error.args[0]}\n{text}", *error.args[1:])
