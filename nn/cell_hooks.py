"""What surrounds a Cell's construct: hooks, functions that run before or after it, and casts of its tensors.

Hooks become a part of the graph: in GRAPH_MODE they run while the graph is captured, on traced tensors.  A backward
hook that does more than compute is called by the program instead (see `capture.custom_gradients`).
"""
from __future__ import annotations

import itertools
from dataclasses import dataclass

from graphcore.capture import epoch
from graphcore.capture.trace import current_trace
from graphcore.dtype import DType
from graphcore.ops.dispatch import cast
from graphcore.tensor import Tensor

_numbers = itertools.count()


@dataclass(frozen=True)
class Extras:
    """What a call of a Cell does beside construct.

    hooks: (kind, function, with_kwargs) in the order in which they run; float_type: what float tensors are cast to;
    recompute: whether the backward pass computes the Cell again.
    """

    hooks: tuple = ()
    float_type: DType | None = None
    recompute: bool = False

    def of_kind(self, kind: str) -> list:
        """(function, with_kwargs) of each hook of a kind."""
        return [(function, with_kwargs) for k, function, with_kwargs in self.hooks if k == kind]


class HookHandle:
    """What registering a hook returns; `remove` takes the hook out."""

    def __init__(self, cell, kind: str, number: int):
        self._cell, self._kind, self._number = cell, kind, number

    def remove(self) -> None:
        """Take the hook out; the Cell is recompiled.  A second time nothing happens."""
        if self._cell is not None:
            hooks = self._cell.__dict__["_hooks"]
            self._cell.__dict__["_hooks"] = {n: h for n, h in hooks.items() if n != self._number}
            self._cell._note_extras()
            self._cell = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.remove()


