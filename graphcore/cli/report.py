"""Errors as the command line shows them: one line with the place in the user's file, instead of a traceback."""
from __future__ import annotations

import os
import sysconfig
import traceback

from graphcore.capture.location import user_frame
from graphcore.cli import mindspore_hook
from graphcore.cli.errors import UsageError

_STANDARD_LIBRARY = sysconfig.get_path("stdlib") + os.sep
_PACKAGES = os.sep + "site-packages" + os.sep


def one_line(error: BaseException) -> str:
    """What went wrong and, where the user's code was running, at which line of it.

    Errors met while a net is captured end with that line already, and a caret under it; they are shown as they are.
    """
    mindspore_hook.explain(error)
    message = str(error).strip()
    if isinstance(error, UsageError) or getattr(error, "located", False):
        return message
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_short(error.filename)}:{error.lineno}: {type(error).__name__}: {error.msg}"
    kind = type(error).__name__
    text = f"{kind}: {message.splitlines()[0]}" if message else kind
    place = _last_user_line(error)
    return f"{place}: {text}" if place else text


def _last_user_line(error: BaseException) -> str:
    """``net.py:12``: the innermost line of the user's in the traceback; empty if there is none."""
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        name = frame.f_code.co_filename
        if user_frame(frame) is frame and not name.startswith(("<", _STANDARD_LIBRARY)) and _PACKAGES not in name:
            return f"{_short(name)}:{line}"
    return ""


def _short(path: str) -> str:
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative
