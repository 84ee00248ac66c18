"""A limit to the elements of one result, for programs of strangers: checked before memory is touched."""
from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar

from graphcore.errors import GraphcoreError
from graphcore.ir.dims import Dim, product

_limit: ContextVar = ContextVar("the most elements of one result", default=None)


class BudgetError(GraphcoreError, MemoryError):
    """A result would have more elements than the limit allows."""


@contextmanager
def limited(elements: int):
    """Within, no operator may give a result of more than `elements` elements; BudgetError otherwise."""
    token = _limit.set(elements)
    try:
        yield
    finally:
        _limit.reset(token)


def is_limited() -> bool:
    """Whether there is a limit now."""
    return _limit.get() is not None


def check_shape(shape, what: str) -> None:
    """Raise BudgetError if a result of this shape goes beyond the limit; symbolic sizes count for 1."""
    limit = _limit.get()
    size = product(s for s in shape if not isinstance(s, Dim))
    if limit is not None and size > limit:
        raise BudgetError(f"{what} gives a tensor of shape {tuple(shape)}, more than the limit of {limit} elements")
