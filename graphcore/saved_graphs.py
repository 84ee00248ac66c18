"""The graphs of every program that is compiled, as files under MindSpore's names: what `save_graphs` asks for.

``01_type_inference_0000.ir`` is the graph as captured, ``13_optimize_0001.ir`` after the gradients are written out,
``24_execute_0002.ir`` as it is scheduled, ``graph_build_0_0003.ir`` lists launches and kernels.  The number at the end
counts the files of a folder.  Level 2 (or True) adds each pass that changed something, as
``verbose_ir_files/opt_pass_10_fold_affine_0004.ir``, level 3 a drawing of each graph, ``.dot``.

The text is graphcore's (docs/ir.md).  The same is had without files by `graphcore dump`.
"""
from __future__ import annotations

import os
import re
from pathlib import Path

from graphcore import context
from graphcore.ir.drawing import dot_text
from graphcore.ir.graph import Graph
from graphcore.ir.printer import print_graph

_NUMBER = re.compile(r"_(\d{4,})\.ir\Z")


def level() -> int:
    """How much is to be saved: 0 for nothing.  MS_DEV_SAVE_GRAPHS counts where `set_context` has not said anything."""
    value = context.settings["save_graphs"] or os.environ.get("MS_DEV_SAVE_GRAPHS", "0")
    return 2 if value is True else int(value) if str(value).isdecimal() else 0


def folder() -> Path:
    """Where: `save_graphs_path`, else MS_DEV_SAVE_GRAPHS_PATH, else the current folder."""
    chosen = context.settings["save_graphs_path"]
    return Path(os.environ.get("MS_DEV_SAVE_GRAPHS_PATH", ".") if chosen == "." else chosen)


def save_graphs(graph: Graph) -> None:
    """Write the files of a captured graph, as the settings say.  Raises OSError where the folder cannot be written."""
    from graphcore.inspect import compilation
    record, wanted = compilation(graph), level()
    files = _Files(folder(), drawings=wanted >= 3)
    files.graph("01_type_inference", graph)
    files.graph("13_optimize", record.stage("simplify").graph)
    files.graph("24_execute", record.final)
    files.text("graph_build_0", _launches(record))
    if wanted >= 2:
        for p in record.passes:
            if p.changed:
                files.graph(f"verbose_ir_files/opt_pass_{p.number}_{p.name}", p.after)


class _Files:
    """Writes files whose names end in the next free number."""

    def __init__(self, target: Path, drawings: bool):
        self.folder, self.drawings = target, drawings
        known = [int(m[1]) for path in target.glob("**/*.ir") if (m := _NUMBER.search(path.name))]
        self.number = max(known, default=-1) + 1

    def graph(self, name: str, graph: Graph) -> None:
        path = self.text(name, print_graph(graph))
        if self.drawings:
            path.with_suffix(".dot").write_text(dot_text(graph), encoding="utf-8")

    def text(self, name: str, text: str) -> Path:
        path = self.folder / f"{name}_{self.number:04d}.ir"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        self.number += 1
        return path


def _launches(record) -> str:
    """The launches in their order, then the sources of the kernels."""
    titles = {k.source: k.title for k in record.kernels}
    lines = [f"# {record.graph.name}: {len(record.launches)} launches of {len(record.kernels)} kernels, arena "
             f"{record.memory.arena:,} bytes"]
    for entry in record.launches:
        where = "before the first run: " if entry.in_prologue else ""
        lines.append(f"launch {entry.number}: {where}{titles[entry.kernel]} over {entry.items} items: "
                     f"{', '.join(n.op for n in entry.nodes)}")
    lines += [f"\n# kernel {k.title}\n{k.source.source.rstrip()}" for k in record.kernels]
    return "\n".join(lines) + "\n"
