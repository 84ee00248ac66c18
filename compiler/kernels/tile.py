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
from graphcore.compiler.codegen.pointers import F32, F64, I32, I64, ElementPointer

_SUFFIX = {F32: "f32", F64: "f64"}
_BYTES = {F32: 4, F64: 8}
WORD = types.intp


@intrinsic(prefer_literal=True)
def outer_tile(typing, rows, a, b, steps, depth, c, c_row, add, max_rows, vectors, lanes):
    """c[r*c_row + j] = sum over k < depth of a[k*rows + r] * b[steps[k] + j], for r < rows and j < vectors*lanes.

    `steps` points to i64.  With `add` other than 0 the sum is added to what c holds.  1 <= rows <= max_rows;
    max_rows, vectors and lanes are literals.
    """
    signature = types.void(WORD, a, b, steps, WORD, c, WORD, WORD, max_rows, vectors, lanes)
    return _floating(a) and (signature, _tile_call(_PackedRows, a.element.memory, 3, max_rows, vectors, lanes))


@intrinsic(prefer_literal=True)
def gathering_tile(typing, rows, a, places, steps, b, depth, c, c_row, add, max_rows, vectors, lanes, pitch):
    """c[r*c_row + j] = sum over k < depth of a[places[r] + steps[k]] * b[k*pitch + j], as `outer_tile` otherwise.

    Here it is the left operand that is read where tables (of i64) say; `pitch` is a literal.
    """
    signature = types.void(WORD, a, places, steps, b, WORD, c, WORD, WORD, max_rows, vectors, lanes, pitch)
    left = _scattered_rows(pitch.literal_value)
    return _floating(a) and (signature, _tile_call(left, a.element.memory, 4, max_rows, vectors, lanes))


@intrinsic(prefer_literal=True)
def dot_tile(typing, rows, a, a_places, b, b_places, count, sums, max_rows, columns, lanes):
    """sums[(r*columns + j)*lanes + l] += sum of a[a_places[r] + i] * b[b_places[j] + i] over i = l + v*lanes.

    v runs up to `count`: the inner axis lies in the lanes, and their sums are left apart.
    Both tables are of i64; 1 <= rows <= max_rows; max_rows, columns and lanes are literals.
    """
    if not _floating(a):
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
            builder.store(value, builder.gep(row, [_int(0), _int(i)], inbounds=True))
        entry = ir.FunctionType(ir.VoidType(), [I64.as_pointer(), I64, I64, I64]).as_pointer()
        builder.call(builder.inttoptr(arguments[0], entry), [builder.bitcast(row, I64.as_pointer()), *arguments[1:4]])
        return context.get_dummy_value()
    return types.void(*[WORD] * 4, *(word if isinstance(word, ElementPointer) else WORD for word in words)), generate


@intrinsic(prefer_literal=True)
def copy_vector(typing, target, to, source, at, lanes):
    """target[to + i] = source[at + i] for i < lanes (a literal), all loaded before one is stored."""
    if not (_floating(target) and target.element is source.element):
        return None

    def generate(context, builder, signature, arguments):
        element = target.element.memory
        vector = ir.VectorType(element, lanes.literal_value)
        value = builder.load(_vector_address(builder, *arguments[2:4], vector), align=_BYTES[element])
        builder.store(value, _vector_address(builder, *arguments[:2], vector), align=_BYTES[element])
        return context.get_dummy_value()
    return types.void(target, WORD, source, WORD, lanes), generate


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
    if not (_floating(target) and target.element is source.element):
        return None

    def generate(context, builder, signature, arguments):
        target, target_row, source, source_row = arguments[:4]
        count = size.literal_value
        align = _BYTES[signature.args[0].element.memory]
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


def _floating(pointer) -> bool:
    return isinstance(pointer, ElementPointer) and pointer.element.memory in _BYTES


def _int(value: int):
    return ir.Constant(I64, value)


def _address(builder, pointer, index):
    return builder.gep(pointer, [index], inbounds=True)


def _vector_address(builder, pointer, index, vector):
    return builder.bitcast(_address(builder, pointer, index), vector.as_pointer())


