"""Parts of a larger array that their group writes straight into it, instead of into memory of their own to be copied:
of a `concat`, and of what is gathered from several processes.
"""
from __future__ import annotations

from collections.abc import Container, Iterator

from graphcore.compiler.launch import contiguous_strides
from graphcore.compiler.schedule.groups import Group, Grouping
from graphcore.compiler.schedule.kinds import is_compute
from graphcore.compiler.schedule.windows import Window, squeezed, whole_base, window
from graphcore.ir.dims import Size
from graphcore.ir.graph import Graph, Node
from graphcore.ops.view import strided


def place_parts(graph: Graph, grouping: Grouping, taken: Container[Node], epilogues: Container[Group]) -> dict:
    """Parts that nothing else needs → their `concat`; each such part's group is told its window there.

    taken: nodes that are written elsewhere; epilogues: groups that run on the tiles of an operator, and whose results
    lie as the operator's do.
    """
    placed = {}
    roots = {window(r).base for r in graph.roots}
    for whole in graph.nodes:
        if whole.op != "concat":
            continue
        for part, offset in _parts(whole):
            base = whole_base(part)
            if base is None or not is_compute(base) or base in roots or base in taken:
                continue
            (group, *others), users = grouping.groups_of[base], grouping.consumers[base]
            if others or group in epilogues or len(users) != 1 or group.space_of(base) != squeezed(base.shape):
                continue
            moved = strided(part.shape, contiguous_strides(whole.shape), "reshape", {"shape": base.shape})
            if moved is not None:
                strides = tuple(stride for stride, size in zip(moved[1], base.shape) if size != 1)
                group.windows[base] = Window(whole, group.space_of(base), strides, offset)
                placed[base] = whole
    return placed


def own_part_of(begun: Node, graph: Graph, grouping: Grouping, epilogues: Container[Group]) -> Node | None:
    """What an `all_gather` that starts gathers, if one group computes it for that alone, and not on another's tiles."""
    base = whole_base(begun.inputs[0])
    if base is None or not is_compute(base) or any(window(r).base is base for r in graph.roots):
        return None
    group, *others = grouping.groups_of[base]
    if others or group in epilogues or len(grouping.consumers[base]) != 1 or base in group.windows \
            or group.space_of(base) != squeezed(base.shape):
        return None
    return base


def own_offset(begun: Node) -> Size:
    """Where in the gathered array the part of this process begins, in elements."""
    return begun.inputs[0].type.size * begun.attrs["rank"]


def _parts(whole: Node) -> Iterator[tuple]:
    """Each input of a `concat`, and where it begins in memory."""
    axis, start = whole.attrs["axis"], 0
    for part in whole.inputs:
        yield part, contiguous_strides(whole.shape)[axis] * start
        start = start + part.shape[axis]
