"""What the compiler did to a net, from Python: stages, passes, kernels, memory, and the story of any value.

    found = net.compile(x)              # or: graphcore.inspection(net), after a call
    print(found.ir("final"))
    print(found.explain("%4"))
    found                               # in a notebook: stages and kernels, to be unfolded

The commands `graphcore dump`, `passes`, `kernels`, `memory` and `explain` show the same.
"""
from __future__ import annotations

import html

from graphcore.inspect import compilation, compiled_of
from graphcore.ir.graph import Graph
from graphcore.ir.printer import print_graph


def inspection(function) -> Inspection:
    """The `Inspection` of the program that a Cell, `@jit` function or gradient function ran or compiled last.

    Raises NotCompiledError before the first call in GRAPH_MODE.
    """
    program = compiled_of(function).last_program
    return Inspection(program.graph, {name: bool(p.requires_grad) for name, p in program.parameters.items()})


class Inspection:
    """A compilation to look into; everything is worked out when it is asked for, and nothing is run.

    record: the `compiler.inspection.compilation.Compilation` behind it, with all there is.
    """

    def __init__(self, graph: Graph, requires_grad: dict):
        self.record = compilation(graph, requires_grad)

    @property
    def stages(self) -> list[str]:
        """The names of the stages that changed something, "capture" first."""
        return [stage.name for stage in self.record.stages]

    def graph(self, stage: str = "final") -> Graph:
        """The graph of a stage.  Raises ValueError for a name that is none."""
        from graphcore.cli.selection import stage_named
        return stage_named(self.record, stage).graph

    def ir(self, stage: str = "final") -> str:
        """The text of a stage's graph.  Raises ValueError for a name that is none."""
        return print_graph(self.graph(stage))

    @property
    def passes(self) -> tuple:
        """The passes in order: title, changed, before, after, rules, rewrites, seconds of each."""
        return self.record.passes

    @property
    def kernels(self) -> tuple:
        """The kernels: title, operators, launches, items, flops, bytes, source, llvm, assembly, code of each."""
        return self.record.kernels

    @property
    def launches(self) -> tuple:
        """The launches in order."""
        return self.record.launches

    @property
    def memory(self):
        """The arena over the steps of a run, and every buffer."""
        return self.record.memory

    @property
    def parameters(self) -> tuple:
        """The Parameters, with their readers and writers in the captured graph."""
        return self.record.parameters()

    def explain(self, what: str, stage: str = "capture"):
        """The story of a value of a stage ("%4"), a Parameter, a line ("net.py:18"), a kernel or a buffer ("b3").

        As text by `str` and `print`.  Raises ValueError for something that is not there.
        """
        from graphcore.cli.explain import stories_of
        from graphcore.cli.selection import stage_named
        return _Stories(stories_of(self.record, stage_named(self.record, stage).name, "any", what))

    def to_json(self, *, times: bool = True, code: bool = False) -> dict:
        """All of it as data for JSON: see `compiler.inspection.as_json`."""
        from graphcore.inspect import as_json
        return as_json(self.record, times=times, code=code)

    def __repr__(self) -> str:
        record = self.record
        return (f"<compilation of {record.graph.name}: {len(record.graph.nodes)} nodes captured, "
                f"{len(record.final.nodes)} scheduled, {len(record.launches)} launches of {len(record.kernels)} "
                f"kernels, arena {record.memory.arena:,} bytes>")

    def _repr_html_(self) -> str:
        record = self.record
        passes = "".join(
            f"<tr><td>{p.title}</td><td>{len(p.before.nodes)}</td><td>{len(p.after.nodes)}</td>"
            f"<td>{html.escape(', '.join(f'{rule} x{n}' for rule, n in p.rules.items()))}</td></tr>"
            for p in record.passes if p.changed)
        parts = [f"<p><b>{html.escape(repr(self)[1:-1])}</b></p>",
                 f"<table><tr><th>pass</th><th>nodes before</th><th>after</th><th>rules</th></tr>{passes}</table>"]
        parts += [_folded(f"stage {s.title}", print_graph(s.graph, data=False)) for s in record.stages]
        parts += [_folded(f"kernel {k.title}: {', '.join(k.operators)}", k.source.source) for k in record.kernels]
        return "\n".join(parts)


class _Stories(list):
    """Stories one after the other."""

    def __str__(self) -> str:
        return "\n".join(map(str, self))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{html.escape(title)}</summary><pre>{html.escape(text)}</pre></details>"
