"""Gradients of the user's own: rules in place of the derived ones, hooks on gradients, parts that are computed again.

All are `call` nodes.  A rule becomes the graph `backward` of such a node.  If it does more than compute (prints,
changes a list, asks for values), the program calls it as Python instead, each time the gradient is computed.  A trace
that knows all values keeps the rule itself and runs it within the backward pass.
"""
from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from graphcore.capture import places
from graphcore.capture.language import callee
from graphcore.capture.language.nests import Slot, put_together, take_apart, zeros
from graphcore.capture.location import locate
from graphcore.capture.regions import Operands, RegionTrace, place_region
from graphcore.capture.trace import Trace, TracedTensor, current_trace, no_trace
from graphcore.errors import CaptureError, GradientError
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node
from graphcore.ops import pointwise, regions, structural
from graphcore.ops.reduction import sum_
from graphcore.parameter import Parameter
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

    def fitted(inputs, outputs, gradients):
        return [_fitted(g, type_, name) for g, type_ in zip(rule(inputs, outputs, gradients), types)]

    if not trace.symbolic:
        leaves = [ir.input_(f"v{k}", n.type) for k, n in enumerate((*taken, *given))]
        node = regions.call(*taken, *given, body=Graph("body", tuple(leaves), tuple(leaves[len(taken):])),
                            backward=_Rule(fitted, trace, len(taken)), recompute=False)
        return place_region(trace, node, ())
    operands = Operands(trace)
    leaves = [operands.add(n, n.type) for n in (*taken, *given)]
    backward = _backward(operands, fitted, leaves[:len(taken)], given, name)
    body = Graph("body", tuple(operands.leaves), tuple(leaves[len(taken):]), origins=trace.origins)
    return place_region(trace, regions.call(*operands.outer, body=body, backward=backward, recompute=False), ())


def with_hook(value, hook: Callable, name: str = "a hook"):
    """A nest of tensors whose gradients, the nest ``hook(gradients)``, reach what it was computed from.

    hook: gets a nest like `value`, with None in place of tensors that are not float; what it returns replaces the
    gradients, None leaves them as they are.
    """
    leaves: list = []
    structure = take_apart(value, leaves, _is_float)
    if not leaves:
        return value

    def rule(inputs, outputs, gradients):
        found = callee(hook)(_with_none(put_together(structure, gradients), gradients))
        return gradients if found is None else _matched(structure, found, gradients, name)

    return put_together(structure, with_rule(leaves, leaves, rule, name))


def with_hook_on_call(function: Callable, args: tuple, kwargs: dict, hook: Callable, name: str):
    """``function(*args, **kwargs)``, with a hook on the gradients by `args`.

    hook: gets two tuples, the gradients by the arguments and by the results, with None for what is no float tensor
    (and, where all values are known, for what no gradient is wanted of); what it returns replaces the first, None
    leaves it.
    """
    trace = current_trace()
    if trace.symbolic:
        part = _Part(trace, function, args, kwargs)
        return part.placed(part.with_hook(hook, name), recompute=False)
    arrived: list = []

    def remember(of_results):
        arrived.append(of_results if isinstance(of_results, tuple) else (of_results,))
        _unfinished(trace).append(finish)

    def change(of_arguments):
        return callee(hook)(of_arguments, arrived.pop())

    def finish():
        if arrived:             # no gradient by the arguments was wanted
            callee(hook)((None,) * len(args), arrived.pop())

    return with_hook(function(*with_hook(tuple(args), change, name), **kwargs), remember, name)


def _unfinished(trace: Trace) -> list:
    return trace.__dict__.setdefault("unfinished_hooks", [])


def finish_hooks(trace: Trace) -> None:
    """Call the hooks of Cells whose arguments no gradient reached, once a trace that knows all values has gradients."""
    while _unfinished(trace):
        _unfinished(trace).pop(0)()


def computed_again(function: Callable, args: tuple, kwargs: dict):
    """``function(*args, **kwargs)``, whose values the backward pass computes again instead of keeping them."""
    trace = current_trace()
    if trace is None or not trace.symbolic:
        return function(*args, **kwargs)
    return _Part(trace, function, args, kwargs).placed(None, recompute=True)


