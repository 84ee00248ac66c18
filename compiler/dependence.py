"""Which values depend on which by something differentiable, looking into the graphs of regions."""
from __future__ import annotations

import weakref

from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node
from graphcore.ir.types import TapeType, TensorType
from graphcore.ops.regions import LoopParts

_by_graph: weakref.WeakKeyDictionary[Graph, tuple] = weakref.WeakKeyDictionary()
_by_region: weakref.WeakKeyDictionary[Node, tuple] = weakref.WeakKeyDictionary()


def is_differentiable(node: Node) -> bool:
    """Whether the value is a float, or many of them."""
    type_ = node.type.element if isinstance(node.type, TapeType) else node.type
    return isinstance(type_, TensorType) and type_.dtype.is_float


def depending(roots, targets: set) -> set:
    """The nodes through which `roots` depend on a target by something differentiable; the targets among them too."""
    found = set()
    for node in ir.walk(roots):
        if node in targets or _depends(node, found):
            found.add(node)
    return found


def _depends(node: Node, found: set) -> bool:
    if node.op == "stop_gradient":
        return False
    if node.op == "item":
        region = node.inputs[0]
        return region in found and is_differentiable(node) and any(
            region.inputs[i] in found for i in sources(region)[node.attrs["index"]])
    return any(i in found for i in node.inputs) and (is_differentiable(node) or not isinstance(node.type, TensorType))


def dependence(graph: Graph) -> tuple:
    """For each output of a closed graph the numbers of the inputs on which it depends by something differentiable."""
    known = _by_graph.get(graph)
    if known is None:
        known = _by_graph[graph] = _of_outputs(graph)
    return known


def _of_outputs(graph: Graph) -> tuple:
    nothing: frozenset = frozenset()
    reads = {leaf: frozenset((k,)) if is_differentiable(leaf) else nothing for k, leaf in enumerate(graph.inputs)}
    for node in graph.nodes:
        if node in reads:
            continue
        if node.op == "item" and is_differentiable(node):
            region = node.inputs[0]
            below = [region.inputs[i] for i in sources(region)[node.attrs["index"]]]
        else:
            below = node.inputs if is_differentiable(node) and node.op != "stop_gradient" else ()
        reads[node] = nothing.union(*(reads[b] for b in below))
    return tuple(reads[o] for o in graph.outputs)


def sources(region: Node) -> tuple:
    """For each result of a region the numbers of the inputs on which it depends by something differentiable."""
    known = _by_region.get(region)
    if known is None:
        known = _by_region[region] = _of_results(region)
    return known


def _of_results(region: Node) -> tuple:
    attrs = region.attrs
    if region.op == "if":
        return tuple(frozenset(1 + i for i in a | b)
                     for a, b in zip(dependence(attrs["then"]), dependence(attrs["orelse"])))
    if region.op in ("loop", "while"):
        return _sources_of_loop(LoopParts.of(region))
    if region.op == "call" and attrs["backward"] is None:
        return dependence(attrs["body"])
    everything = frozenset(range(len(region.inputs)))       # a gradient of its own, or one to be expanded
    return (frozenset() if region.op == "host_call" else everything,) * len(region.type.items)


def _sources_of_loop(loop: LoopParts) -> tuple:
    """A carried value depends on what its start depends on, and on what it depends on through any iterations."""
    inside = [frozenset(loop.input_of(k) for k in reads) for reads in dependence(loop.body)]
    first = loop.first
    carried = [reads | {first + j} for j, reads in enumerate(inside[:loop.carried])]

    def through(reads: frozenset) -> frozenset:
        return reads.union(*(carried[k - first] for k in reads if first <= k < first + loop.carried))

    while (grown := [through(reads) for reads in carried]) != carried:
        carried = grown
    kept = [through(reads) for reads in inside[loop.carried:]]
    return (*carried, *[frozenset()] * (loop.first_kept - loop.carried), *kept)
