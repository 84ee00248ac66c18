"""The kernels of matrix products; which is for which sizes, `matmul` knows."""
from __future__ import annotations

from functools import cache

from graphcore.compiler.kernels.blocking import Tile
from graphcore.compiler.launch import KernelSource
from graphcore.dtype import DType

#: Most rows that the kernel for columns takes, and the columns to one of its items.
VERY_FEW_ROWS = 4
COLUMNS_WIDTH = 512

#: Vectors of sums that the kernel for strips holds in registers.
STRIP_SUMS = 8

_DRIVER = """
def matmul_{memory}(args, begin, end, worker):
    rows = args[3]
    columns = args[4]
    depth = args[5]
    across_a = args[6]
    along_a = args[7]
    along_b = args[8]
    across_b = args[9]
    rank = args[10]
    batches = ptr_i64(args[11])     # for each batch axis: size, stride of a, stride of b
    depth_in_all = args[12]         # of the parts of a split inner axis
    height = args[13]
    block_rows = args[14]
    block_columns = args[15]
    packed_b = args[16]             # all panels of b, if they are packed already
    as_it_lies = args[17]           # whole panels of b are read where they are
    multiply = args[18]
    pack = args[19]
    scratch = args[22] + worker * args[23]
    steps = ptr_i64(scratch)
    block_a = scratch + args[24]
    block_b = scratch + args[25]
    sums = scratch + args[26]
    a_as_it_lies = args[27]         # a is not packed
    rows_first = args[28]           # items that follow each other share rows, not columns
    row_blocks = (rows + block_rows - 1) // block_rows
    column_blocks = (columns + block_columns - 1) // block_columns
    width = {columns}
    if as_it_lies != 0:
        width = along_b
    for k in range(minimum({depth}, depth)):
        store(steps, k, k * width)
        store(steps, {depth} + k, k * {columns})
    for item in range(begin, end):
        matrix = item // (row_blocks * column_blocks)
        block = item - matrix * row_blocks * column_blocks
        if rows_first != 0:
            first_row = block // column_blocks * block_rows
            first_column = block % column_blocks * block_columns
        else:
            first_row = block % row_blocks * block_rows
            first_column = block // row_blocks * block_columns
        high = minimum(block_rows, rows - first_row)
        wide = minimum(block_columns, columns - first_column)
        a = args[0] + first_row * across_a * {bytes}
        b = args[1] + first_column * across_b * {bytes}
        index = matrix
        for axis in range(rank - 1, -1, -1):
            size = load(batches, 3 * axis)
            position = index % size
            index = index // size
            a += position * load(batches, 3 * axis + 1) * {bytes}
            b += position * load(batches, 3 * axis + 2) * {bytes}
        long = depth
        if depth_in_all >= 0:
            long = maximum(0, minimum(depth, depth_in_all - matrix * depth))
        output = args[2] + ((matrix * rows + first_row) * columns + first_column) * {bytes}
        result = output
        result_row = columns
{use_sums}
        slices = maximum(1, (long + {depth} - 1) // {depth})
        slice_depth = (long + slices - 1) // slices
        for piece in range(slices):
            first = piece * slice_depth
            deep = minimum(slice_depth, long - first)
            stacked = (high + height - 1) // height
            from_a = block_a
            if a_as_it_lies != 0:
                from_a = a + first * along_a * {bytes}
            else:
                call_with(pack, 0, stacked, worker, a + first * along_a * {bytes}, across_a, along_a, high, deep,
                          height, block_a, height * deep, 0)
            for panel in range((wide + {columns} - 1) // {columns}):
                at = panel * {columns}
                part = minimum({columns}, wide - at)
                from_b = b + (first * along_b + at * across_b) * {bytes}
                stepping = steps
                if packed_b != 0:
                    from_b = packed_b + ((first_column + at) * depth + first * {columns}) * {size}
                elif as_it_lies == 0 or part < {columns}:
                    call_with(pack, 0, 1, worker, from_b, across_b, along_b, part, deep, {columns}, block_b, 0, 1)
                    from_b = block_b
                    stepping = advance(steps, {depth})
                if a_as_it_lies != 0:
                    call_with(multiply, 0, stacked, worker, from_a, height * across_a, 0, from_b, stepping, deep,
                              result + at * {size}, result_row, high, part, piece, height, across_a, along_a)
                else:
                    call_with(multiply, 0, stacked, worker, block_a, height * deep, 0, from_b, stepping, deep,
                              result + at * {size}, result_row, high, part, piece, height, 0, 0)
{store_sums}
        if args[20] != 0:
            start = (matrix * rows + first_row) * columns + first_column
            if wide == columns:
                call_kernel(args[20], args[21], start, start + high * columns, worker)
            else:
                for i in range(high):
                    call_kernel(args[20], args[21], start + i * columns, start + i * columns + wide, worker)
"""

#: 16-bit results are summed in scratch memory and rounded once.
_USE_SUMS = """\
        result = sums
        result_row = block_columns"""
