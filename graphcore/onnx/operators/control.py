"""If, Loop and Scan: decided while the graph is captured where the condition is constant, regions of it elsewhere."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore.capture.language.branches import if_expression
from graphcore.capture.trace import current_trace
from graphcore.errors import FormatError
from graphcore.onnx.package import UnsupportedOnnxError
from graphcore.onnx.table import operator
from graphcore.onnx.values import axis_of, is_known, numbers_of, tensor_of
from graphcore.ops import functional as F
from graphcore.ops.control import scan as scan_over
from graphcore.ops.control import while_loop
from graphcore.tensor import Tensor

_UNROLLED = 16              # iterations up to which a loop is tried in Python first
_MOST_ITERATIONS = 1 << 15  # of a loop that Python runs
_OPEN_STACK = ("a loop whose condition the program computes cannot stack outputs: how many there are is not known; "
               "call the model in PYNATIVE_MODE")


@operator("If", 1)
def branch(condition, *, then_branch, else_branch, scope):
    """The outputs of one branch.

    Where the program decides, both are part of the graph.  If their outputs differ in shape, or one of them makes no
    sense with the shapes at hand or needs a value itself, the program is asked, at the price of a program for each
    answer.
    """
    def run(graph):
        return lambda: tuple(map(tensor_of, scope.run(graph, ())))

    if not _in_capture() or is_known(condition):
        return tuple(scope.run(then_branch if bool(condition) else else_branch, ()))
    condition = F.reshape(condition, ())
    try:
        return if_expression(condition, run(then_branch), run(else_branch))
    except FormatError:
        trace = current_trace()
        taken = trace.assume(trace.node_of(condition), "a branch cannot be recorded", "give the model the condition as "
                             "a constant")
        return tuple(scope.run(then_branch if taken else else_branch, ()))


def _in_capture() -> bool:
    trace = current_trace()
    return trace is not None and trace.symbolic


@operator("Loop", 1)
def loop(trips=None, condition=None, *state, body, scope):
    """``while i < trips and condition``: the last state, and what the body gives besides, stacked.

    How many rows a stack has must be known when the graph is captured: the program is asked for a number of trips and
    a first condition that it computes.  Raises UnsupportedOnnxError for stacks of a loop that ends by a condition of
    the program's.
    """
    state = [tensor_of(s) for s in state]
    stacks = len(body.outputs) - 1 - len(state)
    if stacks < 0:
        raise ValueError(f"the body gives {len(body.outputs)} values for {len(state)} that are carried")

    def once(i, state):
        goes_on, *rest = scope.run(body, (i, Tensor(True), *state))
        rest = [tensor_of(r) for r in rest]
        return goes_on, rest[:len(state)], rest[len(state):]

    if not _in_capture():
        return _in_python(once, _count(trips), condition, state, stacks, _MOST_ITERATIONS)
    if stacks:
        trips, condition = (v if is_known(v) else Tensor(numbers_of(F.reshape(v, ()))) for v in (trips, condition))
    count = _count(trips) if is_known(trips) else trips
    if isinstance(count, int) and count <= _UNROLLED and is_known(condition):
        return _in_python(once, count, condition, state, stacks, _UNROLLED)
    if not stacks:
        return _as_region(once, count, condition, state)
    return _counted(once, count, condition, state)


def _count(trips) -> int | None:
    return None if trips is None else max(int(numbers_of(trips).reshape(-1)[0]), 0)


def _in_python(once, count, condition, state, stacks: int, most: int) -> tuple:
    kept, i = [[] for _ in range(stacks)], 0
    goes_on = condition is None or bool(condition)
    while goes_on and (count is None or i < count):
        if i >= most:
            raise ValueError(f"more than {most} iterations outside of a graph; call the model in GRAPH_MODE")
        goes_on, state, given = once(Tensor(i, dt.int64), state)
        if _in_capture() and not is_known(goes_on):
            if stacks:
                raise UnsupportedOnnxError(_OPEN_STACK)
            left = None if count is None else Tensor(count - i - 1, dt.int64)
            return _as_region(lambda j, s, done=i + 1: once(j + done, s), left, goes_on, state)
        goes_on = bool(goes_on)
        for rows, value in zip(kept, given):
            rows.append(value)
        i += 1
    if stacks and not i:
        raise UnsupportedOnnxError("a loop without iterations has outputs that are stacked: their shape is not known")
    return (*state, *(F.stack(rows, 0) for rows in kept))


def _as_region(once, count, condition, state) -> tuple:
    """A loop without stacks, whatever ends it."""
    flag = Tensor(True) if condition is None else F.reshape(condition, ())
    limit = None if count is None else F.reshape(count, ()) if isinstance(count, Tensor) else Tensor(count, dt.int64)

    def goes_on(carried):
        i, flag, _ = carried
        return flag if limit is None else F.logical_and(flag, F.less(i, limit))

    def body(carried):
        i, _, state = carried
        flag, new, _ = once(i, list(state))
        return F.add(i, 1), F.reshape(flag, ()), tuple(new)

    return tuple(while_loop(goes_on, body, (Tensor(0, dt.int64), flag, tuple(state)))[2])


def _counted(once, count, condition, state) -> tuple:
    """A loop with stacks, of a known number of iterations."""
    if count is None or not is_known(condition) or condition is not None and not bool(condition):
        raise UnsupportedOnnxError(_OPEN_STACK)

    def step(state, i):
        goes_on, new, given = once(i, list(state))
        if not is_known(goes_on) or not bool(goes_on):
            raise UnsupportedOnnxError(_OPEN_STACK)
        return tuple(new), tuple(given)

    last, stacked = scan_over(step, tuple(state), F.arange(count, dtype=dt.int64))
    return (*last, *stacked)


@operator("Scan", 9)
def scan(*xs, body, num_scan_inputs, scan_input_axes=None, scan_input_directions=None, scan_output_axes=None,
         scan_output_directions=None, scope):
    """The last states, and what the body gives for each slice of the scanned inputs, stacked."""
    xs = [tensor_of(x) for x in xs]
    states = len(xs) - num_scan_inputs
    if states < 0 or num_scan_inputs < 1:
        raise ValueError(f"{len(xs)} inputs of which {num_scan_inputs} are scanned")
    axes, backwards = scan_input_axes or [0] * num_scan_inputs, scan_input_directions or [0] * num_scan_inputs
    scanned = [_turned(F.moveaxis(x, axis_of(a, x.ndim), 0), b)
               for x, a, b in zip(xs[states:], axes, backwards, strict=True)]

    def step(state, elements):
        results = [tensor_of(r) for r in scope.run(body, (*state, *elements))]
        return tuple(results[:states]), tuple(results[states:])

    last, stacked = scan_over(step, tuple(xs[:states]), tuple(scanned))
    if stacked is None:
        raise UnsupportedOnnxError("a scan of no elements: the shape of what it stacks is not known")
    axes, backwards = scan_output_axes or [0] * len(stacked), scan_output_directions or [0] * len(stacked)
    return (*last, *(F.moveaxis(_turned(y, b), 0, axis_of(a, y.ndim))
                     for y, a, b in zip(stacked, axes, backwards, strict=True)))


def _turned(x: Tensor, backwards) -> Tensor:
    return F.flip(x, (0,)) if backwards else x
