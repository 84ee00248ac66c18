"""The rules that every graph keeps, checked between passes and on text that was read."""
from __future__ import annotations

import importlib

from graphcore.errors import GraphcoreError, IRError
from graphcore.ir.attributes import LARGEST, attribute_fault
from graphcore.ir.dims import Dim
from graphcore.ir.graph import LEAVES, Constant, Graph, Node, _freeze, graphs_of
from graphcore.ir.literal import RESERVED, format_attribute
from graphcore.ir.printer import labels, origin_comment
from graphcore.ir.types import TapeType, TensorType, TupleType


def verify(graph: Graph, *, final: bool = False) -> None:
    """Raise IRError, naming the node and the user's line, unless `graph` keeps the rules of the IR.

    Inputs and Parameters are unique by name; every node's operator exists and its type is what the operator's rule
    gives; updates have their Parameter's type; no two nodes are the same; regions keep the rules too, and one that
    does more than give values stands in the effects of the graph that holds it.
    final: no structural operators (grad, barrier ...) but `item` are left, as after autodiff and simplification.
    """
    from graphcore.ops import record
    from graphcore.ops.regions import has_effects
    if _unregistered(graph, record.REGISTRY):
        importlib.import_module("graphcore.ops.records")        # registers all operators
    names = labels(graph)
    found: dict = {}
    for node in graph.nodes:
        reason = (_leaf_fault(node) if node.op in LEAVES else _operator_fault(node, record.REGISTRY, final))
        key = (node.op, node.inputs, tuple((k, _freeze(v)) for k, v in node.attrs.items()), node.type)
        if found.setdefault(key, node) is not node:
            reason = f"is the same as {names[found[key]]}: nodes are made with ir.node(), which keeps them unique"
        if reason:
            raise IRError(f"graph {graph.name}: {_describe(node, names, graph)}: {reason}")
        if has_effects(node) and node not in graph.effects:
            raise IRError(f"graph {graph.name}: {_describe(node, names, graph)}: it has effects, but does not stand in "
                          "the effects of this graph")
        for region in graphs_of(node).values():
            verify(region, final=final)
    _verify_roots(graph, names)


def _unregistered(graph: Graph, registry) -> bool:
    return any(n.op not in registry and n.op not in LEAVES for n in graph.nodes)


def _leaf_fault(node: Node) -> str | None:
    if not isinstance(node.type, TensorType) or node.inputs:
        return "a leaf has a tensor type and no inputs"
    if node.op == "const":
        constant = node.attrs.get("value")
        if not isinstance(constant, Constant) or node.type != TensorType(constant.dtype, constant.array.shape):
            return f"its value does not have the type {node.type}"
    return _type_fault(node.type)


def _type_fault(type_) -> str | None:
    """What is wrong with the sizes of a type."""
    if isinstance(type_, TupleType):
        return next(filter(None, map(_type_fault, type_.items)), None)
    if isinstance(type_, TapeType):
        return _type_fault(type_.element)
    bytes_ = type_.dtype.itemsize
    for size in type_.shape:
        reason = _size_fault(size)
        if reason:
            return reason
        bytes_ *= size if isinstance(size, int) and size else 1         # an empty array has strides, too
    return f"a value of the type {type_} is larger than any memory" if bytes_ >= LARGEST else None


def _size_fault(size) -> str | None:
    if isinstance(size, Dim):
        strange = [s for s in sorted(size.symbols()) if not s.isidentifier() or not s.isascii() or s in RESERVED]
        return f"the size {size} uses {strange[0]!r}, which is no name for a symbol" if strange else None
    if isinstance(size, int) and not isinstance(size, bool):
        return f"the size {size} is negative" if size < 0 else None
    return f"{size!r} is not a size: sizes are ints and symbols"


def _operator_fault(node: Node, registry, final: bool) -> str | None:
    record = registry.get(node.op)
    if record is None:
        return f"there is no operator {node.op!r}"
    if record.arity is not None and len(node.inputs) != record.arity:
        return f"{node.op} takes {record.arity} inputs"
    if final and record.kind == "structural" and node.op != "item":
        return f"{node.op} is bookkeeping of the front end and must be gone by now"
    try:
        for name, value in node.attrs.items():
            format_attribute(value, str)
            fault = attribute_fault(name, value)
            if fault:
                return fault
        inferred = record.infer(*(i.type for i in node.inputs), **node.attrs)
    except GraphcoreError as error:
        return str(error)
    except Exception as error:      # text that was read can hold any attributes, and rules assume sensible ones
        return f"its type rule fails on these inputs and attributes: {type(error).__name__}: {error}"
    return _type_fault(inferred) if inferred == node.type else f"its type should be {inferred}"


def _verify_roots(graph: Graph, names: dict) -> None:
    updated = set()
    for name, value in graph.updates:
        if name in updated:
            raise IRError(f"graph {graph.name}: the Parameter {name} is updated twice")
        updated.add(name)
        if not isinstance(value.type, TensorType) or graph.params[name].type != value.type:
            raise IRError(f"graph {graph.name}: the Parameter {name} has type {graph.params[name].type}, but its new "
                          f"value is {_describe(value, names, graph)}")


def _describe(node: Node, names: dict, graph: Graph) -> str:
    """``%3 = conv2d(%x, w) : f32[...]  (conv1  lenet.py:18)``."""
    inputs = ", ".join(names[i] for i in node.inputs)
    text = f"{names[node]} : {node.type}" if node.op in LEAVES else f"{names[node]} = {node.op}({inputs}) : {node.type}"
    where = origin_comment(graph.origins.of(node))
    return f"{text}  ({where})" if where else text
