"""Convolution and the gradient for its input, as products of weights with pixels read through `taps`.

Pixels lie in the lanes of vectors, output channels in the rows of the register tile.  An item is a block of pixels
(some images, or a band of rows of one) times a block of output channels: it copies its source, channels at a time,
multiplies, and adds up in scratch memory; then it writes the block of the result once, and calls the epilogue.

Rows that are short next to the kernel's width waste lanes on pixels beside the image; there, with enough output
channels to pay for it, the pixels of each panel are *gathered* densely first.
"""
from __future__ import annotations

from functools import cache

from graphcore.compiler.kernels import conv_weight, depthwise, panels, taps
from graphcore.compiler.kernels.blocking import ENOUGH_ITEMS, Sections, Tile, ceil_div, grain, round_up, static
from graphcore.compiler.launch import Address, KernelAddress, KernelSource, Row, Scratch, View, contiguous_strides
from graphcore.dtype import DType, from_name
from graphcore.ir.dims import Dim, Size, product

#: Pixels of a block, in panels; they share the copy of the source and one read of the weights.
PANELS_PER_BLOCK = 10
#: Output channels of a block: bounds the scratch memory for its sums.
CHANNELS_PER_BLOCK = 256
#: Pixels of a line that is made of shorter ones.
LONG_LINE = 480

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


def lower_conv2d(build, node, inputs: list, output: View, epilogue) -> None:
    """Launches for ``conv2d``; `output` is contiguous."""
    image, weight = build.contiguous(inputs[0]), build.contiguous(inputs[1])
    attrs = _Attributes(node.attrs)
    image, output = _relined(attrs, weight, image, output)
    phases = taps.forward_phases(weight.shape[2:], attrs.stride, attrs.pad, attrs.dilation)
    _Convolution(build, phases, attrs.stride, (1, 1), image, weight, output, attrs.groups, False, epilogue).launch()


def lower_conv2d_grad_input(build, node, inputs: list, output: View, epilogue) -> None:
    """Launches for ``conv2d_grad_input``; `output` is contiguous."""
    gradient, weight = build.contiguous(inputs[0]), build.contiguous(inputs[1])
    attrs = _Attributes(node.attrs)
    gradient, output = _relined(attrs, weight, gradient, output)
    phases = taps.backward_phases(weight.shape[2:], attrs.stride, attrs.pad, attrs.dilation)
    _Convolution(build, phases, (1, 1), attrs.stride, gradient, weight, output, attrs.groups, True, epilogue).launch()


class _Attributes:
    """The attributes of a node, with their defaults."""

    def __init__(self, attrs):
        self.stride = tuple(attrs.get("stride", (1, 1)))
        self.pad = tuple(attrs.get("pad", (0, 0, 0, 0)))
        self.dilation = tuple(attrs.get("dilation", (1, 1)))
        self.groups = attrs.get("groups", 1)


