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
    # rows, columns, add, height, strides of a (across, along; 0: packed)
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
        across = args[12]
        along = args[13]
        if along == 0:
            across = 1
            along = rows
        a = advance(ptr_{work}(args[0]), i * args[1] + args[2] * along)
        c = advance(ptr_{work}(args[6]), i * height * row)
        if columns == {columns}:
            outer_tile(rows, a, across, along, b, steps, depth, c, row, add, {rows}, {vectors}, {lanes})
        else:
            for v in range(whole):
                at = v * {lanes}
                outer_tile(rows, a, across, along, advance(b, at), steps, depth, advance(c, at), row, add, {rows}, 1,
                           {lanes})
            if rest > 0:
                at = whole * {lanes}
                outer_tile(rows, a, across, along, advance(b, at), steps, depth, spare, {lanes}, 0, {rows}, 1, {lanes})
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
    done = begin
{together}
    for panel in range(done, end):
        wide = minimum(width, args[3] - panel * width)
        pitch = wide
        if args[8] != 0:
            pitch = width
        source = advance(ptr_{memory}(args[0]), panel * width * across)
        target = advance(ptr_{work}(args[6]), panel * args[7])
        if across == 1:
            for k in range(depth):
{line}
        elif along == 1:
            ready = 0
{blocks}
            for j in range(ready, wide):
                for k in range(depth):
                    store(target, k * pitch + j, load(source, j * across + k))
        else:
            for j in range(wide):
                for k in range(depth):
                    store(target, k * pitch + j, load(source, j * across + k * along))
        if pitch > wide:
            for k in range(depth):
                for j in range(wide, pitch):
                    store(target, k * pitch + j, 0)
"""

#: Whole panels whose lines are contiguous in the source: some at a time, so that its lines are read in one go.
#: A line shorter than a vector is moved as one: what is too much lies where the next lines of its panel will be, so
#: the last lines, after which there are too few, are moved by themselves.
_TOGETHER = """\
    reach = {lanes}
    if width == {columns}:
        reach = {columns}
    if across == 1 and (width == {columns} or width <= {lanes} and along >= {lanes}):
        last = minimum(end, args[3] // width)
        while done < last:
            count = minimum({most}, last - done)
            source = advance(ptr_{work}(args[0]), done * width)
            target = advance(ptr_{work}(args[6]), done * args[7])
            vectors = depth
            if width < reach:
                vectors = maximum(0, depth - ({lanes} - 1) // width)
            for k in range(vectors):
                for line in range(0, count * width, 16):
                    prefetch(source, (k + {ahead}) * along + line)
                to = k * width
                at = k * along
                if width == {columns}:
                    for panel in range(count):
{copies}
                        to += args[7]
                        at += {columns}
                else:
                    for panel in range(count):
                        copy_vector(target, to, source, at, {lanes})
                        to += args[7]
                        at += width
            for k in range(vectors, depth):
                for panel in range(count):
                    copy_line(advance(target, panel * args[7] + k * width), advance(source, k * along + panel * width),
                              width, {lanes})
            done += count"""
_COPY = """\
                        copy_vector(target, to + {at}, source, at + {at}, {lanes})"""
_LINE = """\
                copy_line(advance(target, k * pitch), advance(source, k * along), wide, {lanes})"""
_CONVERTED_LINE = """\
                for j in range(wide):
                    store(target, k * pitch + j, load(source, k * along + j))"""
#: So many lines ahead are asked for while one is copied, into so many panels at once.
_AHEAD, _PANELS_AT_ONCE = 12, 8

#: Transposing while packing, in squares of `size`; what is left over of the depth is copied one by one.
_BLOCKS = """\
            deep = depth // {size} * {size}
            while wide - ready >= {size}:
                for k in range(0, deep, {size}):
                    transpose_block(advance(target, k * pitch + ready), pitch,
                                    advance(source, ready * across + k), across, {size})
                for k in range(deep, depth):
                    for j in range(ready, ready + {size}):
                        store(target, k * pitch + j, load(source, j * across + k))
                ready += {size}"""


@cache
def multiply_panel(tile: Tile) -> KernelSource:
    """c[i, j] (+)= a x b for the panels of rows begin..end of a and one panel of b.

    Row: address of a, elements from panel to panel of a, step of a to begin with, addresses of b and of the table of
    its steps, depth, address of c, elements from row to row of c, rows, columns, whether to add to c, panel height,
    the strides of a across and along its rows (along 0: a is packed).
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
    blocks, together, line = "", "", _CONVERTED_LINE
    if dtype.code == tile.work:
        lanes, columns = tile.lanes, tile.columns
        copies = "\n".join(_COPY.format(at=v * lanes, lanes=lanes) for v in range(tile.vectors))
        together = _TOGETHER.format(work=tile.work, columns=columns, lanes=lanes, ahead=_AHEAD, most=_PANELS_AT_ONCE,
                                    copies=copies)
        line = _LINE.format(lanes=lanes)
        sizes = [size for size in (8, 4, 2) if size <= max(2, tile.lanes)]
        blocks = "\n".join(_BLOCKS.format(size=size) for size in sizes[:2])
    return KernelSource(f"pack_panels_{dtype.code}_{tile.work}", _PACK.format(
        memory=dtype.code, work=tile.work, blocks=blocks, together=together, line=line))
