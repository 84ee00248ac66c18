"""Register tiles: the innermost loops of matrix products and convolutions, as words of the kernel language.

A tile is a block of the result that stays in vector registers while the sum over the inner axis runs.  Its geometry
follows the CPU (`blocking.Tile`) and stands in the kernel's text as literal numbers, so that the text says all.
Each number of rows has a function of its own in the kernel's module; they are reached by a tree of comparisons and
not by a jump table, which would need relocations that ahead-of-time libraries do without.
"""
from __future__ import annotations

from llvmlite import ir
from numba.core import cgutils, types

from graphcore.compiler.codegen.definition import intrinsic
from graphcore.compiler.codegen.pointers import I32, I64, ElementPointer
from graphcore.compiler.codegen.vector_ir import (
    BYTES,
    SUFFIX,
    address,
    constant,
    counted_loop,
    floating,
    private_function,
    vector_address,
)

WORD = types.intp


@intrinsic(prefer_literal=True)
def outer_tile(typing, rows, a, across, along, b, steps, depth, c, c_row, add, max_rows, vectors, lanes):
    """c[r*c_row + j] = sum over k < depth of a[r*across + k*along] * b[steps[k] + j], for r < rows, j < vectors*lanes.

    `steps` points to i64.  With `add` other than 0 the sum is added to what c holds.  1 <= rows <= max_rows;
    max_rows, vectors and lanes are literals.
    """
    signature = types.void(WORD, a, WORD, WORD, b, steps, WORD, c, WORD, WORD, max_rows, vectors, lanes)
    return floating(a) and (signature, _tile_call(_StridedRows, a.element.memory, 5, max_rows, vectors, lanes))


@intrinsic(prefer_literal=True)
def gathering_tile(typing, rows, a, places, steps, b, depth, c, c_row, add, max_rows, vectors, lanes, pitch):
    """c[r*c_row + j] = sum over k < depth of a[places[r] + steps[k]] * b[k*pitch + j], as `outer_tile` otherwise.

    Here it is the left operand that is read where tables (of i64) say; `pitch` is a literal.
    """
    signature = types.void(WORD, a, places, steps, b, WORD, c, WORD, WORD, max_rows, vectors, lanes, pitch)
    left = _scattered_rows(pitch.literal_value)
    return floating(a) and (signature, _tile_call(left, a.element.memory, 4, max_rows, vectors, lanes))


@intrinsic(prefer_literal=True)
def dot_tile(typing, rows, a, a_places, b, b_places, count, sums, max_rows, columns, lanes):
    """sums[(r*columns + j)*lanes + l] += sum of a[a_places[r] + i] * b[b_places[j] + i] over i = l + v*lanes.

    v runs up to `count`: the inner axis lies in the lanes, and their sums are left apart.
    Both tables are of i64; 1 <= rows <= max_rows; max_rows, columns and lanes are literals.
    """
    if not floating(a):
        return None

    def generate(context, builder, signature, arguments):
        rows, *rest = arguments[:7]

        def call(size: int) -> None:
            builder.call(_dot_function(builder.module, [value.type for value in rest], a.element.memory, size,
                                       columns.literal_value, lanes.literal_value), rest)
        _by_size(builder, rows, max_rows.literal_value, call)
        return context.get_dummy_value()
    return types.void(WORD, a, a_places, b, b_places, WORD, sums, max_rows, columns, lanes), generate


@intrinsic
def call_with(typing, kernel, begin, end, worker, *words):
    """Call the kernel at the address `kernel` for the items begin..end with a row of these numbers and pointers."""
    if not all(isinstance(word, (types.Integer, ElementPointer)) for word in words):
        return None

    def generate(context, builder, signature, arguments):
        with builder.goto_entry_block():
            row = builder.alloca(ir.ArrayType(I64, len(words)))
        for i, (value, type_) in enumerate(zip(arguments[4:], signature.args[4:])):
            value = builder.ptrtoint(value, I64) if isinstance(type_, ElementPointer) else value
            builder.store(value, builder.gep(row, [constant(0), constant(i)], inbounds=True))
        entry = ir.FunctionType(ir.VoidType(), [I64.as_pointer(), I64, I64, I64]).as_pointer()
        builder.call(builder.inttoptr(arguments[0], entry), [builder.bitcast(row, I64.as_pointer()), *arguments[1:4]])
        return context.get_dummy_value()
    return types.void(*[WORD] * 4, *(word if isinstance(word, ElementPointer) else WORD for word in words)), generate


def _splat(builder, scalar, vector):
    lane = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.Constant(I32, 0))
    zeros = ir.Constant(ir.VectorType(I32, vector.count), [0] * vector.count)
    return builder.shuffle_vector(lane, ir.Constant(vector, ir.Undefined), zeros)


def _by_size(builder, size, limit: int, build) -> None:
    """Run the code that ``build(n)`` emits for n = size, 1 <= size <= limit, found by halving."""
    end = builder.append_basic_block("chosen")

    def choose(low: int, high: int) -> None:
        if low == high:
            build(low)
            builder.branch(end)
            return
        middle = (low + high) // 2
        below, above = builder.append_basic_block(), builder.append_basic_block()
        builder.cbranch(builder.icmp_signed("<=", size, constant(middle)), below, above)
        builder.position_at_end(below)
        choose(low, middle)
        builder.position_at_end(above)
        choose(middle + 1, high)

    choose(1, limit)
    builder.position_at_end(end)


