"""Evaluate operators on NumPy arrays by their references: the eager path, the oracle of the tests, the debug mode."""
from __future__ import annotations

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


def evaluate_node(node: Node, value_of) -> np.ndarray:
    """The stored value of a node whose inputs' values `value_of(input)` gives."""
    if node.op == "const":
        return node.attrs["value"].array
    return evaluate(REGISTRY[node.op], [value_of(i) for i in node.inputs], [i.type for i in node.inputs],
                    node.attrs, node.type)


def interpret(graph: Graph, leaves: dict) -> dict:
    """Evaluate a whole graph node by node; `leaves` maps input and param leaves to arrays.  Node → array."""
    values = dict(leaves)
    for node in graph.nodes:
        if node not in values:
            values[node] = evaluate_node(node, values.__getitem__)
    return values
