"""GRAPHCORE_INTERPRET=1: run captured graphs node by node on the operators' references instead of compiled kernels."""
from __future__ import annotations

import os

import numpy as np

from graphcore.capture import epoch
from graphcore.compiler.autodiff import expand_gradients
from graphcore.ir.graph import Graph
from graphcore.ops.evaluate import interpret


def requested() -> bool:
    """Whether the environment asks for it."""
    return os.environ.get("GRAPHCORE_INTERPRET") == "1"


class InterpretedProgram:
    """Has the interface of `compiler.program.Program`."""

    launches = 0

    def __init__(self, graph: Graph, parameters: dict, callbacks=()):
        self.graph, self.parameters = expand_gradients(graph), dict(parameters)
        self.callbacks = tuple(callbacks)

    def rebind(self) -> None:
        """Nothing to do: Parameters are read at each run."""

    def run(self, arrays: list) -> list:
        """The outputs for these inputs; Parameters are written at the end."""
        leaves = dict(zip(self.graph.inputs, arrays))
        for name, leaf in self.graph.params.items():
            leaves[leaf] = self.parameters[name].materialized()._array
        values = interpret(self.graph, leaves, self.callbacks)
        outputs = [np.array(values[o]) for o in self.graph.outputs]
        new = [(name, np.array(values[node])) for name, node in self.graph.updates]
        for name, value in new:
            np.copyto(self.parameters[name]._array, value)
        if new:
            epoch.data_changed()
        return outputs
