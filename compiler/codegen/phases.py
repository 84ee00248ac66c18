"""In which order a row-wise kernel computes: reductions end a phase, what needs their results comes in the next.

A full-level value that several phases need is computed in each of them, unless it is dear and an output that depends on
it is still to be written: then it waits in that output's memory (the exponentials of a softmax do).
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphcore.compiler.schedule.kinds import kind
from graphcore.compiler.schedule.loops import Loops
from graphcore.ir.graph import Node

#: Operators that cost several times what a load costs.
DEAR = frozenset({"exp", "log", "tanh", "sigmoid", "erf", "pow", "sin", "cos", "random_uniform", "log1p", "expm1",
                  "exp2", "erfc"})


@dataclass(frozen=True)
class Phase:
    """One walk along the reduced axes: first the row values that are ready, then the loop for `targets`."""

    row_nodes: tuple
    targets: tuple              # reductions and full-level outputs
    reload: Mapping             # full-level member that earlier phases stored -> the output in whose memory it lies
    keep: Mapping               # full-level member -> the output in whose memory it waits for later phases

    @property
    def reductions(self) -> list:
        return [m for m in self.targets if kind(m) == "reduction"]


def find_phases(loops: Loops) -> list[Phase]:
    """Order a row-wise group: a value can be used from the phase after its reductions are done."""
    members, levels = loops.group.in_order(), loops.group.nodes
    ready: dict = {}
    for m in members:
        before = max((ready[o] for o in loops.operands[m] if isinstance(o, Node)), default=0)
        ready[m] = before + 1 if kind(m) == "reduction" else before
    last = max(ready.values(), default=0)
    rows = [tuple(m for m in members if levels[m] == "row" and ready[m] == p) for p in range(last + 1)]
    targets = [tuple(m for m in members if kind(m) == "reduction" and ready[m] == p + 1
                     or levels[m] == "full" and m in loops.outputs and ready[m] == p) for p in range(last + 1)]
    reload: list = [{m: m for earlier in targets[:p] for m in earlier if levels[m] == "full"} for p in range(last + 1)]
    keep: list = [{} for _ in range(last + 1)]
    for m in reversed(members):
        if m.op in DEAR and levels[m] == "full" and m not in loops.outputs:
            _let_wait(loops, m, targets, reload, keep)
    return [Phase(*parts) for parts in zip(rows, targets, reload, keep)]


def _let_wait(loops: Loops, m: Node, targets: list, reload: list, keep: list) -> None:
    """Note that a member waits in an output's memory, if it is needed again until that is written."""
    users = [p for p, found in enumerate(targets) if m in _computed(loops, found, reload[p])]
    if len(users) < 2 or m.dtype.itemsize < 4:          # 16-bit values would be rounded
        return
    taken = {o for kept in keep for o in kept.values()}
    for p in users[1:]:
        for o in targets[p]:
            may_hold = kind(o) != "reduction" and o.dtype is m.dtype and o not in taken
            if may_hold and m in _computed(loops, (o,), reload[p]):
                keep[users[0]][m] = o
                for later in range(users[0] + 1, p + 1):
                    reload[later][m] = o
                return


def _computed(loops: Loops, targets, reload: Mapping) -> set:
    """The full-level members that a phase computes for its targets."""
    found: set = set()
    stack = [o for t in targets for o in (loops.operands[t] if kind(t) == "reduction" else (t,))]
    while stack:
        m = stack.pop()
        if isinstance(m, Node) and m not in found and m not in reload and loops.group.nodes[m] == "full":
            found.add(m)
            stack.extend(loops.operands[m])
    return found