def with_bprop(cell, function: Callable, args: tuple):
    """``function(*args)``, the construct of a Cell, with the gradients that ``cell.bprop(*args, out, dout)`` gives.

    bprop returns a gradient for each argument (None for zeros); of Parameters, which the Cell lists in
    `internal_params`, it gives a dict: ``(gradients, {parameter: gradient})``.  Other Parameters get none.
    Raises GradientError if the number of gradients is another.
    """
    name, weights = f"{type(cell).__name__}.bprop", list(getattr(cell, "internal_params", ()))
    inputs: list = []
    arguments = take_apart(tuple(args), inputs)
    outputs: list = []
    result = take_apart(function(*args), outputs)

    def rule(taken, results, gradients):
        given = callee(cell.bprop)(*put_together(arguments, taken), put_together(result, results),
                                   put_together(result, gradients))
        of_weights: dict = {}
        if weights and isinstance(given, tuple) and len(given) == 2 and isinstance(given[1], dict):
            given, of_weights = given
        found = _matched(arguments, given, [None] * len(inputs), name)
        by_id = {id(parameter): gradient for parameter, gradient in of_weights.items()}
        return [*found, *(by_id.get(id(w)) for w in weights)]

    return put_together(result, with_rule([*inputs, *weights], outputs, rule, name))


class Context:
    """What `forward` of a ``_Function`` leaves for its `backward`: `saved_tensors`, and any attributes.

    needs_input_grad: for each argument whether it can have a gradient.
    """

    def __init__(self, args: tuple):
        self.saved_tensors: tuple = ()
        self.needs_input_grad = tuple(map(_is_float, args))

    def save_for_backward(self, *tensors) -> None:
        """Keep tensors as `saved_tensors`."""
        self.saved_tensors = tensors

    def mark_non_differentiable(self, *tensors) -> None:
        """Accepted: what is not float has no gradient anyway."""

    def set_materialize_grads(self, value) -> None:
        """Accepted: gradients that nothing arrives at are zeros."""


def with_backward(forward: Callable, backward: Callable, context: Context, args: tuple, name: str):
    """``forward(context, *args)``, with the gradients that ``backward(context, *gradients)`` gives: one for each
    argument, None for zeros.  Raises GradientError if their number is another."""
    outputs: list = []
    value = callee(forward)(context, *args)
    if current_trace() is None:
        return value
    result = take_apart(value, outputs)
    inputs: list = []
    arguments = take_apart(tuple(args), inputs)

    def rule(taken, results, gradients):
        arriving = put_together(result, gradients)
        given = callee(backward)(context, *(arriving if isinstance(arriving, tuple) else (arriving,)))
        return _matched(arguments, given, [None] * len(inputs), f"{name}.backward")

    return put_together(result, with_rule(inputs, outputs, rule, f"{name}.backward"))


def recompute(block: Callable, *args, **kwargs):
    """``block(*args, **kwargs)``, a Cell or function, whose values the backward pass computes again: less memory for
    more work.  Raises TypeError unless `block` can be called."""
    if not callable(block):
        raise TypeError(f"recompute takes a Cell or a function, got {type(block).__name__}")
    return computed_again(callee(block), args, kwargs)


# -- rules ------------------------------------------------------------------------------------------------------

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
    results, gradients = _leaves_for(outputs)

    def on_all(tensors):
        first, second = len(inputs), len(inputs) + len(outputs)
        return rule(tensors[:first], tensors[first:second], tensors[second:])

    found, effects = _computed(operands, on_all, [*inputs, *results, *gradients], inputs, name)
    return _graph_of(operands, dict(zip(inputs, found)), (*results, *gradients), effects)


def _graph_of(operands: Operands, gradients: dict, leaves, effects) -> Graph:
    """The backward graph that gives these gradients for leaves of operands, and zeros for the others."""
    found = (gradients.get(leaf) or pointwise.zeros_like(leaf) for leaf in operands.leaves)
    return Graph("backward", (*operands.leaves, *leaves), tuple(found), (), effects, operands.trace.origins)


def _computed(operands: Operands, function: Callable, given: list[Node], like: list[Node], name: str) -> tuple:
    """What ``function(tensors)`` gives for the nodes `given`, tensors of the types of `like`; and effects.

    Recorded, if the function does nothing but compute; else the program is made to call it.
    """
    region = RegionTrace(operands)
    with region.active():
        try:
            nodes = [region.node_of(t) for t in function([TracedTensor(n, region) for n in given])]
        except CaptureError:
            nodes = None
        finally:
            changed = places.restore(region)
    if nodes is None or changed or region.effects or region.written:
        return _called(operands.trace.root, function, given, like, name)
    return nodes, ()