class CellHooks:
    """The methods of a Cell that register and run hooks, and the casts of `to_float`."""

    _extras = None          # Extras, where a call does more than construct
    _float_type = None
    _recompute = False

    def register_forward_pre_hook(self, hook_fn, *, prepend=False, with_kwargs=False) -> HookHandle:
        """Call ``hook_fn(cell, inputs)`` before construct; what it returns, if not None, replaces the inputs.

        with_kwargs: ``hook_fn(cell, inputs, kwargs)``, returning None or (inputs, kwargs).  prepend: before the others.
        Raises TypeError unless `hook_fn` can be called.
        """
        return self._add_hook("forward_pre", hook_fn, prepend, with_kwargs)

    def register_forward_hook(self, hook_fn, *, prepend=False, with_kwargs=False, always_call=False) -> HookHandle:
        """Call ``hook_fn(cell, inputs, output)`` after construct; what it returns, if not None, replaces the output.

        with_kwargs: ``hook_fn(cell, inputs, kwargs, output)``.   always_call: also when construct raised (accepted,
        without effect).   Raises TypeError unless `hook_fn` can be called.
        """
        return self._add_hook("forward", hook_fn, prepend, with_kwargs)

    def register_backward_hook(self, hook_fn) -> HookHandle:
        """Call ``hook_fn(cell, grad_input, grad_output)`` in the backward pass, with tuples of the gradients by the
        inputs and by the outputs (None for what is no float tensor, or, in PYNATIVE_MODE, not wanted).

        What it returns, if not None, replaces the gradients by the inputs: a tuple, or a Tensor for a single one.
        Raises TypeError unless `hook_fn` can be called, GradientError for another number of gradients.
        """
        return self._add_hook("backward", hook_fn, False, False)

    def register_backward_pre_hook(self, hook_fn) -> HookHandle:
        """Call ``hook_fn(cell, grad_output)`` in the backward pass, before this Cell's; what it returns, if not None,
        replaces the gradients by the outputs.   Raises as `register_backward_hook`.
        """
        return self._add_hook("backward_pre", hook_fn, False, False)

    def _add_hook(self, kind, function, prepend, with_kwargs) -> HookHandle:
        if not callable(function):
            raise TypeError(f"a hook must be a function, got {type(function).__name__}")
        number, hook = next(_numbers), (kind, function, bool(with_kwargs))
        hooks = self.__dict__.get("_hooks", {})
        self.__dict__["_hooks"] = {number: hook, **hooks} if prepend else {**hooks, number: hook}
        self._note_extras()
        return HookHandle(self, kind, number)

    def _note_extras(self) -> None:
        """Renew `_extras`, which a call reads as an ordinary attribute, so that guards see the change."""
        extras = Extras(tuple(self.__dict__.get("_hooks", {}).values()), self._float_type, self._recompute)
        self.__dict__["_extras"] = None if extras == Extras() else extras
        epoch.structure_changed()

    def _run_wrapped(self, extras: Extras, args, kwargs):
        """construct between its hooks and casts."""
        for function, with_kwargs in extras.of_kind("forward_pre"):
            args, kwargs = _before(self, function, with_kwargs, args, kwargs)
        run = self._cast_construct
        if current_trace() is not None:
            run = self._with_own_gradients(extras, run)
        output = run(*args, **kwargs)
        for function, with_kwargs in extras.of_kind("forward"):
            result = function(self, args, kwargs, output) if with_kwargs else function(self, args, output)
            output = output if result is None else result
        return output

    def _cast_construct(self, *args, **kwargs):
        """construct, with the casts of `to_float`."""
        float_type = self._float_type
        if float_type is None:
            return self._construct(args, kwargs)
        args, kwargs = cast_floats(args, float_type), cast_floats(kwargs, float_type)
        return cast_floats(self._construct(args, kwargs), float_type)

    def _with_own_gradients(self, extras: Extras, run):
        """`run` as a function whose backward pass has the hooks in it, or computes its values again."""
        from graphcore.capture import custom_gradients
        name = f"a backward hook of {type(self).__name__}"
        if extras.recompute:
            run = _wrapped(custom_gradients.computed_again, run)
        for hook, _ in extras.of_kind("backward"):
            run = _wrapped(custom_gradients.with_hook_on_call, run, _bound(hook, self), name)
        for hook, _ in reversed(extras.of_kind("backward_pre")):
            run = _with_pre_hook(run, _bound(hook, self), name)
        return run


def _wrapped(transform, run, *settings):
    return lambda *args, **kwargs: transform(run, args, kwargs, *settings)


def _with_pre_hook(run, hook, name: str):
    from graphcore.capture.custom_gradients import with_hook

    def hooked(*args, **kwargs):
        output = run(*args, **kwargs)
        return with_hook(output, hook, name) if isinstance(output, tuple) else with_hook((output,), hook, name)[0]
    return hooked


def _bound(hook, cell):
    """A hook with its Cell as first argument; its control flow is converted as that of other functions."""
    from graphcore.capture.language import callee
    return lambda *gradients: callee(hook)(cell, *gradients)


def _before(cell, function, with_kwargs, args, kwargs):
    if with_kwargs:
        result = function(cell, args, kwargs)
        if result is None:
            return args, kwargs
        if not (isinstance(result, tuple) and len(result) == 2):
            raise RuntimeError("a forward pre hook with kwargs must return None or a tuple (inputs, kwargs), "
                               f"got {type(result).__name__}")
        return result
    result = function(cell, args)
    if result is None:
        return args, kwargs
    return (result if isinstance(result, tuple) else (result,)), kwargs


def cast_floats(value, dtype):
    """A nest of tuples, lists and dicts with its float tensors converted to `dtype`."""
    if isinstance(value, Tensor):
        return cast(value, dtype) if value.dtype.is_float else value
    if isinstance(value, (list, tuple)):
        items = [cast_floats(v, dtype) for v in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    if isinstance(value, dict):
        return {k: cast_floats(v, dtype) for k, v in value.items()}
    return value
