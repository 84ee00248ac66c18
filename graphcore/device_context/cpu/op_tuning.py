"""Threads of compiled programs."""
from __future__ import annotations

from graphcore.context import set_context

__all__ = ["threads_num"]


def threads_num(num: int) -> None:
    """Set how many threads compute.  Raises TypeError unless `num` is an int, ValueError unless it is positive."""
    if not isinstance(num, int) or isinstance(num, bool):
        raise TypeError(f"threads_num takes an int, got {type(num).__name__}")
    if num < 1:
        raise ValueError(f"threads_num must be positive, got {num}")
    set_context(runtime_num_threads=num)
