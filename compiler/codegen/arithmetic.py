"""Integer and rounding division, and negation of bits, as Python defines them."""
from __future__ import annotations

import math

from numba.core import types

from graphcore.compiler.codegen.definition import intrinsic
from graphcore.compiler.codegen.values import FUNCTIONS, cast, floor, kernel_function, select


def _floor_quotient(a, b):
    """a // b for integers; 0 for b = 0, and no trap for the smallest number by -1."""
    if b == 0:
        return a * 0
    return -a if b == -1 else a // b


def _floor_remainder(a, b):
    return a * 0 if b == 0 or b == -1 else a % b


@kernel_function(integers=_floor_quotient)
def floor_divide(x, y):
    """floor(x / y)."""
    return floor(x / y)


def _remainder(a, b):
    """a - floor(a / b) * b of float64: exact for quotients below 2^29; by an infinity a itself, or that of its sign."""
    opposite = ((a < 0) & (b > 0)) | ((a > 0) & (b < 0))
    by_infinity = select(opposite, b, a) + (a - a)          # of infinite a: NaN
    return select((b == math.inf) | (b == -math.inf), by_infinity, a - floor(a / b) * b)


@kernel_function(double=_remainder, integers=_floor_remainder)
def floor_mod(x, y):
    """x - floor(x / y) * y: zero or of the sign of y.  Computed in float64."""
    return cast(_remainder(cast(x, "f64"), cast(y, "f64")), "f32")


@intrinsic
def invert(typing, x):
    """not x for a boolean, all bits flipped for an integer."""
    x = types.unliteral(x)
    if not isinstance(x, (types.Integer, types.Boolean)):
        return None

    def generate(context, builder, signature, arguments):
        return builder.not_(arguments[0])
    return x(x), generate


def namespace() -> dict:
    """The names defined here."""
    return {"floor_divide": FUNCTIONS["floor_divide"], "floor_mod": FUNCTIONS["floor_mod"], "invert": invert}
