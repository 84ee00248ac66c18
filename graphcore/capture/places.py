"""Python state that a captured function changes: attributes, globals, lists, dicts and sets.

A capture runs once and its program many times, so what the function does to Python objects is undone after the capture
and done again after each run, with that run's values.  Within branches and loops the program decides, so there the old
and new contents are joined like local variables.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphcore.capture.guards.snapshots import MISSING
from graphcore.capture.trace import Trace, TracedTensor, current_trace

CONTAINERS = (list, dict, set)


@dataclass(frozen=True)
class Container:
    """The contents of a list, dict or set."""

    value: Any

    @property
    def key(self):
        return id(self.value)

    def read(self):
        return type(self.value)(self.value)

    def write(self, contents) -> None:
        if isinstance(self.value, list):
            self.value[:] = contents
        else:
            self.value.clear()
            self.value.update(contents)

    renew = write

    def __str__(self):
        return f"a {type(self.value).__name__}"


@dataclass(frozen=True)
class Attribute:
    """An attribute of an object; MISSING where there is none."""

    owner: Any
    name: str

    @property
    def key(self):
        return id(self.owner), self.name

    def read(self):
        return getattr(self.owner, self.name, MISSING)

    def write(self, value) -> None:
        """Set the attribute, past what a Cell does when it is told."""
        if value is MISSING:
            if hasattr(self.owner, self.name):
                object.__delattr__(self.owner, self.name)
        else:
            object.__setattr__(self.owner, self.name, value)

    def renew(self, value) -> None:
        """Set the attribute after a run, as the user's code would."""
        if value is MISSING:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, value)

    def __str__(self):
        return f"attribute {self.name} of {type(self.owner).__name__}"


@dataclass(frozen=True)
class Entry:
    """An entry of a namespace: a global variable."""

    namespace: dict
    name: str

    @property
    def key(self):
        return id(self.namespace), self.name

    def read(self):
        return self.namespace.get(self.name, MISSING)

    def write(self, value) -> None:
        if value is MISSING:
            self.namespace.pop(self.name, None)
        else:
            self.namespace[self.name] = value

    renew = write

    def __str__(self):
        return f"global {self.name}"


@dataclass(frozen=True)
class Variable:
    """A traced tensor that a method like ``add_`` gives another value."""

    tensor: TracedTensor

    @property
    def key(self):
        return id(self.tensor)

    def read(self):
        return TracedTensor(self.tensor.node, self.tensor.recorder)

    def write(self, value) -> None:
        self.tensor.node, self.tensor.recorder = value.node, value.recorder

    def __str__(self):
        return "a tensor"


def touch(place) -> None:
    """Note, before it is changed, what a place holds."""
    trace = current_trace()
    if trace is not None and trace.symbolic and place.key not in trace.touched:
        note(trace, place, place.read())


def note(trace: Trace, place, old) -> None:
    """Note that a trace changes a place that held `old`.  What the trace has made itself needs no noting."""
    if not _is_own(trace, place):
        trace.touched.setdefault(place.key, (place, old))


def _is_own(trace: Trace, place) -> bool:
    if isinstance(place, Container):
        return place.key in trace.owned or trace.root is trace and place.key not in trace.outside
    return isinstance(place, Variable) and place.tensor.recorder is trace


def own(container):
    """Note that a container was made by the trace at hand; gives it back."""
    trace = current_trace()
    if trace is not None:
        trace.owned[id(container)] = container
    return container


def own_new(value, known):
    """Note that the containers in `value` were made by the trace at hand, but for those in `known`; gives it back."""
    old = {id(c) for c in containers_in(known)}
    for container in containers_in(value):
        if id(container) not in old:
            own(container)
    return value


def containers_in(value) -> list:
    """The lists, dicts and sets in a nest, the outermost first."""
    if not isinstance(value, (*CONTAINERS, tuple)):
        return []
    items = value.values() if isinstance(value, dict) else value
    return ([] if isinstance(value, tuple) else [value]) + [c for item in items for c in containers_in(item)]


def from_outside(value, depth: int = 3):
    """Note that the containers in `value` belong to the world outside of the capture; gives it back."""
    trace = current_trace()
    if trace is not None and isinstance(value, CONTAINERS) and id(value) not in trace.root.outside:
        trace.root.outside[id(value)] = value
        if depth:
            for item in (value.values() if isinstance(value, dict) else value):
                from_outside(item, depth - 1)
    return value


def restore(trace: Trace) -> dict:
    """Undo what was done to places during a trace; key → (place, old contents, new contents)."""
    done = {key: (place, old, place.read()) for key, (place, old) in trace.touched.items()}
    for place, old, _ in done.values():
        place.write(old)
    return done
