"""Control flow among launches: branches, loops, calls of Python functions and exchanges with other
processes, which hold or stand beside launches.

A lowered graph is a tuple of *entries*: launches, and the classes of this module, whose bodies are entries again.
"""
from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from graphcore.compiler.launch import Buffer, Launch, View
from graphcore.dtype import DType
from graphcore.ir.dims import Size


@dataclass(frozen=True, eq=False)
class Tape:
    """Elements of `size` times `dtype` written one after another by a loop, in memory that grows outside the arena."""

    name: str
    dtype: DType
    size: Size


@dataclass(frozen=True, eq=False)
class Branch:
    """Run `then` if the bool in `condition` holds, else `orelse`; both write `results`.

    stacks: those of which the condition is an element.
    """

    condition: Buffer
    then: tuple
    orelse: tuple
    results: tuple
    stacks: tuple = ()

    @property
    def bodies(self) -> tuple:
        return self.then, self.orelse

    @property
    def reads(self) -> tuple:
        return (self.condition, *self.stacks)

    @property
    def writes(self) -> tuple:
        return self.results


@dataclass(frozen=True, eq=False)
class While:
    """Run `test`, which writes the bool `flag`; while it holds, run `body` and `test` again.

    results: the carried values and what else changes from iteration to iteration; trips: counts the iterations, or
    None; elements: buffers that stand for the next place on a tape -> the tape.
    """

    test: tuple
    flag: Buffer
    body: tuple
    results: tuple
    trips: Buffer | None
    elements: dict

    @property
    def bodies(self) -> tuple:
        return self.test, self.body

    @property
    def reads(self) -> tuple:
        return (self.flag,)

    @property
    def writes(self) -> tuple:
        return (*self.results, *([self.trips] if self.trips else ()))


@dataclass(frozen=True, eq=False)
class Repeat:
    """Run `body` `count` times (a number, or the buffer that holds it); `index` has the number of the iteration.

    reverse: from the last index to the first; elements: buffers that stand for element `index` of a stack -> the
    stack, a Buffer or Tape; grown: the tapes among them that the loop makes; stacks: those of which the count is an
    element.
    """

    count: int | Buffer
    index: Buffer
    reverse: bool
    body: tuple
    results: tuple
    elements: dict
    grown: tuple
    stacks: tuple = ()

    @property
    def bodies(self) -> tuple:
        return (self.body,)

    @property
    def reads(self) -> tuple:
        return (self.count, *self.stacks) if isinstance(self.count, Buffer) else ()

    @property
    def writes(self) -> tuple:
        return (*self.results, self.index)


@dataclass(frozen=True, eq=False)
class HostCall:
    """Call Python function number `callback` with the values of `arguments`; what it gives is stored in `result`."""

    callback: int
    label: str
    arguments: tuple            # contiguous Views
    result: View | None
    reads: tuple                # the buffers touched, as of a Launch
    writes: tuple

    bodies = ()


@dataclass(frozen=True, eq=False)
class Exchange:
    """Start exchange number `number` with other processes, from `source` to `target`; ends: wait for it instead.

    collective: (what, group, reduce, root, sends, receives), see `ops.transport.Collective`.
    """

    number: int
    ends: bool
    collective: tuple
    source: View                # contiguous, as is the target
    target: View
    reads: tuple                # the buffers touched, as of a Launch
    writes: tuple

    bodies = ()


def walk(entries: Iterable) -> Iterator:
    """Every entry, and those in its bodies after it."""
    for entry in entries:
        yield entry
        if not isinstance(entry, Launch):
            for body in entry.bodies:
                yield from walk(body)


def launches_in(entries: Iterable) -> list:
    """The launches among the entries, at any depth, in order."""
    return [entry for entry in walk(entries) if isinstance(entry, Launch)]


def with_bodies(entry, change):
    """The same branch or loop with ``change(body)`` for each of its bodies."""
    if isinstance(entry, Branch):
        return replace(entry, then=tuple(change(entry.then)), orelse=tuple(change(entry.orelse)))
    if isinstance(entry, While):
        return replace(entry, test=tuple(change(entry.test)), body=tuple(change(entry.body)))
    if isinstance(entry, Repeat):
        return replace(entry, body=tuple(change(entry.body)))
    return entry


def varying(entries: Iterable) -> set:
    """Buffers whose content depends on the control flow in `entries`: results of regions and elements of stacks."""
    found: set = set()
    for entry in walk(entries):
        if not isinstance(entry, Launch):
            found.update(entry.writes)
            found.update(getattr(entry, "elements", ()))
    return found
