"""The loop structure of a fused group: which arrays it touches with which strides, over which loops.

This is the form between a group of nodes and the text of a kernel.  Axes whose strides allow it for every array are
merged, so that most maps become one flat loop; sizes and strides become words of the launch's row.
"""
from __future__ import annotations

from dataclasses import dataclass, replace

from graphcore.compiler.launch import contiguous_strides
from graphcore.compiler.schedule.groups import Group
from graphcore.compiler.schedule.kinds import is_scalar_constant, kind, own_shape
from graphcore.compiler.schedule.windows import access
from graphcore.dtype import DType, int64
from graphcore.ir.dims import Size
from graphcore.ir.graph import Node


@dataclass(frozen=True)
class Array:
    """An array as a group reaches it: element = offset + sum over the loops of index * stride."""

    base: Node
    strides: tuple              # over the axes of the space, later over the merged loops
    offset: Size
    level: str                  # "full", or "row" if it does not vary along the reduced axes


@dataclass(frozen=True)
class Literal:
    """A constant of one element, written into the text."""

    node: Node


@dataclass(frozen=True)
class Index:
    """A number computed from the loop indices: offset + sum of index * stride, as `dtype`."""

    strides: tuple
    offset: Size
    dtype: DType


@dataclass(frozen=True)
class Loops:
    """A group ready to be written as text.

    outer: sizes of the loops over independent items; inner: sizes of the loops over the reduced axes (empty for maps).
    operands: for each member, per operand: a member Node, an Array, a Literal or an Index.
    outputs: stored member -> Array; positions: member that needs its own flat index (random numbers) -> Index.
    columns: the last outer loop is the contiguous one, so kernels work on blocks of it.
    """

    group: Group
    outer: tuple
    inner: tuple
    operands: dict
    outputs: dict
    positions: dict
    columns: bool

    @property
    def arrays(self) -> list:
        """Every array that is read, once, in order of first use."""
        found: dict = {}
        for m in self.group.in_order():
            for operand in self.operands[m]:
                if isinstance(operand, Array):
                    found[operand] = None
        return list(found)

    @property
    def indices(self) -> list:
        """Every Index that is used, once."""
        used = [o for m in self.group.in_order() for o in self.operands[m] if isinstance(o, Index)]
        return list(dict.fromkeys(used + list(self.positions.values())))


def find_loops(group: Group) -> Loops:
    """Work out arrays and loops of a group."""
    reduced = group.reduced or frozenset()
    rank = len(group.space)
    operands, outputs, positions = {}, {}, {}
    for m in group.in_order():
        level = "full" if kind(m) == "reduction" else group.nodes[m]
        operands[m] = tuple(_operand(group, m, o, level, reduced) for o in m.inputs)
        if m in group.stored:
            place = group.windows.get(m)
            strides, offset = (place.strides, place.offset) if place else (contiguous_strides(group.space_of(m)), 0)
            outputs[m] = Array(m, _spread(strides, group.nodes[m], reduced, rank), offset, group.nodes[m])
        if m.op == "random_uniform":
            flat = contiguous_strides(group.space_of(m))
            positions[m] = Index(_spread(flat, group.nodes[m], reduced, rank), 0, int64)
    everything = [a.strides for ops in operands.values() for a in ops if isinstance(a, (Array, Index))]
    everything += [a.strides for a in (*outputs.values(), *positions.values())]
    outer_axes = [i for i in range(rank) if i not in reduced]
    inner_axes = [i for i in range(rank) if i in reduced]
    outer = _merge(outer_axes, group.space, everything)
    inner = _merge(inner_axes, group.space, everything)
    loops = outer + inner

    def over_loops(found):
        if not isinstance(found, (Array, Index)):
            return found
        return replace(found, strides=tuple(found.strides[run[-1]] for run in loops))

    return Loops(
        group, tuple(_size(run, group.space) for run in outer), tuple(_size(run, group.space) for run in inner),
        {m: tuple(map(over_loops, found)) for m, found in operands.items()},
        {m: over_loops(a) for m, a in outputs.items()},
        {m: over_loops(i) for m, i in positions.items()},
        columns=bool(inner_axes) and bool(outer_axes) and outer_axes[-1] > inner_axes[-1])


def merge_windows(group: Group, reads: dict, write: Array) -> Loops:
    """The loops of a one-node map whose arrays lie in windows of larger ones.

    reads: the arrays that `find_loops` found -> the same with strides over the space; write: the output's.
    """
    (result,) = group.nodes
    everything = [a.strides for a in reads.values()] + [write.strides]
    runs = _merge(list(range(len(group.space))), group.space, everything)

    def over_loops(array: Array) -> Array:
        return Array(array.base, tuple(array.strides[run[-1]] for run in runs), array.offset, array.level)

    operand = next(iter(reads.values()), None)
    return Loops(group, tuple(_size(run, group.space) for run in runs), (),
                 {result: (over_loops(operand),) if operand else find_loops(group).operands[result]},
                 {result: over_loops(write)}, {}, columns=False)


def _operand(group: Group, m: Node, operand: Node, level: str, reduced: frozenset):
    if m.op == "random_uniform":                # its key is read as two scalars by the code generator
        return Array(access(operand, operand.shape).base, (0,) * len(group.space), 0, "row")
    reach = access(operand, own_shape(m))
    if reach.base in group.nodes:
        return reach.base
    if is_scalar_constant(reach.base):
        return Literal(reach.base)
    strides = _spread(reach.strides, level, reduced, len(group.space))
    if reach.base.op == "iota":             # one axis (see passes.algebra), so a value is its own address
        return Index(strides, reach.offset, reach.base.dtype)
    varies = any(strides[i] != 0 for i in reduced)
    return Array(reach.base, strides, reach.offset, "full" if varies or not reduced else "row")


def _spread(strides: tuple, level: str, reduced: frozenset, rank: int) -> tuple:
    """Strides over the row space as strides over the whole space: 0 along the reduced axes."""
    if level == "full":
        return strides
    remaining = iter(strides)
    return tuple(0 if i in reduced else next(remaining) for i in range(rank))


def _merge(axes: list, space: tuple, everything: list) -> list:
    """Runs of neighbouring axes that every array walks through as if they were one."""
    runs: list = []
    for axis in axes:
        if runs and runs[-1][-1] == axis - 1 and all(s[axis - 1] == space[axis] * s[axis] for s in everything):
            runs[-1].append(axis)
        else:
            runs.append([axis])
    return runs


def _size(run: list, space: tuple) -> Size:
    size: Size = 1
    for axis in run:
        size = space[axis] * size
    return size
