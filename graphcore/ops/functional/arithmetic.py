"""Arithmetic and elementary functions, element by element."""
from __future__ import annotations

import math

from graphcore.ops import pointwise as pw
from graphcore.ops.functional.arguments import (
    Tensor,
    apply,
    cast,
    dt,
    dtype_error,
    floating,
    is_number,
    operands,
    sequence_like,
    shape_error,
    tensor_of,
    tensors_of,
)

__all__ = [
    "add", "tensor_add", "mul", "multiply", "tensor_mul", "maximum", "minimum", "floor_mod", "floormod",
    "remainder", "tensor_mod", "sub", "tensor_sub", "floor_div", "floor_divide", "tensor_floordiv", "floordiv",
    "subtract", "div", "divide", "true_divide", "tensor_div", "truncate_div", "fmod", "truncate_mod", "pow", "pows",
    "tensor_pow", "float_power", "atan2", "arctan2", "fmax", "fmin", "lerp", "addcmul", "addcdiv", "addn",
    "accumulate_n", "clamp", "clip", "clip_by_value", "nan_to_num",
]

BINARY_DOC = """{summary}

    input, other: Tensors or numbers, broadcast against each other; their dtypes are promoted.
    Returns a Tensor of the broadcast shape.  Raises ShapeError if the shapes do not broadcast, DTypeError
    (a TypeError) for {refused}.
    """


def common_operands(name: str, *values) -> list:
    """Tensors of one dtype for an arithmetic operator.  Raises DTypeError for two bools, which have no arithmetic."""
    tensors = operands(*values, name=name)
    if tensors[0].dtype.is_bool:
        raise dtype_error(f"{name} is not defined for two bools; use logical_and, logical_or or logical_xor, or "
                          "convert one of them with .astype(ms.int32)")
    return tensors


def binary(name: str, record, summary: str):
    """A public function of two numeric operands."""
    def function(input, other):
        return apply(record, *common_operands(name, input, other))
    function.__name__ = function.__qualname__ = name
    function.__doc__ = BINARY_DOC.format(summary=summary, refused="two bools or what is not a tensor or number")
    return function


# -- the four operations and relatives -------------------------------------------------------------------

add = tensor_add = binary("add", pw.add, "input + other.")
mul = multiply = tensor_mul = binary("mul", pw.mul, "input * other.")
maximum = binary("maximum", pw.maximum, "The larger of two, element by element; NaN if either is NaN.")
minimum = binary("minimum", pw.minimum, "The smaller of two, element by element; NaN if either is NaN.")
floor_mod = floormod = remainder = tensor_mod = binary(
    "floor_mod", pw.mod, "The remainder with the sign of the divisor, as Python's %.")
sub = tensor_sub = binary("sub", pw.sub, "input - other.")
floor_div = floor_divide = tensor_floordiv = floordiv = binary(
    "floor_div", pw.floor_div, "input / other rounded towards minus infinity, as Python's //.")


def subtract(input, other, *, alpha=1):
    """input - alpha * other; see `sub`."""
    return sub(input, other if is_number(alpha) and alpha == 1 else mul(other, alpha))


def div(input, other, *, rounding_mode=None):
    """input / other; integers give float32.

    rounding_mode: None, "floor" or "trunc" (towards minus infinity or zero; integers then stay integers).
    Raises ValueError for another mode, otherwise as `add`.
    """
    if rounding_mode == "floor":
        return floor_div(input, other)
    if rounding_mode == "trunc":
        return _truncated_quotient(*common_operands("div", input, other))
    if rounding_mode is not None:
        raise shape_error(f"rounding_mode must be None, 'floor' or 'trunc', got {rounding_mode!r}")
    a, b = operands(input, other, name="div")
    return apply(pw.div, floating(a), floating(b))


def _truncated_quotient(a: Tensor, b: Tensor) -> Tensor:
    if a.dtype.is_float:
        return apply(pw.trunc, apply(pw.div, a, b))
    size = apply(pw.floor_div, apply(pw.abs_, a), apply(pw.abs_, b))
    return apply(pw.mul, size, apply(pw.mul, apply(pw.sign, a), apply(pw.sign, b)))


divide = true_divide = tensor_div = div


def truncate_div(x, y):
    """x / y rounded towards zero; see `div`."""
    return div(x, y, rounding_mode="trunc")


def fmod(input, other):
    """The remainder with the sign of `input`, as C's fmod; see `add`."""
    a, b = common_operands("fmod", input, other)
    return apply(pw.sub, a, apply(pw.mul, _truncated_quotient(a, b), b))


truncate_mod = fmod


