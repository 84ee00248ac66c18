"""What runs: launches in their order, and the kernels that they call."""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from graphcore.compiler.inspection.machine_code import MachineCode, machine_code
from graphcore.compiler.launch import KernelAddress, KernelSource, Launch, Row
from graphcore.compiler.plan import Compiled
from graphcore.compiler.runtime.group import GROUP
from graphcore.compiler.toolchain.cpu import CpuTarget
from graphcore.ir.dims import evaluate
from graphcore.ir.graph import Node


@dataclass(frozen=True, eq=False)
class LaunchRecord:
    """One launch of a kernel.

    number: from 1 on, the prologue's launches first; kernel: the one that does the work (a launch for many rows of one
    kernel, as for the Parameters of an optimiser, is one of the kernel `group`, which calls it); called: kernels that
    it calls for parts of its work; epilogues: kernel that it calls on finished tiles → what that one computes;
    nodes: all that are computed, of the final graph; copies: nothing is computed: the value of the node, or what it is
    made from, is brought to another place; rows: how many calls of the kernel were joined in this launch; items:
    independent units of work; flops, bytes: of one run.
    """

    number: int
    in_prologue: bool
    kernel: KernelSource
    called: tuple
    epilogues: Mapping
    copies: bool
    rows: int
    nodes: tuple
    items: int
    flops: int
    bytes: int
    launch: Launch

    @cached_property
    def own_nodes(self) -> tuple:
        """The nodes that the kernel itself computes, with the kernels that it calls for parts of its work."""
        others = {n for nodes in self.epilogues.values() for n in nodes}
        return tuple(n for n in self.nodes if n not in others)

    def nodes_of(self, kernel: KernelSource) -> tuple:
        """The nodes that the launched kernel, or one that it calls, computes."""
        return self.epilogues.get(kernel, self.own_nodes)


@dataclass(frozen=True, eq=False)
class KernelRecord:
    """A kernel; launches: those whose work it does; called_in: those whose kernel calls it.

    Assembly and LLVM IR are made when they are asked for.
    """

    source: KernelSource
    launches: tuple
    called_in: tuple
    cpu: CpuTarget

    @property
    def name(self) -> str:
        return self.source.name

    @property
    def digest(self) -> str:
        return self.source.digest

    @property
    def title(self) -> str:
        """The name under which files and commands know it: names alone need not be unique."""
        return f"{self.name}_{self.digest[:8]}"

    @property
    def nodes(self) -> tuple:
        """The nodes that it computes, of the final graph."""
        return tuple(dict.fromkeys(n for entry in (*self.launches, *self.called_in)
                                   for n in entry.nodes_of(self.source)))

    @property
    def operators(self) -> tuple:
        """The names of the operators that it computes, in the order of one launch: what was fused."""
        first = (*self.launches, *self.called_in)[0]
        if first.copies:
            return ("copy",)
        nodes = first.nodes_of(self.source)
        return tuple(n.op for n in nodes[:max(1, len(nodes) // first.rows)])

    @property
    def items(self) -> int:
        return sum(entry.items for entry in self.launches)

    @property
    def flops(self) -> int:
        return sum(entry.flops for entry in self.launches)

    @property
    def bytes(self) -> int:
        return sum(entry.bytes for entry in self.launches)

    @cached_property
    def _explained(self) -> tuple:
        from graphcore.compiler.toolchain.build import explain_object
        return explain_object(self.source, self.cpu)

    @property
    def llvm(self) -> str:
        """Its LLVM IR, optimised."""
        return self._explained[0]

    @property
    def assembly(self) -> str:
        """Its assembly, with LLVM's comments."""
        return self._explained[1]

    @cached_property
    def code(self) -> MachineCode:
        """Counts over its assembly."""
        return machine_code(self.assembly)


def launch_records(compiled: Compiled, binding: Mapping, originals: Mapping[Node, Node]) -> tuple[LaunchRecord, ...]:
    """Those of the prologue, then those of every run; originals: see `values.as_lowered`."""
    found = []
    for number, launch in enumerate((*compiled.prologue_launches, *compiled.launches), 1):
        called = tuple(dict.fromkeys(_called(launch.words)))
        kernel, rows = launch.kernel, 1
        if kernel == GROUP:
            kernel, *called = called
            rows = launch.words[1]
        items, flops, moved = (evaluate(v, binding) for v in (launch.items, launch.flops, launch.bytes))
        nodes = tuple(dict.fromkeys(originals[n] for n in launch.nodes if n in originals))
        epilogues: dict = {}
        for source, computed in launch.epilogues:
            epilogues[source] = epilogues.get(source, ()) + tuple(originals.get(n, n) for n in computed)
        copies = bool(launch.nodes) and launch.nodes[0] not in originals
        found.append(LaunchRecord(number, number <= len(compiled.prologue_launches), kernel, tuple(called), epilogues,
                                  copies, rows, nodes, items, flops, moved, launch))
    return tuple(found)


def kernel_records(compiled: Compiled, launches: tuple, cpu: CpuTarget) -> tuple[KernelRecord, ...]:
    """Every kernel, in the order of first use."""
    found = []
    for source in compiled.kernels:
        if source == GROUP:
            continue
        found.append(KernelRecord(source, tuple(entry for entry in launches if entry.kernel == source),
                                  tuple(entry for entry in launches if source in entry.called), cpu))
    return tuple(found)


def _called(words: tuple):
    for word in words:
        if isinstance(word, KernelAddress):
            yield word.kernel
        elif isinstance(word, Row):
            yield from _called(word.words)
