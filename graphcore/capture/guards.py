"""Guards: what a capture read of Cells, so that a change recompiles instead of giving stale results.

While a capture runs, reads of Cell attributes are recorded.  A compiled program holds them together with the value of
the `epoch.structure` counter: as long as the counter stands still nothing is checked; when it has moved, the recorded
reads are compared once.
"""
from __future__ import annotations

import threading
from contextlib import contextmanager

import numpy as np

_recording = threading.local()
_install_lock = threading.Lock()
_installed = [0]

_PLAIN = (bool, int, float, str, bytes, type(None))


class Read:
    """One attribute of one Cell, with what it was."""

    __slots__ = ("cell", "name", "value")

    def __init__(self, cell, name: str, value):
        self.cell, self.name, self.value = cell, name, _snapshot(value)

    def still_holds(self) -> bool:
        try:
            now = getattr(self.cell, self.name)
        except AttributeError:
            return False
        return _snapshot(now) == self.value

    def describe(self) -> str:
        return f"{type(self.cell).__name__}.{self.name}"


class _Same:
    """Compares equal to a snapshot of the very same object, which it keeps alive: its id is not given to another."""

    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return isinstance(other, _Same) and other.value is self.value

    def __hash__(self):
        return id(self.value)


def _snapshot(value, depth: int = 3):
    """What to compare: plain data and containers of it by value, everything else by identity."""
    if isinstance(value, _PLAIN):
        return type(value), value
    if depth and isinstance(value, (list, tuple)):
        return type(value), [_snapshot(v, depth - 1) for v in value]
    if depth and isinstance(value, dict):
        return type(value), [(k, _snapshot(v, depth - 1)) for k, v in value.items()]
    return _Same(value)


@contextmanager
def recording(reads: dict):
    """Record the reads of Cell attributes on this thread into `reads`, keyed by (id of cell, name)."""
    from graphcore.nn.cell import Cell
    outer = getattr(_recording, "reads", None)
    _recording.reads = reads
    with _install_lock:
        _installed[0] += 1
        if _installed[0] == 1:
            Cell.__getattribute__ = _recording_getattribute
    try:
        yield reads
    finally:
        _recording.reads = outer
        if outer is not None:
            outer.update(reads)
        with _install_lock:
            _installed[0] -= 1
            if _installed[0] == 0:
                del Cell.__getattribute__


def _recording_getattribute(cell, name):
    try:
        value = object.__getattribute__(cell, name)
    except AttributeError:
        value = type(cell).__getattr__(cell, name)
    reads = getattr(_recording, "reads", None)
    if reads is not None and name[:2] != "__" and (id(cell), name) not in reads and not _is_method(value):
        reads[id(cell), name] = Read(cell, name, value)
    return value


def _is_method(value) -> bool:
    return callable(value) and hasattr(value, "__func__")


def changed(reads: dict):
    """The first recorded read that does not hold any more, or None."""
    return next((r for r in reads.values() if not r.still_holds()), None)


def static_key(value):
    """A hashable key of a Python argument that is a constant to the capture; identity for what has no value."""
    if isinstance(value, _PLAIN):
        return (type(value), value)
    if isinstance(value, (list, tuple)):
        return (type(value), tuple(map(static_key, value)))
    if isinstance(value, dict):
        return (dict, tuple((k, static_key(v)) for k, v in value.items()))
    if isinstance(value, np.ndarray):
        return (np.ndarray, value.shape, value.dtype.str, value.tobytes())
    return (type(value), _Same(value))


def read_global(namespace, name):       # placeholders of the lead's until helper E's are in
    pass


def read_cell(cell, name):
    pass


def read_attribute(owner, name, value):
    pass


def read_container(container):
    pass


def written(owner, name):
    pass
