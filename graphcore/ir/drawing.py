"""A graph as text for Graphviz: nodes in frames for the Cells that they come from."""
from __future__ import annotations

from graphcore.ir.graph import Graph, Node, graphs_of
from graphcore.ir.printer import labels
from graphcore.ir.types import TensorType

_STYLE = {"input": 'shape=ellipse, fillcolor="#d8ecff"', "param": 'shape=cylinder, fillcolor="#fff1c9"',
          "output": 'shape=ellipse, fillcolor="#d8f5dc"'}


def dot_text(graph: Graph, depth: int | None = None) -> str:
    """The text of a drawing; depth: Cells that lie deeper are drawn as one node each."""
    return "\n".join(_Drawing(graph, depth).lines()) + "\n"


class _Drawing:
    def __init__(self, graph: Graph, depth: int | None):
        self.graph, self.depth = graph, depth
        self.names = labels(graph)
        self.numbers = {n: f"n{i}" for i, n in enumerate(dict.fromkeys((*graph.inputs, *graph.nodes)))}
        self.members: dict[tuple, list] = {}            # Cell's path → nodes drawn in it
        self.folded: dict[tuple, list] = {}             # the same, for Cells that are drawn as one node
        for n in self.numbers:
            if n.op == "const":
                continue
            path = () if n.is_leaf else self.cell(n)
            if depth is not None and len(path) >= depth:
                self.folded.setdefault(path[:depth], []).append(n)
            else:
                self.members.setdefault(path, []).append(n)
        self.place = {n: f"c{i}" for i, group in enumerate(self.folded.values()) for n in group}

    def cell(self, node: Node) -> tuple:
        """The path of the Cell that a node comes from."""
        scope = next((o.scope for o in self.graph.origins.of(node) if o.scope), "")
        return tuple(scope.split(".")) if scope else ()

    def lines(self):
        yield f"digraph {_quoted(self.graph.name or 'graph')} {{"
        yield "  rankdir=TB; compound=true; fontname=Helvetica;"
        yield '  node [shape=box, style="filled,rounded", fillcolor=white, fontname=Helvetica, fontsize=10];'
        yield "  edge [fontname=Helvetica, fontsize=8, color=gray40];"
        yield from self.frame((), "  ")
        for number in range(len(self.graph.outputs)):
            yield f'  out{number} [label={_quoted(f"output {number}")}, {_STYLE["output"]}];'
        yield from self.edges()
        yield "}"

    def frame(self, path: tuple, indent: str):
        """The nodes of a Cell, and the frames of those in it."""
        for n in self.members.get(path, ()):
            yield f"{indent}{self.numbers[n]} [label={_quoted(self.label(n))}{self.style(n)}];"
        inside = dict.fromkeys(p[:len(path) + 1] for p in (*self.members, *self.folded)
                               if len(p) > len(path) and p[:len(path)] == path)
        for inner in inside:
            if inner in self.folded:
                group = self.folded[inner]
                text = f"{'.'.join(inner)}\n{len(group)} operators\n{group[-1].type}"
                yield f'{indent}{self.place[group[0]]} [label={_quoted(text)}, fillcolor="#eeeeee"];'
                continue
            yield f"{indent}subgraph {_quoted('cluster_' + '.'.join(inner))} {{"
            yield f'{indent}  label={_quoted(inner[-1])}; style=rounded; color=gray70;'
            yield from self.frame(inner, indent + "  ")
            yield f"{indent}}}"

    def label(self, node: Node) -> str:
        if node.is_leaf:
            return f"{node.name}\n{node.type}"
        regions = "".join(f"\n{key}: {len(g.nodes)} nodes" for key, g in graphs_of(node).items())
        return f"{self.names[node]} {node.op}{regions}\n{node.type}"

    @staticmethod
    def style(node: Node) -> str:
        return f", {_STYLE[node.op]}" if node.op in _STYLE else ""

    def edges(self):
        """An edge from each operand to its reader; within a folded Cell none."""
        seen: dict = {}
        for n in self.graph.nodes:
            for i in n.inputs:
                if i.op != "const":
                    seen.setdefault((self.end(i), self.end(n)), i)
        for number, output in enumerate(self.graph.outputs):
            if output.op != "const":
                seen.setdefault((self.end(output), f"out{number}"), output)
        for (begin, end), source in seen.items():
            if begin != end:
                size = f" [label={_quoted(str(source.type))}]" if isinstance(source.type, TensorType) else ""
                yield f"  {begin} -> {end}{size};"
        for name, value in self.graph.updates:
            if value.op != "const" and name in self.graph.params and self.graph.params[name] in self.numbers:
                target = self.numbers[self.graph.params[name]]
                yield f'  {self.end(value)} -> {target} [style=dashed, label="update", constraint=false];'

    def end(self, node: Node) -> str:
        return self.place.get(node) or self.numbers[node]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
