"""Comparisons, logic, and choosing between tensors."""
from __future__ import annotations

import math

import numpy as np

from graphcore.ops import pointwise as pw
from graphcore.ops import reduction
from graphcore.ops.functional.arguments import (
    Tensor,
    apply,
    cast,
    current_trace,
    dt,
    dtype_error,
    full_of,
    is_number,
    operands,
    tensor_of,
)

__all__ = [
    "equal", "eq", "tensor_eq", "not_equal", "ne", "less", "lt", "tensor_lt", "less_equal", "le", "tensor_le",
    "greater", "gt", "tensor_gt", "greater_equal", "ge", "tensor_ge", "logical_and", "logical_or", "logical_xor",
    "logical_not", "isnan", "isfinite", "isinf", "isposinf", "isneginf", "isclose", "allclose", "approximate_equal",
    "is_tensor", "is_floating_point", "is_complex", "where", "select", "masked_fill",
]


def _widened(tensor, number):
    """`tensor` as int64 where its integer dtype lacks `number`, which would wrap around: uint8 values are above -1."""
    if not isinstance(tensor, Tensor) or not isinstance(number, (int, np.integer)) or not tensor.dtype.is_integer:
        return tensor
    held = np.iinfo(tensor.dtype.storage)
    return tensor if held.min <= number <= held.max or held.bits == 64 else cast(tensor, dt.int64)


def _comparison(name: str, record, summary: str):
    def function(input, other):
        return apply(record, *operands(_widened(input, other), _widened(other, input), name=name))
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{summary}

    input, other: Tensors or numbers, broadcast against each other; compared in the dtype that both
    promote to, and by value where an integer dtype lacks the number.  Returns a bool Tensor.
    Raises ShapeError if the shapes do not broadcast, DTypeError for anything else.
    """
    return function


equal = eq = tensor_eq = _comparison("equal", pw.eq, "input == other.")
not_equal = ne = _comparison("not_equal", pw.ne, "input != other.")
less = lt = tensor_lt = _comparison("less", pw.lt, "input < other.")
less_equal = le = tensor_le = _comparison("less_equal", pw.le, "input <= other.")
greater = gt = tensor_gt = _comparison("greater", pw.gt, "input > other.")
greater_equal = ge = tensor_ge = _comparison("greater_equal", pw.ge, "input >= other.")


def as_bool(x) -> Tensor:
    """`x` as a bool Tensor: numbers are true where they are not 0."""
    x = tensor_of(x, "a logical operator")
    return x if x.dtype.is_bool else apply(pw.ne, x, Tensor(0, x.dtype))


def _logical(name: str, record, summary: str):
    def function(input, other):
        return apply(record, as_bool(input), as_bool(other))
    function.__name__ = function.__qualname__ = name
    function.__doc__ = (f"{summary}\n\n    input, other: Tensors or bools, broadcast; numbers are true where they are "
                        "not 0.  Returns a bool Tensor.\n    Raises ShapeError if the shapes do not broadcast.\n    ")
    return function


logical_and = _logical("logical_and", pw.logical_and, "input and other.")
logical_or = _logical("logical_or", pw.logical_or, "input or other.")
logical_xor = _logical("logical_xor", pw.logical_xor, "Exactly one of input and other.")


def logical_not(input):
    """True where `input` is false (0)."""
    return apply(pw.logical_not, as_bool(input))


def _classification(name, of_float, of_integer, summary):
    def function(input):
        x = tensor_of(input, name)
        return of_float(x) if x.dtype.is_float else full_of(x.shape, of_integer, dt.bool_)
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{summary}\n\n    input: Tensor.  Returns a bool Tensor of its shape."
    return function


def _is(x: Tensor, value: float) -> Tensor:
    return apply(pw.eq, x, Tensor(value, x.dtype))


isnan = _classification("isnan", lambda x: apply(pw.is_nan, x), False, "True where input is NaN.")
isfinite = _classification("isfinite", lambda x: apply(pw.is_finite, x), True,
                           "True where input is neither NaN nor infinite.")
isinf = _classification("isinf", lambda x: _is(apply(pw.abs_, x), math.inf), False, "True where input is infinite.")
isposinf = _classification("isposinf", lambda x: _is(x, math.inf), False, "True where input is +inf.")
isneginf = _classification("isneginf", lambda x: _is(x, -math.inf), False, "True where input is -inf.")


def isclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """|input - other| <= atol + rtol * |other|, element by element; infinities only equal themselves.

    equal_nan: whether NaN equals NaN.  Returns a bool Tensor.  Raises as `equal`.
    """
    a, b = operands(input, other, name="isclose")
    if not a.dtype.is_float:
        a, b = cast(a, dt.float64), cast(b, dt.float64)
    tolerance = apply(pw.add, Tensor(atol, a.dtype), apply(pw.mul, Tensor(rtol, a.dtype), apply(pw.abs_, b)))
    near = apply(pw.le, apply(pw.abs_, apply(pw.sub, a, b)), tolerance)
    close = logical_or(apply(pw.eq, a, b), logical_and(near, apply(pw.is_finite, b)))
    if equal_nan:
        close = logical_or(close, logical_and(apply(pw.is_nan, a), apply(pw.is_nan, b)))
    return close


def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether `isclose` holds for all elements: a bool, or a bool Tensor in a capture."""
    close = isclose(input, other, rtol, atol, equal_nan)
    together = apply(reduction.all_, close, axes=tuple(range(close.ndim)), keepdims=False)
    return together if current_trace() is not None else bool(together)


