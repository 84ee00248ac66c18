"""What a user sees of an exception: the error in terms of their program, and a traceback of their own frames.

`explain` knows four kinds of exceptions by the frame that they come from:

* graphcore's own, and what its argument checks raise: shown with the user's line;
* what the user's code raised itself: stays what it is, with a note of the Cell;
* Python's complaint about arguments that graphcore took from the user unchecked: the same class, naming the arguments;
* anything else from inside: a defect of graphcore.

GRAPHCORE_DEBUG=1 leaves tracebacks whole.
"""
from __future__ import annotations

import functools
import inspect
import os
import re
from opcode import opmap
from types import TracebackType

from graphcore.capture.location import (
    Step,
    add_note,
    cell_of,
    describe_definition,
    is_block_of,
    is_foreign_file,
    is_library_file,
    is_users_file,
    locate,
    place_of,
    steps_of,
    traceback_entries,
)
from graphcore.capture.trace import current_trace
from graphcore.errors import CaptureError, CompileError, DTypeError, GraphcoreError, shown

_RAISE = opmap["RAISE_VARARGS"]         # the instruction of a `raise` statement
_LANGUAGE = os.path.join("graphcore", "capture", "language") + os.sep      # does what the user's own code says
_WRONG_CALL = re.compile(r"\S+\(\) (missing \d|takes |got an unexpected|got multiple|got some positional)")
_BETWEEN = frozenset({"renamed", "called", "__call__", "_run_eagerly", "_run_construct", "_construct", "run",
                      "capture_call"})
_COMPLAINTS = (TypeError, ValueError, IndexError, OverflowError, ZeroDivisionError)


def is_debugging() -> bool:
    """Whether GRAPHCORE_DEBUG asks for whole tracebacks."""
    return os.environ.get("GRAPHCORE_DEBUG", "") not in ("", "0")


def explain(error: Exception) -> Exception:
    """The exception to raise in place of `error`: itself, saying where in the user's program, or a CompileError."""
    if getattr(error, "located", False):
        return error
    entries = list(traceback_entries(error.__traceback__))
    steps = [Step(e.tb_frame, e.tb_lineno, e.tb_lasti) for e in reversed(entries)]
    if isinstance(error, GraphcoreError):
        return locate(error)
    if isinstance(error, RecursionError):
        return locate(CaptureError("a function calls itself without end while the graph is captured: a condition on a "
                                   "tensor takes both branches then; write a while loop, or let a Python number "
                                   "decide").with_traceback(error.__traceback__))
    source = next((s for s in steps if not is_foreign_file(s.code.co_filename)), None)
    if source is None or _is_users_own(source):
        return _noted(error)
    if isinstance(error, TypeError) and _WRONG_CALL.match(str(error)):
        error.args = (_wrong_call(str(error), source),)
        return locate(error)
    if _raises(source):
        return locate(error)
    if isinstance(error, AttributeError) and _is_argument(error.obj, steps):
        error = DTypeError(f"a tensor is needed, got {shown(error.obj)}").with_traceback(error.__traceback__)
    if isinstance(error, _COMPLAINTS):
        error.args = (_complaint(error, steps),)
        return locate(error)
    return _defect(error, source)


def replace(error: Exception) -> None:
    """Explain an exception that is being handled; raises what is to be seen in its place, if that is another one."""
    found = explain(error)
    if found is not error:
        raise found from (error if is_debugging() else None)


def shows_users_frames(function):
    """Decorator for functions of the public interface: their exceptions leave as `explain` and `shorten` make them."""
    @functools.wraps(function)
    def called(*args, **kwargs):
        if current_trace() is not None:         # the outermost call is the one to do it
            return function(*args, **kwargs)
        try:
            try:
                return function(*args, **kwargs)
            except Exception as error:
                replace(error)
                raise
        except Exception as error:
            shorten(error)
            raise
    return called


