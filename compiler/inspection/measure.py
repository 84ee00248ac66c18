"""Where the time of a run goes: every launch timed by itself, and its time shared out over Cells and lines.

The program is run part by part: a part is one launch, or a whole loop or branch with all that is in it, since how often
something in it runs is known only to the program.  What starting a part costs is measured and taken off.
"""
from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from graphcore.compiler.inspection.compilation import Compilation
from graphcore.compiler.instructions import launches_in_order
from graphcore.compiler.runtime import native
from graphcore.compiler.runtime.program import Control, Instruction
from graphcore.compiler.schedule.kinds import has_own_kernel
from graphcore.errors import CompileError
from graphcore.ir.dims import evaluate, product
from graphcore.ir.graph import Node

WARM_UP = 3                 # runs before the first that counts
UNKNOWN = ""                # the Cell or line of what has none


@dataclass(frozen=True, eq=False)
class PartTime:
    """The time of one part: its launches (see `kernels.LaunchRecord`), and the seconds of each run.

    title: of its kernel, or of the control flow.
    """

    title: str
    launches: tuple
    samples: tuple

    @property
    def seconds(self) -> float:
        """The median over the runs."""
        return statistics.median(self.samples)

    @property
    def flops(self) -> int:
        return sum(entry.flops for entry in self.launches)

    @property
    def bytes(self) -> int:
        return sum(entry.bytes for entry in self.launches)


@dataclass(frozen=True, eq=False)
class Profile:
    """The times of a program's parts, in order.

    whole: the median of runs in one go, in seconds; threads: that they were allowed to use.
    """

    compilation: Compilation
    steps: int
    threads: int
    whole: float
    parts: tuple

    @property
    def total(self) -> float:
        """The seconds of all parts together."""
        return sum(p.seconds for p in self.parts)

    def by_kernel(self) -> Counter:
        """Kernel's title → seconds.  A kernel that others call on their tiles is part of their time."""
        titles = {k.source: k.title for k in self.compilation.kernels}
        found: Counter = Counter()
        for p in self.parts:
            for entry, share in _shares(p):
                found[titles[entry.kernel]] += share * p.seconds
        return found

    def by_launch(self) -> Counter:
        """Number of a launch → seconds."""
        return Counter({entry.number: share * p.seconds for p in self.parts for entry, share in _shares(p)})

    def by_node(self) -> Counter:
        """Node of the last stage → seconds, shared out by how much each node of a launch has to do."""
        found: Counter = Counter()
        for p in self.parts:
            for entry, share in _shares(p):
                for n, part in _node_shares(entry, self.compilation.binding):
                    found[n] += part * share * p.seconds
        return found

    def by_line(self) -> Counter:
        """``(file, line)`` → seconds; UNKNOWN for what no line of the user's stands for."""
        return self._by_place(lambda o: (o.file, o.line) if o.file else None)

    def by_cell(self) -> Counter:
        """Cell's path → seconds, of what it does itself; UNKNOWN for what is done outside of them."""
        return self._by_place(lambda o: o.scope or None)

    def _by_place(self, place: Callable) -> Counter:
        origins = {v.node: v.origins for v in self.compilation.values("final")}
        found: Counter = Counter()
        for n, seconds in self.by_node().items():
            places = list(dict.fromkeys(filter(None, map(place, origins.get(n, ()))))) or [UNKNOWN]
            for where in places:
                found[where] += seconds / len(places)
        return found

    def trace(self) -> dict:
        """All runs for chrome://tracing or Perfetto: an event for each part, in microseconds."""
        events, now = [], 0.0
        for step in range(self.steps):
            begin = now
            for p in self.parts:
                seconds = p.samples[step]
                lines = dict.fromkeys(str(o) for entry in p.launches for n in entry.nodes
                                      for o in self.compilation.final.origins.of(n))
                events.append(_event(p.title, 1, now, seconds, args={
                    "launches": [entry.number for entry in p.launches], "flops": p.flops, "bytes": p.bytes,
                    "from": list(lines)[:8]}))
                now += seconds
            events.append(_event(f"run {step + 1}", 2, begin, now - begin))
        names = [{"name": "process_name", "ph": "M", "pid": 1, "args": {"name": self.compilation.graph.name}},
                 {"name": "thread_name", "ph": "M", "pid": 1, "tid": 1, "args": {"name": "kernels"}},
                 {"name": "thread_name", "ph": "M", "pid": 1, "tid": 2, "args": {"name": "runs"}}]
        return {"displayTimeUnit": "ns", "traceEvents": names + events}


