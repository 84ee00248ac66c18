"""The exceptions of dataset pipelines."""
from __future__ import annotations

import difflib
import os
import traceback

import graphcore
from graphcore.errors import GraphcoreError


class DatasetError(GraphcoreError, RuntimeError):
    """A dataset pipeline that cannot deliver its rows: a bad source, a failing operation, rows that do not batch."""


class ColumnError(DatasetError, ValueError):
    """A column name that the dataset does not have, or that it would have twice."""


def users_line(error: BaseException) -> str:
    """" (train.py:12: return x / 0)": the innermost line of the traceback that is not graphcore's or a library's."""
    ours = os.path.dirname(graphcore.__file__)
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if not frame.filename.startswith(ours + os.sep) and "site-packages" not in frame.filename:
            return f" ({os.path.basename(frame.filename)}:{frame.lineno}{': ' * bool(frame.line)}{frame.line})"
    return ""


def check_columns(wanted, available, where: str) -> None:
    """Raise ColumnError, naming the columns there are, unless every name of `wanted` is one of `available`."""
    for name in wanted:
        if name not in available:
            close = difflib.get_close_matches(name, available, 1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise ColumnError(f"{where}: there is no column {name!r}, the dataset has {list(available)}{hint}")


def check_distinct(columns, where: str) -> None:
    """Raise ColumnError if a name stands twice in `columns`."""
    seen = set()
    for name in columns:
        if name in seen:
            raise ColumnError(f"{where}: two columns would be called {name!r}; rename one of them with .rename first")
        seen.add(name)
