"""Look at what was compiled, from Python: the IR of a Cell or function that has been called."""
from __future__ import annotations

from pathlib import Path

from graphcore.errors import GraphcoreError
from graphcore.ir.graph import Graph
from graphcore.ir.printer import print_graph


class NotCompiledError(GraphcoreError, RuntimeError):
    """The Cell or function has not been compiled yet."""


def compiled_graph(function, stage: str = "capture") -> Graph:
    """The graph of the program that a Cell, @jit function or gradient function ran last, after a compiler stage.

    stage: a name of `graphcore.compiler.pipeline.STAGES`, "capture" (as recorded) or "final" (as scheduled).
    Raises NotCompiledError before its first call in GRAPH_MODE, ValueError for an unknown stage.
    """
    program = compiled_of(function).last_program
    if stage == "capture":
        return program.graph
    from graphcore.compiler.pipeline import run_stages
    reports = run_stages(program.graph)
    names = [r.name for r in reports]
    if stage != "final" and stage not in names:
        raise ValueError(f"no stage is called {stage!r}; there are {', '.join(names)} and final")
    return reports[-1 if stage == "final" else names.index(stage)].graph


def memory_text(function) -> str:
    """What the last program of a Cell, @jit function or gradient function needs memory for, and what holds the most.

    The first line tells the size of its arena, the most that is in use at one step, Parameters and derived weights; the
    others what holds the memory at that step, in MiB, by operator.  Unknown sizes are those of a typical batch.  Raises
    NotCompiledError before the first call in GRAPH_MODE.
    """
    return str(planned(compiled_of(function).last_program.graph)[1])


def planned(graph: Graph) -> tuple:
    """(`plan.Compiled`, `MemoryReport`) of a captured graph; no kernel is built.  Unknown sizes are typical ones."""
    from graphcore.compiler.memory_report import MemoryReport
    from graphcore.compiler.pipeline import optimize
    from graphcore.compiler.plan import compile_plan
    from graphcore.compiler.schedule.steps import TYPICAL_SIZE
    from graphcore.compiler.toolchain.cpu import host
    sizes = dict.fromkeys(graph.symbols, TYPICAL_SIZE)
    optimized = optimize(graph)
    compiled = compile_plan(optimized, host(), sizes)
    return compiled, MemoryReport.of(compiled, optimized.params, sizes)


def explain_recompile(function) -> str:
    """Why a Cell, @jit function or gradient function was compiled again: a line for each compilation after the first.

    A line says what changed: ``Net.alpha: 0.5 -> 0.7``, ``argument 0 (x): f32[2,3] -> f32[4,3]``.  Raises
    NotCompiledError before the first call in GRAPH_MODE.
    """
    return compiled_of(function).history.explain()


def compiled_of(function):
    """The CompiledFunction behind a Cell, `@jit` function or gradient function that has a program.

    Raises NotCompiledError if it has none.
    """
    compiled = getattr(function, "_compiled", None)
    if compiled is None or compiled.last_program is None:
        raise NotCompiledError(f"{type(function).__name__} has no compiled program yet: call it once in GRAPH_MODE")
    return compiled


def save_graphs(graph: Graph, folder: str) -> None:
    """Write a captured graph after each stage that changes it: ``NAME_00_capture.gir``, ``NAME_01_...`` in `folder`.

    Another program of the same name gets a number behind it.  Raises OSError where the folder cannot be written.
    """
    from graphcore.compiler.pipeline import run_stages
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    name, number = graph.name, 1
    while (target / f"{name}_00_capture.gir").exists():
        number += 1
        name = f"{graph.name}-{number}"
    previous = None
    for i, report in enumerate(run_stages(graph)):
        if report.graph != previous:
            (target / f"{name}_{i:02d}_{report.name}.gir").write_text(print_graph(report.graph), encoding="utf-8")
        previous = report.graph


def ir_text(function, stage: str = "final") -> str:
    """The text of `compiled_graph`, with the user's lines as comments; `ir.parser.parse_graph` reads it back."""
    return print_graph(compiled_graph(function, stage))