_STORE_SUMS = """\
        rounded = ptr_{memory}(output)
        summed = ptr_{work}(sums)
        for i in range(high):
            for j in range(wide):
                store(rounded, i * columns + j, load(summed, i * block_columns + j))"""

_DOTS = """
def matmul_dots_{memory}(args, begin, end, worker):
    # args: a, b, output, rows, columns, depth, stride across a, stride across b, columns to an item, epilogue, its row
    a = ptr_{memory}(args[0])
    rows = args[3]
    columns = args[4]
    depth = args[5]
    output = ptr_{memory}(args[2])
    for item in range(begin, end):
        first = item * args[8]
        last = minimum(columns, first + args[8])
        column = first
        while column < last:
            # four columns at a time share the loads of a; at the end some are computed twice
            b0 = advance(ptr_{memory}(args[1]), column * args[7])
            b1 = advance(ptr_{memory}(args[1]), minimum(column + 1, last - 1) * args[7])
            b2 = advance(ptr_{memory}(args[1]), minimum(column + 2, last - 1) * args[7])
            b3 = advance(ptr_{memory}(args[1]), minimum(column + 3, last - 1) * args[7])
            for i in range(rows):
                left = advance(a, i * args[6])
                s0 = {work}(0)
                s1 = {work}(0)
                s2 = {work}(0)
                s3 = {work}(0)
                for k in range(depth):
                    x = load(left, k)
                    s0 = accumulate(s0, x * load(b0, k))
                    s1 = accumulate(s1, x * load(b1, k))
                    s2 = accumulate(s2, x * load(b2, k))
                    s3 = accumulate(s3, x * load(b3, k))
                store(output, i * columns + minimum(column + 3, last - 1), s3)
                store(output, i * columns + minimum(column + 2, last - 1), s2)
                store(output, i * columns + minimum(column + 1, last - 1), s1)
                store(output, i * columns + column, s0)
            column += 4
        if args[9] != 0:
            for i in range(rows):
                call_kernel(args[9], args[10], i * columns + first, i * columns + last, worker)
"""

_COLUMNS = """
def matmul_columns_{memory}(args, begin, end, worker):
    # args: a, b, output, rows (at most {rows}), columns, depth, strides (rows of a, inner of a, inner of b), epilogue,
    # its row; an item is {width} columns
    rows = args[3]
    columns = args[4]
    depth = args[5]
    along_a = args[7]
    along_b = args[8]
    output = ptr_{memory}(args[2])
    sums = restrict(alloca_{work}({elements}), 1)
    for item in range(begin, end):
        first = item * {width}
        wide = minimum({width}, columns - first)
        for j in range(rows * {width}):
            store(sums, j, 0)
        fours = depth // 4 * 4
        for k in range(0, fours, 4):
            b0 = restrict(advance(ptr_{memory}(args[1]), k * along_b + first), 2)
            b1 = advance(b0, along_b)
            b2 = advance(b1, along_b)
            b3 = advance(b2, along_b)
            for i in range(rows):
                a = advance(ptr_{memory}(args[0]), i * args[6] + k * along_a)
                x0 = load(a, 0)
                x1 = load(a, along_a)
                x2 = load(a, 2 * along_a)
                x3 = load(a, 3 * along_a)
                total = advance(sums, i * {width})
                for j in range(wide):
                    s = load(total, j) + x0 * load(b0, j)
                    s = s + x1 * load(b1, j)
                    s = s + x2 * load(b2, j)
                    store(total, j, s + x3 * load(b3, j))
        for k in range(fours, depth):
            b0 = restrict(advance(ptr_{memory}(args[1]), k * along_b + first), 2)
            for i in range(rows):
                x0 = load(ptr_{memory}(args[0]), i * args[6] + k * along_a)
                total = advance(sums, i * {width})
                for j in range(wide):
                    store(total, j, load(total, j) + x0 * load(b0, j))
        for i in range(rows):
            for j in range(wide):
                store(output, i * columns + first + j, load(sums, i * {width} + j))
        if args[9] != 0:
            for i in range(rows):
                call_kernel(args[9], args[10], i * columns + first, i * columns + first + wide, worker)
"""

_STRIPS = """
def matmul_strips_{work}(args, begin, end, worker):
    # args: as of matmul_columns; an item is {width} columns
    rows = args[3]
    columns = args[4]
    depth = args[5]
    along_a = args[7]
    along_b = args[8]
    zero = lanes({work}(0), {lanes})
    for item in range(begin, end):
        first = item * {width}
        wide = minimum({width}, columns - first)
        b = advance(ptr_{work}(args[1]), first)
        for i in range(rows):
            a = advance(ptr_{work}(args[0]), i * args[6])
            output = advance(ptr_{work}(args[2]), i * columns + first)
            if wide == {width}:
{zeros}
                deep = depth // {chains} * {chains}
                for k in range(0, deep, {chains}):
                    row = advance(b, k * along_b)
{steps}
                for k in range(deep, depth):
                    row = advance(b, k * along_b)
{rest}
{stores}
            else:
                for j in range(wide):
                    s = {work}(0)
                    for k in range(depth):
                        s = s + load(a, k * along_a) * load(b, k * along_b + j)
                    store(output, j, s)
            if args[9] != 0:
                call_kernel(args[9], args[10], i * columns + first, i * columns + first + wide, worker)
"""

