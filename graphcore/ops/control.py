"""Loops as functions: ``WhileLoop``, ``ForiLoop`` and ``Scan``, with functions for their bodies.

In a capture each becomes one region of the graph, whatever its number of iterations; elsewhere Python loops.  The
functions may have control flow of their own.
"""
from __future__ import annotations

from collections.abc import Callable

from graphcore.capture.language import callee
from graphcore.capture.language.loop_regions import Loop
from graphcore.capture.language.loops import for_, traced_range, while_
from graphcore.capture.language.nests import put_together, take_apart
from graphcore.capture.location import locate
from graphcore.capture.trace import current_trace
from graphcore.errors import ShapeError
from graphcore.ops import functional as F
from graphcore.tensor import Tensor


def scan(step: Callable, state, xs, *, length: int | None = None, reverse: bool = False) -> tuple:
    """``state, y = step(state, x)`` for each element of `xs` along its first axis; (the last state, all y stacked).

    state: nest of tensors and numbers, whose types stay; xs: nest of tensors with equal first sizes, or None with
    `length`; y: nest of tensors, or None.  reverse: from the last element to the first, y in the order of xs.
    The first size may be symbolic.  Raises ShapeError if first sizes differ.
    """
    leaves: list = []
    structure = take_apart(xs, leaves)
    sizes = {t.shape[0] for t in leaves} | ({length} if length is not None else set())
    if len(sizes) != 1:
        raise locate(ShapeError(f"scan needs tensors of one length, got {sorted(map(str, sizes)) or 'none'}"))
    (length,) = sizes
    run = _scan_region if _in_capture() and length else _scan_now
    return run(callee(step), state, lambda rows: put_together(structure, rows), leaves, length, reverse)


def _scan_now(step, state, element, leaves, length, reverse) -> tuple:
    kept: list = [None] * length
    for i in (reversed(range(length)) if reverse else range(length)):
        state, kept[i] = step(state, element([t[i] for t in leaves]))
    if not length:
        return state, None
    parts = [[] for _ in range(length)]
    structures = [take_apart(y, part) for y, part in zip(kept, parts)]
    return state, put_together(structures[0], [F.stack(list(column), 0) for column in zip(*parts)])


def _scan_region(step, state, element, leaves, length, reverse) -> tuple:
    holder, found = [], {}
    variables = [state]

    def body(index, *rows):
        variables[0], y = step(variables[0], element(list(rows)))
        values: list = []
        found["structure"], found["count"] = take_apart(y, values), len(values)
        current_trace().stacked[id(holder)] = holder, values

    Loop(current_trace(), ("state",), lambda: (variables[0],), lambda values: variables.__setitem__(
        0, values[0])).run_counted(length, body, leaves, reverse=reverse)
    return variables[0], put_together(found["structure"], [e.stack for e in holder[:found["count"]]])


def while_loop(condition: Callable, body: Callable, state):
    """``while condition(state): state = body(state)``; the last state."""
    condition, body = callee(condition), callee(body)
    variables = [state]

    def step():
        variables[0] = body(variables[0])

    while_(lambda: condition(variables[0]), step, ("state",), lambda: (variables[0],),
           lambda values: variables.__setitem__(0, values[0]))
    return variables[0]


def fori_loop(lower, upper, body: Callable, state):
    """``for i in range(lower, upper): state = body(i, state)``; the last state.  The bounds may be integer tensors."""
    body = callee(body)
    variables = [state]

    def step(i):
        variables[0] = body(i, variables[0])

    bounds = [int(b) if isinstance(b, Tensor) and not _in_capture() else b for b in (lower, upper)]
    for_(traced_range(*bounds), step, ("state",), lambda: (variables[0],),
                  lambda values: variables.__setitem__(0, values[0]), None, ())
    return variables[0]


def _in_capture() -> bool:
    trace = current_trace()
    return trace is not None and trace.symbolic


class WhileLoop:
    """``WhileLoop()(cond_func, loop_func, init_val)``: see `while_loop`."""

    def __call__(self, cond_func, loop_func, init_val):
        return while_loop(cond_func, loop_func, init_val)


class ForiLoop:
    """``ForiLoop()(lower, upper, loop_func, init_val, unroll=True)``: see `fori_loop`.  unroll changes nothing."""

    def __call__(self, lower, upper, loop_func, init_val, unroll=True):
        return fori_loop(lower, upper, loop_func, init_val)


class Scan:
    """``Scan()(loop_func, init, xs, length=None, unroll=True)``: the last state, and the list of outputs; see `scan`.

    xs: list or tuple of tensors (or nests of them), one for each iteration, or None with `length`.  unroll changes
    nothing.
    """

    def __call__(self, loop_func, init, xs, length=None, unroll=True):
        stacked = None
        if xs is not None:
            parts = [[] for _ in xs[:length]]
            structures = [take_apart(x, part) for x, part in zip(xs, parts)]
            length = len(parts)
            stacked = put_together(structures[0], [F.stack(list(c), 0) for c in zip(*parts)]) if length else None
        if not length:
            return init, []
        state, ys = scan(loop_func, init, stacked, length=length)
        leaves: list = []
        structure = take_apart(ys, leaves)
        return state, [put_together(structure, [t[i] for t in leaves]) for i in range(length)]


__all__ = ["ForiLoop", "Scan", "WhileLoop"]