class _StridedRows:
    """Operands (a, across, along, b, steps): the left one has strides from row to row and from step to step."""

    name = "strided"

    def __init__(self, builder, operands, rows: int):
        a, across, self.along, self.b, self.steps = operands
        self.rows = [address(builder, a, builder.mul(across, constant(r))) for r in range(rows)]

    def at(self, builder, k):
        """Where step k's vectors of b begin, and its scalars of a."""
        position = builder.mul(k, self.along)
        scalars = [builder.load(address(builder, row, position)) for row in self.rows]
        return address(builder, self.b, builder.load(address(builder, self.steps, k))), scalars


def _scattered_rows(pitch: int):
    class ScatteredRows:
        """Operands (a, places, steps, b): each row of the left one is somewhere else."""

        name = f"scattered{pitch}"

        def __init__(self, builder, operands, rows: int):
            a, places, self.steps, self.b = operands
            self.rows = [address(builder, a, builder.load(address(builder, places, constant(r)))) for r in range(rows)]

        def at(self, builder, k):
            position = builder.load(address(builder, self.steps, k))
            scalars = [builder.load(address(builder, row, position)) for row in self.rows]
            return address(builder, self.b, builder.mul(k, constant(pitch))), scalars
    return ScatteredRows


def _tile_call(left, element, operands: int, max_rows, vectors, lanes):
    """The code of a tile intrinsic: choose the function for the number of rows and call it."""
    def generate(context, builder, signature, arguments):
        rows, *rest = arguments[:1 + operands + 4]
        rest[-1] = builder.icmp_signed("!=", rest[-1], constant(0))

        def call(count: int) -> None:
            builder.call(_tile_function(builder.module, left, [a.type for a in rest], element, count,
                                        vectors.literal_value, lanes.literal_value), rest)
        _by_size(builder, rows, max_rows.literal_value, call)
        return context.get_dummy_value()
    return generate


def _tile_function(module, left, argument_types, element, rows: int, vectors: int, lanes: int):
    """void f(*operands, depth, c, c_row, add): one tile of rows x (vectors*lanes)."""
    name = f"gc.tile.{left.name}.{SUFFIX[element]}.{rows}x{vectors}x{lanes}"
    if name in module.globals:
        return module.globals[name]
    function = private_function(module, name, argument_types)
    *operands, depth, c, c_row, add = function.args
    vector = ir.VectorType(element, lanes)
    multiply_add = _multiply_add(module, vector)
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    source = left(builder, operands, rows)

    def step(k, sums: list) -> list:
        start, scalars = source.at(builder, k)
        columns = [builder.load(vector_address(builder, start, constant(j * lanes), vector), align=BYTES[element])
                   for j in range(vectors)]
        spread = [_splat(builder, scalar, vector) for scalar in scalars]
        return [builder.call(multiply_add, [spread[i // vectors], columns[i % vectors], total])
                for i, total in enumerate(sums)]

    results = counted_loop(builder, depth, [ir.Constant(vector, [0.0] * lanes)] * (rows * vectors), step)
    adding, setting = function.append_basic_block("add"), function.append_basic_block("set")
    builder.cbranch(add, adding, setting)
    for block in (adding, setting):
        builder.position_at_end(block)
        row = c
        for i in range(rows):
            for j, value in enumerate(results[i * vectors:(i + 1) * vectors]):
                place = vector_address(builder, row, constant(j * lanes), vector)
                if block is adding:
                    value = builder.fadd(value, builder.load(place, align=BYTES[element]))
                builder.store(value, place, align=BYTES[element])
            row = address(builder, row, c_row)
        builder.ret_void()
    return function


def _dot_function(module, argument_types, element, rows: int, columns: int, lanes: int):
    """void f(a, a_places, b, b_places, count, sums): see `dot_tile`."""
    name = f"gc.dots.{SUFFIX[element]}.{rows}x{columns}x{lanes}"
    if name in module.globals:
        return module.globals[name]
    function = private_function(module, name, argument_types)
    a, a_places, b, b_places, count, sums = function.args
    vector = ir.VectorType(element, lanes)
    multiply_add = _multiply_add(module, vector)
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    starts = [address(builder, base, builder.load(address(builder, places, constant(i))))
              for base, places, size in ((a, a_places, rows), (b, b_places, columns)) for i in range(size)]
    kept = [vector_address(builder, sums, constant(i * lanes), vector) for i in range(rows * columns)]

    def step(v, totals: list) -> list:
        at = builder.mul(v, constant(lanes))
        vectors = [builder.load(vector_address(builder, start, at, vector), align=BYTES[element]) for start in starts]
        return [builder.call(multiply_add, [vectors[i // columns], vectors[rows + i % columns], total])
                for i, total in enumerate(totals)]

    first = [builder.load(place, align=BYTES[element]) for place in kept]
    for value, place in zip(counted_loop(builder, count, first, step), kept):
        builder.store(value, place, align=BYTES[element])
    builder.ret_void()
    return function


def _multiply_add(module, vector):
    """``a*b + c``: one instruction where the CPU has it, two elsewhere (LLVM's `fma` would be emulated there)."""
    return cgutils.get_or_insert_function(module, ir.FunctionType(vector, [vector] * 3),
                                          f"llvm.fmuladd.v{vector.count}{SUFFIX[vector.element]}")


def namespace() -> dict:
    """The names that this module gives to kernels."""
    made = outer_tile, gathering_tile, dot_tile, call_with
    return {function.__name__: function for function in made}
