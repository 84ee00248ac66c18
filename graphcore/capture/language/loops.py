"""while and for: in Python as long as Python knows when they end, as regions of the graph where the program does.

A `for` over Python values is unrolled.  A long one (`LONG` iterations) is recorded once instead, with its index as a
tensor, if its body uses the index only as a number or to index tensors; else it is unrolled, with a warning.
"""
from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

from graphcore.capture.language.branches import Raises, and_, has_effects, if_not_ended, is_known, not_, truth
from graphcore.capture.language.loop_regions import Loop
from graphcore.capture.location import locate, user_frame
from graphcore.capture.trace import NeedsValue, TracedTensor, current_trace
from graphcore.errors import CaptureError, DTypeError
from graphcore.ir import graph as ir
from graphcore.tensor import Tensor

LONG = 32               # iterations from which on a loop is tried as a region
VERY_LONG = 128         # iterations from which on unrolling is worth a warning


@dataclass(frozen=True)
class TracedRange:
    """``range(start, stop, step)`` of which a bound is a tensor's value."""

    start: object
    stop: object
    step: int

    def __iter__(self):
        raise locate(CaptureError("range() of a tensor's value can only be looped over by a for statement; its length "
                                  "is known when the program runs"))

    def length(self) -> Tensor:
        """The number of iterations, i64[]."""
        from graphcore import dtype as dt
        from graphcore.ops import functional as F
        span = self.stop - self.start
        count = F.floor_div(span + (self.step - 1 if self.step > 0 else self.step + 1), self.step)
        return F.maximum(F.cast(count, dt.int64), 0)


def traced_range(*arguments):
    """``range``, also of tensors' values."""
    if not any(isinstance(a, TracedTensor) for a in arguments):
        return range(*arguments)
    start, stop, step = {1: lambda: (0, arguments[0], 1), 2: lambda: (*arguments, 1),
                         3: lambda: arguments}[len(arguments)]()
    if isinstance(step, Tensor):
        raise locate(CaptureError("the step of range() is the value of a tensor; use a Python number, and multiply the "
                                  "index by the tensor in the loop"))
    for value in (start, stop):
        if isinstance(value, TracedTensor) and (value.size != 1 or not value.dtype.is_integer):
            raise locate(DTypeError(f"range() takes integers, got a tensor of type {value.type_}; convert one element "
                                    "with .astype(ms.int32)"))
    from graphcore.ops import functional as F
    start, stop = (F.reshape(v, ()) if isinstance(v, Tensor) else v for v in (start, stop))
    return TracedRange(start, stop, step)


# -- while ----------------------------------------------------------------------------------------------------

def while_(test: Callable, body: Callable, names: tuple, get, put) -> None:
    """A `while` statement: its condition and body as functions, and the names that they bind (see `branches.if_`)."""
    while True:
        condition = truth(test())
        if not is_known(condition):
            break
        if not condition:
            return
        body()
    try:
        if has_effects(test, names, get, put):
            _testing_in_the_body(condition, test, body, names, get, put)
        else:
            Loop(current_trace(), names, get, put).run_while(test, body)
    except CaptureError as error:
        raise locate(error) from None
    except Raises:
        raise locate(CaptureError("the body of this loop always raises an exception; raise it under a condition, "
                                  "or use if in place of while")) from None


def _testing_in_the_body(condition, test, body, names, get, put) -> None:
    """A loop whose test does more than compute: it stands at the end of the body; `condition` is its first result."""
    flag = [condition]

    def step():
        body()
        flag[0] = truth(test())

    _with_variable(flag, names, get, put).run_while(lambda: flag[0], step)


def _with_variable(holder: list, names, get, put) -> Loop:
    """A loop that carries the one entry of `holder` besides its variables."""
    def get_all():
        return (holder[0], *(get() if names else ()))

    def put_all(values):
        holder[0] = values[0]
        if names:
            put(tuple(values[1:]))

    return Loop(current_trace(), ("gc_held", *names), get_all, put_all)


# -- for ------------------------------------------------------------------------------------------------------

