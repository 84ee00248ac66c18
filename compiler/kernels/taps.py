"""How a convolution (or the gradient for its input) reads its input: taps, phases and planes.

Both are the same computation: each pixel of the result sums, over the channels and some *taps*, numbers of the source
at fixed distances, times weights.  The convolution has one *phase*.  The gradient for the input of a convolution with
stride s has s*s of them: pixels whose row and column leave certain remainders modulo s meet certain taps only.

A block of the source is copied to scratch memory with its zero padding, and separated by remainder modulo the step of
the source between neighbouring pixels of the result into *planes*.  There every tap of a pixel lies at a distance from
the pixel's own place that is the same for all pixels, and neighbouring pixels are neighbours; so products read vectors
of pixels straight from that copy, whatever stride, padding and dilation are.
"""
from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from graphcore.compiler.kernels.blocking import Tile
from graphcore.compiler.launch import KernelSource
from graphcore.dtype import DType

#: Words at the head of a phase's table, before the planes and the taps (see `Phase.words`).
HEAD = 9


@dataclass(frozen=True)
class Phase:
    """Pixels of the result at rows first_row + i*step and columns alike, and the taps that they meet.

    planes: remainders (row, column) of the source that are read; taps: (plane, row, column) in a plane, relative to
    the pixel's place; top, left: row and column of the plane that a block at pixel (0, 0) begins with;
    span: how many rows and columns beyond those of the pixels are read; weights: where each tap's weight lies in a
    kernel of the weight tensor.
    """

    first_row: int
    first_column: int
    planes: tuple
    taps: tuple
    top: int
    left: int
    span: tuple
    weights: tuple

    def words(self, weights_at) -> tuple:
        """The table that kernels read: the head, row and column of each plane, three words for each tap."""
        head = (self.first_row, self.first_column, len(self.taps), len(self.planes), self.top, self.left, *self.span,
                weights_at)
        return head + tuple(word for group in (*self.planes, *self.taps) for word in group)