def shorten(error: BaseException) -> None:
    """Leave only the user's frames in the traceback of an exception that leaves graphcore, as it is raised again.

    The blocks of one function become one frame.
    """
    if isinstance(error, GraphcoreError):
        locate(error)
    if is_debugging():
        return
    kept: list[TracebackType] = []
    for entry in traceback_entries(error.__traceback__):
        code = entry.tb_frame.f_code
        if is_users_file(code.co_filename):
            if kept and is_block_of(code, kept[-1].tb_frame.f_code):
                kept.pop()
            kept.append(entry)
    result = None
    for entry in reversed(kept):
        result = TracebackType(result, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    error.__traceback__ = result
    if isinstance(error, GraphcoreError):
        error.__suppress_context__ = True




def check_result(function, result) -> None:
    """Raises CaptureError for a captured function that is a generator or a coroutine, whose code did not run."""
    is_generator = inspect.isgenerator(result)
    if not is_generator and not inspect.iscoroutine(result):
        return
    result.close()
    code = inspect.unwrap(function).__code__
    what, cure = ("a generator (yield)", "collect the values in a list and return it") if is_generator else (
        "a coroutine (async def)", "define it with def")
    error = CaptureError(f"{code.co_name} is {what}; a graph has all of its results at once: {cure}\n"
                         + describe_definition(code))
    error.located = True
    raise error


# -- kinds of exceptions ----------------------------------------------------------------------------------------

def _is_users_own(source: Step) -> bool:
    filename = source.code.co_filename
    return is_users_file(filename) or _LANGUAGE in filename and not _raises(source)


def _raises(step: Step) -> bool:
    """Whether an exception left this frame by its own `raise` statement."""
    return step.code.co_code[step.instruction] == _RAISE


def _noted(error: Exception) -> Exception:
    if cell := cell_of(steps_of(error)):
        add_note(error, cell)
    error.located = True
    return error


def _wrong_call(message: str, caller: Step) -> str:
    """The message for a call whose arguments do not fit the function's parameters."""
    inside = caller.frame.f_locals
    if "args" not in inside:
        return message
    cell = inside.get("self")
    function = inside.get("function") or getattr(cell, "construct", None)
    given = [shown(a) for a in inside["args"]] + [f"{k}={shown(v)}" for k, v in inside.get("kwargs", {}).items()]
    try:
        signature = f"{function.__name__}{inspect.signature(function)}"
    except (AttributeError, TypeError, ValueError):
        return message
    return f"{message}; it is defined as {signature}, and called with ({', '.join(given)})"


def _complaint(error: Exception, steps: list[Step]) -> str:
    """The message for an error that arguments which nobody checked led to."""
    called = _called(steps)
    cell = called.frame.f_locals.get("self")
    name = called.code.co_name if cell is None else f"{type(cell).__name__}.{called.code.co_name}"
    given = ", ".join(f"{n}={shown(v)}" for n, v in _arguments(called).items())
    reason = str(error).replace("NoneType", "None")
    return f"{name}({given}) cannot be computed: {reason}; check these arguments"


def _called(steps: list[Step]) -> Step:
    """The function of graphcore's, on the way of an exception, that the user's code called."""
    calls = []
    for step in steps:
        if step.is_users or _LANGUAGE in step.code.co_filename:
            break
        if is_library_file(step.code.co_filename):
            calls.append(step)
    named = [s for s in calls if s.code.co_name not in _BETWEEN]
    return (named or calls)[-1]


def _arguments(step: Step) -> dict:
    code, inside = step.code, step.frame.f_locals
    names = code.co_varnames[:code.co_argcount + code.co_kwonlyargcount]
    return {n: inside[n] for n in names if n in inside and n not in ("self", "cls")}


def _is_argument(value, steps: list[Step]) -> bool:
    """Whether `value` is what the user gave to a function of graphcore's where it wants a tensor."""
    return not hasattr(value, "type_") and any(v is value for v in _arguments(_called(steps)).values())


def _defect(error: Exception, source: Step) -> Exception:
    where = f"{os.path.basename(source.code.co_filename)}, {source.code.co_name}"
    reason = f"{type(error).__name__}: {error}".partition("\n")[0].replace("NoneType", "None")
    found = CompileError(
        f"a defect of graphcore, not of this program ({reason}; in {where}). Please report it with the program; "
        "GRAPHCORE_DEBUG=1 shows where it happened, and PYNATIVE_MODE may run the code meanwhile")
    if place := place_of(error):
        found.args = (f"{found}\n{place}",)
    found.located = True
    return found


__all__ = ["explain", "is_debugging", "replace", "shorten", "shows_users_frames"]
