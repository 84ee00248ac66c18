"""Reads: what a capture looked at outside of itself, noted on the thread that captures."""
from __future__ import annotations

import enum
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import CellType, FunctionType, MemberDescriptorType, MethodType
from typing import Any

from graphcore.capture.guards.libraries import is_fixed, is_library
from graphcore.capture.guards.snapshots import MISSING, MUTABLE, Items, Plain, Same, difference, snapshot

_local = threading.local()
_install_lock = threading.Lock()
_installed = [0]

_STABLE_DESCRIPTORS = (FunctionType, staticmethod, classmethod, MemberDescriptorType)

#: What a Cell keeps for itself: replaced or changed by its own methods only, which move `epoch.structure`.
_OF_CELLS = frozenset("""_params _cells _buffers _adopted _referenced _tuples _borrowed _flags _inputs _hooks _extras
    _warned _bound _compiled _attached cell_list _pairs""".split())


@dataclass(frozen=True, eq=False)
class Read:
    """Something that a capture read, with what it held: `now` reads it again."""

    owner: Any
    name: str
    held: Any                       # a snapshot

    def now(self):
        """The present value, or MISSING."""
        raise NotImplementedError

    @property
    def place(self) -> str:
        """What it is called in messages."""
        raise NotImplementedError

    def still_holds(self) -> bool:
        return self.held.matches(self.now())

    def change(self) -> str:
        """What changed, for people."""
        now = self.now()
        if isinstance(self.held, Same) and _is_parameter(self.held.value) and _is_parameter(now):
            return f"Parameter {self.held.value.name} was replaced by another object"
        where, what = difference(self.held, now)
        return f"{self.place}{where}: {what}"


@dataclass(frozen=True, eq=False)
class Watched(Read):
    """An attribute, as all of Cells, that moves `epoch.structure` whenever it is set."""

    def now(self):
        return getattr(self.owner, self.name, MISSING)

    @property
    def place(self) -> str:
        return self.name if self.name in ("training", "phase") else f"{type(self.owner).__name__}.{self.name}"


@dataclass(frozen=True, eq=False)
class Attribute(Read):
    """An attribute of any other object; `computed` ones (properties) give a new value at each reading."""

    computed: bool = False

    def now(self):
        return getattr(self.owner, self.name, MISSING)

    @property
    def place(self) -> str:
        owner = self.owner.__qualname__ if isinstance(self.owner, (type, FunctionType)) else type(self.owner).__name__
        return f"{owner}.{self.name}"


@dataclass(frozen=True, eq=False)
class Global(Read):
    """A global variable of a module."""

    def now(self):
        return self.owner.get(self.name, MISSING)

    @property
    def place(self) -> str:
        return f"global {self.name}"


@dataclass(frozen=True, eq=False)
class Closure(Read):
    """A variable of a function around."""

    function: str = ""

    def now(self):
        try:
            return self.owner.cell_contents
        except ValueError:      # the cell is empty
            return MISSING

    @property
    def place(self) -> str:
        return f"closure {self.name}" + (f" of {self.function}" if self.function else "")


@dataclass(frozen=True, eq=False)
class Contents(Read):
    """A container that the capture came upon."""

    def now(self):
        return self.owner

    @property
    def place(self) -> str:
        return f"a {type(self.owner).__name__}"


# -- recording -------------------------------------------------------------------------------------------

@dataclass
class _Recorder:
    reads: dict                                     # key -> Read
    own: dict = field(default_factory=dict)         # key -> owner of what the capture has written itself

    def note(self, key, kind, owner, name, value, **more) -> None:
        if key not in self.reads and key not in self.own:
            held = Same(MISSING) if value is MISSING else snapshot(value)
            if held is not None:
                self.reads[key] = kind(owner, name, held, **more)


def _recorder() -> _Recorder | None:
    return getattr(_local, "recorder", None)


@contextmanager
def recording(reads: dict) -> Iterator[dict]:
    """Note what is read on this thread in `reads`, by keys of their own."""
    from graphcore.nn.cell import Cell
    outer, recorder = _recorder(), _Recorder(reads)
    _local.recorder = recorder
    with _install_lock:
        _installed[0] += 1
        if _installed[0] == 1:
            Cell.__getattribute__ = _recording_getattribute
    try:
        yield reads
    finally:
        _local.recorder = outer
        if outer is not None:
            for key, read in reads.items():
                if key not in outer.own:
                    outer.reads.setdefault(key, read)
            outer.own.update(recorder.own)
        with _install_lock:
            _installed[0] -= 1
            if _installed[0] == 0:
                del Cell.__getattribute__


