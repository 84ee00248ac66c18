"""Two graphs side by side, by structure: what is the same, what became something else, what only one of them has.

Nodes are interned, so what is equal in both is one object and needs no search.  The rest is paired in the order of the
graphs: an operator of a Cell with the operator of the same name in the same Cell.  Numbers and lines play no part.
"""
from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher

from graphcore.ir.graph import Graph, Node, graphs_of
from graphcore.ir.literal import format_attribute
from graphcore.ir.printer import labels


@dataclass(frozen=True)
class Pair:
    """A node of the first graph and the one of the second that stands in its place; facts: what is different."""

    old: Node
    new: Node
    facts: tuple


@dataclass(frozen=True)
class Comparison:
    """What `compare` finds.

    same: how many nodes are equal but for numbers; changed: pairs that differ, in order; removed, added: nodes that
    only the first or the second graph has; signature: differences of inputs, Parameters, outputs and updates, as text;
    inner: (way to a region, Comparison) for graphs within changed pairs.
    """

    first: Graph
    second: Graph
    same: int
    changed: tuple
    removed: tuple
    added: tuple
    signature: tuple
    inner: tuple

    @property
    def equal(self) -> bool:
        """Whether the graphs compute the same."""
        return not (self.changed or self.removed or self.added or self.signature)


def compare(first: Graph, second: Graph) -> Comparison:
    """Compare two graphs."""
    ours, theirs = ([n for n in g.nodes if not n.is_leaf] for g in (first, second))
    common = set(ours) & set(theirs)
    keys = [[id(n) if n in common else (n.op, _cell(g, n)) for n in nodes]
            for g, nodes in ((first, ours), (second, theirs))]
    partner: dict = {}
    for begin, other, count in SequenceMatcher(None, *keys, autojunk=False).get_matching_blocks():
        partner.update(zip(ours[begin:begin + count], theirs[other:other + count]))
    _pair_moved(ours, theirs, keys, partner)
    names = labels(first), labels(second)
    changed, inner = [], []
    for old, new in partner.items():
        facts = _facts(old, new, partner, names)
        if facts:
            changed.append(Pair(old, new, facts))
            ours_inside, theirs_inside = graphs_of(old), graphs_of(new)
            inner += [(f"{names[0][old]}.{k}", compare(g, theirs_inside[k])) for k, g in ours_inside.items()
                      if k in theirs_inside and theirs_inside[k] != g]
    taken = set(partner.values())
    return Comparison(
        first, second, len(partner) - len(changed), tuple(changed), tuple(n for n in ours if n not in partner),
        tuple(n for n in theirs if n not in taken), tuple(_signature(first, second, partner, names)), tuple(inner))


def _cell(graph: Graph, node: Node) -> str:
    return next((o.scope for o in graph.origins.of(node) if o.scope), "")


def _pair_moved(ours: list, theirs: list, keys: list, partner: dict) -> None:
    """Pair what is left over with what is called the same elsewhere, first come first served."""
    taken = set(partner.values())
    free: dict = {}
    for n, key in zip(theirs, keys[1]):
        if n not in taken:
            free.setdefault(key, []).append(n)
    for n, key in zip(ours, keys[0]):
        if n not in partner and free.get(key):
            partner[n] = free[key].pop(0)


def _facts(old: Node, new: Node, partner: dict, names: tuple) -> tuple:
    """What is different between two nodes, as text; operands are the same if they are partners."""
    if old is new:
        return ()
    facts = []
    if old.type != new.type:
        facts.append(f"type {old.type} -> {new.type}")
    for key in dict.fromkeys((*old.attrs, *new.attrs)):
        before, after = old.attrs.get(key), new.attrs.get(key)
        if isinstance(before, Graph) and isinstance(after, Graph):
            if before != after:
                facts.append(f"the graph {key}")
        elif type(before) is not type(after) or before != after:
            facts.append(f"{key} {_attribute(before)} -> {_attribute(after)}")
    if len(old.inputs) != len(new.inputs):
        facts.append(f"{len(old.inputs)} operands -> {len(new.inputs)}")
    else:
        facts += [f"operand {i} {names[0][a]} -> {names[1][b]}" for i, (a, b) in enumerate(zip(old.inputs, new.inputs))
                  if not _stands_for(a, b, partner)]
    return tuple(facts)


def _stands_for(old: Node, new: Node, partner: dict) -> bool:
    """Whether one operand is the other's, leaves by their names."""
    if old is new or partner.get(old) is new:
        return True
    return old.op == new.op and old.op in ("input", "param") and old.name == new.name


def _attribute(value) -> str:
    return "nothing" if value is None else format_attribute(value, lambda graph: "graph")


def _signature(first: Graph, second: Graph, partner: dict, names: tuple):
    """Lines about what is around the nodes."""
    for kind, ours, theirs in (("input", {i.name: i for i in first.inputs}, {i.name: i for i in second.inputs}),
                               ("param", first.params, second.params)):
        for name in dict.fromkeys((*ours, *theirs)):
            if name not in theirs:
                yield f"- {kind} {name}: {ours[name].type}"
            elif name not in ours:
                yield f"+ {kind} {name}: {theirs[name].type}"
            elif ours[name] is not theirs[name]:
                yield f"~ {kind} {name}: {ours[name].type} -> {theirs[name].type}"
    if len(first.outputs) != len(second.outputs):
        yield f"~ {len(first.outputs)} outputs -> {len(second.outputs)}"
    for number, (a, b) in enumerate(zip(first.outputs, second.outputs)):
        if not _stands_for(a, b, partner):
            yield f"~ output {number}: {names[0][a]} -> {names[1][b]}"
    before, after = dict(first.updates), dict(second.updates)
    for name in dict.fromkeys((*before, *after)):
        if name not in after:
            yield f"- update {name} = {names[0][before[name]]}"
        elif name not in before:
            yield f"+ update {name} = {names[1][after[name]]}"
        elif not _stands_for(before[name], after[name], partner):
            yield f"~ update {name}: {names[0][before[name]]} -> {names[1][after[name]]}"
    if len(first.effects) != len(second.effects):
        yield f"~ {len(first.effects)} effects -> {len(second.effects)}"
