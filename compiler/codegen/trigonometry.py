"""Trigonometric functions of kernels, in the manner of `mathfun`: float64 inside, for arguments of any size."""
from __future__ import annotations

import math

from graphcore.compiler.codegen.mathfun import ROUNDER64
from graphcore.compiler.codegen.values import (
    bits,
    cast,
    constant,
    copysign,
    fabs,
    kernel_function,
    polynomial,
    rint,
    select,
    sqrt,
)

HALF_PI = 1.5707963267948966
#: 2/pi in pieces of 29 bits: the product of each with a float32 is exact in float64.
TWO_OVER_PI = tuple(math.ldexp(piece, -29 * (k + 1)) for k, piece in enumerate(
    (0x145F306D, 0x19391054, 0x14FE13AB, 0x1D1F534D, 0x1B81B6C5, 0x05664F10, 0x1C820FF2)))


def _sine_and_cosine(x):
    """sin and cos of the float32 x's distance to the nearest multiple of pi/2 (float64), and that multiple's number."""
    wide = cast(x, "f64")
    first, *others = (wide * piece for piece in TWO_OVER_PI)
    first, *others = (turn - rint(turn * 0.25) * 4.0 for turn in (first, *others))  # no whole turns; exact
    whole = first + ROUNDER64
    rest = first - (whole - ROUNDER64)
    for turn in others:
        rest = rest + turn
    shifted = rest + ROUNDER64
    sine, cosine = sine_and_cosine_near_zero((rest - (shifted - ROUNDER64)) * HALF_PI)
    return sine, cosine, bits(whole) + bits(shifted)


def sine_and_cosine_near_zero(a):
    """sin(a), cos(a) for a float64 |a| <= pi/4, to 1e-14."""
    square = a * a
    sine = a + a * square * polynomial(square, -0.16666666666631294, 0.008333333325217063, -0.00019841263792083792,
                                       2.7555351005816626e-06, -2.4761151304554876e-08)
    cosine = 1.0 - square * 0.5 + square * square * polynomial(
        square, 0.041666666666595215, -0.0013888888877453295, 2.480158064644448e-05, -2.7555513439977667e-07)
    return sine, cosine


def _negate_if(condition, x):
    return select(condition, -x, x)


@kernel_function(double="sin")
def sin(x):
    """The sine, x in radians."""
    sine, cosine, number = _sine_and_cosine(x)
    result = _negate_if((number & 2) != 0, select((number & 1) != 0, cosine, sine))
    return select(x == 0.0, x, cast(result, "f32"))


@kernel_function(double="cos")
def cos(x):
    """The cosine, x in radians."""
    sine, cosine, number = _sine_and_cosine(x)
    return cast(_negate_if(((number + 1) & 2) != 0, select((number & 1) != 0, sine, cosine)), "f32")


@kernel_function(double="tan")
def tan(x):
    """The tangent, x in radians."""
    sine, cosine, number = _sine_and_cosine(x)
    odd = (number & 1) != 0
    result = select(odd, -cosine, sine) / select(odd, sine, cosine)
    return select(x == 0.0, x, cast(result, "f32"))


def _angle(y, x):
    """atan2 in float64."""
    high, wide = fabs(y), fabs(x)
    steep = high > wide
    small, large = select(steep, wide, high), select(steep, high, wide)
    ratio = select(small == large, 1.0, small / large)
    ratio = select(large == 0.0, 0.0, ratio)
    square = ratio * ratio
    angle = ratio + ratio * square * polynomial(
        square, -0.33333332235214774, 0.19999932192669317, -0.14284250787129027, 0.11095201802904868,
        -0.08988788980003157, 0.07269375143275553, -0.05470431560343478, 0.034704451947630645, -0.016471303762184406,
        0.00499925256151066, -0.0007112931674536908)
    angle = select(steep, HALF_PI - angle, angle)
    angle = select(bits(x) < 0, math.pi - angle, angle)
    return select((x == x) & (y == y), copysign(angle, y), x + y)


@kernel_function(double="atan2")
def atan2(y, x):
    """The angle of the point (x, y), in [-pi, pi]; signed zeros tell the sides of the cut apart."""
    return cast(_angle(cast(y, "f64"), cast(x, "f64")), "f32")


@kernel_function(double="atan")
def atan(x):
    """The inverse of tan."""
    wide = cast(x, "f64")
    return cast(_angle(wide, constant(1.0, wide)), "f32")


@kernel_function(double="asin")
def asin(x):
    """The inverse of sin; NaN outside [-1, 1]."""
    wide = cast(x, "f64")
    return cast(_angle(wide, sqrt((1.0 - wide) * (1.0 + wide))), "f32")


@kernel_function(double="acos")
def acos(x):
    """The inverse of cos; NaN outside [-1, 1]."""
    wide = cast(x, "f64")
    return cast(_angle(sqrt((1.0 - wide) * (1.0 + wide)), wide), "f32")
