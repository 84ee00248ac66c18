"""Batching of regions: branches, loops, calls; and the loop over examples for what has no rule.

Where the examples go different ways, all ways are computed and each example takes its own: both branches of an `if`;
the iterations of a `while` until the last example is done, with the others held as they are.  What is computed for an
example in vain may be NaN, and so may its derivatives: nothing of them gets through (`_gated`).
"""
from __future__ import annotations

from graphcore.dtype import int64
from graphcore.errors import CaptureError
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node, graphs_of
from graphcore.ir.types import TapeType, TensorType, TupleType
from graphcore.ops import pointwise, reduction, regions
from graphcore.ops.batching.engine import Several, batch, batch_body, draws
from graphcore.ops.batching.values import Value, batched_type, move_axis
from graphcore.ops.record import REGISTRY
from graphcore.ops.structural import item, stop_gradient


def batch_region(node: Node, values: list, size) -> Several:
    """A region's node for a batch of `size` examples."""
    if not draws(node) and not any(v.batched for v in values):
        return _taken_apart(ir.node(node.op, (v.node for v in values), node.attrs, node.type),
                            (False,) * len(node.type.items))
    return _RULES[node.op](node, values, size)


def _taken_apart(node: Node, batched) -> Several:
    return Several(tuple(Value(item(node, index=i), b) for i, b in enumerate(batched)), (node,))


def _nodes(values) -> tuple:
    return tuple(v.node for v in values)


# -- if -------------------------------------------------------------------------------------------------------------

def _if(node, values, size):
    """One condition for all examples: an `if` on batches.  A condition of each: both branches, and a choice."""
    condition, *operands = values
    then, orelse = node.attrs["then"], node.attrs["orelse"]
    if condition.batched:
        if then.effects or orelse.effects:
            return one_by_one(node, values, size)
        _refuse_draws(node)
        flags = condition.node, pointwise.logical_not(condition.node)
        sides = [batch(graph, _gated(graph, flag, operands, size), size).outputs
                 for graph, flag in zip((then, orelse), flags)]
        return Several(tuple(Value(_choose(condition.node, a, b), True) for a, b in zip(*sides)), ())
    given = [v.batched for v in operands]
    wanted = [batch_body(graph, given, size)[1] for graph in (then, orelse)]
    wanted = tuple(map(any, zip(*wanted)))
    then, orelse = (batch_body(graph, given, size, wanted)[0] for graph in (then, orelse))
    return _taken_apart(regions.if_(condition.node, *_nodes(operands), then=then, orelse=orelse), wanted)


def _choose(flags: Node, first: Value, second: Value) -> Node:
    """For each example the first value where its flag (bool[size]) is set, else the second."""
    rank = max(first.rank, second.rank)
    return pointwise.select(Value(flags, True).aligned(rank), first.aligned(rank), second.aligned(rank))


def _gated(graph: Graph, flags: Node, values, size) -> list:
    """The values that `graph` takes, as they are; but gradients reach them only from examples whose flag is set.

    A shared value needs a gradient for each example for that; it stays shared if no derivative in the graph can be
    infinite.
    """
    is_tame = all(_is_tame(n) for n in graph.nodes)
    gated = []
    for value in values:
        is_float = isinstance(value.node.type, TensorType) and value.node.dtype.is_float
        if not is_float or is_tame and not value.batched:
            gated.append(value)
            continue
        value = Value(value.spread(size), True)
        gated.append(Value(_choose(flags, value, Value(stop_gradient(value.node), True)), True))
    return gated


_TAME = frozenset("""select cast copy fence iota random_uniform eq ne lt le gt ge is_nan is_finite logical_and
    logical_or logical_xor logical_not left_shift right_shift add sub mul maximum minimum neg abs sign square
    relu floor ceil round trunc sin cos atan tanh sigmoid erf erfc""".split())


def _is_tame(node: Node) -> bool:
    """Whether the derivatives of a node are finite wherever it is."""
    if node.is_leaf:
        return True
    if REGISTRY[node.op].kind == "pointwise":
        return node.op in _TAME
    return all(_is_tame(n) for graph in graphs_of(node).values() for n in graph.nodes)


def _refuse_draws(node: Node) -> None:
    """Raise CaptureError if random numbers are drawn where some examples do without: their order would be unclear."""
    if draws(node):
        raise CaptureError(f"random numbers are drawn in a {node.op} that the examples of a vmap leave at different "
                           "times; draw them before it, and use them in it")


