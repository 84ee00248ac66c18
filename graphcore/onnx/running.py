"""Running a model's steps with graphcore's operators: at once, or into the graph that is being captured.

What depends on constants alone is computed while the graph is captured, so shapes that models compute are numbers.
"""
from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

from graphcore.capture.trace import current_trace, no_trace
from graphcore.dtype import DType, int64
from graphcore.errors import CaptureError, FormatError, GraphcoreError
from graphcore.onnx.model import Graph, Step
from graphcore.onnx.package import UnsupportedOnnxError
from graphcore.onnx.sizes import on_sizes
from graphcore.onnx.values import is_known, is_sizes, numbers_of, tensor_of
from graphcore.ops import functional as F
from graphcore.tensor import Tensor

# What a function of the table may raise for a model that makes no sense; other exceptions are for the capture.
_FAULTS = (GraphcoreError, ValueError, TypeError, IndexError, KeyError, ArithmeticError, MemoryError, AttributeError)


@dataclass(frozen=True)
class Run:
    """One run of a model.  weights: id of a graph -> its constants that are Parameters, by name."""

    weights: dict

    def graph(self, graph: Graph, inputs: Sequence, outer: dict | None = None) -> list:
        """The outputs of a graph.

        outer: values by name that its steps may read besides its own inputs and constants; unchanged.
        Raises FormatError that names the node for a model that makes no sense with these inputs.
        """
        if len(inputs) != len(graph.inputs):
            raise FormatError(f"the graph {graph.name!r} takes {len(graph.inputs)} inputs, got {len(inputs)}")
        values = {**(outer or {}), **graph.constants, **self.weights.get(id(graph), {})}
        values.update((place.name, value) for place, value in zip(graph.inputs, inputs))
        for step in graph.steps:
            for name, value in zip(step.outputs, self.step(step, values)):
                if name:
                    values[name] = value
        return [values[place.name] for place in graph.outputs]

    def step(self, step: Step, values: dict) -> Sequence:
        """The outputs of one node, as many as it names or more.  Raises FormatError with its name."""
        trace = current_trace()
        try:
            with trace.scope(step.name) if trace is not None and step.name else nullcontext():
                results = self._computed(step, [values[n] if n else None for n in step.inputs], values)
        except (CaptureError, UnsupportedOnnxError) as error:
            raise UnsupportedOnnxError(f"{step}: {error}") from error
        except _FAULTS as error:
            raise FormatError(f"{step}: {error or type(error).__name__}") from error
        if len(results) < len(step.outputs):
            raise UnsupportedOnnxError(f"{step}: the output {step.outputs[len(results)]!r} is not supported, only the "
                                       f"first {len(results)}")
        return results

    def _computed(self, step: Step, given: list, values: dict) -> Sequence:
        if step.body is not None:
            return self.graph(step.body, given + [None] * (len(step.body.inputs) - len(given)))
        entry = step.entry
        if any(map(is_sizes, given)):
            if all(map(is_known, given)):
                result = on_sizes(step.op, [numbers_of(v) for v in given], step.attributes)
                if result is not None:
                    return (result,)
            given = [v if i in entry.numbers else tensor_of(v) for i, v in enumerate(given)]
        arguments = [numbers_of(v) if i in entry.numbers else v for i, v in enumerate(given)]
        special = {}
        if "outputs" in entry.special:
            special["outputs"] = len(step.outputs)
        if "dtype_of_first" in entry.special:
            special["dtype_of_first"] = int64 if is_sizes(given[0]) else given[0].dtype
        if "scope" in entry.special:
            special["scope"] = Scope(self, values)
        with no_trace() if self._is_constant(entry, given) else nullcontext():
            result = entry.function(*arguments, **step.attributes, **special)
        return result if isinstance(result, tuple) else (result,)

    @staticmethod
    def _is_constant(entry, given: list) -> bool:
        """Whether a node's outputs are to be computed while the graph is captured."""
        trace = current_trace()
        return (trace is not None and trace.symbolic and not entry.random and "scope" not in entry.special
                and all(map(is_known, given)) and not any(map(is_sizes, given)))


@dataclass(frozen=True)
class Scope:
    """What a step with subgraphs can see."""

    run_of: Run
    values: dict

    def run(self, graph: Graph, inputs: Sequence) -> list:
        """The outputs of a subgraph."""
        return self.run_of.graph(graph, inputs, self.values)


def as_output(value, dtype: DType | None) -> Tensor:
    """A value that leaves the model, of the dtype that the model gives it; None: of its own.

    Raises UnsupportedOnnxError for what is no tensor.
    """
    if is_sizes(value):
        value = F.cast(tensor_of(value), dtype or int64)
    if not isinstance(value, Tensor):
        raise UnsupportedOnnxError("a model gives tensors only, this output is a sequence or left out")
    return value
