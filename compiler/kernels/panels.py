"""The kernels that matrix products and convolutions are made of; they are called by those kernels, or launched.

A *panel* is a strip of an operand laid out for the register tile: of the left operand `height` rows, of the right one
as many columns as the tile has.  For each step of the inner axis a panel holds its numbers side by side.
They are kernels of their own, reached through their address, so that each is compiled once for all that use it.
"""
from __future__ import annotations

from functools import cache

from graphcore.compiler.kernels.blocking import Tile
from graphcore.compiler.launch import KernelSource
from graphcore.dtype import DType

_MULTIPLY = """
def multiply_panel_{work}(args, begin, end, worker):
    # args: a, elements from one panel of a to the next, first step, b, steps, depth, c, elements from row to row of c,
    # rows, columns, add, height
    b = ptr_{work}(args[3])
    steps = ptr_i64(args[4])
    depth = args[5]
    row = args[7]
    columns = args[9]
    add = args[10]
    height = args[11]
    whole = columns // {lanes}
    rest = columns - whole * {lanes}
    spare = alloca_{work}({spare})
    for i in range(begin, end):
        rows = minimum(height, args[8] - i * height)
        a = advance(ptr_{work}(args[0]), i * args[1] + args[2] * rows)
        c = advance(ptr_{work}(args[6]), i * height * row)
        if columns == {columns}:
            outer_tile(rows, a, b, steps, depth, c, row, add, {rows}, {vectors}, {lanes})
        else:
            for v in range(whole):
                at = v * {lanes}
                outer_tile(rows, a, advance(b, at), steps, depth, advance(c, at), row, add, {rows}, 1, {lanes})
            if rest > 0:
                at = whole * {lanes}
                outer_tile(rows, a, advance(b, at), steps, depth, spare, {lanes}, 0, {rows}, 1, {lanes})
                for r in range(rows):
                    for j in range(rest):
                        value = load(spare, r * {lanes} + j)
                        if add != 0:
                            value = load(c, r * row + at + j) + value
                        store(c, r * row + at + j, value)
"""

_GATHER = """
def gather_panel_{work}(args, begin, end, worker):
    # args: a, places, steps, b, depth, c, row of c, rows, columns (whole vectors), add, height
    a = ptr_{work}(args[0])
    steps = ptr_i64(args[2])
    b = ptr_{work}(args[3])
    depth = args[4]
    row = args[6]
    columns = args[8]
    add = args[9]
    height = args[10]
    for i in range(begin, end):
        rows = minimum(height, args[7] - i * height)
        places = advance(ptr_i64(args[1]), i * height)
        c = advance(ptr_{work}(args[5]), i * height * row)
        if columns == {columns}:
            gathering_tile(rows, a, places, steps, b, depth, c, row, add, {rows}, {vectors}, {lanes}, {columns})
        else:
            for v in range(columns // {lanes}):
                at = v * {lanes}
                gathering_tile(rows, a, places, steps, advance(b, at), depth, advance(c, at), row, add,
                               {rows}, 1, {lanes}, {columns})
"""

_PACK = """
def pack_panels_{memory}_{work}(args, begin, end, worker):
    # args: source, its strides (across, along), size across, depth, width of a panel, target, elements from one panel
    # to the next, whether the last panel is filled up with zeros
    across = args[1]
    along = args[2]
    depth = args[4]
    width = args[5]
    for panel in range(begin, end):
        wide = minimum(width, args[3] - panel * width)
        pitch = wide
        if args[8] != 0:
            pitch = width
        source = advance(ptr_{memory}(args[0]), panel * width * across)
        target = advance(ptr_{work}(args[6]), panel * args[7])
        if pitch > wide:
            for k in range(depth):
                for j in range(wide, pitch):
                    store(target, k * pitch + j, 0)
        if across == 1 and wide == {columns}:
            for k in range(depth):
                for j in range({columns}):
                    store(target, k * {columns} + j, load(source, k * along + j))
        elif across == 1:
            for k in range(depth):
{line}
        elif along == 1:
            done = 0
{blocks}
            for j in range(done, wide):
                for k in range(depth):
                    store(target, k * pitch + j, load(source, j * across + k))
        else:
            for j in range(wide):
                for k in range(depth):
                    store(target, k * pitch + j, load(source, j * across + k * along))
"""

_COPY_LINE = """\
                copy_line(advance(target, k * pitch), advance(source, k * along), wide, {lanes})"""
_COPY_ONE_BY_ONE = """\
                for j in range(wide):
                    store(target, k * pitch + j, load(source, k * along + j))"""

#: Transposing while packing, in squares of `size`; what is left over of the depth is copied one by one.
_BLOCKS = """\
            deep = depth // {size} * {size}
            while wide - done >= {size}:
                for k in range(0, deep, {size}):
                    transpose_block(advance(target, k * pitch + done), pitch,
                                    advance(source, done * across + k), across, {size})
                for k in range(deep, depth):
                    for j in range(done, done + {size}):
                        store(target, k * pitch + j, load(source, j * across + k))
                done += {size}"""


@cache
def multiply_panel(tile: Tile) -> KernelSource:
    """c[i, j] (+)= a x b for the panels of rows begin..end of a and one panel of b.

    Row: address of a, elements from panel to panel of a, step of a to begin with, addresses of b and of the table of
    its steps, depth, address of c, elements from row to row of c, rows, columns, whether to add to c, panel height.
    """
    return KernelSource(f"multiply_panel_{tile.work}", _MULTIPLY.format(
        work=tile.work, rows=tile.rows, vectors=tile.vectors, lanes=tile.lanes, columns=tile.columns,
        spare=tile.rows * tile.lanes))


@cache
def gather_panel(tile: Tile) -> KernelSource:
    """c[i, j] (+)= sum over k of a[places[i] + steps[k]] * b[k, j] for the rows begin*height .. end*height.

    Row: addresses of a, places, steps and b (a packed panel), depth, address of c, elements from row to row of c,
    rows, columns (a multiple of the lanes), whether to add to c, panel height.
    """
    return KernelSource(f"gather_panel_{tile.work}", _GATHER.format(
        work=tile.work, rows=tile.rows, vectors=tile.vectors, lanes=tile.lanes, columns=tile.columns))


@cache
def pack_panels(tile: Tile, dtype: DType) -> KernelSource:
    """Copy a strided matrix of `dtype` into panels of the tile's dtype; the items are the panels.

    Row: address of the source, its strides across and along the panels, size across, depth, width of a panel, address
    of the target, elements from panel to panel, whether to fill the last panel with zeros (else it is narrower).
    """
    blocks, line = "", _COPY_ONE_BY_ONE
    if dtype.code == tile.work:
        line = _COPY_LINE.format(lanes=tile.lanes)
        sizes = [size for size in (8, 4, 2) if size <= max(2, tile.lanes)]
        blocks = "\n".join(_BLOCKS.format(size=size) for size in sizes[:2])
    return KernelSource(f"pack_panels_{dtype.code}_{tile.work}", _PACK.format(
        memory=dtype.code, work=tile.work, columns=tile.columns, blocks=blocks, line=line))
