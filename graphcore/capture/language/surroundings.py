"""Calls of Python's surroundings: what gives other results each time (random numbers, the clock), and logging.

Such a function runs while the graph is captured.  Its result would silently be a constant of the program, so there is a
warning; a message that holds a tensor is logged when the program runs, as `print` is.
"""
from __future__ import annotations

import functools
import logging
from types import ModuleType

from graphcore.capture.language.effects import host_call
from graphcore.capture.language.nests import take_apart
from graphcore.capture.language.texts import has_marks
from graphcore.capture.location import warn_user
from graphcore.capture.trace import TracedTensor

_RANDOM = frozenset(("random", "numpy.random.mtrand", "numpy.random._generator"))       # of the generators' classes
_OF_STATE = frozenset("seed getstate setstate get_state set_state spawn".split())
_CLOCKS = frozenset("time time_ns perf_counter perf_counter_ns monotonic monotonic_ns process_time process_time_ns "
                    "now utcnow today".split())
_IDENTIFIERS = frozenset(("secrets", "uuid"))
_LEVELS = frozenset("debug info warning warn error critical exception log".split())


def of_surroundings(function):
    """What to call instead of a function of Python's surroundings; `function` itself, after a warning or without."""
    name = getattr(function, "__name__", "")
    owner, home = getattr(function, "__self__", None), getattr(function, "__module__", None)
    if name in _LEVELS and (home == "logging" and owner is None or isinstance(owner, logging.Logger)):
        return functools.partial(_log, function)
    if owner is not None and type(owner).__module__ in _RANDOM and name not in _OF_STATE:
        _warn(name, "for random numbers use ops.rand, ops.randn, ops.randint or nn.Dropout, or make them arguments")
    elif name in _CLOCKS and (isinstance(owner, ModuleType) and owner.__name__ == "time"
                              or isinstance(owner, type) and owner.__module__ == "datetime") \
            or owner is None and home in _IDENTIFIERS:
        _warn(name, "make it an argument of the function")
    return function


def _warn(name: str, cure: str) -> None:
    warn_user(f"{name}() runs once, while the graph is captured, and all later calls use this one result; {cure}")


def _log(function, *args, **kwargs) -> None:
    tensors: list = []
    take_apart((args, kwargs), tensors, lambda v: isinstance(v, TracedTensor) or has_marks(v))
    if not tensors:
        function(*args, **kwargs)
    else:
        host_call("log", lambda args, kwargs: function(*args, **kwargs), (args, kwargs))
