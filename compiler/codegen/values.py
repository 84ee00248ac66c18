"""Numbers that a mathematical function can be written for once and read in two ways.

A function written with `Value` operators and the helpers below is *run* to be compiled: called with `Value`s it leaves
LLVM instructions behind, called with NumPy numbers or arrays it calculates.  Such functions have no branches, so
loops around them vectorise, and building one takes a millisecond where type inference of the same text takes thirty.

Python numbers in an expression take the kind of the other operand.  Floating-point additions and multiplications bear
``contract`` and nothing else, whatever the flags of the function around them: two-part constants stay two-part.
"""
from __future__ import annotations

import inspect
import math

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import lower_builtin, type_callable

I1, I32, I64, F32, F64 = ir.IntType(1), ir.IntType(32), ir.IntType(64), ir.FloatType(), ir.DoubleType()
_TYPES = {"f32": F32, "f64": F64, "i32": I32, "i64": I64}
_NUMPY = {"f32": np.float32, "f64": np.float64, "i32": np.int32, "i64": np.int64}
_SAME_WIDTH = {F32: I32, I32: F32, F64: I64, I64: F64,
               "float32": np.int32, "int32": np.float32, "float64": np.int64, "int64": np.float64}


class Value:
    """An LLVM value under construction: float, double, i32, i64 or i1."""

    __slots__ = ("builder", "ir")
    __array_ufunc__ = None      # NumPy scalars on the left leave the operation to us

    def __init__(self, builder, value):
        self.builder, self.ir = builder, value

    @property
    def is_float(self) -> bool:
        return self.ir.type in (F32, F64)

    def like(self, other) -> ir.Value:
        """`other`, a Value or a Python number, as an operand beside this one."""
        return other.ir if isinstance(other, Value) else ir.Constant(self.ir.type, other)

    def _arithmetic(self, floating: str, integer: str, left, right) -> Value:
        if self.is_float:
            return Value(self.builder, getattr(self.builder, floating)(left, right, flags=("contract",)))
        return Value(self.builder, getattr(self.builder, integer)(left, right))

    def __add__(self, other):
        return self._arithmetic("fadd", "add", self.ir, self.like(other))

    def __radd__(self, other):
        return self._arithmetic("fadd", "add", self.like(other), self.ir)

    def __sub__(self, other):
        return self._arithmetic("fsub", "sub", self.ir, self.like(other))

    def __rsub__(self, other):
        return self._arithmetic("fsub", "sub", self.like(other), self.ir)

    def __mul__(self, other):
        return self._arithmetic("fmul", "mul", self.ir, self.like(other))

    def __rmul__(self, other):
        return self._arithmetic("fmul", "mul", self.like(other), self.ir)

    def __truediv__(self, other):
        return Value(self.builder, self.builder.fdiv(self.ir, self.like(other)))

    def __rtruediv__(self, other):
        return Value(self.builder, self.builder.fdiv(self.like(other), self.ir))

    def __neg__(self):
        return Value(self.builder, self.builder.fneg(self.ir) if self.is_float else self.builder.neg(self.ir))

    def __and__(self, other):
        return Value(self.builder, self.builder.and_(self.ir, self.like(other)))

    def __or__(self, other):
        return Value(self.builder, self.builder.or_(self.ir, self.like(other)))

    def __xor__(self, other):
        return Value(self.builder, self.builder.xor(self.ir, self.like(other)))

    def __lshift__(self, count):
        return Value(self.builder, self.builder.shl(self.ir, self.like(count)))

    def __rshift__(self, count):
        return Value(self.builder, self.builder.ashr(self.ir, self.like(count)))

    def _compare(self, operator: str, other) -> Value:
        if not self.is_float:
            return Value(self.builder, self.builder.icmp_signed(operator, self.ir, self.like(other)))
        compare = self.builder.fcmp_unordered if operator == "!=" else self.builder.fcmp_ordered
        return Value(self.builder, compare(operator, self.ir, self.like(other)))

    def __lt__(self, other):
        return self._compare("<", other)

    def __le__(self, other):
        return self._compare("<=", other)

    def __gt__(self, other):
        return self._compare(">", other)

    def __ge__(self, other):
        return self._compare(">=", other)

    def __eq__(self, other):
        return self._compare("==", other)

    def __ne__(self, other):
        return self._compare("!=", other)

    __hash__ = None

    def __bool__(self):
        raise TypeError("a value under construction has no truth: use select(condition, a, b)")

    def call(self, name: str, *others) -> Value:
        """The C function or LLVM intrinsic `name` of this and other values of one type; the result has it too."""
        type_ = self.ir.type
        arguments = [self.ir, *map(self.like, others)]
        if name.startswith("llvm."):
            name += ".f32" if type_ == F32 else ".f64"
        signature = ir.FunctionType(type_, [type_] * len(arguments))
        function = cgutils.get_or_insert_function(self.builder.module, signature, name)
        return Value(self.builder, self.builder.call(function, arguments))


