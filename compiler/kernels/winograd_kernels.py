"""The kernels of Winograd's convolutions F(m x m, 3x3): a tile of m x m pixels from (m+2) x (m+2) products, not 9 m m.

With Y = A'[(G g G') * (B' d B)]A for a tile d of the source and a kernel g; what the matrices are, `transforms` knows.
Tiles lie in the lanes of vectors.  For each of the (m+2)^2 numbers of a transformed tile there is a matrix product of
weights [rows x channels] with tiles [channels x tiles], in the layout of the register tile; these matrices begin an odd
number of cache lines apart, for as many begin in the cache at the same time.
"""
from __future__ import annotations

from functools import cache

from graphcore.compiler.kernels.blocking import Tile
from graphcore.compiler.kernels.winograd_transforms import TransformText, lines, transforms
from graphcore.compiler.launch import KernelSource

# A description of weights is a row: address, rows, channels, elements from row to row, from channel to channel; the
# first tap, the step from tap to tap; height of a panel; elements from panel to panel, from matrix to matrix.
_WEIGHTS = """
def winograd_weights_{m}(args, begin, end, worker):
    # args: description of the weights, target.  An item is a panel; its rows lie in lanes.
    shape = ptr_i64(args[0])
    height = load(shape, 7)
    pitch = load(shape, 9)
    step = load(shape, 6) * 8
    zero = lanes(f32(0), 8)
{constants}
    lines = alloca_f32(64)
    last = alloca_f32(8)
    taps = alloca_f32(72)
    half = alloca_f32({half})
    for item in range(begin, end):
        high = minimum(height, load(shape, 1) - item * height)
        source = advance(ptr_f32(load(shape, 0)), item * height * load(shape, 3))
        target = advance(ptr_f32(args[1]), item * load(shape, 8))
        ahead = 12 * load(shape, 4)
{places}
        for c in range(load(shape, 2)):
{load_rows}
            transpose_block(taps, 8, lines, 8, 8)
            copy_vector(taps, 64, last, 0, 8)
            for j in range(3):
                column = advance(taps, load(shape, 5) * 8 + j * step)
                partly = advance(half, j * 8)
{first}
            for i in range({n}):
                line = advance(half, i * 24)
                wholly = advance(target, i * {n} * pitch)
                # what is more than a line of the panel is overwritten by the next
{second}
            source = advance(source, load(shape, 4))
            target = advance(target, high)
"""

# A description of blocks is a row: address of the source, its images, channels, height and width; row and column of the
# source where tiles begin; images and lines of tiles in a block; lines of tiles and tiles in a line of an image;
# elements from matrix to matrix; channels of an item; where in the scratch memory the table of places is, in bytes;
# elements of a matrix from channel to channel, from one panel of tiles to the next.
_SOURCE = """
def winograd_{what}_{m}(args, begin, end, worker):
    # args: description of the blocks, target, elements from block to block; scratch memory, bytes of a worker's.
    # An item is some channels of a block.
    shape = ptr_i64(args[0])
    images = load(shape, 1)
    channels = load(shape, 2)
    height = load(shape, 3)
    width = load(shape, 4)
    left = load(shape, 6)
    block_lines = load(shape, 8)
    across = load(shape, 10)
    pitch = load(shape, 11)
    together = load(shape, 12)
    padded = ptr_f32(args[3] + worker * args[4])
    places = ptr_i64(args[3] + worker * args[4] + load(shape, 13))
    of_channel = load(shape, 14)
    of_tiles = load(shape, 15)
    bands = (load(shape, 9) + block_lines - 1) // block_lines
    groups = (channels + together - 1) // together
    wide = across * {m} + {reach}
    zero = lanes(f32(0), {lanes})
{constants}
    pieces = alloca_f32({pieces})
    columns = alloca_f32({pieces})
    half = alloca_f32({half})
    for item in range(begin, end):
        block = item // groups
        first_image = block // bands * load(shape, 7)
        count = minimum(load(shape, 7), images - first_image)
        lines = minimum(block_lines, load(shape, 9) - block % bands * block_lines)
        top = load(shape, 5) + block % bands * block_lines * {m}
        high = lines * {m} + {reach}
        tiles = count * lines * across
        for t in range(tiles):
            line = t // across
            store(places, t, (line * {m} + line // lines * {reach}) * wide + (t - line * across) * {m})
        for t in range(tiles, tiles + {lanes}):
            store(places, t, 0)
        # the margin stays zero for all channels
        zero_line(padded, count * high * wide + 8, {lanes})
        first = maximum(0, -left)
        last = minimum(wide, width - left)
        first_line = maximum(0, -top)
        last_line = minimum(high, height - top)
        channel = item % groups * together
        target = advance(ptr_f32(args[1]), block * args[2] + channel * of_channel)
        for c in range(channel, minimum(channels, channel + together)):
            source = advance(ptr_f32(load(shape, 0)), (first_image * channels + c) * height * width)
            for image in range(count):
                if first < last:
                    for i in range(first_line, last_line):
                        copy_line(advance(padded, (image * high + i) * wide + first),
                                  advance(source, (top + i) * width + left + first), last - first, {lanes})
                source = advance(source, channels * height * width)
            for at in range(0, tiles, {lanes}):
                for i in range({m} + {reach}):
{load_pieces}
{transposed}
                    partly = advance(half, i * {row})
{first}
                into = advance(target, at // {columns} * of_tiles + at % {columns})
                for j in range({n}):
                    column = advance(half, j * {lanes})
                    wholly = advance(into, j * pitch)
{second}
            target = advance(target, of_channel)
"""

