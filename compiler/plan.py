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
from graphcore.compiler.schedule.derive import split_launches
from graphcore.compiler.schedule.grouping import group_entries
from graphcore.compiler.schedule.steps import Schedule, make_schedule
from graphcore.compiler.toolchain.naming import symbol
from graphcore.errors import ShapeError
from graphcore.ir.dims import evaluate
from graphcore.ir.graph import Graph, graphs_of


@dataclass(frozen=True)
class Compiled:
    """A graph taken through schedule, lowering and plan, for one set of sizes.

    program: externals are inputs, derived arrays, outputs, Parameters, constants.  prologue: computes the derived
    arrays; its externals are derived arrays, Parameters, constants.  derived: (elements, NumPy dtype) of each.
    """

    schedule: Schedule
    lowered: Lowered
    launches: tuple             # of the program, those in branches and loops too
    prologue_launches: tuple
    plan: MemoryPlan
    program: NativeProgram
    prologue: NativeProgram | None
    derived: tuple
    kernels: tuple              # KernelSource
    params: tuple               # names, in the order of the externals
    constants: tuple            # arrays, likewise


def compile_plan(graph: Graph, cpu, binding: Mapping) -> Compiled:
    """Schedule, lower and plan an optimised graph."""
    if binding:
        _check_windows(graph, binding)
    schedule = make_schedule(graph, ACCEPTS_EPILOGUE)
    lowered = lower(schedule, cpu)
    split = split_launches(lowered, writes_parameters=bool(graph.updates))
    params = tuple(graph.params)
    constants = list(dict.fromkeys(e.key for e in lowered.externals.values() if e.kind == "const"))
    keys = {"input": range(len(graph.inputs)), "derived": split.derived, "output": range(len(graph.outputs)),
            "param": params, "const": constants}
    places = {b: (e.kind, e.key) for b, e in lowered.externals.items()} | {b: ("derived", b) for b in split.derived}

    outside = {*places, *lowered.elements}

    def program_of(entries, kinds):
        entries = group_entries(entries, places)
        plan = plan_memory(entries, outside, lowered.may_share, binding)
        check_plan(entries, outside, plan)
        order = {(kind, key): i for i, (kind, key) in enumerate((kind, key) for kind in kinds for key in keys[kind])}
        numbers = {buffer: order[place] for buffer, place in places.items() if place in order}
        return launches_in(entries), plan, native_program(entries, numbers, plan, binding)

    launches, plan, program = program_of(split.entries, ("input", "derived", "output", "param", "const"))
    prologue, before = None, []
    if split.prologue:
        before, _, prologue = program_of(split.prologue, ("derived", "param", "const"))
    windows.forget()
    kernels = {symbol(k): k for entry in (*before, *launches) for k in _kernels(entry)}
    return Compiled(schedule, lowered, tuple(launches), tuple(before), plan, program, prologue,
                    tuple((evaluate(b.size, binding), b.dtype.storage) for b in split.derived),
                    tuple(kernels.values()), params, tuple(c.array for c in constants))


def _check_windows(graph: Graph, binding: Mapping) -> None:
    """Raise ShapeError where, with these sizes, a slice or placement leaves its array: types could not tell before."""
    for n in graph.nodes:
        for inner_graph in graphs_of(n).values():
            _check_windows(inner_graph, binding)
        if n.op not in ("slice", "place", "update_slice"):
            continue
        inner = n.shape if n.op == "slice" else n.inputs[-1].shape
        outer = n.inputs[0].shape if n.op == "slice" else n.shape
        for begin, count, stride, extent in zip(n.attrs["begin"], inner, n.attrs["stride"], outer):
            first, count, extent = (evaluate(v, binding) for v in (begin, count, extent))
            last = first + (count - 1) * stride
            if count and not (0 <= first < extent and 0 <= last < extent):
                places = "; ".join(map(str, graph.origins.of(n)))
                raise ShapeError(f"{n.op} takes elements {first} to {last} of an axis of size {extent}"
                                 + (f" ({places})" if places else ""))


def _kernels(entry):
    yield entry.kernel
    stack = list(entry.words)
    while stack:
        word = stack.pop()
        if isinstance(word, KernelAddress):
            yield word.kernel
        elif isinstance(word, Row):
            stack.extend(word.words)
