"""concat, place and update_slice: copies into windows of the result."""
from __future__ import annotations

from graphcore.compiler.launch import View, contiguous_strides

ACCEPTS_EPILOGUE = frozenset()


def lower_concat(build, node, inputs, output, epilogue):
    """Copy each input to its place along the axis, unless it was written there."""
    axis, start = node.attrs["axis"], 0
    strides = contiguous_strides(node.shape)
    for part in inputs:
        offset = output.offset + strides[axis] * start
        if part.buffer is not output.buffer:
            build.copy(part, View(output.buffer, part.shape, strides, offset))
        start = start + part.shape[axis]


def lower_place(build, node, inputs, output, epilogue):
    """Fill the result, then copy the input into its window."""
    source = inputs[0]
    window = _window(node.shape, node.attrs, source.shape, output)
    if source.shape != output.shape:
        build.fill(output, node.attrs["fill"])
    build.copy(source, window)


def lower_update_slice(build, node, inputs, output, epilogue):
    """Copy the whole, then the new values over their window."""
    whole, value = inputs
    build.copy(whole, output)
    build.copy(value, _window(node.shape, node.attrs, value.shape, output))


def _window(shape, attrs, part, output) -> View:
    strides = contiguous_strides(shape)
    offset = output.offset
    for begin, stride in zip(attrs["begin"], strides):
        offset = stride * begin + offset
    return View(output.buffer, part, tuple(s * k for s, k in zip(strides, attrs["stride"])), offset)


LOWERINGS = {"concat": lower_concat, "place": lower_place, "update_slice": lower_update_slice}
