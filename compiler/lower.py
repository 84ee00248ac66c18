"""Lowering: steps become launches of kernels over buffers.

Operators with their own kernels are lowered by the functions in `compiler.kernels`, groups by the code generator,
regions by `compiler.lower_regions`, with a lowering of their own for each of their graphs.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from graphcore.compiler.codegen.fused import ArrayWord, FusedKernel, write_kernel
from graphcore.compiler.control import Branch, Exchange, HostCall, Repeat
from graphcore.compiler.kernels import ACCEPTS_EPILOGUE, LOWERINGS
from graphcore.compiler.launch import (
    Address,
    Buffer,
    KernelAddress,
    Launch,
    Row,
    View,
)
from graphcore.compiler.lower_regions import lower_region
from graphcore.compiler.schedule.groups import Group
from graphcore.compiler.schedule.kinds import kind
from graphcore.compiler.schedule.loops import Array, find_loops, merge_windows
from graphcore.compiler.schedule.placing import own_offset
from graphcore.compiler.schedule.steps import Schedule, Step, make_schedule
from graphcore.compiler.schedule.windows import insert_copies, window
from graphcore.dtype import DType
from graphcore.ir import graph as ir
from graphcore.ir.dims import Size, product
from graphcore.ir.graph import Node
from graphcore.ir.types import TensorType
from graphcore.ops import pointwise
from graphcore.ops.view import broadcast_to


@dataclass(frozen=True)
class External:
    """Memory that belongs to the caller: an input, an output, a Parameter, or a constant array of the graph."""

    kind: str                   # "input", "output", "param", "const"
    key: object                 # index, index, name, digest


@dataclass(frozen=True)
class Lowered:
    """The entries of a graph in order (see `compiler.control`) and what they mean.

    externals: Buffer -> External, where memory comes from that is not the program's own; may_share: output Buffer ->
    input Buffers that it may overwrite, if they die there; elements: Buffer -> the Buffer (or Tape) of which it is the
    element of a loop's iteration; values: node -> the Buffer (or Tape) that holds it; decisions: why each node was
    fused or not, in regions too.
    """

    entries: tuple
    externals: Mapping
    may_share: Mapping
    elements: Mapping
    values: Mapping
    decisions: tuple


@dataclass(frozen=True)
class Epilogue:
    """A group that runs on finished ranges of an operator's output, called by the operator's kernel."""

    words: tuple                # (KernelAddress, Row)
    reads: tuple
    writes: tuple
    nodes: tuple


def lower(schedule: Schedule, cpu) -> Lowered:
    """Lower a schedule to launches for `cpu` (a CpuTarget)."""
    tables, graph = _Tables(), schedule.graph
    leaves = {leaf: tables.external(leaf, External("input", i)) for i, leaf in enumerate(graph.inputs)}
    leaves |= {leaf: tables.external(leaf, External("param", name)) for name, leaf in graph.params.items()}
    outputs = [tables.external(node, External("output", i)) for i, node in enumerate(graph.outputs)]
    entries = Lowering(schedule, cpu, tables, leaves, outputs).run()
    return Lowered(entries, tables.externals, tables.may_share, tables.elements, tables.values, tuple(tables.decisions))


class Builder:
    """What the lowering of one operator may use (see `compiler.kernels`)."""

    def __init__(self, lowering: Lowering, node: Node):
        self._lowering, self._node = lowering, node
        self.cpu = lowering.cpu
        self.epilogue: Epilogue | None = None

    def temp(self, name: str, dtype: DType, size: Size) -> Buffer:
        """Memory that lives as long as this operator's launches."""
        return Buffer(f"{self._node.op}.{name}", dtype, size)

    def launch(self, kernel, words, items, grain=1, reads=(), writes=(), flops=0, bytes=0) -> None:
        """Append a launch."""
        if isinstance(items, int) and items == 0:
            return
        calls_epilogue = self.epilogue is not None and any(w is self.epilogue.words[1] for w in words)
        extra_reads = self.epilogue.reads if calls_epilogue else ()
        extra_writes = self.epilogue.writes if calls_epilogue else ()
        nodes = self.epilogue.nodes if calls_epilogue else ()
        self._lowering.emit(Launch(
            kernel, tuple(words), items, grain, tuple(reads) + extra_reads, tuple(writes) + extra_writes,
            (self._node, *nodes), flops, bytes, ((self.epilogue.words[0].kernel, nodes),) if nodes else ()))

    def contiguous(self, view: View) -> View:
        """`view`, or a row-major copy of it."""
        if view.is_contiguous:
            return view
        target = View.whole(self.temp("copy", view.dtype, view.size), view.shape)
        self.copy(view, target)
        return target

    def is_fixed(self, buffer: Buffer) -> bool:
        """Whether a loop stands around the operator in which the buffer stays the same.

        What depends on such buffers alone is computed once, before the loop (see `schedule.derive`).
        """
        return buffer in self._lowering.fixed

    def copy(self, source: View, target: View) -> None:
        """Copy between windows of equal shape."""
        leaf = ir.input_("source", TensorType(source.dtype, source.shape))
        self._lowering.run_map(pointwise.copy(leaf), {leaf: source}, target, self._node)

    def fill(self, target: View, value) -> None:
        """Fill a window with a number."""
        constant = pointwise.literal(value, ir.input_("", TensorType(target.dtype, ())))
        filled = broadcast_to(constant, shape=target.shape) if target.shape else constant
        self._lowering.run_map(pointwise.copy(filled), {}, target, self._node)


