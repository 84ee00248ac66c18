"""Models as they are run: read from ONNX's protobuf, checked, with the table's functions in place of names."""
from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from graphcore.dtype import DType
from graphcore.errors import FormatError, GraphcoreError
from graphcore.onnx import (
    operators,  # noqa: F401  (fills the table)
    table,
)
from graphcore.onnx.package import UnsupportedOnnxError, onnx_package
from graphcore.onnx.tensors import MOST_AXES, dtype_of, tensor_of

_DEEPEST = 16               # subgraphs within subgraphs, functions within functions
_MOST_STEPS = 100_000       # nodes, functions taken apart
_DEFAULT_DOMAINS = ("", "ai.onnx")


@dataclass(frozen=True)
class Place:
    """An input or output of a graph: its dtype and sizes (an int, a name, or None where nothing is said)."""

    name: str
    dtype: DType | None = None
    sizes: tuple | None = None

    def __str__(self) -> str:
        sizes = "[...]" if self.sizes is None else f"[{','.join('?' if s is None else str(s) for s in self.sizes)}]"
        return f"{'?' if self.dtype is None else self.dtype.code}{sizes}"


@dataclass(frozen=True, eq=False)
class Step:
    """A node: `entry` of the table, or `body` where it calls a function that the model defines."""

    name: str
    op: str
    inputs: tuple
    outputs: tuple
    attributes: dict
    entry: table.Entry | None = None
    body: Graph | None = None

    def __str__(self) -> str:
        return f"{self.op} node {self.name!r}" if self.name else f"{self.op} node that makes {self.outputs[0]!r}"


@dataclass(frozen=True, eq=False)
class Graph:
    """Steps in an order in which they can be run.  constants: name -> Tensor."""

    name: str
    inputs: tuple
    outputs: tuple
    constants: dict
    steps: tuple

    def all_graphs(self):
        """This graph and those within it."""
        yield self
        for step in self.steps:
            for inner in (*step.attributes.values(), step.body):
                if isinstance(inner, Graph):
                    yield from inner.all_graphs()


def read_model(source, most: int) -> Graph:
    """The graph of a model: a path, or the bytes of a file.

    most: the most elements of a tensor.
    Raises FormatError for what is damaged or makes no sense, UnsupportedOnnxError (a FormatError) for what graphcore
    has not, MissingPackageError without the package onnx, FileNotFoundError where there is no file.
    """
    onnx = onnx_package()
    folder, title = None, "this"
    if isinstance(source, (bytes, bytearray, memoryview)):
        data = bytes(source)
    elif isinstance(source, (str, os.PathLike)):
        folder, title = Path(source).parent, os.fspath(source)
        data = Path(source).read_bytes()
    else:
        way_out = "; give its SerializeToString()" * isinstance(source, onnx.ModelProto)
        raise FormatError(f"a model is a path or bytes, not a {type(source).__name__}{way_out}")
    proto = onnx.ModelProto()
    try:
        proto.ParseFromString(data)
    except Exception as error:      # protobuf's implementations have errors of their own
        raise FormatError(f"{title} is no ONNX model: {error}") from error
    if not proto.HasField("graph"):
        raise FormatError(f"{title} is no ONNX model: it has no graph")
    try:
        return _Reader(proto, folder, most).read()
    except GraphcoreError:
        raise
    except (ValueError, TypeError, KeyError, IndexError, RecursionError, OverflowError, UnicodeError) as error:
        raise FormatError(f"the model is damaged: {error}") from error


@dataclass
class _Scope:
    """What the nodes being read can see: names, opset versions, and values for references to attributes."""

    names: set
    versions: dict
    attributes: dict = field(default_factory=dict)
    depth: int = 0

    def inner(self) -> _Scope:
        """The scope of a subgraph."""
        if self.depth >= _DEEPEST:
            raise FormatError(f"subgraphs lie deeper than {_DEEPEST} within each other")
        return _Scope(set(self.names), self.versions, self.attributes, self.depth + 1)


