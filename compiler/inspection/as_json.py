"""A compilation as JSON: what `--json` prints and what the viewer shows.

Nodes are interned, so each stands once in ``nodes``, whatever stages it is part of; a stage lists the numbers of its
nodes.  The same holds for places (lines and Cells) and for the graphs of regions, which attributes refer to.

::

    format      "graphcore-compilation 1"
    name, cpu, sizes, choices
    nodes       [{op, inputs: [node], attributes: {}, type}]        leaves too: op is input, param or const
    places      [{scope, file, line}]
    graphs      [graph]: those of regions; an attribute {"graph": i} means graphs[i]
      a graph:  {name, inputs: [node], outputs: [node], updates: [[Parameter, node]], effects: [node],
                 nodes: [[node, label, [place]]]}
    stages      [{number, name, title, graph, came_from: {node: [node of the stage before]}}], changed ones only; a node
                that is not in came_from is the same in both
    passes      [{number, name, title, changed, before, after, seconds, rules: {rule: times},
                 rewrites: [[rule, old node, new node]], made: [node], removed: [node]}]; before, after: how many nodes
    parameters  [{name, type, bytes, requires_grad, readers: [label], writers: [label]}] of the captured graph
    decisions   [[node, text]]: why nodes of the last stage were fused or not
    kernels     [{number, title, name, digest, source, operators, nodes, launches: [launch], called_in: [launch], items,
                 flops, bytes; if code is wanted: llvm, assembly, code: see `machine_code.MachineCode`}]
    launches    [{number, prologue, kernel, called: [kernel], copies, rows, nodes, items, flops, bytes,
                 reads: [buffer], writes: [buffer]}]; kernels and buffers by their numbers; copies: see `kernels`
    memory      {arena, peak, peak_at, buffers: [{number, name, kind, key, bytes, dtype, offset, first, last,
                 takes_over, nodes}], steps: [{number, title, launch, used}]}
    sources     {file: text} of the files that places name

All numbers that refer to nodes, places and graphs count from 0; those of kernels, launches, buffers and steps from 1,
as in what the commands print.
"""
from __future__ import annotations

import linecache
import math
from dataclasses import asdict

from graphcore.compiler.inspection.compilation import Compilation
from graphcore.compiler.inspection.passes import Pass
from graphcore.dtype import DType
from graphcore.ir.dims import Dim
from graphcore.ir.graph import Constant, Graph, Node, Origin
from graphcore.ir.printer import labels

FORMAT = "graphcore-compilation 1"
SHOWN_ELEMENTS = 8


def to_json(compilation: Compilation, *, times: bool = True, code: bool = False) -> dict:
    """A tree of dicts, lists, strings, numbers, bools and None.

    times: with the seconds of each pass, which differ from run to run; code: with the LLVM IR and the assembly of every
    kernel, which takes some 0.1 s each to make.
    """
    tables = _Tables()
    stages, known = [], {}
    for stage in compilation.stages:
        came_from = compilation.passes[stage.number - 1].came_from if stage.number else known
        stages.append({"number": stage.number, "name": stage.name, "title": stage.title,
                       "graph": tables.graph(stage.graph),
                       "came_from": {tables.node(n): [tables.node(s) for s in sources]
                                     for n, sources in came_from.items()}})
    passes = [_pass(tables, p, times) for p in compilation.passes]
    result = {
        "format": FORMAT, "name": compilation.graph.name, "cpu": compilation.cpu.to_json(),
        "sizes": dict(compilation.binding), "choices": dict(compilation.choices),
        "stages": stages, "passes": passes,
        "parameters": [{"name": p.name, "type": str(p.type), "bytes": p.bytes, "requires_grad": p.requires_grad,
                        "readers": list(p.readers), "writers": list(p.writers)} for p in compilation.parameters()],
        "decisions": [[tables.node(n), text] for n, text in compilation.decisions],
        **_running(tables, compilation, code),
    }
    return result | {"nodes": tables.nodes, "places": tables.places, "graphs": tables.graphs,
                     "sources": tables.sources()}


def _pass(tables: _Tables, p: Pass, times: bool) -> dict:
    seconds = {"seconds": round(p.seconds, 6)} if times else {}
    return {"number": p.number, "name": p.name, "title": p.title, "changed": p.changed,
            "before": len(p.before.nodes), "after": len(p.after.nodes), **seconds, "rules": dict(p.rules),
            "rewrites": [[r.rule, tables.node(r.old), tables.node(r.new)] for r in p.rewrites],
            "made": [tables.node(n) for n in p.made], "removed": [tables.node(n) for n in p.removed]}


