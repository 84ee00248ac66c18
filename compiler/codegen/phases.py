"""In which order a row-wise kernel computes: reductions end a phase, what needs their results comes in the next."""
from __future__ import annotations

from dataclasses import dataclass

from graphcore.compiler.schedule.kinds import kind
from graphcore.compiler.schedule.loops import Loops
from graphcore.ir.graph import Node


@dataclass(frozen=True)
class Phase:
    """One walk along the reduced axes: first the row values that are ready, then the loop for `targets`."""

    row_nodes: tuple
    targets: tuple              # reductions and full-level outputs
    reload: frozenset           # full-level outputs stored by earlier phases

    @property
    def reductions(self) -> list:
        return [m for m in self.targets if kind(m) == "reduction"]


def find_phases(loops: Loops) -> list[Phase]:
    """Order a row-wise group: a value can be used from the phase after its reductions are done."""
    ready: dict = {}
    for m in loops.group.in_order():
        before = max((ready[o] for o in loops.operands[m] if isinstance(o, Node)), default=0)
        ready[m] = before + 1 if kind(m) == "reduction" else before
    last = max(ready.values(), default=0)
    phases, stored = [], frozenset()
    for p in range(last + 1):
        rows = tuple(m for m in loops.group.in_order() if loops.group.nodes[m] == "row" and ready[m] == p)
        targets = tuple(m for m in loops.group.in_order()
                        if kind(m) == "reduction" and ready[m] == p + 1
                        or loops.group.nodes[m] == "full" and m in loops.outputs and ready[m] == p)
        phases.append(Phase(rows, targets, stored))
        stored |= {m for m in targets if kind(m) != "reduction"}
    return phases