def _splat(builder, scalar, vector):
    lane = builder.insert_element(ir.Constant(vector, ir.Undefined), scalar, ir.Constant(I32, 0))
    zeros = ir.Constant(ir.VectorType(I32, vector.count), [0] * vector.count)
    return builder.shuffle_vector(lane, ir.Constant(vector, ir.Undefined), zeros)


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
    if not all(_floating(pointer) and pointer.element is element for pointer in pointers):
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
    name = f"gc.{'copy' if copies else 'zero'}_line.{_SUFFIX[element]}x{lanes}"
    if name in module.globals:
        return module.globals[name]
    function = _private_function(module, name, [element.as_pointer()] * (1 + copies) + [I64])
    target, count = function.args[0], function.args[-1]
    builder = ir.IRBuilder(function.append_basic_block("entry"))

    def move(at, size: int) -> list:
        vector = ir.VectorType(element, size)
        value = ir.Constant(vector, [0.0] * size)
        if copies:
            value = builder.load(_vector_address(builder, function.args[1], at, vector), align=_BYTES[element])
        builder.store(value, _vector_address(builder, target, at, vector), align=_BYTES[element])
        return []

    long, short, done = (function.append_basic_block(label) for label in ("long", "short", "done"))
    builder.cbranch(builder.icmp_signed(">=", count, _int(lanes)), long, short)
    builder.position_at_end(long)
    before_last = builder.sdiv(builder.sub(count, _int(1)), _int(lanes))
    _loop(builder, before_last, [], lambda i, _: move(builder.mul(i, _int(lanes)), lanes))
    move(builder.sub(count, _int(lanes)), lanes)
    builder.branch(done)
    builder.position_at_end(short)
    size = lanes // 2
    while size:
        fits, less = function.append_basic_block(), function.append_basic_block()
        builder.cbranch(builder.icmp_signed(">=", count, _int(size)), fits, less)
        builder.position_at_end(fits)
        move(_int(0), size)
        move(builder.sub(count, _int(size)), size)
        builder.branch(done)
        builder.position_at_end(less)
        size //= 2
    builder.branch(done)
    builder.position_at_end(done)
    builder.ret_void()
    return function


def _private_function(module, name: str, argument_types):
    """A new function of this module alone, that is called and not inlined."""
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), argument_types), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    function.attributes.add("nounwind")
    return function


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
        builder.cbranch(builder.icmp_signed("<=", size, _int(middle)), below, above)
        builder.position_at_end(below)
        choose(low, middle)
        builder.position_at_end(above)
        choose(middle + 1, high)

    choose(1, limit)
    builder.position_at_end(end)


class _PackedRows:
    """Operands (a, b, steps): the left one lies as `rows` adjacent numbers for each step."""

    name = "packed"

    def __init__(self, builder, operands, rows: int):
        self.a, self.b, self.steps = operands
        self.rows = rows

    def at(self, builder, k):
        """Where step k's vectors of b begin, and its scalars of a."""
        start = _address(builder, self.a, builder.mul(k, _int(self.rows)))
        scalars = [builder.load(_address(builder, start, _int(r))) for r in range(self.rows)]
        return _address(builder, self.b, builder.load(_address(builder, self.steps, k))), scalars


def _scattered_rows(pitch: int):
    class ScatteredRows:
        """Operands (a, places, steps, b): each row of the left one is somewhere else."""

        name = f"scattered{pitch}"

        def __init__(self, builder, operands, rows: int):
            a, places, self.steps, self.b = operands
            self.rows = [_address(builder, a, builder.load(_address(builder, places, _int(r)))) for r in range(rows)]

        def at(self, builder, k):
            position = builder.load(_address(builder, self.steps, k))
            scalars = [builder.load(_address(builder, row, position)) for row in self.rows]
            return _address(builder, self.b, builder.mul(k, _int(pitch))), scalars
    return ScatteredRows


def _tile_call(left, element, operands: int, max_rows, vectors, lanes):
    """The code of a tile intrinsic: choose the function for the number of rows and call it."""
    def generate(context, builder, signature, arguments):
        rows, *rest = arguments[:1 + operands + 4]
        rest[-1] = builder.icmp_signed("!=", rest[-1], _int(0))

        def call(count: int) -> None:
            builder.call(_tile_function(builder.module, left, [a.type for a in rest], element, count,
                                        vectors.literal_value, lanes.literal_value), rest)
        _by_size(builder, rows, max_rows.literal_value, call)
        return context.get_dummy_value()
    return generate


