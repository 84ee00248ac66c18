"""Gradients of branches and loops.

The gradient of an `if` is an `if` on the same condition whose graphs compute what they need of the branch again.

The gradient of a loop is a `loop` in the other direction.  The forward loop is replaced, everywhere, by one that keeps
what the backward pass reads of each iteration: the carried values at its beginning and what is dear to compute again.
The backward body computes the rest again and carries the gradients of the carried values and the sums of those of the
fixed values; the gradients of stacks are values that it keeps.  So loops with stacks and kept values are closed under
differentiation, and gradients of gradients follow.
"""
from __future__ import annotations

from dataclasses import dataclass

from graphcore.compiler.dependence import dependence
from graphcore.dtype import int64
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node
from graphcore.ir.types import TensorType, Type
from graphcore.ops import indexing, pointwise, regions, structural
from graphcore.ops.record import REGISTRY
from graphcore.ops.regions import LoopParts, has_effects
from graphcore.ops.view import reshape, slice_

_DEAR = ("scheduled", "reduction")      # kinds of operators whose results are kept rather than computed again


def gradients(sweep, node: Node, of_results: dict) -> list:
    """For each input of a region its gradient, or None, given those of some results by number."""
    if node.op == "if":
        return _of_if(sweep, node, of_results)
    if node.op == "call":
        return _of_call(sweep, node, of_results)
    return _of_loop(sweep, node, of_results)


# -- branches -------------------------------------------------------------------------------------------------

def _of_if(sweep, node: Node, of_results: dict) -> list:
    condition, *operands = node.inputs
    graphs = [without_effects(node.attrs[name]) for name in ("then", "orelse")]
    wanted = [k for k, operand in enumerate(operands) if operand in sweep.needed]
    given = {r: _placeholder("g", r, node.type.items[r]) for r in of_results}
    pulled = [_pull(graph, [(graph.outputs[r], g) for r, g in given.items()], [graph.inputs[k] for k in wanted])
              for graph in graphs]
    reached = [i for i in range(len(wanted)) if any(found[i] is not None for found, _ in pulled)]
    branches = []
    for name, graph, (of_branch, effects) in zip(("then", "orelse"), graphs, pulled):
        outputs = [_or_zeros(of_branch[i], graph.inputs[wanted[i]]) for i in reached]
        branches.append(ir.close(name, (*graph.inputs, *given.values()), outputs, effects, graph.origins))
    backward = _placed(sweep, regions.if_(condition, *operands, *of_results.values(), then=branches[0],
                                          orelse=branches[1]))
    found: list = [None] * len(node.inputs)
    for position, i in enumerate(reached):
        found[1 + wanted[i]] = structural.item(backward, index=position)
    return found


# -- loops ----------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class _Needs:
    """What the backward pass of a loop deals with: numbers of leaves of its body (without the index) and of results.

    carried: carried values with gradients on the way to a target; elements, fixed: the leaves that need a gradient.
    kept: results, counted from the first kept one, that have a gradient.
    """

    carried: tuple
    elements: tuple
    fixed: tuple
    kept: tuple


def _of_loop(sweep, node: Node, of_results: dict) -> list:
    loop = LoopParts.of(node)
    body = without_effects(loop.body)
    leaves = body.inputs[len(body.inputs) - len(loop.operands):]
    needs = _find_needs(sweep, loop, of_results)
    after, kept_after = body.outputs[:loop.carried], body.outputs[loop.carried:]
    of_carried = {j: _placeholder("g", j, leaves[j].type) for j in needs.carried}
    of_kept = {k: _placeholder("h", k, kept_after[k].type) for k in needs.kept}
    sums = {f: _placeholder("s", f, leaves[f].type) for f in needs.fixed}

    starts = [(after[j], g) for j, g in of_carried.items()] + [(kept_after[k], g) for k, g in of_kept.items()]
    targets = (*needs.carried, *needs.elements, *needs.fixed)
    found, effects = _pull(body, starts, [leaves[t] for t in targets])
    pulled = dict(zip(targets, found))
    fixed = [f for f in needs.fixed if pulled[f] is not None]
    elements = [e for e in needs.elements if pulled[e] is not None]
    outputs = [*(_or_zeros(pulled[j], leaves[j]) for j in needs.carried),
               *(_accumulated(sums[f], pulled[f]) for f in fixed),
               *(pulled[e] for e in elements)]

    index = body.inputs[0] if loop.index is not None else _placeholder("i", 0, TensorType(int64, ()))
    read = _read_of_forward_pass(loop, (*outputs, *effects))
    forward = _keeping(sweep, node, [n for n in read if n not in leaves[loop.carried:]])
    of_read = {n: _kept_result(forward, n) for n in read if n not in leaves[loop.carried:]}
    for k in range(loop.carried, loop.carried + loop.stacks):
        if leaves[k] in read:
            of_read[leaves[k]] = loop.operands[k]
    fixed_read = {leaves[k]: loop.operands[k] for k in range(loop.carried + loop.stacks, len(leaves))
                  if leaves[k] in read}

    backward_body = ir.close(
        "body", (index, *of_carried.values(), *(sums[f] for f in fixed), *of_read, *of_kept.values(), *fixed_read),
        outputs, effects, body.origins)
    backward = _placed(sweep, regions.loop(
        *((LoopParts.of(forward).count,) if loop.length is None else ()),
        *(of_results.get(j) or pointwise.zeros_like(leaves[j]) for j in needs.carried),
        *(pointwise.zeros_like(leaves[f]) for f in fixed),
        *of_read.values(), *(of_results[loop.first_kept + k] for k in needs.kept), *fixed_read.values(),
        body=backward_body, carried=len(needs.carried) + len(fixed), stacks=len(of_read) + len(of_kept),
        length=loop.length, reverse=not loop.reverse))
    found: list = [None] * len(node.inputs)
    for position, k in enumerate((*needs.carried, *fixed, *elements)):
        found[loop.first + k] = structural.item(backward, index=position)
    return found