def _is_text(name) -> bool:
    """Whether a name is there, and text: protobuf gives bytes where it is no UTF-8."""
    return isinstance(name, str) and name != ""


class _Reader:
    """Reads one model."""

    def __init__(self, proto, folder: Path | None, most: int):
        self.proto, self.folder, self.most, self.steps = proto, folder, most, 0
        self.functions = {(_domain(f.domain), f.name): f for f in proto.functions}

    def read(self) -> Graph:
        versions = _versions(self.proto.opset_import)
        if versions.get("", 1) > table.LATEST:
            raise UnsupportedOnnxError(f"opset {versions['']} is newer than {table.LATEST}, the newest that graphcore "
                                       "knows")
        return self.graph(self.proto.graph, _Scope(set(), versions))

    # -- graphs --------------------------------------------------------------------------------------------
    def graph(self, proto, scope: _Scope) -> Graph:
        if proto.sparse_initializer:
            raise UnsupportedOnnxError("sparse initialisers are not supported")
        constants = {}
        for tensor in proto.initializer:
            if not _is_text(tensor.name) or tensor.name in constants:
                raise FormatError(f"two initialisers are called {tensor.name!r}, or one has no name")
            constants[tensor.name] = tensor_of(tensor, self.folder, self.most)
        inputs = tuple(self.place(p) for p in proto.input if p.name not in constants)
        own = [p.name for p in inputs]
        if len(set(own)) != len(own):
            raise FormatError(f"two inputs of graph {proto.name!r} have one name")
        scope.names |= {*own, *constants}
        made = {*own, *constants}
        steps = tuple(self.step(node, scope, made) for node in proto.node)
        outputs = tuple(self.place(p) for p in proto.output)
        missing = [p.name for p in outputs if p.name not in scope.names]
        if missing or not outputs:
            raise FormatError(f"the graph {proto.name!r} has no value for its outputs {missing}" if missing else
                              f"the graph {proto.name!r} has no outputs")
        return Graph(proto.name, inputs, outputs, constants, steps)

    def place(self, proto) -> Place:
        if not _is_text(proto.name):
            raise FormatError("an input or output without a name, or with one that is no text")
        kind = proto.type.WhichOneof("value")
        if kind is None:
            return Place(proto.name)
        if kind != "tensor_type":
            raise UnsupportedOnnxError(f"{proto.name!r} is a {kind.removesuffix('_type')}; only tensors go in and out")
        tensor = proto.type.tensor_type
        dtype = dtype_of(tensor.elem_type) if tensor.elem_type else None
        if not tensor.HasField("shape"):
            return Place(proto.name, dtype)
        if len(tensor.shape.dim) > MOST_AXES:
            raise FormatError(f"{proto.name!r} has {len(tensor.shape.dim)} axes, more than {MOST_AXES}")
        # some exporters write -1 or "?" for a size that they do not know
        sizes = tuple((d.dim_value if d.dim_value >= 0 else None) if d.WhichOneof("value") == "dim_value"
                      else d.dim_param if d.dim_param not in ("", "?") else None for d in tensor.shape.dim)
        return Place(proto.name, dtype, sizes)

    # -- nodes ---------------------------------------------------------------------------------------------
    def step(self, proto, scope: _Scope, made: set) -> Step:
        """made: names that have a value in this very graph."""
        self.steps += 1
        if self.steps > _MOST_STEPS:
            raise FormatError(f"the model has more than {_MOST_STEPS} nodes")
        where = f"{proto.op_type} node {proto.name!r}"
        unknown = [n for n in proto.input if n and n not in scope.names]
        if unknown:
            raise FormatError(f"{where} reads {unknown[0]!r}, which nothing before it makes: it is missing, or the "
                              "nodes go in a circle")
        twice = [n for n in proto.output if n and n in made]
        if twice or len({n for n in proto.output if n}) != sum(map(bool, proto.output)):
            raise FormatError(f"{where} makes a value {(twice or list(proto.output))[0]!r} that there is already")
        try:
            step = self.checked(proto, scope)
        except UnsupportedOnnxError as error:
            raise UnsupportedOnnxError(f"{where}: {error}") from error
        except GraphcoreError as error:
            raise FormatError(f"{where}: {error}") from error
        outputs = [n for n in proto.output if n]
        scope.names.update(outputs)
        made.update(outputs)
        return step

    def checked(self, proto, scope: _Scope) -> Step:
        domain = _domain(proto.domain)
        attributes = {}
        for given in proto.attribute:
            if given.name in attributes:
                raise FormatError(f"the attribute {given.name} is given twice")
            value = self.attribute(given, scope)
            if value is not None:
                attributes[given.name] = value
        names = tuple(proto.input), tuple(proto.output)
        if not any(proto.output):
            raise FormatError("it has no outputs")
        if (domain, proto.op_type) in self.functions:
            body = self.function(self.functions[domain, proto.op_type], attributes, scope)
            if len(names[0]) > len(body.inputs) or len(names[1]) > len(body.outputs):
                raise FormatError(f"the function has {len(body.inputs)} inputs and {len(body.outputs)} outputs")
            return Step(proto.name, proto.op_type, *names, {}, body=body)
        if domain not in scope.versions:
            raise FormatError(f"the model does not import the domain {domain!r}")
        entry = table.find(domain, proto.op_type, scope.versions[domain])
        if len(names[0]) < entry.least or entry.most is not None and len(names[0]) > entry.most:
            raise FormatError(f"{len(names[0])} inputs, not {entry.least} to {entry.most or 'any number'}")
        if any(not n for n in names[0][:entry.least]):
            raise FormatError("an input that must be there is left out")
        strange = sorted(set(attributes) - set(entry.attributes) - {"consumed_inputs"})
        if strange:
            raise UnsupportedOnnxError(f"the attribute {strange[0]} is not supported; known are "
                                       f"{', '.join(entry.attributes) or 'none'}")
        missing = [k for k, v in entry.attributes.items() if v is table.REQUIRED and k not in attributes]
        if missing:
            raise FormatError(f"the attribute {missing[0]} is missing")
        attributes.pop("consumed_inputs", None)
        return Step(proto.name, proto.op_type, *names, attributes, entry=entry)

    def attribute(self, proto, scope: _Scope):
        """The value of an attribute; None for a reference to one that was not given."""
        if proto.ref_attr_name:
            return scope.attributes.get(proto.ref_attr_name)
        kind = proto.type
        if kind == 1:
            return float(proto.f)
        if kind == 2:
            return int(proto.i)
        if kind == 3:
            return proto.s.decode("utf-8")
        if kind == 4:
            return tensor_of(proto.t, self.folder, self.most)
        if kind == 5:
            return self.graph(proto.g, scope.inner())
        if kind == 6:
            return [float(v) for v in proto.floats]
        if kind == 7:
            return [int(v) for v in proto.ints]
        if kind == 8:
            return [v.decode("utf-8") for v in proto.strings]
        raise UnsupportedOnnxError(f"the attribute {proto.name} is of a kind ({kind}) that is not supported")

    def function(self, proto, attributes: dict, scope: _Scope) -> Graph:
        """The body of a function that the model defines, for one call."""
        inner = scope.inner()
        given = {a.name: self.attribute(a, scope) for a in proto.attribute_proto} | attributes
        inner.names, inner.versions = set(proto.input), _versions(proto.opset_import)
        inner.attributes = given
        steps_of = set(proto.input)
        steps = tuple(self.step(node, inner, steps_of) for node in proto.node)
        if any(n not in inner.names for n in proto.output):
            raise FormatError(f"the function {proto.name} does not make all of its outputs")
        return Graph(proto.name, tuple(map(Place, proto.input)), tuple(map(Place, proto.output)), {}, steps)


def _domain(name: str) -> str:
    return "" if name in _DEFAULT_DOMAINS else name


def _versions(imports) -> dict:
    return {_domain(o.domain): o.version for o in imports}
