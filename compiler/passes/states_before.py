"""The states before each iteration of a loop are those after the iteration before: one stack serves for both.

The gradient of a recurrent weight is a product with the states before; the states after are often kept as well, being
what the net is asked for.  The product takes them, shifted by one iteration, and the state at the start by itself:
the loop keeps one stack less.  Even where nobody else takes the states after they are the better ones to keep: the
kernel that makes them writes them there, while those before would have to be copied.
"""
from __future__ import annotations

from graphcore.compiler.passes.algebra import constant_value
from graphcore.compiler.passes.kept_values import keeping
from graphcore.compiler.passes.rewrite import Rewrite
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node
from graphcore.ops import linear, pointwise, structural, view
from graphcore.ops.regions import LoopParts


def states_before(graph: Graph, log: list | None = None) -> Graph:
    """a · (states before, row by row) -> a' · (states after but the last) + a'' · (state at the start)"""
    if not any(n.op == "loop" for n in graph.nodes):
        return graph
    users = ir.users(graph)
    found: dict = {}                # product -> number of the operand that holds the states before
    after: dict = {}                # loop -> the states after that are to be kept
    for item in graph.nodes:
        if item.op == "item" and item not in graph.roots and (state := _state(item)) is not None:
            uses = _uses_as_rows(item, users, graph.roots)
            if uses is not None and not uses.keys() & found.keys():
                found |= uses
                after.setdefault(item.inputs[0], []).append(item.inputs[0].attrs["body"].outputs[state])
    if not found:
        return graph

    def replace(n: Node, inputs: tuple) -> Node:
        new = n if inputs == n.inputs else ir.node(n.op, inputs, n.attrs, n.type)
        if n in after:
            return keeping(new, after[n])
        if n not in found:
            return new
        split = _split(new, found[n])
        if log is not None:
            log.append(Rewrite(states_before.__name__, n, split))
        return split

    return ir.rebuild(graph, replace)


def _state(item: Node) -> int | None:
    """The number of the carried value that is kept as it is before each iteration."""
    if item.inputs[0].op != "loop":
        return None
    loop = LoopParts.of(item.inputs[0])
    number, outputs = item.attrs["index"], loop.body.outputs
    states = loop.leaves[:loop.carried]
    if not isinstance(loop.length, int) or number < loop.first_kept or outputs[number] not in states:
        return None
    state = states.index(outputs[number])
    return state if outputs[state] not in loop.body.inputs else None


def _uses_as_rows(item: Node, users: dict, roots: tuple) -> dict | None:
    """The products that sum over all rows of a stack of matrices → the number of the operand; None for other uses."""
    found: dict = {}
    for rows in users[item]:
        if rows.op != "reshape" or item.rank != 3 or rows in roots or rows.shape != (
                item.shape[0] * item.shape[1], item.shape[2]):
            return None
        for product in users[rows]:
            if product.op != "matmul" or product.rank != 2 or product.inputs.count(rows) != 1:
                return None
            number = product.inputs.index(rows)
            if product.attrs.get("transpose_b" if number else "transpose_a", False) == bool(number):
                return None
            found[product] = number
    return found


def _split(product: Node, number: int) -> Node:
    """The product with the states after in place of those before, which are operand `number`."""
    item = product.inputs[number].inputs[0]
    loop, state = LoopParts.of(item.inputs[0]), _state(item)
    start, outputs = loop.operands[state], loop.body.outputs
    after = structural.item(loop.node, index=loop.carried + outputs[loop.carried:].index(outputs[state]))
    steps, rows, columns = after.shape
    other = product.inputs[1 - number]
    axis = 0 if product.attrs.get("transpose_b" if number == 0 else "transpose_a", False) != (number == 0) else 1
    long = (steps - 1) * rows
    states = view.slice_(after, begin=(int(loop.reverse), 0, 0), size=(steps - 1, rows, columns),
                         stride=(1, 1, 1))
    states = view.reshape(states, shape=(long, columns))
    total = _product(product, number, states, _part(other, axis, 0 if loop.reverse else rows, long))
    if constant_value(start) == 0:
        return total
    first = _product(product, number, start, _part(other, axis, long if loop.reverse else 0, rows))
    return pointwise.add(total, first)


def _part(x: Node, axis: int, begin: int, count: int) -> Node:
    """`count` rows or columns of a matrix."""
    begins, sizes = ([v if i == axis else other for i, other in enumerate(others)]
                     for v, others in ((begin, (0, 0)), (count, x.shape)))
    return view.slice_(x, begin=tuple(begins), size=tuple(sizes), stride=(1, 1))


def _product(product: Node, number: int, states: Node, other: Node) -> Node:
    return linear.matmul(*((other, states) if number else (states, other)), **product.attrs)
