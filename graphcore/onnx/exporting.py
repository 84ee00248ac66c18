"""An exported net as an ONNX model."""
from __future__ import annotations

import os
from pathlib import Path

from graphcore import __version__
from graphcore.errors import FormatError
from graphcore.files.atomic import atomic_write
from graphcore.files.gir import GraphFile
from graphcore.ir.dims import Dim
from graphcore.ir.graph import Graph
from graphcore.onnx import export_rules  # noqa: F401  (fills the rules)
from graphcore.onnx.package import onnx_package
from graphcore.onnx.writer import OPSET, OnnxExportError, Writer, tensor_proto, value_info

SUFFIX = ".onnx"
_IR_VERSION = 8
_MOST_BYTES = 2 ** 31 - 2 ** 20         # of a protobuf message, with room for what is not weights


def write_onnx(path: str | os.PathLike, exported: GraphFile) -> None:
    """Write a model of opset 18: Parameters are initialisers under their names, symbolic sizes are named.

    Raises OnnxExportError, naming the operator, for what has no form in ONNX, and for weights of more than 2 GiB;
    MissingPackageError without the package onnx.
    """
    model = onnx_model(exported)
    with atomic_write(Path(path)) as file:
        file.write(model.SerializeToString())


def onnx_model(exported: GraphFile):
    """The ModelProto of an exported net, checked by onnx.checker."""
    onnx, graph = onnx_package(), exported.graph
    total = sum(leaf.type.size * leaf.dtype.itemsize for leaf in graph.params.values())
    if total > _MOST_BYTES:
        raise OnnxExportError(f"the weights have {total / 2 ** 30:.1f} GiB, more than a file of ONNX holds (2 GiB); "
                              "external data is not written")
    writer = Writer()
    inputs = [(leaf, _input_name(leaf, graph)) for leaf in graph.inputs]
    writer.taken |= {name for _, name in inputs} | set(graph.params)
    writer.names.update({leaf: name for leaf, name in inputs} | {leaf: name for name, leaf in graph.params.items()})
    _find_sizes(writer, graph, inputs)
    made = writer.write(graph)
    outputs = []
    for i, (name, node) in enumerate(zip(made, graph.outputs)):
        own = exported.names[i] if exported.names else "output" if len(made) == 1 else f"output_{i}"
        own = own if own not in writer.taken else writer.new_name(own)
        writer.nodes.append(onnx.helper.make_node("Identity", [name], [own], name=f"n_{own}"))
        outputs.append(value_info(onnx.helper, own, node.type))
    initialisers = [tensor_proto(onnx.helper, name, exported.values[name].to_tensor()._array, leaf.dtype)
                    for name, leaf in graph.params.items()]
    initialisers += [proto for _, proto in writer.constants.values()]
    model = onnx.helper.make_model(
        onnx.helper.make_graph(writer.nodes, graph.name, [value_info(onnx.helper, n, leaf.type) for leaf, n in inputs],
                               outputs, initialisers),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)], producer_name="graphcore", producer_version=__version__,
        ir_version=_IR_VERSION)
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise FormatError(f"the exported model does not pass onnx.checker, which is a defect of graphcore: "
                          f"{error}") from error
    return model


def _input_name(leaf, graph: Graph) -> str:
    return leaf.name if leaf.name not in graph.params else f"input_{leaf.name}"


def _find_sizes(writer: Writer, graph: Graph, inputs: list) -> None:
    """The values of symbolic sizes, read from the first input that has each."""
    wanted = set(graph.symbols)
    for leaf, name in inputs:
        for axis, size in enumerate(leaf.shape):
            if isinstance(size, Dim) and str(size) in wanted:
                wanted.discard(str(size))
                writer.symbols[str(size)] = writer.add("Shape", name, start=axis, end=axis + 1, base="size")
    if wanted:
        raise OnnxExportError(f"the sizes {', '.join(sorted(wanted))} are not the size of an axis of any input by "
                              "themselves")
