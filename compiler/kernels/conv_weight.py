"""The gradient of a convolution for its weights: a product summed over all pixels of all images.

Channels and taps of the input are the rows of the register tile, output channels lie in the lanes of vectors, and the
inner axis runs over the pixels.  The input is read through the planes of `taps`: for a row of the tile, that is a
channel and a tap, at the pixel's place plus a fixed distance.  The result's gradient is packed transposed.
An item is a part (a run of images) times a block of channels times a block of output channels.
Where there are few output channels to a group, `conv_weight_dots` does better, and for most 3x3 kernels
`winograd_weight`.
"""
from __future__ import annotations

from functools import cache

from graphcore.compiler.kernels import conv_weight_dots, panels, taps, winograd_weight
from graphcore.compiler.kernels.blocking import (
    ENOUGH_ITEMS,
    OPERATIONS_PER_PART,
    Sections,
    Tile,
    ceil_div,
    grain,
    round_up,
    static,
)
from graphcore.compiler.launch import Address, KernelAddress, KernelSource, Row, Scratch, View
from graphcore.dtype import DType
from graphcore.ir.dims import Size
from graphcore.ir.types import TensorType
from graphcore.ops.linear import conv2d_shape

#: Rows (channels times taps) and output channels of an item: they bound the scratch memory.
ROWS_PER_BLOCK = 288
CHANNELS_PER_BLOCK = 192
#: Pixels whose packed gradients are in scratch memory together.
PIXELS_PER_BLOCK = 512

_DRIVER = """
def conv2d_grad_weight_{memory}(args, begin, end, worker):
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
    block_images = args[15]
    block_lines = args[16]
    block_channels = args[17]
    block_rows = args[18]
    copy_planes = args[19]
    pack = args[20]
    gather = args[21]
    scratch = args[24] + worker * args[25]
    places = ptr_i64(scratch)
    positions = ptr_i64(scratch + args[26])
    source_block = scratch + args[27]
    gradients = scratch + args[28]
    sums = ptr_{work}(scratch + args[29])
    pixels = out_height * out_width
    tap_count = load(phase, 2)
    plane_count = load(phase, 3)
    planes = advance(phase, {head})
    taps = advance(planes, 2 * plane_count)
    wide = out_width + load(phase, 7)
    bands = (out_height + block_lines - 1) // block_lines
    channel_blocks = (channels + block_channels - 1) // block_channels
    row_blocks = (rows + block_rows - 1) // block_rows
    for item in range(begin, end):
        first_row = item % row_blocks * block_rows
        index = item // row_blocks
        first_channel = index % channel_blocks * block_channels
        index = index // channel_blocks
        group = index % groups
        part = index // groups
        high = minimum(block_rows, rows - first_row)
        deep = minimum(block_channels, channels - first_channel)
        pitch = (high + {lanes} - 1) // {lanes} * {lanes}
        last_image = minimum(images, (part + 1) * part_images)
        started = 0
        for first_image in range(part * part_images, last_image, block_images):
            count = minimum(block_images, last_image - first_image)
            for band in range(bands):
                first_line = band * block_lines
                lines = minimum(block_lines, out_height - first_line)
                line = first_line
                plane_size = (lines + load(phase, 6)) * wide
                image_size = plane_count * plane_size
                channel_size = count * image_size
                for c in range(deep):
                    for t in range(tap_count):
                        distance = load(taps, 3 * t) * plane_size + load(taps, 3 * t + 1) * wide + load(taps, 3 * t + 2)
                        store(places, c * tap_count + t, c * channel_size + distance)
                call_with(copy_planes, 0, deep, worker, {copied})
                # the pixels of the block one after the other, and the gradients there as panels of output channels
                here = lines * out_width
                in_all = count * here
                at = 0
                for image in range(count):
                    for i in range(lines):
                        for j in range(out_width):
                            store(positions, at + j, image * image_size + i * wide + j)
                        at += out_width
                    from_gradient = args[5] + ((((first_image + image) * groups + group) * rows + first_row) * pixels
                                               + first_line * out_width) * {bytes}
                    call_with(pack, 0, (high + {columns} - 1) // {columns}, worker,
                              from_gradient, pixels, 1, high, here, {columns},
                              gradients + image * here * {columns} * {size}, in_all * {columns}, 1)
                for across in range(0, pitch, {columns}):
                    for first in range(0, in_all, {depth}):
                        call_with(gather, 0, (deep * tap_count + {rows} - 1) // {rows}, worker,
                                  source_block, places, advance(positions, first),
                                  gradients + (across * in_all + first * {columns}) * {size},
                                  minimum({depth}, in_all - first), advance(sums, across), pitch, deep * tap_count,
                                  minimum({columns}, pitch - across), started + first, {rows})
                started = 1
        start = (((part * groups + group) * rows + first_row) * channels + first_channel) * tap_count
        output = advance(ptr_{memory}(args[12]), start)
        for r in range(high):
            line = advance(output, r * channels * tap_count)
            for i in range(deep * tap_count):
                if started != 0:
                    store(line, i, load(sums, i * pitch + r))
                else:
                    store(line, i, 0)
        if args[22] != 0:
            if deep == channels:
                call_kernel(args[22], args[23], start, start + high * channels * tap_count, worker)
            else:
                for r in range(high):
                    line_start = start + r * channels * tap_count
                    call_kernel(args[22], args[23], line_start, line_start + deep * tap_count, worker)
"""


@cache
def weight_kernel(tile: Tile, dtype: DType) -> KernelSource:
    """The driver of the gradient for the weights."""
    return KernelSource(f"conv2d_grad_weight_{dtype.code}", _DRIVER.format(
        memory=dtype.code, work=tile.work, bytes=dtype.itemsize, size=tile.bytes, rows=tile.rows, columns=tile.columns,
        lanes=tile.lanes, depth=tile.depth, head=taps.HEAD,
        copied=taps.copied_words(dtype)))