def _accumulated(total: Node, part: Node) -> Node:
    """total + part; where a part has one row that is not zero, as the gradient of x[i] has, only that row is added."""
    terms, stack = [], [part]
    while stack:
        n = stack.pop()
        if n.op == "add" and n.shape == n.inputs[0].shape == n.inputs[1].shape:
            stack.extend(n.inputs)
        else:
            terms.append(n)
    for n in reversed(terms):
        if n.op == "scatter_add" and n.inputs[0].rank == 0 and n.attrs["axis"] == 0:
            index, row = n.inputs
            row = reshape(pointwise.add(indexing.gather(total, index, axis=0), row), shape=(1, *row.shape))
            total = indexing.scatter_nd_update(total, reshape(index, shape=(1, 1)), row)
        else:
            total = pointwise.add(total, n)
    return total


def _find_needs(sweep, loop: LoopParts, of_results: dict) -> _Needs:
    """By fixed points over the iterations: forwards from what leads to a target, backwards from what has a gradient."""
    offset = loop.index is not None
    reads = [frozenset(k - offset for k in r) for r in dependence(loop.body)]
    active = {k for k, operand in enumerate(loop.operands) if operand in sweep.needed}
    carried = range(loop.carried)
    while grown := {j for j in carried if j not in active and reads[j] & active}:
        active |= grown
    kept = tuple(r - loop.first_kept for r in of_results if r >= loop.first_kept)
    arriving = {r for r in of_results if r < loop.carried}
    reached = set().union(*(reads[j] for j in arriving), *(reads[loop.carried + k] for k in kept))
    while grown := {j for j in carried if j in reached and j not in arriving}:
        arriving |= grown
        reached |= set().union(*(reads[j] for j in grown))
    stop = loop.carried + loop.stacks
    return _Needs(tuple(j for j in carried if j in active and j in arriving),
                  tuple(k for k in range(loop.carried, stop) if k in active and k in reached),
                  tuple(k for k in range(stop, len(loop.operands)) if k in active and k in reached), kept)


def _read_of_forward_pass(loop: LoopParts, outputs) -> list:
    """The nodes of a loop's body that its backward pass takes instead of computing them again; leaves among them.

    These are the carried values at the beginning of the iteration, and results of dear operators that differ from
    iteration to iteration.
    """
    varying = set(loop.body.inputs[:len(loop.body.inputs) - len(loop.operands) + loop.carried + loop.stacks])
    inside = set(loop.body.nodes) | set(loop.body.inputs)
    for n in loop.body.nodes:
        if any(i in varying for i in n.inputs):
            varying.add(n)
    read: dict = {}
    stack, seen = list(outputs), set()
    while stack:
        n = stack.pop()
        if n in seen:
            continue
        seen.add(n)
        if n in inside and n is not loop.index and (n.op == "input" or n in varying and _is_dear(n)):
            read[n] = None
        else:
            stack.extend(reversed(n.inputs))
    order = {n: k for k, n in enumerate((*loop.body.inputs, *loop.body.nodes))}
    return sorted(read, key=order.__getitem__)


def _is_dear(node: Node) -> bool:
    return node.op not in ("input", "const", "item") and REGISTRY[node.op].kind in _DEAR


def _keeping(sweep, node: Node, values) -> Node:
    """The loop that stands for `node` from now on and also keeps these nodes of its body."""
    known = sweep.replaced.get(node, node)
    body, carried = known.attrs["body"], known.attrs["carried"]
    missing = [v for v in values if v not in body.outputs[carried:]]
    if not missing:
        return known
    grown = Graph(body.name, body.inputs, (*body.outputs, *missing), (), body.effects, body.origins)
    new = REGISTRY[node.op](*node.inputs, **{**known.attrs, "body": grown})
    sweep.origins.add(new, sweep.origins.of(node))
    sweep.replaced[node] = new
    return new


def _kept_result(node: Node, value: Node) -> Node:
    loop = LoopParts.of(node)
    return structural.item(node, index=loop.first_kept + loop.body.outputs[loop.carried:].index(value))


