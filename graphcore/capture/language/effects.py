"""What a captured function does besides computing: printing, raising, asserting, in the order of the program."""
from __future__ import annotations

import builtins
from collections.abc import Callable

from graphcore.capture.language.branches import Raises, if_, is_known, truth
from graphcore.capture.language.nests import Slot, put_together, take_apart
from graphcore.capture.language.texts import Text, has_marks
from graphcore.capture.location import describe, user_frame, user_origin
from graphcore.capture.trace import TracedTensor, current_trace
from graphcore.ops import regions
from graphcore.tensor import Tensor


def host_call(label: str, function: Callable, values) -> None:
    """Let the program call ``function(*values)`` at this point; `values` is a nest of tensors, strings, anything.

    Traced tensors arrive as Tensors with their values, strings with their marks filled.
    """
    trace = current_trace()
    leaves: list = []
    structure = take_apart(values, leaves, lambda v: isinstance(v, TracedTensor) or has_marks(v))
    texts = [Text(v, trace) if has_marks(v) else None for v in leaves]
    groups = [t.tensors if t else [v] for t, v in zip(texts, leaves)]
    tensors = [t for group in groups for t in group]
    nodes = [trace.node_of(t) for t in tensors]
    dtypes = [n.dtype for n in nodes]

    def callback(*arrays):
        rest = [Tensor._wrap(a, d) for a, d in zip(arrays, dtypes)]
        filled = []
        for text, group in zip(texts, groups):
            taken, rest = rest[:len(group)], rest[len(group):]
            filled.append(text.filled(taken) if text else taken[0])
        function(*put_together(structure, filled))

    callbacks = trace.root.callbacks
    callbacks.append(callback)
    trace.root.effect_callbacks.add(len(callbacks) - 1)
    node = regions.host_call(*nodes, callback=len(callbacks) - 1, label=label, returns=False)
    trace.origins.add(node, (user_origin(trace._scope_name),))
    trace.effects.append(node)


def print_(*values, sep=" ", end="\n", file=None, flush=False) -> None:
    """`print`, when the program runs."""
    host_call("print", lambda *v: builtins.print(*v, sep=sep, end=end, file=file, flush=flush), values)


def print_lines(*values) -> None:
    """``ops.Print``: each value on a line of its own, when the program runs."""
    from graphcore.tensor_format import printed_in_a_graph

    def show(*shown):
        for v in shown:
            builtins.print(printed_in_a_graph(v))
    host_call("print", show, values)


def raised(make: Callable):
    """The exception to raise for a `raise` statement: ``make()`` itself, or in a branch that the program decides one
    that ends the branch after the program was told to raise."""
    exception = make()
    trace = current_trace()
    if trace is None or not trace.symbolic or trace.root is trace:
        return exception
    if isinstance(exception, type) and issubclass(exception, BaseException):
        exception = exception()
    kind, where = type(exception), describe(user_frame())

    def throw(*args):
        error = kind(*args)
        if where and hasattr(error, "add_note"):
            error.add_note(where)
        raise error

    host_call("raise", throw, tuple(exception.args))
    return Raises()


def assert_(test, message: Callable | None) -> None:
    """An `assert` statement."""
    condition = truth(test)
    if is_known(condition):
        if not condition:
            raise AssertionError(*([message()] if message else []))
        return

    def fail():
        raise raised(lambda: AssertionError(*([message()] if message else [])))

    if_(condition, lambda: None, fail, (), None, None)


__all__ = ["Slot", "assert_", "host_call", "print_", "print_lines", "raised"]