# -- loops ----------------------------------------------------------------------------------------------------------

def _settled(body: Graph, given: list, carried: int, first: int, size) -> tuple:
    """Which carried values are batched, once an iteration more changes nothing; `first` is their place in `given`."""
    given = list(given)
    while True:
        after = batch_body(body, given, size)[1][:carried]
        before = given[first:first + carried]
        now = [a or b for a, b in zip(before, after)]
        if now == before:
            return tuple(now)
        given[first:first + carried] = now


def _while(node, values, size):
    """The examples share a condition: a `while` on batches; else it runs until the last of them is done."""
    condition, body, carried = (node.attrs[k] for k in ("condition", "body", "carried"))
    state, fixed = values[:carried], values[carried:]
    given = [v.batched for v in values]
    settled = _settled(body, given, carried, 0, size)
    given[:carried] = settled
    test, (is_own,) = batch_body(condition, given, size)
    if is_own:
        if condition.effects or body.effects:
            return one_by_one(node, values, size)
        return _while_of_each(node, state, fixed, size)
    after, kept = batch_body(body, given, size, settled + (False,) * (len(body.outputs) - carried))
    made = regions.while_(*_given(state, settled, size), *_nodes(fixed), condition=test, body=after, carried=carried)
    return _taken_apart(made, (*settled, False, *kept[carried:]))


def _while_of_each(node, state, fixed, size):
    """A `while` whose examples end at different times: one more carried value counts the iterations of each."""
    condition, body, carried = (node.attrs[k] for k in ("condition", "body", "carried"))
    leaves = [Value(ir.input_(leaf.name, batched_type(leaf.type, size)), True) for leaf in body.inputs[:carried]]
    count = _leaf_beside(body.inputs, TensorType(int64, (size,)))
    others = [Value(ir.input_(leaf.name, v.node.type), v.batched) for leaf, v in zip(body.inputs[carried:], fixed)]
    running = batch(condition, leaves + others, size).outputs[0].node
    inside = _nodes((*leaves, count, *others))
    test = Graph(condition.name, inside, (reduction.any_(running, axes=(0,), keepdims=False),), (), (),
                 condition.origins)
    outputs = batch(body, _gated(body, running, leaves + others, size), size).outputs
    after = [_choose(running, new, old) for new, old in zip(outputs, leaves)]
    after.append(pointwise.add(count.node, pointwise.cast(running, dtype=int64)))
    after += (o.spread(size) for o in outputs[carried:])
    made = regions.while_(*_given(state, (True,) * carried, size), pointwise.zeros_like(count.node), *_nodes(fixed),
                          condition=test, body=Graph(body.name, inside, tuple(after), (), (), body.origins),
                          carried=carried + 1)
    several = _taken_apart(made, (True,) * (carried + 1) + (False,) + (True,) * (len(outputs) - carried))
    return Several(several.values[:carried + 1] + several.values[carried + 2:], several.nodes)


def _leaf_beside(leaves, type_: TensorType) -> Value:
    """One more input of a graph, batched, with a name that none of `leaves` has."""
    names, number = {leaf.name for leaf in leaves}, len(leaves)
    while f"v{number}" in names:
        number += 1
    return Value(ir.input_(f"v{number}", type_), True)


def _given(values, batched, size) -> tuple:
    """Nodes of values, with a batch axis where `batched` asks for one."""
    return tuple(v.spread(size) if b else v.node for v, b in zip(values, batched))


def _loop(node, values, size):
    """A loop on batches: stacks have the iteration in front of the example."""
    body, carried, stacks, length = (node.attrs[k] for k in ("body", "carried", "stacks", "length"))
    counts, values = (values[:1], values[1:]) if length is None else ([], values)
    if counts and counts[0].batched:
        if body.effects:
            return one_by_one(node, counts + values, size)
        return _loop_of_each(node, counts[0], values, size)
    given = [v.batched for v in values]
    settled = _settled(body, [False, *given], carried, 1, size)
    body, kept = batch_body(body, [False, *settled, *given[carried:]], size,
                            settled + (False,) * (len(body.outputs) - carried))
    operands = (*_nodes(counts), *_given(values[:carried], settled, size),
                *map(_stack, values[carried:carried + stacks]), *_nodes(values[carried + stacks:]))
    return _unstacked(regions.loop(*operands, **{**node.attrs, "body": body}), (*settled, *kept[carried:]), carried)


