"""The IR: interned immutable nodes, and graphs of them.

A node is an operator applied to nodes.  Nodes are interned: building the same expression twice gives the same
object, so equality is identity and common subexpressions never exist.  What does not belong to a value's identity
(the user's line, the Cell it came from) stands in the graph's `origins` table.
State is functional: a Parameter is a leaf with a name and a type, and its new value an entry of `updates`.
"""
from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from graphcore.dtype import DType, from_numpy
from graphcore.ir.types import TensorType, Type

LEAVES = ("input", "param", "const")


class Constant:
    """An array that is part of a graph: compared by content, never changed."""

    __slots__ = ("array", "dtype", "digest")

    def __init__(self, array: np.ndarray, dtype: DType | None = None):
        self.array = np.ascontiguousarray(array).reshape(np.shape(array))
        if self.array.base is not None or self.array is array:
            self.array = self.array.copy()
        self.array.flags.writeable = False
        self.dtype = dtype or from_numpy(self.array.dtype)
        header = f"{self.dtype.code}{self.array.shape}".encode()
        self.digest = hashlib.sha256(header + self.array.tobytes()).hexdigest()[:24]

    def __eq__(self, other):
        return isinstance(other, Constant) and self.digest == other.digest

    def __hash__(self):
        return hash(self.digest)


def _freeze(value):
    """A hashable key of an attribute that tells 1, 1.0, True, 0.0 and -0.0 apart."""
    if isinstance(value, float):
        return ("float", value.hex())
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, (tuple, list)):
        return tuple(map(_freeze, value))
    return value


class Node:
    """One value of the IR.  Make nodes with `node()` or by calling an operator, never directly.

    op: the operator's name; inputs: the nodes it is applied to; attrs: its static attributes; type: its type.
    """

    __slots__ = ("op", "inputs", "attrs", "type", "__weakref__")
    _interned: weakref.WeakValueDictionary = weakref.WeakValueDictionary()

    op: str
    inputs: tuple
    attrs: Mapping
    type: Type

    @property
    def dtype(self) -> DType:
        return self.type.dtype

    @property
    def shape(self) -> tuple:
        return self.type.shape

    @property
    def rank(self) -> int:
        return len(self.type.shape)

    @property
    def is_leaf(self) -> bool:
        return self.op in LEAVES

    @property
    def name(self) -> str:
        """The name of an input or param leaf."""
        return self.attrs["name"]

    def __repr__(self) -> str:
        label = self.attrs.get("name") if self.op in ("input", "param") else ", ".join(
            i.attrs.get("name", i.op) for i in self.inputs)
        return f"<{self.op}({label}): {self.type}>"

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self


def node(op: str, inputs: Iterable[Node] = (), attrs: Mapping | None = None, type: Type = None) -> Node:
    """The one node of this operator, inputs, attributes and type."""
    inputs = tuple(inputs)
    attrs = {k: tuple(v) if isinstance(v, list) else v for k, v in sorted((attrs or {}).items())}
    key = (op, inputs, tuple((k, _freeze(v)) for k, v in attrs.items()), type)
    found = Node._interned.get(key)
    if found is None:
        found = object.__new__(Node)
        found.op, found.inputs, found.attrs, found.type = op, inputs, attrs, type
        Node._interned[key] = found
    return found


def input_(name: str, type: TensorType) -> Node:
    """A leaf for an argument of the graph."""
    return node("input", (), {"name": name}, type)


def param(name: str, type: TensorType) -> Node:
    """A leaf for the value that the Parameter called `name` has when the graph is entered."""
    return node("param", (), {"name": name}, type)


def const(value, dtype: DType | None = None) -> Node:
    """A constant leaf; `value` is a number or an array (for bfloat16: its words)."""
    array = np.asarray(value, dtype.storage if dtype is not None else None)
    constant = Constant(array, dtype)
    return node("const", (), {"value": constant}, TensorType(constant.dtype, array.shape))


@dataclass(frozen=True)
class Origin:
    """Where a node comes from: the Cell's path in the net, and the user's line."""

    scope: str = ""
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.file.rsplit('/', 1)[-1]}:{self.line}" if self.file else ""
        return "  ".join(part for part in (self.scope, place) if part)


class Origins:
    """Node → the set of places it comes from.  Grows while a graph is built and rewritten; never part of identity."""

    def __init__(self):
        self._table: weakref.WeakKeyDictionary[Node, tuple] = weakref.WeakKeyDictionary()

    def add(self, node: Node, origins: Iterable[Origin]) -> None:
        known = self._table.get(node, ())
        self._table[node] = known + tuple(o for o in origins if o not in known)

    def of(self, node: Node) -> tuple:
        return self._table.get(node, ())


