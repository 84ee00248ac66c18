"""export: a net's graph and weights as files."""
from __future__ import annotations

import os

from graphcore.capture.compiled import capture_call
from graphcore.capture.language.nests import Slot
from graphcore.errors import GraphcoreError
from graphcore.files.gir import SUFFIX, GraphFile, write_graph
from graphcore.files.stored import StoredTensor
from graphcore.ir.dims import Dim
from graphcore.ir.types import TensorType
from graphcore.nn.cell import Cell
from graphcore.random import key_parameter
from graphcore.tensor import Tensor

__all__ = ["export"]

_ELSEWHERE = {"MINDIR": "MindSpore's own graph files", "AIR": "files for Ascend devices"}
_FORMATS = ("GIR", "SO", "ONNX")


class ExportError(GraphcoreError, RuntimeError):
    """A net that cannot be written as one graph."""


def export(net, *inputs, file_name: str, file_format: str = "GIR", **kwargs) -> None:
    """Write the inference graph of a net for inputs of these shapes and dtypes, with its Parameters.

    net: a Cell, or a function of Tensors.  inputs: Tensors, or types of them (`ir.types.TensorType`), whose sizes may
    be symbolic; ``Tensor(shape=[None, 3], dtype=...)`` leaves sizes open, one for the first axes of all inputs and one
    for each other axis.  file_format:

    - "GIR" makes ``file_name.gir`` and ``file_name.ckpt``, which `load` reads for ``nn.GraphCell``;
    - "SO" compiles ahead of time: a folder ``file_name`` with a shared library, its C header and a manifest, which
      `load` reads and C programs link with.  Options: name (of the library and its functions, else the folder's),
      weights ("inside" the library or "beside" it as safetensors), levels (of x86-64: (2, 3, 4)), threads (True: the
      library has a thread pool);
    - "ONNX" makes ``file_name.onnx``, for which the package onnx is needed; symbolic sizes keep their names.

    Raises ValueError for an unknown format, NotImplementedError for MindSpore's others ("MINDIR", "AIR") and for an
    operator that has no form in ONNX, ExportError for a net whose graph changes Parameters or calls back to Python.
    """
    if not isinstance(file_name, str):
        raise TypeError(f"For 'export', the argument 'file_name' must be a str, but got {type(file_name).__name__}.")
    if file_format in _ELSEWHERE:
        raise NotImplementedError(
            f"export: graphcore does not write {_ELSEWHERE[file_format]} (file_format={file_format!r}); use "
            "file_format='GIR', which load() and nn.GraphCell read, 'SO' for a compiled library, 'ONNX', or "
            "save_checkpoint for the weights alone")
    if file_format not in _FORMATS:
        raise ValueError(f"For 'export', 'file_format' must be one of {', '.join((*_FORMATS, *_ELSEWHERE))}, "
                         f"but got {file_format!r}.")
    if kwargs and file_format != "SO":
        raise TypeError(f"For 'export', the file format {file_format} has no option {next(iter(kwargs))!r}.")
    exported = exported_graph(net, inputs)
    if file_format == "SO":
        from graphcore.aot.bundle import name_for, write_bundle
        kwargs = {"name": name_for(file_name)} | kwargs
        write_bundle(file_name, exported=exported, **kwargs)
        return
    write, suffix = write_graph, SUFFIX
    if file_format == "ONNX":
        from graphcore.onnx.exporting import SUFFIX as suffix
        from graphcore.onnx.exporting import write_onnx as write
    path = file_name if file_name.endswith(suffix) else file_name + suffix
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    write(path, exported)


def exported_graph(net, inputs) -> GraphFile:
    """The inference graph of a net with its Parameters' values.

    Raises ExportError for a net that a file cannot hold.
    """
    captured = _captured(net, [_opened(x, i) for i, x in enumerate(inputs)])
    graph = captured.graph
    beside = _what_it_does_beside(captured)
    if beside:
        cure = ("Compute with tensors there, or let it be a constant" if captured.asks else
                "Take this out of construct")
        raise ExportError(f"export: the net {' and '.join(beside)} while it runs; a file holds a graph alone. {cure}")
    values = {name: StoredTensor.of(captured.parameters[name].materialized()) for name in graph.params}
    return GraphFile(graph, values, _numbers(captured.structure), getattr(net, "_result_names", ()))


def _what_it_does_beside(captured) -> list[str]:
    """What a captured net does besides computing its outputs, in words."""
    graph, words = captured.graph, []
    if captured.asks:
        [asked] = graph.outputs
        places = [str(origin) for origin in graph.origins.of(asked) if str(origin)]
        return [f"asks Python for the value of a tensor of type {asked.type}, the result of {asked.op}"
                + (f" ({places[0]})" if places else "")]
    changed = [name for name, _ in graph.updates if captured.parameters[name] is not key_parameter()]
    if changed:
        words.append(f"changes the Parameter{'s' * (len(changed) > 1)} {', '.join(changed)}")
    if len(changed) < len(graph.updates):
        words.append("draws random numbers")
    if captured.actions:
        words.append("changes attributes, lists or other Python objects")
    if graph.effects or captured.callbacks:
        labels = ", ".join(sorted({node.attrs["label"] for node in graph.nodes if node.op == "host_call"}))
        words.append("calls Python" + f" ({labels})" * bool(labels))
    return words


def _opened(value, position: int):
    """The type of a Tensor with open sizes; anything else itself."""
    if not isinstance(value, Tensor) or None not in value.shape:
        return value
    return TensorType(value.dtype, tuple(
        Dim.symbol("batch" if axis == 0 else f"size_{position}_{axis}") if size is None else size
        for axis, size in enumerate(value.shape)))


def _captured(net, inputs):
    if not isinstance(net, Cell):
        return capture_call(net, inputs, {}, getattr(net, "__name__", "net"))
    modes = [(cell, cell.training) for _, cell in net.cells_and_names()]
    net.set_train(False)
    try:
        return capture_call(net.construct, inputs, {}, type(net).__name__, net)
    finally:
        for cell, training in modes:
            cell.training = training


def _numbers(structure):
    if isinstance(structure, Slot):
        return structure.index
    if isinstance(structure, (list, tuple)):
        return [_numbers(part) for part in structure]
    raise ExportError(f"export: a net returns Tensors, or tuples and lists of them, not a {type(structure).__name__}")
