"""How a value is reached through views: as a strided window on the memory of the node that computed it."""
from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from graphcore.compiler.launch import contiguous_strides
from graphcore.ir import graph as ir
from graphcore.ir.dims import Size, product
from graphcore.ir.graph import Graph, Node
from graphcore.ir.types import TensorType
from graphcore.ops import pointwise
from graphcore.ops.record import REGISTRY
from graphcore.ops.view import strided


@dataclass(frozen=True)
class Window:
    """Elements of `base` (row-major): element i of the view is at offset + sum(i[k] * strides[k])."""

    base: Node
    shape: tuple
    strides: tuple
    offset: Size = 0


def is_view(node: Node) -> bool:
    return not node.is_leaf and REGISTRY[node.op].kind == "view"


@lru_cache(maxsize=4096)
def window(node: Node) -> Window | None:
    """The window that a chain of views gives on the node below it; None where a reshape would need a copy.

    A region or a tape, which have no elements of their own, are reached as a whole.  Fusion asks for the same nodes
    again and again; `forget` lets go of those that were asked for.
    """
    if not isinstance(node.type, TensorType):
        return Window(node, (), ())
    chain = []
    while is_view(node):
        chain.append(node)
        node = node.inputs[0]
    result = Window(node, node.shape, contiguous_strides(node.shape))
    for view in reversed(chain):
        moved = strided(result.shape, result.strides, view.op, view.attrs)
        if moved is None:
            return None
        shape, strides, offset = moved
        result = Window(result.base, shape, strides, result.offset + offset)
    return result


def forget() -> None:
    """Keep no node alive on account of `window`."""
    window.cache_clear()


def insert_copies(graph: Graph) -> Graph:
    """Put a `copy` below every reshape that cannot be had by strides, and where an index must be in memory."""
    def replace(n: Node, inputs: tuple) -> Node:
        if not n.is_leaf and REGISTRY[n.op].kind in ("scheduled", "assembled", "region", "collective"):
            inputs = tuple(map(stored, inputs))
        new = n if inputs == n.inputs else ir.node(n.op, inputs, n.attrs, n.type)
        if new.op == "reshape" and window(new) is None:
            return ir.node("reshape", (pointwise.copy(new.inputs[0]),), new.attrs, new.type)
        return new

    def stored(n: Node) -> Node:
        return pointwise.copy(n) if window(n).base.op == "iota" else n

    new = ir.rebuild(graph, replace)
    return new.replace_roots(map(stored, new.outputs), ((k, stored(v)) for k, v in new.updates), new.effects)


def whole_base(node: Node) -> Node | None:
    """The computed node whose memory is exactly the value of `node`, if there is one."""
    reach = access(node, node.shape)
    whole = (reach.offset == 0 and reach.strides == contiguous_strides(reach.shape)
             and product(reach.shape) == reach.base.type.size)
    return reach.base if whole and not reach.base.is_leaf else None


def squeezed(shape: tuple) -> tuple:
    """The sizes without those that are 1."""
    return tuple(s for s in shape if s != 1)


def access(operand: Node, shape: tuple) -> Window:
    """The window through which a consumer of `shape` reads `operand`, broadcast to it, over its axes of size > 1."""
    found = window(operand)
    lead = len(shape) - len(found.shape)
    strides = (0,) * lead + tuple(0 if n == 1 else s for n, s in zip(found.shape, found.strides))
    return Window(found.base, squeezed(shape), tuple(s for s, n in zip(strides, shape) if n != 1), found.offset)
