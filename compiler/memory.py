"""The memory plan: live ranges of buffers become offsets in one arena.

A buffer lives from the first launch that writes it to the last that touches it; through a whole loop if it is touched
outside of it too.  Buffers are placed largest first, each
at the lowest offset where nothing that lives at the same time lies.  A map's output takes the place of an input that
dies there.  `check_plan` replays a plan and knows nothing of how it was made.
"""
from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from graphcore.compiler.control import Branch, Repeat, While
from graphcore.compiler.launch import Buffer, Launch
from graphcore.errors import CompileError
from graphcore.ir.dims import Size, evaluate

ALIGNMENT = 64


@dataclass(frozen=True)
class Lifetime:
    """First and last launch (inclusive) that touch a buffer, and its size in bytes."""

    first: int
    last: int
    bytes: int


@dataclass(frozen=True)
class MemoryPlan:
    """Byte offsets of all buffers in the arena; `shared` maps a buffer to the one whose memory it takes over."""

    offsets: Mapping
    lifetimes: Mapping
    shared: Mapping
    arena_bytes: int


def plan_memory(entries, outside, may_share: Mapping, binding: Mapping) -> MemoryPlan:
    """Plan the arena for entries whose symbolic sizes take the values in `binding`.

    outside: buffers that have no memory of their own in the arena.
    """
    lifetimes = _lifetimes(entries, outside, binding)
    shared = _share(lifetimes, may_share)
    blocks = blocks_of(lifetimes, shared)
    offsets: dict = {}
    placed: list = []                                   # (first, last, begin, end)
    total = 0
    for root, life in sorted(blocks.items(), key=lambda item: (-item[1].bytes, item[1].first)):
        begin = 0
        for _, _, lower, upper in sorted((p for p in placed if p[0] <= life.last and life.first <= p[1]),
                                         key=lambda p: p[2]):
            if begin + life.bytes <= lower:
                break
            begin = max(begin, upper)
        end = begin + _aligned(life.bytes)
        placed.append((life.first, life.last, begin, end))
        offsets[root] = begin
        total = max(total, end)
    for buffer in lifetimes:
        offsets[buffer] = offsets[_root(buffer, shared)]
    return MemoryPlan(offsets, lifetimes, shared, total)


def check_plan(entries, outside, plan: MemoryPlan) -> None:
    """Raise CompileError if a launch reads a buffer whose memory another one has taken since it was written.

    Both sides of a branch are replayed, and what either leaves in memory may be there after it; the body of a loop is
    replayed twice.
    """
    _Replay(outside, plan).run(entries, [])


class _Replay:
    """Follows which buffer was written last to each range of the arena: a list of (begin, end, buffer)."""

    def __init__(self, outside, plan: MemoryPlan):
        self.outside, self.plan = outside, plan

    def run(self, entries, owners: list) -> list:
        """The owners after the entries, given those before."""
        for entry in entries:
            if isinstance(entry, Branch):
                self._check_reads(entry, entry.reads, owners)
                ends = [self.run(body, owners) for body in entry.bodies]
                owners = list(dict.fromkeys(o for end in ends for o in end))
            elif isinstance(entry, While):
                owners = self._write(entry.trips, owners) if entry.trips else owners
                for _ in range(2):
                    owners = self.run(entry.test, owners)
                    self._check_reads(entry, entry.reads, owners)
                    owners = self.run(entry.body, owners)
            elif isinstance(entry, Repeat):
                self._check_reads(entry, entry.reads, owners)
                owners = self._write(entry.index, owners)
                for _ in range(2):
                    owners = self.run(entry.body, owners)
            else:
                owners = self._touch(entry, owners)
        return owners

    def _touch(self, entry, owners: list) -> list:
        self._check_reads(entry, [b for b in entry.reads if b not in entry.writes], owners)
        for buffer in entry.writes:
            self._check_operands(entry, buffer)
            owners = self._write(buffer, owners)
        return owners

    def _range(self, buffer: Buffer) -> tuple:
        begin = self.plan.offsets[buffer]
        return begin, begin + self.plan.lifetimes[buffer].bytes

    def _write(self, buffer: Buffer, owners: list) -> list:
        if buffer in self.outside:
            return owners
        begin, end = self._range(buffer)
        return [o for o in owners if not (o[0] < end and begin < o[1])] + [(begin, end, buffer)]

    def _check_reads(self, entry, buffers, owners: list) -> None:
        for buffer in buffers:
            if buffer in self.outside:
                continue
            begin, end = self._range(buffer)
            for b, e, other in owners:
                if b < end and begin < e and other is not buffer:
                    raise CompileError(f"memory plan: {_title(entry)} reads {buffer}, but {other} was written over it")

    def _check_operands(self, entry, buffer: Buffer) -> None:
        if buffer in self.outside:
            return
        begin, end = self._range(buffer)
        for read in entry.reads:
            if read in self.outside or read is buffer or self.plan.shared.get(buffer) is read:
                continue
            b, e = self._range(read)
            if b < end and begin < e and b < e:
                raise CompileError(f"memory plan: {_title(entry)} writes {buffer} over {read}, which it reads")