_PRODUCTS = """
def winograd_products_{m}(args, begin, end, worker):
    # args: description of the blocks; result, its channels (rows), height and width; weights (or their description),
    # elements from matrix to matrix, height of a panel; rows of a block, of a chunk; transformed tiles, bytes from
    # block to block (0: they are made here); multiply_panel, epilogue, its row; scratch memory, bytes of a worker's,
    # where in it are places, products, tiles, memory for making them, weights; elements of the products from matrix to
    # matrix, from row to row, of the weights from panel to panel; winograd_source, winograd_weights (0: not needed).
    # An item is a block of tiles times a block of rows.
    shape = ptr_i64(args[0])
    channels = load(shape, 2)
    block_images = load(shape, 7)
    block_lines = load(shape, 8)
    across = load(shape, 10)
    pitch = load(shape, 11)
    rows = args[2]
    out_height = args[3]
    out_width = args[4]
    weight_pitch = args[6]
    panel_height = args[7]
    panel_pitch = args[24]
    block_rows = args[8]
    chunk_rows = args[9]
    multiply = args[12]
    scratch = args[15] + worker * args[16]
    steps = ptr_i64(scratch)
    places = ptr_i64(scratch + args[17])
    products = ptr_f32(scratch + args[18])
    product_pitch = args[22]
    product_row = args[23]
    pixels = out_height * out_width
    bands = (load(shape, 9) + block_lines - 1) // block_lines
    blocks = (load(shape, 1) + block_images - 1) // block_images * bands
    zero = lanes(f32(0), {lanes})
{constants}
    half = alloca_f32({half})
    done = alloca_f32({done})
    stage = alloca_f32({done})
    for k in range({depth}):
        store(steps, k, k * {columns})
    for item in range(begin, end):
        block = item % blocks
        first_row = item // blocks * block_rows
        last_row = minimum(rows, first_row + block_rows)
        first_image = block // bands * block_images
        count = minimum(block_images, load(shape, 1) - first_image)
        first_line = block % bands * block_lines
        lines = minimum(block_lines, load(shape, 9) - first_line)
        tiles = count * lines * across
        # where each tile begins in the first row of the result, and how much of it lies inside
        for t in range(tiles):
            row = t // across
            y = (first_line + row % lines) * {m}
            x = (t - row * across) * {m}
            store(places, 3 * t, row // lines * rows * pixels + y * out_width + x)
            store(places, 3 * t + 1, minimum({m}, out_height - y))
            store(places, 3 * t + 2, minimum({m}, out_width - x))
        # groups of whole tiles in one line are marked
        for t in range(0, tiles + 1 - {m}, {m}):
            group = advance(places, 3 * t)
            last = advance(group, 3 * ({m} - 1))
            inside = load(group, 1) + load(last, 1) + load(last, 2)
            if inside == 3 * {m} and load(last, 0) - load(group, 0) == {area} - {m}:
                store(group, 1, 2 * {m})
        source = ptr_f32(args[10] + block * args[11])
        if args[11] == 0:
            source = ptr_f32(scratch + args[19])
            call_with(args[25], block, block + 1, worker, shape, source, 0, scratch + args[20], 0)
        for chunk in range(first_row, last_row, chunk_rows):
            high = minimum(chunk_rows, last_row - chunk)
            stacked = (high + panel_height - 1) // panel_height
            panel = chunk // panel_height
            from_weights = advance(ptr_f32(args[5]), panel * panel_pitch)
            if args[26] != 0:
                from_weights = ptr_f32(scratch + args[21])
                call_with(args[26], panel, panel + stacked, worker, args[5],
                          advance(from_weights, -panel * panel_pitch))
            output = advance(ptr_f32(args[1]), (first_image * rows + chunk) * pixels)
            for matrix in range({squared}):
                for first in range(0, tiles, {columns}):
                    wide = minimum({columns}, (tiles - first + {lanes} - 1) // {lanes} * {lanes})
                    from_source = advance(source, (first * {squared} // {columns} + matrix) * pitch)
                    for deep in range(0, channels, {depth}):
                        call_with(multiply, 0, stacked, worker, advance(from_weights, matrix * weight_pitch),
                                  panel_pitch, deep, advance(from_source, deep * {columns}), steps,
                                  minimum({depth}, channels - deep),
                                  advance(products, matrix * product_pitch + first), product_row, high, wide, deep,
                                  panel_height, 0, 0)
            for r in range(high):
                into = advance(output, r * pixels)
                for at in range(0, tiles, {lanes}):
                    summed = advance(products, r * product_row + at)
                    for i in range({n}):
                        line = advance(summed, i * {n} * product_pitch)
                        partly = advance(half, i * {row})
{first}
                    for j in range({m}):
                        column = advance(half, j * {lanes})
                        wholly = advance(done, j * {lanes})
{second}
                    for g in range(0, minimum({lanes}, tiles - at), {m}):
                        few = advance(places, 3 * (at + g))
                        if load(few, 1) > {m}:
                            for i in range({m}):
                                transpose_block(advance(into, load(few, 0) + i * out_width), {m},
                                                advance(done, i * {row} + g), {lanes}, {m})
                        else:
                            for i in range({m}):
                                transpose_block(advance(stage, i * {m}), {area}, advance(done, i * {row} + g), {lanes},
                                                {m})
                            for t in range(minimum({m}, tiles - at - g)):
                                tile = advance(stage, t * {area})
                                beside = load(few, 3 * t + 2)
                                for i in range(load(few, 3 * t + 1)):
                                    place = load(few, 3 * t) + i * out_width
                                    if beside == {m}:
                                        copy_vector(into, place, tile, i * {m}, {m})
                                    else:
                                        for j in range(beside):
                                            store(into, place + j, load(tile, i * {m} + j))
            if args[13] != 0:
                for image in range(count):
                    start = ((first_image + image) * rows + chunk) * pixels
                    if lines == load(shape, 9):
                        call_kernel(args[13], args[14], start, start + high * pixels, worker)
                    else:
                        below_last = minimum(out_height, (first_line + lines) * {m}) * out_width
                        for k in range(high):
                            call_kernel(args[13], args[14], start + k * pixels + first_line * {m} * out_width,
                                        start + k * pixels + below_last, worker)
"""


