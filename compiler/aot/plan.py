"""From an optimised graph to the programs of one CPU level, with symbolic sizes left open.

Sizes that are known only when the library runs stand in the programs' words as they are (`ir.dims.Size`), and so do the
addresses of blocks in the arena, as symbols of their own: the library computes both (`aot.level`).
"""
from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from graphcore.compiler.control import launches_in
from graphcore.compiler.instructions import native_program
from graphcore.compiler.launch import KernelSource
from graphcore.compiler.memory import MemoryPlan, blocks_of, check_plan, plan_memory
from graphcore.compiler.plan import Parts, kernels_of, lowered_parts, reaches
from graphcore.compiler.runtime.program import NativeProgram
from graphcore.compiler.schedule import windows
from graphcore.compiler.schedule.steps import TYPICAL_SIZE
from graphcore.compiler.toolchain.cpu import CpuTarget
from graphcore.errors import CompileError
from graphcore.ir.dims import Dim, Size
from graphcore.ir.graph import Graph

#: The kinds of arrays that a library's programs are given, in the order of their numbers.
EXTERNALS = ("input", "output", "derived", "param", "const")


@dataclass(frozen=True)
class Block:
    """A piece of the arena: its symbol in the programs' words, its bytes, and the blocks that must lie below it."""

    symbol: str
    bytes: Size
    above: tuple = ()


@dataclass(frozen=True)
class Reach:
    """A slice of `count` elements from `first` to `last` of an axis of size `extent`, to be checked before a run."""

    count: Size
    first: Size
    last: Size
    extent: Size


@dataclass(frozen=True)
class LevelPlan:
    """What a CPU level runs.

    program: of every call; prologue: computes the derived arrays, or None; both are given all arrays of `EXTERNALS`.
    blocks, prologue_blocks: of the arena of each; derived: the bytes of each array; params: names, in the order of
    their numbers; constants: `ir.graph.Constant`s, likewise; reaches: what sizes must allow.
    """

    cpu: CpuTarget
    program: NativeProgram
    prologue: NativeProgram | None
    blocks: tuple
    prologue_blocks: tuple
    derived: tuple
    params: tuple
    constants: tuple
    kernels: tuple[KernelSource, ...]
    reaches: tuple

    @property
    def programs(self) -> tuple:
        """The prologue, if there is one, and the program."""
        return (self.prologue, self.program) if self.prologue else (self.program,)


def plan_level(graph: Graph, cpu: CpuTarget, gap: int = 0) -> LevelPlan:
    """Lower and plan an optimised inference graph for a CPU level.

    gap: bytes that stay unused behind each block of the arenas and each derived array; with it, no two blocks share
    memory (for tests that look whether something wrote there).
    Raises CompileError for a program that needs Python while it runs.
    """
    parts = lowered_parts(graph, cpu)
    split = parts.split
    numbers = parts.numbers(EXTERNALS)
    program, blocks, launches = _program(parts, split.entries, numbers, "block", gap)
    prologue, prologue_blocks, before = None, (), ()
    if split.prologue:
        prologue, prologue_blocks, before = _program(parts, split.prologue, numbers, "prologue_block", gap)
    windows.forget()
    found = [Reach(*where) for _, *where in reaches(graph) if any(isinstance(size, Dim) for size in where)]
    return LevelPlan(cpu, program, prologue, blocks, prologue_blocks, tuple(_bytes(d) + gap for d in split.derived),
                     parts.keys["param"], tuple(parts.keys["const"]), kernels_of((*before, *launches)),
                     tuple(dict.fromkeys(found)))


def _program(parts: Parts, entries, numbers: Mapping, prefix: str, gap: int) -> tuple:
    """(program, blocks of its arena, launches)."""
    entries = parts.grouped(entries)
    typical = defaultdict(lambda: TYPICAL_SIZE)
    plan = plan_memory(entries, parts.outside, parts.lowered.may_share, typical)
    check_plan(entries, parts.outside, plan)
    blocks, places = _blocks(plan, prefix, gap)
    program = native_program(entries, numbers, replace(plan, offsets=places, arena_bytes=0), lambda size: size)
    if program.exchanges:
        raise CompileError("this net exchanges data with other processes (all_reduce and the like); a library "
                           "runs in one process. Compile the net as it is without communication.init()")
    if program.pauses:
        raise CompileError("this net calls Python functions, or keeps values of a loop of unknown length, while it "
                           "runs; a library runs without Python. Take printing, raising and gradients out of construct")
    return program, blocks, launches_in(entries)


def _blocks(plan: MemoryPlan, prefix: str, gap: int) -> tuple:
    """The plan's blocks, lowest first, and the offset of each buffer as the symbol of its block.

    Of two blocks that live at the same time the plan puts one below the other.  That holds for all sizes if each block
    begins where the last of those below it ends.
    """
    lives = sorted(blocks_of(plan.lifetimes, plan.shared).items(),
                   key=lambda item: (plan.offsets[item[0]], item[1].first))
    blocks: list[Block] = []
    symbols: dict = {}
    for root, life in lives:
        below = tuple(symbols[other] for other, its in lives if other in symbols
                      and (gap or its.first <= life.last and life.first <= its.last))
        symbols[root] = f"{prefix}.{len(blocks)}"
        blocks.append(Block(symbols[root], _bytes(root) + gap, below))
    places = {buffer: Dim.symbol(symbols[_root(buffer, plan.shared)]) for buffer in plan.lifetimes}
    return tuple(blocks), places


def _root(buffer, shared: Mapping):
    while buffer in shared:
        buffer = shared[buffer]
    return buffer


def _bytes(buffer) -> Size:
    return buffer.size * buffer.dtype.itemsize
