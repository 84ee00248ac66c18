"""A graph in the form of an ONNX model, for viewers such as Netron: its structure, not a model to be run.

Operators are graphcore's own, in the domain "graphcore"; Parameters are inputs without data.
"""
from __future__ import annotations

from graphcore.dtype import DType
from graphcore.ir.graph import Constant, Graph, Node, graphs_of
from graphcore.ir.printer import labels
from graphcore.ir.types import TensorType
from graphcore.onnx.package import onnx_package

_TYPES = {"f16": "FLOAT16", "bf16": "BFLOAT16", "f32": "FLOAT", "f64": "DOUBLE", "bool": "BOOL", "i8": "INT8",
          "i16": "INT16", "i32": "INT32", "i64": "INT64", "u8": "UINT8", "u16": "UINT16", "u32": "UINT32",
          "u64": "UINT64"}


def drawing(graph: Graph):
    """The `onnx.ModelProto` of a graph.  Raises MissingPackageError where the package is not installed."""
    onnx = onnx_package()
    helper = onnx.helper
    names = labels(graph)

    def info(node: Node, name: str):
        sizes = [s if isinstance(s, int) else str(s) for s in node.shape]
        return helper.make_tensor_value_info(name, getattr(onnx.TensorProto, _TYPES.get(node.dtype.code, "UNDEFINED")),
                                             sizes)

    inputs = [info(n, names[n]) for n in (*graph.inputs, *(p for p in graph.params.values() if p in names))]
    outputs = [info(n, names[n]) for n in dict.fromkeys(graph.outputs)]
    known = [info(n, names[n]) for n in graph.nodes if isinstance(n.type, TensorType) and not n.is_leaf]
    nodes = []
    for n in graph.nodes:
        if n.is_leaf:
            continue
        origins = graph.origins.of(n)
        scope = next((o.scope for o in origins if o.scope), "")
        attributes = {k: _value(v) for k, v in n.attrs.items() if v is not None and not isinstance(v, Graph)}
        attributes |= {k: f"graph of {len(g.nodes)} nodes" for k, g in graphs_of(n).items()}
        nodes.append(helper.make_node(n.op, [names[i] for i in n.inputs], [names[n]], f"{scope} {names[n]}".strip(),
                                      "; ".join(map(str, origins)), "graphcore",
                                      **{k: v for k, v in attributes.items() if v != []}))
    body = helper.make_graph(nodes, graph.name or "graph", inputs, outputs, value_info=known)
    return helper.make_model(body, producer_name="graphcore", opset_imports=[helper.make_opsetid("graphcore", 1)])


def _value(value):
    """An attribute as ONNX has it: a number, a text, or a list of either."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float, str)):
        return value
    if isinstance(value, DType):
        return value.code
    if isinstance(value, Constant):
        return f"constant {value.digest}"
    if isinstance(value, (tuple, list)):
        items = [_value(v) for v in value]
        alike = len({type(i) for i in items}) <= 1 and not any(isinstance(i, list) for i in items)
        return items if alike else str(value)
    return str(value)
