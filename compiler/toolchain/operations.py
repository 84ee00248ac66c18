"""Types and instructions of single operations, as Numba's registries and the kernel language define them.

Each is looked up once for each combination of types in a process: the look-up costs far more than the instructions.
"""
from __future__ import annotations

import ast
import operator
from functools import cache
from typing import NamedTuple

from llvmlite import ir
from numba.core import types

from graphcore.compiler.toolchain.contexts import WalkTarget, target_context, typing_context

I1, I64 = ir.IntType(1), ir.IntType(64)


class NotUnderstood(Exception):
    """A text or an operation is none of those that kernels are usually made of."""


class Typed(NamedTuple):
    """A value under construction: its Numba type and its LLVM value."""

    type: types.Type
    ir: ir.Value

    @property
    def number(self) -> int | None:
        """The number that the value is, if the text says so."""
        return self.type.literal_value if isinstance(self.type, types.IntegerLiteral) else None


OPERATORS = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.BitAnd: operator.and_, ast.BitOr: operator.or_,
    ast.BitXor: operator.xor, ast.LShift: operator.lshift, ast.RShift: operator.rshift, ast.USub: operator.neg,
    ast.Not: operator.not_, ast.Invert: operator.invert, ast.Eq: operator.eq, ast.NotEq: operator.ne,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}

_found: dict = {}


@cache
def integer(value: int) -> Typed:
    """A whole number of the text."""
    if not -(1 << 63) <= value < 1 << 63:
        raise NotUnderstood(f"the number {value}")
    return Typed(types.IntegerLiteral(value), ir.Constant(I64, value))


def call(builder, function, arguments: list) -> Typed:
    """Apply a function of the kernel language or a function of Python's module `operator`."""
    definition = getattr(function, "definition", None)
    literal = definition is not None and function.prefer_literal
    given = tuple(a.type if literal else types.unliteral(a.type) for a in arguments)
    key = function, given
    found = _found.get(key)
    if found is None:
        found = _found[key] = _defined(definition, given) if definition else _registered(function, given)
    signature, generate = found
    values = [convert(builder, a, wanted) for a, wanted in zip(arguments, signature.args)]
    return Typed(signature.return_type, generate(builder, signature, values))


def binary(builder, operator_: type, left: Typed, right: Typed) -> Typed:
    """An operator of Python between two values; `operator_` is its class in `ast`."""
    if operator_ not in OPERATORS:
        raise NotUnderstood(operator_.__name__)
    if operator_ in _WHOLE and types.unliteral(left.type) == types.unliteral(right.type) == types.int64:
        return Typed(types.int64, _WHOLE[operator_](builder, left, right))
    return call(builder, OPERATORS[operator_], [left, right])


def unary(builder, operator_: type, value: Typed) -> Typed:
    """An operator of Python on one value; `operator_` is its class in `ast`."""
    if operator_ not in OPERATORS:
        raise NotUnderstood(operator_.__name__)
    return call(builder, OPERATORS[operator_], [value])


def convert(builder, value: Typed, wanted: types.Type) -> ir.Value:
    """`value` as a value of another type."""
    have = types.unliteral(value.type)
    wanted = types.unliteral(wanted)
    if have == wanted:
        return value.ir
    return target_context(WalkTarget).cast(builder, value.ir, have, wanted)


def truth(builder, value: Typed) -> ir.Value:
    """Whether a number is not zero, as an i1."""
    type_ = types.unliteral(value.type)
    if isinstance(type_, types.Boolean):
        return value.ir
    if isinstance(type_, types.Integer):
        return builder.icmp_unsigned("!=", value.ir, ir.Constant(value.ir.type, 0))
    raise NotUnderstood(f"the truth of a {type_}")


def _defined(definition, given: tuple):
    """Signature and instructions of a function of the kernel language."""
    typing, target = typing_context(), target_context(WalkTarget)
    made = definition(typing, *given)
    if not made:
        raise NotUnderstood(f"{definition.__name__} of {given}")
    signature, generate = made
    return signature, lambda builder, signature, values: generate(target, builder, signature, values)