def pow(input, exponent):
    """input ** exponent, broadcast; an integer tensor stays integer, unless the exponent is a negative number.

    Raises as `add`.
    """
    if is_number(exponent) and exponent < 0:
        input = floating(tensor_of(input, "pow"))
    if is_number(exponent) and isinstance(input, Tensor) and not input.dtype.is_bool:
        simple = _simple_power(input, exponent)
        if simple is not None:
            return simple
    return apply(pw.pow_, *common_operands("pow", input, exponent))


def _simple_power(x: Tensor, exponent):
    """Powers that cost a multiplication or a root; None for others."""
    if exponent == 2 and (x.dtype.is_float or isinstance(exponent, int)):
        return apply(pw.square, x)
    if not x.dtype.is_float:
        return None
    if exponent == 1:
        return x
    if exponent == 3:
        return apply(pw.mul, apply(pw.square, x), x)
    if exponent == 0.5:
        return apply(pw.sqrt, x)
    if exponent == -0.5:
        return apply(pw.rsqrt, x)
    if exponent == -1:
        return apply(pw.reciprocal, x)
    return None


pows = tensor_pow = pow


def float_power(input, exponent):
    """input ** exponent computed in float64."""
    a, b = operands(input, exponent, name="float_power")
    return pow(cast(a, dt.float64), cast(b, dt.float64))


atan2 = arctan2 = binary("atan2", pw.atan2, "The angle of the point (other, input), in (-pi, pi].")


def fmax(input, other):
    """The larger of two; where one is NaN, the other.  Raises as `add`."""
    a, b = common_operands("fmax", input, other)
    return _unless_nan(a, b, apply(pw.maximum, a, b))


def fmin(input, other):
    """The smaller of two; where one is NaN, the other.  Raises as `add`."""
    a, b = common_operands("fmin", input, other)
    return _unless_nan(a, b, apply(pw.minimum, a, b))


def _unless_nan(a, b, result):
    if not a.dtype.is_float:
        return result
    return apply(pw.select, apply(pw.is_nan, a), b, apply(pw.select, apply(pw.is_nan, b), a, result))


def lerp(input, end, weight):
    """input + weight * (end - input).  Raises as `add`."""
    return add(input, mul(weight, sub(end, input)))


def addcmul(input, tensor1, tensor2, value=1):
    """input + value * tensor1 * tensor2.  Raises as `add`."""
    return add(input, mul(mul(tensor1, tensor2), value))


def addcdiv(input, tensor1, tensor2, value=1):
    """input + value * tensor1 / tensor2.  Raises as `add`."""
    return add(input, mul(div(tensor1, tensor2), value))


def addn(x):
    """The sum of a tuple or list of Tensors of one shape.  Raises ShapeError if there is none."""
    tensors = tensors_of(x, "addn")
    total = tensors[0]
    for t in tensors[1:]:
        total = add(total, t)
    return total


accumulate_n = addn


# -- clipping and repairing -------------------------------------------------------------------------------

def clamp(input, min=None, max=None):
    """Limit the values of a Tensor, or of each Tensor of a list or tuple, to [min, max].

    min, max: numbers, Tensors that broadcast, or None for no limit.  Raises ValueError if both are None.
    """
    if min is None and max is None:
        raise shape_error("clamp needs min or max, or both")
    if isinstance(input, (list, tuple)):
        return sequence_like(input, (clamp(x, min, max) for x in input))
    x = tensor_of(input, "clamp")
    if min is not None:
        x = maximum(x, min)
    return x if max is None else minimum(x, max)


clip = clamp


def clip_by_value(x, clip_value_min=None, clip_value_max=None):
    """As `clamp`, the result keeping the dtype of x."""
    result = clamp(x, clip_value_min, clip_value_max)
    return cast(result, x.dtype) if isinstance(x, Tensor) else result


def nan_to_num(input, nan=None, posinf=None, neginf=None):
    """Replace NaN by `nan` (0), infinities by `posinf` and `neginf` (the largest and smallest finite values)."""
    x = tensor_of(input, "nan_to_num")
    if not x.dtype.is_float:
        return x
    largest = {2: 65504.0, 4: 3.4028234663852886e38, 8: 1.7976931348623157e308}[x.dtype.itemsize]
    largest = 3.3895313892515355e38 if x.dtype is dt.bfloat16 else largest
    x = apply(pw.select, apply(pw.is_nan, x), Tensor(0.0 if nan is None else nan, x.dtype), x)
    infinite = Tensor(math.inf, x.dtype), Tensor(-math.inf, x.dtype)
    x = apply(pw.select, apply(pw.eq, x, infinite[0]), Tensor(largest if posinf is None else posinf, x.dtype), x)
    return apply(pw.select, apply(pw.eq, x, infinite[1]), Tensor(-largest if neginf is None else neginf, x.dtype), x)
