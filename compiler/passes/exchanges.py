"""Exchanges with other processes: which travel together, and what is computed in the meantime.

Gradients are summed over all processes as the backward pass makes them.  Small ones are joined to *buckets* in that
order, so that there are fewer exchanges, each worth its latency; so are the parts of sums that processes share, and
the Parameters that are gathered from their updates.  Then every exchange is taken apart into a node that
starts it and one that waits for it; the schedule starts each as soon as its source is there, in one order on all
processes, and waits when nothing else is left to do.
"""
from __future__ import annotations

from graphcore.compiler.schedule.kinds import exchanges_in_order, kind
from graphcore.compiler.schedule.windows import whole_base, window
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node
from graphcore.ops import collectives, pointwise, view

#: A gradient of more than this part of a bucket travels by itself, where it lies.
LARGE = 4
#: Attributes that some exchanges have, and what they are for the others.
_OF_SOME = {"reduce": "", "root": 0, "rank": 0, "sends": (), "receives": ()}
#: Operators whose source is read until the end; of the others the target holds a copy from the start.
_READ_UNTIL_END = ("reduce_scatter", "all_to_all", "neighbor_exchange")


def arrange(graph: Graph, log: list) -> Graph:
    """The graph with reduce-scatters where only the own part of a sum is used, buckets, and exchanges in two halves."""
    if not any(is_exchange(n) for n in graph.nodes):
        return graph
    graph = own_parts(graph, log)
    for name in ("all_reduce", "reduce_scatter", "all_gather"):     # what is gathered needs what was scattered
        graph = in_buckets(graph, name, log)
    return in_halves(graph)


def is_exchange(node: Node) -> bool:
    """Whether a node is an exchange, or a part of one."""
    return kind(node) == "collective"


def own_parts(graph: Graph, log: list) -> Graph:
    """own_part(all_reduce(x)) -> reduce_scatter(x), if nothing else needs the sum; any other own_part is a slice."""
    users: dict[Node, list] = {}
    for n in graph.nodes:
        for i in n.inputs:
            users.setdefault(i, []).append(n)
    roots = set(graph.roots)

    def replace(n: Node, inputs: tuple) -> Node:
        if n.op != "own_part":
            return n if inputs == n.inputs else ir.node(n.op, inputs, n.attrs, n.type)
        total, attrs = n.inputs[0], n.attrs
        if total.op == "all_reduce" and total.attrs["reduce"] == "sum" and total not in roots \
                and total.attrs["group"] == attrs["group"] and all(u.op == "own_part" for u in users[total]):
            log.append(f"own_part(all_reduce) of {total.type} -> reduce_scatter")
            return collectives.reduce_scatter(inputs[0].inputs[0], reduce="sum", fuse=total.attrs["fuse"], **attrs)
        rows = n.shape[0]
        return view.slice_(inputs[0], begin=(attrs["rank"] * rows,) + (0,) * (n.rank - 1), size=n.shape,
                           stride=(1,) * n.rank)

    return ir.rebuild(graph, replace)


# -- buckets ---------------------------------------------------------------------------------------------------

def in_buckets(graph: Graph, name: str, log: list) -> Graph:
    """f(a), f(b) ... -> parts of f(a, b ... joined) for the operator f of this name, as far as their `fuse` allows."""
    buckets = [b for b in find_buckets(graph, name) if len(b) > 1]
    kept, roots = len(graph.roots), (*graph.roots, *(n for b in buckets for n in b))
    done = kept
    for bucket in buckets:
        members = roots[done:done + len(bucket)]        # as they are now: they may need parts of earlier buckets
        done += len(bucket)
        total, parts = _joined(members)
        log.append(f"{len(members)} {members[0].op} of {_bytes(total)} bytes together travel as one")
        for n in members:
            graph.origins.add(total, graph.origins.of(n))
        roots = ir.substitute(roots, parts, graph.origins)
    effects, outputs = len(graph.effects), len(graph.effects) + len(graph.outputs)
    updates = zip((name for name, _ in graph.updates), roots[outputs:kept])
    return graph.replace_roots(roots[effects:outputs], updates, roots[:effects])