@dataclass
class _Tables:
    """What the lowerings of a graph and of its regions' graphs fill together; see `Lowered`."""

    externals: dict = field(default_factory=dict)
    may_share: dict = field(default_factory=dict)
    elements: dict = field(default_factory=dict)
    exchanges: dict = field(default_factory=dict)       # Buffer of the result -> number of the exchange
    values: dict = field(default_factory=dict)
    decisions: list = field(default_factory=list)

    def external(self, node: Node, place: External) -> Buffer:
        """A buffer for a node's value in the caller's memory."""
        buffer = Buffer(str(place.key), node.dtype, node.type.size)
        self.externals[buffer] = place
        return buffer


class Lowering:
    """The lowering of one graph: of the program, or of a region.

    leaves: the memory of each input and Parameter leaf (a Tape where it is one); outputs: where the outputs are to go;
    fixed: memory that is the same in all iterations of a loop around the graph.
    """

    def __init__(self, schedule: Schedule, cpu, tables: _Tables, leaves: Mapping, outputs: list, fixed=frozenset()):
        self.schedule, self.cpu, self.tables, self.outputs, self.fixed = schedule, cpu, tables, outputs, fixed
        self.entries: list = []
        self.nodes = frozenset(schedule.graph.nodes)
        self.buffers: dict[Node, Buffer] = dict(leaves)

    def run(self) -> tuple:
        """The entries of the graph."""
        for node, (where, key) in self.schedule.direct.items():
            self.buffers[node] = (self.buffers[self.schedule.graph.params[key]] if where == "update"
                                  else self.outputs[key])
        for node in self.schedule.graph.nodes:
            if node.op == "exchange_end":       # the result arrives where it is read
                self.buffers[node.inputs[0]] = self.buffer(node)
        for part, whole in self.schedule.placed.items():
            self.buffers[part] = self.buffer(whole)
        for step in self.schedule.steps:
            self._step(step)
        self._final_copies()
        self.tables.values.update(self.buffers)
        self.tables.decisions += self.schedule.decisions
        return tuple(self.entries)

    def nested(self, graph: ir.Graph, leaves: Mapping, outputs: list, fixed=()) -> tuple:
        """The entries of a region's graph; `fixed`: memory that is the same in all its iterations, if it is a loop."""
        schedule = make_schedule(insert_copies(graph), ACCEPTS_EPILOGUE)
        return Lowering(schedule, self.cpu, self.tables, leaves, outputs, self.fixed.union(fixed)).run()

    def emit(self, entry) -> None:
        """Append an entry; who touches an element of a stack touches the stack."""
        if isinstance(entry, (Launch, HostCall, Exchange)) and self.tables.elements:
            entry = replace(entry, reads=self._with_stacks(entry.reads), writes=self._with_stacks(entry.writes))
        elif isinstance(entry, (Branch, Repeat)):
            entry = replace(entry, stacks=self._with_stacks(entry.reads)[len(entry.reads):])
        self.entries.append(entry)

    def _with_stacks(self, buffers: tuple) -> tuple:
        found = dict.fromkeys(buffers)
        for buffer in buffers:
            while isinstance(buffer := self.tables.elements.get(buffer), Buffer):
                found[buffer] = None
        return tuple(found)

    def buffer(self, node: Node) -> Buffer:
        """The memory of a stored node."""
        found = self.buffers.get(node)
        if found is None:
            if node.op == "const":
                found = self.tables.external(node, External("const", node.attrs["value"]))
            else:
                found = Buffer(node.op, node.dtype, node.type.size)
            self.buffers[node] = found
        return found

    def view(self, node: Node) -> View:
        """How an operator reads a node."""
        reach = window(node)
        return View(self.buffer(reach.base), reach.shape, reach.strides, reach.offset)

    # -- steps -----------------------------------------------------------------------------------------
    def _step(self, step: Step) -> None:
        if step.node is None:
            self._run_group(step.group)
            return
        if kind(step.node) == "region":
            lower_region(self, Builder(self, step.node), step.node)
            return
        if kind(step.node) == "collective":
            self._exchange(step.node)
            return
        node, builder = step.node, Builder(self, step.node)
        inputs = [self.view(i) for i in node.inputs]
        if step.group is not None:
            self._share_with_epilogue(node, step.group)
            builder.epilogue = self._epilogue(node, step.group)
        output = View.whole(self.buffer(node), node.shape)
        LOWERINGS[node.op](builder, node, inputs, output, builder.epilogue)

    def _exchange(self, node: Node) -> None:
        """Start an exchange or wait for it; one in place of its source, as `all_reduce` can be, shares its memory."""
        ends = node.op == "exchange_end"
        begun = node.inputs[0] if ends else node
        attrs = begun.attrs
        source, target = self.view(begun.inputs[0]), View.whole(self.buffer(node), node.shape)
        if self.schedule.placed.get(window(begun.inputs[0]).base) is begun:     # written where all are gathered
            source = replace(source, offset=own_offset(begun))
        number = self.tables.exchanges.setdefault(target.buffer, len(self.tables.exchanges))
        if ends:
            reads = (target.buffer, *(self.view(i).buffer for i in node.inputs[1:]))
        else:
            reads = (source.buffer,)
            if attrs["what"] == "all_reduce":
                self.offer_sharing(target.buffer, source.buffer)
        collective = tuple(attrs[name] for name in ("what", "group", "reduce", "root", "sends", "receives"))
        self.emit(Exchange(number, ends, collective, source, target, reads, (target.buffer,)))

    def _share_with_epilogue(self, node: Node, group: Group) -> None:
        """Let the operator write into the memory of the epilogue's result, where nobody else reads it."""
        if node in self.buffers or any(node in m.inputs for m in self.schedule.graph.nodes if m not in group.nodes):
            return
        for m in group.in_order():
            if m in group.stored and m.dtype is node.dtype and m not in self.buffers:
                self.buffers[node] = self.buffer(m)
                return

    def _epilogue(self, node: Node, group: Group) -> Epilogue:
        fused = write_kernel(find_loops(group))
        reads, writes = self._touched(group)
        own = self.buffer(node)
        return Epilogue((KernelAddress(fused.kernel), Row(self._words(fused, group))),
                        tuple(b for b in reads if b is not own), tuple(writes), tuple(group.in_order()))

    def _run_group(self, group: Group) -> None:
        fused = write_kernel(find_loops(group))
        reads, writes = self._touched(group)
        if isinstance(fused.items, int) and fused.items == 0:
            return
        self._offer_sharing(group)
        moved = sum((b.size * b.dtype.itemsize for b in (*reads, *writes)), 0)
        self.emit(Launch(fused.kernel, self._words(fused, group), fused.items, fused.grain, tuple(reads), tuple(writes),
                         tuple(group.in_order()), product(group.space) * len(group.nodes), moved))

    def _words(self, fused: FusedKernel, group: Group) -> tuple:
        return tuple(self._address(w) if isinstance(w, ArrayWord) else w for w in fused.words)

    def _address(self, word: ArrayWord) -> Address:
        buffer = self.buffer(word.base)
        return Address(View(buffer, (1,), (1,), word.offset))

    def _touched(self, group: Group):
        loops = find_loops(group)
        reads = dict.fromkeys(self.buffer(a.base) for a in loops.arrays)
        writes = dict.fromkeys(self.buffer(m) for m in loops.outputs)
        return reads, writes

    def _offer_sharing(self, group: Group) -> None:
        """A map may write over an input that it reads in step with its output."""
        if group.reduced is not None:
            return
        loops = find_loops(group)
        for m, out in loops.outputs.items():
            if m in group.windows:
                continue
            for array in loops.arrays:
                if array.strides == out.strides and array.offset == 0 and array.base.dtype is m.dtype \
                        and array.base.type.size == m.type.size and self._read_once(loops, array.base):
                    self.offer_sharing(self.buffer(m), self.buffer(array.base))

    def offer_sharing(self, output: Buffer, source: Buffer) -> None:
        """`output` may lie where `source` lies, if that dies in the launch that makes it."""
        self.tables.may_share.setdefault(output, []).append(source)

    @staticmethod
    def _read_once(loops, base: Node) -> bool:
        """Whether the group reaches this memory in one way only: a second, shifted read would see new values."""
        return sum(1 for a in loops.arrays if a.base is base) == 1

    # -- single maps -----------------------------------------------------------------------------------
    def run_map(self, result: Node, views: dict, target: View, cause: Node) -> None:
        """Run one pointwise node, which is not of the graph, over given windows: copies and fills for `cause`."""
        if isinstance(target.size, int) and target.size == 0:
            return
        group = Group(tuple(s for s in result.shape if s != 1), nodes={result: "full"}, stored={result})
        group.order = {result: 0}
        loops = find_loops(group)
        squeezed = [i for i, s in enumerate(result.shape) if s != 1]

        def placed(array: Array, view: View) -> Array:
            return Array(array.base, tuple(view.strides[i] for i in squeezed), 0, "full")

        loops = merge_windows(group, {a: placed(a, views[a.base]) for a in loops.arrays}, placed(
            loops.outputs[result], target))
        fused = write_kernel(loops)
        windows = {**views, result: target}
        words = tuple(Address(View(windows[w.base].buffer, (1,), (1,), windows[w.base].offset))
                      if isinstance(w, ArrayWord) else w for w in fused.words)
        reads = tuple(v.buffer for v in views.values())
        self.emit(Launch(fused.kernel, words, fused.items, fused.grain, reads, (target.buffer,),
                         (result, cause), 0, 2 * target.size * target.dtype.itemsize))

    # -- the end ---------------------------------------------------------------------------------------
    def _final_copies(self) -> None:
        """Copy what could not be written straight to its destination: outputs first, then Parameters.

        A Parameter that takes the old value of another goes through memory of its own, in case both are written.
        """
        graph = self.schedule.graph
        written = {graph.params[name] for name, _ in graph.updates}
        pending = []
        for (where, key), node in self.schedule.copies:
            source = self.view(node)
            if where == "output":
                self.run_map(*_copy_of(source), View.whole(self.outputs[key], node.shape), node)
                continue
            if window(node).base in written:
                kept = View.whole(Buffer("old value", node.dtype, node.type.size), node.shape)
                self.run_map(*_copy_of(source), kept, node)
                source = kept
            pending.append((node, source, View.whole(self.buffers[graph.params[key]], node.shape)))
        for node, source, target in pending:
            self.run_map(*_copy_of(source), target, node)


def _copy_of(source: View):
    leaf = ir.input_("source", TensorType(source.dtype, source.shape))
    return pointwise.copy(leaf), {leaf: source}