def add_tapes(tape: Node, first: Node, second: Node) -> Node:
    """The sums of the elements of two tapes that are gradients of `tape`, a result of a loop."""
    element = tape.type.element
    index, a, b = (ir.input_(f"v{k}", t) for k, t in enumerate((TensorType(int64, ()), element, element)))
    body = Graph("body", (index, a, b), (pointwise.add(a, b),))
    both = regions.loop(LoopParts.of(tape.inputs[0]).count, first, second, body=body, carried=0, stacks=2, length=None,
                        reverse=False)
    return structural.item(both, index=0)


# -- calls ----------------------------------------------------------------------------------------------------

def _of_call(sweep, node: Node, of_results: dict) -> list:
    """By the backward graph of the call; or by one that computes the body again, once the gradients are there."""
    backward = node.attrs["backward"]
    if backward is None:
        return _of_computed_again(sweep, node, of_results)
    results = [structural.item(node, index=k) for k in range(len(node.type.items))]
    given = [of_results.get(k) or pointwise.zeros_like(r) for k, r in enumerate(results)]
    if not isinstance(backward, Graph):
        return backward(node.inputs, results, given)
    roots = ir.inline(backward, (*node.inputs, *results, *given), sweep.origins)
    sweep.effects.extend(roots[len(backward.outputs):])
    return list(roots[:len(node.inputs)])


def _of_computed_again(sweep, node: Node, of_results: dict) -> list:
    """Fences keep what is computed again from being the same nodes as in the forward pass.

    Parameters and constants need none: what is computed from them alone may well be kept.
    """
    body = without_effects(node.attrs["body"])
    wanted = [k for k, operand in enumerate(node.inputs) if operand in sweep.needed]
    given = {r: _placeholder("g", r, node.type.items[r]) for r in of_results}
    found, effects = _pull(body, [(body.outputs[r], g) for r, g in given.items()], [body.inputs[k] for k in wanted])
    late = _first_element(next(iter(of_results.values())))
    operands = [i if i.op in ("param", "const") else pointwise.fence(i, late) for i in node.inputs]
    outputs = [g for g in found if g is not None]
    again = ir.close("again", (*body.inputs, *given.values()), outputs, effects, body.origins)
    roots = ir.inline(again, (*operands, *of_results.values()), sweep.origins)
    sweep.effects.extend(roots[len(outputs):])
    values = iter(roots)
    parts: list = [None] * len(node.inputs)
    for k, g in zip(wanted, found):
        parts[k] = None if g is None else next(values)
    return parts


def _first_element(x: Node) -> Node:
    one = slice_(x, begin=(0,) * x.rank, size=(1,) * x.rank, stride=(1,) * x.rank) if x.rank else x
    return reshape(one, shape=()) if x.rank else one


# -- shared ---------------------------------------------------------------------------------------------------

def _pull(graph: Graph, starts, targets) -> tuple:
    """The gradients with respect to leaves of a closed graph, None where there is none, and the effects of the sweep.

    All are nodes over the graph's leaves.
    """
    from graphcore.compiler.autodiff import Sweep  # which needs the rules of this module
    sweep = Sweep(targets, graph.origins)
    found = sweep.run(starts)
    together = Graph(graph.name, graph.inputs, tuple(g for g in found if g is not None), (), tuple(sweep.effects),
                     graph.origins)
    together = with_replaced(together, sweep.replaced)
    replaced = iter(together.outputs)
    return tuple(None if g is None else next(replaced) for g in found), together.effects


def _placed(sweep, region: Node) -> Node:
    """A region of the backward pass, noted if it has effects."""
    if has_effects(region):
        sweep.effects.append(region)
    return region


def with_replaced(graph: Graph, replaced: dict) -> Graph:
    """The graph with loops that keep more in place of others; results have the same numbers in both."""
    if not replaced:
        return graph

    def replace(n: Node, inputs: tuple) -> Node:
        new = replaced.get(n, n)
        return new if inputs == new.inputs else ir.node(new.op, inputs, new.attrs, new.type)

    return ir.rebuild(graph, replace)


def without_effects(graph: Graph) -> Graph:
    """The graph as a computation of its outputs alone, at all levels: for computing them a second time."""
    if not any(map(has_effects, graph.nodes)):
        return graph

    def replace(n: Node, inputs: tuple) -> Node:
        if has_effects(n):
            pure = {k: g if k == "backward" else without_effects(g) for k, g in ir.graphs_of(n).items()}
            return ir.with_graphs(n, pure, inputs)
        return n if inputs == n.inputs else ir.node(n.op, inputs, n.attrs, n.type)

    return ir.rebuild(graph.replace_roots(graph.outputs, (), ()), replace)


def _placeholder(kind: str, number: int, type_: Type) -> Node:
    """A leaf that stands for a value until its graph is closed; no capture makes such names."""
    return ir.input_(f"{kind}'{number}", type_)


def _or_zeros(g: Node | None, like: Node) -> Node:
    return pointwise.zeros_like(like) if g is None else g