def _called(root: Trace, function: Callable, given: list[Node], like: list[Node], name: str) -> tuple:
    """Nodes for what a Python function gives that the program calls; and effects.

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


def _fitted(gradient, type_, name: str) -> Tensor:
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


# -- parts of a program that become one `call` ------------------------------------------------------------------

class _PartTrace(RegionTrace):
    """The trace of a part that runs once: its random numbers are those that it would have outside of a region."""

    def random_key(self) -> Node:
        key = self.outer.random_key()
        return self.operands.leaf_of(key, key)


class _Part:
    """A call recorded as one closed graph; what it did to Parameters and Python objects is among the results."""

    def __init__(self, trace: Trace, function: Callable, args: tuple, kwargs: dict):
        self.trace, self.operands = trace, Operands(trace)
        self.region = _PartTrace(self.operands)
        leaves: list = []
        self.arguments, of_kwargs = take_apart((tuple(args), kwargs), leaves, _is_value)
        self.taken = [self.operands.add(n, n.type) for n in map(trace.node_of, leaves)]
        with self.region.active():
            try:
                inside = [TracedTensor(n, self.region) for n in self.taken]
                result = function(*put_together(self.arguments, inside), **put_together(of_kwargs, inside))
            finally:
                changed = places.restore(self.region)
        tensors: list = []
        self.result = take_apart(result, tensors, _is_value)
        self.changed = [(place, old, take_apart(new, tensors, _is_value)) for place, old, new in changed.values()]
        self.written = list(self.region.written.values())
        self.tensors = len(tensors)
        self.outputs = [*map(self.region.node_of, tensors), *map(self.region.value_now, self.written)]

    def placed(self, backward: Graph | None, recompute: bool):
        """The result of the call, with the `call` node in the trace around it."""
        body = self.region.graph("body", self.outputs)
        node = regions.call(*self.operands.outer, body=body, backward=backward, recompute=recompute)
        tensors = place_region(self.trace, node, [body])
        for parameter, tensor in zip(self.written, tensors[self.tensors:]):
            self.trace.set_value(parameter, tensor.node)
        for place, old, new in self.changed:
            self.trace.touched.setdefault(place.key, (place, old))
            place.write(put_together(new, tensors))
        return put_together(self.result, tensors)

    def with_hook(self, hook: Callable, name: str) -> Graph:
        """The backward graph: the derived gradients, those of the arguments as a hook changes them."""
        results, arriving = _leaves_for(self.outputs)
        derived = self._derived(arriving)
        hooked = [leaf for leaf in self.taken if leaf in derived]
        gradients = [derived[leaf] for leaf in hooked]

        def changed(tensors: list) -> list:
            by_leaf = dict(zip(hooked, tensors))
            of_arguments = list(map(by_leaf.get, self.taken))
            of_results = [g if _is_float(g) else None for g in tensors[len(hooked):]]
            result = _with_none(put_together(self.result, of_results), of_results)
            found = callee(hook)(_with_none(put_together(self.arguments, of_arguments), of_arguments),
                                 result if isinstance(result, tuple) else (result,))
            if found is not None:
                by_leaf = dict(zip(self.taken, _matched(self.arguments, found, of_arguments, name)))
            return [_fitted(by_leaf[leaf], leaf.type, name) for leaf in hooked]

        found, effects = _computed(self.operands, changed, [*gradients, *arriving], gradients, name)
        return _graph_of(self.operands, {**derived, **dict(zip(hooked, found))}, (*results, *arriving), effects)

    def _derived(self, arriving: list[Node]) -> dict:
        """Leaf of the body -> the gradient by it, given those of the outputs; for the float leaves."""
        products = [pointwise.mul(o, g) for o, g in zip(self.outputs, arriving) if o.dtype.is_float]
        sums = [sum_(n, axes=tuple(range(n.rank)), keepdims=False) if n.rank else n for n in products]
        wanted = [leaf for leaf in self.operands.leaves if leaf.dtype.is_float]
        if not sums or not wanted:
            return {}
        together = structural.grad(functools.reduce(pointwise.add, sums), *wanted, sens=False)
        return {leaf: structural.item(together, index=i) for i, leaf in enumerate(wanted)}


def _leaves_for(outputs) -> tuple[list, list]:
    """The leaves of a backward graph that stand for results and for their gradients."""
    return tuple([ir.input_(f"{kind}{k}", n.type) for k, n in enumerate(outputs)] for kind in ("result", "gradient"))


# -- nests ------------------------------------------------------------------------------------------------------

def _is_value(value) -> bool:
    return isinstance(value, Tensor) and not isinstance(value, Parameter)


def _is_float(value) -> bool:
    return isinstance(value, Tensor) and value.dtype.is_float


def _point(node: Node) -> Node:
    return node if node.dtype.is_float else structural.stop_gradient(node)


def _with_none(nest, gradients):
    """A nest of gradients with None in place of all other leaves."""
    known = {id(g) for g in gradients}
    if isinstance(nest, (tuple, list)):
        return type(nest)(_with_none(v, gradients) for v in nest)
    if isinstance(nest, dict):
        return {k: _with_none(v, gradients) for k, v in nest.items()}
    return nest if id(nest) in known else None


def _matched(structure, found, gradients: list, name: str) -> list:
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
