"""Depthwise convolution and the gradient for its input: one channel in, one channel out.

There is nothing to share between output channels, so the register tile does not help: some lines of the result are one
loop over vectors of pixels with all taps written out.  It runs on over what lies between the lines, so that short ones
cost no more than their share; then the lines are copied to their places.  The taps are counted in the kernel's text,
their places are not.  An item is a channel of an image.
"""
from __future__ import annotations

from functools import cache
from textwrap import indent

from graphcore.compiler.kernels import taps
from graphcore.compiler.kernels.blocking import Sections, Tile, grain, static
from graphcore.compiler.launch import Address, KernelAddress, KernelSource, Row, Scratch, View
from graphcore.dtype import DType

#: More taps than this are left to the general convolution.
MOST_TAPS = 64
#: Pixels that are worked on before their lines are copied: they stay in the first-level cache.
PIXELS_AT_ONCE = 512

_DRIVER = """
def depthwise_{memory}(args, begin, end, worker):
    height = args[2]
    width = args[3]
    out_height = args[5]
    out_width = args[6]
    groups = args[7]
    step_row = args[8]
    step_column = args[9]
    out_step_row = args[10]
    out_step_column = args[11]
    copy_planes = args[15]
    source_block = args[18] + worker * args[19]
    sums = restrict(ptr_{work}(source_block + args[21]), 3)
    zero = lanes({work}(0), {lanes})
    channels = 1
    count = 1
    line = 0
    first_channel = 0
    for item in range(begin, end):
        first_image = item // groups
        group = item - first_image * groups
        output = advance(ptr_{memory}(args[4]), item * out_height * out_width)
        phase = ptr_i64(args[12])
        for number in range(args[13]):
            tap_count = load(phase, 2)
            plane_count = load(phase, 3)
            planes = advance(phase, {head})
            taps = advance(planes, 2 * plane_count)
            weights = advance(ptr_i64(args[14]), load(phase, 8))
            lines = (out_height - load(phase, 0) + out_step_row - 1) // out_step_row
            across = (out_width - load(phase, 1) + out_step_column - 1) // out_step_column
            wide = across + load(phase, 7)
            plane_size = (lines + load(phase, 6)) * wide
            image_size = plane_count * plane_size
            channel_size = image_size
            weight = advance(ptr_{memory}(args[1]), group * args[20])
            into = advance(output, load(phase, 0) * out_width + load(phase, 1))
            if tap_count > 0 and lines > 0 and across > 0:
                call_with(copy_planes, 0, 1, worker, {copied})
            together = maximum(1, {at_once} // wide)
            for first in range(0, select(across > 0, lines, 0), together):
                some = minimum(together, lines - first)
                source = restrict(advance(ptr_{work}(source_block), first * wide), 2)
                pixels = (some - 1) * wide + across
{cases}
                for i in range(some):
                    summed = advance(sums, i * wide)
{store_line}
                    into = advance(into, out_step_row * out_width)
            phase = advance(taps, 3 * tap_count)
        if args[16] != 0:
            start = item * out_height * out_width
            call_kernel(args[16], args[17], start, start + out_height * out_width, worker)
"""

_CASE = """\
if tap_count == {count}:
{taps}
    for j in range(0, pixels, {lanes}):
        s = zero
{terms}
        store_whole(sums, j, s)
"""

_STORE_VECTORS = """\
                    if out_step_column == 1:
                        copy_line(into, summed, across, {lanes})
                    else:
                        for j in range(across):
                            store(into, j * out_step_column, load(summed, j))"""
_STORE_SCALARS = """\
                    for j in range(across):
                        store(into, j * out_step_column, load(summed, j))"""

_TAP = """\
    at{t} = load(taps, {3t}) * plane_size + load(taps, {3t} + 1) * wide + load(taps, {3t} + 2)
    w{t} = lanes({work}(load(weight, load(weights, {t}))), {lanes})"""


@cache
def depthwise_kernel(tile: Tile, dtype: DType, counts: tuple) -> KernelSource:
    """The driver for phases with so many taps (each number once)."""
    store = _STORE_VECTORS.format(lanes=tile.lanes) if dtype.code == tile.work else _STORE_SCALARS
    return KernelSource(f"depthwise_{dtype.code}", _DRIVER.format(
        memory=dtype.code, work=tile.work, lanes=tile.lanes, head=taps.HEAD, copied=taps.copied_words(dtype),
        at_once=PIXELS_AT_ONCE, store_line=store,
        cases="\n".join(indent(_case(tile, count), " " * 16).rstrip() for count in counts)))


def _case(tile: Tile, count: int) -> str:
    lines = "\n".join(_TAP.replace("{3t}", str(3 * t)).format(t=t, work=tile.work, lanes=tile.lanes)
                      for t in range(count))
    terms = "\n".join(f"        s = lanes_add(s, lanes_multiply(w{t}, load_whole(source, at{t} + j, zero)))"
                      for t in range(count))
    return _CASE.format(count=count, taps=lines or "    pass", terms=terms, lanes=tile.lanes)


def suits(phases: list, rows: int, channels: int) -> bool:
    """Whether this way is for a convolution of so many output and input channels to a group."""
    return rows == channels == 1 and max(len(phase.taps) for phase in phases) <= MOST_TAPS


def _widest(phases: list) -> int:
    """Columns that a line has more in the source than in the result, at most."""
    return max(phase.span[1] for phase in phases)


def launch(build, tile: Tile, phases: list, step: tuple, out_step: tuple, source: View, weight: View, output: View,
           groups: int, scratch_elements, epilogue) -> None:
    """Launch a convolution-like sum over `phases`; all views are contiguous.

    scratch_elements: numbers in the planes of one channel of one image.
    """
    dtype = output.dtype
    images, _, lines, width = output.shape
    places, at = [], 0
    for phase in phases:
        places.append(at)
        at += len(phase.taps)
    sections = Sections()
    sections.add((scratch_elements + tile.lanes) * tile.bytes)
    at_sums = sections.add((PIXELS_AT_ONCE + width + _widest(phases) + 2 * tile.lanes) * tile.bytes)
    area = weight.shape[2] * weight.shape[3]
    tables = Row(tuple(word for phase, place in zip(phases, places) for word in phase.words(place)))
    weights = Row(tuple(place for phase in phases for place in phase.weights) or (0,))
    words = (Address(source), Address(weight), *source.shape[2:], Address(output), lines, width, groups, *step,
             *out_step, tables, len(phases), weights,
             KernelAddress(taps.copy_planes(tile, dtype)), *(epilogue.words if epilogue is not None else (0, 0)),
             Scratch(sections.total), sections.total, area, at_sums)
    counts = tuple(sorted({len(phase.taps) for phase in phases}))
    build.launch(depthwise_kernel(tile, dtype, counts), words, items=images * groups,
                 grain=grain(static(lines, 32) * static(width, 32) * at * 8),
                 reads=[source.buffer, weight.buffer], writes=[output.buffer],
                 flops=2 * output.size * at // (out_step[0] * out_step[1]),
                 bytes=(source.size + weight.size + output.size) * dtype.itemsize)