def _event(name: str, thread: int, begin: float, seconds: float, **more) -> dict:
    """One bar of a trace; times in seconds."""
    return {"name": name, "ph": "X", "pid": 1, "tid": thread, "ts": round(1e6 * begin, 3),
            "dur": round(1e6 * seconds, 3), **more}


def profile(compilation: Compilation, program, arrays: list, steps: int = 50) -> Profile:
    """Run a `program.Program` of the same graph `steps` times in parts, and as often in one go.

    Parameters that it writes have their values back at the end.
    """
    keep = [(p, p.materialized()._array.copy()) for p in program.parameters.values()]
    try:
        parts, samples, whole = _measured(program, arrays, steps)
    finally:
        for parameter, values in keep:
            parameter._array[...] = values
    launches = _launches(compilation, program)
    times = tuple(PartTime(_title(launches, begin, end),
                           tuple(launches[i] for i in range(begin, end) if i in launches), tuple(found))
                  for (begin, end), found in zip(parts, samples))
    return Profile(compilation, steps, native.threads(), statistics.median(whole), times)


def _measured(program, arrays: list, steps: int) -> tuple[list, list, list]:
    """(parts, for each the seconds of all runs, the seconds of runs in one go); the two kinds of run take turns."""
    executable, externals = program.prepared(arrays)
    parts = _parts(executable.program.instructions)
    instance, clock = executable.acquire(), time.perf_counter
    samples: list[list] = [[] for _ in parts]
    whole: list = []
    for number in range(WARM_UP + steps):
        started = clock()
        instance.run_part(externals, 0, 0)
        start_alone = clock() - started
        for (begin, end), found in zip(parts, samples):
            started = clock()
            instance.run_part(externals, begin, end)
            seconds = clock() - started
            if number >= WARM_UP:
                found.append(max(0.0, seconds - start_alone))
        started = clock()
        program.run(arrays)
        if number >= WARM_UP:
            whole.append(clock() - started)
    executable.release(instance)
    return parts, samples, whole


def _parts(instructions: tuple) -> list[tuple[int, int]]:
    """The smallest stretches of instructions that no jump leads out of, other than to their end."""
    jumps = [(min(i, x.target), max(i + 1, x.target)) for i, x in enumerate(instructions)
             if isinstance(x, Control) and x.opcode not in ("set", "add", "push", "reserve")]
    parts, begin = [], 0
    while begin < len(instructions):
        end, known = begin + 1, 0
        while end != known:
            known = end
            end = max([end, *(high for low, high in jumps if low < end and high > begin)])
        parts.append((begin, end))
        begin = end
    return parts


def _launches(compilation: Compilation, program) -> dict:
    """Number of an instruction → the record of its launch."""
    executable = program.shared.code(tuple(compilation.binding[s] for s in program.shared.symbols)).executable
    calls = [i for i, x in enumerate(executable.program.instructions) if isinstance(x, Instruction)]
    order = launches_in_order(compilation.planned.entries, lambda size: evaluate(size, compilation.binding))
    if len(order) != len(calls):
        raise CompileError(f"the program has {len(calls)} launches, its record {len(order)}; please report this")
    records = {id(entry.launch): entry for entry in compilation.launches}
    return {i: records[id(launch)] for i, launch in zip(calls, order)}


def _title(launches: dict, begin: int, end: int) -> str:
    if end == begin + 1:
        return launches[begin].kernel.name if begin in launches else "control"
    inside = sum(begin <= i < end for i in launches)
    return f"control flow around {inside} launches"


def _shares(part: PartTime) -> Iterable[tuple]:
    """Each launch of a part with its share of the part's time; in a loop they are told apart by what they do."""
    weights = [_weight(entry) for entry in part.launches]
    total = sum(weights)
    return [(entry, weight / total) for entry, weight in zip(part.launches, weights)]


def _weight(entry) -> float:
    """Roughly proportional to time: a byte moved costs as much as some operations."""
    return 1 + max(entry.flops / 16, entry.bytes)


def _node_shares(entry, binding: dict) -> list[tuple[Node, float]]:
    """Each node of a launch with its share; operators with kernels of their own have all but what is fused to them."""
    def elements(n: Node) -> int:
        shapes = [i.shape for i in n.inputs if hasattr(i.type, "shape")] + [getattr(n.type, "shape", ())]
        return 1 + max(evaluate(product(s), binding) for s in shapes)

    own = sum(has_own_kernel(n) for n in entry.nodes)
    weights = {n: max(elements(n), entry.flops / own) if has_own_kernel(n) else elements(n) for n in entry.nodes}
    total = sum(weights.values())
    return [(n, weight / total) for n, weight in weights.items()]
