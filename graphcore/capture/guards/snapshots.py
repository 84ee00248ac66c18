"""Snapshots: what a value was, to be compared with what it is.

Plain data is compared by value and type, containers by their contents, arrays and Tensors by their bytes, everything
else (Parameters, Cells, functions, classes, other objects) by identity.  A snapshot keeps the value itself too, so that
its id is given to no other object and that `checks` can compare by identity first.
"""
from __future__ import annotations

from dataclasses import dataclass
from types import MethodType
from typing import Any

import numpy as np

from graphcore.capture import epoch
from graphcore.tensor import Tensor

PLAIN = (bool, int, float, complex, str, bytes, type(None), type(Ellipsis), range, slice)
MUTABLE = (list, dict, set)
MISSING = type("Missing", (), {"__repr__": lambda self: "<missing>"})()

_DEEPEST = 5                # containers within containers: those further down are compared by identity
_MOST_ITEMS = 4096          # items of the containers in one value; when they are used up, likewise
_LONGEST_TEXT = 60


@dataclass(frozen=True, eq=False)
class Same:
    """An object that is compared by identity."""

    value: Any
    changes_in_place = False

    def matches(self, now) -> bool:
        return now is self.value

    def text(self) -> str:
        return show(self.value)


@dataclass(frozen=True, eq=False)
class Bound(Same):
    """A method of an object: each reading binds it anew, equal to what was read."""

    def matches(self, now) -> bool:
        return type(now) is type(self.value) and now == self.value


@dataclass(frozen=True, eq=False)
class Plain:
    """A number, string or other value without parts."""

    value: Any
    changes_in_place = False

    def matches(self, now) -> bool:
        if now is self.value:
            return True
        if type(now) is not type(self.value):
            return False
        # 0.0 equals -0.0 and a NaN not itself, but their texts tell
        return repr(now) == repr(self.value) if isinstance(now, (float, complex)) else now == self.value

    def text(self) -> str:
        return show(self.value)


@dataclass(frozen=True, eq=False)
class Array:
    """A NumPy array or a plain Tensor, with a copy of its values."""

    value: Any
    words: np.ndarray
    changes_in_place = True

    def matches(self, now) -> bool:
        if type(now) is not type(self.value) or getattr(now, "dtype", None) != self.value.dtype:
            return False
        array = array_of(now)
        return array is not None and same_words(array, self.words)

    def watch(self) -> bool:
        """Let changes of a Tensor's values move `epoch.structure`; False where they are to be compared at each call."""
        return isinstance(self.value, Tensor) and epoch.watch(self.value) and self.matches(self.value)

    def text(self) -> str:
        return show(self.value)


@dataclass(frozen=True, eq=False)
class Items:
    """A list, tuple, set or dict (then with `keys`) and snapshots of what it held."""

    value: Any
    keys: tuple | None
    items: tuple

    @property
    def changes_in_place(self) -> bool:
        return isinstance(self.value, MUTABLE) or any(i.changes_in_place for i in self.items)

    def matches(self, now) -> bool:
        if type(now) is not type(self.value) or len(now) != len(self.items):
            return False
        if self.keys is None:
            return all(s.matches(item) for s, item in zip(self.items, now))
        return tuple(now) == self.keys and all(s.matches(item) for s, item in zip(self.items, now.values()))

    def text(self) -> str:
        texts = [s.text() for s in self.items]
        if self.keys is not None:
            texts = [f"{key!r}: {text}" for key, text in zip(self.keys, texts)]
        open_, close = "()" if isinstance(self.value, tuple) else "[]" if isinstance(self.value, list) else "{}"
        return _shortened(f"{open_}{', '.join(texts)}{close}")


def snapshot(value):
    """The snapshot of a value, or None where it holds tensors of the capture at hand, which nothing outside changes."""
    try:
        return _snapshot(value, _DEEPEST, [_MOST_ITEMS])
    except _OfTheCapture:
        return None


class _OfTheCapture(Exception):
    """The value holds a tensor of the capture at hand."""