def _relined(attrs: _Attributes, weight: View, *views: View) -> tuple:
    """Images that are seen one pixel at a time, with fewer and longer lines."""
    height, width = views[0].shape[2:]
    if weight.shape[2:] != (1, 1) or attrs.stride != (1, 1) or any(attrs.pad) or Dim in (type(height), type(width)):
        return views
    pixels = height * width
    lines = next((n for n in range(1, height) if pixels % n == 0 and pixels // n <= LONG_LINE), height)
    result = []
    for view in views:
        n, c = view.shape[:2]
        shape = (n, c, lines, pixels // max(1, lines))
        result.append(View(view.buffer, shape, contiguous_strides(shape), view.offset))
    return tuple(result)


class _Convolution:
    """One convolution-like computation on its way to launches."""

    def __init__(self, build, phases, step, out_step, source, weight, output, groups: int, backward: bool, epilogue):
        self.build, self.phases, self.step, self.out_step = build, phases, step, out_step
        self.source, self.weight, self.output, self.groups = source, weight, output, groups
        self.epilogue, self.after = epilogue, epilogue.words if epilogue is not None else (0, 0)
        self.tile = Tile.of(build.cpu, output.dtype)
        outer, inner, *kernel = weight.shape
        outer, area = outer // groups, kernel[0] * kernel[1]
        self.rows, self.channels = (inner, outer) if backward else (outer, inner)
        self.row_stride, self.channel_stride = (area, inner * area) if backward else (inner * area, area)
        self.group_stride = outer * inner * area
        self.height = self.tile.height(self.rows)

    def launch(self) -> None:
        images, _, lines, width = self.output.shape
        if any(size == 0 for size in (images, self.rows, lines, width)):
            return
        if depthwise.suits(self.phases, self.rows, self.channels):
            elements = self._source_elements(1, round_up(lines, self.out_step[0]))
            depthwise.launch(self.build, self.tile, self.phases, self.step, self.out_step, self.source, self.weight,
                             self.output, self.groups, elements, self.epilogue)
            return
        weights, places = self._pack_weights()
        block_images, block_lines, block_rows = self._blocks()
        image_blocks, bands = ceil_div(images, block_images), ceil_div(lines, block_lines)
        dense = self._is_dense()
        sections, offsets = self._scratch(block_images, block_lines, block_rows, dense)
        phase_words = Row(tuple(word for phase, at in zip(self.phases, places) for word in phase.words(at)))
        words = (Address(self.source), images, self.channels, *self.source.shape[2:], Address(self.output), self.rows,
                 lines, width, self.groups, *self.step, *self.out_step, phase_words, len(self.phases), weights,
                 self.rows * self.channels * self._taps, self.height, block_images, block_lines, block_rows,
                 KernelAddress(gather_kernel(self.tile)) if dense else 0,
                 KernelAddress(taps.copy_planes(self.tile, self.output.dtype)),
                 KernelAddress(panels.multiply_panel(self.tile)),
                 *self.after, Scratch(sections.total), sections.total, *offsets)
        if not all(phase.taps for phase in self.phases):
            self.build.fill(self.output, 0)
        row_blocks = ceil_div(self.rows, block_rows)
        pixels = images * lines * width
        flops = 2 * pixels * self.groups * self.rows * self.channels * self._taps // product(self.out_step)
        operations = block_rows * block_images * block_lines * static(width, 32) * self.channels * self._taps
        self.build.launch(conv_kernel(self.tile, self.output.dtype), words,
                          items=self.groups * row_blocks * image_blocks * bands,
                          grain=grain(operations),
                          reads=[self.source.buffer, weights.view.buffer], writes=[self.output.buffer], flops=flops,
                          bytes=(self.source.size + self.weight.size + self.output.size) * self.output.dtype.itemsize)

    @property
    def _taps(self) -> int:
        return sum(len(phase.taps) for phase in self.phases)

    def _pack_weights(self) -> tuple:
        """Launch the packing of the weights, phase by phase; gives the address of all and where each phase begins.

        The buffer holds all phases of a group side by side.
        """
        of_group = self.rows * self.channels * self._taps
        work = from_name("float64" if self.tile.work == "f64" else "float32")
        buffer = self.build.temp("weights", work, max(1, self.groups * of_group))
        places, at = [], 0
        for phase in self.phases:
            places.append(at)
            count = self.rows * self.channels * len(phase.taps)
            if count:
                kernel, words = self._packing(phase, Address(View(buffer, (buffer.size - at,), (1,), at)), of_group)
                each = self.height * self.channels * len(phase.taps)
                self.build.launch(kernel, words, items=self.groups * ceil_div(self.rows, self.height),
                                  grain=max(1, 8192 // each), reads=[self.weight.buffer], writes=[buffer], flops=0,
                                  bytes=2 * self.groups * count * self.tile.bytes)
            at += count
        return Address(View.whole(buffer, (buffer.size,))), places

    def _packing(self, phase: taps.Phase, target: Address, of_group: int) -> tuple:
        """(kernel, words) that pack the weights of a phase: as a matrix where they are one, else tap by tap."""
        count, depth = len(phase.taps), self.channels * len(phase.taps)
        in_order = count == self.channel_stride and phase.weights == tuple(range(count))
        if self.groups == 1 and (in_order or self.weight.shape[2:] == (1, 1)):
            along = 1 if in_order else self.channel_stride
            return panels.pack_panels(self.tile, self.weight.dtype), (
                Address(self.weight), self.row_stride, along, self.rows, depth, self.height, target,
                self.height * depth, 0)
        return taps.pack_weights(self.tile, self.weight.dtype), (
            Address(self.weight), target, self.rows, self.channels, count, Row(phase.weights), self.row_stride,
            self.channel_stride, self.group_stride, self.height, of_group)

    # -- blocks ----------------------------------------------------------------------------------------
    def _blocks(self) -> tuple:
        """(images, lines, output channels) of a block.

        Whole images if they are small, else a band of lines of one; as many output channels as leave enough items.
        """
        images, _, lines, width = (static(size, other) for size, other in zip(self.output.shape, (16, 0, 32, 32)))
        wanted = PANELS_PER_BLOCK * self.tile.columns * self.out_step[0] * self.out_step[1]
        if lines * width > 2 * wanted:
            bands = ceil_div(lines * width, wanted)
            block_lines = round_up(ceil_div(lines, bands), self.out_step[0])
            others = images * ceil_div(lines, block_lines) * self.groups
            return 1, block_lines, self._channels_for(ceil_div(ENOUGH_ITEMS, others))
        together = max(1, min(images, wanted // (lines * width)))
        for row_blocks in (1, 2, 4, 8):
            rows = self._channels_for(row_blocks)
            others = ceil_div(self.rows, rows) * self.groups
            block_images = min(together, max(1, images * others // ENOUGH_ITEMS))
            is_shared_out = ceil_div(images, block_images) * others >= ENOUGH_ITEMS
            if block_images * lines * width >= wanted // 4 and is_shared_out or rows <= 64:
                break
        return block_images, round_up(lines, self.out_step[0]), rows

    def _channels_for(self, blocks: int) -> int:
        """Output channels of a block if there are to be at least so many blocks: whole panels, not too few."""
        blocks = max(min(blocks, self.rows // 32), ceil_div(self.rows, CHANNELS_PER_BLOCK), 1)
        return round_up(ceil_div(self.rows, blocks), self.height)

    def _is_dense(self) -> bool:
        """Whether gathering pixels densely costs less than the lanes that lie beside the image."""
        width = static(self.output.shape[3], 64) // self.out_step[1]
        beside = max(phase.span[1] for phase in self.phases)
        if width == 0 or beside == 0:
            return False
        runs = ceil_div(self.tile.columns, min(width, self.tile.lanes)) + 1
        multiply = self.rows * self.tile.vectors / 2
        return multiply * beside / width > 3 * runs

    def _source_elements(self, block_images: int, block_lines: Size) -> Size:
        """Numbers in the planes of the channels that are copied together."""
        lines, width = ceil_div(block_lines, self.out_step[0]), ceil_div(self.output.shape[3], self.out_step[1])
        sizes = []
        for phase in self.phases:
            together = max(1, min(self.channels, self.tile.depth // max(1, len(phase.taps))))
            plane = (lines + phase.span[0]) * (width + phase.span[1])
            sizes.append(together * block_images * len(phase.planes) * plane)
        return _largest(sizes)

    def _scratch(self, block_images: int, block_lines: int, block_rows: int, dense: bool) -> tuple:
        """Sections of a worker's memory: (sections, offsets of all but the first and the length of the tables)."""
        tile, sections = self.tile, Sections()
        lines, width = ceil_div(block_lines, self.out_step[0]), ceil_div(self.output.shape[3], self.out_step[1])
        sums = [block_rows * round_up(block_images * round_up(lines * (width + phase.span[1]), tile.lanes), tile.lanes)
                for phase in self.phases]
        steps = max(tile.depth, max(len(phase.taps) for phase in self.phases))
        sections.add(steps * 8)
        offsets = [sections.add(steps * 8),
                   sections.add((self._source_elements(block_images, block_lines) + tile.columns) * tile.bytes),
                   sections.add((steps * tile.columns + tile.lanes) * tile.bytes if dense else 0),
                   sections.add(2 * tile.columns * 8 if dense else 0),
                   sections.add((_largest(sums) + tile.columns) * tile.bytes)]
        return sections, (*offsets, steps)


def _largest(sizes: list) -> Size:
    """The greatest of sizes; of symbolic ones their sum, which is enough."""
    return max(sizes) if all(isinstance(size, int) for size in sizes) else sum(sizes[1:], sizes[0])


LOWERINGS = {"conv2d": lower_conv2d, "conv2d_grad_input": lower_conv2d_grad_input, **conv_weight.LOWERINGS}
ACCEPTS_EPILOGUE = frozenset(LOWERINGS)
