"""The gradient of a 3x3 convolution for its weights by Winograd's algorithm: a quarter of the multiplications.

    gradient = G' [sum over tiles of (A t A') * (B' d B)] G

for each tile t of m x m pixels of the result's gradient and the tile d of the source that it was made from; what the
matrices are, `winograd_transforms` knows.  For each of the (m+2)^2 numbers of a transformed tile the sum is a matrix
product [output channels x tiles] times [tiles x channels], for `matmul`.  So there are four launches: tiles of both
operands, products, and back.  Images are taken some at a time, so that their tiles stay in the last cache.
"""
from __future__ import annotations

import os
from functools import cache
from math import gcd

from graphcore.compiler.choices import default_first, take
from graphcore.compiler.kernels import winograd_kernels
from graphcore.compiler.kernels.blocking import Sections, Tile, ceil_div, grain, odd_lines, round_up
from graphcore.compiler.kernels.matmul import launch_products
from graphcore.compiler.kernels.winograd_transforms import TransformText, lines, transforms
from graphcore.compiler.launch import Address, KernelSource, Row, Scratch, View
from graphcore.dtype import float32
from graphcore.ir.types import TensorType

#: Pixels along the edge of a tile.
M = 4
MATRICES = (M + 2) ** 2
#: Bytes of transformed tiles that are made at a time.
TILES_AT_ONCE = 16 << 20
#: Channels that an item of a launch for tiles transforms.
FEW_CHANNELS = 16
#: What work costs, in multiplications of the plain sum: one of the products, a tile of a channel, a kernel.
PRODUCT, TILE, KERNEL = 1.1, 450, 250
_WAYS = ("winograd 4x4", "plain sum")

_BACK = """
def winograd_weight_{m}(args, begin, end, worker):
    # args: products, elements from matrix to matrix, chunks of images, elements from chunk to chunk, result, channels,
    # epilogue, its row.  An item is an output channel; channels lie in lanes.
    pitch = args[1]
    channels = args[5]
    zero = lanes(f32(0), {lanes})
{constants}
    summed = alloca_f32({summed})
    half = alloca_f32({half})
    done = alloca_f32({done})
    for item in range(begin, end):
        output = advance(ptr_f32(args[4]), item * channels * 9)
        for c in range(0, channels, {lanes}):
            source = advance(ptr_f32(args[0]), item * channels + c)
            for matrix in range({squared}):
                total = load_whole(source, matrix * pitch, zero)
                for chunk in range(1, args[2]):
                    total = lanes_add(total, load_whole(source, matrix * pitch + chunk * args[3], zero))
                store_whole(summed, matrix * {lanes}, total)
            for i in range({n}):
                line = advance(summed, i * {row})
                partly = advance(half, i * {third})
{first}
            for j in range(3):
                column = advance(half, j * {lanes})
                wholly = advance(done, j * {lanes})
{second}
            into = advance(output, c * 9)
            if channels - c >= {lanes}:
{squares}
                for lane in range({lanes}):
                    store(into, lane * 9 + 8, load(done, 8 * {lanes} + lane))
            else:
                for lane in range(channels - c):
                    for tap in range(9):
                        store(into, lane * 9 + tap, load(done, tap * {lanes} + lane))
        if args[6] != 0:
            call_kernel(args[6], args[7], item * channels * 9, (item + 1) * channels * 9, worker)
"""


@cache
def back_kernel(tile: Tile) -> KernelSource:
    """The gradient from the products, summed over the chunks of images."""
    n, lanes_ = M + 2, tile.lanes
    text = TransformText(tuple(zip(*transforms(M)[1])), lanes_)
    size = min(lanes_, 8)
    squares = [f"transpose_block(advance(into, {lane * 9 + tap}), 9, advance(done, {tap * lanes_ + lane}), {lanes_}, "
               f"{size})" for lane in range(0, lanes_, size) for tap in range(0, 8, size)]
    return KernelSource(f"winograd_weight_{M}", _BACK.format(
        m=M, n=n, squared=n * n, lanes=lanes_, row=n * lanes_, third=3 * lanes_, summed=n * n * lanes_,
        half=n * 3 * lanes_, done=9 * lanes_, constants=text.constants(), squares=lines(4, squares),
        first=text.rows("x", 4, "line", lanes_, "partly", lanes_),
        second=text.rows("y", 4, "column", 3 * lanes_, "wholly", 3 * lanes_)))