def _registered(function, given: tuple):
    """Signature and instructions of a function that Numba's registries know."""
    typing, target = typing_context(), target_context(WalkTarget)
    callee = typing.resolve_value_type(function)
    signature = callee.get_call_type(typing, given, {})
    implementation = target.get_function(callee, signature)
    return signature, lambda builder, signature, values: implementation(builder, values)


# -- whole numbers: as Numba has them, but without a branch, and with little to do if the text names the divisor -------

def _quotient(builder, left: Typed, right: Typed) -> ir.Value:
    """a // b, rounded down; 0 for b = 0."""
    if right.number and right.number > 0:
        if right.number & right.number - 1 == 0:
            return builder.ashr(left.ir, ir.Constant(I64, right.number.bit_length() - 1))
        quotient, remainder = builder.sdiv(left.ir, right.ir), builder.srem(left.ir, right.ir)
        return builder.add(quotient, builder.ashr(remainder, ir.Constant(I64, 63)))
    impossible, divisor = _divisor(builder, left.ir, right.ir)
    quotient, remainder = builder.sdiv(left.ir, divisor), builder.srem(left.ir, divisor)
    lower = builder.sub(quotient, builder.zext(_other_sign(builder, remainder, divisor), I64))
    return builder.select(impossible, ir.Constant(I64, 0), lower)


def _remainder(builder, left: Typed, right: Typed) -> ir.Value:
    """a % b, of the sign of b; 0 for b = 0."""
    if right.number and right.number > 0:
        if right.number & right.number - 1 == 0:
            return builder.and_(left.ir, ir.Constant(I64, right.number - 1))
        remainder = builder.srem(left.ir, right.ir)
        return builder.add(remainder, builder.and_(builder.ashr(remainder, ir.Constant(I64, 63)), right.ir))
    impossible, divisor = _divisor(builder, left.ir, right.ir)
    remainder = builder.srem(left.ir, divisor)
    upper = builder.add(remainder, builder.select(_other_sign(builder, remainder, divisor), divisor,
                                                  ir.Constant(I64, 0)))
    return builder.select(impossible, ir.Constant(I64, 0), upper)


def _divisor(builder, a, b) -> tuple:
    """Whether a / b has no result that CPUs can give, and b, or 1 in its place there."""
    least = builder.and_(builder.icmp_signed("==", a, ir.Constant(I64, -1 << 63)),
                         builder.icmp_signed("==", b, ir.Constant(I64, -1)))
    impossible = builder.or_(builder.icmp_signed("==", b, ir.Constant(I64, 0)), least)
    return impossible, builder.select(impossible, ir.Constant(I64, 1), b)


def _other_sign(builder, remainder, divisor) -> ir.Value:
    """Whether a remainder is not zero and has another sign than the divisor."""
    differs = builder.icmp_signed("<", builder.xor(remainder, divisor), ir.Constant(I64, 0))
    return builder.and_(builder.icmp_signed("!=", remainder, ir.Constant(I64, 0)), differs)


_WHOLE = {ast.FloorDiv: _quotient, ast.Mod: _remainder}


def end_of_range(builder, start, stop, step) -> Typed:
    """Where ``start + i*step`` of ``range(start, stop, step)`` ends: the first of these values that is not in it."""
    zero, one = ir.Constant(I64, 0), ir.Constant(I64, 1)
    distance = builder.sub(stop, start)
    forwards = builder.icmp_signed(">", distance, zero)
    empty = builder.xor(forwards, builder.icmp_signed(">", step, zero))
    divisor = builder.select(builder.icmp_signed("==", step, zero), one, step)
    more = builder.icmp_signed("!=", builder.srem(distance, divisor), zero)
    count = builder.add(builder.sdiv(distance, divisor), builder.zext(more, I64))
    count = builder.select(empty, zero, count)
    return Typed(types.int64, builder.add(start, builder.mul(count, step)))


def calculated(operator_: type, left: Typed, right: Typed) -> Typed | None:
    """A sum, difference or product of two whole numbers of the text, which Python calculates too; else None."""
    if left.number is None or right.number is None or operator_ not in (ast.Add, ast.Sub, ast.Mult):
        return None
    return integer(OPERATORS[operator_](left.number, right.number))
