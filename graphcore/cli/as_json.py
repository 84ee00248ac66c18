"""Graphs as JSON, for tools: the same labels as in the text form."""
from __future__ import annotations

import math

from graphcore.dtype import DType
from graphcore.ir.dims import Dim
from graphcore.ir.graph import Graph
from graphcore.ir.printer import labels


def graph_as_json(graph: Graph) -> dict:
    """A tree of dicts, lists, strings, numbers, bools and None; sizes that are symbolic are strings."""
    names = labels(graph)
    return {
        "name": graph.name,
        "inputs": [{"name": i.name, "label": names[i], "type": str(i.type)} for i in graph.inputs],
        "parameters": [{"name": name, "type": str(leaf.type)} for name, leaf in graph.params.items()],
        "nodes": [{
            "label": names[n], "op": n.op, "inputs": [names[i] for i in n.inputs],
            "attributes": {k: _value(v) for k, v in n.attrs.items()}, "type": str(n.type),
            "origins": [{"scope": o.scope, "file": o.file, "line": o.line} for o in graph.origins.of(n)],
        } for n in graph.nodes if not n.is_leaf],
        "updates": {name: names[value] for name, value in graph.updates},
        "effects": [names[e] for e in graph.effects],
        "outputs": [names[o] for o in graph.outputs],
    }


def _value(value):
    if isinstance(value, (tuple, list)):
        return [_value(v) for v in value]
    if isinstance(value, DType):
        return value.code
    if isinstance(value, Dim):
        return str(value)
    if isinstance(value, Graph):
        return graph_as_json(value)
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    return value
