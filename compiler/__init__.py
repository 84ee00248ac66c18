"""The compiler, imported as ``graphcore.compiler``: from captured graphs to programs of native kernels."""
from __future__ import annotations


def compile(graph, parameters):
    """Compile a captured graph for the Parameters bound to its names; see `compiler.program`."""
    from graphcore.compiler.program import compile_graph
    return compile_graph(graph, parameters)