def conv2d_parts_for(x: TensorType, g: TensorType, *, shape: tuple, stride=(1, 1), pad=(0, 0, 0, 0), dilation=(1, 1),
                     groups: int = 1) -> int:
    """How many parts the images should be split into so that all cores find work; 1: do not split.

    It depends on the static sizes alone; a symbolic number of images counts as 16, other symbolic sizes as 16.
    """
    if winograd_weight.suits(x, g, shape, stride, pad, dilation, groups):
        return 1
    sizes = [static(size, 16) for size in x.shape]
    images, outputs, *out = conv2d_shape("conv2d_grad_weight", (sizes[0], x.shape[1], *sizes[2:]), shape, stride, pad,
                                         dilation, groups)
    block_channels, block_rows = _item_blocks(shape, groups)
    items = groups * ceil_div(shape[1], block_channels) * ceil_div(outputs // groups, block_rows)
    operations = images * outputs * out[0] * out[1] * shape[1] * shape[2] * shape[3]
    return max(1, min(ceil_div(ENOUGH_ITEMS, max(1, items)), images, operations // OPERATIONS_PER_PART))


def _item_blocks(shape: tuple, groups: int) -> tuple:
    """(channels, output channels) of an item, from the shape of the weights."""
    outputs, channels, area = shape[0] // groups, shape[1], shape[2] * shape[3]
    if area == 0 or channels == 0 or outputs == 0:
        return 1, 1
    together = max(1, ROWS_PER_BLOCK // area)
    return ceil_div(channels, ceil_div(channels, together)), ceil_div(outputs, ceil_div(outputs, CHANNELS_PER_BLOCK))


def lower_conv2d_grad_weight(build, node, inputs: list, output: View, epilogue) -> None:
    """Launches for ``conv2d_grad_weight`` and ``conv2d_grad_weight_parts``; `output` is contiguous."""
    source, gradient = build.contiguous(inputs[0]), build.contiguous(inputs[1])
    attrs, parts = node.attrs, node.attrs.get("parts", 1)
    stride, groups = tuple(attrs.get("stride", (1, 1))), attrs.get("groups", 1)
    outputs, channels, *kernel = attrs["shape"]
    outputs //= groups
    if 0 in (outputs, channels, *kernel):
        return
    if "parts" not in attrs and winograd_weight.suits(*(i.type for i in node.inputs), **attrs):
        winograd_weight.launch(build, source, gradient, output, attrs.get("pad", (0, 0, 0, 0)), epilogue)
        return
    dtype, tile = node.dtype, Tile.of(build.cpu, node.dtype)
    [phase] = taps.forward_phases(tuple(kernel), stride, tuple(attrs.get("pad", (0, 0, 0, 0))),
                                  tuple(attrs.get("dilation", (1, 1))))
    if conv_weight_dots.suits(tile, outputs):
        conv_weight_dots.launch(build, tile, phase, stride, source, gradient, attrs["shape"], groups, parts, output,
                                epilogue)
        return
    block_channels, block_rows = _item_blocks(attrs["shape"], groups)
    images, _, lines, width = gradient.shape
    part_images = ceil_div(images, parts)
    block_images, block_lines = _pixel_blocks(part_images, lines, width)
    rows = block_channels * len(phase.taps)
    sections = Sections()
    sections.add(rows * 8)
    block_pixels = block_images * (block_lines * width)
    offsets = (sections.add(block_pixels * 8),
               sections.add((block_channels * block_images * len(phase.planes) * (block_lines + phase.span[0])
                             * (width + phase.span[1]) + tile.lanes) * tile.bytes),
               sections.add(block_pixels * round_up(block_rows, tile.columns) * tile.bytes),
               sections.add(rows * round_up(block_rows, tile.lanes) * tile.bytes))
    words = (Address(source), images, channels, *source.shape[2:], Address(gradient), outputs, lines, width, groups,
             *stride, Address(output), Row(phase.words(0)), part_images, block_images, block_lines, block_channels,
             block_rows, KernelAddress(taps.copy_planes(tile, dtype)), KernelAddress(panels.pack_panels(tile, dtype)),
             KernelAddress(panels.gather_panel(tile)), *(epilogue.words if epilogue is not None else (0, 0)),
             Scratch(sections.total), sections.total, *offsets)
    blocks = ceil_div(channels, block_channels) * ceil_div(outputs, block_rows)
    operations = rows * block_rows * static(lines, 16) * static(width, 16) * static(part_images, 4)
    build.launch(weight_kernel(tile, dtype), words, items=parts * groups * blocks,
                 grain=grain(operations),
                 reads=[source.buffer, gradient.buffer], writes=[output.buffer],
                 flops=2 * gradient.size * channels * len(phase.taps),
                 bytes=(source.size + gradient.size + output.size) * dtype.itemsize)


def _pixel_blocks(images: Size, lines: Size, width: Size) -> tuple:
    """(images, lines) whose pixels are worked on together."""
    static_lines, static_width = max(1, static(lines, 32)), max(1, static(width, 32))
    if static_lines * static_width <= PIXELS_PER_BLOCK * 2:
        together = max(1, PIXELS_PER_BLOCK // (static_lines * static_width))
        return max(1, min(together, static(images, together))), static_lines
    return 1, max(1, PIXELS_PER_BLOCK // static_width)


LOWERINGS = {"conv2d_grad_weight": lower_conv2d_grad_weight, "conv2d_grad_weight_parts": lower_conv2d_grad_weight}
