"""Recording what a function does for one example, and doing it for all.

The function runs on a trace of its own, whose inputs have no batch axis; what it uses of its surroundings, Parameters
too, becomes further inputs.  The graph is then batched into the trace around it.
"""
from __future__ import annotations

from contextlib import contextmanager

from graphcore.capture import places
from graphcore.capture.location import locate
from graphcore.capture.regions import Operands, RegionTrace
from graphcore.capture.trace import Trace, TracedTensor
from graphcore.errors import CaptureError
from graphcore.ir.graph import Node
from graphcore.ir.types import TensorType
from graphcore.ops.batching import Value, batch


class ExampleTrace(RegionTrace):
    """The trace of what is done for one example."""

    def assume(self, node: Node):
        raise locate(CaptureError(
            f"Python code under vmap asks for the value of a tensor of type {node.type}; it may differ from example "
            "to example. Compute with tensors there (ops.where, an `if` on the tensor), or give the value as a number"))


class Examples:
    """A function recorded for one example out of `size`."""

    def __init__(self, outer: Trace, size):
        self.outer, self.size = outer, size
        self.operands = Operands(outer)
        self.trace = ExampleTrace(self.operands)
        self._batches: dict[Node, Node] = {}        # leaf -> the values of all examples, along axis 0

    def example(self, values: Node) -> TracedTensor:
        """One of `values`, a node of the outer trace with the examples along axis 0."""
        leaf = self.operands.add(None, TensorType(values.dtype, values.shape[1:]))
        self._batches[leaf] = values
        return TracedTensor(leaf, self.trace)

    @contextmanager
    def recording(self):
        """Run the function inside.  Raises CaptureError if it changes Python objects that it has not made itself."""
        with self.trace.active():
            try:
                yield
            finally:
                changed = places.restore(self.trace)
        for place, old, new in changed.values():
            if not _is_same(old, new):
                raise locate(CaptureError(f"a function under vmap changes {place}: it runs once for all examples, so "
                                          "this has no meaning for each of them; return the values instead"))

    def values(self, outputs) -> list[Value]:
        """The nodes `outputs` for all examples, as Values in the outer trace.

        Parameters that were written get their new values.  Raises CaptureError for a value that differs from example
        to example.
        """
        from graphcore.compiler.autodiff import expand_grad_nodes
        outputs, written = list(outputs), list(self.trace.written.values())
        count = len(outputs)
        graph = expand_grad_nodes(self.trace.graph("vmap", outputs + [self.trace.value_now(p) for p in written]))
        outside = iter(self.operands.outer)
        arguments = [Value(self._batches[leaf], True) if leaf in self._batches else Value(next(outside), False)
                     for leaf in self.operands.leaves]
        result = batch(graph, arguments, self.size)
        self.outer.effects.extend(result.effects)
        if not self.outer.symbolic:
            for effect in result.effects:
                self.outer.value_of(effect)
        for parameter, value in zip(written, result.outputs[count:]):
            if value.batched:
                raise locate(CaptureError(f"Parameter {parameter.name} is assigned a value that differs from example "
                                          "to example under vmap; return it, and assign it (or its mean) outside"))
            self.outer.set_value(parameter, value.node)
        return list(result.outputs[:count])


def _is_same(old, new) -> bool:
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_is_same, old, new))
    if isinstance(old, dict) and isinstance(new, dict):
        return list(old) == list(new) and all(_is_same(v, new[k]) for k, v in old.items())
    return old is new
