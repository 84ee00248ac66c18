"""Operators that hold graphs of their own: branches, loops, inlined calls, and calls back into Python.

A region's graph is *closed*: it has one `input` leaf for each value that it takes, in order, no `param` leaves and no
updates.  What it reads of its surroundings, the value of a Parameter too, is an operand of the region's node; a
Parameter that it writes is one more result.  Every region gives a tuple, taken apart by `item`.

A value that a loop makes anew in each iteration and that is kept leaves it as a *stack* (index first): a tensor where
the number of iterations is known, else a *tape*, which grows outside the arena.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from graphcore.dtype import bool_, int64
from graphcore.errors import DTypeError, ShapeError
from graphcore.ir.graph import Graph, Node, graphs_of
from graphcore.ir.types import TapeType, TensorType, TupleType, Type
from graphcore.ops import structural
from graphcore.ops.record import Operator, Structural, op


class Region(Operator):
    """An operator with graphs in its attributes; its result is a tuple.

    evaluate(host, *values, **attrs) -> tuple    what it means, on stored arrays; `host` (see `ops.evaluate`) runs the
                                                 graphs and knows the Python functions to call
    """

    kind = "region"
    evaluate: Callable


@op
class if_(Region):
    """The results of graph `then` if `condition` holds, else those of graph `orelse`.

    inputs: condition (bool[]), then the operands; both graphs take all operands and give values of equal types.
    """
    def infer(condition, *operands, then, orelse):
        _expect_flag("if", condition)
        _expect_inputs("the then-graph", then, operands)
        _expect_inputs("the else-graph", orelse, operands)
        types = _types(then.outputs)
        if types != _types(orelse.outputs):
            raise ShapeError(f"the two branches of an if give {TupleType(types)} and "
                             f"{TupleType(_types(orelse.outputs))}")
        return TupleType(types)
    def evaluate(host, condition, *operands, then, orelse):
        return host.run(then if condition else orelse, operands)


@op
class while_(Region):
    """Repeat graph `body` while graph `condition` holds.

    inputs: `carried` values that change from iteration to iteration, then fixed ones; both graphs take all of them.
    condition gives bool[]; body gives the carried values' successors (of the same types), then values to be kept.
    result: carried values at the end, the number of iterations (i64[]), a tape of each kept value.
    """
    def infer(*values, condition, body, carried):
        _expect_counts("while", values, carried=carried)
        _expect_inputs("the condition of a while", condition, values)
        _expect_inputs("the body of a while", body, values)
        if len(condition.outputs) != 1:
            raise ShapeError("the condition of a while gives one value")
        _expect_flag("while", condition.outputs[0].type)
        kept = _expect_carried("while", values[:carried], body)
        return TupleType((*values[:carried], TensorType(int64, ()), *map(TapeType, kept)))
    def evaluate(host, *values, condition, body, carried):
        state, fixed, rows = values[:carried], values[carried:], []
        while host.run(condition, (*state, *fixed))[0]:
            after = host.run(body, (*state, *fixed))
            state = after[:carried]
            rows.append(after[carried:])
        return *state, np.array(len(rows), np.int64), *_columns(rows, len(body.outputs) - carried)


@op
class loop(Region):
    """Run graph `body` a number of times known when the loop begins: `length`, or the first input if length is None.

    inputs: (the number of iterations, i64[],) `carried` values, `stacks` stacks of which iteration i takes element i,
    then fixed values.  body takes the index i (i64[]), the carried values, an element of each stack, the fixed values;
    it gives the carried values' successors, then values to be kept.  reverse: i runs from the last to the first.
    result: carried values at the end, a stack of each kept value: tensors if length is given, else tapes.
    """
    def infer(*values, body, carried, stacks, length, reverse):
        if length is None:
            if not values or values[0] != TensorType(int64, ()):
                raise DTypeError("the number of iterations of a loop is its first input, of type i64[], not "
                                 f"{values[0] if values else 'absent'}")
            values = values[1:]
        elif isinstance(length, int) and length < 0:
            raise ShapeError(f"a loop has {length} iterations")
        _expect_counts("loop", values, carried=carried, stacks=stacks)
        elements = tuple(element_type(t) for t in values[carried:carried + stacks])
        for t in values[carried:carried + stacks]:
            if isinstance(t, TensorType) and t.shape[0] != length:
                raise ShapeError(f"a loop of {length} iterations cannot take elements of a stack {t}")
        inside = (TensorType(int64, ()), *values[:carried], *elements, *values[carried + stacks:])
        _expect_inputs("the body of a loop", body, inside)
        kept = _expect_carried("loop", values[:carried], body)
        return TupleType((*values[:carried], *(stack_type(t, length) for t in kept)))
    def evaluate(host, *values, body, carried, stacks, length, reverse):
        count, values = (int(values[0]), values[1:]) if length is None else (length, values)
        state, elements, fixed = values[:carried], values[carried:carried + stacks], values[carried + stacks:]
        rows = []
        for i in reversed(range(count)) if reverse else range(count):
            after = host.run(body, (np.array(i, np.int64), *state, *(e[i] for e in elements), *fixed))
            state = after[:carried]
            rows.append(after[carried:])
        kept = _columns(rows[::-1] if reverse else rows, len(body.outputs) - carried)
        if length is not None:
            kept = [np.array(column, o.dtype.storage) if column else np.empty((0, *o.shape), o.dtype.storage)
                    for column, o in zip(kept, body.outputs[carried:])]
        return *state, *kept


@op
class call(Region):
    """The results of graph `body`; expanded once gradients are taken.

    backward: None, or the graph that gives the gradients: it takes the inputs, the results and the results' gradients,
    and gives a gradient for each input.  A trace that knows all values has a function of such nodes instead, which may
    also give None.  recompute: the backward pass computes the body again instead of keeping its
    values.
    """
    def infer(*operands, body, backward, recompute):
        _expect_inputs("a called graph", body, operands)
        types = _types(body.outputs)
        if isinstance(backward, Graph):
            _expect_inputs("a backward graph", backward, (*operands, *types, *types))
            if _types(backward.outputs) != operands:
                raise ShapeError(f"a backward graph gives {TupleType(_types(backward.outputs))} as gradients of "
                                 f"{TupleType(operands)}")
        return TupleType(types)
    def evaluate(host, *operands, body, backward, recompute):
        return host.run(body, operands)


@op
class host_call(Region):
    """Call a Python function with the values of the inputs: for printing, raising, hooks.

    callback: its number in the list that the program is run with.  label: what it is, for readers.
    returns: whether the function gives a value, of the type of the first input; else the tuple is empty.
    Calls that give nothing are effects: they stand in the `effects` of their graph, in order.
    """
    def infer(*values, callback, label, returns):
        return TupleType(values[:1] if returns else ())
    def evaluate(host, *values, callback, label, returns):
        given = host.callbacks[callback](*values)
        return (np.asarray(given, values[0].dtype),) if returns else ()


@op
class hook(Structural):
    """Its input; a gradient that passes is replaced by what Python function number `callback` gives for it."""
    arity = 1
    def infer(x, *, callback, label):
        return x
    def reference(x, *, callback, label):
        return x
    def vjp(g, y, x, *, callback, label):
        return (structural.item(host_call(g, callback=callback, label=label, returns=True), index=0),)


@dataclass(frozen=True)
class LoopParts:
    """A `loop` or `while` node taken apart: the parts that both have under one name.

    first: the number of the first carried input; first_kept: of the first result that is a kept value.
    index: the body's leaf for the index (None in a `while`); length: None where only the program knows it.
    """

    node: Node
    body: Graph
    carried: int
    stacks: int
    first: int
    first_kept: int
    length: object
    reverse: bool

    @staticmethod
    def of(node: Node) -> LoopParts:
        attrs = node.attrs
        if node.op == "while":
            return LoopParts(node, attrs["body"], attrs["carried"], 0, 0, attrs["carried"] + 1, None, False)
        return LoopParts(node, attrs["body"], attrs["carried"], attrs["stacks"], int(attrs["length"] is None),
                         attrs["carried"], attrs["length"], attrs["reverse"])

    @property
    def index(self) -> Node | None:
        return self.body.inputs[0] if self.node.op == "loop" else None

    @property
    def leaves(self) -> tuple:
        """The body's leaves for the carried values, elements and fixed values: in the order of the node's inputs."""
        return self.body.inputs[self.node.op == "loop":]

    @property
    def operands(self) -> tuple:
        """What the leaves stand for: carried values, stacks and fixed values."""
        return self.node.inputs[self.first:]

    def input_of(self, leaf: int) -> int:
        """The number of the input that leaf number `leaf` of the body stands for."""
        return leaf - (self.node.op == "loop") + self.first

    @property
    def count(self) -> Node:
        """The number of iterations, where only the program knows it (i64[])."""
        return structural.item(self.node, index=self.carried) if self.node.op == "while" else self.node.inputs[0]


def has_effects(node: Node) -> bool:
    """Whether a node does more than giving values; what the backward graph of a call does, the call does not."""
    if node.op == "host_call":
        return not node.attrs["returns"]
    return any(graph.effects for name, graph in graphs_of(node).items() if name != "backward")


def element_type(stack: Type) -> TensorType:
    """The type of one element of a stack or tape."""
    if isinstance(stack, TapeType):
        return stack.element
    if not stack.shape:
        raise ShapeError("a 0-d tensor is no stack")
    return stack.with_shape(stack.shape[1:])


def stack_type(element: TensorType, length: int | None) -> Type:
    """The type of `length` elements together; a tape if the length is None."""
    return TapeType(element) if length is None else element.with_shape((length, *element.shape))


def _columns(rows: list, count: int) -> list:
    """The lists of first, second ... entries of all rows."""
    return [[row[k] for row in rows] for k in range(count)]


def _types(nodes) -> tuple:
    return tuple(n.type for n in nodes)


def _expect_flag(what: str, type_: Type) -> None:
    if type_ != TensorType(bool_, ()):
        raise DTypeError(f"the condition of {what} is bool[], not {type_}")


def _expect_inputs(what: str, graph: Graph, types) -> None:
    if _types(graph.inputs) != tuple(types):
        raise ShapeError(f"{what} takes {TupleType(_types(graph.inputs))}, but is given {TupleType(tuple(types))}")
    if graph.params or graph.updates:
        raise ShapeError(f"{what} uses Parameters; they must be operands")


def _expect_counts(what: str, values, **counts: int) -> None:
    """Raise ShapeError unless the counts of kinds of inputs are numbers >= 0 of which there are inputs enough."""
    if min(counts.values()) < 0 or sum(counts.values()) > len(values):
        raise ShapeError(f"a {what} with {', '.join(f'{k}={v}' for k, v in counts.items())} has {len(values)} inputs")


def _expect_carried(what: str, carried, body: Graph) -> tuple:
    """The types of the kept values.  Raises ShapeError where a carried value changes its type."""
    after = _types(body.outputs)
    for before, now in zip(carried, after):
        if before != now:
            raise ShapeError(f"a value carried by a {what} changes its type from {before} to {now}")
    if len(after) < len(carried):
        raise ShapeError(f"the body of a {what} gives {len(after)} values, but {len(carried)} are carried")
    return after[len(carried):]
