"""The compiler, imported as ``graphcore.compiler``: from captured graphs to programs of native kernels."""
from __future__ import annotations


def compile(graph, parameters, callbacks=()):
    """Compile a captured graph for the Parameters bound to its names: an object with ``run(arrays) -> arrays``.

    callbacks: the Python functions that the graph's `host_call` nodes name by number.
    Raises UnboundParameterError for a name without a Parameter, CompileError for a defect of the compiler.
    """
    from graphcore.compiler import interpret
    if interpret.requested():
        return interpret.InterpretedProgram(graph, parameters, callbacks)
    from graphcore.compiler.program import compile_graph
    return compile_graph(graph, parameters, callbacks)
