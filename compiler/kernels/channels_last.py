"""Kernels for images with their channels last: depthwise convolution, and the patches that a convolution meets.

Channels lie in the lanes of vectors.  The taps of a line that lie inside the image are listed once; pixels at which all
of them do are worked on some at a time, so that weights are loaded once for all of them, and those at the sides one by
one, with lists of their own.  Kernels of any size, stride and dilation share the text.
"""
from __future__ import annotations

from functools import cache

from graphcore.compiler.kernels.blocking import ENOUGH_ITEMS, Sections, Tile, ceil_div, grain, round_up, static
from graphcore.compiler.launch import Address, KernelAddress, KernelSource, Scratch, View
from graphcore.dtype import DType

#: Pixels that are worked on together, and the vectors of each; alone, a pixel has more vectors.
PIXELS, VECTORS, VECTORS_ALONE = 4, 2, 4

_PIXELS = """
def depthwise_pixels{pixels}_{work}(args, begin, end, worker):
    # args: source, weights, output, taps (place in the source, place in the weights), their number, channels,
    # elements from pixel to pixel of the source, of the output; an item is {pixels} pixel(s)
    taps = ptr_i64(args[3])
    count = args[4]
    channels = args[5]
    step = args[6]
    out_step = args[7]
    weights = ptr_{work}(args[1])
    zero = lanes({work}(0), {lanes})
    for block in range(begin, end):
        source = advance(ptr_{work}(args[0]), block * {pixels} * step)
        output = restrict(advance(ptr_{work}(args[2]), block * {pixels} * out_step), 1)
        together = channels // {wide} * {wide}
        for c in range(0, together, {wide}):
{several}
        whole = channels // {lanes} * {lanes}
        for c in range(together, whole, {lanes}):
{single}
        for c in range(whole, channels):
            for pixel in range({pixels}):
                s = {work}(0)
                for t in range(count):
                    s = accumulate(s, load(weights, load(taps, 2 * t + 1) + c)
                                   * load(source, load(taps, 2 * t) + pixel * step + c))
                store(output, pixel * out_step + c, s)
"""

_DEPTHWISE = """
def depthwise_channels_last_{memory}(args, begin, end, worker):
    # args: source, weights, output, height, width, channels, output height, output width, kernel (rows, columns),
    # stride (rows, columns), pad (top, left), dilation (rows, columns), channels of an item, epilogue, its row, kernels
    # for some pixels and for one, scratch, its size for a worker; an item is a line of the output, some channels of it
    height = args[3]
    width = args[4]
    channels = args[5]
    out_height = args[6]
    out_width = args[7]
    rows = args[8]
    columns = args[9]
    across = args[11]
    left = args[13]
    wide = args[15]
    part = args[16]
    scratch = args[21] + worker * args[22]
    taps = ptr_i64(scratch)
    at_side = advance(taps, 2 * rows * columns)
    parts = (channels + part - 1) // part
    step = across * channels
    # pixels first..last-1 of a line meet all columns of the kernel inside the image
    first = minimum(out_width, (left + across - 1) // across)
    last = maximum(first, minimum(out_width, (width - 1 - (columns - 1) * wide + left) // across + 1))
    inner = (last - first) // {pixels}
    for item in range(begin, end):
        line = item // parts
        from_channel = (item - line * parts) * part
        some = minimum(part, channels - from_channel)
        image = line // out_height
        row = (line - image * out_height) * args[10] - args[12]
        count = 0
        for i in range(rows):
            y = row + i * args[14]
            if 0 <= y < height:
                for j in range(columns):
                    store(taps, 2 * count, (y * width + j * wide - left) * channels)
                    store(taps, 2 * count + 1, (i * columns + j) * channels)
                    count += 1
        source = args[0] + (image * height * width * channels + from_channel) * {bytes}
        weights = args[1] + from_channel * {bytes}
        output = args[2] + (line * out_width * channels + from_channel) * {bytes}
        call_with(args[19], 0, inner, worker, source + first * step * {bytes}, weights,
                  output + first * channels * {bytes}, taps, count, some, step, channels)
        done = first + inner * {pixels}
        for side in range(first + out_width - done):
            pixel = select(side < first, side, side - first + done)
            valid = 0
            for t in range(count):
                x = t % columns * wide + pixel * across - left
                if 0 <= x < width:
                    store(at_side, 2 * valid, load(taps, 2 * t))
                    store(at_side, 2 * valid + 1, load(taps, 2 * t + 1))
                    valid += 1
            call_with(args[20], 0, 1, worker, source + pixel * step * {bytes}, weights,
                      output + pixel * channels * {bytes}, at_side, valid, some, step, channels)
        if args[17] != 0:
            start = line * out_width * channels + from_channel
            if parts == 1:
                call_kernel(args[17], args[18], start, start + out_width * channels, worker)
            else:
                for pixel in range(out_width):
                    call_kernel(args[17], args[18], start + pixel * channels, start + pixel * channels + some, worker)
"""

