"""Tables, numbers and colours of what commands print."""
from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from graphcore.cli import highlight

_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")


def table(headings: Sequence[str], rows: Iterable[Sequence], indent: str = "") -> list[str]:
    """Lines with aligned columns: numbers to the right, texts to the left."""
    rows = [list(map(_cell, row)) for row in rows]
    right = [all(row[i][1] for row in rows) and bool(rows) for i in range(len(headings))]
    texts = [list(headings), *[[text for text, _ in row] for row in rows]]
    widths = [max(_width(row[i]) for row in texts) for i in range(len(headings))]
    lines = []
    for row in texts:
        cells = [" " * (w - _width(t)) + t if r else t + " " * (w - _width(t)) for t, w, r in zip(row, widths, right)]
        lines.append((indent + "  ".join(cells)).rstrip())
    return lines


def _cell(value) -> tuple[str, bool]:
    """(text, whether it is a number)"""
    if isinstance(value, bool) or value is None:
        return ("-" if value is None else "yes" if value else "no"), False
    if isinstance(value, int):
        return f"{value:,}", True
    if isinstance(value, float):
        return f"{value:,.2f}", True
    return str(value), bool(re.fullmatch(r"[\d.,]+ ?[%kMGTBi/s]*|-", _ESCAPE.sub("", str(value))))


def _width(text: str) -> int:
    return len(_ESCAPE.sub("", text))


def size(count: int) -> str:
    """``1,234 B``, ``12.3 KiB``, ``1.5 MiB``"""
    if count < 10_000:
        return f"{count:,} B"
    for unit in ("KiB", "MiB", "GiB"):
        count /= 1024
        if count < 1000 or unit == "GiB":
            return f"{count:,.1f} {unit}"
    raise AssertionError


def number(count: int) -> str:
    """``1,234``, ``12.3 M``, ``1.5 G``"""
    if count < 100_000:
        return f"{count:,}"
    for unit in ("k", "M", "G", "T"):
        count /= 1000
        if count < 1000 or unit == "T":
            return f"{count:,.1f} {unit}"
    raise AssertionError


def listed(texts: Iterable[str], most: int = 4) -> str:
    """``a, b, c, d, +3 more``; ``-`` for none."""
    texts = list(texts)
    hidden = len(texts) - most
    return ", ".join(texts[:most]) + (f", +{hidden} more" if hidden > 0 else "") or "-"


def times(count: int) -> str:
    """``once``, ``3 times``"""
    return "once" if count == 1 else f"{count} times"


def colours() -> Callable[[str], str]:
    """What gives IR text its colours on a terminal, and leaves it as it is elsewhere."""
    return highlight.graph if highlight.wanted() else str