def find_buckets(graph: Graph, name: str) -> list:
    """Lists of exchanges of one operator that may travel together, in the order in which they are started."""
    ordered = exchanges_in_order(graph)
    needed = _needed(graph, ordered)
    buckets: list[list] = []
    open_: dict[tuple, tuple] = {}              # attributes and dtype -> (bucket, place of its first, bytes)
    for place, n in enumerate(ordered):
        limit = n.attrs["fuse"] if n.op == name and n.type.is_static else 0
        size = _bytes(n) if limit else 0
        if not limit or size * LARGE > limit:
            continue
        key = (n.dtype.name, *sorted(n.attrs.items()))
        bucket, first, held = open_.get(key, (None, 0, 0))
        if bucket is None or held + size > limit or needed[n] >> first:     # it needs something that starts later
            bucket, first, held = [], place, 0
            buckets.append(bucket)
        bucket.append(n)
        open_[key] = (bucket, first, held + size)
    return buckets


def _joined(members: list) -> tuple:
    """(the exchange of all members' sources together, member -> its part of that).

    A sum travels as vectors end to end.  Of a shared sum each process gets a row, of which each member is some columns;
    a gathered tensor is such columns of the rows of all processes.
    """
    first, size = members[0], members[0].attrs["size"]
    cut, gathered = first.op == "reduce_scatter", first.op == "all_gather"
    rows = (size,) if cut else ()
    flat = [view.reshape(n.inputs[0], shape=(*rows, n.inputs[0].type.size // (size if cut else 1))) for n in members]
    source = view.concat(*flat, axis=len(rows))
    total = getattr(collectives, first.op)(view.reshape(source, shape=(source.type.size,)) if cut else source,
                                           **first.attrs)
    table = view.reshape(total, shape=(size, source.type.size)) if gathered else total
    parts, start = {}, 0
    for n, vector in zip(members, flat):
        begin, extent = ((0, start), (size, vector.shape[-1])) if gathered else ((start,), (vector.shape[-1],))
        parts[n] = view.reshape(view.slice_(table, begin=begin, size=extent, stride=(1,) * len(begin)), shape=n.shape)
        start += vector.shape[-1]
    return total, parts


def _bytes(n: Node) -> int:
    """Bytes of the whole that is exchanged, of which a process may give or get its part alone."""
    return max(n.type.size, n.inputs[0].type.size) * n.dtype.itemsize


def _needed(graph: Graph, ordered: list) -> dict:
    """For each exchange the set of those whose results it needs: bit k stands for number k in `ordered`."""
    bit = {n: 1 << k for k, n in enumerate(ordered)}
    below: dict[Node, int] = {}
    needed: dict[Node, int] = {}
    for n in graph.nodes:
        found = 0
        for i in n.inputs:
            found |= below[i]
        if n in bit:
            needed[n] = found
        below[n] = found | bit.get(n, 0)
    return needed


# -- halves ----------------------------------------------------------------------------------------------------

def in_halves(graph: Graph) -> Graph:
    """f(x) -> exchange_end(exchange_begin(x)) for each exchange; x lies in memory as a whole."""
    def replace(n: Node, inputs: tuple) -> Node:
        if not is_exchange(n):
            return n if inputs == n.inputs else ir.node(n.op, inputs, n.attrs, n.type)
        source, attrs = inputs[0], n.attrs
        if window(source) is None or whole_base(source) is None:
            source = pointwise.copy(source)
        own = {name: attrs.get(name, unset) for name, unset in _OF_SOME.items()}
        begun = collectives.exchange_begin(source, what=n.op, group=attrs["group"], size=attrs["size"], **own)
        graph.origins.add(begun, graph.origins.of(n))
        return collectives.exchange_end(begun, *((source,) if n.op in _READ_UNTIL_END else ()))

    return ir.rebuild(graph, replace)
