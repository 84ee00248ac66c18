"""Hooks: functions that run before or after a Cell's construct.

They become a part of the graph: in GRAPH_MODE they run while the graph is captured, on traced tensors.
"""
from __future__ import annotations

import itertools

from graphcore.capture import epoch
from graphcore.capture.location import locate
from graphcore.capture.trace import current_trace
from graphcore.errors import CaptureError

_numbers = itertools.count()


class HookHandle:
    """What registering a hook returns; `remove` takes the hook out."""

    def __init__(self, cell, kind: str, number: int):
        self._cell, self._kind, self._number = cell, kind, number

    def remove(self) -> None:
        """Take the hook out; the Cell is recompiled.  A second time nothing happens."""
        if self._cell is not None:
            hooks = self._cell.__dict__["_hooks"]
            self._cell.__dict__["_hooks"] = {n: h for n, h in hooks.items() if n != self._number}
            self._cell._note_wrapping()
            self._cell = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.remove()


class CellHooks:
    """The methods of a Cell that register and run hooks."""

    def register_forward_pre_hook(self, hook_fn, *, prepend=False, with_kwargs=False) -> HookHandle:
        """Call ``hook_fn(cell, inputs)`` before construct; what it returns, if not None, replaces the inputs.

        with_kwargs: ``hook_fn(cell, inputs, kwargs)``, returning None or (inputs, kwargs).   prepend: before the others.
        Raises TypeError unless `hook_fn` can be called.
        """
        return self._add_hook("forward_pre", hook_fn, prepend, with_kwargs)

    def register_forward_hook(self, hook_fn, *, prepend=False, with_kwargs=False, always_call=False) -> HookHandle:
        """Call ``hook_fn(cell, inputs, output)`` after construct; what it returns, if not None, replaces the output.

        with_kwargs: ``hook_fn(cell, inputs, kwargs, output)``.   always_call: also when construct raised (accepted,
        without effect).   Raises TypeError unless `hook_fn` can be called.
        """
        return self._add_hook("forward", hook_fn, prepend, with_kwargs)

    def register_backward_hook(self, hook_fn):
        """Raises CaptureError: hooks on gradients are not supported."""
        raise locate(CaptureError("hooks on the gradients of a Cell are not supported; work on the gradients that "
                                  "value_and_grad returns"))

    register_backward_pre_hook = register_backward_hook

    def _add_hook(self, kind, function, prepend, with_kwargs) -> HookHandle:
        if not callable(function):
            raise TypeError(f"a hook must be a function, got {type(function).__name__}")
        number, hook = next(_numbers), (kind, function, bool(with_kwargs))
        hooks = self.__dict__.get("_hooks", {})
        self.__dict__["_hooks"] = {number: hook, **hooks} if prepend else {**hooks, number: hook}
        self._note_wrapping()
        return HookHandle(self, kind, number)

    def _note_wrapping(self) -> None:
        """Remember whether a call must do more than construct."""
        self.__dict__["_wrapped_call"] = bool(self.__dict__.get("_hooks") or self._float_type is not None)
        epoch.structure_changed()

    def _run_wrapped(self, args, kwargs):
        """construct between its hooks and casts."""
        hooks = self.__dict__.get("_hooks", {}).values()
        if current_trace() is not None:
            self._wrapped_by        # a read that guards see: adding a hook recompiles
        for kind, function, with_kwargs in hooks:
            if kind == "forward_pre":
                args, kwargs = _before(self, function, with_kwargs, args, kwargs)
        output = self._construct_cast(args, kwargs)
        for kind, function, with_kwargs in hooks:
            if kind == "forward":
                result = function(self, args, kwargs, output) if with_kwargs else function(self, args, output)
                output = output if result is None else result
        return output


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
