"""Checks of the arguments of layers, losses and optimisers: each returns the value or raises with a cure."""
from __future__ import annotations

import numpy as np

from graphcore.errors import ShapeError


def positive_int(value, name: str, owner: str) -> int:
    """`value` if it is an int above 0.  Raises ValueError (TypeError for bools and other types)."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{owner}: {name} must be an int above 0, got {value!r} ({type(value).__name__})")
    if value <= 0:
        raise ValueError(f"{owner}: {name} must be an int above 0, got {value!r}")
    return int(value)


def boolean(value, name: str, owner: str) -> bool:
    """`value` if it is a bool.  Raises TypeError."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{owner}: {name} must be True or False, got {value!r} ({type(value).__name__})")
    return bool(value)


def number(value, name: str, owner: str, low=None, high=None, open_low=False, open_high=False) -> float:
    """`value` as a float inside the interval.  Raises TypeError for other types, ValueError outside."""
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        raise TypeError(f"{owner}: {name} must be a number, got {value!r} ({type(value).__name__})")
    too_low = low is not None and (value <= low if open_low else value < low)
    too_high = high is not None and (value >= high if open_high else value > high)
    if too_low or too_high or value != value:
        interval = (f"{'(' if open_low or low is None else '['}{'-inf' if low is None else low}, "
                    f"{'inf' if high is None else high}{')' if open_high or high is None else ']'}")
        raise ValueError(f"{owner}: {name} must lie in {interval}, got {value!r}")
    return float(value)


def one_of(value, allowed, name: str, owner: str):
    """`value` if it is among `allowed`.  Raises ValueError that lists them."""
    if value not in allowed:
        raise ValueError(f"{owner}: {name} must be one of {', '.join(map(repr, allowed))}, got {value!r}")
    return value


def pair(value, name: str, owner: str) -> tuple:
    """(rows, columns) from an int above 0 or a tuple of one or two.  Raises ValueError or TypeError."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value, value)
    if len(values) == 1:
        values *= 2
    if len(values) != 2:
        raise ValueError(f"{owner}: {name} must be an int or a tuple of two, got {value!r}")
    return tuple(positive_int(v, name, owner) for v in values)


def padding_sizes(value, count: int, owner: str) -> tuple:
    """`count` sizes >= 0 from an int or a tuple of that many.  Raises ValueError or TypeError."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,) * count
    if len(values) != count:
        raise ValueError(f"{owner}: padding must be an int or a tuple of {count} ints, got {value!r}")
    for v in values:
        if isinstance(v, bool) or not isinstance(v, (int, np.integer)):
            raise TypeError(f"{owner}: padding must be made of ints, got {value!r}")
        if v < 0:
            raise ValueError(f"{owner}: padding must not be negative, got {value!r}")
    return values


def rank(x, allowed, owner: str) -> None:
    """Raise ShapeError unless the number of axes of the Tensor `x` is among `allowed`."""
    if len(x.shape) not in allowed:
        wanted = " or ".join(map(str, allowed))
        raise ShapeError(f"{owner} takes input of {wanted} dimensions, got {len(x.shape)} (shape {tuple(x.shape)})")
