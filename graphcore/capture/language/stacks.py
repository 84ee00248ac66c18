"""The elements of a stack that a loop gave: a list of a thousand tensors that costs nothing until they are used."""
from __future__ import annotations

from graphcore.capture.trace import TracedTensor, current_trace
from graphcore.ir.graph import Node
from graphcore.ops import functional as F


class StackElement(TracedTensor):
    """Element `index` of a stack, taken out when its node is asked for."""

    __slots__ = ("stack", "index", "_node")

    def __init__(self, stack: TracedTensor, index: int):
        self.stack, self.index, self._node = stack, index, None
        self.recorder, self._dtype = stack.recorder, stack.dtype

    @property
    def node(self) -> Node:
        if self._node is None:
            trace = current_trace() or self.recorder
            self._node = trace.node_of(self.stack[self.index]) if trace is self.recorder else self._taken_in(trace)
        return self._node

    @node.setter
    def node(self, node: Node) -> None:
        self._node, self.stack = node, None

    def _taken_in(self, trace) -> Node:
        with self.recorder.active():
            return self.recorder.node_of(self.stack[self.index])

    @property
    def shape(self) -> tuple:
        return self.stack.shape[1:] if self._node is None else self._node.type.shape


def elements(stack: TracedTensor, length) -> list[StackElement]:
    """The elements of a stack along its first axis; of a symbolic length the first one, which leads to the stack."""
    return [StackElement(stack, i) for i in range(length if isinstance(length, int) else 1)]


def whole_stack(tensors) -> TracedTensor | None:
    """The stack of which `tensors` are all elements in order; None if they are something else."""
    first = tensors[0] if len(tensors) else None
    if not isinstance(first, StackElement) or first.stack is None or first.stack.shape[0] != len(tensors):
        return None
    same = all(isinstance(t, StackElement) and t.stack is first.stack and t.index == i for i, t in enumerate(tensors))
    return first.stack if same else None


def join_elements(tensors, axis: int, new_axis: bool):
    """What `stack` (new_axis) or `concat` of all elements of a stack gives; None if `tensors` are something else."""
    stack = whole_stack(tensors)
    if stack is None or current_trace() is not stack.recorder:
        return None
    rank = stack.ndim if new_axis else stack.ndim - 1
    axis = axis + rank if axis < 0 else axis
    order = [*range(1, axis + 1), 0, *range(axis + 1, stack.ndim)]
    moved = F.transpose(stack, tuple(order)) if axis else stack
    if new_axis:
        return moved
    shape = moved.shape
    return F.reshape(moved, (*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2:]))