def _loop_of_each(node, count: Value, values, size):
    """A loop whose examples have numbers of iterations of their own: it runs for the longest, the others wait."""
    _refuse_draws(node)
    body, carried, stacks, reverse = (node.attrs[k] for k in ("body", "carried", "stacks", "reverse"))
    given = [False, *(True for _ in range(carried)), *(v.batched for v in values[carried:])]
    leaves = [Value(ir.input_(leaf.name, batched_type(leaf.type, size) if b else leaf.type), b)
              for leaf, b in zip(body.inputs, given)]
    own = _leaf_beside(body.inputs, count.node.type)
    running = pointwise.lt(leaves[0].node, own.node)
    outputs = batch(body, _gated(body, running, leaves, size), size).outputs
    after = [_choose(running, new, old) for new, old in zip(outputs, leaves[1:1 + carried])]
    after += (o.spread(size) for o in outputs[carried:])
    longest = reduction.max_(count.node, axes=(0,), keepdims=False)
    made = regions.loop(longest, *_given(values[:carried], (True,) * carried, size),
                        *map(_stack, values[carried:carried + stacks]), *_nodes(values[carried + stacks:]), count.node,
                        body=Graph(body.name, (*_nodes(leaves), own.node), tuple(after), (), (), body.origins),
                        carried=carried, stacks=stacks, length=None, reverse=reverse)
    return _unstacked(made, (True,) * len(after), carried)


def _stack(value: Value) -> Node:
    """A stack as a loop takes it: a batched one with the iteration first, then the example."""
    is_tensor = not isinstance(value.node.type, TapeType)
    return move_axis(value.node, 1, 0) if value.batched and is_tensor else value.node


def _unstacked(made: Node, batched, carried: int) -> Several:
    """The results of a loop, with the example first."""
    several = _taken_apart(made, batched)
    kept = (Value(_stack(v), v.batched) for v in several.values[carried:])
    return Several((*several.values[:carried], *kept), several.nodes)


# -- calls ----------------------------------------------------------------------------------------------------------

def _call(node, values, size):
    """The body for a batch.  With a backward graph everything is batched, as its gradients are."""
    body, backward = node.attrs["body"], node.attrs["backward"]
    if backward is None:
        body, batched = batch_body(body, [v.batched for v in values], size)
        return _taken_apart(regions.call(*_nodes(values), **{**node.attrs, "body": body}), batched)
    body, backward = (batch_body(graph, (True,) * len(graph.inputs), size, (True,) * len(graph.outputs))[0]
                      for graph in (body, backward))
    operands = _given(values, (True,) * len(values), size)
    made = regions.call(*operands, **{**node.attrs, "body": body, "backward": backward})
    return _taken_apart(made, (True,) * len(body.outputs))


def one_by_one(node: Node, values: list, size) -> Several:
    """Any node, in a loop over the examples, in their order; its effects happen for each.

    Raises CaptureError for a node that takes or gives tapes.
    """
    is_tuple = isinstance(node.type, TupleType)
    items = node.type.items if is_tuple else (node.type,)
    if any(isinstance(t, TapeType) for t in (*items, *(v.node.type for v in values))):
        raise CaptureError("vmap of the gradient of a loop that prints, raises or calls back into Python, where the "
                           "examples run different numbers of iterations; take the side effect out of the loop")
    if REGISTRY[node.op].kind == "region":
        _refuse_draws(node)
    index = ir.input_("i", TensorType(int64, ()))
    leaves = tuple(ir.input_(f"v{k}", original.type) for k, original in enumerate(node.inputs))
    inner = ir.node(node.op, leaves, node.attrs, node.type)
    outputs = tuple(item(inner, index=i) for i in range(len(items))) if is_tuple else (inner,)
    stacks = [k for k, v in enumerate(values) if v.batched]
    order = stacks + [k for k, v in enumerate(values) if not v.batched]
    body = Graph(node.op, (index, *(leaves[k] for k in order)), outputs, (), (inner,) if _acts(node) else ())
    made = regions.loop(*(values[k].node for k in order), body=body, carried=0, stacks=len(stacks), length=size,
                        reverse=False)
    return _taken_apart(made, (True,) * len(outputs))


def _acts(node: Node) -> bool:
    return node.op == "host_call" or any(graph.effects for graph in graphs_of(node).values())


_RULES = {"if": _if, "while": _while, "loop": _loop, "call": _call, "host_call": one_by_one}