def make_phase(reach: list, step: tuple, first: tuple = (0, 0)) -> Phase:
    """The phase whose pixel (i, j) reads the source at (i*step + row, j*step + column) for each tap.

    reach: (row, column, place of the weight) for each tap; rows and columns may be negative.
    """
    if not reach:
        return Phase(*first, ((0, 0),), (), 0, 0, (0, 0), ())
    places = [(row // step[0], column // step[1], row % step[0], column % step[1]) for row, column, _ in reach]
    top, left = min(p[0] for p in places), min(p[1] for p in places)
    planes = tuple(sorted({p[2:] for p in places}))
    taps = tuple((planes.index(p[2:]), p[0] - top, p[1] - left) for p in places)
    span = max(t[1] for t in taps), max(t[2] for t in taps)
    return Phase(*first, planes, taps, top, left, span, tuple(place for _, _, place in reach))


def forward_phases(kernel: tuple, stride: tuple, pad: tuple, dilation: tuple) -> list:
    """The one phase of a convolution."""
    return [make_phase([(i * dilation[0] - pad[0], j * dilation[1] - pad[2], i * kernel[1] + j)
                        for i in range(kernel[0]) for j in range(kernel[1])], stride)]


def backward_phases(kernel: tuple, stride: tuple, pad: tuple, dilation: tuple) -> list:
    """The phases of the gradient for the input, as a sum over pixels of the result's gradient."""
    phases = []
    for row in range(stride[0]):
        for column in range(stride[1]):
            reach = []
            for i in range(kernel[0]):
                for j in range(kernel[1]):
                    down, right = row + pad[0] - i * dilation[0], column + pad[2] - j * dilation[1]
                    if down % stride[0] == 0 and right % stride[1] == 0:
                        reach.append((down // stride[0], right // stride[1], i * kernel[1] + j))
            phases.append(make_phase(reach, (1, 1), (row, column)))
    return phases


_COPY_PLANES = """
def copy_planes_{memory}_{work}(args, begin, end, worker):
    # args: source, elements from channel to channel, rows, columns; target, elements from channel to channel, from
    # image to image; images, elements of the source from image to image; planes, their number, rows of a plane, its
    # columns; row and column of the source where planes begin; steps (row, column).  An item is a channel.
    rows = args[2]
    columns = args[3]
    planes = ptr_i64(args[9])
    high = args[11]
    wide = args[12]
    step = args[16]
    zero = lanes({work}(0), {lanes})
    for channel in range(begin, end):
        for image in range(args[7]):
            source = advance(ptr_{memory}(args[0]), channel * args[1] + image * args[8])
            target = advance(ptr_{work}(args[4]), channel * args[5] + image * args[6])
            for plane in range(args[10]):
                row = args[13] + load(planes, 2 * plane)
                column = args[14] + load(planes, 2 * plane + 1)
                first = minimum(wide, maximum(0, (step - 1 - column) // step))
                last = maximum(first, minimum(wide, (columns - 1 - column) // step + 1))
                zero_line(target, high * wide, {lanes})
                for i in range(high):
                    if row >= 0 and row < rows and first < last:
                        line = advance(source, row * columns + column)
{copy_line}
                    row += args[15]
                    target = advance(target, wide)
"""

_COPY_VECTORS = """\
                        if step == 1:
                            copy_line(advance(target, first), advance(line, first), last - first, {lanes})
                        elif step == 2:
                            j = first
                            while 2 * (j + {lanes}) <= columns - column and j + {lanes} <= last:
                                store_whole(target, j, load_spread(line, 2 * j, 2, zero))
                                j += {lanes}
                            # what the last vector writes beyond the line are zeros, where the next will be
                            while j < last:
                                store_whole(target, j, load_lanes(line, 2 * j, 2, 2 * last - 1, zero))
                                j += {lanes}
                        else:
                            for j in range(first, last):
                                store(target, j, load(line, j * step))"""
_COPY_SCALARS = """\
                        for j in range(first, last):
                            store(target, j, load(line, j * step))"""


@cache
def copy_planes(tile: Tile, dtype: DType) -> KernelSource:
    """Copy channels of some images to scratch memory, padded with zeros and separated into planes.

    Behind the last plane there must be place for a vector.
    """
    lines = _COPY_VECTORS.format(lanes=tile.lanes) if dtype.code == tile.work else _COPY_SCALARS
    return KernelSource(f"copy_planes_{dtype.code}_{tile.work}", _COPY_PLANES.format(
        memory=dtype.code, work=tile.work, lanes=tile.lanes, copy_line=lines))


_COPIED = ("args[0] + ((first_image * groups + group) * channels + first_channel) * height * width * {bytes}, "
           "height * width, height, width, source_block, channel_size, image_size, count, "
           "groups * channels * height * width, planes, plane_count, lines + load(phase, 6), wide, "
           "(line + load(phase, 4)) * step_row, load(phase, 5) * step_column, step_row, step_column")


def copied_words(dtype: DType) -> str:
    """The words of `copy_planes` for a block, as text; all drivers have the same names for them."""
    return _COPIED.format(bytes=dtype.itemsize)


_PACK_WEIGHTS = """
def pack_weights_{memory}_{work}(args, begin, end, worker):
    # args: weights, target; rows, channels, taps of a group; places of the taps; elements from row to row, from
    # channel to channel, from group to group; height of a panel, elements of the target from group to group
    rows = args[2]
    channels = args[3]
    taps = args[4]
    places = ptr_i64(args[5])
    height = args[9]
    panels = (rows + height - 1) // height
    for item in range(begin, end):
        group = item // panels
        first = (item - group * panels) * height
        high = minimum(height, rows - first)
        target = advance(ptr_{work}(args[1]), group * args[10] + first * channels * taps)
        source = advance(ptr_{memory}(args[0]), group * args[8] + first * args[6])
        for c in range(channels):
            for r in range(high):
                for t in range(taps):
                    store(target, t * high + r, load(source, r * args[6] + load(places, t)))
            source = advance(source, args[7])
            target = advance(target, taps * high)
"""


@cache
def pack_weights(tile: Tile, dtype: DType) -> KernelSource:
    """The weights of one phase as panels of rows, over channels and taps; an item is a panel of a group."""
    return KernelSource(f"pack_weights_{dtype.code}_{tile.work}", _PACK_WEIGHTS.format(
        memory=dtype.code, work=tile.work))
