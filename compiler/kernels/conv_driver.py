"""The kernels of `convolution`: the driver, and the dense gathering of pixels."""
from __future__ import annotations

from functools import cache

from graphcore.compiler.kernels import taps
from graphcore.compiler.kernels.blocking import Tile
from graphcore.compiler.launch import KernelSource
from graphcore.dtype import DType

_DRIVER = """
def conv2d_{memory}(args, begin, end, worker):
    images = args[1]
    channels = args[2]              # of a group, as are `rows`
    height = args[3]
    width = args[4]
    rows = args[6]
    out_height = args[7]
    out_width = args[8]
    groups = args[9]
    step_row = args[10]             # of the source, between neighbouring pixels of a phase
    step_column = args[11]
    out_step_row = args[12]         # of the result, between neighbouring pixels of a phase
    out_step_column = args[13]
    weights = args[16]
    panel_height = args[18]
    block_images = args[19]
    block_lines = args[20]
    block_rows = args[21]
    dense = args[22]
    copy_planes = args[23]
    multiply = args[24]
    scratch = args[27] + worker * args[28]
    steps = ptr_i64(scratch)
    packed_steps = ptr_i64(scratch + args[29])
    source_block = ptr_{work}(scratch + args[30])
    gathered = ptr_{work}(scratch + args[31])
    runs = ptr_i64(scratch + args[32])
    sums = ptr_{work}(scratch + args[33])
    pixels = out_height * out_width
    for k in range(args[34]):
        store(packed_steps, k, k * {columns})
    bands = (out_height + block_lines - 1) // block_lines
    image_blocks = (images + block_images - 1) // block_images
    row_blocks = (rows + block_rows - 1) // block_rows
    for item in range(begin, end):
        band = item % bands
        first_image = item // bands % image_blocks * block_images
        first_row = item // bands // image_blocks % row_blocks * block_rows
        group = item // bands // image_blocks // row_blocks
        count = minimum(block_images, images - first_image)
        high = minimum(block_rows, rows - first_row)
        first_line = band * block_lines
        last_line = minimum(out_height, first_line + block_lines)
        output = advance(ptr_{memory}(args[5]), ((first_image * groups + group) * rows + first_row) * pixels)
        phase = ptr_i64(args[14])
        for number in range(args[15]):
            tap_count = load(phase, 2)
            plane_count = load(phase, 3)
            planes = advance(phase, {head})
            taps = advance(planes, 2 * plane_count)
            line = first_line // out_step_row
            lines = maximum(0, (last_line - first_line - load(phase, 0) + out_step_row - 1) // out_step_row)
            across = maximum(0, (out_width - load(phase, 1) + out_step_column - 1) // out_step_column)
            wide = across + load(phase, 7)
            plane_size = (lines + load(phase, 6)) * wide
            image_size = plane_count * plane_size
            channel_size = count * image_size
            # where the sums of a pixel are: image * image_pitch + line * line_pitch + column
            line_pitch = select(dense != 0, across, wide)
            image_pitch = select(dense != 0, lines * across,
                                 ((lines - 1) * wide + across + {lanes} - 1) // {lanes} * {lanes})
            row_pitch = (count * image_pitch + {lanes} - 1) // {lanes} * {lanes}
            strips = select(dense != 0, 1, count)       # of pixels that panels are cut from
            from_weights = weights + (load(phase, 8) + group * args[17] + first_row * channels * tap_count) * {size}
            if tap_count > 0 and lines > 0 and across > 0:
                together = maximum(1, minimum(channels, {depth} // tap_count))
                for c in range(together):
                    for t in range(tap_count):
                        distance = load(taps, 3 * t) * plane_size + load(taps, 3 * t + 1) * wide + load(taps, 3 * t + 2)
                        store(steps, c * tap_count + t, c * channel_size + distance)
                for first_channel in range(0, maximum(channels, 1), together):
                    deep = minimum(together, channels - first_channel) * tap_count
                    call_with(copy_planes, 0, deep // tap_count, worker, {copied})
                    stacked = (high + panel_height - 1) // panel_height
                    for strip in range(strips):
                        for at in range(0, row_pitch // strips, {columns}):
                            from_source = advance(source_block, strip * image_size + at)
                            stepping = steps
                            if dense != 0:
                                call_with(dense, 0, 1, worker, source_block, steps, deep, gathered, runs, at,
                                          minimum(count * image_pitch, at + {columns}), across, wide, image_pitch,
                                          image_size)
                                from_source = gathered
                                stepping = packed_steps
                            call_with(multiply, 0, stacked, worker,
                                      from_weights, panel_height * channels * tap_count, first_channel * tap_count,
                                      from_source, stepping, deep, advance(sums, strip * image_pitch + at), row_pitch,
                                      high, minimum({columns}, row_pitch // strips - at), first_channel, panel_height,
                                      0, 0)
                # long rows of the block in memory order, if nothing lies between them
                whole = line_pitch == out_width and out_step_row == 1 and out_step_column == 1
                stored_lines = select(whole, 1, lines)
                stored = select(whole, lines * across, across)
                for image in range(count):
                    for r in range(high):
                        summed = advance(sums, r * row_pitch + image * image_pitch)
                        into = advance(output, (image * groups * rows + r) * pixels + load(phase, 1)
                                       + (first_line + load(phase, 0)) * out_width)
                        for i in range(stored_lines):
{store_line}
                            summed = advance(summed, line_pitch)
                            into = advance(into, out_step_row * out_width)
            phase = advance(taps, 3 * tap_count)
        if args[25] != 0:
            for image in range(count):
                start = (((first_image + image) * groups + group) * rows + first_row) * pixels
                if last_line - first_line == out_height:
                    call_kernel(args[25], args[26], start, start + high * pixels, worker)
                else:
                    for r in range(high):
                        line_start = start + r * pixels
                        call_kernel(args[25], args[26], line_start + first_line * out_width,
                                    line_start + last_line * out_width, worker)
"""


