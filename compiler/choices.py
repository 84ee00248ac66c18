"""Decisions that measuring may settle better than a cost model: what they are, and what was taken.

A place in the compiler that has several ways to do one thing asks `take` with its options, the first of which is what
its cost model would do.  That is what it gets, unless a program is compiled within `Choices.applied`: by
`compiler.tune`, and later by every process that finds the result of tuning in the cache.
"""
from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from contextvars import ContextVar

_present: ContextVar[Choices | None] = ContextVar("choices", default=None)


class Choices:
    """What is taken in a compilation.

    taken: "kind place" → option, where it is not the first one; asked: "kind place" → all options, as they come up.
    """

    def __init__(self, taken: Mapping[str, str] = {}):
        self.taken = dict(taken)
        self.asked: dict[str, tuple] = {}

    @contextmanager
    def applied(self):
        """Within it, `take` goes by this."""
        token = _present.set(self)
        try:
            yield self
        finally:
            _present.reset(token)


def take(kind: str, place: str, options: tuple) -> str:
    """One of `options` (names): the first one, or what was tuned.

    kind: of the decision; place: what tells one of that kind from another in the graph, such as its sizes.
    """
    choices = _present.get()
    if choices is None:
        return options[0]
    point = f"{kind} {place}"
    choices.asked[point] = options
    found = choices.taken.get(point, options[0])
    return found if found in options else options[0]


def default_first(default: str, *options: str) -> tuple:
    """All options, with the default in front."""
    return (default, *(option for option in options if option != default))
