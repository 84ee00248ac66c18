"""New arrays."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore import ops

__all__ = ["arange", "ones"]


def arange(start, stop=None, step=None, dtype=None):
    """start, start + step, ... below `stop` (``arange(stop)`` starts at 0): int32 if all are ints, else float32.

    dtype: another one, to which the float32 numbers are converted.
    """
    given = [v for v in (start, stop, step) if v is not None]
    if dtype is None:
        dtype = dt.int32 if all(isinstance(v, int) for v in given) else dt.float32
    if stop is None:
        start, stop = 0, start
    return ops.arange(start, stop, 1 if step is None else step, dtype=dt.as_dtype(dtype))


def ones(shape, dtype=dt.float32):
    """Ones of `shape`, an int or a tuple or list of ints."""
    return ops.ones(tuple(shape) if isinstance(shape, list) else shape, dtype)
