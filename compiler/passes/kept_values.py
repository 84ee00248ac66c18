"""What a loop takes from another is kept as it is used.

The backward pass of a loop takes the result of a product, say, and computes again what the forward pass made of it: a
bias added, an activation.  If that is all it does with the product, the forward loop keeps the activation instead:
nothing is larger, and nothing computed twice.  Where the activation is kept anyway there is one stack less.
"""
from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from graphcore.compiler.passes.loops import LoopDraft
from graphcore.compiler.passes.rewrite import Rewrite
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node
from graphcore.ops import structural
from graphcore.ops.record import REGISTRY
from graphcore.ops.regions import LoopParts

_MOST_ROUNDS = 8        # one is enough but for gradients of gradients, whose loops take from loops that take from loops


def kept_as_used(graph: Graph, log: list | None = None) -> Graph:
    """loop(... f(element i of what another loop made) ...) -> loop(... element i of f ...), kept by the other loop"""
    if not any(n.op == "loop" for n in graph.nodes):
        return graph
    for _ in range(_MOST_ROUNDS):
        new = _one_round(graph, log)
        if new == graph:
            break
        graph = new
    return graph


@dataclass(frozen=True)
class _Change:
    """Nodes of the body of loop `reader` → the nodes of the body of `maker` that have the same values."""

    maker: Node
    same: dict


def _one_round(graph: Graph, log: list | None) -> Graph:
    users = ir.users(graph)
    changes: dict = {}                  # reader -> its change
    for reader in graph.nodes:
        if reader.op == "loop" and reader not in {c.maker for c in changes.values()}:
            for maker in _makers(reader):
                if maker not in changes and (same := _later_values(maker, reader, users, graph.roots)):
                    changes[reader] = _Change(maker, same)
                    break
    if not changes:
        return graph
    more: dict = {}                     # maker -> what it keeps besides
    for change in changes.values():
        more.setdefault(change.maker, []).extend(change.same.values())
    grown: dict = {}

    def successor(n: Node, inputs: tuple) -> Node:
        new = n if inputs == n.inputs else ir.node(n.op, inputs, n.attrs, n.type)
        if n in more:
            new = grown[n] = keeping(new, more[n])
        elif n in changes:
            new = _taking(new, grown[changes[n].maker], changes[n].same)
            if log is not None:
                log.append(Rewrite(kept_as_used.__name__, n, new))
        return new

    return ir.rebuild(graph, successor)


def _makers(reader: Node) -> Iterable[Node]:
    """The loops of which a loop takes what they kept."""
    parts = LoopParts.of(reader)
    taken = parts.operands[parts.carried:parts.carried + parts.stacks]
    return dict.fromkeys(s.inputs[0] for s in taken if s.op == "item" and s.inputs[0].op in ("loop", "while"))


def _later_values(maker: Node, reader: Node, users: dict, roots: tuple) -> dict:
    """Values of the reader's body that the maker's has as well and that the reader may as well take from there."""
    there, here = LoopParts.of(maker), LoopDraft.of(reader)
    same, kept = _same_values(there, here), there.body.outputs[there.carried:]
    uses = Counter(here.roots)
    only_user: dict = {}
    for n in ir.walk(here.roots):
        for i in set(n.inputs):
            uses[i] += 1
            only_user[i] = n
    found: dict = {}
    for leaf, stack in here.stacks.items():
        if stack.op != "item" or stack.inputs[0] is not maker:
            continue
        last = _last(leaf, only_user, uses, same)
        only_here = set(users[stack]) == {reader} and stack not in roots
        if last is not leaf and (same[last] in kept or only_here):
            found[last] = same[last]
    return found


def _same_values(there: LoopParts, here: LoopDraft) -> dict:
    """Node of one loop's body → the node of the other loop's body that has the same value in each iteration."""
    leaves = {operand: leaf for leaf, operand in zip(there.leaves[there.carried:], there.operands[there.carried:])}
    same: dict = {}
    for leaf, operand in (*here.stacks.items(), *here.fixed.items()):
        if operand.op == "item" and operand.inputs[0] is there.node:
            number = operand.attrs["index"] - there.first_kept
            if leaf in here.stacks and number >= 0:
                same[leaf] = there.body.outputs[there.carried + number]
        elif operand in leaves and _is_stack(leaves[operand], there) == (leaf in here.stacks):
            same[leaf] = leaves[operand]
    known = set(there.body.nodes)
    for n in ir.walk(here.roots):
        inputs = [i if i.op == "const" else same.get(i) for i in n.inputs]
        if inputs and None not in inputs and (twin := ir.node(n.op, inputs, n.attrs, n.type)) in known:
            same[n] = twin
    return same


def _is_stack(leaf: Node, loop: LoopParts) -> bool:
    return loop.leaves.index(leaf) < loop.carried + loop.stacks


def _last(value: Node, only_user: dict, uses: Counter, same: dict) -> Node:
    """The end of the chain of element-wise operators from a value on, each the only user, that the other loop has."""
    while uses[value] == 1 and value in only_user:
        user = only_user[value]
        if REGISTRY[user.op].kind != "pointwise" or user.type != value.type or user not in same:
            break
        value = user
    return value


def keeping(maker: Node, values: list) -> Node:
    """The loop that keeps these values of its body too."""
    body, carried = maker.attrs["body"], maker.attrs["carried"]
    missing = [v for v in dict.fromkeys(values) if v not in body.outputs[carried:]]
    grown = Graph(body.name, body.inputs, (*body.outputs, *missing), (), body.effects, body.origins)
    return REGISTRY[maker.op](*maker.inputs, **{**maker.attrs, "body": grown})


def _taking(reader: Node, maker: Node, same: dict) -> Node:
    """The loop that takes values from what another keeps."""
    there, draft = LoopParts.of(maker), LoopDraft.of(reader)
    kept = there.body.outputs[there.carried:]
    stacks = {here: structural.item(maker, index=there.first_kept + kept.index(value)) for here, value in same.items()}
    return replace(draft, stacks={**draft.stacks, **stacks}).make()
