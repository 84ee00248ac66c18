"""What surrounds a Cell's construct: hooks, functions that run before or after it, and casts of its tensors.

Hooks become a part of the graph: in GRAPH_MODE they run while the graph is captured, on traced tensors.
"""
from __future__ import annotations

import itertools

from graphcore.capture import epoch
from graphcore.capture.location import locate
from graphcore.errors import CaptureError
from graphcore.ops.dispatch import cast
from graphcore.tensor import Tensor

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
            self._cell._note_extras()
            self._cell = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.remove()


class CellHooks:
    """The methods of a Cell that register and run hooks, and the casts of `to_float`."""

    _extras = None          # (hooks, float type), where a call does more than construct
    _float_type = None

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
        self._note_extras()
        return HookHandle(self, kind, number)

    def _note_extras(self) -> None:
        """Renew `_extras`, which a call reads as an ordinary attribute, so that guards see the change."""
        hooks, float_type = self.__dict__.get("_hooks"), self._float_type
        if hooks or float_type is not None:
            self.__dict__["_extras"] = (tuple(hooks.values()) if hooks else ()), float_type
        else:
            self.__dict__["_extras"] = None
        epoch.structure_changed()

    def _run_wrapped(self, extras, args, kwargs):
        """construct between its hooks and casts."""
        hooks, float_type = extras
        for kind, function, with_kwargs in hooks:
            if kind == "forward_pre":
                args, kwargs = _before(self, function, with_kwargs, args, kwargs)
        if float_type is None:
            output = self._construct(args, kwargs)
        else:
            args, kwargs = cast_floats(args, float_type), cast_floats(kwargs, float_type)
            output = cast_floats(self._construct(args, kwargs), float_type)
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
