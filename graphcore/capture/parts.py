"""Parts of a program that become one `call` node: to be computed again by the backward pass, or to have hooks."""
from __future__ import annotations

import functools
from collections.abc import Callable

from graphcore.capture import places
from graphcore.capture.language import callee
from graphcore.capture.language.nests import put_together, take_apart
from graphcore.capture.regions import Operands, RegionTrace, place_region
from graphcore.capture.rules import computed, fitted, graph_of, is_float, leaves_for, matched, with_none
from graphcore.capture.trace import Trace, TracedTensor
from graphcore.ir.graph import Graph, Node
from graphcore.ops import pointwise, regions, structural
from graphcore.ops.reduction import sum_
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor


class _PartTrace(RegionTrace):
    """The trace of a part that runs once: its random numbers are those that it would have outside of a region."""

    def random_key(self) -> Node:
        key = self.outer.random_key()
        return self.operands.leaf_of(key, key)


class Part:
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
        results, arriving = leaves_for(self.outputs)
        derived = self._derived(arriving)
        hooked = [leaf for leaf in self.taken if leaf in derived]
        gradients = [derived[leaf] for leaf in hooked]

        def changed(tensors: list) -> list:
            by_leaf = dict(zip(hooked, tensors))
            of_arguments = list(map(by_leaf.get, self.taken))
            of_results = [g if is_float(g) else None for g in tensors[len(hooked):]]
            result = with_none(put_together(self.result, of_results), of_results)
            found = callee(hook)(with_none(put_together(self.arguments, of_arguments), of_arguments),
                                 result if isinstance(result, tuple) else (result,))
            if found is not None:
                by_leaf = dict(zip(self.taken, matched(self.arguments, found, of_arguments, name)))
            return [fitted(by_leaf[leaf], leaf.type, name) for leaf in hooked]

        found, effects = computed(self.operands, changed, [*gradients, *arriving], gradients, name)
        return graph_of(self.operands, {**derived, **dict(zip(hooked, found))}, (*results, *arriving), effects)

    def _derived(self, arriving: list[Node]) -> dict:
        """Leaf of the body -> the gradient by it, given those of the outputs; for the float leaves."""
        products = [pointwise.mul(o, g) for o, g in zip(self.outputs, arriving) if o.dtype.is_float]
        sums = [sum_(n, axes=tuple(range(n.rank)), keepdims=False) if n.rank else n for n in products]
        wanted = [leaf for leaf in self.operands.leaves if leaf.dtype.is_float]
        if not sums or not wanted:
            return {}
        together = structural.grad(functools.reduce(pointwise.add, sums), *wanted, sens=False)
        return {leaf: structural.item(together, index=i) for i, leaf in enumerate(wanted)}


def _is_value(value) -> bool:
    return isinstance(value, Tensor) and not isinstance(value, Parameter)
