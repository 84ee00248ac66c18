"""The memory of a program as a map over its steps: which value lies where, from when to when, and in whose place."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphcore.compiler.control import Branch, Exchange, HostCall, Repeat, Tape
from graphcore.compiler.launch import Buffer
from graphcore.compiler.memory import blocks_of, timeline
from graphcore.compiler.plan import Compiled
from graphcore.ir.dims import evaluate
from graphcore.ir.graph import Node


@dataclass(frozen=True, eq=False)
class BufferRecord:
    """A block of memory.

    number: in the order in which buffers are first used; kind: "arena", "input", "output", "param", "const", "derived"
    (computed by the prologue, kept between calls), "element" (of a stack, during an iteration) or "tape"; key: which
    input or output (its number) or Parameter (its name); offset: in the arena; first, last: the steps between which it
    is in use; takes_over: the number of the buffer in whose place it is written, because that one dies in the same
    step; nodes: the values that it holds, of the final graph.
    """

    number: int
    name: str
    kind: str
    key: str
    bytes: int
    dtype: str
    offset: int | None
    first: int | None
    last: int | None
    takes_over: int | None
    nodes: tuple
    buffer: Buffer | Tape


@dataclass(frozen=True)
class StepRecord:
    """One step of the program's time: a launch, or what control flow does between launches.

    launch: its number (see `kernels.LaunchRecord`), or None; used: the bytes of the arena that are in use.
    """

    number: int
    title: str
    launch: int | None
    used: int


@dataclass(frozen=True)
class MemoryMap:
    """The arena of a run, the buffers in it and outside, and its use step by step.

    peak: bytes in use at step `peak_at`, where it is most.  The prologue has an arena of its own, not shown here.
    """

    arena: int
    buffers: tuple
    steps: tuple
    peak: int
    peak_at: int

    def holding(self) -> list[BufferRecord]:
        """The buffers that are in use at the peak, largest first; of those that share memory the first one."""
        alive = [b for b in self.buffers if b.offset is not None and b.first <= self.peak_at <= b.last]
        places = {}
        for b in alive:
            places.setdefault(b.offset, b)
        return sorted(places.values(), key=lambda b: (-b.bytes, b.number))

    def of(self, node: Node) -> list[BufferRecord]:
        """The buffers that hold a value."""
        return [b for b in self.buffers if node in b.nodes]


def memory_map(compiled: Compiled, launches: tuple, binding: Mapping, originals: Mapping[Node, Node]) -> MemoryMap:
    """The map of a planned program; originals: see `values.as_lowered`."""
    plan, lowered = compiled.plan, compiled.lowered
    by_launch = {id(record.launch): record for record in launches}
    time = timeline(compiled.entries)
    holders: dict = {}
    for node, buffer in lowered.values.items():
        holders.setdefault(buffer, []).append(originals.get(node, node))
    order: dict = dict.fromkeys(b for entry in time for b in (*entry.reads, *entry.writes))
    order.update(dict.fromkeys(holders))
    index = {b: i for i, b in enumerate(order, 1)}
    external = {b: (e.kind, e.key) for b, e in lowered.externals.items()}
    external |= {b: ("derived", "") for b in _derived(compiled, external)}
    records = []
    for buffer in order:
        life = plan.lifetimes.get(buffer)
        if life is not None:
            kind, key = "arena", ""
        elif buffer in external:
            kind, key = external[buffer]
        elif isinstance(buffer, Tape):
            kind, key = "tape", ""
        elif buffer in lowered.elements:
            kind, key = "element", ""
        else:
            continue                                    # of the prologue, or of nothing that is left
        source = plan.shared.get(buffer)
        records.append(BufferRecord(
            index[buffer], "const" if kind == "const" else buffer.name, kind, "" if kind == "const" else str(key),
            life.bytes if life else evaluate(buffer.size, binding) * buffer.dtype.itemsize, buffer.dtype.code,
            plan.offsets.get(buffer), life and life.first + 1, life and life.last + 1, source and index[source],
            tuple(dict.fromkeys(holders.get(buffer, ()))), buffer))
    used = [0] * (len(time) + 1)
    for life in blocks_of(plan.lifetimes, plan.shared).values():
        used[life.first] += life.bytes
        used[life.last + 1] -= life.bytes
    steps, now = [], 0
    for number, (entry, change) in enumerate(zip(time, used), 1):
        now += change
        record = by_launch.get(id(entry))
        title = record.kernel.name if record else _title(entry)
        steps.append(StepRecord(number, title, record and record.number, now))
    top = max(steps, key=lambda s: s.used, default=None)
    return MemoryMap(plan.arena_bytes, tuple(records), tuple(steps), top.used if top else 0, top.number if top else 0)


def _derived(compiled: Compiled, external: Mapping) -> list:
    """What the prologue leaves for every run."""
    made = {b for entry in compiled.prologue_launches for b in entry.writes}
    read = dict.fromkeys(b for entry in compiled.launches for b in entry.reads)
    return [b for b in read if b in made and b not in external]


def _title(entry) -> str:
    if isinstance(entry, HostCall):
        return f"call of {entry.label or 'a Python function'}"
    if isinstance(entry, Exchange):
        return f"{'wait for' if entry.ends else 'start'} {entry.collective[0]}"
    return "branch" if isinstance(entry, Branch) else "repeat" if isinstance(entry, Repeat) else "while"
