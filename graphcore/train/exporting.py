"""export and load: a net's graph and weights as files."""
from __future__ import annotations

import os

from graphcore.capture.compiled import capture_call
from graphcore.capture.language.nests import Slot
from graphcore.errors import GraphcoreError
from graphcore.files.gir import SUFFIX, GraphFile, read_graph, write_graph
from graphcore.files.stored import StoredTensor
from graphcore.nn.cell import Cell

__all__ = ["export", "load"]

_ELSEWHERE = {"MINDIR": "MindSpore's own graph files", "AIR": "files for Ascend devices", "ONNX": "ONNX models"}


class ExportError(GraphcoreError, RuntimeError):
    """A net that cannot be written as one graph."""


def export(net, *inputs, file_name: str, file_format: str = "GIR", **kwargs) -> None:
    """Write the inference graph of a net for inputs of these shapes and dtypes, with its Parameters.

    net: a Cell, or a function of Tensors.  file_format: "GIR" makes ``file_name.gir`` and ``file_name.ckpt``,
    which `load` reads.
    Raises ValueError for an unknown format, NotImplementedError for MindSpore's others ("MINDIR", "AIR", "ONNX"),
    ExportError for a net whose graph changes Parameters or calls back to Python.
    """
    if not isinstance(file_name, str):
        raise TypeError(f"For 'export', the argument 'file_name' must be a str, but got {type(file_name).__name__}.")
    if file_format in _ELSEWHERE:
        raise NotImplementedError(
            f"export: graphcore does not write {_ELSEWHERE[file_format]} (file_format={file_format!r}); use "
            "file_format='GIR', which load() and nn.GraphCell read, or save_checkpoint for the weights alone")
    if file_format != "GIR":
        raise ValueError(f"For 'export', 'file_format' must be one of GIR, {', '.join(_ELSEWHERE)}, "
                         f"but got {file_format!r}.")
    captured = _captured(net, inputs)
    graph = captured.graph
    if graph.updates or graph.effects or captured.asks or captured.actions or captured.callbacks:
        raise ExportError("export: the net changes Parameters or attributes, prints, or asks Python for values while "
                          "it runs; a file holds a graph alone. Take these out of construct")
    values = {name: StoredTensor.of(captured.parameters[name]) for name in graph.params}
    path = file_name if file_name.endswith(SUFFIX) else file_name + SUFFIX
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    write_graph(path, GraphFile(graph, values, _numbers(captured.structure)))


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


def load(file_name: str, **kwargs) -> GraphFile:
    """Read what `export` wrote; ``nn.GraphCell(load(name))`` runs it.

    Raises ValueError for a file that is not there or has another ending than ``.gir``, NotImplementedError for
    ``.mindir``, FormatError for a damaged one.
    """
    if str(file_name).endswith(".mindir"):
        raise NotImplementedError("load: graphcore does not read MindSpore's .mindir files; export the net with "
                                  "file_format='GIR', or load its checkpoint")
    if not str(file_name).endswith(SUFFIX):
        raise ValueError(f"For 'load', the file must end with '{SUFFIX}', but got {file_name}.")
    if not os.path.exists(file_name):
        raise ValueError(f"For 'load', the file {file_name} does not exist.")
    return read_graph(file_name)
