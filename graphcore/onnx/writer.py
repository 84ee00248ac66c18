"""Writing a graph of the IR as an ONNX graph: names for nodes, and the nodes, constants and subgraphs made so far.

A rule for an operator is a function ``rule(w, node, *inputs)`` that takes the names of its inputs and gives the name of
its result, see `export_rules`.
"""
from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from graphcore import dtype as dt
from graphcore.dtype import DType
from graphcore.errors import GraphcoreError
from graphcore.ir.dims import Dim
from graphcore.ir.graph import Graph, Node
from graphcore.ir.types import TensorType
from graphcore.onnx.package import onnx_package
from graphcore.onnx.tensors import CODES

OPSET = 18
RULES: dict[str, Callable] = {}


class OnnxExportError(GraphcoreError, NotImplementedError):
    """A graph with something that has no form in ONNX."""


def rule(*names: str) -> Callable:
    """Decorator: the rule of the operators called `names`."""
    def register(function):
        RULES.update(dict.fromkeys(names, function))
        return function
    return register


class Writer:
    """One ONNX graph being written; `outer` is the writer of the graph around it."""

    def __init__(self, outer: Writer | None = None):
        self.outer, self.root = outer, self if outer is None else outer.root
        self.nodes: list = []
        self.names: dict = {}               # node of the IR -> name, or a tuple of names for a region's results
        if outer is None:
            self.helper = onnx_package().helper
            self.constants: dict = {}       # (dtype, shape, bytes) -> (name, TensorProto)
            self.symbols: dict = {}         # name of a symbolic size -> name of its value, i64[1]
            self.taken: set = set()
            self._counts: dict = {}

    # -- names ---------------------------------------------------------------------------------------------
    def new_name(self, base: str) -> str:
        """A name that nothing has yet."""
        root = self.root
        while True:
            number = root._counts[base] = root._counts.get(base, 0) + 1
            name = f"{base}_{number}"
            if name not in root.taken:
                root.taken.add(name)
                return name

    def name_of(self, node: Node) -> str:
        """The name of a node's value; written if it is a constant."""
        writer = self
        while writer is not None:
            if node in writer.names:
                return writer.names[node]
            writer = writer.outer
        if node.op == "const":
            constant = node.attrs["value"]
            return self.constant(constant.array, constant.dtype)
        raise OnnxExportError(f"a value of the operator {node.op} is used where ONNX has no form for it")

    # -- nodes ---------------------------------------------------------------------------------------------
    def add(self, op: str, *inputs: str, outputs: int = 1, base: str | None = None, **attributes):
        """The name of a new node's result; a tuple of names if there are several outputs."""
        names = tuple(self.new_name(base or op.lower()) for _ in range(outputs))
        self.nodes.append(self.root.helper.make_node(op, list(inputs), list(names), name=f"n_{names[0]}", **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, value, dtype: DType | None = None) -> str:
        """The name of an initialiser; equal ones are one."""
        array = np.asarray(value, None if dtype is None else dtype.storage)
        dtype = dtype or dt.from_numpy(array.dtype)
        key = dtype, array.shape, array.tobytes()
        known = self.root.constants
        if key not in known:
            name = self.new_name("const")
            known[key] = name, tensor_proto(self.root.helper, name, array, dtype)
        return known[key][0]

    def number(self, value, node: Node) -> str:
        """A 0-d constant of the dtype of `node`."""
        if node.dtype is dt.bfloat16:
            value = dt.float32_to_bfloat16(np.float32(value))
        return self.constant(np.asarray(value, node.dtype.storage), node.dtype)

    def ints(self, values) -> str:
        """A vector of int64: a constant, or computed where sizes are symbolic."""
        values = list(values)
        if not any(isinstance(v, Dim) for v in values):
            return self.constant(np.array(values, np.int64), dt.int64)
        parts = [self.size(v) for v in values]
        return parts[0] if len(parts) == 1 else self.add("Concat", *parts, axis=0, base="shape")

    def size(self, value) -> str:
        """A size as i64[1]."""
        if not isinstance(value, Dim):
            return self.constant(np.array([value], np.int64), dt.int64)
        total = None
        for atoms, coefficient in value.terms:
            term = None if coefficient == 1 and atoms else self.size(coefficient)
            for atom in atoms:
                factor = self.root.symbols[atom] if isinstance(atom, str) else self.add(
                    "Div", self.size(atom[1]), self.size(atom[2]))
                term = factor if term is None else self.add("Mul", term, factor)
            total = term if total is None else self.add("Add", total, term)
        return total

    def cast(self, name: str, dtype: DType) -> str:
        """A value converted to another dtype."""
        return self.add("Cast", name, to=CODES[dtype])

    def count(self, value) -> str:
        """A size as i64[]."""
        if not isinstance(value, Dim):
            return self.constant(np.int64(value))
        return self.add("Squeeze", self.size(value), self.ints([0]))

    # -- graphs --------------------------------------------------------------------------------------------
    def write(self, graph_or_outputs, inputs: Mapping | None = None) -> list:
        """Write what the outputs of a graph need, given names for its input leaves; the outputs' names."""
        outputs = graph_or_outputs.outputs
        self.names.update(inputs or {})
        for node in graph_or_outputs.nodes:
            if node.is_leaf or node in self.names or node.op in DEFERRED:
                continue
            if node.op not in RULES:
                origins = graph_or_outputs.origins.of(node) if isinstance(graph_or_outputs, Graph) else ()
                places = [str(origin) for origin in origins if str(origin)]
                raise OnnxExportError(f"the operator {node.op}{f' ({places[0]})' if places else ''} has no form in ONNX"
                                      + ("; export the net itself, not its training step" if "grad" in node.op else ""))
            self.names[node] = RULES[node.op](self, node, *(
                None if i.op in DEFERRED or not isinstance(i.type, TensorType) else self.name_of(i)
                for i in node.inputs))
        return [self.name_of(o) for o in outputs]

    def subgraph(self, graph: Graph, inputs: Mapping, name: str, places: list, before: Callable | None = None,
                 after: Callable | None = None):
        """A GraphProto of a region's graph, with access to all names outside.

        inputs: leaf -> name; places: the subgraph's own inputs, (name, type).
        before: adds nodes ahead and gives more (leaf -> name); after: takes the outputs' names and gives those of the
        subgraph, (name, type) each.
        """
        inner = Writer(self)
        inner.names.update(inputs)
        if before is not None:
            inner.names.update(before(inner))
        outputs = list(zip(inner.write(graph), (o.type for o in graph.outputs)))
        if after is not None:
            outputs = after(inner, outputs)
        # an output must be made by the subgraph itself, and only once
        outputs = [(inner.add("Identity", n), t) for n, t in outputs]
        helper = self.root.helper
        return helper.make_graph(inner.nodes, name, [value_info(helper, n, t) for n, t in places],
                                 [value_info(helper, n, t) for n, t in outputs])


# Operators whose results are not written until it is known what is made of them.
DEFERRED = frozenset({"attention"})


def value_info(helper, name: str, type_: TensorType):
    """An input or output with its type; symbolic sizes are named."""
    shape = [str(s) if isinstance(s, Dim) else s for s in type_.shape]
    return helper.make_tensor_value_info(name, CODES[type_.dtype], shape)


def tensor_proto(helper, name: str, array: np.ndarray, dtype: DType):
    """An initialiser; `array` is as graphcore stores the dtype."""
    little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    return helper.make_tensor(name, CODES[dtype], array.shape, little.tobytes(), raw=True)
