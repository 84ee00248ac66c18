"""Lowering of regions: branches, loops and calls of Python functions become entries with entries in them.

The memory of a region's results is where its graphs work: both branches write it, a loop changes its carried values in
place.  To that end the body of a loop is scheduled as a graph whose carried inputs are Parameters and whose results
are their new values: what may be overwritten when is then decided as for any net's Parameters.
"""
from __future__ import annotations

from graphcore.compiler.control import Branch, HostCall, Repeat, Tape, While
from graphcore.compiler.launch import Buffer, View
from graphcore.dtype import bool_, int64
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node
from graphcore.ir.types import TapeType
from graphcore.ops import structural


def lower_region(lowering, build, node: Node) -> None:
    """Append the entries of a region to `lowering`; `build` is the Builder of its node."""
    _LOWERINGS[node.op](lowering, build, node)


def _lower_if(lowering, build, node) -> None:
    condition, *operands = [_operand(lowering, build, i) for i in node.inputs]
    results = _results(lowering, node)
    then, orelse = (lowering.nested(graph, dict(zip(graph.inputs, operands)), results)
                    for graph in (node.attrs["then"], node.attrs["orelse"]))
    lowering.emit(Branch(condition, then, orelse, tuple(results)))


def _lower_while(lowering, build, node) -> None:
    carried, body, condition = node.attrs["carried"], node.attrs["body"], node.attrs["condition"]
    results = _results(lowering, node)
    state, trips, tapes = results[:carried], results[carried], results[carried + 1:]
    fixed = [_operand(lowering, build, i) for i in node.inputs[carried:]]
    _initialise(lowering, build, node.inputs[:carried], state)
    flag = Buffer("goes on", bool_, 1)
    test = lowering.nested(condition, dict(zip(condition.inputs, (*state, *fixed))), [flag], fixed)
    kept, elements = _places(lowering, tapes, body.outputs[carried:])
    stateful, leaves = _stateful(body, carried_inputs(node), (*state, *fixed))
    inside = lowering.nested(stateful, leaves, kept, fixed)
    counter = trips if structural.item(node, index=carried) in lowering.nodes else None
    lowering.emit(While(test, flag, inside, tuple(state), counter, elements))


def _lower_loop(lowering, build, node) -> None:
    attrs, inputs = node.attrs, node.inputs
    carried, stacks, body = attrs["carried"], attrs["stacks"], attrs["body"]
    count = attrs["length"]
    if count is None:
        count, inputs = _operand(lowering, build, inputs[0]), inputs[1:]
    results = _results(lowering, node)
    state, made = results[:carried], results[carried:]
    operands = [_operand(lowering, build, i) for i in inputs[carried:]]
    _initialise(lowering, build, inputs[:carried], state)
    index = Buffer("index", int64, 1)
    taken, elements = _places(lowering, operands[:stacks], body.inputs[1 + carried:])
    kept, written = _places(lowering, made, body.outputs[carried:])
    stateful, leaves = _stateful(body, carried_inputs(node), (index, *state, *taken, *operands[stacks:]))
    inside = lowering.nested(stateful, leaves, kept, operands[stacks:])
    lowering.emit(Repeat(count, index, attrs["reverse"], inside, tuple(state), elements | written,
                         tuple(t for t in made if isinstance(t, Tape))))


def _lower_host_call(lowering, build, node) -> None:
    arguments = tuple(build.contiguous(lowering.view(i)) for i in node.inputs)
    result = View.whole(_results(lowering, node)[0], node.inputs[0].shape) if node.attrs["returns"] else None
    lowering.emit(HostCall(node.attrs["callback"], node.attrs["label"], arguments, result,
                           tuple(v.buffer for v in arguments), (result.buffer,) if result else ()))


_LOWERINGS = {"if": _lower_if, "while": _lower_while, "loop": _lower_loop, "host_call": _lower_host_call}


def _results(lowering, node: Node) -> list:
    """The memory of each result: of its item if the graph has one."""
    found = []
    for i, type_ in enumerate(node.type.items):
        item = structural.item(node, index=i)
        if isinstance(type_, TapeType):
            lowering.buffers[item] = Tape(f"{node.op} tape {i}", type_.element.dtype, type_.element.size)
        found.append(lowering.buffer(item))
    return found


def _operand(lowering, build, value: Node):
    """The memory that holds a value as a whole: its own, or that of a copy; a Tape for a tape."""
    if isinstance(value.type, TapeType):
        return lowering.buffers[value]
    view = lowering.view(value)
    if view.is_contiguous and view.offset == 0 and view.size == view.buffer.size:
        return view.buffer
    target = View.whole(build.temp("operand", view.dtype, view.size), view.shape)
    build.copy(view, target)
    return target.buffer


def _initialise(lowering, build, values, state) -> None:
    """Copy the initial values to where a loop carries them; a copy costs nothing where it takes over the memory."""
    for value, buffer in zip(values, state):
        view = lowering.view(value)
        if view.is_contiguous and view.size == view.buffer.size:
            lowering.offer_sharing(buffer, view.buffer)
        build.copy(view, View.whole(buffer, value.shape))


def _places(lowering, stacks, elements):
    """(a buffer for the element of each stack or tape in an iteration, those buffers -> their stack)."""
    buffers = [Buffer("element", element.dtype, element.type.size) for element, _ in zip(elements, stacks)]
    found = dict(zip(buffers, stacks))
    lowering.tables.elements.update(found)
    return buffers, found


def carried_inputs(region: Node) -> range:
    """Which inputs of a loop's body are carried from one iteration to the next."""
    first = 1 if region.op == "loop" else 0             # behind the index
    return range(first, first + region.attrs["carried"])


def state_leaves(body: Graph, carried: range) -> dict:
    """Carried input of a loop's body → the Parameter leaf that stands for it where the body is scheduled."""
    return {body.inputs[i]: ir.param(str(k), body.inputs[i].type) for k, i in enumerate(carried)}


def _stateful(body: Graph, carried: range, places):
    """(the body as a graph that updates a Parameter for each carried input, the memory of its leaves)."""
    leaves = state_leaves(body, carried)
    roots = ir.substitute(body.outputs + body.effects, leaves, body.origins)
    after, outputs, effects = roots[:len(leaves)], roots[len(leaves):len(body.outputs)], roots[len(body.outputs):]
    updates = tuple((leaf.name, value) for leaf, value in zip(leaves.values(), after) if value is not leaf)
    inputs = tuple(i for i in body.inputs if i not in leaves)
    stateful = Graph(body.name, inputs, outputs, updates, effects, body.origins)
    return stateful, {leaves.get(leaf, leaf): place for leaf, place in zip(body.inputs, places)}
