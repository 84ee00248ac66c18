"""Reverse-mode differentiation: `grad` nodes become the nodes that compute the gradients.

The rules stand with the operators (`vjp`).  This walker visits only what lies between the loss and the targets, adds up
what arrives at a node over several paths, and undoes broadcasting, once for all rules.
"""
from __future__ import annotations

from graphcore.errors import GradientError
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node, Origins
from graphcore.ops import pointwise
from graphcore.ops.record import REGISTRY
from graphcore.ops.view import broadcast_to, sum_to


def gradients(loss: Node, sens: Node | None, wrt: tuple, origins: Origins) -> tuple:
    """The gradients of sum(loss * sens) with respect to the nodes `wrt`; zeros where the loss does not depend on one.

    The targets are independent variables: nothing flows on through them to what they were computed from.

    Raises GradientError, naming the operator, where one on the way has no rule.
    """
    needed = _between(loss, set(wrt))
    one = pointwise.literal(1, loss)
    start = sens if sens is not None else (broadcast_to(one, shape=loss.shape) if loss.shape else one)
    arrived: dict[Node, Node] = {loss: start}
    targets = set(wrt)
    for node in reversed(list(ir.walk((loss,)))):
        g = arrived.get(node)
        if g is None or node not in needed or node in targets:      # a target is where the sweep ends
            continue
        for source, part in zip(node.inputs, _contributions(node, g, origins)):
            if part is None or source not in needed:
                continue
            part = sum_to(part, source.shape)
            known = arrived.get(source)
            arrived[source] = part if known is None else pointwise.add(known, part)
            _inherit(arrived[source], node, origins)
    return tuple(arrived.get(w) or pointwise.zeros_like(w) for w in wrt)


def _between(loss: Node, targets: set) -> set:
    """The nodes through which the loss depends on a target by something differentiable."""
    needed = set()
    for node in ir.walk((loss,)):
        if node in targets or any(i in needed for i in node.inputs):
            if getattr(node.type, "dtype", None) is None or node.dtype.is_float or node in targets:
                needed.add(node)
    return needed


def _contributions(node: Node, g: Node, origins: Origins) -> tuple:
    record = REGISTRY[node.op]
    if record.vjp is None:
        places = ", ".join(str(o) for o in origins.of(node))
        raise GradientError(f"{node.op} has no gradient, but the loss depends on a weight through it"
                            + (f" ({places})" if places else "") + "; use stop_gradient where none is wanted")
    return record.vjp(g, node, *node.inputs, **node.attrs)


def _inherit(new: Node, source: Node, origins: Origins) -> None:
    """Give the nodes of a gradient rule the origin of the node that they differentiate."""
    places = origins.of(source)
    stack = [new]
    while stack:
        n = stack.pop()
        if n.is_leaf or origins.of(n):
            continue
        origins.add(n, places)
        stack.extend(n.inputs)


def expand_gradients(graph: Graph) -> Graph:
    """Replace every `grad` node (inner ones first) by the computation of the gradients, and drop barriers."""
    if not any(n.op in ("grad", "barrier", "stop_gradient") for n in graph.nodes):
        return graph
    found: dict[Node, tuple] = {}

    def expand(n: Node, inputs: tuple) -> Node:
        if n.op == "grad":
            sens = inputs[1] if n.attrs["sens"] else None
            wrt = inputs[2:] if n.attrs["sens"] else inputs[1:]
            carrier = ir.node("grad", inputs, n.attrs, n.type)
            found[carrier] = gradients(inputs[0], sens, wrt, graph.origins)
            return carrier
        if n.op == "item" and inputs[0] in found:
            return found[inputs[0]][n.attrs["index"]]
        return n if inputs == n.inputs else ir.node(n.op, inputs, n.attrs, n.type)

    return _drop_markers(ir.rebuild(graph, expand))


def _drop_markers(graph: Graph) -> Graph:
    def drop(n: Node, inputs: tuple) -> Node:
        if n.op in ("barrier", "stop_gradient"):
            return inputs[0]
        return n if inputs == n.inputs else ir.node(n.op, inputs, n.attrs, n.type)
    return ir.rebuild(graph, drop)