_PATCHES = """
def pixel_patches_{memory}(args, begin, end, worker):
    # args: source, its strides (image, channel, row, column), output, channels, height, width, output height, output
    # width, kernel (rows, columns), stride (rows, columns), pad (top, left), dilation (rows, columns),
    # epilogue, its row; an item is a line
    output = ptr_{memory}(args[5])
    channels = args[6]
    out_height = args[9]
    out_width = args[10]
    rows = args[11]
    across = args[14]
    step = args[18] * args[4]
    depth = channels * rows * {columns}
    # pixels first..last-1 meet all columns of the kernel inside the image
    first = minimum(out_width, (args[16] + across - 1) // across)
    reach = args[8] - 1 - ({columns} - 1) * args[18] + args[16]
    last = maximum(first, minimum(out_width, reach // across + 1))
    for item in range(begin, end):
        image = item // out_height
        line = item - image * out_height
        line_of_patches = advance(output, item * out_width * depth)
        for channel in range(channels):
            for i in range(rows):
                y = line * args[13] + i * args[17] - args[15]
                source = advance(ptr_{memory}(args[0]), image * args[1] + channel * args[2] + y * args[3])
                into = advance(line_of_patches, (channel * rows + i) * {columns})
                from_first = first
                to_last = last
                if not 0 <= y < args[7]:
                    from_first = out_width
                    to_last = out_width
                for pixel in range(from_first, to_last):
                    place = (pixel * across - args[16]) * args[4]
{copies}
                for side in range(out_width - to_last + from_first):
                    pixel = select(side < from_first, side, side - from_first + to_last)
                    for j in range({columns}):
                        x = pixel * across + j * args[18] - args[16]
                        value = {work}(0)
                        if 0 <= y < args[7] and 0 <= x < args[8]:
                            value = load(source, x * args[4])
                        store(into, pixel * depth + j, value)
        if args[19] != 0:
            start = item * out_width * depth
            call_kernel(args[19], args[20], start, start + out_width * depth, worker)
"""


@cache
def pixels_kernel(tile: Tile, pixels: int, vectors: int) -> KernelSource:
    """The sums over taps for so many neighbouring pixels, so many vectors of channels at a time."""
    lanes = tile.lanes
    return KernelSource(f"depthwise_pixels{pixels}_{tile.work}", _PIXELS.format(
        pixels=pixels, work=tile.work, lanes=lanes, wide=lanes * vectors, several=_sums(pixels, vectors, lanes),
        single=_sums(pixels, 1, lanes)))


def _sums(pixels: int, vectors: int, lanes: int) -> str:
    """The loop over taps for vectors of channels from c on, and the stores."""
    places = [(p, v) for p in range(pixels) for v in range(vectors)]

    def at(base: str, unit: str, p: int, v: int) -> str:
        return " + ".join([base, *([f"{p} * {unit}"] if p else []), *([str(v * lanes)] if v else [])])

    return "\n".join(" " * 12 + line for line in (
        *(f"s{p}{v} = zero" for p, v in places),
        "for t in range(count):",
        "    place = load(taps, 2 * t) + c",
        "    of_tap = load(taps, 2 * t + 1) + c",
        *(f"    w{v} = load_whole(weights, {at('of_tap', '', 0, v)}, zero)" for v in range(vectors)),
        *(f"    s{p}{v} = lanes_add(s{p}{v}, lanes_multiply(w{v}, "
          f"load_whole(source, {at('place', 'step', p, v)}, zero)))" for p, v in places),
        *(f"store_whole(output, {at('c', 'out_step', p, v)}, s{p}{v})" for p, v in places)))


