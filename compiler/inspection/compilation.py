"""The record of one compilation: the captured graph, every pass, the kernels, the memory, and what leads to what.

What only kernels and memory need is imported when they are asked for: graphs alone are shown sooner without.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from graphcore.compiler.choices import Choices
from graphcore.compiler.inspection.passes import Pass, recorded_passes
from graphcore.compiler.inspection.values import Value, as_lowered, values
from graphcore.compiler.schedule.steps import TYPICAL_SIZE
from graphcore.ir.dims import evaluate
from graphcore.ir.graph import Graph, Node
from graphcore.ir.types import TensorType

if TYPE_CHECKING:
    from graphcore.compiler.inspection.kernels import KernelRecord, LaunchRecord
    from graphcore.compiler.inspection.memory import MemoryMap
    from graphcore.compiler.plan import Compiled
    from graphcore.compiler.toolchain.cpu import CpuTarget


@dataclass(frozen=True)
class Stage:
    """A graph on its way: as captured (number 0), or after the pass of this number."""

    number: int
    name: str
    graph: Graph

    @property
    def title(self) -> str:
        """``04_grad``; titles sort in the order of the stages."""
        return f"{self.number:02d}_{self.name}"


@dataclass(frozen=True)
class ParameterRecord:
    """A Parameter of a graph; readers, writers: labels of the values that use it, and of those that it becomes.

    bytes: None where a size is unknown; requires_grad: None where nobody said (a graph from a file).
    """

    name: str
    type: TensorType
    bytes: int | None
    requires_grad: bool | None
    readers: tuple
    writers: tuple


@dataclass(frozen=True, eq=False)
class Compilation:
    """Everything about the compilation of one captured graph; made step by step, when it is asked for.

    graph: as captured; requires_grad: of Parameters by name; sizes: values of symbolic sizes (the
    others are taken for typical ones).
    """

    graph: Graph
    requires_grad: Mapping = field(default_factory=dict)
    sizes: Mapping = field(default_factory=dict)

    @cached_property
    def cpu(self) -> CpuTarget:
        """What the kernels are for: the CPU of this process."""
        from graphcore.compiler.toolchain.cpu import host
        return host()

    @cached_property
    def choices(self) -> Mapping:
        """Decisions that were tuned for this graph: see `compiler.choices`."""
        from graphcore.compiler import cache
        if not (cache.directory() / "tuned").is_dir():
            return {}
        from graphcore.compiler.program import program_key
        return cache.load_json("tuned", program_key(self.graph)) or {}

    # -- passes ----------------------------------------------------------------------------------------
    @cached_property
    def passes(self) -> tuple[Pass, ...]:
        """All passes in order, those that changed nothing too."""
        with Choices(self.choices).applied():
            return recorded_passes(self.graph)

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The captured graph, and the graph after each pass that changed it."""
        changed = tuple(Stage(p.number, p.name, p.after) for p in self.passes if p.changed)
        return (Stage(0, "capture", self.graph), *changed)

    @property
    def final(self) -> Graph:
        """The graph that was scheduled."""
        return self.passes[-1].after

    def stage_names(self) -> list[str]:
        """What `stage` knows."""
        return ["capture", *(p.name for p in self.passes), "final"]

    def stage(self, name: str) -> Stage:
        """The graph after a pass, by the pass's name, title or number; "capture" and "final" are the first and last.

        Raises KeyError for anything else.
        """
        if name in ("capture", "00_capture", "0"):
            return Stage(0, "capture", self.graph)
        if name == "final":
            return Stage(self.passes[-1].number, "final", self.final)
        for p in self.passes:
            if name in (p.name, p.title, str(p.number)):
                return Stage(p.number, p.name, p.after)
        raise KeyError(name)

    # -- what runs -------------------------------------------------------------------------------------
    @cached_property
    def binding(self) -> dict:
        """The value of each symbolic size."""
        return dict.fromkeys(self.graph.symbols, TYPICAL_SIZE) | dict(self.sizes)

    @cached_property
    def planned(self) -> Compiled:
        """Schedule, launches and memory plan of the final graph.  No kernel is built for it."""
        from graphcore.compiler.plan import compile_plan
        with Choices(self.choices).applied():
            return compile_plan(self.final, self.cpu, self.binding)

    @cached_property
    def _originals(self) -> dict:
        return as_lowered(self.final)

    @cached_property
    def launches(self) -> tuple[LaunchRecord, ...]:
        """All launches: of the prologue, then of every run."""
        from graphcore.compiler.inspection.kernels import launch_records
        return launch_records(self.planned, self.binding, self._originals)

    @cached_property
    def kernels(self) -> tuple[KernelRecord, ...]:
        """All kernels, in the order of first use."""
        from graphcore.compiler.inspection.kernels import kernel_records
        return kernel_records(self.planned, self.launches, self.cpu)

    @cached_property
    def memory(self) -> MemoryMap:
        """The memory of a run."""
        from graphcore.compiler.inspection.memory import memory_map
        return memory_map(self.planned, self.launches, self.binding, self._originals)

    @cached_property
    def decisions(self) -> tuple:
        """(node of the final graph, why it was fused or not), in the order in which it was decided."""
        return tuple((self._originals.get(d.node, d.node), d.text) for d in self.planned.lowered.decisions)

    def launches_of(self, node: Node) -> list[LaunchRecord]:
        """The launches that compute a node of the final graph."""
        return self._launches_by_node.get(node, [])

    @cached_property
    def _launches_by_node(self) -> dict:
        found: dict = {}
        for record in self.launches:
            for n in record.nodes:
                found.setdefault(n, []).append(record)
        return found

    # -- from value to value ---------------------------------------------------------------------------
    def values(self, stage: str = "final") -> tuple[Value, ...]:
        """The values of a stage, those in regions too.  Raises KeyError for an unknown stage."""
        number = self.stage(stage).number
        if number not in self._values:
            self._values[number] = values(self.stage(stage).graph)
        return self._values[number]

    @cached_property
    def _values(self) -> dict:
        return {}

    def before(self, node: Node, number: int) -> tuple:
        """The nodes before pass `number` that `node`, one after it, was made from: itself, if it was left alone."""
        return self.passes[number - 1].came_from.get(node, (node,))

    def after(self, node: Node, number: int) -> tuple:
        """The nodes after pass `number` that stand for `node`, one before it."""
        return self._successors[number - 1].get(node, ())

    @cached_property
    def _successors(self) -> list:
        found = []
        for p in self.passes:
            table: dict = {}
            for n in p.after.nodes:
                for source in p.came_from.get(n, (n,)):
                    table.setdefault(source, []).append(n)
            found.append({n: tuple(successors) for n, successors in table.items()})
        return found

    # -- Parameters ------------------------------------------------------------------------------------
    def parameters(self, stage: str = "capture") -> tuple[ParameterRecord, ...]:
        """The Parameters of a stage's graph, in order of first use."""
        graph = self.stage(stage).graph
        readers: dict = {}
        writers: dict = {}
        labels = {}
        for value in self.values(stage):
            if value.depth == 0:
                labels[value.node] = value.label
            for operand in value.node.inputs:
                if operand.op == "param":
                    readers.setdefault(operand.name, {})[value.label] = None
        for name, value in graph.updates:
            writers.setdefault(name, []).append(labels[value])
        return tuple(ParameterRecord(
            name, leaf.type, evaluate(leaf.type.size, {}) * leaf.dtype.itemsize if leaf.type.is_static else None,
            self.requires_grad.get(name), tuple(readers.get(name, ())), tuple(writers.get(name, ())))
            for name, leaf in graph.params.items())
