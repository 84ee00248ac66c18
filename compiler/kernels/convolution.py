"""Convolution and the gradient for its input, as products of weights with pixels read through `taps`.

Pixels lie in the lanes of vectors, output channels in the rows of the register tile.  An item is a block of pixels
(some images, or a band of rows of one) times a block of output channels: it copies its source, channels at a time,
multiplies, and adds up in scratch memory; then it writes the block of the result once, and calls the epilogue.

Rows that are short next to the kernel's width waste lanes on pixels beside the image; there, with enough output
channels to pay for it, the pixels of each panel are *gathered* densely first.
"""
from __future__ import annotations

from graphcore.compiler.kernels import conv_weight, depthwise, panels, taps, winograd
from graphcore.compiler.kernels.blocking import ENOUGH_ITEMS, Sections, Tile, ceil_div, grain, round_up, static
from graphcore.compiler.kernels.conv_driver import conv_kernel, gather_kernel
from graphcore.compiler.kernels.matmul import lower_pointwise_convolution
from graphcore.compiler.launch import Address, KernelAddress, Row, Scratch, View, contiguous_strides
from graphcore.dtype import from_name
from graphcore.ir.dims import Dim, Size, product

#: Pixels of a block, in panels; they share the copy of the source and one read of the weights.
PANELS_PER_BLOCK = 10
#: Output channels of a block: bounds the scratch memory for its sums.
CHANNELS_PER_BLOCK = 256
#: Pixels of a line that is made of shorter ones.
LONG_LINE = 480
#: Images of fewer pixels share the panels of a block.
FEW_PIXELS = 64


def lower_conv2d(build, node, inputs: list, output: View, epilogue) -> None:
    """Launches for ``conv2d``; `output` is contiguous."""
    image, weight = build.contiguous(inputs[0]), build.contiguous(inputs[1])
    attrs = _Attributes(node.attrs)
    if _is_product(attrs, weight, image):
        lower_pointwise_convolution(build, weight, image, output, False, epilogue)
        return
    image, output = _relined(attrs, weight, image, output)
    phases = taps.forward_phases(weight.shape[2:], attrs.stride, attrs.pad, attrs.dilation)
    _Convolution(build, phases, attrs.stride, (1, 1), image, weight, output, attrs.groups, False, epilogue).launch()


def lower_conv2d_grad_input(build, node, inputs: list, output: View, epilogue) -> None:
    """Launches for ``conv2d_grad_input``; `output` is contiguous."""
    gradient, weight = build.contiguous(inputs[0]), build.contiguous(inputs[1])
    attrs = _Attributes(node.attrs)
    if _is_product(attrs, weight, gradient):
        lower_pointwise_convolution(build, weight, gradient, output, True, epilogue)
        return
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


def _is_product(attrs: _Attributes, weight: View, image: View) -> bool:
    """Whether this is the product of a matrix with each image; many small images are better put side by side."""
    if weight.shape[2:] != (1, 1) or attrs.stride != (1, 1) or any(attrs.pad) or attrs.groups != 1:
        return False
    return image.shape[0] == 1 or static(product(image.shape[2:]), 0) >= FEW_PIXELS


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
        if blocks := winograd.plan(self):
            winograd.launch(self, blocks)
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