def select(condition, a, b):
    """`a` where `condition` holds, else `b`; both are computed."""
    if not isinstance(condition, Value):
        return np.where(condition, a, b)[()]
    like = a if isinstance(a, Value) else b
    return Value(condition.builder, condition.builder.select(condition.ir, like.like(a), like.like(b)))


def cast(x, kind: str):
    """`x` as 'f32', 'f64' (from either) or, rounded towards zero, as 'i32', 'i64' (also between integers)."""
    if not isinstance(x, Value):
        return x.astype(_NUMPY[kind])
    builder, target = x.builder, _TYPES[kind]
    if x.ir.type == target:
        return x
    if x.is_float and kind[0] == "f":
        return Value(builder, (builder.fpext if kind == "f64" else builder.fptrunc)(x.ir, target))
    if x.is_float:
        return Value(builder, builder.fptosi(x.ir, target))
    if kind[0] == "f":
        return Value(builder, builder.sitofp(x.ir, target))
    return Value(builder, (builder.sext if kind == "i64" else builder.trunc)(x.ir, target))


def bits(x):
    """The bits of a float as the integer of the same width, and of an integer as the float."""
    if not isinstance(x, Value):
        return x.view(_SAME_WIDTH[x.dtype.name])
    return Value(x.builder, x.builder.bitcast(x.ir, _SAME_WIDTH[x.ir.type]))


def constant(value: float, like):
    """A float constant of the kind of `like`."""
    return Value(like.builder, ir.Constant(like.ir.type, value)) if isinstance(like, Value) else like.dtype.type(value)


def _unary(name: str, calculate):
    """A helper that is one LLVM intrinsic of a float."""
    def apply(x):
        return x.call(f"llvm.{name}") if isinstance(x, Value) else calculate(x)
    apply.__name__ = name
    return apply


fabs, sqrt = _unary("fabs", np.abs), _unary("sqrt", np.sqrt)
floor, rint = _unary("floor", np.floor), _unary("nearbyint", np.rint)


def copysign(magnitude, sign):
    """`magnitude` (a float) with the sign of `sign`."""
    if not isinstance(magnitude, Value):
        return np.copysign(magnitude, sign)
    return magnitude.call("llvm.copysign", sign)


def polynomial(x, *coefficients):
    """c0 + c1*x + c2*x**2 ..., by Horner's rule."""
    result = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        result = result * x + c
    return result


# -- functions made of such texts ------------------------------------------------------------------------------------

FUNCTIONS: dict = {}


def c_function(name: str):
    """The C library's function `name` as a text, for float64."""
    calculate = getattr(np, name, None) or np.vectorize(getattr(math, name), otypes="d")
    return lambda x, *others: x.call(name, *others) if isinstance(x, Value) else calculate(x, *others)


def kernel_function(double=None, integers=None):
    """Decorator: make a function of float32 values a name of the kernel language, listed in `FUNCTIONS`.

    `double` stands in for it on float64: the name of a C function, or a text (default: the same text).  `integers` is
    a plain function for integers; without it they become float64.  Any float64 argument makes all float64.
    The result is still called with Values by other texts, and with NumPy values it calculates.
    """
    def register(text):
        on_doubles = c_function(double) if isinstance(double, str) else double or text
        arity = len(inspect.signature(text).parameters)

        def function(*arguments):
            if isinstance(arguments[0], Value):
                return text(*arguments)
            kinds = {np.asarray(a).dtype.kind for a in arguments}
            with np.errstate(all="ignore"):
                if all(np.asarray(a).dtype == np.float32 for a in arguments):
                    return text(*arguments)
                if integers is not None and kinds <= set("iu"):
                    return integers(*arguments)
                return on_doubles(*(np.asarray(a, np.float64)[()] for a in arguments))

        function.__name__ = function.__qualname__ = text.__name__
        function.__doc__, function.__module__ = text.__doc__, text.__module__

        def result_type(*arguments):
            arguments = {types.unliteral(a) for a in arguments}
            if not all(isinstance(a, (types.Number, types.Boolean)) for a in arguments):
                return None
            if integers is not None and all(isinstance(a, types.Integer) for a in arguments):
                return max(arguments, key=lambda a: a.bitwidth)
            return types.float32 if arguments == {types.float32} else types.float64

        @type_callable(function)
        def type_function(context):
            return result_type_of[arity](result_type)

        @lower_builtin(function, *[types.Any] * arity)
        def lower(context, builder, signature, arguments):
            result = signature.return_type
            if isinstance(result, types.Integer):
                return context.compile_internal(builder, integers, signature, arguments)
            chosen = text if result == types.float32 else on_doubles
            values = (Value(builder, context.cast(builder, argument, type_, result))
                      for argument, type_ in zip(arguments, signature.args))
            return chosen(*values).ir

        FUNCTIONS[text.__name__] = function
        return function
    return register


#: Numba wants the parameters of a typing function written out.
result_type_of = {1: lambda typer: lambda x: typer(x), 2: lambda typer: lambda x, y: typer(x, y)}
