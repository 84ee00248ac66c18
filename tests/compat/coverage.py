"""Which names there are, here and in MindSpore, and which of them have a case."""
from __future__ import annotations

import importlib
import inspect
from functools import cache
from types import ModuleType

from graphcore.dtype import DType
from tests.compat import table

_MISSING = object()


@cache
def found(name: str):
    """What a dotted name that begins with one of `table.ROOTS` is under `mindspore`; None, `False` ... can be values.

    Returns `MISSING` where it does not exist.  The hook must be installed.
    """
    root, *rest = name.split(".")
    for module in (table.ROOTS[root], *table.ALSO.get(root, ())):
        value = _followed([word for word in ["mindspore", *module.split(".")] if word] + rest)
        if value is not _MISSING:
            return value
    return _MISSING


def _followed(path: list):
    """What a path of words is, from ``mindspore`` on."""
    value = importlib.import_module("mindspore")
    for place, word in enumerate(path[1:], 1):
        try:
            value = getattr(value, word)
        except Exception:
            try:
                value = importlib.import_module(".".join(path[:place + 1]))
            except Exception:
                return _in_a_module(path)
    return value


def _in_a_module(path: list):
    """The last word in the module that the others name, which a function of that name hides from `getattr`."""
    try:
        return getattr(importlib.import_module(".".join(path[:-1])), path[-1])
    except Exception:
        return _MISSING


def exists(name: str) -> bool:
    """Whether a dotted name exists; the hook must be installed."""
    return found(name) is not _MISSING


class Covered:
    """The names that cases speak for: those in their texts, and other names of the same objects."""

    def __init__(self, cases):
        self._names = {name for entry in cases for name in entry.names if exists(name)}
        self._objects = {id(_plain(found(name))) for name in self._names if _tells_apart(found(name))}

    def __contains__(self, name: str) -> bool:
        if name in self._names:
            return True
        root, _, rest = name.partition(".")
        if any(f"ms.{module}.{rest}" in self._names for module in table.ALSO.get(root, ())):
            return True
        value = found(name)
        return isinstance(value, ModuleType) or _tells_apart(value) and id(_plain(value)) in self._objects


def _plain(value):
    return getattr(value, "__func__", value)        # a class method is bound anew at each access


def _tells_apart(value) -> bool:
    """Whether two names of this object mean the same thing: of numbers, strings and the like it is chance."""
    return inspect.isclass(value) or inspect.isroutine(value) or isinstance(value, DType)
