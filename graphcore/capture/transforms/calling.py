"""How a transformed function runs: inside a capture, as a program of its own, or on a tape in PYNATIVE_MODE."""
from __future__ import annotations

from collections.abc import Callable

from graphcore import context
from graphcore.capture import failures
from graphcore.capture.language import callee
from graphcore.capture.language.nests import put_together, take_apart
from graphcore.capture.location import locate
from graphcore.capture.tape import ConcreteTrace
from graphcore.capture.trace import Trace, TracedTensor, current_trace
from graphcore.errors import GradientError
from graphcore.ir.graph import Node
from graphcore.ops import structural
from graphcore.tensor import Tensor


class Transformed:
    """A callable around ``traced(*args, **kwargs)``, which runs in a capture."""

    def __init__(self, traced: Callable, name: str):
        self.traced, self.__name__ = traced, name
        self._compiled = None

    def __call__(self, *args, **kwargs):
        if current_trace() is not None:
            return self.traced(*args, **kwargs)
        try:
            if not context.is_graph_mode():
                return self._on_tape(args, kwargs)
            if self._compiled is None:
                from graphcore.capture.compiled import CompiledFunction
                self._compiled = CompiledFunction(self.traced, self.__name__)
            return self._compiled(*args, **kwargs)
        except Exception as error:
            failures.shorten(error)
            raise

    def _on_tape(self, args, kwargs):
        trace = ConcreteTrace(self.__name__)
        given: list = []
        structure = take_apart((args, kwargs), given, lambda v: type(v) is Tensor)
        with trace.active():
            args, kwargs = put_together(structure, [trace.add_concrete_input(f"x{i}", t) for i, t in enumerate(given)])
            found: list = []
            structure = take_apart(self.traced(*args, **kwargs), found, lambda v: isinstance(v, TracedTensor))
            result = put_together(structure, [Tensor._wrap(t._array.copy(), t.dtype) for t in found])
            trace.commit()
        return result


def name_of(fn) -> str:
    """What a function or Cell is called."""
    return getattr(fn, "__name__", type(fn).__name__)


def check_aux_flag(has_aux) -> None:
    """Raise TypeError unless `has_aux` is a bool."""
    if not isinstance(has_aux, bool):
        raise TypeError(f"has_aux must be a bool, got {type(has_aux).__name__}")


def call_with_aux(fn, args, has_aux: bool) -> tuple:
    """(what is differentiated, (the other outputs)); the latter is empty without `has_aux`.

    Raises ValueError where fn returns too little.
    """
    outputs = callee(fn)(*args)
    if not has_aux:
        return outputs, ()
    if not isinstance(outputs, tuple) or len(outputs) < 2:
        raise locate(ValueError("with has_aux=True the function must return more than one output"))
    return outputs[0], (outputs[1] if len(outputs) == 2 else outputs[1:],)


def check_variables(values, what: str) -> None:
    """Raise GradientError for what is no float Tensor."""
    for i, value in enumerate(values):
        if not isinstance(value, Tensor):
            raise locate(GradientError(f"{what} {i} is a {type(value).__name__}: there is no derivative by it; give it "
                                       "in a closure, or make it a float Tensor"))
        if not value.dtype.is_float:
            raise locate(GradientError(f"{what} {i} has dtype {value.dtype.name}; only floats have derivatives: give "
                                       "it in a closure, or cast it"))


def points_of(trace: Trace, values, what: str) -> list[TracedTensor]:
    """Each tensor as a variable of its own, to differentiate by.  Raises GradientError for what is no float Tensor."""
    check_variables(values, what)
    return [TracedTensor(structural.barrier(trace.node_of(v), site=trace.next_site()), trace) for v in values]


def float_tensors(value) -> list[Tensor]:
    """The float tensors in an output.  Raises GradientError if there is none."""
    found: list = []
    take_apart(value, found)
    found = [t for t in found if t.dtype.is_float]
    if not found:
        raise locate(GradientError("the function returned no float Tensor to differentiate"))
    return found


def inner_product(pairs) -> Node:
    """The sum of a * b over the pairs (a, b) of nodes of equal types."""
    from graphcore.ops.pointwise import add, mul
    from graphcore.ops.reduction import sum_
    total = None
    for a, b in pairs:
        product = mul(a, b)
        if product.rank:
            product = sum_(product, axes=tuple(range(product.rank)), keepdims=False)
        total = product if total is None else add(total, product)
    return total
