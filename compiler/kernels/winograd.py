"""Winograd's algorithm for convolutions with 3x3 kernels and stride 1, and for the gradients for their inputs.

F(m x m, 3x3) makes a tile of m x m pixels of (m+2) x (m+2) products for each pair of channels: F(4x4) 2.25 of them for
a pixel, F(2x2) 4, the plain sum 9.  Beside them come the transforms of the tiles there and back, and of the weights,
of which (m+2)^2 numbers are read for 9.  `plan` weighs that for each convolution, from its sizes alone.

A block is some images, or a band of one.  Where that makes items enough, an item is a block with all output channels:
it transforms its tiles in scratch memory.  Else the tiles are transformed by a launch of their own, and an item is a
block with some output channels.  Weights are a launch of their own too, so that inference does it once; but where one
item alone needs them and they are too many for the cache, it is quicker to transform them where they are needed.

Greatest error over greatest result, on normal data against float64, for 16 / 64 / 256 / 512 channels:
    F(4x4)  9e-7  1.6e-6  2.8e-6  2.6e-6
    F(2x2)  2e-7  3.5e-7  6.0e-7  6.0e-7
    direct  4e-7  5.3e-7  4.9e-7  3.5e-7
What is not finite spreads over the pixels of its tile.
"""
from __future__ import annotations

import os
from dataclasses import dataclass

from graphcore.compiler.choices import default_first, take
from graphcore.compiler.kernels import panels, winograd_kernels
from graphcore.compiler.kernels.blocking import ENOUGH_ITEMS, USUAL_L2, Sections, ceil_div, grain, odd_lines, round_up
from graphcore.compiler.launch import Address, KernelAddress, Row, Scratch, View
from graphcore.dtype import float32

#: Bytes of the third-level cache, where nobody tells.
L3 = 8 << 20
#: Output channels that are worth an item.
FEW_ROWS = 32
#: Channels that an item of the launch for tiles transforms.
FEW_CHANNELS = 16
#: Most bytes of transformed weights in a worker's scratch memory.
WEIGHTS = 4 << 20

#: What work costs, in multiplications of the plain sum: a multiplication, a tile of a channel there and back, a kernel.
#: That of kernels is taken half: inference does them once, training each time.
COSTS = {4: (1, 510, 560, 325), 2: (1.15, 240, 240, 165)}
PLAIN_KERNEL = 145
#: The plain sum is left for what promises to be so much less.
WORTHWHILE = 0.85
#: What a way of convolving is called, and the edge of its tiles.
_EDGES = {"winograd 4x4": 4, "winograd 2x2": 2, "plain sum": 0}
_WAYS = {edge: name for name, edge in _EDGES.items()}


def plan(conv) -> _Blocks | None:
    """How to do a `convolution._Convolution`; None: with the direct kernel.

    Depends on GRAPHCORE_WINOGRAD, which is 0 for "never".
    """
    sizes = (*conv.source.shape, *conv.output.shape, conv.rows, conv.channels)
    if os.environ.get("GRAPHCORE_WINOGRAD") == "0" or not all(isinstance(size, int) and size > 0 for size in sizes):
        return None
    (phase, *others), ones = conv.phases, (1, 1)
    if others or conv.output.dtype is not float32 or conv.groups != 1 or conv.step != ones or conv.out_step != ones:
        return None
    if len(phase.taps) != 9 or phase.span != (2, 2):
        return None
    images, _, height, width = conv.output.shape
    m = best_tile(images, conv.channels, conv.rows, height, width, conv.tile.lanes)
    place = f"{images}x{conv.channels}x{height}x{width} to {conv.rows} channels"
    m = _EDGES[take("convolution", place, default_first(_WAYS[m], *_EDGES))]
    return _Blocks.of(conv, m) if m else None


def best_tile(images: int, channels: int, rows: int, height: int, width: int, lanes: int) -> int:
    """4 or 2: the edge of tiles that costs least; 0: the plain sum does.

    `height` and `width` are the result's.  The direct kernel computes two more pixels in each line.
    """
    pairs = channels * rows
    costs = {0: WORTHWHILE * pairs * (9 * images * height * (width + 2) + PLAIN_KERNEL)}
    for m, (multiply, there, back, kernel) in COSTS.items():
        tiles = images * ceil_div(height, m) * ceil_div(width, m)
        costs[m] = pairs * (multiply * (m + 2) ** 2 * round_up(tiles, lanes) + kernel) + tiles * (
            there * channels + back * rows)
    return min(costs, key=costs.get)


