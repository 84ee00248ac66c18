"""Rules in place of derived gradients, as `call` nodes that have a backward graph.

A rule is recorded as the graph `backward` of its node.  If it does more than compute (prints, changes a list, asks for
values), the program calls it as Python instead, each time the gradient is computed.  A trace that knows all values
keeps the rule itself and runs it within the backward pass.
"""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from graphcore.capture import places
from graphcore.capture.language.branches import Raises
from graphcore.capture.language.nests import Slot, zeros
from graphcore.capture.location import locate
from graphcore.capture.regions import Operands, RegionTrace, place_region
from graphcore.capture.trace import Trace, TracedTensor, current_trace, no_trace
from graphcore.errors import CaptureError, GradientError
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node
from graphcore.ops import pointwise, regions, structural
from graphcore.parameter_tuple import sequence_like
from graphcore.tensor import Tensor


def with_rule(inputs: list, outputs: list, rule: Callable, name: str) -> list[TracedTensor]:
    """The tensors `outputs`, with gradients that reach `inputs` by ``rule(inputs, outputs, gradients)`` alone.

    The rule takes lists of tensors and gives a list: a tensor that broadcasting makes of an input's shape (or the other
    way round), a number, or None for zeros.  Raises GradientError, naming the rule, where a shape does not fit.
    """
    trace = current_trace()
    taken = [_point(trace.node_of(t)) for t in inputs]
    given = [structural.stop_gradient(trace.node_of(t)) for t in outputs]
    types = [n.type for n in taken]

    def on_lists(inputs, outputs, gradients):
        return [fitted(g, type_, name) for g, type_ in zip(rule(inputs, outputs, gradients), types)]

    if not trace.symbolic:
        leaves = [ir.input_(f"v{k}", n.type) for k, n in enumerate((*taken, *given))]
        node = regions.call(*taken, *given, body=Graph("body", tuple(leaves), tuple(leaves[len(taken):])),
                            backward=_Rule(on_lists, trace, len(taken)), recompute=False)
        return place_region(trace, node, ())
    operands = Operands(trace)
    leaves = [operands.add(n, n.type) for n in (*taken, *given)]
    backward = _backward(operands, on_lists, leaves[:len(taken)], given, name)
    body = Graph("body", tuple(operands.leaves), tuple(leaves[len(taken):]), origins=trace.origins)
    return place_region(trace, regions.call(*operands.outer, body=body, backward=backward, recompute=False), ())


class _Rule:
    """The rule of a `call` node of a trace that knows all values: run within the sweep, on nodes."""

    def __init__(self, rule: Callable, trace: Trace, inputs: int):
        self.rule, self.trace, self.inputs = rule, trace, inputs

    def __call__(self, operands, results, gradients) -> list:
        """The gradient of each operand, None where there is none."""
        found = self.rule(*([TracedTensor(n, self.trace) for n in nodes]
                            for nodes in (operands[:self.inputs], results, gradients)))
        return [self.trace.node_of(g) for g in found] + [None] * (len(operands) - self.inputs)


def _backward(operands: Operands, rule: Callable, inputs: list[Node], outputs, name: str) -> Graph:
    """The backward graph of a `call` of all operands, of which `inputs` are leaves; the others have gradients of 0."""
    results, gradients = leaves_for(outputs)

    def on_all(tensors):
        first, second = len(inputs), len(inputs) + len(outputs)
        return rule(tensors[:first], tensors[first:second], tensors[second:])

    found, effects = computed(operands, on_all, [*inputs, *results, *gradients], inputs, name)
    return graph_of(operands, dict(zip(inputs, found)), (*results, *gradients), effects)


def graph_of(operands: Operands, gradients: dict, leaves, effects) -> Graph:
    """The backward graph that gives these gradients for leaves of operands, and zeros for the others."""
    found = (gradients.get(leaf) or pointwise.zeros_like(leaf) for leaf in operands.leaves)
    return Graph("backward", (*operands.leaves, *leaves), tuple(found), (), effects, operands.trace.origins)


def computed(operands: Operands, function: Callable, given: list[Node], like: list[Node], name: str) -> tuple:
    """What ``function(tensors)`` gives for the nodes `given`, tensors of the types of `like`; and effects.

    Recorded, if the function does nothing but compute; else the program is made to call it.
    """
    region = RegionTrace(operands)
    with region.active():
        try:
            nodes = [region.node_of(t) for t in function([TracedTensor(n, region) for n in given])]
        except (CaptureError, Raises):
            nodes = None
        finally:
            changed = places.restore(region)
    if nodes is None or changed or region.effects or region.written:
        return called(operands.trace.root, function, given, like, name)
    return nodes, ()


