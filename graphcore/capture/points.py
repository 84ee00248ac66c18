"""Where gradients are taken: the arguments and Parameters of a differentiated function as independent variables.

A point is a value behind a `barrier`, so that only what the function itself does with it counts: not what was computed
from the same value before and reaches the function by another way.
"""
from __future__ import annotations

from contextlib import contextmanager

from graphcore.capture import epoch, guards, places
from graphcore.capture.custom_gradients import with_hook
from graphcore.capture.language.nests import Slot, put_together, take_apart
from graphcore.capture.location import locate
from graphcore.capture.trace import Trace, TracedTensor
from graphcore.errors import GradientError
from graphcore.ir.graph import Node
from graphcore.ops import structural
from graphcore.parameter_tuple import sequence_like
from graphcore.tensor import Tensor


class Points:
    """The points that stand for arguments of a differentiated function.

    lenient: whether integer Tensors may be among them; their gradients are zeros.
    """

    def __init__(self, trace: Trace, lenient: bool):
        self.trace, self.lenient = trace, lenient
        self.points: list[Node] = []

    def at(self, value, position: int) -> tuple:
        """An argument with points for its Tensors, and the form of its gradient: a nest of Slots, None without any."""
        leaves: list = []
        structure = take_apart(value, leaves)
        slots = [self._point(leaf, position) for leaf in leaves]
        return put_together(structure, [t for t, _ in slots]), (
            put_together(structure, [s for _, s in slots]) if leaves else None)

    def _point(self, value: Tensor, position: int) -> tuple:
        node = self.trace.node_of(value)
        if not node.dtype.is_float:
            if self.lenient:
                return value, value
            raise locate(GradientError(f"argument {position} has dtype {node.dtype.name}; only floats have gradients: "
                                       "convert it (x.astype(ms.float32)) or leave it out of grad_position"))
        self.points.append(structural.barrier(node, site=self.trace.next_site()))
        point = TracedTensor(self.points[-1], self.trace)
        return with_hooks(point, hooks_of(value), "a hook of a tensor"), Slot(len(self.points) - 1)

    def gradients(self, forms: dict, found: list) -> dict:
        """The gradients in the forms of `at`, by position."""
        from graphcore.ops import functional as F

        def zeros(leaf):
            return F.zeros_like(leaf) if isinstance(leaf, Tensor) and not leaf.dtype.is_float else leaf

        return {p: put_together(map_leaves(form, zeros), found) for p, form in forms.items()}


@contextmanager
def differentiating(trace: Trace, parameters):
    """The points of Parameters, through which they are read meanwhile; one that was not read before is its own."""
    points, reading, before = {}, {}, {}
    for p in parameters:
        key = id(p)
        if key not in points:
            before[key], known = trace._state.get(key), key in trace._leaves
            value = trace.value_now(p)
            points[key] = structural.barrier(value, site=trace.next_site()) if known else value
            trace._state[key] = reading[key] = _hooked(trace, p, points[key])
    try:
        yield [points[id(p)] for p in parameters]
    finally:
        for key, node in reading.items():
            if trace._state.get(key) is node:
                del trace._state[key]
                if before[key] is not None:
                    trace._state[key] = before[key]


def _hooked(trace: Trace, parameter, point: Node) -> Node:
    """A Parameter's value, with its hooks on the gradient that arrives at it."""
    hooks = hooks_of(parameter)
    guards.read_watched(parameter, "gradient_hooks", hooks)
    return with_hooks(TracedTensor(point, trace), hooks, f"a hook of {parameter.name}").node


# -- hooks of tensors ---------------------------------------------------------------------------------------------

class TensorHook:
    """What registering a hook on a tensor returns; `remove` takes the hook out."""

    def __init__(self, undo):
        self._undo = undo

    def remove(self) -> None:
        """Take the hook out.  A second time nothing happens."""
        undo, self._undo = self._undo, None
        if undo is not None:
            undo()


def register_hook(tensor: Tensor, hook) -> TensorHook:
    """Call ``hook(gradient)`` when the gradient of a tensor is computed; what it returns, if not None, replaces it.

    In a capture the tensor has the hook from here on: the gradient is that of what is computed from it afterwards.
    A Tensor or Parameter outside has it wherever it is differentiated by.
    Raises TypeError for a hook that cannot be called, GradientError for a tensor that is not float.
    """
    if not callable(hook):
        raise TypeError(f"a hook must be a function, got {type(hook).__name__}")
    if not tensor.dtype.is_float:
        raise locate(GradientError(f"a tensor of dtype {tensor.dtype.name} has no gradient to call a hook with; only "
                                   "floats have"))
    if isinstance(tensor, TracedTensor):
        return _register_traced(tensor, hook)
    entry = (hook,)                 # a tuple of its own, by which it is found again

    def undo():
        _set_hooks(tensor, tuple(r for r in tensor.__dict__["_hooks"] if r is not entry))

    _set_hooks(tensor, (*tensor.__dict__.get("_hooks", ()), entry))
    return TensorHook(undo)


def _register_traced(tensor: TracedTensor, hook) -> TensorHook:
    bare, registered = tensor.__dict__.get("_hooked") or (TracedTensor(tensor.node, tensor.recorder), ())
    entry = (hook,)                 # a tuple of its own, by which it is found again
    _hook_traced(tensor, bare, (*registered, entry))

    def undo():
        bare, registered = tensor.__dict__["_hooked"]
        _hook_traced(tensor, bare, tuple(r for r in registered if r is not entry))

    return TensorHook(undo)


def _hook_traced(tensor: TracedTensor, bare: TracedTensor, registered: tuple) -> None:
    """Let `tensor` be `bare` with these hooks from here on."""
    place = places.Variable(tensor)
    places.touch(place)
    place.write(with_hooks(bare, [hook for (hook,) in registered], "a hook of a tensor"))
    tensor.__dict__["_hooked"] = bare, registered


def _set_hooks(tensor: Tensor, registered: tuple) -> None:
    tensor.__dict__["_hooks"] = registered
    tensor.__dict__["gradient_hooks"] = tuple(hook for (hook,) in registered)
    epoch.structure_changed()


def hooks_of(value) -> tuple:
    """The hooks that were registered on a Tensor outside of a capture."""
    return value.__dict__.get("gradient_hooks", ()) if isinstance(value, Tensor) else ()


def carry_hooks(value, hooks: tuple):
    """`value` itself, a traced argument, with the hooks of the Tensor that it stands for."""
    if hooks:
        value.__dict__["gradient_hooks"] = hooks
    return value


def with_hooks(tensor: TracedTensor, hooks, name: str) -> TracedTensor:
    """A traced tensor with hooks, called in their order."""
    for hook in reversed(hooks):
        tensor = with_hook(tensor, hook, name)
    return tensor


def map_leaves(value, function):
    """A nest of tuples, lists and dicts with a function applied to everything else."""
    if isinstance(value, (list, tuple)):
        return sequence_like(value, [map_leaves(v, function) for v in value])
    if isinstance(value, dict):
        return {k: map_leaves(v, function) for k, v in value.items()}
    return function(value)
