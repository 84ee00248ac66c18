"""The story of one value, Parameter, line or kernel, in words: what `explain` tells.

Each story is made of sections of lines.  They say where something comes from, what each pass did to it, why it was or
was not fused, which kernel computes it, where it lies in memory and for how long.
"""
from __future__ import annotations

import linecache
from collections.abc import Iterable
from dataclasses import dataclass

from graphcore.compiler.inspection.compilation import Compilation
from graphcore.compiler.inspection.kernels import KernelRecord, LaunchRecord
from graphcore.compiler.inspection.memory import BufferRecord
from graphcore.compiler.inspection.values import Value
from graphcore.compiler.inspection.ways import Change, backwards, onwards
from graphcore.compiler.schedule.kinds import is_compute, kind
from graphcore.compiler.schedule.windows import is_view, window
from graphcore.ir.graph import Graph, Node
from graphcore.ir.printer import defining_line, labels

LONGEST_SOURCE = 60         # lines of a kernel that a story shows
MOST_LISTED = 8


@dataclass(frozen=True)
class Section:
    """A heading and lines below it."""

    title: str
    lines: tuple


@dataclass(frozen=True)
class Story:
    """What there is to tell about `title`; as text by `str`."""

    title: str
    sections: tuple

    def __str__(self) -> str:
        parts = [self.title]
        parts += ["\n".join((s.title, *(f"  {line}" for line in s.lines))) for s in self.sections if s.lines]
        return "\n\n".join(parts) + "\n"


