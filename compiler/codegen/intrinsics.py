"""Arithmetic of the kernel language that Python's operators do not give.

Everything here compiles to a few instructions and vectorises.  Floating-point flags: kernels are compiled with
``contract`` alone; `accumulate` adds ``reassoc`` to its one addition, and `maximum`/`minimum` keep NaN but not the sign
of zero.  Python float literals are float64: write ``f32(0.5)`` in float32 kernels.
"""
from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils, types

from graphcore.compiler.codegen.definition import intrinsic
from graphcore.compiler.codegen.pointers import F32, F64, I32, I64, POINTER, convert

CASTS = {"f32": types.float32, "f64": types.float64, "bool": types.boolean,
         "i8": types.int8, "i16": types.int16, "i32": types.int32, "i64": types.int64,
         "u8": types.uint8, "u16": types.uint16, "u32": types.uint32, "u64": types.uint64}

LIBM_UNARY = ("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos", "atan",
              "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "tgamma", "lgamma", "cbrt")
LIBM_BINARY = ("pow", "atan2", "fmod", "hypot")


def _cast(name: str, target: types.Type):
    def cast(typing, x):
        x = types.unliteral(x)
        if not isinstance(x, (types.Number, types.Boolean)):
            return None

        def generate(context, builder, signature, arguments):
            return convert(context, builder, arguments[0], x, target)
        return target(x), generate

    cast.__name__, cast.__doc__ = name, f"x as {target}; integers wrap around, fractions are cut off."
    return intrinsic(cast)


@intrinsic
def accumulate(typing, total, value):
    """``total + value`` in an order that the compiler may change, so that sums in a loop vectorise.

    The result has the type of `total`.  The order depends on the kernel's code alone, never on the thread count.
    """
    if not isinstance(total, (types.Integer, types.Float)):
        return None
    total, value = types.unliteral(total), types.unliteral(value)

    def generate(context, builder, signature, arguments):
        right = convert(context, builder, arguments[1], value, total)
        if isinstance(total, types.Integer):
            return builder.add(arguments[0], right)
        return builder.fadd(arguments[0], right, flags=("reassoc", "contract"))
    return total(total, value), generate


def _extremum(name: str, floating: str, comparison: str):
    def choose(typing, a, b):
        common = _common_number(typing, a, b)
        if common is None:
            return None

        def generate(context, builder, signature, arguments):
            left, right = (convert(context, builder, argument, type_, common)
                           for argument, type_ in zip(arguments, signature.args))
            if isinstance(common, types.Float):
                function = _llvm_function(builder, floating, left.type, 2)
                return builder.call(function, [left, right], fastmath=("nsz",))
            compare = builder.icmp_signed if getattr(common, "signed", False) else builder.icmp_unsigned
            return builder.select(compare(comparison, left, right), left, right)
        return common(types.unliteral(a), types.unliteral(b)), generate

    choose.__name__ = name
    choose.__doc__ = f"The {name} of two numbers; NaN if either is NaN."
    return intrinsic(choose)


maximum = _extremum("maximum", "maximum", ">")
minimum = _extremum("minimum", "minimum", "<")


@intrinsic
def absolute(typing, x):
    """x without its sign; the least signed integer stays as it is."""
    x = types.unliteral(x)
    if not isinstance(x, (types.Float, types.Integer)):
        return None

    def generate(context, builder, signature, arguments):
        [value] = arguments
        if isinstance(x, types.Float):
            return builder.call(_llvm_function(builder, "fabs", value.type, 1), arguments)
        if not x.signed:
            return value
        return builder.select(builder.icmp_signed("<", value, ir.Constant(value.type, 0)), builder.neg(value), value)
    return x(x), generate


@intrinsic
def fma(typing, a, b, c):
    """``a * b + c`` with one rounding."""
    common = _common_number(typing, a, b, c)
    if not isinstance(common, types.Float):
        return None

    def generate(context, builder, signature, arguments):
        values = [convert(context, builder, argument, type_, common)
                  for argument, type_ in zip(arguments, signature.args)]
        return builder.call(_llvm_function(builder, "fma", values[0].type, 3), values)
    return common(*map(types.unliteral, (a, b, c))), generate


@intrinsic
def select(typing, condition, a, b):
    """`a` where `condition` is true, else `b`; both are computed, no branch is made."""
    common = _common_number(typing, a, b)
    if common is None or not isinstance(condition, (types.Boolean, types.Integer)):
        return None

    def generate(context, builder, signature, arguments):
        test = convert(context, builder, arguments[0], signature.args[0], types.boolean)
        left, right = (convert(context, builder, argument, type_, common)
                       for argument, type_ in zip(arguments[1:], signature.args[1:]))
        return builder.select(test, left, right)
    return common(*map(types.unliteral, (condition, a, b))), generate


def _rounding(name: str, intrinsic_name: str, summary: str):
    def apply(typing, x):
        x = types.unliteral(x)
        if not isinstance(x, (types.Float, types.Integer)):
            return None

        def generate(context, builder, signature, arguments):
            if isinstance(x, types.Integer):
                return arguments[0]
            return builder.call(_llvm_function(builder, intrinsic_name, arguments[0].type, 1), arguments)
        return x(x), generate

    apply.__name__, apply.__doc__ = name, summary
    return intrinsic(apply)


floor = _rounding("floor", "floor", "The greatest whole number not above x, in x's own type.")
ceil = _rounding("ceil", "ceil", "The least whole number not below x, in x's own type.")
trunc = _rounding("trunc", "trunc", "x without its fraction, in x's own type.")
rint = _rounding("rint", "nearbyint", "The whole number nearest to x, ties to even, in x's own type.")


@intrinsic
def sqrt(typing, x):
    """The square root, correctly rounded; NaN below zero."""
    x = types.unliteral(x)
    if not isinstance(x, types.Float):
        return None

    def generate(context, builder, signature, arguments):
        return builder.call(_llvm_function(builder, "sqrt", arguments[0].type, 1), arguments)
    return x(x), generate


@intrinsic
def copysign(typing, x, sign):
    """`x` with the sign bit of `sign` (of one floating type)."""
    x, sign = types.unliteral(x), types.unliteral(sign)
    if not isinstance(x, types.Float) or x != sign:
        return None

    def generate(context, builder, signature, arguments):
        return builder.call(_llvm_function(builder, "copysign", arguments[0].type, 2), arguments)
    return x(x, sign), generate


def _float_test(name: str, summary: str, test):
    def apply(typing, x):
        x = types.unliteral(x)
        if not isinstance(x, (types.Number, types.Boolean)):
            return None

        def generate(context, builder, signature, arguments):
            if not isinstance(x, types.Float):
                return ir.Constant(ir.IntType(1), int(name == "isfinite"))
            magnitude = builder.call(_llvm_function(builder, "fabs", arguments[0].type, 1), arguments)
            return test(builder, magnitude, ir.Constant(magnitude.type, float("inf")))
        return types.boolean(x), generate

    apply.__name__, apply.__doc__ = name, summary
    return intrinsic(apply)


isnan = _float_test("isnan", "Whether x is NaN.", lambda b, x, infinity: b.fcmp_unordered("uno", x, x))
isinf = _float_test("isinf", "Whether x is infinite.", lambda b, x, infinity: b.fcmp_ordered("==", x, infinity))
isfinite = _float_test("isfinite", "Whether x is a finite number.",
                       lambda b, x, infinity: b.fcmp_ordered("<", x, infinity))


def _bitcast(name: str, source: types.Type, target: types.Type):
    def reinterpret(typing, x):
        def generate(context, builder, signature, arguments):
            return builder.bitcast(arguments[0], context.get_value_type(target))
        return target(source), generate

    reinterpret.__name__ = name
    reinterpret.__doc__ = f"The bits of a {source} as a {target}."
    return intrinsic(reinterpret)


bitcast_f32_i32 = _bitcast("bitcast_f32_i32", types.float32, types.int32)
bitcast_i32_f32 = _bitcast("bitcast_i32_f32", types.int32, types.float32)
bitcast_f64_i64 = _bitcast("bitcast_f64_i64", types.float64, types.int64)
bitcast_i64_f64 = _bitcast("bitcast_i64_f64", types.int64, types.float64)


@intrinsic
def mulhi_u32(typing, a, b):
    """The upper 32 bits of the product of two uint32 (other integers are cut to 32 bits first)."""
    def generate(context, builder, signature, arguments):
        product = builder.mul(*(builder.zext(argument, I64) for argument in arguments))
        return builder.trunc(builder.lshr(product, ir.Constant(I64, 32)), I32)
    return types.uint32(types.uint32, types.uint32), generate


@intrinsic
def mullo_u32(typing, a, b):
    """The lower 32 bits of the product of two uint32 (other integers are cut to 32 bits first)."""
    def generate(context, builder, signature, arguments):
        return builder.mul(*arguments)
    return types.uint32(types.uint32, types.uint32), generate


@intrinsic
def add_u32(typing, a, b):
    """The sum of two uint32 modulo 2**32 (other integers are cut to 32 bits first)."""
    def generate(context, builder, signature, arguments):
        return builder.add(*arguments)
    return types.uint32(types.uint32, types.uint32), generate


@intrinsic
def call_kernel(typing, kernel, row, begin, end, worker):
    """Call the kernel at the address `kernel` with the row at the address `row` for the items begin..end."""
    def generate(context, builder, signature, arguments):
        type_ = ir.FunctionType(ir.VoidType(), [POINTER, I64, I64, I64])
        function = builder.inttoptr(arguments[0], type_.as_pointer())
        builder.call(function, [builder.inttoptr(arguments[1], POINTER), *arguments[2:]])
        return context.get_dummy_value()
    return types.void(*[types.intp] * 5), generate


def _libm(name: str, arity: int):
    """A scalar function of the C library, for float64 (and float32, as ``namef``).  Does not vectorise."""
    def signature_of(x):
        x = types.unliteral(x)
        return x if x in (types.float32, types.float64) else None

    def generate(context, builder, signature, arguments):
        single = signature.return_type == types.float32
        type_ = F32 if single else F64
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(type_, [type_] * arity), name + "f" * single)
        return builder.call(function, arguments)

    def unary(typing, x):
        type_ = signature_of(x)
        return type_ and (type_(type_), generate)

    def binary(typing, x, y):
        type_ = signature_of(x)
        return type_ and (type_(type_, type_), generate)

    function = unary if arity == 1 else binary
    function.__name__, function.__doc__ = f"libm_{name}", f"The C library's {name}."
    return intrinsic(function)