def suits(x: TensorType, g: TensorType, shape: tuple, stride=(1, 1), pad=(0, 0, 0, 0), dilation=(1, 1),
          groups: int = 1) -> bool:
    """Whether this way is for the gradient for weights of `shape`, of a source x and a result's gradient g.

    It is a matter of sizes, of what was tuned, and of GRAPHCORE_WINOGRAD, which is 0 for "never".
    """
    if os.environ.get("GRAPHCORE_WINOGRAD") == "0" or x.dtype is not float32 or groups != 1:
        return False
    if tuple(shape[2:]) != (3, 3) or tuple(stride) != (1, 1) or tuple(dilation) != (1, 1):
        return False
    if not (x.is_static and g.is_static) or 0 in (*x.shape, *g.shape):
        return False
    images, rows, height, width = g.shape
    channels = x.shape[1]
    place = f"of {images}x{channels}x{height}x{width} to {rows} channels"
    default = _WAYS[not is_worth_it(images, channels, rows, height, width)]
    return take("weight gradient", place, default_first(default, *_WAYS)) == _WAYS[0]


def is_worth_it(images: int, channels: int, rows: int, height: int, width: int) -> bool:
    """Whether it costs less than the plain sum; `height` and `width` are the result's."""
    tiles, pairs = images * ceil_div(height, M) * ceil_div(width, M), rows * channels
    return pairs * (PRODUCT * MATRICES * tiles + KERNEL) + TILE * tiles * (rows + channels) \
        < 9 * pairs * images * height * width


def launch(build, source: View, gradient: View, output: View, pad: tuple, epilogue) -> None:
    """Launches for the gradient; all views are contiguous."""
    tile = Tile.of(build.cpu, float32)
    images, channels, *_ = source.shape
    _, rows, height, width = gradient.shape
    of_image = ceil_div(height, M) * ceil_div(width, M)
    together = tile.lanes // gcd(tile.lanes, of_image)          # images whose tiles fill vectors
    at_once = together * max(1, TILES_AT_ONCE // (4 * MATRICES * of_image * (channels + rows) * together))
    at_once = min(at_once, round_up(images, together))
    chunks, line = ceil_div(images, at_once), odd_lines(at_once * of_image)
    sides = [_Side(build, tile, winograd_kernels.source_kernel(tile, M), source, line, 2, (-pad[0], -pad[2])),
             _Side(build, tile, winograd_kernels.gradient_kernel(tile, M), gradient, line, 0, (0, 0))]
    of_chunk = MATRICES * rows * channels
    products = build.temp("products", float32, chunks * of_chunk + tile.lanes)
    for chunk in range(chunks):
        first = chunk * at_once
        count = min(at_once, images - first)
        tiles, gradients = (side.launch(first, count, together, (height, width)) for side in sides)
        result = View(products, (MATRICES, rows, channels), (rows * channels, channels, 1), chunk * of_chunk)
        launch_products(build, gradients, tiles, result)
    build.launch(back_kernel(tile), (
        Address(View.whole(products, (products.size,))), rows * channels, chunks, of_chunk, Address(output), channels,
        *(epilogue.words if epilogue is not None else (0, 0))), items=rows,
        grain=grain(channels * (chunks * MATRICES + KERNEL)), reads=[products], writes=[output.buffer],
        bytes=4 * (products.size + output.size))


class _Side:
    """One operand, and memory for some of its transformed tiles: matrix, channel, tile."""

    def __init__(self, build, tile: Tile, kernel: KernelSource, images: View, line: int, reach: int, corner: tuple):
        self.build, self.tile, self.kernel, self.images, self.line = build, tile, kernel, images, line
        self.reach, self.corner = reach, corner
        self.pitch = odd_lines(images.shape[1] * line)
        self.tiles = build.temp("tiles", float32, MATRICES * self.pitch)

    def launch(self, first: int, count: int, together: int, size: tuple) -> View:
        """Transform the tiles of images first..first+count-1, so many in a block; `size`: the result's."""
        _, channels, height, width = self.images.shape
        down, across = (ceil_div(extent, M) for extent in size)
        block = together * down * across
        few = min(FEW_CHANNELS, channels)
        sections = Sections()
        sections.add(4 * (together * (M * down + self.reach) * (M * across + self.reach) + 8))
        places = sections.add(8 * (block + self.tile.lanes))
        from_first = View(self.images.buffer, (1,), (1,), self.images.offset + first * channels * height * width)
        shape = Row((Address(from_first), count, channels, height, width, *self.corner, together, down, down, across,
                     self.pitch, few, places, self.line, self.tile.columns))
        self.build.launch(self.kernel, (
            shape, Address(View.whole(self.tiles, (self.tiles.size,))), block, Scratch(sections.total), sections.total),
            items=ceil_div(count, together) * ceil_div(channels, few), grain=grain(block * few * TILE),
            reads=[self.images.buffer], writes=[self.tiles],
            bytes=4 * (count * channels * height * width + self.tiles.size))
        return View(self.tiles, (MATRICES, channels, count * down * across), (self.pitch, self.line, 1), 0)
