"""Errors of the command line, and the nearest-name hints that they carry."""
from __future__ import annotations

import difflib
from collections.abc import Iterable

from graphcore.errors import GraphcoreError


class UsageError(GraphcoreError, ValueError):
    """An argument of a command that cannot be used; printed as one line, exit code 2."""


def nearest(name: str, candidates: Iterable[str], count: int = 4) -> str:
    """``; did you mean 'Dense'?`` or ``; the nearest names are ...``, for the end of a message; empty without any."""
    by_lower: dict[str, str] = {}
    for candidate in candidates:
        by_lower.setdefault(candidate.lower(), candidate)
    cutoff = 0.6 if len(name) > 3 else 0.5      # of two letters, one may be wrong
    found = [by_lower[m] for m in difflib.get_close_matches(name.lower(), by_lower, count, cutoff)]
    if not found:
        return ""
    if len(found) == 1 or difflib.SequenceMatcher(None, name.lower(), found[0].lower()).ratio() > 0.9:
        return f"; did you mean {found[0]!r}?"
    return f"; the nearest names are {', '.join(found)}"
