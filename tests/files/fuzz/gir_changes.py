"""Changes of a graph, with the types of all that follows computed again where the operators' rules give some."""
from __future__ import annotations

from random import Random

from graphcore import dtype as dt
from graphcore.ir import graph as ir
from graphcore.ir.graph import Graph, Node, graphs_of
from graphcore.ir.types import TensorType
from graphcore.ops.record import REGISTRY
from tests.files.fuzz import mutations

_NUMBERS = (*mutations.NUMBERS, -3, 4, 5, 6, 8, 9, 16, 100)
_FLOATS = (0.0, -0.0, 1.0, -1.0, 0.5, 1e30, -1e38, 1e300, 5e-324, float("inf"), float("nan"))


def changed_graph(random: Random, graph: Graph) -> Graph:
    """The graph with one node (perhaps one within a region), or one input's type, changed."""
    nodes = [n for n in graph.nodes if not n.is_leaf]
    regions = [n for n in nodes if graphs_of(n)]
    target = random.choice(regions) if regions and random.random() < 0.5 else random.choice(graph.nodes or (None,))
    if target is None:
        return graph
    new: dict[Node, Node] = {}
    for n in graph.nodes:
        op, inputs, attrs = n.op, tuple(new[i] for i in n.inputs), dict(n.attrs)
        if n is target and not n.is_leaf:
            op, inputs, attrs = _changed_node(random, n, inputs, attrs, list(new.values()))
        if n is target and n.op in ("input", "param"):
            new[n] = ir.node(n.op, (), n.attrs, _changed_type(random, n.type))
        elif n.is_leaf or op == n.op and inputs == n.inputs and attrs == dict(n.attrs):
            new[n] = n
        else:
            new[n] = ir.node(op, inputs, attrs, _type(op, inputs, attrs, n.type))
    inputs = tuple(new.get(i, i) for i in graph.inputs)
    outputs = tuple(new[o] for o in graph.outputs)
    if random.random() < 0.02:
        outputs = tuple(random.choice(list(new.values())) for _ in outputs)
    return Graph(graph.name, inputs, outputs, tuple((k, new[v]) for k, v in graph.updates),
                 tuple(new[e] for e in graph.effects))


def _type(op: str, inputs, attrs, old):
    try:
        return REGISTRY[op].infer(*(i.type for i in inputs), **attrs)
    except Exception:       # what no rule allows keeps its type, and must be refused by the reader
        return old


def _changed_node(random: Random, n: Node, inputs: tuple, attrs: dict, known: list) -> tuple:
    how = random.random()
    if attrs and how < 0.75:
        key = random.choice(list(attrs))
        attrs[key] = _changed_value(random, attrs[key])
        return n.op, inputs, attrs
    if inputs and how < 0.92:
        alike = [k for k in known if k.type == n.inputs[0].type] if random.random() < 0.5 else known
        at = random.randrange(len(inputs))
        other = random.choice(alike or known)
        replaced = inputs[:at] + (other,) + inputs[at + 1:]
        inputs = random.choice((replaced, replaced, inputs[:at] + inputs[at + 1:], inputs + (other,)))
        return n.op, inputs, attrs
    if random.random() < 0.7:
        return random.choice([name for name, r in REGISTRY.items() if r.kind == REGISTRY[n.op].kind]), inputs, attrs
    other = random.choice([r for r in REGISTRY.values() if r.samples is not None])
    return other.name, inputs, dict(random.choice(other.samples())[1])


def _changed_value(random: Random, value):
    if isinstance(value, Graph):
        return changed_graph(random, value)
    if isinstance(value, bool):
        return random.choice((not value, int(value), None))
    if isinstance(value, tuple) and value and random.random() < 0.9:
        at = random.randrange(len(value))
        if random.random() < 0.75:
            return value[:at] + (_changed_value(random, value[at]),) + value[at + 1:]
        return random.choice((value[:at] + value[at + 1:], value + (value[at],), value[::-1],
                              tuple(sorted(value, key=str))))
    if isinstance(value, int) and random.random() < 0.9:
        return random.choice((value + 1, value - 1, -value, 2 * value, value + 2, value + 3, *_NUMBERS))
    if isinstance(value, dt.DType) and random.random() < 0.9:
        return random.choice(dt.ALL)
    if isinstance(value, float) and random.random() < 0.9:
        return random.choice(_FLOATS)
    return random.choice((*_NUMBERS, *_FLOATS, None, True, "text", (), (1,), (2, 3), dt.int32))


def _changed_type(random: Random, type_):
    if not isinstance(type_, TensorType):
        return type_
    if random.random() < 0.25:
        return type_.with_dtype(random.choice(dt.ALL))
    shape = list(type_.shape)
    how = random.random()
    if shape and how < 0.7:
        at = random.randrange(len(shape))
        shape[at] = random.choice((0, 1, 2, 3, 5, 17, 33, 1 << 40, shape[at] + 1))
    elif how < 0.85:
        shape.insert(random.randrange(len(shape) + 1), random.choice((1, 2, 3)))
    elif shape:
        shape.pop(random.randrange(len(shape)))
    return type_.with_shape(shape)
