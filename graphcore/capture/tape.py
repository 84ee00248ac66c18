"""The trace of PYNATIVE_MODE: it computes every value as it goes.

So Python control flow on values works, and gradients are evaluated at once.
"""
from __future__ import annotations

import numpy as np

from graphcore.capture import epoch
from graphcore.capture.trace import Trace, TracedTensor
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node
from graphcore.ops import evaluate, structural
from graphcore.tensor import Tensor


class ConcreteTrace(Trace):
    """A trace that knows all values: Python control flow on them works, gradients are evaluated at once."""

    symbolic = False

    def __init__(self, name: str):
        super().__init__(name)
        self.values: dict[Node, np.ndarray] = {}
        self._attributes: dict = {}                 # (id of the owner, name) -> owner, of those set to traced tensors

    def keep_attribute(self, owner, name: str) -> None:
        """Note that an attribute is set to a tensor of this trace; a plain Tensor takes its place in the end."""
        self._attributes[id(owner), name] = owner

    def add_concrete_input(self, name: str, tensor: Tensor) -> TracedTensor:
        traced = self.add_input(name, tensor.type_)
        self.values[traced.node] = tensor._array
        return traced

    def python_value(self, node: Node, kind: type):
        return kind(Tensor._wrap(self.value_of(node), node.dtype))

    def require_value(self, node: Node, purpose: str) -> None:
        pass

    def text_of(self, tensor: TracedTensor, spec: str) -> str:
        value = Tensor._wrap(self.value_of(tensor.node), tensor.dtype)
        return repr(value) if spec == "!r" else format(value, spec)

    def value_of(self, node: Node) -> np.ndarray:
        if node not in self.values:
            for n in ir.walk((node,)):
                if n not in self.values:
                    self.values[n] = self._leaf_value(n) if n.op == "param" else evaluate.evaluate_node(
                        n, self.values.__getitem__, self.callbacks)
        return self.values[node]

    def _leaf_value(self, leaf: Node) -> np.ndarray:
        return self.parameters[leaf.name].materialized()._array

    def record(self, node: Node) -> TracedTensor:
        traced = super().record(node)
        self.value_of(node)
        return traced

    def gradient(self, loss: Node, sens: Node | None, wrt) -> list[TracedTensor]:
        from graphcore.compiler.autodiff import expand_grad_nodes
        together = structural.grad(loss, *(() if sens is None else (sens,)), *wrt, sens=sens is not None)
        items = [structural.item(together, index=i) for i in range(len(wrt))]
        expanded = expand_grad_nodes(Graph(self.name, (), tuple(items), origins=self.origins))
        return [self.record(g) for g in expanded.outputs]

    def assign(self, parameter, value) -> None:
        super().assign(parameter, value)
        self.value_of(self._state[id(parameter)])

    def commit(self) -> None:
        """Write the recorded new values into the Parameters, and plain Tensors into attributes."""
        for (_, name), owner in self._attributes.items():
            value = vars(owner).get(name)
            if isinstance(value, TracedTensor):
                object.__setattr__(owner, name, Tensor._wrap(value._array.copy(), value.dtype))
        if self._state:
            epoch.data_changed()
        for parameter in self.parameters.values():
            node = self._state.get(id(parameter))
            if node is not None:
                np.copyto(parameter.materialized()._array, self.value_of(node))
