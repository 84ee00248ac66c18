"""``no_grad``: what is computed inside is a constant to gradients."""
from __future__ import annotations

import functools

from graphcore.capture.trace import current_trace


class no_grad:
    """``with no_grad():`` or ``@no_grad()``: no gradient flows through what is computed inside, as by `stop_gradient`.

    Assignments to Parameters take effect as ever.
    """

    def __enter__(self):
        self._trace = current_trace()
        if self._trace is not None:
            self._before, self._trace.without_gradients = self._trace.without_gradients, True
        return self

    def __exit__(self, *error):
        if self._trace is not None:
            self._trace.without_gradients = self._before

    def __call__(self, function):
        @functools.wraps(function)
        def without_gradients(*args, **kwargs):
            from graphcore.capture.language import callee
            with no_grad():
                return callee(function)(*args, **kwargs)

        return without_gradients


_no_grad = no_grad
