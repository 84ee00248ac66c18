"""From an optimised graph to a native program for given sizes."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graphcore.compiler.control import launches_in
from graphcore.compiler.instructions import native_program
from graphcore.compiler.kernels import ACCEPTS_EPILOGUE
from graphcore.compiler.launch import KernelAddress, Row
from graphcore.compiler.lower import Lowered, lower
from graphcore.compiler.memory import MemoryPlan, check_plan, plan_memory
from graphcore.compiler.runtime.program import NativeProgram
from graphcore.compiler.schedule import windows
from graphcore.compiler.schedule.derive import Split, split_launches
from graphcore.compiler.schedule.joining import group_entries
from graphcore.compiler.schedule.steps import Schedule, make_schedule
from graphcore.compiler.toolchain.naming import symbol
from graphcore.errors import ShapeError
from graphcore.ir.dims import Size, evaluate
from graphcore.ir.graph import Graph, graphs_of


@dataclass(frozen=True)
class Compiled:
    """A graph taken through schedule, lowering and plan, for one set of sizes.

    program: externals are inputs, derived arrays, outputs, Parameters, constants.  prologue: computes the derived
    arrays; its externals are derived arrays, Parameters, constants.  derived: (elements, NumPy dtype) of each.
    """

    schedule: Schedule
    lowered: Lowered
    entries: tuple              # of the program, in order: see `compiler.control`
    launches: tuple             # among them, those in branches and loops too
    prologue_launches: tuple
    plan: MemoryPlan
    program: NativeProgram
    prologue: NativeProgram | None
    derived: tuple
    kernels: tuple              # KernelSource
    params: tuple               # names, in the order of the externals
    constants: tuple            # arrays, likewise


@dataclass(frozen=True)
class Parts:
    """A graph as launches, before memory is planned; nothing in it depends on the values of symbolic sizes.

    places: (kind, key) of each buffer that has no memory in the arena, kind being "input", "derived", "output", "param"
    or "const"; keys: all keys of each kind, in order; outside: all buffers that have none, elements of stacks too.
    """

    schedule: Schedule
    lowered: Lowered
    split: Split
    keys: Mapping
    places: Mapping
    outside: frozenset

    def numbers(self, kinds) -> dict:
        """The number of each buffer among the externals of a program that is given these kinds, in this order."""
        order = {place: i for i, place in enumerate((kind, key) for kind in kinds for key in self.keys[kind])}
        return {buffer: order[place] for buffer, place in self.places.items() if place in order}

    def grouped(self, entries) -> tuple:
        """The entries with many launches of one kernel as one."""
        return group_entries(entries, self.places)


def lowered_parts(graph: Graph, cpu) -> Parts:
    """Schedule and lower an optimised graph for `cpu`."""
    schedule = make_schedule(graph, ACCEPTS_EPILOGUE)
    lowered = lower(schedule, cpu)
    split = split_launches(lowered, writes_parameters=bool(graph.updates))
    constants = list(dict.fromkeys(e.key for e in lowered.externals.values() if e.kind == "const"))
    keys = {"input": range(len(graph.inputs)), "derived": split.derived, "output": range(len(graph.outputs)),
            "param": tuple(graph.params), "const": constants}
    places = {b: (e.kind, e.key) for b, e in lowered.externals.items()} | {b: ("derived", b) for b in split.derived}
    return Parts(schedule, lowered, split, keys, places, frozenset({*places, *lowered.elements}))


def compile_plan(graph: Graph, cpu, binding: Mapping) -> Compiled:
    """Schedule, lower and plan an optimised graph."""
    if binding:
        _check_windows(graph, binding)
    parts = lowered_parts(graph, cpu)
    split = parts.split

    def number(size: Size) -> int:
        return evaluate(size, binding)

    def program_of(entries, kinds):
        entries = parts.grouped(entries)
        plan = plan_memory(entries, parts.outside, parts.lowered.may_share, binding)
        check_plan(entries, parts.outside, plan)
        return tuple(entries), plan, native_program(entries, parts.numbers(kinds), plan, number)

    entries, plan, program = program_of(split.entries, ("input", "derived", "output", "param", "const"))
    prologue, before = None, []
    if split.prologue:
        before, _, prologue = program_of(split.prologue, ("derived", "param", "const"))
    launches, before = launches_in(entries), launches_in(before)
    windows.forget()
    return Compiled(parts.schedule, parts.lowered, entries, tuple(launches), tuple(before), plan, program, prologue,
                    tuple((number(b.size), b.dtype.storage) for b in split.derived), kernels_of((*before, *launches)),
                    parts.keys["param"], tuple(c.array for c in parts.keys["const"]))


def _check_windows(graph: Graph, binding: Mapping) -> None:
    """Raise ShapeError where, with these sizes, a slice or placement leaves its array: types could not tell before."""
    for n, count, first, last, extent in reaches(graph):
        count, first, last, extent = (evaluate(v, binding) for v in (count, first, last, extent))
        if count and not (0 <= first < extent and 0 <= last < extent):
            places = "; ".join(map(str, graph.origins.of(n)))
            raise ShapeError(f"{n.op} takes elements {first} to {last} of an axis of size {extent}"
                             + (f" ({places})" if places else ""))


def reaches(graph: Graph):
    """(node, number of elements, first one, last one, size of the axis) of each slice and placement, by axis."""
    for n in graph.nodes:
        for inner_graph in graphs_of(n).values():
            yield from reaches(inner_graph)
        if n.op not in ("slice", "place", "update_slice"):
            continue
        inner = n.shape if n.op == "slice" else n.inputs[-1].shape
        outer = n.inputs[0].shape if n.op == "slice" else n.shape
        for begin, count, stride, extent in zip(n.attrs["begin"], inner, n.attrs["stride"], outer):
            yield n, count, begin, begin + (count - 1) * stride, extent


def kernels_of(launches) -> tuple:
    """The kernels that launches call, directly or through their rows, each once."""
    return tuple({symbol(k): k for entry in launches for k in _kernels(entry)}.values())


def _kernels(entry):
    yield entry.kernel
    stack = list(entry.words)
    while stack:
        word = stack.pop()
        if isinstance(word, KernelAddress):
            yield word.kernel
        elif isinstance(word, Row):
            stack.extend(word.words)