def _common_number(typing, *operands):
    """The type that all operands convert to, or None."""
    operands = [types.unliteral(operand) for operand in operands]
    if not all(isinstance(operand, (types.Integer, types.Float, types.Boolean)) for operand in operands):
        return None
    return operands[0] if len(set(operands)) == 1 else typing.unify_types(*operands)


def _llvm_function(builder, name: str, type_, arity: int):
    """LLVM's own function ``llvm.<name>`` for a floating type."""
    suffix = {F32: "f32", F64: "f64"}[type_]
    return cgutils.get_or_insert_function(builder.module, ir.FunctionType(type_, [type_] * arity),
                                          f"llvm.{name}.{suffix}")


def namespace() -> dict:
    """The names that this module gives to kernels."""
    made = (accumulate, maximum, minimum, fma, select, floor, ceil, trunc, rint, sqrt, copysign, isnan, isinf, isfinite,
            bitcast_f32_i32, bitcast_i32_f32, bitcast_f64_i64, bitcast_i64_f64, mulhi_u32, mullo_u32, add_u32,
            call_kernel)
    names = {function.__name__: function for function in made}
    names |= {"max": maximum, "min": minimum, "abs": absolute}
    names |= {name: _cast(name, target) for name, target in CASTS.items()}
    names |= {f"libm_{name}": _libm(name, 1) for name in LIBM_UNARY}
    names |= {f"libm_{name}": _libm(name, 2) for name in LIBM_BINARY}
    return names
