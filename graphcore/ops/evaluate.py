"""Evaluate operators on NumPy arrays by their references: the eager path, the oracle of the tests, the debug mode."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graphcore import dtype as dt
from graphcore.ir.graph import Graph, Node
from graphcore.ir.types import TensorType
from graphcore.ops.record import REGISTRY, Operator
from graphcore.tensor import store


def evaluate(record: Operator, arrays, types, attrs, result: TensorType) -> np.ndarray:
    """Apply one operator to stored arrays; 16-bit floats are computed in float32 and rounded once."""
    values = [_widen(a, t.dtype) for a, t in zip(arrays, types)]
    with np.errstate(all="ignore"):
        value = record.reference(*values, **attrs)
    return store(np.asarray(value), result.dtype)


def _widen(array: np.ndarray, dtype: dt.DType) -> np.ndarray:
    if dtype is dt.float16:
        return array.astype(np.float32)
    if dtype is dt.bfloat16:
        return dt.bfloat16_to_float32(array)
    return array


def evaluate_node(node: Node, value_of, callbacks=()):
    """The stored value of a node whose inputs' values `value_of(input)` gives; a tuple or list for tuples and tapes.

    callbacks: the Python functions that `host_call` nodes name by number; they take and give stored arrays.
    """
    if node.op == "const":
        return node.attrs["value"].array
    record = REGISTRY[node.op]
    if node.op == "item":
        return value_of(node.inputs[0])[node.attrs["index"]]
    if record.kind == "region":
        host = Host(tuple(callbacks))
        return record.evaluate(host, *map(value_of, node.inputs), **node.attrs)
    return evaluate(record, [value_of(i) for i in node.inputs], [i.type for i in node.inputs], node.attrs, node.type)


def interpret(graph: Graph, leaves: dict, callbacks=()) -> dict:
    """Evaluate a whole graph node by node, effects in their order; `leaves` maps input and param leaves to arrays.

    Gives node → stored array: a tuple of values for nodes that give several, a list of arrays for a tape.
    """
    values = dict(leaves)
    for node in graph.nodes:
        if node not in values:
            values[node] = evaluate_node(node, values.__getitem__, callbacks)
    return values


@dataclass(frozen=True)
class Host:
    """What regions are evaluated with: the Python functions that they may call, and a way to run their graphs."""

    callbacks: tuple

    def run(self, graph: Graph, arguments) -> tuple:
        """The outputs of a closed graph."""
        values = interpret(graph, dict(zip(graph.inputs, arguments)), self.callbacks)
        return tuple(values[o] for o in graph.outputs)
