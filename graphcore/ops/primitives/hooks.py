"""Primitives that let a function see, and change, the gradient that passes them."""
from __future__ import annotations

from graphcore.capture.trace import current_trace
from graphcore.ops.primitives.base import Primitive
from graphcore.tensor import Tensor

__all__ = ["HookBackward", "InsertGradientOf"]


class _Hook(Primitive):
    """``hook(x)`` is x; its gradient is what `function` makes of the gradient that arrives."""

    def __init__(self, function):
        if not callable(function):
            raise TypeError(f"{type(self).__name__} takes a function of gradients, got {type(function).__name__}")
        super().__init__(type(self).__name__)
        self.function = function

    def _hooked(self, value):
        if current_trace() is None:
            return value
        from graphcore.capture.custom_gradients import with_hook
        return with_hook(value, self.function, f"the function of {self.name}")


class HookBackward(_Hook):
    """``HookBackward(hook_fn)(x, ...)``: the inputs; in the backward pass ``hook_fn((gradient, ...))`` is called.

    hook_fn: takes a tuple with the gradient of each input; what it returns, if not None, replaces them: a Tensor for a
    single input, or a tuple.  Raises TypeError unless hook_fn can be called and the inputs are Tensors.
    """

    def __init__(self, hook_fn, cell_id=""):
        super().__init__(hook_fn)
        self.cell_id = cell_id

    def __call__(self, *inputs):
        for x in inputs:
            if not isinstance(x, Tensor):
                raise TypeError(f"HookBackward takes Tensors, got {type(x).__name__}")
        hooked = self._hooked(inputs)
        return hooked[0] if len(hooked) == 1 else hooked


class InsertGradientOf(_Hook):
    """``InsertGradientOf(f)(x)``: x, whose gradient is ``f(gradient)``.

    Raises TypeError unless f can be called.
    """

    def __call__(self, input_x):
        return self._hooked(input_x)
