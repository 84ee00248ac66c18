"""``@jit``: compile a function, or a method of any class, as a graph."""
from __future__ import annotations

import functools
import weakref

from graphcore.capture import failures
from graphcore.capture.compiled import CompiledFunction
from graphcore.capture.trace import current_trace
from graphcore.errors import shown


@failures.shows_users_frames
def jit(function=None, *, capture_mode="ast", jit_level="O0", dynamic=0, fullgraph=False, backend="", **options):
    """Compile `function` on its first call for each kind of arguments; usable bare, with options, or as a call.

    MindSpore's options are accepted; capture_mode, jit_level, fullgraph and backend change nothing here.
    Tensors become inputs of the graph; numbers, strings and other Python values are constants of one compilation.
    Raises TypeError for something that cannot be called.
    """
    if function is None:
        return functools.partial(jit, capture_mode=capture_mode, jit_level=jit_level, dynamic=dynamic,
                                 fullgraph=fullgraph, backend=backend, **options)
    if isinstance(function, JitFunction):
        return function
    if hasattr(function, "construct") and hasattr(function, "bind_names"):
        return JitFunction(function.construct, owner=function)
    if not callable(function):
        raise TypeError(f"jit compiles functions, got {shown(function)}; give a function, a method or a Cell")
    return JitFunction(function)


class JitFunction:
    """A function that runs compiled; on access through an instance it binds like a method."""

    def __init__(self, function, owner=None):
        functools.update_wrapper(self, function)
        self.function = function
        self._compiled = CompiledFunction(function, getattr(function, "__name__", "function"), owner)
        self._bound = weakref.WeakKeyDictionary()

    def __call__(self, *args, **kwargs):
        if current_trace() is not None:
            from graphcore.capture.language import callee
            return callee(self.function)(*args, **kwargs)
        try:
            return self._compiled(*args, **kwargs)
        except Exception as error:
            failures.shorten(error)
            raise

    def __get__(self, instance, owner=None):
        if instance is None:
            return self
        bound = self._bound.get(instance)
        if bound is None:
            bound = self._bound[instance] = JitFunction(
                self.function.__get__(instance, owner), instance if hasattr(instance, "bind_names") else None)
        return bound

    @property
    def compiled(self) -> CompiledFunction:
        """The compiled function behind this one."""
        return self._compiled
