"""The memory plan: live ranges of buffers become offsets in one arena.

A buffer lives from the first launch that writes it to the last that touches it.  Buffers are placed largest first, each
at the lowest offset where nothing that lives at the same time lies.  A map's output takes the place of an input that
dies there.  `check_plan` replays a plan and knows nothing of how it was made.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphcore.compiler.launch import Buffer
from graphcore.errors import CompileError
from graphcore.ir.dims import evaluate

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


def plan_memory(launches, externals, may_share: Mapping, binding: Mapping) -> MemoryPlan:
    """Plan the arena for launches whose symbolic sizes take the values in `binding`."""
    lifetimes = _lifetimes(launches, externals, binding)
    shared = _share(lifetimes, may_share, launches)
    blocks = _blocks(lifetimes, shared)
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


def check_plan(launches, externals, plan: MemoryPlan) -> None:
    """Raise CompileError if a launch reads a buffer whose memory another one has taken since it was written."""
    owner: list = []                                    # (begin, end, buffer), the last writer of each range
    for number, launch in enumerate(launches):
        for buffer in launch.reads:
            if buffer in externals or buffer in launch.writes:
                continue
            begin = plan.offsets[buffer]
            end = begin + plan.lifetimes[buffer].bytes
            for b, e, other in owner:
                if b < end and begin < e and other is not buffer:
                    raise CompileError(f"memory plan: launch {number} ({launch.kernel.name}) reads {buffer}, but "
                                       f"{other} was written over it")
        for buffer in launch.writes:
            if buffer in externals:
                continue
            begin = plan.offsets[buffer]
            end = begin + plan.lifetimes[buffer].bytes
            for read in launch.reads:
                if read in externals or read is buffer or plan.shared.get(buffer) is read:
                    continue
                other = plan.offsets[read]
                if other < end and begin < other + plan.lifetimes[read].bytes and plan.lifetimes[read].bytes:
                    raise CompileError(f"memory plan: launch {number} ({launch.kernel.name}) writes {buffer} over "
                                       f"{read}, which it reads")
            owner = [o for o in owner if not (o[0] < end and begin < o[1])] + [(begin, end, buffer)]


def _lifetimes(launches, externals, binding) -> dict:
    found: dict[Buffer, list] = {}
    for number, launch in enumerate(launches):
        for buffer in (*launch.reads, *launch.writes):
            if buffer not in externals:
                found.setdefault(buffer, [number, number])[1] = number
    return {b: Lifetime(first, last, evaluate(b.size, binding) * b.dtype.itemsize)
            for b, (first, last) in found.items()}


def _share(lifetimes: dict, may_share: Mapping, launches) -> dict:
    """For each output that may, the input of equal size that dies in the launch that makes it."""
    shared: dict = {}
    taken = set()
    for output, candidates in may_share.items():
        life = lifetimes.get(output)
        for source in candidates:
            old = lifetimes.get(source)
            if life and old and source not in taken and source is not output and old.last == life.first \
                    and old.first < life.first and old.bytes == life.bytes:
                shared[output] = source
                taken.add(source)
                break
    return shared


def _root(buffer: Buffer, shared: dict) -> Buffer:
    while buffer in shared:
        buffer = shared[buffer]
    return buffer


def _blocks(lifetimes: dict, shared: dict) -> dict:
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