_GATHER = """
def gather_pixels_{work}(args, begin, end, worker):
    # args: source, steps, their number, target, table for runs, first pixel, last; pixels of a line, elements from
    # line to line of the source, pixels of an image, elements from image to image of the source
    source = ptr_{work}(args[0])
    steps = ptr_i64(args[1])
    target = ptr_{work}(args[3])
    runs = ptr_i64(args[4])
    across = args[7]
    pixel = args[5]
    found = 0
    # runs of at most one vector of neighbouring pixels
    while pixel < args[6]:
        image = pixel // args[9]
        line = (pixel - image * args[9]) // across
        column = pixel - image * args[9] - line * across
        store(runs, 2 * found, image * args[10] + line * args[8] + column)
        store(runs, 2 * found + 1, pixel - args[5])
        pixel += minimum({lanes}, across - column)
        found += 1
    # each run is stored as a whole vector: what is too much is overwritten by the run that follows
    for k in range(args[2]):
        reading = advance(source, load(steps, k))
        writing = advance(target, k * {columns})
        for i in range(found):
            copy_vector(writing, load(runs, 2 * i + 1), reading, load(runs, 2 * i), {lanes})
"""

_STORE_VECTORS = """\
                            if out_step_column == 1:
                                copy_line(into, summed, stored, {lanes})
                            else:
                                for j in range(stored):
                                    store(into, j * out_step_column, load(summed, j))"""
_STORE_SCALARS = """\
                            for j in range(stored):
                                store(into, j * out_step_column, load(summed, j))"""


@cache
def conv_kernel(tile: Tile, dtype: DType) -> KernelSource:
    """The driver of convolutions and of the gradients for their inputs."""
    store = _STORE_VECTORS.format(lanes=tile.lanes) if dtype.code == tile.work else _STORE_SCALARS
    return KernelSource(f"conv2d_{dtype.code}", _DRIVER.format(
        store_line=store, copied=taps.copied_words(dtype), head=taps.HEAD, memory=dtype.code, bytes=dtype.itemsize,
        work=tile.work, size=tile.bytes, columns=tile.columns, lanes=tile.lanes, depth=tile.depth))


@cache
def gather_kernel(tile: Tile) -> KernelSource:
    """A panel of pixels that lie in lines shorter than the panel, packed densely."""
    return KernelSource(f"gather_pixels_{tile.work}", _GATHER.format(
        work=tile.work, lanes=tile.lanes, columns=tile.columns))