@cache
def weights_kernel(m: int) -> KernelSource:
    """The weights of a convolution as matrices, each in panels of rows."""
    text = TransformText(transforms(m)[1], 8)
    load = [line for r in range(8) for line in (f"copy_vector(lines, {8 * r}, source, row{r}, 8)",
                                                f"store(last, {r}, load(source, row{r} + 8))",
                                                f"prefetch(source, row{r} + ahead)")]
    return KernelSource(f"winograd_weights_{m}", _WEIGHTS.format(
        m=m, n=m + 2, half=(m + 2) * 24, constants=text.constants(), load_rows=lines(3, load),
        places=lines(2, [f"row{r} = minimum({r}, high - 1) * load(shape, 3)" for r in range(8)]),
        first=text.rows("x", 4, "column", "3 * step", "partly", 24),
        second=text.rows("y", 4, "line", 8, "wholly", "pitch")))


@cache
def source_kernel(tile: Tile, m: int) -> KernelSource:
    """The tiles of the source as matrices."""
    return _tiles_kernel("source", tile, m, transforms(m)[2])


@cache
def gradient_kernel(tile: Tile, m: int) -> KernelSource:
    """The tiles of the result's gradient as matrices."""
    return _tiles_kernel("gradient", tile, m, tuple(zip(*transforms(m)[0])))


def _tiles_kernel(what: str, tile: Tile, m: int, matrix: tuple) -> KernelSource:
    """Tiles of as many lines as `matrix` has columns, multiplied with it from both sides."""
    n, lanes, reach = m + 2, tile.lanes, len(matrix[0]) - m
    text = TransformText(matrix, lanes)
    size = min(lanes, 4 if m == 2 else 8)
    wide = 4 if m == 2 else 8
    pieces = [f"copy_vector(pieces, {t * wide}, padded, load(places, at + {t}) + i * wide, {wide})"
              for t in range(lanes)]
    squares = [f"transpose_block(advance(columns, {j * lanes + t}), {lanes}, advance(pieces, {t * wide + j}), {wide}, "
               f"{size})" for t in range(0, lanes, size) for j in range(0, wide, size)]
    return KernelSource(f"winograd_{what}_{m}", _SOURCE.format(
        what=what, m=m, n=n, reach=reach, lanes=lanes, columns=tile.columns, pieces=lanes * wide, half=n * n * lanes,
        row=n * lanes, constants=text.constants(), load_pieces=lines(5, pieces), transposed=lines(5, squares),
        first=text.rows("x", 5, "columns", lanes, "partly", lanes),
        second=text.rows("y", 5, "column", n * lanes, "wholly", f"{n} * pitch")))


@cache
def products_kernel(tile: Tile, m: int) -> KernelSource:
    """The products of matrices, and from them the tiles of the result."""
    n, lanes = m + 2, tile.lanes
    text = TransformText(transforms(m)[0], lanes)
    return KernelSource(f"winograd_products_{m}", _PRODUCTS.format(
        m=m, n=n, squared=n * n, area=m * m, lanes=lanes, columns=tile.columns, depth=tile.depth, half=n * m * lanes,
        done=m * m * lanes, constants=text.constants(), row=m * lanes,
        first=text.rows("x", 6, "line", "product_pitch", "partly", lanes),
        second=text.rows("y", 6, "column", m * lanes, "wholly", m * lanes)))