def _title(entry) -> str:
    return entry.kernel.name if isinstance(entry, Launch) else type(entry).__name__


def timeline(entries) -> list:
    """The entry behind each of the numbers that lifetimes count by; control flow has several."""
    clock = _Clock(())
    clock.visit(entries)
    return clock.entries


class _Clock:
    """Numbers all that touches memory, in order, and notes the touches of each buffer and the span of each loop."""

    def __init__(self, outside):
        self.outside, self.now = outside, 0
        self.entries: list = []                         # by number
        self.touches: dict[Buffer, list] = {}
        self.loops: list = []                           # (begin, end), inner ones first

    def visit(self, entries) -> None:
        for entry in entries:
            begin = self.now
            if isinstance(entry, Branch):
                self._touch(entry, entry.reads)
                for body in entry.bodies:
                    self.visit(body)
            elif isinstance(entry, (While, Repeat)):
                at_begin = (*entry.reads, *entry.writes) if isinstance(entry, Repeat) else entry.writes
                self._touch(entry, at_begin)
                for body in entry.bodies:
                    self.visit(body)
                    self._touch(entry, entry.reads if body is entry.bodies[0] else ())
                self._touch(entry, entry.writes)
                self.loops.append((begin, self.now - 1))
            else:
                self._touch(entry, (*entry.reads, *entry.writes))

    def _touch(self, entry, buffers) -> None:
        self.entries.append(entry)
        for buffer in buffers:
            if buffer not in self.outside:
                self.touches.setdefault(buffer, []).append(self.now)
        self.now += 1


def _lifetimes(entries, outside, binding) -> dict:
    """First and last touch of each buffer; one that is touched in a loop and outside of it lives all through it."""
    clock = _Clock(outside)
    clock.visit(entries)
    found: dict = {}
    for buffer, times in clock.touches.items():
        first, last = times[0], times[-1]
        for begin, end in clock.loops:
            inside = bisect_left(times, begin) < bisect_right(times, end)
            if inside and (first < begin or last > end):
                first, last = min(first, begin), max(last, end)
        found[buffer] = Lifetime(first, last, evaluate(buffer.size, binding) * buffer.dtype.itemsize)
    return found


def _share(lifetimes: dict, may_share: Mapping) -> dict:
    """For each output that may, the input of equal size that dies in the launch that makes it."""
    shared: dict = {}
    taken = set()
    for output, candidates in may_share.items():
        life = lifetimes.get(output)
        for source in candidates:
            old = lifetimes.get(source)
            if life and old and source not in taken and source is not output and old.last == life.first \
                    and old.first < life.first and _bytes(source) == _bytes(output):
                shared[output] = source
                taken.add(source)
                break
    return shared


def _bytes(buffer: Buffer) -> Size:
    return buffer.size * buffer.dtype.itemsize


def _root(buffer: Buffer, shared: dict) -> Buffer:
    while buffer in shared:
        buffer = shared[buffer]
    return buffer


def blocks_of(lifetimes: dict, shared: dict) -> dict:
    """Merge the lifetimes of buffers that share memory."""
    blocks: dict = {}
    for buffer, life in lifetimes.items():
        root = _root(buffer, shared)
        known = blocks.get(root)
        blocks[root] = life if known is None else Lifetime(
            min(known.first, life.first), max(known.last, life.last), max(known.bytes, life.bytes))
    return blocks


def _aligned(count: int) -> int:
    return -(-count // ALIGNMENT) * ALIGNMENT