def _running(tables: _Tables, compilation: Compilation, code: bool) -> dict:
    kernels, memory = compilation.kernels, compilation.memory
    numbers = {k.source: i for i, k in enumerate(kernels, 1)}
    buffers = {b.buffer: b.number for b in memory.buffers}
    return {
        "kernels": [{
            "number": numbers[k.source], "title": k.title, "name": k.name, "digest": k.digest,
            "source": k.source.source, "operators": list(k.operators), "nodes": list(map(tables.node, k.nodes)),
            "launches": [entry.number for entry in k.launches], "called_in": [entry.number for entry in k.called_in],
            "items": k.items, "flops": k.flops, "bytes": k.bytes,
            **({"llvm": k.llvm, "assembly": k.assembly, "code": asdict(k.code)} if code else {}),
        } for k in kernels],
        "launches": [{
            "number": entry.number, "prologue": entry.in_prologue, "kernel": numbers[entry.kernel],
            "called": [numbers[source] for source in entry.called], "copies": entry.copies,
            "rows": entry.rows,
            "nodes": list(map(tables.node, entry.nodes)), "items": entry.items, "flops": entry.flops,
            "bytes": entry.bytes, "reads": [buffers[b] for b in entry.launch.reads if b in buffers],
            "writes": [buffers[b] for b in entry.launch.writes if b in buffers],
        } for entry in compilation.launches],
        "memory": {
            "arena": memory.arena, "peak": memory.peak, "peak_at": memory.peak_at,
            "buffers": [{"number": b.number, "name": b.name, "kind": b.kind, "key": b.key, "bytes": b.bytes,
                         "dtype": b.dtype, "offset": b.offset, "first": b.first, "last": b.last,
                         "takes_over": b.takes_over, "nodes": list(map(tables.node, b.nodes))} for b in memory.buffers],
            "steps": [asdict(step) for step in memory.steps]},
    }


class _Tables:
    """The numbers of nodes, places and graphs, given when they are first met."""

    def __init__(self):
        self.nodes: list[dict] = []
        self.places: list[dict] = []
        self.graphs: list[dict] = []
        self._nodes: dict[Node, int] = {}
        self._places: dict[Origin, int] = {}
        self._graphs: dict[int, tuple] = {}             # id -> (number, the graph, kept alive)

    def node(self, node: Node) -> int:
        """The number of a node; those below it get theirs before."""
        stack = [node]
        while stack:
            current = stack[-1]
            missing = [i for i in current.inputs if i not in self._nodes]
            if current in self._nodes or missing:
                stack += reversed(missing)
                if not missing:
                    stack.pop()
                continue
            stack.pop()
            self._nodes[current] = len(self.nodes)
            entry = {"op": current.op, "inputs": [self._nodes[i] for i in current.inputs], "attributes": {},
                     "type": str(current.type)}
            self.nodes.append(entry)            # before the nodes of graphs that attributes hold
            entry["attributes"] = {k: self._value(v) for k, v in current.attrs.items()}
        return self._nodes[node]

    def graph(self, graph: Graph) -> dict:
        names = labels(graph)
        listed = dict.fromkeys((*graph.inputs, *graph.params.values(), *graph.nodes))
        return {
            "name": graph.name, "inputs": list(map(self.node, graph.inputs)),
            "outputs": list(map(self.node, graph.outputs)),
            "updates": [[name, self.node(value)] for name, value in graph.updates],
            "effects": list(map(self.node, graph.effects)),
            "nodes": [[self.node(n), names.get(n, n.attrs.get("name")), list(map(self._place, graph.origins.of(n)))]
                      for n in listed]}

    def sources(self) -> dict:
        """The texts of the files that places name, where they can be read."""
        files = dict.fromkeys(p["file"] for p in self.places if p["file"])
        texts = {name: "".join(linecache.getlines(name)) for name in files}
        return {name: text for name, text in texts.items() if text}

    def _place(self, origin: Origin) -> int:
        found = self._places.get(origin)
        if found is None:
            found = self._places[origin] = len(self.places)
            self.places.append({"scope": origin.scope, "file": origin.file, "line": origin.line})
        return found

    def _value(self, value):
        if isinstance(value, (tuple, list)):
            return [self._value(v) for v in value]
        if isinstance(value, DType):
            return value.code
        if isinstance(value, Dim):
            return str(value)
        if isinstance(value, float) and not math.isfinite(value):
            return repr(value)
        if isinstance(value, Constant):
            return {"constant": value.digest, "elements": int(value.array.size),
                    "first": [str(v) for v in value.array.reshape(-1)[:SHOWN_ELEMENTS]]}
        if isinstance(value, Graph):
            if id(value) not in self._graphs:
                number = len(self.graphs)
                self._graphs[id(value)] = number, value
                self.graphs.append({})
                self.graphs[number] = self.graph(value)
            return {"graph": self._graphs[id(value)][0]}
        return value
