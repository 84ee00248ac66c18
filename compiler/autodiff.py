"""Reverse-mode differentiation: `grad` nodes become the nodes that compute the gradients.

The rules stand with the operators (`vjp`), those of branches and loops in `region_gradients`.  The sweep visits only
what lies between the loss and the targets, adds up what arrives at a node over several paths, and undoes broadcasting,
once for all rules.
"""
from __future__ import annotations

from collections.abc import Iterable

from graphcore.compiler import region_gradients
from graphcore.compiler.dependence import depending
from graphcore.errors import GradientError
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node, Origins
from graphcore.ir.types import TapeType
from graphcore.ops import pointwise
from graphcore.ops.record import REGISTRY
from graphcore.ops.view import broadcast_to, sum_to

MARKERS = ("barrier", "stop_gradient", "hook")     # identities that mean something for gradients


class Sweep:
    """One pass from results back to the nodes `targets`.

    The targets are independent variables: nothing flows on through them to what they were computed from.
    replaced: loop → the loop that stands for it from now on, because it also keeps what the backward pass reads;
    effects: what the backward pass does besides computing values.
    """

    def __init__(self, targets: Iterable[Node], origins: Origins):
        self.targets, self.origins = tuple(targets), origins
        self.replaced: dict[Node, Node] = {}
        self.effects: list[Node] = []
        self._arrived: dict[Node, Node] = {}
        self._of_items: dict[Node, dict] = {}           # region -> number of a result -> its gradient

    def run(self, starts: Iterable[tuple]) -> tuple:
        """The gradients with respect to the targets of the sum of value * weight, for pairs (value, weight).

        None where no value depends on a target.  Raises GradientError, naming the operator, where one on the way has
        no rule.
        """
        starts = list(starts)
        ends = set(self.targets)
        roots = [value for value, _ in starts]
        self.needed = depending(roots, ends)
        for value, weight in starts:
            if value in self.needed:
                self._arrive(value, weight)
        for node in reversed(list(ir.walk(roots))):
            if node not in self.needed or node in ends:     # a target is where the sweep ends
                continue
            if node.op == "item" and node in self._arrived:
                self._of_items.setdefault(node.inputs[0], {})[node.attrs["index"]] = self._arrived[node]
            elif node in self._of_items:
                self._spread(node, region_gradients.gradients(self, node, self._of_items[node]))
            elif node in self._arrived:
                self._spread(node, self._contributions(node, self._arrived[node]))
        return tuple(map(self._arrived.get, self.targets))

    def gradients(self, loss: Node, weight: Node | None = None) -> tuple:
        """The gradients of sum(loss * weight); zeros where the loss does not depend on a target."""
        if weight is None:
            one = pointwise.literal(1, loss)
            weight = broadcast_to(one, shape=loss.shape) if loss.shape else one
        found = self.run([(loss, weight)])
        return tuple(g if g is not None else pointwise.zeros_like(t) for g, t in zip(found, self.targets))

    def _spread(self, node: Node, parts: Iterable[Node | None]) -> None:
        for source, part in zip(node.inputs, parts):
            if part is not None and source in self.needed:
                self._arrive(source, part)
                inherit_origin(self._arrived[source], node, self.origins)

    def _arrive(self, node: Node, part: Node) -> None:
        if isinstance(node.type, TapeType):
            add = region_gradients.add_tapes
        else:
            part, add = sum_to(part, node.shape), lambda _, a, b: pointwise.add(a, b)
        known = self._arrived.get(node)
        self._arrived[node] = part if known is None else add(node, known, part)

    def _contributions(self, node: Node, g: Node) -> tuple:
        record = REGISTRY[node.op]
        if record.vjp is None:
            places = ", ".join(str(o) for o in self.origins.of(node))
            raise GradientError(f"{node.op} has no gradient, but the loss depends on a weight through it"
                                + (f" ({places})" if places else "") + "; use stop_gradient where none is wanted")
        return record.vjp(g, node, *node.inputs, **node.attrs)


def inherit_origin(new: Node, source: Node, origins: Origins) -> None:
    """Give the nodes of a gradient rule the origin of the node that they differentiate."""
    places = origins.of(source)
    stack = [new] if places else []
    while stack:
        n = stack.pop()
        if n.is_leaf or origins.of(n):
            continue
        origins.add(n, places)
        stack.extend(n.inputs)


def expand_gradients(graph: Graph) -> Graph:
    """Replace every `grad` node (inner ones first) by the computation of the gradients; drop markers, inline calls."""
    return _finish(expand_grad_nodes(graph))


def expand_grad_nodes(graph: Graph) -> Graph:
    """Replace every `grad` node, also in regions; the markers that say where gradients end stay."""
    graph = ir.map_regions(graph, expand_grad_nodes)
    if any(n.op == "grad" for n in graph.nodes):
        graph = inline_calls(graph, lambda n: n.attrs["backward"] is None and not n.attrs["recompute"])
    while (node := next((n for n in graph.nodes if n.op == "grad"), None)) is not None:
        graph = _without_grad(graph, node)
    return graph


def _without_grad(graph: Graph, node: Node) -> Graph:
    """The graph with the gradients that one `grad` node stands for; below it there is no other."""
    loss, *wrt = node.inputs
    weight = wrt.pop(0) if node.attrs["sens"] else None
    sweep = Sweep(wrt, graph.origins)
    found = sweep.gradients(loss, weight)

    def expand(n: Node, inputs: tuple) -> Node:
        if n.op == "item" and n.inputs[0] is node:
            return found[n.attrs["index"]]
        return n if inputs == n.inputs else ir.node(n.op, inputs, n.attrs, n.type)

    graph = ir.rebuild(graph, expand)
    effects = (*graph.effects, *sweep.effects)
    ordered = [n for n in ir.walk(effects) if n in effects]     # one may need what another gives
    graph = graph.replace_roots(graph.outputs, graph.updates, ordered)
    return region_gradients.with_replaced(graph, sweep.replaced)


def inline_calls(graph: Graph, chosen=lambda call: True) -> Graph:
    """The graph with the bodies of `call` nodes in their place, their effects where the call stood; not in regions."""
    if not any(n.op == "call" and chosen(n) for n in graph.nodes):
        return graph
    roots: dict[Node, tuple] = {}

    def expand(n: Node, inputs: tuple) -> Node:
        if n.op == "item" and n.inputs[0] in roots:
            return roots[n.inputs[0]][n.attrs["index"]]
        if n.op == "call" and chosen(n):
            roots[n] = ir.inline(n.attrs["body"], inputs, graph.origins)
        return n if inputs == n.inputs else ir.node(n.op, inputs, n.attrs, n.type)

    new = ir.rebuild(graph, expand)
    effects = (roots[old][len(old.type.items):] if old in roots else (e,) for old, e in zip(graph.effects, new.effects))
    new = new.replace_roots(new.outputs, new.updates, (e for group in effects for e in group))
    return inline_calls(new, chosen)


def _finish(graph: Graph) -> Graph:
    """Drop what only gradients need, innermost first."""
    def drop(n: Node, inputs: tuple) -> Node:
        if n.op in MARKERS:
            return inputs[0]
        return n if inputs == n.inputs else ir.node(n.op, inputs, n.attrs, n.type)

    graph = inline_calls(ir.map_regions(graph, _finish))
    return ir.rebuild(graph, drop) if any(n.op in MARKERS for n in graph.nodes) else graph