class Teller:
    """Tells stories of one compilation; with a `measure.Profile` of it also what takes how much time."""

    def __init__(self, compilation: Compilation, profile=None):
        self.compilation, self.profile = compilation, profile
        self._labels: dict[int, dict] = {}

    # -- values ----------------------------------------------------------------------------------------
    def value(self, value: Value, stage: str) -> Story:
        """The story of a value of a stage: a node in the graph or in one of its regions, or a leaf."""
        compilation, found = self.compilation, self.compilation.stage(stage)
        if value.node.op == "param" and value.depth == 0:
            return self.parameter(value.node.name)
        changes, last = ((), (value.node,))
        if value.depth == 0:
            changes, last = onwards(compilation, value.node, found.number)
        origins = value.origins
        sections = [Section("comes from", tuple(self._places(origins)))]
        if found.number and value.depth == 0 and not value.node.is_leaf:
            sources = backwards(compilation, value.node, found.number)
            sections.append(Section("made from what was captured as", self._lines(compilation.graph, sources, 0)))
        sections.append(Section("passes", tuple(line for c in changes for line in self._change(c))
                                or (self._untouched(value, found.number, last),)))
        sections += self._running(last)
        line = defining_line(value.graph, value.node)
        where = f"{value.label} of stage {found.title}" if value.depth else f"stage {found.title}"
        return Story(f"{where}:  {line}", tuple(sections))

    def _untouched(self, value: Value, number: int, last: tuple) -> str:
        if value.depth:
            return "values in regions are followed from the last stage on: explain --stage final"
        if number == self.compilation.passes[-1].number:
            return "this is the last stage"
        names = self._names(len(self.compilation.passes))
        return "none changed it; in the last stage it is " + ", ".join(names.get(n, "?") for n in last)

    def _change(self, change: Change) -> list[str]:
        before, after = self._names(change.step.number - 1), self._names(change.step.number)
        rules = f" by {', '.join(change.rules)}" if change.rules else ""
        old = before.get(change.old, change.old.op)
        if not change.new:
            lines = [f"{change.step.title}: {old} is needed no more{rules}"]
        elif change.new == (change.old,) or all(n in change.step.carried for n in change.new):
            lines = [f"{change.step.title}: {old} stays what it is, now {', '.join(after[n] for n in change.new)}"]
        else:
            lines = [f"{change.step.title}: {old} becomes{rules}"]
            lines += [f"    {line}" for line in self._lines(change.step.after, change.new, change.step.number)]
        if change.besides:
            made = "its gradient is computed by" if change.step.name == "grad" else "also made from it"
            lines.append(f"    {made} {self._listed(after[n] + ' ' + n.op for n in change.besides)}")
        return lines

    def _running(self, nodes: tuple) -> list[Section]:
        """What becomes of nodes of the last stage when the program runs."""
        launches = list(dict.fromkeys(entry for n in nodes for entry in self.compilation.launches_of(n)))
        kernels = [k for k in self.compilation.kernels
                   if any(not entry.copies and set(nodes) & set(entry.nodes_of(k.source)) for entry in
                          (*k.launches, *k.called_in))]
        return [
            Section("fusion", tuple(line for n in nodes for line in self._fusion(n))),
            Section("runs in", tuple(line for entry in launches for line in self.launch(entry, nodes))),
            *(Section(f"kernel {k.title}", self._source(k)) for k in kernels if self._is_fused(k)),
            Section("memory", tuple(line for n in nodes for line in self._memory(n))),
            Section("time", self._time(nodes)),
        ]

    def _time(self, nodes: Iterable[Node]) -> tuple:
        """What part of a measured run was for these nodes."""
        if self.profile is None:
            return ()
        seconds = self.profile.by_node()
        return (self._share(sum(seconds[n] for n in nodes)),)

    def _share(self, seconds: float) -> str:
        total = self.profile.total
        return f"{1e6 * seconds:,.1f} µs of {1e6 * total:,.1f} ({seconds / total:.1%}) of a run"

    @staticmethod
    def _is_fused(record: KernelRecord) -> bool:
        """Whether a kernel was written for a group of nodes; others are the same for all nets."""
        return any(is_compute(n) for n in record.nodes)

    def _fusion(self, node: Node) -> list[str]:
        label = self._last_label(node)
        texts = [text for n, text in self.compilation.decisions if n is node]
        if texts:
            return [f"{label} {node.op}: {text}" for text in texts]
        if node.is_leaf:
            return []
        if is_view(node):
            base = window(node).base
            of = f"{self._last_label(base)} {base.op}"
            return [f"{label} {node.op}: a view; whoever reads it reads {of} by other strides"]
        how = {"index": "computed from the loop's index wherever it is used",
               "region": "control flow: the program jumps, its graphs are scheduled by themselves"}
        return [f"{label} {node.op}: {how.get(kind(node), 'an operator with a kernel of its own')}"]

    def launch(self, entry: LaunchRecord, nodes: Iterable[Node] = ()) -> list[str]:
        """A launch, with how these nodes take part in it."""
        epilogue = next((source for source, computed in entry.epilogues.items() if set(computed) & set(nodes)), None)
        where = " before the first run, and again when a Parameter has changed" if entry.in_prologue else ""
        role = " (copies the value to another place)" if entry.copies else ""
        lines = [f"launch {entry.number}: kernel {self.title(entry.kernel)}{role}{where}: {entry.items:,} items, "
                 f"{entry.flops:,} flops, {entry.bytes:,} bytes"]
        if epilogue is not None:
            lines.append(f"    there in {self.title(epilogue)}, called on every finished tile")
        others = [n for n in entry.nodes if n not in set(nodes)]
        if others and not entry.copies:
            lines.append(f"    together with {self._listed(self._last_label(n) + ' ' + n.op for n in others)}")
        return lines

    def _memory(self, node: Node) -> list[str]:
        found = self.compilation.memory.of(node)
        if not found:
            if node.is_leaf or is_view(node):
                return []
            if any(entry.in_prologue for entry in self.compilation.launches_of(node)):
                return [f"{self._last_label(node)}: computed before the first run, in memory that a run does not hold"]
            return [f"{self._last_label(node)}: none, it lives in the registers of its kernel"]
        return [line for b in found for line in self.buffer(b)]

    def buffer(self, record: BufferRecord) -> list[str]:
        """Where a buffer lies, from when to when, and what keeps it there."""
        if record.kind != "arena":
            kinds = {"param": f"the memory of Parameter {record.key}",
                     "input": f"input {record.key}, the caller's memory",
                     "output": f"output {record.key}, new for every call", "derived": "kept between calls"}
            return [f"b{record.number}: {record.bytes:,} bytes, {kinds.get(record.kind, record.kind)}"]
        steps = self.compilation.memory.steps
        first, last = steps[record.first - 1], steps[record.last - 1]
        lines = [f"b{record.number}: {record.bytes:,} bytes at {record.offset:,} of the arena, from step "
                 f"{record.first} ({first.title}) to {record.last} ({last.title})"]
        readers = self._readers(record)
        if readers:
            lines.append(f"    kept alive by {readers}")
        if record.takes_over:
            lines.append(f"    written in the place of b{record.takes_over}, which dies in that step")
        taken = [b for b in self.compilation.memory.buffers if b.takes_over == record.number]
        lines += [f"    its place is taken over by b{b.number} ({b.name}) in the step in which it dies" for b in taken]
        return lines

    def _readers(self, record: BufferRecord) -> str:
        """The last launches that read a buffer."""
        reading = [entry for entry in self.compilation.launches if not entry.in_prologue
                   and record.buffer in entry.launch.reads]
        if not reading:
            return ""
        last = reading[-1]
        return (f"launch {last.number} ({last.kernel.name}), the last of {len(reading)} that read it, for "
                + self._listed(self._last_label(n) + " " + n.op for n in last.nodes))

    def buffer_story(self, record: BufferRecord) -> Story:
        """The story of a buffer."""
        held = [n for n in record.nodes if n in self._names(len(self.compilation.passes))]
        touching = [entry for entry in self.compilation.launches
                    if record.buffer in (*entry.launch.reads, *entry.launch.writes)]
        return Story(f"buffer b{record.number} ({record.name}): {record.bytes:,} bytes", (
            Section("place", tuple(self.buffer(record))),
            Section("holds", self._lines(self.compilation.final, held, len(self.compilation.passes))),
            Section("read or written in", tuple(f"{line}{self._access(entry, {record.buffer: record})}"
                                                for entry in touching for line in self.launch(entry)[:1])),
        ))

    # -- Parameters ------------------------------------------------------------------------------------
    def parameter(self, name: str) -> Story:
        """The story of a Parameter.  Raises KeyError for a name that the graph does not have."""
        compilation = self.compilation
        facts = {p.name: p for p in compilation.parameters("final")} | {p.name: p for p in compilation.parameters()
                                                                        if p.name not in compilation.final.params}
        record = facts[name]
        title = f"Parameter {name}: {record.type}" + (f", {record.bytes:,} bytes" if record.bytes is not None else "")
        if record.requires_grad is not None:
            title += ", requires a gradient" if record.requires_grad else ", requires no gradient"
        leaf = compilation.final.params.get(name)
        if leaf is None:
            return Story(title, (Section("last stage", ("the final graph does not use it",)),))
        readers = [n for n in compilation.final.nodes if leaf in n.inputs]
        updates = [value for key, value in compilation.final.updates if key == name]
        buffers = {b.buffer: b for b in compilation.memory.buffers if b.kind == "param" and b.key == name}
        touching = [entry for entry in compilation.launches
                    if not buffers.keys().isdisjoint((*entry.launch.reads, *entry.launch.writes))]
        packed = [entry for entry in compilation.launches if entry.in_prologue and leaf in
                  {i for n in entry.nodes for i in n.inputs}]
        return Story(title, (
            Section("read by", self._lines(compilation.final, readers, len(compilation.passes))),
            Section("written by", (*self._lines(compilation.final, updates, len(compilation.passes)),
                                   *(self._how_written(name, value) for value in updates))),
            Section("its gradient", self._gradient(name)),
            Section("derived from it and kept between calls", tuple(line for entry in packed for line in
                                                                    self.launch(entry, entry.nodes))),
            Section("read or written in", tuple(
                f"{line}{self._access(entry, buffers)}" for entry in touching for line in self.launch(entry)[:1])),
        ))

    def _access(self, entry: LaunchRecord, buffers: dict) -> str:
        reads, writes = set(buffers) & set(entry.launch.reads), set(buffers) & set(entry.launch.writes)
        return "; reads and writes it" if reads and writes else "; writes it" if writes else "; reads it"

    def _how_written(self, name: str, value: Node) -> str:
        direct = self.compilation.planned.schedule.direct
        if any(target == ("update", name) for target in direct.values()):
            return "written in place, when nothing reads the old value any more"
        return "computed elsewhere and copied over the old value at the end"

    def _gradient(self, name: str) -> tuple:
        """The value that the `grad` node's item for a Parameter became."""
        compilation = self.compilation
        for n in compilation.graph.nodes:
            if n.op == "item" and n.inputs[0].op == "grad":
                wrt = n.inputs[0].inputs[2 if n.inputs[0].attrs["sens"] else 1:]
                target = wrt[n.attrs["index"]]
                if target.op == "param" and target.name == name:
                    _, last = onwards(compilation, n, 0)
                    return self._lines(compilation.final, last, len(compilation.passes))
        return ()

    # -- kernels and lines -----------------------------------------------------------------------------
    def kernel(self, record: KernelRecord, code: bool = True) -> Story:
        """The story of a kernel: the lines that it comes from, its launches, its code."""
        origins = dict.fromkeys(o for n in record.nodes for o in self.compilation.final.origins.of(n))
        uses = [*record.launches, *(entry for entry in record.called_in if entry not in record.launches)]
        called = "" if record.launches else ", called by other kernels"
        title = (f"kernel {record.title}: computes {', '.join(record.operators)}; {len(uses)} launches{called}, "
                 f"{record.items:,} items, {record.flops:,} flops, {record.bytes:,} bytes")
        nodes = dict.fromkeys(n for n in record.nodes)
        return Story(title, (
            Section("comes from", tuple(self._places(origins))),
            Section("computes", self._lines(self.compilation.final, nodes, len(self.compilation.passes))),
            Section("fusion", tuple(line for n in list(nodes)[:MOST_LISTED] for line in self._fusion(n))),
            Section("launches", tuple(line for entry in uses[:MOST_LISTED]
                                      for line in self.launch(entry, entry.nodes_of(record.source)))),
            Section("time", self._time_of_kernel(record)),
            Section("machine code", (str(record.code),) if code else ()),
            Section("source", self._source(record)),
        ))

    def _time_of_kernel(self, record: KernelRecord) -> tuple:
        if self.profile is None:
            return ()
        if not record.launches:
            return ("part of the time of the kernels that call it",)
        return (self._share(self.profile.by_kernel()[record.title]),)

    def line(self, values: Iterable[Value], stage: str, where: str) -> Story:
        """The story of a line: what was made of it, and the kernels that it ends in."""
        values, number = list(values), self.compilation.stage(stage).number
        last: dict = {}
        for v in values:
            ends = onwards(self.compilation, v.node, number)[1] if v.depth == 0 else (v.node,)
            last.update(dict.fromkeys(ends))
        text = _source_line(values[0], where) if values else ""
        launches = dict.fromkeys(entry for n in last for entry in self.compilation.launches_of(n))
        return Story(f"{where}:  {text}" if text else where, (
            Section(f"in stage {self.compilation.stage(stage).title}",
                    tuple(f"{v.label}  {defining_line(v.graph, v.node)}" if v.depth else defining_line(v.graph, v.node)
                          for v in values)),
            Section("in the last stage", self._lines(self.compilation.final, last, len(self.compilation.passes))),
            Section("runs in", tuple(line for entry in launches for line in self.launch(
                entry, [n for n in entry.nodes if n in last]))),
            Section("time", self._time(last)),
        ))

    # -- texts -----------------------------------------------------------------------------------------
    def title(self, source) -> str:
        """The name of a kernel."""
        return f"{source.name}_{source.digest[:8]}"

    def _names(self, number: int) -> dict:
        if number not in self._labels:
            graph = self.compilation.passes[number - 1].after if number else self.compilation.graph
            self._labels[number] = labels(graph)
        return self._labels[number]

    def _last_label(self, node: Node) -> str:
        known = self._names(len(self.compilation.passes)).get(node)
        if known is None:                                       # of a region
            known = next((v.label for v in self.compilation.values("final") if v.node is node), "")
        return known

    def _lines(self, graph: Graph, nodes: Iterable[Node], number: int) -> tuple:
        names, nodes = self._names(number), list(nodes)
        lines = [defining_line(graph, n) if n in names else f"{self._last_label(n)} {n.op}"
                 for n in nodes[:MOST_LISTED]]
        hidden = len(nodes) - MOST_LISTED
        return (*lines, *([f"... and {hidden} more"] if hidden > 0 else []))

    @staticmethod
    def _places(origins: Iterable) -> list[str]:
        """Each line of the user's with its text, and the Cells."""
        found = []
        for o in origins:
            text = linecache.getline(o.file, o.line).strip() if o.file else ""
            found.append(str(o) + (f"    {text}" if text else ""))
        return list(dict.fromkeys(found)) or ["no line of yours: graphcore made it"]

    @staticmethod
    def _listed(texts: Iterable[str]) -> str:
        texts = list(texts)
        hidden = len(texts) - MOST_LISTED
        return ", ".join(texts[:MOST_LISTED]) + (f" and {hidden} more" if hidden > 0 else "")

    @staticmethod
    def _source(record: KernelRecord) -> tuple:
        lines = record.source.source.rstrip().splitlines()
        hidden = len(lines) - LONGEST_SOURCE
        more = [f"... and {hidden} more lines: graphcore kernels TARGET --source {record.title}"] if hidden > 0 else []
        return (*lines[:LONGEST_SOURCE], *more)


def _source_line(value: Value, where: str) -> str:
    number = int(where.rpartition(":")[2])
    place = next((o for o in value.origins if o.line == number), None)
    return linecache.getline(place.file, number).strip() if place else ""
