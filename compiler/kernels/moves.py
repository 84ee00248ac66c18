"""Moving lines and squares of numbers by vectors, as words of the kernel language."""
from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils, types

from graphcore.compiler.codegen.definition import intrinsic
from graphcore.compiler.codegen.pointers import I32, I64, ElementPointer
from graphcore.compiler.codegen.vector_ir import (
    BYTES,
    SUFFIX,
    constant,
    counted_loop,
    floating,
    private_function,
    vector_address,
)

WORD = types.intp
I8 = ir.IntType(8)


@intrinsic(prefer_literal=True)
def copy_vector(typing, target, to, source, at, lanes):
    """target[to + i] = source[at + i] for i < lanes (a literal), all loaded before one is stored."""
    if not (floating(target) and target.element is source.element):
        return None

    def generate(context, builder, signature, arguments):
        element = target.element.memory
        vector = ir.VectorType(element, lanes.literal_value)
        value = builder.load(vector_address(builder, *arguments[2:4], vector), align=BYTES[element])
        builder.store(value, vector_address(builder, *arguments[:2], vector), align=BYTES[element])
        return context.get_dummy_value()
    return types.void(target, WORD, source, WORD, lanes), generate


@intrinsic
def prefetch(typing, source, at):
    """Ask for the cache line of source[at], which need not exist."""
    if not isinstance(source, ElementPointer):
        return None

    def generate(context, builder, signature, arguments):
        pointer = builder.bitcast(builder.gep(arguments[0], [arguments[1]]), I8.as_pointer())
        wish = cgutils.get_or_insert_function(builder.module, ir.FunctionType(
            ir.VoidType(), [I8.as_pointer(), I32, I32, I32]), "llvm.prefetch.p0")
        builder.call(wish, [pointer, ir.Constant(I32, 0), ir.Constant(I32, 3), ir.Constant(I32, 1)])
        return context.get_dummy_value()
    return types.void(source, WORD), generate


@intrinsic(prefer_literal=True)
def copy_line(typing, target, source, count, lanes):
    """target[i] = source[i] for i < count, by vectors of at most `lanes` (a literal); the two do not overlap."""
    return _line_call((target, source), lanes)


@intrinsic(prefer_literal=True)
def zero_line(typing, target, count, lanes):
    """target[i] = 0 for i < count, by vectors of at most `lanes` (a literal)."""
    return _line_call((target,), lanes)


@intrinsic(prefer_literal=True)
def transpose_block(typing, target, target_row, source, source_row, size):
    """target[k*target_row + j] = source[j*source_row + k] for j, k < size, a literal power of two."""
    if not (floating(target) and target.element is source.element):
        return None

    def generate(context, builder, signature, arguments):
        target, target_row, source, source_row = arguments[:4]
        count = size.literal_value
        align = BYTES[signature.args[0].element.memory]
        vector = ir.VectorType(signature.args[0].element.memory, count)
        rows = []
        for _ in range(count):
            rows.append(builder.load(builder.bitcast(source, vector.as_pointer()), align=align))
            source = builder.gep(source, [source_row], inbounds=True)
        for row in _transposed(builder, rows):
            builder.store(row, builder.bitcast(target, vector.as_pointer()), align=align)
            target = builder.gep(target, [target_row], inbounds=True)
        return context.get_dummy_value()
    return types.void(target, WORD, source, WORD, size), generate


def _transposed(builder, rows: list) -> list:
    """The columns of a square of vectors: swap its off-diagonal quarters, then do the same in each quarter."""
    count = len(rows)
    mask_type = ir.VectorType(I32, count)
    half = count // 2
    while half:
        upper = [i if not i & half else count + i - half for i in range(count)]
        lower = [i + half if not i & half else count + i for i in range(count)]
        for r in range(count):
            if not r & half:
                a, b = rows[r], rows[r + half]
                rows[r] = builder.shuffle_vector(a, b, ir.Constant(mask_type, upper))
                rows[r + half] = builder.shuffle_vector(a, b, ir.Constant(mask_type, lower))
        half //= 2
    return rows


def _line_call(pointers: tuple, lanes):
    """Signature and code of `copy_line` and `zero_line`, or None for pointers that they do not take."""
    element = pointers[0].element
    if not all(floating(pointer) and pointer.element is element for pointer in pointers):
        return None

    def generate(context, builder, signature, arguments):
        copies = len(pointers) == 2
        builder.call(_line_function(builder.module, element.memory, lanes.literal_value, copies), arguments[:-1])
        return context.get_dummy_value()
    return types.void(*pointers, WORD, lanes), generate


def _line_function(module, element, lanes: int, copies: bool):
    """void f(target[, source], count): vectors from the start, and a last one that ends at the end of the line.

    A line shorter than a vector is done by two overlapping vectors of half the size, or a quarter, and so on.
    """
    name = f"gc.{'copy' if copies else 'zero'}_line.{SUFFIX[element]}x{lanes}"
    if name in module.globals:
        return module.globals[name]
    function = private_function(module, name, [element.as_pointer()] * (1 + copies) + [I64])
    target, count = function.args[0], function.args[-1]
    builder = ir.IRBuilder(function.append_basic_block("entry"))

    def move(at, size: int) -> list:
        vector = ir.VectorType(element, size)
        value = ir.Constant(vector, [0.0] * size)
        if copies:
            value = builder.load(vector_address(builder, function.args[1], at, vector), align=BYTES[element])
        builder.store(value, vector_address(builder, target, at, vector), align=BYTES[element])
        return []

    long, short, done = (function.append_basic_block(label) for label in ("long", "short", "done"))
    builder.cbranch(builder.icmp_signed(">=", count, constant(lanes)), long, short)
    builder.position_at_end(long)
    before_last = builder.sdiv(builder.sub(count, constant(1)), constant(lanes))
    counted_loop(builder, before_last, [], lambda i, _: move(builder.mul(i, constant(lanes)), lanes))
    move(builder.sub(count, constant(lanes)), lanes)
    builder.branch(done)
    builder.position_at_end(short)
    size = lanes // 2
    while size:
        fits, less = function.append_basic_block(), function.append_basic_block()
        builder.cbranch(builder.icmp_signed(">=", count, constant(size)), fits, less)
        builder.position_at_end(fits)
        move(constant(0), size)
        move(builder.sub(count, constant(size)), size)
        builder.branch(done)
        builder.position_at_end(less)
        size //= 2
    builder.branch(done)
    builder.position_at_end(done)
    builder.ret_void()
    return function


def namespace() -> dict:
    """The names that this module gives to kernels."""
    made = copy_vector, prefetch, copy_line, zero_line, transpose_block
    return {function.__name__: function for function in made}
