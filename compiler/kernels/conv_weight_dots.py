"""The gradient of a convolution for its weights where there are few output channels to a group (also depthwise).

Too few to fill the lanes of a vector: here the pixels lie in the lanes, and each weight's gradient is a dot product of
a channel of the result's gradient with a tap's view of the input.  Both are copied with lines of one length, the former
with zeros beside the image, so that a vector of pixels may run over the end of a line.
An item is a part (a run of images) times a block of the channels of a group.
"""
from __future__ import annotations

from functools import cache

from graphcore.compiler.kernels import taps
from graphcore.compiler.kernels.blocking import Sections, Tile, ceil_div, grain, round_up, static
from graphcore.compiler.launch import Address, KernelAddress, KernelSource, Row, Scratch, View
from graphcore.dtype import DType
from graphcore.ir.dims import Size

#: Dot products of an item: they bound its scratch memory, and the lines that stay in the first-level cache.
DOTS_PER_ITEM = 1024
#: Pixels of a band of lines.
PIXELS_PER_BAND = 1024

_DOTS = """
def dot_panel_{work}(args, begin, end, worker):
    # args: a, its places, b, its places, vectors, sums, rows; an item is {columns} columns for all rows
    a = ptr_{work}(args[0])
    b = ptr_{work}(args[2])
    rows = args[6]
    for item in range(begin, end):
        for row in range(0, rows, {rows}):
            dot_tile(minimum({rows}, rows - row), a, advance(ptr_i64(args[1]), row),
                     b, advance(ptr_i64(args[3]), item * {columns}), args[4],
                     advance(ptr_{work}(args[5]), (item * rows + row) * {columns} * {lanes}),
                     {rows}, {columns}, {lanes})
"""

_DRIVER = """
def conv2d_grad_weight_dots_{memory}(args, begin, end, worker):
    images = args[1]
    channels = args[2]              # of a group, as are `rows`, the output channels
    height = args[3]
    width = args[4]
    rows = args[6]
    out_height = args[7]
    out_width = args[8]
    groups = args[9]
    step_row = args[10]
    step_column = args[11]
    phase = ptr_i64(args[13])
    part_images = args[14]
    block_lines = args[15]
    block_channels = args[16]
    copy_planes = args[17]
    dots = args[18]
    scratch = args[21] + worker * args[22]
    row_places = ptr_i64(scratch)
    places = ptr_i64(scratch + args[23])
    source_block = scratch + args[24]
    gradients = ptr_{work}(scratch + args[25])
    sums = ptr_{work}(scratch + args[26])
    count = 1
    pixels = out_height * out_width
    tap_count = load(phase, 2)
    plane_count = load(phase, 3)
    planes = advance(phase, {head})
    taps = advance(planes, 2 * plane_count)
    wide = out_width + load(phase, 7)
    no_plane = alloca_i64(2)
    store(no_plane, 0, 0)
    store(no_plane, 1, 0)
    channel_blocks = (channels + block_channels - 1) // block_channels
    for item in range(begin, end):
        first_channel = item % channel_blocks * block_channels
        group = item // channel_blocks % groups
        part = item // channel_blocks // groups
        deep = minimum(block_channels, channels - first_channel)
        found = deep * tap_count
        panels = (found + {columns} - 1) // {columns}
        zero_line(sums, panels * rows * {columns} * {lanes}, {lanes})
        for first_image in range(part * part_images, minimum(images, (part + 1) * part_images)):
            for first_line in range(0, out_height, block_lines):
                lines = minimum(block_lines, out_height - first_line)
                line = first_line
                plane_size = (lines + load(phase, 6)) * wide
                image_size = plane_count * plane_size
                channel_size = image_size
                for c in range(deep):
                    for t in range(tap_count):
                        distance = load(taps, 3 * t) * plane_size + load(taps, 3 * t + 1) * wide + load(taps, 3 * t + 2)
                        store(places, c * tap_count + t, c * channel_size + distance)
                for i in range(found, panels * {columns}):
                    store(places, i, load(places, found - 1))
                call_with(copy_planes, 0, deep, worker, {copied})
                # the last vectors of the last tap reach beyond its plane: whatever lay there could be NaN
                zero_line(advance(ptr_{work}(source_block), deep * channel_size), load(phase, 7) + {lanes}, {lanes})
                vectors = (lines * wide + {lanes} - 1) // {lanes}
                for r in range(rows):
                    store(row_places, r, r * vectors * {lanes})
                    zero_line(advance(gradients, (r + 1) * vectors * {lanes} - {lanes}), {lanes}, {lanes})
                from_gradient = args[5] + (first_image * groups + group) * rows * pixels * {bytes}
                call_with(copy_planes, 0, rows, worker, from_gradient, pixels, first_line + lines, out_width, gradients,
                          vectors * {lanes}, 0, 1, 0, no_plane, 1, lines, wide, first_line, 0, 1, 1)
                call_with(dots, 0, panels, worker, gradients, row_places, source_block, places, vectors, sums, rows)
        start = ((part * groups + group) * rows * channels + first_channel) * tap_count
        output = advance(ptr_{memory}(args[12]), start)
        for i in range(found):
            for r in range(rows):
                lanes = advance(sums, ((i // {columns} * rows + r) * {columns} + i % {columns}) * {lanes})
                total = {work}(0)
                for j in range({lanes}):
                    total = accumulate(total, load(lanes, j))
                store(output, r * channels * tap_count + i, total)
        if args[19] != 0:
            if deep == channels:
                call_kernel(args[19], args[20], start, start + rows * found, worker)
            else:
                for r in range(rows):
                    line_start = start + r * channels * tap_count
                    call_kernel(args[19], args[20], line_start, line_start + found, worker)
"""


