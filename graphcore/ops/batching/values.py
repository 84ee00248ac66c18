"""Values of a batch of examples, and the table of rules."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from graphcore.ir.graph import Node
from graphcore.ir.types import TapeType, TensorType, Type
from graphcore.ops.record import REGISTRY
from graphcore.ops.view import broadcast_to, reshape, slice_, transpose

#: name of an operator or of a kind -> rule(record, batch, values, attrs) -> Node with the examples along axis 0.
#: A rule is asked only where a value is batched, or where the operator draws random numbers.
RULES: dict[str, Callable] = {}


def rule(*names: str):
    """Register a function as the rule of the operators (or kinds) `names`."""
    def register(function):
        RULES.update(dict.fromkeys(names, function))
        return function
    return register


def rule_of(op: str) -> Callable | None:
    """The rule of an operator: its own, else its kind's."""
    return RULES.get(op) or RULES.get(REGISTRY[op].kind)


@dataclass(frozen=True)
class Value:
    """What a node is for the examples: one value for each along axis 0 (`batched`), or one that all share."""

    node: Node
    batched: bool

    @property
    def shape(self) -> tuple:
        """The shape that one example sees."""
        return self.node.shape[1:] if self.batched else self.node.shape

    @property
    def rank(self) -> int:
        return len(self.shape)

    def aligned(self, rank: int) -> Node:
        """The node with axes of size 1 in front of an example's until it has `rank` of them, as broadcasting needs."""
        if not self.batched or self.rank == rank:
            return self.node
        return reshape(self.node, shape=(self.node.shape[0], *(1,) * (rank - self.rank), *self.shape))

    def spread(self, batch) -> Node:
        """The node with a batch axis in any case: a shared value is repeated."""
        return self.node if self.batched else broadcast_to(self.node, shape=(batch, *self.node.shape))


def batched_type(type_: Type, batch) -> Type:
    """The type of a batch of values; the elements of a tape each get the batch axis."""
    if isinstance(type_, TapeType):
        return TapeType(batched_type(type_.element, batch))
    return TensorType(type_.dtype, (batch, *type_.shape))


def move_axis(x: Node, source: int, target: int) -> Node:
    """x with one axis moved, as `numpy.moveaxis`."""
    order = [i for i in range(x.rank) if i != source]
    order.insert(target, source)
    return x if order == sorted(order) else transpose(x, perm=tuple(order))


def merge(x: Node, axis: int) -> Node:
    """x with `axis` and the one behind it as one."""
    return reshape(x, shape=(*x.shape[:axis], x.shape[axis] * x.shape[axis + 1], *x.shape[axis + 2:]))


def split(x: Node, axis: int, first) -> Node:
    """x with `axis` as two axes, of sizes `first` and the rest."""
    return reshape(x, shape=(*x.shape[:axis], first, x.shape[axis] // first, *x.shape[axis + 1:]))


def first_example(value: Value) -> Node:
    """What a batched value is for the first example."""
    x = value.node
    window = slice_(x, begin=(0,) * x.rank, size=(1, *x.shape[1:]), stride=(1,) * x.rank)
    return reshape(window, shape=value.shape)


def example_number(batch, shape: tuple, dtype) -> Node:
    """The number of each example, of shape [batch, *shape]."""
    return REGISTRY["iota"](shape=(batch, *shape), axis=0, dtype=dtype)