def _snapshot(value, depth: int, budget: list):
    if isinstance(value, PLAIN):
        return Plain(value)
    if isinstance(value, MethodType):
        return Bound(value)
    if isinstance(value, (list, tuple, dict, set, frozenset)):
        budget[0] -= len(value)
        if depth and budget[0] >= 0:
            items = value.values() if isinstance(value, dict) else value
            return Items(value, tuple(value) if isinstance(value, dict) else None,
                         tuple(_snapshot(item, depth - 1, budget) for item in items))
    if isinstance(value, (Tensor, np.ndarray)):
        array = array_of(value)
        if array is not None:
            return Array(value, array.copy())
    return Same(value)


def array_of(value) -> np.ndarray | None:
    """The memory of an array or plain Tensor, None for a Parameter, whose values are read at each run."""
    if isinstance(value, np.ndarray):
        return value
    from graphcore.capture.trace import TracedTensor
    from graphcore.parameter import Parameter
    if isinstance(value, TracedTensor):
        raise _OfTheCapture
    if isinstance(value, Parameter) or not isinstance(value._array, np.ndarray):
        return None
    return value._array


def same_words(array: np.ndarray, words: np.ndarray) -> bool:
    """Whether an array has the shape, dtype and, bit by bit, the values of a copy."""
    if array.shape != words.shape or array.dtype != words.dtype:
        return False
    if array.dtype.hasobject:
        return array.tobytes() == words.tobytes()       # the objects' identities
    kind = "u8" if array.nbytes % 8 == 0 else "u1"
    return bool((array.reshape(-1).view(kind) == words.reshape(-1).view(kind)).all())


def static_key(value):
    """A hashable key of a Python argument that is a constant to the capture; identity for what has no value."""
    if isinstance(value, slice):
        return (slice, static_key((value.start, value.stop, value.step)))
    if isinstance(value, float):
        return (type(value), repr(value))
    if isinstance(value, PLAIN):
        return (type(value), value)
    if isinstance(value, (list, tuple)):
        return (type(value), tuple(map(static_key, value)))
    if isinstance(value, dict):
        return (dict, tuple((k, static_key(v)) for k, v in value.items()))
    if isinstance(value, np.ndarray):
        return (np.ndarray, value.shape, value.dtype.str, value.tobytes())
    return (type(value), Identity(value))


class Identity:
    """Equal to that of the very same object only; it keeps the object alive."""

    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return isinstance(other, Identity) and other.value is self.value

    def __hash__(self):
        return id(self.value)


# -- for people -----------------------------------------------------------------------------------------

def show(value) -> str:
    """A value in a few words."""
    if isinstance(value, Tensor):
        return str(value.type_)
    if isinstance(value, np.ndarray):
        return f"an array {value.dtype}{list(value.shape)}"
    if isinstance(value, (*PLAIN, list, tuple, dict, set, frozenset)):
        return _shortened(repr(value))
    if isinstance(value, type) or callable(value) and hasattr(value, "__qualname__"):
        return value.__qualname__
    return f"a {type(value).__name__}"


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT - 4] + " ..."


def difference(old, now) -> tuple[str, str]:
    """(where in the value, what changed) between a snapshot and a value that does not match it."""
    if now is MISSING or old.value is MISSING:
        return "", f"was deleted, it was {old.text()}" if now is MISSING else f"was added, as {show(now)}"
    if isinstance(old, Items) and type(now) is type(old.value) and len(now) == len(old.items):
        if old.keys is None and not isinstance(now, (set, frozenset)):
            places, items = range(len(now)), list(now)
        else:
            places, items = old.keys, list(now.values()) if isinstance(now, dict) else None
        if items is not None and (old.keys is None or tuple(now) == old.keys):
            for place, part, item in zip(places, old.items, items):
                if not part.matches(item):
                    inner, change = difference(part, item)
                    return f"[{place!r}]{inner}", change
    if isinstance(old, Array) and now is old.value:
        return "", "its values were changed in place"
    before, after = old.text(), show(now)
    if before == after:
        return "", "replaced by another object" if isinstance(old, Same) else "replaced by one of other values"
    return "", f"{before} -> {after}"
