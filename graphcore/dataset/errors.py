"""The exceptions of dataset pipelines."""
from __future__ import annotations

import difflib

from graphcore.errors import GraphcoreError


class DatasetError(GraphcoreError, RuntimeError):
    """A dataset pipeline that cannot deliver its rows: a bad source, a failing operation, rows that do not batch."""


class ColumnError(DatasetError, ValueError):
    """A column name that the dataset does not have, or that it would have twice."""


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