@dataclass(frozen=True)
class Graph:
    """A function of its inputs and of Parameters by name.

    inputs: `input` leaves in call order; outputs: what it returns; updates: the new values of Parameters, by name;
    effects: nodes evaluated for what they do, in order.
    """

    name: str
    inputs: tuple
    outputs: tuple
    updates: tuple = ()
    effects: tuple = ()
    origins: Origins = field(default_factory=Origins, compare=False, repr=False)

    @property
    def roots(self) -> tuple:
        """Everything that must be computed; effects first, so that a walk meets them in their order."""
        return self.effects + self.outputs + tuple(n for _, n in self.updates)

    @cached_property
    def nodes(self) -> tuple:
        """All nodes in an order in which every node follows its inputs; deterministic."""
        return tuple(walk(self.roots))

    @cached_property
    def params(self) -> dict:
        """Name → param leaf, for each Parameter that is read or written, in order of first use."""
        found = {n.name: n for n in self.nodes if n.op == "param"}
        for name, value in self.updates:
            found.setdefault(name, param(name, value.type))
        return found

    @cached_property
    def symbols(self) -> tuple:
        """The names of the symbolic sizes, sorted."""
        names = set()
        for leaf in self.inputs:
            for size in leaf.shape:
                if not isinstance(size, int):
                    names |= size.symbols()
        return tuple(sorted(names))

    def replace_roots(self, outputs, updates, effects) -> Graph:
        return Graph(self.name, self.inputs, tuple(outputs), tuple(updates), tuple(effects), self.origins)


def walk(roots: Iterable[Node], known: Iterable[Node] = ()) -> Iterator[Node]:
    """Yield every node below `roots` once, inputs first; not those in `known` and what only they need."""
    seen = set(known)
    for root in roots:
        stack = [(root, False)]
        while stack:
            current, ready = stack.pop()
            if current in seen:
                continue
            if ready:
                seen.add(current)
                yield current
            else:
                stack.append((current, True))
                stack.extend((i, False) for i in reversed(current.inputs) if i not in seen)


def graphs_of(region: Node) -> dict:
    """Attribute name → graph, for the graphs in a node's attributes."""
    return {k: v for k, v in region.attrs.items() if isinstance(v, Graph)}


def with_graphs(region: Node, graphs: Mapping, inputs: Iterable[Node] | None = None) -> Node:
    """A region's node with other graphs of the same types, and perhaps other inputs."""
    return node(region.op, region.inputs if inputs is None else inputs, {**region.attrs, **graphs}, region.type)


def map_regions(graph: Graph, function) -> Graph:
    """The graph with ``function(sub-graph)`` in place of each graph that a node holds."""
    if not any(type(v) is Graph for n in graph.nodes for v in n.attrs.values()):
        return graph

    def replace(n: Node, inputs: tuple) -> Node:
        found = graphs_of(n)
        changed = {k: function(v) for k, v in found.items()}
        if inputs == n.inputs and changed == found:
            return n
        return with_graphs(n, changed, inputs)

    return rebuild(graph, replace)


def substitute(roots: Iterable[Node], new: Mapping, origins: Origins | None = None) -> tuple:
    """The roots with nodes replaced as `new` says; nothing below a replaced node is looked at.

    origins: the table that tells where nodes come from, to be carried over to the new ones.
    """
    roots = tuple(roots)
    done = dict(new)
    for n in walk(roots, done):
        inputs = tuple(done[i] for i in n.inputs)
        done[n] = n if inputs == n.inputs else node(n.op, inputs, n.attrs, n.type)
        if origins is not None and done[n] is not n:
            origins.add(done[n], origins.of(n))
    return tuple(done[r] for r in roots)


def inline(graph: Graph, inputs: Iterable[Node], origins: Origins | None = None) -> tuple:
    """The outputs, then the effects, of a closed graph with `inputs` in place of its input leaves.

    origins: the table of the graph that the nodes become part of.
    """
    inputs, roots = tuple(inputs), graph.outputs + graph.effects
    done = dict(zip(graph.inputs, inputs))
    for n in walk(roots, done):
        below = tuple(done[i] for i in n.inputs)
        done[n] = n if below == n.inputs else node(n.op, below, n.attrs, n.type)
        if origins is not None:
            origins.add(done[n], graph.origins.of(n))
    return tuple(done[r] for r in roots)


def close(name: str, inputs: Iterable[Node], outputs: Iterable[Node], effects: Iterable[Node] = (),
          origins: Origins | None = None) -> Graph:
    """The closed graph that computes `outputs` from the nodes `inputs`: its leaves v0, v1 ... stand for them."""
    inputs, outputs, effects = tuple(inputs), tuple(outputs), tuple(effects)
    leaves = tuple(input_(f"v{k}", n.type) for k, n in enumerate(inputs))
    origins = origins or Origins()
    roots = substitute(outputs + effects, dict(zip(inputs, leaves)), origins)
    return Graph(name, leaves, roots[:len(outputs)], (), roots[len(outputs):], origins)


def users(graph: Graph) -> dict:
    """Node → the nodes that use it (roots themselves are not listed)."""
    table: dict = {n: [] for n in graph.nodes}
    for n in graph.nodes:
        for i in dict.fromkeys(n.inputs):
            table[i].append(n)
    return table


def rebuild(graph: Graph, replace) -> Graph:
    """Rebuild a graph bottom-up; ``replace(node, new_inputs) -> Node`` gives each node's successor.

    The origins of a node pass to whatever replaces it.
    """
    new: dict = {}
    for n in graph.nodes:
        result = replace(n, tuple(new[i] for i in n.inputs))
        if result is not n:
            graph.origins.add(result, graph.origins.of(n))
        new[n] = result
    return graph.replace_roots((new[o] for o in graph.outputs), ((k, new[v]) for k, v in graph.updates),
                               (new[e] for e in graph.effects))
