"""How a program of the language suite is written down: used by `programs/`, under MindSpore as well as graphcore.

A program is a function or a Cell class without arguments.  It is called with each of its input sets in turn, in
GRAPH_MODE through `jit` (functions) or as a Cell, and differentiated with respect to its float inputs and weights:

    @program([f32(3)], [f32(-1)])
    def double_if_positive(x):
        ...

A script is a function that runs as ordinary Python, makes Cells, calls and changes them, and returns what it saw.
What a program gives is compared with what MindSpore gave; `expected` replaces that where MindSpore refuses a program
or is wrong, and `why` says so.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

PROGRAMS: dict[str, Program] = {}       # "topic.name" -> Program, in the order of definition


@dataclass(frozen=True)
class Program:
    """One program: what to call, with what, and what is compared."""

    topic: str
    name: str
    make: Callable | None       # a function or Cell class called with the inputs; None for a script
    script: Callable | None
    input_sets: tuple = ((),)
    gradients: bool = True      # differentiate at all
    finite: bool = True         # finite differences are the gradient (not so with stop_gradient or a custom bprop)
    expected: Any = None        # a nest for each input set, in place of what MindSpore gave
    expected_gradients: Any = None
    printed: str | None = None  # in place of what MindSpore printed
    graph_only: bool = False    # PYNATIVE_MODE differs on purpose, in MindSpore too
    why: str = ""

    @property
    def key(self) -> str:
        return f"{self.topic}.{self.name}"

    @property
    def float_positions(self) -> tuple[int, ...]:
        """The positional inputs that gradients are taken of."""
        return tuple(i for i, value in enumerate(self.input_sets[0])
                     if isinstance(value, np.ndarray) and value.dtype.kind == "f")


@dataclass(frozen=True)
class Fails:
    """The expectation that a program raises an error of this built-in class, with this text in its message."""

    kind: type
    text: str = ""


@dataclass(frozen=True)
class Constant:
    """An input that is handed over as it is: a number, a string, None, or any nest of them."""

    value: Any


def program(*input_sets, gradients=True, finite=True, expected=None, expected_gradients=None, printed=None,
            graph_only=False, why=""):
    """Register a function or Cell class; `expected` and `expected_gradients` hold one nest for each input set."""
    def register(make):
        _add(Program(_topic(make), make.__name__, make, None, tuple(map(tuple, input_sets)) or ((),), gradients, finite,
                     expected, expected_gradients, printed, graph_only, why))
        return make
    return register


_NOTHING = object()


def script(expected=_NOTHING, graph_only=False, why=""):
    """Register a function that is run once as ordinary Python."""
    def register(function):
        wanted = None if expected is _NOTHING else [expected]
        _add(Program(_topic(function), function.__name__, None, function, gradients=False, expected=wanted,
                     graph_only=graph_only, why=why))
        return function
    return register


def _topic(value) -> str:
    return value.__module__.rpartition(".")[2]


def _add(entry: Program) -> None:
    if entry.key in PROGRAMS:
        raise ValueError(f"two programs are called {entry.key}")
    for wanted in (entry.expected, entry.expected_gradients):
        if wanted is not None and len(wanted) != len(entry.input_sets):
            raise ValueError(f"{entry.key}: {len(wanted)} expectations for {len(entry.input_sets)} input sets")
    PROGRAMS[entry.key] = entry


def f32(value) -> np.ndarray:
    return np.array(value, np.float32)


def f16(value) -> np.ndarray:
    return np.array(value, np.float16)


def f64(value) -> np.ndarray:
    return np.array(value, np.float64)


def i32(value) -> np.ndarray:
    return np.array(value, np.int32)


def i64(value) -> np.ndarray:
    return np.array(value, np.int64)


def b1(value) -> np.ndarray:
    return np.array(value, np.bool_)


def count(*shape) -> np.ndarray:
    """0, 1, 2, ... in that shape, float32."""
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