_PLAIN = """
def matmul_plain_{memory}(args, begin, end, worker):
    # args: a, b, output, rows, columns, depth, strides (rows of a, inner of a, inner of b, columns of b), batch axes,
    # their sizes and strides, epilogue, its row; an item is a row of the result
    rows = args[3]
    columns = args[4]
    batches = ptr_i64(args[11])
    for item in range(begin, end):
        a = advance(ptr_{memory}(args[0]), item % rows * args[6])
        b = ptr_{memory}(args[1])
        output = advance(ptr_{memory}(args[2]), item * columns)
        index = item // rows
        for axis in range(args[10] - 1, -1, -1):
            size = load(batches, 3 * axis)
            position = index % size
            index = index // size
            a = advance(a, position * load(batches, 3 * axis + 1))
            b = advance(b, position * load(batches, 3 * axis + 2))
        for j in range(columns):
            store(output, j, 0)
        for k in range(args[5]):
            x = load(a, k * args[7])
            from_b = advance(b, k * args[8])
            for j in range(columns):
                store(output, j, load(output, j) + x * load(from_b, j * args[9]))
        if args[12] != 0:
            call_kernel(args[12], args[13], item * columns, (item + 1) * columns, worker)
"""


@cache
def driver_kernel(tile: Tile, dtype: DType) -> KernelSource:
    """The product of matrices in blocks, on the panel kernels; an item is a block of the result."""
    narrow = dtype.code != tile.work
    names = {"memory": dtype.code, "work": tile.work, "bytes": dtype.itemsize, "size": tile.bytes,
             "columns": tile.columns, "depth": tile.depth}
    return KernelSource(f"matmul_{dtype.code}", _DRIVER.format(
        **names, use_sums=_USE_SUMS if narrow else "", store_sums=_STORE_SUMS.format(**names) if narrow else ""))


@cache
def dots_kernel(dtype: DType, work: str) -> KernelSource:
    """The product of a few rows with columns that are contiguous along the inner axis."""
    return KernelSource(f"matmul_dots_{dtype.code}", _DOTS.format(memory=dtype.code, work=work))


@cache
def plain_kernel(dtype: DType) -> KernelSource:
    """The product as a loop nest, for integers."""
    return KernelSource(f"matmul_plain_{dtype.code}", _PLAIN.format(memory=dtype.code))


@cache
def columns_kernel(dtype: DType, work: str) -> KernelSource:
    """The product of a very few rows with b as it lies, each of its rows contiguous."""
    return KernelSource(f"matmul_columns_{dtype.code}", _COLUMNS.format(
        memory=dtype.code, work=work, rows=VERY_FEW_ROWS, width=COLUMNS_WIDTH, elements=VERY_FEW_ROWS * COLUMNS_WIDTH))


@cache
def strips_kernel(tile: Tile) -> KernelSource:
    """The product of a very few rows with a small b, each of its rows contiguous: little more than the arithmetic.

    The sums of a strip of columns stay in registers, in several chains so that additions need not wait for each other.
    """
    vectors = range(strip_width(tile) // tile.lanes)
    chains = range(max(1, STRIP_SUMS // len(vectors)))

    def add(chain: int) -> list:
        step = f"k + {chain}" if chain else "k"
        return [f"x = lanes(load(a, ({step}) * along_a), {tile.lanes})", *(
            f"s{chain}{v} = lanes_add(s{chain}{v}, lanes_multiply(x, load_whole(row, {v * tile.lanes}, zero)))"
            for v in vectors)]

    def total(v: int) -> str:
        found = f"s0{v}"
        for chain in chains[1:]:
            found = f"lanes_add({found}, s{chain}{v})"
        return found

    def text(depth: int, lines) -> str:
        return "\n".join("    " * depth + line for line in lines)

    return KernelSource(f"matmul_strips_{tile.work}", _STRIPS.format(
        work=tile.work, width=strip_width(tile), lanes=tile.lanes, chains=len(chains),
        zeros=text(4, [f"s{chain}{v} = zero" for chain in chains for v in vectors]),
        steps=text(5, [line for chain in chains for line in (["row = advance(row, along_b)"] if chain else [])
                       + add(chain)]),
        rest=text(5, add(0)),
        stores=text(4, [f"store_whole(output, {v * tile.lanes}, {total(v)})" for v in vectors])))


def strip_width(tile: Tile) -> int:
    """Columns of a strip: four vectors, or two long ones."""
    return min(4 * tile.lanes, 32)
