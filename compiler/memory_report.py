"""What a compiled program needs memory for: its arena at the step when most of it is in use, and what holds it then."""
from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from graphcore.compiler.memory import MemoryPlan, blocks_of
from graphcore.compiler.plan import Compiled
from graphcore.ir.dims import evaluate

MIB = 1 << 20


@dataclass(frozen=True)
class MemoryReport:
    """Bytes of one program for certain sizes.

    arena: of what every call needs besides inputs and outputs; peak: of the arena in use at once, at step `at` of
    `steps`; held: (what, number of buffers, bytes) at that step, the most first, named after operators; parameters,
    derived: of Parameters, and of packed or folded weights that are kept between calls.
    """

    arena: int
    peak: int
    at: int
    steps: int
    held: tuple
    parameters: int
    derived: int

    @staticmethod
    def of(compiled: Compiled, params: dict, binding: dict) -> MemoryReport:
        """The report of a program; params: leaf by name; binding: the sizes of symbols that it was planned for."""
        at, blocks = peak(compiled.plan)
        counts, sizes = Counter(), Counter()
        for buffer, life in blocks:
            counts[buffer.name] += 1
            sizes[buffer.name] += life.bytes
        held = tuple((name, counts[name], size) for name, size in sizes.most_common() if size)
        steps = max((life.last + 1 for life in compiled.plan.lifetimes.values()), default=0)
        return MemoryReport(
            compiled.plan.arena_bytes, sum(sizes.values()), at + 1, steps, held,
            sum(evaluate(p.type.size, binding) * p.dtype.itemsize for p in params.values()),
            sum(size * np.dtype(dtype).itemsize for size, dtype in compiled.derived))

    def __str__(self) -> str:
        lines = [f"arena {self.arena / MIB:.1f} MiB, of which {self.peak / MIB:.1f} are in use at step {self.at} of "
                 f"{self.steps}; Parameters {self.parameters / MIB:.1f}, derived weights {self.derived / MIB:.1f}"]
        lines += [f"{size / MIB:9.1f}  {name}{f' ({count} buffers)' if count > 1 else ''}"
                  for name, count, size in self.held]
        return "\n".join(lines)


def peak(plan: MemoryPlan) -> tuple:
    """(step, [(buffer, lifetime)]): when the most memory is in use, and by what.

    Buffers that share memory are one, named after the first.
    """
    blocks = blocks_of(plan.lifetimes, plan.shared)
    changes = Counter()
    for life in blocks.values():
        changes[life.first] += life.bytes
        changes[life.last + 1] -= life.bytes
    used, best, at = 0, -1, 0
    for step in sorted(changes):
        used += changes[step]
        if used > best:
            best, at = used, step
    return at, [(buffer, life) for buffer, life in blocks.items() if life.first <= at <= life.last]
