"""Functions that NumPy computes: decompositions of matrices, rare special functions, results whose parts do not map.

Outside of a graph they run at once.  In a graph the program calls them, as it calls hooks: what they are given and what
they give are copied, and nothing is fused over them.
"""
from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

import numpy as np

from graphcore.capture.tape import ConcreteTrace
from graphcore.capture.trace import TracedTensor, current_trace
from graphcore.ops.functional.arguments import full_of
from graphcore.tensor import Tensor, store

_MOST_RULES = 2
_recorded_rules: ContextVar = ContextVar("rules that are being recorded", default=0)


def on_host(name: str, function: Callable, inputs: list, results: list, gradient: Callable | None = None):
    """The Tensors that ``function(*arrays)`` gives for the values of `inputs`.

    results: (dtype, shape) of each result; of one result the Tensor itself is given, not a tuple.
    gradient: ``gradient(inputs, outputs, gradients)`` gives the gradient of each input, made of operators; without it
    nothing is passed on.
    """
    trace = current_trace()
    if trace is None:
        outputs = _computed(function, [t._values() for t in inputs], results)
    elif isinstance(trace, ConcreteTrace):
        outputs = _computed(function, [t.asnumpy() for t in inputs], results)
    else:
        for dtype, _ in results:
            trace.refuse_complex(dtype)
        outputs = _called(trace, name, function, inputs, results)
    if trace is not None and gradient is not None and _recorded_rules.get() < _MOST_RULES:
        from graphcore.capture.rules import with_rule
        outputs = with_rule(list(inputs), outputs, _Rule(gradient), name)
    return outputs[0] if len(outputs) == 1 else tuple(outputs)


class _Rule:
    """A gradient's rule.  A graph records it at once, and with it the rules of the functions that it uses: how deep
    these lie is how often the function can be differentiated."""

    def __init__(self, gradient: Callable):
        self.gradient = gradient

    def __call__(self, inputs: list, outputs: list, gradients: list) -> list:
        token = _recorded_rules.set(_recorded_rules.get() + 1)
        try:
            return self.gradient(inputs, outputs, gradients)
        finally:
            _recorded_rules.reset(token)


def elementwise(name: str, function: Callable, inputs: list, gradient: Callable | None = None, dtype=None):
    """`on_host` for a function of numbers: one result of the common shape, in the dtype of the first input."""
    shape = np.broadcast_shapes(*(t.shape for t in inputs))
    return on_host(name, function, inputs, [(dtype or inputs[0].dtype, shape)], gradient)


def _computed(function: Callable, arrays: list, results: list) -> list:
    with np.errstate(all="ignore"):
        given = function(*arrays)
    given = given if isinstance(given, (tuple, list)) else (given,)
    return [Tensor._wrap(store(np.asarray(g), dtype), dtype) for g, (dtype, _) in zip(given, results, strict=True)]


def _called(trace, name: str, function: Callable, inputs: list, results: list) -> list:
    """Nodes for the results: the first call computes all of them, the others fetch what it left."""
    from graphcore.capture.rules import called
    like = [trace.node_of(full_of(shape, 0, dtype)) for dtype, shape in results]

    def on_tensors(tensors):
        return _computed(function, [t._values() for t in tensors], results)

    nodes, _ = called(trace.root, on_tensors, [trace.node_of(t) for t in inputs], like, name)
    return [TracedTensor(node, trace) for node in nodes]
