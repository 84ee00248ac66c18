"""Random numbers in kernels: Philox, functions from a key and a counter to bits.

The same key, site and index give the same number in any order, on any thread and in the backward pass.  The bits and
the uniform numbers equal those of `graphcore.ops.philox`, which says what is computed.
"""
from __future__ import annotations

from llvmlite import ir
from numba.core import types
from numba.extending import lower_builtin, type_callable

from graphcore.compiler.codegen.mathfun import log
from graphcore.compiler.codegen.trigonometry import HALF_PI, sine_and_cosine_near_zero
from graphcore.compiler.codegen.values import F32, I32, I64, Value, cast, rint, select, sqrt
from graphcore.ops import philox

_FUNCTIONS: dict = {}


def _low(builder, value):
    return builder.trunc(value, I32)


def _high(builder, value):
    return builder.trunc(builder.lshr(value, ir.Constant(I64, 32)), I32)


def _product(builder, word, factor: int):
    """The upper and lower half of the product of 32-bit words."""
    product = builder.mul(builder.zext(word, I64), ir.Constant(I64, factor))
    return _high(builder, product), _low(builder, product)


def _stream(builder, key0, key1, site) -> list:
    """The two words that stand for keys and site; the same for all elements, so LLVM takes it out of loops."""
    counter = [_low(builder, site), _high(builder, site), _high(builder, key0), _high(builder, key1)]
    key = [_low(builder, key0), _low(builder, key1)]
    for number in range(philox.ROUNDS):
        if number:
            key = [builder.add(word, ir.Constant(I32, step)) for word, step in zip(key, philox.KEY_STEPS4)]
        (high0, low0), (high1, low1) = (_product(builder, word, factor)
                                        for word, factor in zip((counter[0], counter[2]), philox.FACTORS4))
        counter = [builder.xor(builder.xor(high1, counter[1]), key[0]), low1,
                   builder.xor(builder.xor(high0, counter[3]), key[1]), low0]
    return counter[:2]


def _words(builder, key0, key1, site, index) -> list:
    """Two random 32-bit words for 64-bit arguments."""
    stream, key = _stream(builder, key0, key1, site)
    first, second = _low(builder, index), builder.xor(_high(builder, index), stream)
    for number in range(philox.ROUNDS):
        if number:
            key = builder.add(key, ir.Constant(I32, philox.KEY_STEP2))
        high, low = _product(builder, first, philox.FACTOR2)
        first, second = builder.xor(builder.xor(high, key), second), low
    return [first, second]


def _uniform(builder, word):
    """24 bits of `word` as a float32 in [0, 1)."""
    whole = builder.uitofp(builder.lshr(word, ir.Constant(I32, 8)), F32)
    return builder.fmul(whole, ir.Constant(F32, philox.UNIFORM_STEP))


def _random(result: types.Type):
    """Decorator: make ``generate(builder, key0, key1, site, index)`` a name of the kernel language."""
    def register(generate):
        @type_callable(generate)
        def type_function(context):
            def typer(key0, key1, site, index):
                if all(isinstance(a, types.Integer) for a in (key0, key1, site, index)):
                    return result
                return None
            return typer

        @lower_builtin(generate, *[types.Any] * 4)
        def lower(context, builder, signature, arguments):
            return generate(builder, *(context.cast(builder, argument, type_, types.int64)
                                       for argument, type_ in zip(arguments, signature.args)))

        _FUNCTIONS[generate.__name__] = generate
        return generate
    return register


@_random(types.uint32)
def philox_bits(builder, key0, key1, site, index):
    """32 random bits."""
    return _words(builder, key0, key1, site, index)[0]


@_random(types.float32)
def philox_uniform(builder, key0, key1, site, index):
    """A float32 in [0, 1), one of 2**24 equally likely values."""
    return _uniform(builder, _words(builder, key0, key1, site, index)[0])


@_random(types.float32)
def philox_normal(builder, key0, key1, site, index):
    """A float32 of the standard normal distribution, by the method of Box and Muller."""
    words = _words(builder, key0, key1, site, index)
    radius, turn = (Value(builder, _uniform(builder, word)) for word in words)
    quarters = cast(turn, "f64") * 4.0
    number = rint(quarters)
    sine, cosine = sine_and_cosine_near_zero((quarters - number) * HALF_PI)
    size = select(number == 1.0, -sine, cosine)
    size = select(number == 2.0, -cosine, select(number == 3.0, sine, size))
    return (sqrt(log(1.0 - radius) * -2.0) * cast(size, "f32")).ir


def namespace() -> dict:
    """The names that this module gives to kernels."""
    return dict(_FUNCTIONS)
