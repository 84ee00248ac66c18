"""Settings of devices that graphcore does not run on: checked as MindSpore checks them, without effect."""
from __future__ import annotations

from collections.abc import Callable


def setting(name: str, kind: type, values: tuple = ()) -> Callable:
    """A function of one argument that raises TypeError unless it is of `kind`, ValueError unless among `values`."""
    def choose(value) -> None:
        if not isinstance(value, kind) or isinstance(value, bool) and kind is not bool:
            raise TypeError(f"{name} takes a {kind.__name__}, got {type(value).__name__}")
        if values and value not in values:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, values))}, got {value!r}")
    choose.__name__ = choose.__qualname__ = name
    choose.__doc__ = "A setting of another device, without effect here" + (
        f": one of {', '.join(map(repr, values))}." if values else f": a {kind.__name__}.")
    return choose
