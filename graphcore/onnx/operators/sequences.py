"""Sequences of tensors, within a model: lists whose length is known when the graph is captured."""
from __future__ import annotations

from graphcore.onnx.operators.shapes import split_into
from graphcore.onnx.table import operator
from graphcore.onnx.values import axis_of, ints, sizes_of
from graphcore.ops import functional as F


def _place(sequence: list, position, insert: bool = False) -> int:
    """A place in a sequence, counted from the end if it is negative.  Raises ValueError outside of it."""
    place, last = ints(position)[0], len(sequence) - (0 if insert else 1)
    if not -len(sequence) <= place <= last:
        raise ValueError(f"place {place} of a sequence of {len(sequence)}")
    return place + len(sequence) if place < 0 else place


@operator("SequenceEmpty", 11)
def empty(*, dtype=1):
    return []


@operator("SequenceConstruct", 11)
def construct(*xs):
    return list(xs)


@operator("SequenceAt", 11, numbers=("position",))
def at(sequence, position):
    return sequence[_place(sequence, position)]


@operator("SequenceInsert", 11, numbers=("position",))
def insert(sequence, x, position=None):
    """Before `position`, at the end if that is left out."""
    place = len(sequence) if position is None else _place(sequence, position, insert=True)
    return [*sequence[:place], x, *sequence[place:]]


@operator("SequenceErase", 11, numbers=("position",))
def erase(sequence, position=None):
    place = len(sequence) - 1 if position is None else _place(sequence, position)
    return [*sequence[:place], *sequence[place + 1:]]


@operator("SequenceLength", 11)
def length(sequence):
    return sizes_of(len(sequence))


@operator("ConcatFromSequence", 11)
def concat(sequence, *, axis, new_axis=0):
    return F.stack(sequence, axis) if new_axis else F.concat(sequence, axis)


@operator("SplitToSequence", 11, numbers=("split",))
def split(x, split=None, *, axis=0, keepdims=1):
    """Parts of a length (the last may be shorter), of several lengths, or, without `split`, of one slice each."""
    axis = axis_of(axis, x.ndim)
    extent = x.shape[axis]
    if split is None:
        parts = split_into(x, axis, [1] * extent, extent)
        return [p if keepdims else F.squeeze(p, axis) for p in parts]
    if split.ndim:
        return list(split_into(x, axis, ints(split), split.size))
    step = ints(split)[0]
    if step < 1:
        raise ValueError(f"parts of length {step}")
    return list(split_into(x, axis, [min(step, extent - i) for i in range(0, extent, step)], 1))