def _tile_function(module, left, argument_types, element, rows: int, vectors: int, lanes: int):
    """void f(*operands, depth, c, c_row, add): one tile of rows x (vectors*lanes)."""
    name = f"gc.tile.{left.name}.{_SUFFIX[element]}.{rows}x{vectors}x{lanes}"
    if name in module.globals:
        return module.globals[name]
    function = _private_function(module, name, argument_types)
    *operands, depth, c, c_row, add = function.args
    vector = ir.VectorType(element, lanes)
    multiply_add = _multiply_add(module, vector)
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    source = left(builder, operands, rows)

    def step(k, sums: list) -> list:
        start, scalars = source.at(builder, k)
        columns = [builder.load(_vector_address(builder, start, _int(j * lanes), vector), align=_BYTES[element])
                   for j in range(vectors)]
        spread = [_splat(builder, scalar, vector) for scalar in scalars]
        return [builder.call(multiply_add, [spread[i // vectors], columns[i % vectors], total])
                for i, total in enumerate(sums)]

    results = _loop(builder, depth, [ir.Constant(vector, [0.0] * lanes)] * (rows * vectors), step)
    adding, setting = function.append_basic_block("add"), function.append_basic_block("set")
    builder.cbranch(add, adding, setting)
    for block in (adding, setting):
        builder.position_at_end(block)
        row = c
        for i in range(rows):
            for j, value in enumerate(results[i * vectors:(i + 1) * vectors]):
                place = _vector_address(builder, row, _int(j * lanes), vector)
                if block is adding:
                    value = builder.fadd(value, builder.load(place, align=_BYTES[element]))
                builder.store(value, place, align=_BYTES[element])
            row = _address(builder, row, c_row)
        builder.ret_void()
    return function


def _dot_function(module, argument_types, element, rows: int, columns: int, lanes: int):
    """void f(a, a_places, b, b_places, count, sums): see `dot_tile`."""
    name = f"gc.dots.{_SUFFIX[element]}.{rows}x{columns}x{lanes}"
    if name in module.globals:
        return module.globals[name]
    function = _private_function(module, name, argument_types)
    a, a_places, b, b_places, count, sums = function.args
    vector = ir.VectorType(element, lanes)
    multiply_add = _multiply_add(module, vector)
    builder = ir.IRBuilder(function.append_basic_block("entry"))
    starts = [_address(builder, base, builder.load(_address(builder, places, _int(i))))
              for base, places, size in ((a, a_places, rows), (b, b_places, columns)) for i in range(size)]
    kept = [_vector_address(builder, sums, _int(i * lanes), vector) for i in range(rows * columns)]

    def step(v, totals: list) -> list:
        at = builder.mul(v, _int(lanes))
        vectors = [builder.load(_vector_address(builder, start, at, vector), align=_BYTES[element]) for start in starts]
        return [builder.call(multiply_add, [vectors[i // columns], vectors[rows + i % columns], total])
                for i, total in enumerate(totals)]

    first = [builder.load(place, align=_BYTES[element]) for place in kept]
    for value, place in zip(_loop(builder, count, first, step), kept):
        builder.store(value, place, align=_BYTES[element])
    builder.ret_void()
    return function


def _loop(builder, count, first: list, step) -> list:
    """Run ``step(i, values) -> values`` for i < count from the values `first`; gives the last values."""
    entry = builder.block
    loop, end = builder.append_basic_block("loop"), builder.append_basic_block("end")
    builder.cbranch(builder.icmp_signed(">", count, _int(0)), loop, end)
    builder.position_at_end(loop)
    i = builder.phi(I64)
    values = [builder.phi(value.type) for value in first]
    after = step(i, values)
    next_i = builder.add(i, _int(1))
    for phi, start, later in zip([i, *values], [_int(0), *first], [next_i, *after]):
        phi.add_incoming(start, entry)
        phi.add_incoming(later, loop)
    builder.cbranch(builder.icmp_signed("<", next_i, count), loop, end)
    builder.position_at_end(end)
    results = [builder.phi(value.type) for value in first]
    for result, start, later in zip(results, first, after):
        result.add_incoming(start, entry)
        result.add_incoming(later, loop)
    return results


def _multiply_add(module, vector):
    """``a*b + c``: one instruction where the CPU has it, two elsewhere (LLVM's `fma` would be emulated there)."""
    return cgutils.get_or_insert_function(module, ir.FunctionType(vector, [vector] * 3),
                                          f"llvm.fmuladd.v{vector.count}{_SUFFIX[vector.element]}")


def namespace() -> dict:
    """The names that this module gives to kernels."""
    made = outer_tile, gathering_tile, dot_tile, call_with, copy_vector, copy_line, zero_line, transpose_block
    return {function.__name__: function for function in made}