@dataclass(frozen=True)
class _Blocks:
    """How a convolution is divided.

    m: pixels along the edge of a tile; down, across: tiles of an image; images, lines, rows: of a block (lines are of
    tiles, rows are output channels), of which there are `count`, times those of rows; shared: whether the launch for
    tiles comes first.
    """

    m: int
    down: int
    across: int
    images: int
    lines: int
    count: int
    rows: int
    shared: bool

    @staticmethod
    def of(conv, m: int) -> _Blocks:
        """Blocks whose transformed tiles stay in the cache, if that makes items enough.

        Else each item should have many tiles to multiply its weights with, rather than many output channels.
        """
        images, _, height, width = conv.output.shape
        down, across = ceil_div(height, m), ceil_div(width, m)
        total, columns, lanes = images * down * across, conv.tile.columns, conv.tile.lanes
        panel = 4 * (m + 2) ** 2 * conv.channels * columns
        for most in (max(1, (conv.build.cpu.l2 or USUAL_L2) // panel) * columns, max(columns, total // ENOUGH_ITEMS)):
            block = _block(images, down, across, most, lanes)
            if block[2] >= ENOUGH_ITEMS:
                return _Blocks(m, down, across, *block, conv.rows, False)
        row_blocks = max(1, min(ENOUGH_ITEMS, conv.rows // FEW_ROWS))
        most = max(columns, ceil_div(total, ceil_div(ENOUGH_ITEMS, row_blocks)))
        rows = round_up(ceil_div(conv.rows, row_blocks), conv.height)
        return _Blocks(m, down, across, *_block(images, down, across, most, lanes), rows, True)

    @property
    def tiles(self) -> int:
        """Tiles of a block."""
        return self.images * self.lines * self.across

    @property
    def matrices(self) -> int:
        return (self.m + 2) ** 2


def _block(images: int, down: int, across: int, most: int, lanes: int) -> tuple:
    """(images, lines of tiles) of a block of at most so many tiles if possible, and the number of blocks.

    Of the sizes that leave the fewest lanes of vectors empty it is the greatest.
    """
    def vectors(extent: int, block: int, size: int) -> int:
        return extent // block * ceil_div(block * size, lanes) + ceil_div(extent % block * size, lanes)

    if down * across > most:
        sizes = range(max(1, min(down, most // across)), 0, -1)
        lines = min(sizes, key=lambda size: vectors(down, size, across))
        return 1, lines, images * ceil_div(down, lines)
    sizes = range(min(images, most // (down * across)), 0, -1)
    together = min(sizes, key=lambda size: vectors(images, size, down * across))
    return together, down, ceil_div(images, together)


def launch(conv, blocks: _Blocks) -> None:
    """Launches for a convolution that has a plan."""
    build, tile, m, channels = conv.build, conv.tile, blocks.m, conv.channels
    product_row = round_up(blocks.tiles, tile.columns)
    by_item = _weights_by_item(conv, blocks)
    chunk_rows = _chunk(conv, blocks, product_row, by_item)
    product_pitch = odd_lines(chunk_rows * product_row)
    shape, pitch, to_tiles = _tiles(conv, blocks)
    block_size = ceil_div(blocks.tiles, tile.columns) * blocks.matrices * pitch
    source, reads = (0, 0), [conv.source.buffer]
    if blocks.shared:
        tiles = build.temp("tiles", float32, blocks.count * block_size)
        reads = [tiles]
        source = (_whole(tiles), 4 * block_size)
        together = min(FEW_CHANNELS, channels)
        build.launch(winograd_kernels.source_kernel(tile, m), (
            shape, source[0], block_size, Scratch(to_tiles), to_tiles),
            items=blocks.count * ceil_div(channels, together),
            grain=grain(blocks.tiles * together * COSTS[m][1]), reads=[conv.source.buffer], writes=[tiles],
            bytes=4 * (conv.source.size + tiles.size))

    panel_pitch = round_up(channels * conv.height + 8, 16)
    kept_rows = chunk_rows if by_item else conv.rows
    weight_pitch = odd_lines(ceil_div(kept_rows, conv.height) * panel_pitch)
    turned = min(zip(conv.phases[0].taps, conv.phases[0].weights))[1] != 0
    weight_shape = Row((Address(conv.weight), conv.rows, channels, conv.row_stride, conv.channel_stride,
                        *((8, -1) if turned else (0, 1)), conv.height, panel_pitch, weight_pitch))
    to_weights, weights = winograd_kernels.weights_kernel(m), weight_shape
    if by_item:
        reads.append(conv.weight.buffer)
    else:
        kept = build.temp("weights", float32, blocks.matrices * weight_pitch)
        reads.append(kept)
        weights = _whole(kept)
        build.launch(to_weights, (weight_shape, weights), items=ceil_div(conv.rows, conv.height),
                     grain=grain(conv.height * channels * 2 * COSTS[m][3]), reads=[conv.weight.buffer], writes=[kept],
                     bytes=4 * (conv.weight.size + kept.size))

    sections = Sections()
    sections.add(8 * tile.depth)
    offsets = (sections.add(24 * blocks.tiles), sections.add(4 * blocks.matrices * product_pitch),
               sections.add(0 if blocks.shared else 4 * block_size), sections.add(0 if blocks.shared else to_tiles),
               sections.add(4 * blocks.matrices * weight_pitch if by_item else 0))
    items = blocks.count * ceil_div(conv.rows, blocks.rows)
    flops = 2 * 9 * conv.output.size * channels
    build.launch(winograd_kernels.products_kernel(tile, m), (
        shape, Address(conv.output), conv.rows, *conv.output.shape[2:], weights, weight_pitch, conv.height, blocks.rows,
        chunk_rows, *source, KernelAddress(panels.multiply_panel(tile)), *conv.after, Scratch(sections.total),
        sections.total, *offsets, product_pitch, product_row, panel_pitch,
        KernelAddress(winograd_kernels.source_kernel(tile, m)), KernelAddress(to_weights) if by_item else 0),
        items=items, grain=grain(flops // items), reads=reads, writes=[conv.output.buffer], flops=flops,
        bytes=4 * (conv.source.size + conv.weight.size + conv.output.size))


def _weights_by_item(conv, blocks: _Blocks) -> bool:
    """Whether items transform their weights themselves: each is needed once, and they would not stay in the cache."""
    return blocks.count == 1 and 4 * blocks.matrices * conv.rows * conv.channels > (conv.build.cpu.l3 or L3) // 2


def _chunk(conv, blocks: _Blocks, product_row: int, by_item: bool) -> int:
    """Output channels whose products are kept before they are transformed back: half of the cache for them."""
    most = (conv.build.cpu.l2 or USUAL_L2) // 2 // (4 * blocks.matrices * product_row)
    if by_item:
        most = min(most, WEIGHTS // (4 * blocks.matrices * conv.channels))
    chunks = ceil_div(min(blocks.rows, conv.rows), max(1, most))
    return round_up(ceil_div(blocks.rows, chunks), conv.height)


def _tiles(conv, blocks: _Blocks) -> tuple:
    """What kernels must know of the blocks, elements from matrix to matrix of tiles, bytes that making them takes."""
    m, phase = blocks.m, conv.phases[0]
    pitch = odd_lines(conv.channels * conv.tile.columns)
    together = min(FEW_CHANNELS, conv.channels) if blocks.shared else conv.channels
    sections = Sections()
    sections.add(4 * (blocks.images * (m * blocks.lines + 2) * (m * blocks.across + 2) + 8))
    places = sections.add(8 * (blocks.tiles + conv.tile.lanes))
    shape = Row((Address(conv.source), conv.source.shape[0], conv.channels, *conv.source.shape[2:], phase.top,
                 phase.left, blocks.images, blocks.lines, blocks.down, blocks.across, pitch, together, places,
                 conv.tile.columns, blocks.matrices * pitch))
    return shape, pitch, sections.total


def _whole(buffer) -> Address:
    return Address(View.whole(buffer, (buffer.size,)))
