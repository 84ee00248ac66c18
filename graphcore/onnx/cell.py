"""OnnxCell: an ONNX model as a Cell."""
from __future__ import annotations

import re

import numpy as np

from graphcore import context
from graphcore.capture.trace import current_trace
from graphcore.errors import DTypeError, ShapeError, shown
from graphcore.nn.cell import Cell
from graphcore.onnx.model import Graph, read_model
from graphcore.onnx.running import Run, as_output
from graphcore.ops.budget import limited
from graphcore.parameter import Parameter
from graphcore.parameter_tuple import ParameterTuple
from graphcore.tensor import Tensor

MOST_ELEMENTS = 1 << 31
# operators whose inputs at these positions are kept by the model, not trained
_KEPT = {"BatchNormalization": (3, 4)}


def import_onnx(source, max_elements: int = MOST_ELEMENTS) -> OnnxCell:
    """A Cell that computes what an ONNX model computes; called with the model's inputs in order.

    source: the path of a ``.onnx`` file, or its bytes (then without external data).
    max_elements: the most elements that any tensor of the model, or made by it, may have.
    Needs the package onnx.  Raises FormatError for a file that is damaged or makes no sense, UnsupportedOnnxError (a
    FormatError and NotImplementedError) for what graphcore has not, naming operator, node and attribute.
    """
    return OnnxCell(read_model(source, max_elements), max_elements)


class OnnxCell(Cell):
    """What `import_onnx` gives.

    Floating-point initialisers with at least one axis are Parameters under the model's names (characters other than
    letters, digits, ``_`` and ``.`` become ``_``); all others are constants.  Inputs that decide shapes are constants
    of a compiled program: other values make another program.
    """

    def __init__(self, model: Graph, max_elements: int = MOST_ELEMENTS):
        super().__init__()
        self.model, self.max_elements = model, max_elements
        self.sources = []               # the graph and name behind each Parameter
        parameters, taken = [], set()
        self._variadic_names = tuple(_valid_name(place.name, taken) for place in model.inputs)
        self._result_names = tuple(place.name for place in model.outputs)
        for graph in model.all_graphs():
            uses = _uses(graph)
            for name, value in graph.constants.items():
                kinds = uses.get(name, {"data"})
                if value.dtype.is_float and value.ndim and kinds != {"number"}:
                    parameters.append(Parameter(value, name=_valid_name(name, taken),
                                                requires_grad="kept" not in kinds))
                    self.sources.append((graph, name))
        self.weights = ParameterTuple(parameters)
        uses = _uses(model)
        self._static = tuple(i for i, place in enumerate(model.inputs) if "number" in uses.get(place.name, ()))

    def extend_repr(self) -> str:
        """The model's inputs and outputs."""
        inputs, outputs = (", ".join(f"{place.name}: {place}" for place in places)
                           for places in (self.model.inputs, self.model.outputs))
        return f"{inputs} -> {outputs}"

    def __call__(self, *inputs):
        if current_trace() is None and self._static and context.settings["mode"] == context.GRAPH_MODE:
            inputs = tuple(_frozen(x) if i in self._static else x for i, x in enumerate(inputs))
        return super().__call__(*inputs)

    def construct(self, *inputs):
        places = self.model.inputs
        if len(inputs) != len(places):
            raise ShapeError(f"the model takes {len(places)} inputs ({', '.join(p.name for p in places)}), got "
                             f"{len(inputs)}")
        given = [_argument(place, value) for place, value in zip(places, inputs)]
        weights = {}
        for (graph, name), weight in zip(self.sources, self.weights):
            weights.setdefault(id(graph), {})[name] = weight
        with limited(self.max_elements):
            outputs = Run(weights).graph(self.model, given)
        results = tuple(as_output(value, place.dtype) for value, place in zip(outputs, self.model.outputs))
        return results[0] if len(results) == 1 else results


def _uses(graph: Graph) -> dict:
    """name -> how the steps of a graph, and those of graphs within, use it: a set of 'number', 'kept' and 'data'.

    Names that a graph within makes itself are its own.
    """
    uses: dict = {}
    for step in graph.steps:
        for position, name in enumerate(step.inputs):
            if step.entry is not None and position in step.entry.numbers:
                kind = "number"
            else:
                kind = "kept" if position in _KEPT.get(step.op, ()) else "data"
            uses.setdefault(name, set()).add(kind)
        for inner in step.attributes.values():
            if isinstance(inner, Graph):
                own = {p.name for p in inner.inputs} | inner.constants.keys()
                own |= {name for s in inner.steps for name in s.outputs}
                for name, kinds in _uses(inner).items():
                    if name not in own:
                        uses.setdefault(name, set()).update(kinds)
    return uses


def _valid_name(name: str, taken: set) -> str:
    base = re.sub(r"[^A-Za-z0-9_.]", "_", name).strip(".") or "weight"
    found, number = base, 1
    while found in taken:
        found, number = f"{base}_{number}", number + 1
    taken.add(found)
    return found


def _frozen(value):
    """A Tensor as nested tuples of numbers: a constant to the capture, by value."""
    def tuples(nested):
        return tuple(map(tuples, nested)) if isinstance(nested, list) else nested
    return tuples(value._values().tolist()) if isinstance(value, Tensor) else value


def _argument(place, value) -> Tensor:
    """An input of the model, checked against what the model says of it."""
    if not isinstance(value, Tensor):
        if not isinstance(value, (tuple, list, int, float, bool, np.ndarray, np.generic)):
            raise DTypeError(f"the input {place.name} must be a Tensor, got {shown(value)}")
        value = Tensor(np.asarray(value, None if place.dtype is None else place.dtype.storage), place.dtype)
    if place.dtype is not None and value.dtype is not place.dtype:
        raise DTypeError(f"the input {place.name} must be {place.dtype.name}, got {value.dtype.name}; convert it with "
                         ".astype")
    if place.sizes is not None:
        fits = len(place.sizes) == value.ndim and all(
            not isinstance(s, int) or s == n or not isinstance(n, int) for s, n in zip(place.sizes, value.shape))
        if not fits:
            raise ShapeError(f"the input {place.name} must have the shape ({', '.join(map(str, place.sizes))}), got "
                             f"{value.shape}")
    return value
