"""``nn.utils``: helpers for nets."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["no_init_parameters"]


@contextmanager
def no_init_parameters() -> Iterator[None]:
    """Within it nets are made for a checkpoint: Parameters do not get values before they are used.

    In graphcore that is always so: a Parameter of an initialiser takes up memory when its values are first read, and
    loading a checkpoint puts the file's values in their place without making the initial ones.
    """
    yield
