"""Gradients of the user's own: `bprop` of Cells, ``_Function``, hooks on gradients, parts that are computed again."""
from __future__ import annotations

from collections.abc import Callable

from graphcore.capture.language import callee
from graphcore.capture.language.branches import Raises
from graphcore.capture.language.nests import put_together, take_apart
from graphcore.capture.parts import Part
from graphcore.capture.rules import is_float, matched, with_none, with_rule
from graphcore.capture.trace import Trace, current_trace
from graphcore.errors import CaptureError


def with_hook(value, hook: Callable, name: str = "a hook"):
    """A nest of tensors whose gradients, the nest ``hook(gradients)``, reach what it was computed from.

    hook: gets a nest like `value`, with None in place of tensors that are not float; what it returns replaces the
    gradients, None leaves them as they are.
    """
    leaves: list = []
    structure = take_apart(value, leaves, is_float)
    if not leaves:
        return value

    def rule(inputs, outputs, gradients):
        found = callee(hook)(with_none(put_together(structure, gradients), gradients))
        return gradients if found is None else matched(structure, found, gradients, name)

    return put_together(structure, with_rule(leaves, leaves, rule, name))


def with_hook_on_call(function: Callable, args: tuple, kwargs: dict, hook: Callable, name: str):
    """``function(*args, **kwargs)``, with a hook on the gradients by `args`.

    hook: gets two tuples, the gradients by the arguments and by the results, with None for what is no float tensor
    (and, where all values are known, for what no gradient is wanted of); what it returns replaces the first, None
    leaves it.
    """
    trace = current_trace()
    if trace.symbolic:
        try:
            part = Part(trace, function, args, kwargs)
        except Raises:          # in a region an exception is the program's to raise, here it is Python's
            return function(*args, **kwargs)
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
    """``function(*args, **kwargs)``, whose values the backward pass computes again instead of keeping them.

    Where that cannot be (the function raises, or asks for values), it is called as if nothing had been said.
    """
    trace = current_trace()
    if trace is None or not trace.symbolic:
        return function(*args, **kwargs)
    try:
        part = Part(trace, function, args, kwargs)
    except (CaptureError, Raises):
        return function(*args, **kwargs)
    return part.placed(None, recompute=True)


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
        found = matched(arguments, given, [None] * len(inputs), name)
        by_id = {id(parameter): gradient for parameter, gradient in of_weights.items()}
        return [*found, *(by_id.get(id(w)) for w in weights)]

    return put_together(result, with_rule([*inputs, *weights], outputs, rule, name))


class Context:
    """What `forward` of a ``_Function`` leaves for its `backward`: `saved_tensors`, and any attributes.

    needs_input_grad: for each argument whether it can have a gradient.
    """

    def __init__(self, args: tuple):
        self.saved_tensors: tuple = ()
        self.needs_input_grad = tuple(map(is_float, args))

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
        return matched(arguments, given, [None] * len(inputs), f"{name}.backward")

    return put_together(result, with_rule(inputs, outputs, rule, f"{name}.backward"))


def recompute(block: Callable, *args, **kwargs):
    """``block(*args, **kwargs)``, a Cell or function, whose values the backward pass computes again: less memory for
    more work.  Raises TypeError unless `block` can be called."""
    if not callable(block):
        raise TypeError(f"recompute takes a Cell or a function, got {type(block).__name__}")
    return computed_again(callee(block), args, kwargs)