def for_(iterable, body: Callable, names: tuple, get, put, stop: Callable | None, lists: tuple) -> None:
    """A `for` statement: `body` takes an item.

    stop: whether `break` or `return` was met, or None; lists: those to which the body only appends.
    """
    trace = current_trace()
    if trace is not None and trace.symbolic:
        region = _region_of(iterable)
        if region is not None and _as_region(region, trace, body, names, get, put, stop, lists):
            return
    for item in iterable:
        ended = truth(stop()) if stop is not None else False
        if not is_known(ended):
            if_not_ended(ended, lambda item=item: body(item), names, get, put)
        elif ended:
            return
        else:
            body(item)


@dataclass(frozen=True)
class _Counted:
    """A loop by its number of iterations, and the item for an index (a tensor) and elements of stacks."""

    length: object                      # int, or a tensor i64[]
    item: Callable
    stacks: tuple = ()

    @property
    def is_traced(self) -> bool:
        return isinstance(self.length, Tensor)


def _region_of(iterable) -> _Counted | None:
    """How `iterable` can be counted; None for what Python iterates over."""
    if isinstance(iterable, TracedRange):
        r = iterable
        return _Counted(r.length(), lambda i: r.start + i * r.step)
    if isinstance(iterable, range):
        r = iterable
        return _Counted(len(r), lambda i: i if r.start == 0 and r.step == 1 else i * r.step + r.start)
    if isinstance(iterable, TracedTensor) and iterable.ndim and isinstance(iterable.shape[0], int):
        return _Counted(iterable.shape[0], lambda i, row: row, (iterable,))
    if isinstance(iterable, TracedEnumerate):
        inner = _region_of(iterable.iterable)
        return inner and _Counted(inner.length, lambda i, *e: (i + iterable.start, inner.item(i, *e)), inner.stacks)
    return None


class TracedEnumerate:
    """``enumerate`` that lets a loop see what is enumerated."""

    def __init__(self, iterable, start=0):
        self.iterable, self.start = iterable, start

    def __iter__(self):
        return enumerate(self.iterable, self.start)


def _as_region(counted: _Counted, trace, body, names, get, put, stop, lists) -> bool:
    """Record the loop once for all iterations; False if it is to be unrolled."""
    if not counted.is_traced and counted.length < LONG:
        return False
    if counted.is_traced:
        lists = ()
    elif stop is not None and (counted.stacks or lists):
        return False
    mark = len(trace.effects), dict(trace.touched)
    loop = None
    try:
        if stop is not None:
            _with_break(counted, trace, body, names, get, put, stop)
            return True
        loop = Loop(trace, names, get, put)
        length, trips = (None, trace.node_of(counted.length)) if counted.is_traced else (counted.length, None)
        loop.run_counted(length, lambda i, *e: body(counted.item(i, *e)), counted.stacks, trips, lists=lists)
        return True
    except (Exception, Raises) as error:
        if loop is not None:
            loop.undo()
        if isinstance(error, NeedsValue):
            raise
        if counted.is_traced:
            raise locate(error) if isinstance(error, CaptureError) else error from None
        del trace.effects[mark[0]:]
        trace.touched.clear()
        trace.touched.update(mark[1])
        if counted.length >= VERY_LONG:
            _warn_unrolled(counted.length, error)
        return False


def _with_break(counted: _Counted, trace, body, names, get, put, stop) -> None:
    """A counted loop that may end early: a `while` with its index among the variables."""
    index = [TracedTensor(ir.const(0), trace)]

    def test():
        return and_(index[0] < counted.length, lambda: not_(stop()))

    def step():
        body(counted.item(index[0]))
        index[0] = index[0] + 1

    _with_variable(index, names, get, put).run_while(test, step)


def _warn_unrolled(length: int, error: BaseException) -> None:
    frame = user_frame()
    place = (f"{frame.f_code.co_filename}:{frame.f_lineno}: ") if frame is not None else ""
    reason = str(error).partition("\n")[0]
    warnings.warn(f"{place}a loop of {length} iterations is unrolled, since its body cannot be recorded once for all: "
                  f"{reason}", stacklevel=2)
