"""Simplification of `if` nodes; see `regions`."""
from __future__ import annotations

from collections.abc import Mapping

from graphcore.compiler.passes.algebra import constant_value
from graphcore.compiler.passes.regions import Successor, succeeded_by
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node
from graphcore.ops import pointwise, regions
from graphcore.ops.record import REGISTRY

SELECT_LIMIT = 1 << 13      # elements computed by both branches together up to which both are computed


def is_constant(node: Node) -> bool:
    """Whether a value is a constant, perhaps seen through views."""
    while not node.is_leaf and REGISTRY[node.op].kind == "view":
        node = node.inputs[0]
    return node.op == "const"


def _with_branches(condition: Node, operands, leaves, outputs, effects, origins) -> Node:
    """The `if` with these operands, whose branches compute `outputs` (two tuples) over `leaves`."""
    then, orelse = (ir.close(name, leaves, out, eff, table) for name, out, eff, table
                    in zip(("then", "orelse"), outputs, effects, origins))
    return regions.if_(condition, *operands, then=then, orelse=orelse)


def _branches(region: Node) -> tuple:
    """(operands, leaves, outputs of both, effects of both, origins of both), with one set of leaves for both."""
    then, orelse = region.attrs["then"], region.attrs["orelse"]
    roots = ir.inline(orelse, then.inputs, then.origins)
    count = len(orelse.outputs)
    return (region.inputs[1:], then.inputs, (then.outputs, roots[:count]), (then.effects, roots[count:]),
            (then.origins, then.origins))


def decided(region: Node, used: tuple) -> Successor | None:
    """if of a constant -> the branch"""
    condition = constant_value(region.inputs[0])
    if condition is None:
        return None
    graph: Graph = region.attrs["then" if condition else "orelse"]
    roots = ir.inline(graph, region.inputs[1:], graph.origins)
    return Successor({k: roots[k] for k in used}, roots[len(graph.outputs):])


def needed_results(region: Node, used: tuple) -> Successor | None:
    """results that nobody takes are dropped; what both branches compute alike is computed before"""
    operands, leaves, outputs, effects, origins = _branches(region)
    places: dict = {}               # (value in one branch, in the other) -> number in the new node
    numbers, common = {}, {}
    for k in used:
        pair = (outputs[0][k], outputs[1][k])
        if pair[0] is pair[1]:
            (common[k],) = ir.substitute(pair[:1], dict(zip(leaves, operands)), origins[0])
        else:
            numbers[k] = places.setdefault(pair, len(places))
    if len(places) == len(outputs[0]):
        return None
    if not places and not any(effects):
        return Successor(common)
    new = _with_branches(region.inputs[0], operands, leaves, tuple(zip(*places)) or ((), ()), effects, origins)
    found = succeeded_by(new, numbers)
    return Successor({**found.results, **common}, found.effects)


def needed_operands(region: Node, used: tuple) -> Successor | None:
    """operands that no branch reads are dropped, equal ones merged, constants move into the branches"""
    operands, leaves, outputs, effects, origins = _branches(region)
    roots = (*outputs[0], *effects[0], *outputs[1], *effects[1])
    inside, kept = merged_operands(dict(zip(leaves, operands)), roots)
    if len(kept) == len(leaves):
        return None
    fewer = [(ir.substitute(o, inside, t), ir.substitute(e, inside, t)) for o, e, t in zip(outputs, effects, origins)]
    new = _with_branches(region.inputs[0], kept.values(), kept, *zip(*fewer), origins)
    return succeeded_by(new, {k: k for k in range(len(outputs[0]))})


def merged_operands(operands: Mapping, roots, constants=True) -> tuple:
    """What stands for the leaves of a graph: leaf → another leaf or a constant; and leaf → operand for those that stay.

    operands: leaf → operand.  A leaf that the roots do not reach is in neither; constants: whether they move inside.
    """
    reached = set(ir.walk(roots))
    inside, kept, first = {}, {}, {}
    for leaf, operand in operands.items():
        if leaf not in reached:
            continue
        if constants and is_constant(operand):
            inside[leaf] = operand
        elif first.setdefault(operand, leaf) is not leaf:
            inside[leaf] = first[operand]
        else:
            kept[leaf] = operand
    return inside, kept


def choose(region: Node, used: tuple) -> Successor | None:
    """if(c, a, b) with cheap branches -> select(c, a, b): both are computed, and fuse with what is around them

    Only once gradients are taken: the gradient of a select computes those of both branches, and what is infinite or no
    number in the branch that is not taken would reach the other's.
    """
    operands, leaves, outputs, effects, origins = _branches(region)
    if any(effects):
        return None
    total = 0
    for n in ir.walk((*outputs[0], *outputs[1])):
        if not n.is_leaf:
            if not _is_total(n):
                return None
            total += n.type.size if REGISTRY[n.op].kind == "pointwise" else 0
    if total > SELECT_LIMIT:
        return None
    condition, table = region.inputs[0], dict(zip(leaves, operands))
    values = [ir.substitute(o, table, t) for o, t in zip(outputs, origins)]
    return Successor({k: pointwise.select(condition, values[0][k], values[1][k]) for k in used})


def _is_total(node: Node) -> bool:
    """Whether an operator is an element-wise one or a view, of known sizes, and cannot fault."""
    record = REGISTRY[node.op]
    return (record.kind in ("pointwise", "view") and not record.random and node.type.is_static
            and (node.dtype.is_float or node.op not in ("div", "floor_div", "mod")))


SIMPLIFY = tuple(("if", step) for step in (decided, needed_results, needed_operands))
CHOOSE = (("if", choose),)
