"""``jvp`` and ``vjp``: derivatives of a function along a direction, and of its outputs weighed."""
from __future__ import annotations

from functools import lru_cache

from graphcore.capture import failures
from graphcore.capture.language.nests import put_together, take_apart
from graphcore.capture.location import locate
from graphcore.capture.points import differentiating
from graphcore.capture.trace import TracedTensor, current_trace
from graphcore.capture.transforms.calling import (
    Transformed,
    call_with_aux,
    check_aux_flag,
    float_tensors,
    inner_product,
    name_of,
    points_of,
)
from graphcore.errors import DTypeError, ShapeError
from graphcore.ops import pointwise, structural
from graphcore.tensor import Tensor

_REMEMBERED = 128       # programs of jvp and vjp that are kept, by function


@failures.shows_users_frames
def jvp(fn, inputs, v, has_aux=False):
    """(fn(inputs), its derivative in direction `v`); with has_aux (…, …, the outputs of fn after the first).

    inputs: a float Tensor, or a tuple or list of them; v: the direction, of the same form, shapes and dtypes.
    The derivative has the form of the outputs.  With has_aux only the first output is differentiated.
    Raises TypeError for inputs or v of another kind, ValueError if their numbers or shapes differ.
    """
    check_aux_flag(has_aux)
    inputs, v = _as_tensors("inputs", inputs), _as_tensors("v", v)
    if len(inputs) != len(v):
        raise locate(ShapeError(f"v has invalid length: should be {len(inputs)}, but got {len(v)}"))
    for i, (x, t) in enumerate(zip(inputs, v)):
        _check_like(f"v[{i}]", t, f"input {i}", x)
    return _forward_product(fn, has_aux)(inputs, v)


@lru_cache(maxsize=_REMEMBERED)
def _forward_product(fn, has_aux: bool) -> Transformed:
    def traced(inputs, v):
        return push_forward(fn, inputs, v, has_aux)
    return Transformed(traced, f"jvp of {name_of(fn)}")


def push_forward(fn, inputs, tangents, has_aux: bool) -> tuple:
    """`jvp` in a capture.

    The pulled back gradient is linear in the cotangent u; its derivative with respect to u, weighed by the tangents, is
    the derivative in their direction.
    """
    trace = current_trace()
    points = points_of(trace, inputs, "input")
    outputs, aux = call_with_aux(fn, points, has_aux)
    results = [trace.node_of(y) for y in float_tensors(outputs)]
    cotangents = [structural.barrier(pointwise.zeros_like(y), site=trace.next_site()) for y in results]
    pulled = trace.gradient(inner_product(zip(results, cotangents)), None, [p.node for p in points])
    along = inner_product((g.node, trace.node_of(t)) for g, t in zip(pulled, tangents))
    found = iter(trace.gradient(along, None, cotangents))
    leaves: list = []
    structure = take_apart(outputs, leaves)
    pushed = [next(found) if y.dtype.is_float else trace.record(pointwise.zeros_like(trace.node_of(y))) for y in leaves]
    return (outputs, put_together(structure, pushed), *aux)


@failures.shows_users_frames
def vjp(fn, *inputs, weights=None, has_aux=False):
    """(fn(*inputs), its pullback); with has_aux (…, …, the outputs of fn after the first).

    inputs: float Tensors.  The pullback takes a Tensor for each output, of its shape and dtype, that weighs it, and
    gives the tuple of the gradients of the inputs; with `weights` (Parameters, or one) a pair of tuples, for the inputs
    and for the weights.  With has_aux only the first output is differentiated.
    The pullback computes the outputs again, except within the capture in which vjp was called.
    Raises TypeError for inputs that are not Tensors.
    """
    check_aux_flag(has_aux)
    inputs = _as_tensors("inputs", inputs)
    pullback = _Pullback(fn, inputs, _as_weights(weights), has_aux)
    if current_trace() is not None:
        outputs, aux = pullback.record()
    else:
        outputs, *aux = _forward(fn, has_aux)(*inputs)
    return (outputs, pullback, *aux)


@lru_cache(maxsize=_REMEMBERED)
def _forward(fn, has_aux: bool) -> Transformed:
    def traced(*inputs):
        outputs, aux = call_with_aux(fn, inputs, has_aux)
        return (outputs, *aux)
    return Transformed(traced, name_of(fn))


@lru_cache(maxsize=_REMEMBERED)
def _backward(fn, weights, has_aux: bool) -> Transformed:
    def traced(inputs, cotangents):
        pullback = _Pullback(fn, inputs, weights, has_aux)
        pullback.record()
        return pullback(*cotangents)
    return Transformed(traced, f"vjp of {name_of(fn)}")


class _Pullback:
    """The function that `vjp` returns."""

    def __init__(self, fn, inputs, weights, has_aux):
        self._fn, self._inputs, self._weights, self._has_aux = fn, inputs, weights, has_aux
        self._trace = None      # the capture in which the outputs were computed

    def record(self) -> tuple:
        """Compute the outputs in the capture at hand; (outputs, auxiliary ones)."""
        trace = self._trace = current_trace()
        points = points_of(trace, self._inputs, "input")
        with differentiating(trace, self._weights or ()) as weights:
            outputs, aux = call_with_aux(self._fn, points, self._has_aux)
        self._targets = [p.node for p in points] + weights
        self._results = [trace.node_of(y) for y in float_tensors(outputs)]
        return outputs, aux

    @failures.shows_users_frames
    def __call__(self, *cotangents):
        trace = current_trace()
        if trace is None or trace is not self._trace:      # elsewhere the outputs are computed again
            return _backward(self._fn, self._weights, self._has_aux)(self._inputs, cotangents)
        if len(cotangents) == 1 and isinstance(cotangents[0], (tuple, list)):
            cotangents = tuple(cotangents[0])
        if len(cotangents) != len(self._results):
            raise locate(ShapeError(f"the function of vjp takes {len(self._results)} tensors, one for each output, got "
                                    f"{len(cotangents)}"))
        for i, (u, y) in enumerate(zip(cotangents, self._results)):
            _check_like(f"vector {i}", u, f"output {i}", TracedTensor(y, trace))
        total = inner_product((y, trace.node_of(u)) for y, u in zip(self._results, cotangents))
        found = tuple(trace.gradient(total, None, self._targets))
        of_inputs = found[:len(self._inputs)]
        return of_inputs if self._weights is None else (of_inputs, found[len(self._inputs):])


def _as_tensors(what: str, values) -> tuple:
    values = tuple(values) if isinstance(values, (tuple, list)) else (values,)
    for v in values:
        if not isinstance(v, Tensor):
            raise locate(DTypeError(f"{what} must be a Tensor, or a tuple or list of Tensors, got {type(v).__name__}"))
    return values


def _as_weights(weights) -> tuple | None:
    from graphcore.parameter import Parameter
    if weights is None:
        return None
    return (weights,) if isinstance(weights, Parameter) else tuple(weights)


def _check_like(what: str, value, other_name: str, other: Tensor) -> None:
    if not isinstance(value, Tensor):
        raise locate(DTypeError(f"{what} must be a Tensor, got {type(value).__name__}"))
    if value.shape != other.shape or value.dtype is not other.dtype:
        raise locate(ShapeError(f"{what} has type {value.type_}, {other_name} has {other.type_}; they must agree"))
