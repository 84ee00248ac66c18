"""What concerns the program rather than values: the flow of gradients, order, printing, and grouping of arguments."""
from __future__ import annotations

import functools

from graphcore.ops import structural
from graphcore.ops.functional.arguments import Tensor, apply, cast, current_trace, dt, sequence_like, tensor_of
from graphcore.ops.state import assign, assign_add, assign_sub

__all__ = [
    "assign", "assign_add", "assign_sub", "stop_gradient", "depend", "partial", "print_", "typeof", "is_", "is_not",
    "in_",    "not_in", "tuple_len", "tuple_getitem", "grad", "value_and_grad", "get_grad", "mixed_precision_cast",
    "control_depend",
]


def typeof(x):
    """The type of a value: TensorType of a dtype for a Tensor, int64 or float64 for numbers."""
    from graphcore.common.kinds import get_py_obj_dtype
    return get_py_obj_dtype(x)


def stop_gradient(value):
    """`value` (a Tensor, or a tuple or list of them) as a constant: no gradient flows through it.

    Python's numbers come back as they are.
    """
    if isinstance(value, (tuple, list)):
        return sequence_like(value, map(stop_gradient, value))
    if isinstance(value, (bool, int, float)):
        return value
    return apply(structural.stop_gradient, tensor_of(value, "stop_gradient"))


def depend(value, expr):
    """`value`.  Assignments take effect in the order of the program, so nothing needs to be tied to `expr`."""
    return value


partial = functools.partial


def print_(*input_x):
    """Print values, each on a line of its own, Tensors with shape and dtype; in a graph, when the program runs."""
    trace = current_trace()
    if trace is not None and trace.symbolic:
        from graphcore.capture.language.effects import print_lines
        print_lines(*input_x)
        return
    for x in input_x:
        print(repr(x) if isinstance(x, Tensor) else x)


def check_that(condition, *values):
    """Raise AssertionError with `values` if a bool is false; in a graph, when the program runs."""
    trace = current_trace()
    if trace is not None and trace.symbolic:
        from graphcore.capture.language.effects import assert_
        assert_(condition, lambda: ", ".join(map(str, values)) or "the condition of Assert is false")
    elif not bool(condition):
        raise AssertionError(", ".join(map(str, values)) or "the condition of Assert is false")


def mixed_precision_cast(dst_dtype, x):
    """Float Tensors, also those within tuples, lists and dicts, converted to a dtype."""
    if isinstance(x, (tuple, list)):
        return sequence_like(x, (mixed_precision_cast(dst_dtype, v) for v in x))
    if isinstance(x, dict):
        return {k: mixed_precision_cast(dst_dtype, v) for k, v in x.items()}
    return cast(x, dt.as_dtype(dst_dtype)) if isinstance(x, Tensor) and x.dtype.is_float else x


def control_depend(first, second, depend_mode=0):
    """Nothing: assignments take effect in the order of the program."""
    return first


def is_(a, b) -> bool:
    """``a is b``."""
    return a is b


def is_not(a, b) -> bool:
    """``a is not b``."""
    return a is not b


def in_(a, b) -> bool:
    """``a in b``."""
    return a in b


def not_in(a, b) -> bool:
    """``a not in b``."""
    return a not in b


def tuple_len(values) -> int:
    """The number of entries of a tuple."""
    return len(values)


def tuple_getitem(values, index):
    """An entry of a tuple."""
    return values[index]


def grad(fn, grad_position=0, weights=None, has_aux=False, return_ids=False):
    """A function that returns gradients of `fn`; see `graphcore.grad`."""
    from graphcore.capture import gradients
    return gradients.grad(fn, grad_position, weights, has_aux, return_ids)


def value_and_grad(fn, grad_position=0, weights=None, has_aux=False, return_ids=False):
    """A function that returns (value, gradients) of `fn`; see `graphcore.value_and_grad`."""
    from graphcore.capture import gradients
    return gradients.value_and_grad(fn, grad_position, weights, has_aux, return_ids)


def get_grad(gradients, identifier):
    """One gradient among those made with return_ids=True; see `graphcore.get_grad`."""
    from graphcore.capture import gradients as functions
    return functions.get_grad(gradients, identifier)