def called(root: Trace, function: Callable, given: list[Node], like: list[Node], name: str) -> tuple:
    """Nodes for what a Python function gives that the program calls, of the types of `like`; and effects.

    A `host_call` gives one value: the first calls the function, the others fetch what it left.  They take the first
    one's result, so that it runs before them.
    """
    dtypes = [n.dtype for n in given]
    left: list = []

    def call(*arrays):
        with no_trace():
            left[:] = function([Tensor._wrap(a, d) for a, d in zip(arrays[-len(dtypes):], dtypes)])
        return left[0]._array if left else None

    def host_call(callback, *nodes, returns=True) -> Node:
        root.callbacks.append(callback)
        return regions.host_call(*nodes, callback=len(root.callbacks) - 1, label=name, returns=returns)

    first = host_call(call, *like[:1], *given, returns=bool(like))
    if not like:
        return [], (first,)
    value = structural.item(first, index=0)
    others = [host_call(lambda *_, k=k: left[k]._array, n, value) for k, n in enumerate(like[1:], 1)]
    return [value, *(structural.item(o, index=0) for o in others)], (first,)


def fitted(gradient, type_, name: str) -> Tensor:
    """What a rule gave for a value of a type, brought to that type."""
    from graphcore.ops import functional as F
    if gradient is None:
        trace = current_trace()
        return F.zeros(type_.shape, type_.dtype) if trace is None else TracedTensor(zeros(type_), trace)
    if not isinstance(gradient, (Tensor, int, float, np.generic, np.ndarray)):
        raise locate(GradientError(f"{name} gave a {type(gradient).__name__} as the gradient of a value of type "
                                   f"{type_}; give a Tensor, a number or None"))
    gradient = F.cast(gradient if isinstance(gradient, Tensor) else Tensor(gradient), type_.dtype)
    if gradient.shape == tuple(type_.shape):
        return gradient
    try:
        common = np.broadcast_shapes(gradient.shape, type_.shape)
    except ValueError:
        common = None
    if common == gradient.shape:
        return gradient.sum_to_size(type_.shape)
    if common == tuple(type_.shape):
        return F.broadcast_to(gradient, type_.shape)
    raise locate(GradientError(f"{name} gave a gradient of shape {gradient.shape} for a value of type {type_}; the "
                               "gradient of a value has its shape"))


def leaves_for(outputs) -> tuple[list, list]:
    """The leaves of a backward graph that stand for results and for their gradients."""
    return tuple([ir.input_(f"{kind}{k}", n.type) for k, n in enumerate(outputs)] for kind in ("result", "gradient"))


# -- nests ------------------------------------------------------------------------------------------------------

def is_float(value) -> bool:
    return isinstance(value, Tensor) and value.dtype.is_float


def _point(node: Node) -> Node:
    return node if node.dtype.is_float else structural.stop_gradient(node)


def with_none(nest, gradients):
    """A nest of gradients with None in place of all other leaves."""
    known = {id(g) for g in gradients}
    if isinstance(nest, (tuple, list)):
        return sequence_like(nest, [with_none(v, gradients) for v in nest])
    if isinstance(nest, dict):
        return {k: with_none(v, gradients) for k, v in nest.items()}
    return nest if id(nest) in known else None


def matched(structure, found, gradients: list, name: str) -> list:
    """The gradients in the nest `found`, in the order of the Slots of `structure`."""
    result = list(gradients)

    def match(part, given) -> None:
        if isinstance(part, Slot):
            result[part.index] = given[0] if isinstance(given, (tuple, list)) and len(given) == 1 else given
        elif isinstance(part, (tuple, list)):
            given = given if isinstance(given, (tuple, list)) else (given,)
            if len(given) != len(part):
                raise locate(GradientError(f"{name} gave {len(given)} gradients where {len(part)} are wanted; return "
                                           "one for each value (None for zeros)"))
            for p, g in zip(part, given):
                match(p, g)
        elif isinstance(part, dict):
            for key, p in part.items():
                match(p, given[key] if isinstance(given, dict) else given)

    match(structure, found)
    return result