def approximate_equal(x, y, tolerance=1e-05):
    """|x - y| < tolerance, element by element."""
    a, b = operands(x, y, name="approximate_equal")
    return apply(pw.lt, apply(pw.abs_, apply(pw.sub, a, b)), Tensor(tolerance, a.dtype))


def is_tensor(obj) -> bool:
    """Whether `obj` is a Tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input) -> bool:
    """Whether the dtype of a Tensor is a float."""
    return tensor_of(input, "is_floating_point").dtype.is_float


def is_complex(input) -> bool:
    """Whether the dtype is complex."""
    return tensor_of(input, "is_complex").dtype.is_complex


# -- choosing ---------------------------------------------------------------------------------------------

def where(condition, input, other):
    """`input` where `condition` is true, else `other`.

    condition: Tensor; numbers are true where they are not 0.  input, other: Tensors or numbers.  All broadcast, the two
    values are promoted to one dtype.  Raises ShapeError if the shapes do not broadcast.
    """
    condition = as_bool(condition)
    if is_number(input) and is_number(other):
        common = dt.float32 if isinstance(input, float) or isinstance(other, float) else (
            dt.bool_ if isinstance(input, bool) and isinstance(other, bool) else dt.int64)
        input, other = Tensor(input, common), Tensor(other, common)
    return apply(pw.select, condition, *operands(input, other, name="where"))


def select(condition, input, other):
    """As `where`; a number takes the dtype of the Tensor beside it.

    Raises DTypeError if `condition` is not bool.
    """
    if isinstance(condition, Tensor) and not condition.dtype.is_bool:
        raise dtype_error(f"select: the condition must be bool, got {condition.dtype.name}; compare it with something")
    if isinstance(input, Tensor) and is_number(other):
        other = Tensor(other, input.dtype)
    elif isinstance(other, Tensor) and is_number(input):
        input = Tensor(input, other.dtype)
    return where(condition, input, other)


def masked_fill(input_x, mask, value):
    """`input_x` with `value` where the bool `mask` is true; the dtype of input_x is kept.

    mask: bool Tensor that broadcasts; value: number or 0-d Tensor.  Raises DTypeError if the mask is not bool,
    ShapeError if the shapes do not broadcast.
    """
    x = tensor_of(input_x, "masked_fill")
    mask = tensor_of(mask, "masked_fill")
    if not mask.dtype.is_bool:
        raise dtype_error(f"masked_fill: the mask must be bool, got {mask.dtype.name}; compare it with something")
    value = cast(value, x.dtype) if isinstance(value, Tensor) else Tensor(value, x.dtype)
    return apply(pw.select, mask, value, x)
