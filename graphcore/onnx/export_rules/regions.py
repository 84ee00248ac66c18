"""Rules of regions: branches and loops as subgraphs, which read what they need from the graph around them."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore.ir.graph import Node
from graphcore.ir.types import TensorType
from graphcore.onnx.writer import OnnxExportError, Writer, rule

_FLAG, _INDEX = TensorType(dt.bool_, ()), TensorType(dt.int64, ())


@rule("item")
def item(w: Writer, node: Node, _):
    """The names of a region's results are a tuple."""
    results = w.name_of(node.inputs[0])
    name = results[node.attrs["index"]]
    if name is None:
        raise OnnxExportError("what a loop of unknown length keeps of each iteration has no form in ONNX here; give it "
                              "a known number of iterations")
    return w.add("Identity", name)



@rule("call")
def call(w, node, *operands):
    body = node.attrs["body"]
    return tuple(Writer.write(w, body, dict(zip(body.inputs, operands))))


@rule("if")
def branch(w, node, condition, *operands):
    graphs = {}
    for key in ("then", "orelse"):
        graph = node.attrs[key]
        graphs[key] = w.subgraph(graph, dict(zip(graph.inputs, operands)), key, [])
    names = w.add("If", condition, outputs=len(node.type.items), then_branch=graphs["then"],
                  else_branch=graphs["orelse"])
    return names if isinstance(names, tuple) else (names,)


@rule("loop")
def loop(w, node, *values):
    """A number of iterations known when the loop begins; in reverse, the index counts down and stacks are turned."""
    a, body = node.attrs, node.attrs["body"]
    count = w.count(a["length"]) if a["length"] is not None else values[0]
    values = values[a["length"] is None:]
    if a["length"] is None and len(body.outputs) > a["carried"]:
        kept = len(body.outputs) - a["carried"]
    else:
        kept = 0
    carried, rest = values[:a["carried"]], values[a["carried"]:]
    stacks, fixed = rest[:a["stacks"]], rest[a["stacks"]:]
    index, *leaves = body.inputs
    own = leaves[:a["carried"]]
    names = [w.new_name("carried") for _ in own]
    counter, flag = w.new_name("i"), w.new_name("goes_on")
    inputs = dict(zip(own, names)) | dict(zip(leaves[a["carried"] + a["stacks"]:], fixed))

    def before(inner):
        number = counter
        if a["reverse"]:
            number = inner.add("Sub", inner.add("Sub", count, inner.constant(np.int64(1))), counter)
        elements = leaves[a["carried"]:a["carried"] + a["stacks"]]
        return {index: number} | {leaf: inner.add("Gather", stack, number, axis=0)
                                  for leaf, stack in zip(elements, stacks)}

    graph = w.subgraph(body, inputs, "body", [(counter, _INDEX), (flag, _FLAG), *zip(names, (n.type for n in own))],
                       before, lambda inner, outputs: [(inner.add("Identity", flag), _FLAG), *outputs])
    results = w.add("Loop", count, w.constant(np.bool_(True)), *carried, outputs=len(body.outputs), body=graph)
    results = results if isinstance(results, tuple) else (results,)
    if kept:
        return results[:a["carried"]] + (None,) * kept
    stacked = results[a["carried"]:]
    if a["reverse"]:
        stacked = tuple(w.add("Slice", s, w.ints([-1]), w.ints([-(2 ** 63)]), w.ints([0]), w.ints([-1]))
                        for s in stacked)
    return results[:a["carried"]] + stacked


@rule("while")
def while_(w, node, *values):
    """The condition is computed once before the loop and again at the end of each iteration."""
    a, body, condition = node.attrs, node.attrs["body"], node.attrs["condition"]
    carried, fixed = values[:a["carried"]], values[a["carried"]:]
    inner = Writer(w)
    inner.names.update(zip(condition.inputs, values))
    (first,) = inner.write(condition)
    w.nodes += inner.nodes
    own = body.inputs[:a["carried"]]
    names = [w.new_name("carried") for _ in own]
    counter, flag, trips = w.new_name("i"), w.new_name("goes_on"), w.new_name("trips")

    def after(inner, outputs):
        again = Writer(inner)
        again.names.update(zip(condition.inputs, [n for n, _ in outputs[:a["carried"]]] + list(fixed)))
        (goes_on,) = again.write(condition)
        inner.nodes += again.nodes
        count = inner.add("Add", trips, inner.constant(np.int64(1)))
        return [(goes_on, _FLAG), *outputs[:a["carried"]], (count, _INDEX)]

    inputs = dict(zip(own, names)) | dict(zip(body.inputs[a["carried"]:], fixed))
    graph = w.subgraph(body, inputs, "body", [(counter, _INDEX), (flag, _FLAG), *zip(names, (n.type for n in own)),
                                              (trips, _INDEX)], None, after)
    results = w.add("Loop", "", first, *carried, w.constant(np.int64(0)), outputs=a["carried"] + 1, body=graph)
    results = results if isinstance(results, tuple) else (results,)
    return results + (None,) * (len(body.outputs) - a["carried"])