@cache
def depthwise_kernel(tile: Tile, dtype: DType) -> KernelSource:
    """The driver of `pixels_kernel` over the lines of all images."""
    return KernelSource(f"depthwise_channels_last_{dtype.code}", _DEPTHWISE.format(
        memory=dtype.code, bytes=dtype.itemsize, pixels=PIXELS))


@cache
def patches_kernel(tile: Tile, dtype: DType, columns: int) -> KernelSource:
    """Copies patches of a kernel with so many columns; numbers beside the image are zeros."""
    copies = "\n".join(f"{' ' * 20}store(into, pixel * depth + {j}, load(source, place + {j} * step))"
                       for j in range(columns))
    return KernelSource(f"pixel_patches_{dtype.code}", _PATCHES.format(
        memory=dtype.code, work=tile.work, columns=columns, copies=copies))


def lower_depthwise(build, node, inputs: list, output: View, epilogue) -> None:
    """Launches for ``depthwise_channels_last``; `output` is contiguous, dtype float32 or float64."""
    if 0 in output.shape:
        return
    image, weight = build.contiguous(inputs[0]), build.contiguous(inputs[1])
    tile, attrs = Tile.of(build.cpu, output.dtype), node.attrs
    images, height, width, channels = image.shape
    _, out_height, out_width, _ = output.shape
    rows, columns, _ = weight.shape
    lines = static(images * out_height, 64)
    parts = max(1, min(ceil_div(2 * ENOUGH_ITEMS, lines), static(channels, 64) // (VECTORS * tile.lanes)))
    part = round_up(ceil_div(channels, parts), VECTORS * tile.lanes)
    sections = Sections()
    sections.add(4 * rows * columns * 8)
    words = (Address(image), Address(weight), Address(output), height, width, channels, out_height, out_width, rows,
             columns, *attrs["stride"], attrs["pad"][0], attrs["pad"][2], *attrs["dilation"], part,
             *(epilogue.words if epilogue is not None else (0, 0)),
             KernelAddress(pixels_kernel(tile, PIXELS, VECTORS)), KernelAddress(pixels_kernel(tile, 1, VECTORS_ALONE)),
             Scratch(sections.total), sections.total)
    taps = rows * columns
    build.launch(depthwise_kernel(tile, output.dtype), words, items=images * out_height * ceil_div(channels, part),
                 grain=grain(8 * taps * static(out_width, 64) * static(part, 64)),
                 reads=[image.buffer, weight.buffer], writes=[output.buffer], flops=2 * taps * output.size,
                 bytes=(image.size + weight.size + output.size) * output.dtype.itemsize)


def lower_patches(build, node, inputs: list, output: View, epilogue) -> None:
    """Launches for ``pixel_patches``; the source may lie in any order, `output` is contiguous."""
    (image,), attrs = inputs, node.attrs
    tile = Tile.of(build.cpu, output.dtype)
    _, channels, height, width = image.shape
    images, out_height, out_width, depth = output.shape
    words = (Address(image), *image.strides, Address(output), channels, height, width, out_height, out_width,
             *attrs["kernel"], *attrs["stride"], attrs["pad"][0], attrs["pad"][2], *attrs["dilation"],
             *(epilogue.words if epilogue is not None else (0, 0)))
    build.launch(patches_kernel(tile, output.dtype, attrs["kernel"][1]), words, items=images * out_height,
                 grain=grain(8 * static(out_width, 64) * static(depth, 64)),
                 reads=[image.buffer], writes=[output.buffer], flops=0,
                 bytes=(image.size + output.size) * output.dtype.itemsize)


LOWERINGS = {"depthwise_channels_last": lower_depthwise, "pixel_patches": lower_patches}
ACCEPTS_EPILOGUE = frozenset(LOWERINGS)