@cache
def dot_panel(tile: Tile) -> KernelSource:
    """Dot products of rows of a with columns of b, both in places that tables tell, added to sums for each lane."""
    return KernelSource(f"dot_panel_{tile.work}", _DOTS.format(
        work=tile.work, rows=tile.dot_rows, columns=tile.dot_columns, lanes=tile.lanes))


@cache
def dots_kernel(tile: Tile, dtype: DType) -> KernelSource:
    """The driver of the gradient for weights with few output channels."""
    return KernelSource(f"conv2d_grad_weight_dots_{dtype.code}", _DRIVER.format(
        memory=dtype.code, work=tile.work, bytes=dtype.itemsize, columns=tile.dot_columns, lanes=tile.lanes,
        head=taps.HEAD, copied=taps.copied_words(dtype)))


def suits(tile: Tile, outputs: int) -> bool:
    """Whether dot products are the better way for so many output channels to a group."""
    return outputs < tile.lanes


def channels_of_item(shape: tuple, groups: int) -> int:
    """Channels of a group that one item takes, from the shape of the weights."""
    outputs, channels, area = shape[0] // groups, shape[1], shape[2] * shape[3]
    together = max(1, min(channels, DOTS_PER_ITEM // (area * outputs)))
    return ceil_div(channels, ceil_div(channels, together))


def launch(build, tile: Tile, phase: taps.Phase, stride: tuple, source: View, gradient: View, shape: tuple, groups: int,
           parts: int, output: View, epilogue) -> None:
    """Launch the gradient for weights of `shape`, in `parts` runs of images; all views are contiguous."""
    dtype = output.dtype
    outputs, channels = shape[0] // groups, shape[1]
    images, _, lines, width = gradient.shape
    part_images = ceil_div(images, parts)
    block_channels = channels_of_item(shape, groups)
    block_lines = _band(lines, width)
    rows = round_up(block_channels * len(phase.taps), tile.dot_columns)
    wide = width + phase.span[1]
    sections = Sections()
    sections.add(outputs * 8)
    offsets = (sections.add(rows * 8),
               sections.add((block_channels * len(phase.planes) * (block_lines + phase.span[0]) * wide + phase.span[1]
                             + tile.lanes) * tile.bytes),
               sections.add(outputs * round_up(block_lines * wide, tile.lanes) * tile.bytes),
               sections.add(rows * outputs * tile.lanes * tile.bytes))
    words = (Address(source), images, channels, *source.shape[2:], Address(gradient), outputs, lines, width, groups,
             *stride, Address(output), Row(phase.words(0)), part_images, block_lines, block_channels,
             KernelAddress(taps.copy_planes(tile, dtype)), KernelAddress(dot_panel(tile)),
             *(epilogue.words if epilogue is not None else (0, 0)), Scratch(sections.total), sections.total, *offsets)
    operations = rows * outputs * static(lines, 16) * static(width, 16) * static(part_images, 4)
    build.launch(dots_kernel(tile, dtype), words, items=parts * groups * ceil_div(channels, block_channels),
                 grain=grain(operations), reads=[source.buffer, gradient.buffer], writes=[output.buffer],
                 flops=2 * gradient.size * channels * len(phase.taps),
                 bytes=(source.size + gradient.size + output.size) * dtype.itemsize)


def _band(lines: Size, width: Size) -> int:
    """Lines that are worked on together."""
    lines, width = static(lines, 32), max(1, static(width, 32))
    return max(1, min(lines, PIXELS_PER_BAND // width))
