"""Look at what was compiled, from Python: the IR of a Cell or function that has been called."""
from __future__ import annotations

from collections.abc import Mapping

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
    return str(memory_report(compilation(compiled_of(function).last_program.graph)))


def compilation(graph: Graph, requires_grad: Mapping | None = None, sizes: Mapping | None = None):
    """The `compiler.inspection.compilation.Compilation` of a captured graph: all that there is to know about it.

    requires_grad: of Parameters by name, where that is known; sizes: values of symbolic sizes.  It is made part by
    part, when it is asked for; no kernel is built.
    """
    from graphcore.compiler.inspection.compilation import Compilation
    return Compilation(graph, requires_grad or {}, sizes or {})


def as_json(of, *, times: bool = True, code: bool = False) -> dict:
    """A `Compilation` as data for JSON: see `compiler.inspection.as_json`."""
    from graphcore.compiler.inspection.as_json import to_json
    return to_json(of, times=times, code=code)


def teller(of, profile=None):
    """The `compiler.inspection.story.Teller` of a `Compilation`, and of a `Profile` of it if there is one."""
    from graphcore.compiler.inspection.story import Teller
    return Teller(of, profile)


def profile_program(of, program, arrays: list, steps: int):
    """The `compiler.inspection.measure.Profile` of a compiled program, whose `Compilation` is `of`."""
    from graphcore.compiler.inspection.measure import profile
    return profile(of, program, arrays, steps)


def machine_peaks(threads: int) -> tuple[float, float]:
    """(float32 operations, bytes out of memory) per second that this machine can do, measured; takes a second."""
    from graphcore.compiler.inspection.peaks import flop_rate, read_rate
    from graphcore.compiler.toolchain.cpu import host
    return flop_rate(threads), read_rate(4 * max(host().l3, 8 << 20), threads)


def cache_folder():
    """The module `compiler.cache`: what is kept on disk."""
    from graphcore.compiler import cache
    return cache


def host_facts() -> dict:
    """CPU, threads and cache of this process, for reports."""
    from graphcore.compiler import cache
    from graphcore.compiler.toolchain.cpu import default_threads, host
    cpu, kept = host(), cache.entries()
    return {
        "cpu": {"name": cpu.name, "triple": cpu.triple, "vector bits": 8 * cpu.vector_bytes, "l1": cpu.l1, "l2": cpu.l2,
                "l3": cpu.l3},
        "threads": default_threads(),
        "cache": {"folder": str(cache.directory()), "entries": len(kept), "bytes": sum(e.bytes for e in kept)},
    }


def memory_report(of):
    """The `compiler.memory_report.MemoryReport` of a `Compilation`."""
    from graphcore.compiler.memory_report import MemoryReport
    return MemoryReport.of(of.planned, of.final.params, of.binding)


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


def ir_text(function, stage: str = "final") -> str:
    """The text of `compiled_graph`, with the user's lines as comments; `ir.parser.parse_graph` reads it back."""
    return print_graph(compiled_graph(function, stage))