def _recording_getattribute(cell, name):
    recorder = _recorder()
    try:
        value = object.__getattribute__(cell, name)
    except AttributeError:
        if recorder is not None and name[:2] != "__":
            recorder.note((id(cell), name), Watched, cell, name, MISSING)
        return type(cell).__getattr__(cell, name)
    if recorder is None or name[:2] == "__" or (id(cell), name) in recorder.reads or is_fixed(value):
        return value
    if name in _OF_CELLS:
        recorder.reads[id(cell), name] = Watched(cell, name, Same(value))
    elif name not in object.__getattribute__(cell, "__dict__") and _property(cell, name) is not None:
        read_attribute(cell, name, value)       # a property may read more than Cells
    else:
        recorder.note((id(cell), name), Watched, cell, name, value)
    return value


def read_global(namespace: dict, name: str) -> None:
    """The capture reads a global; a builtin, a module or something of graphcore's own is taken for fixed."""
    recorder = _recorder()
    value = namespace.get(name, MISSING)
    if recorder is None or value is MISSING or is_fixed(value) or is_library(namespace.get("__name__")):
        return
    recorder.note((id(namespace), name), Global, namespace, name, value)


def read_cell(cell: CellType, name: str, function: str = "") -> None:
    """The capture reads the closure cell of variable `name` of `function`."""
    recorder = _recorder()
    if recorder is None:
        return
    try:
        value = cell.cell_contents
    except ValueError:      # not set yet: a variable of a function that is still running
        return
    if not is_fixed(value):
        recorder.note((id(cell), name), Closure, cell, name, value, function=function)


def read_attribute(owner, name: str, value) -> None:
    """The capture has read ``owner.name`` of a plain object and got `value`, MISSING where there is none."""
    recorder = _recorder()
    if recorder is None or is_fixed(owner) or is_fixed(value) or _is_immutable(owner):
        return
    found = None if isinstance(value, MethodType) else _property(owner, name)
    if is_fixed(getattr(found, "fget", None)) or found is not None and not isinstance(snapshot(value), (Plain, Items)):
        return          # perhaps a new object each time: it is what the reads of the property make it
    recorder.note((id(owner), name), Attribute, owner, name, value, computed=found is not None)


def read_watched(owner, name: str, value) -> None:
    """The capture has read an attribute of graphcore's own objects, each change of which moves `epoch.structure`."""
    recorder = _recorder()
    if recorder is not None:
        recorder.note((id(owner), name), Watched, owner, name, value)


def read_container(container) -> None:
    """The capture uses the contents of a list, dict or set that it did not make."""
    recorder = _recorder()
    if recorder is not None and isinstance(container, MUTABLE):
        recorder.note((id(container), ""), Contents, container, "", container)


def read_defaults(function: FunctionType) -> None:
    """The capture calls a function, whose default values it may read; those that cannot change are taken for fixed."""
    for name, values in (("__defaults__", function.__defaults__), ("__kwdefaults__", function.__kwdefaults__)):
        held = snapshot(values) if values and _recorder() is not None else None
        if held is not None and any(part.changes_in_place for part in held.items):
            _recorder().note((id(function), name), Attribute, function, name, values)


def written(owner, name: str) -> None:
    """The capture sets an attribute or a global itself: what it reads there from now on is its own."""
    recorder = _recorder()
    if recorder is not None:
        recorder.own[id(owner), name] = owner


def changed(reads: dict) -> Read | None:
    """The first read that does not hold any more, or None."""
    return next((r for r in reads.values() if not r.still_holds()), None)


def _is_immutable(owner) -> bool:
    """Whether the attributes of an object cannot be set: a list's, a string's, an enumeration's member's."""
    return isinstance(owner, enum.Enum) or type(owner).__module__ == "builtins" and not isinstance(
        owner, (type, FunctionType))


def _is_parameter(value) -> bool:
    from graphcore.parameter import Parameter
    return isinstance(value, Parameter)


def _property(owner, name: str):
    """What computes an attribute, a property or its like; None for a stored one, or a function."""
    found = next((vars(kind)[name] for kind in type(owner).__mro__ if name in vars(kind)), None)
    if not hasattr(type(found), "__get__") or isinstance(found, _STABLE_DESCRIPTORS):
        return None
    is_cached = not hasattr(type(found), "__set__") and name in getattr(owner, "__dict__", ())
    return None if is_cached else found
