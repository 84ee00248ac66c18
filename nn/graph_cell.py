"""GraphCell: an exported net as a Cell."""
from __future__ import annotations

from graphcore.capture.trace import current_trace
from graphcore.files.gir import GraphFile
from graphcore.ir.graph import substitute
from graphcore.nn.cell import Cell
from graphcore.ops.evaluate import interpret
from graphcore.parameter import Parameter
from graphcore.parameter_tuple import ParameterTuple
from graphcore.tensor import Tensor

__all__ = ["GraphCell"]


class GraphCell(Cell):
    """Runs a graph that ``load`` has read; its Parameters can be trained.

    graph: what `load` gives.  params_init: name -> Tensor, other values for Parameters.
    Called with inputs of the shapes and dtypes that it was exported with; gives what the exported net gave.
    Raises TypeError for another `graph`, ValueError for unknown names and for inputs that do not fit.
    """

    def __init__(self, graph, params_init=None, obf_random_seed=None):
        super().__init__(auto_prefix=True)
        if not isinstance(graph, GraphFile):
            raise TypeError(f"GraphCell runs what load() gives, got a {type(graph).__name__}")
        if obf_random_seed is not None:
            raise NotImplementedError("GraphCell: obfuscated models are MindSpore's own; export the net without it")
        params_init = params_init or {}
        unknown = sorted(set(params_init) - set(graph.values))
        if unknown:
            raise ValueError(f"GraphCell: the graph has no Parameters {', '.join(unknown)}; it has "
                             f"{', '.join(graph.values)}")
        self.graph, self.result = graph.graph, graph.result
        self.names = tuple(name for name in graph.values if name in graph.graph.params)
        self.weights = ParameterTuple([
            Parameter(params_init[name] if name in params_init else graph.values[name].to_tensor(), name=name)
            for name in self.names])

    def construct(self, *inputs):
        return _arranged(self.result, run_graph(self.graph, inputs, dict(zip(self.names, self.weights))))


def run_graph(graph, inputs, parameters) -> list:
    """The outputs of a graph on Tensors: recorded where a trace is active, computed otherwise."""
    if len(inputs) != len(graph.inputs):
        raise ValueError(f"the graph has {len(graph.inputs)} inputs, but got {len(inputs)}")
    for leaf, value in zip(graph.inputs, inputs):
        if (value.dtype, tuple(value.shape)) != (leaf.dtype, leaf.shape):
            raise ValueError(f"input {leaf.name} was exported as {leaf.type}, but got {value.dtype} of shape "
                             f"{value.shape}; export again for inputs of this type")
    for name, leaf in graph.params.items():
        weight = parameters[name]
        if (weight.dtype, tuple(weight.shape)) != (leaf.dtype, leaf.shape):
            raise ValueError(f"the Parameter {name} was exported as {leaf.type}, but is {weight.dtype} of shape "
                             f"{weight.shape}; the graph computes with this type alone")
    trace = current_trace()
    if trace is None:
        leaves = {leaf: value._array for leaf, value in zip(graph.inputs, inputs)}
        leaves |= {leaf: parameters[name].materialized()._array for name, leaf in graph.params.items()}
        values = interpret(graph, leaves)
        return [Tensor._wrap(values[output], output.dtype) for output in graph.outputs]
    new = {leaf: trace.node_of(value) for leaf, value in zip(graph.inputs, inputs)}
    new |= {leaf: trace.node_of(parameters[name]) for name, leaf in graph.params.items()}
    return [trace.record(node) for node in substitute(graph.outputs, new, trace.origins)]


def _arranged(result, outputs):
    return tuple(_arranged(part, outputs) for part in result) if isinstance(result, list) else outputs[result]
