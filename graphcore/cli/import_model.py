"""``graphcore import MODEL.onnx``: what an ONNX model takes, gives and holds; converted on demand."""
from __future__ import annotations

import argparse
import os

from graphcore.cli.errors import UsageError
from graphcore.ir.dims import Dim
from graphcore.ir.types import TensorType

HELP = "show an ONNX model, or convert it"
EXAMPLES = """\
Without -o the inputs, outputs and Parameters are printed. OUT ending in .gir makes a graph that graphcore.load reads,
in .onnx another ONNX model; any other OUT is the folder of a library that is compiled ahead of time (see graphcore
compile). Sizes that the model leaves open stay open, but a .gir needs all of them.

examples:
  graphcore import model.onnx
  graphcore import model.onnx --size batch=1 -o model.gir
  graphcore import model.onnx -o build"""


def add_parser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL.onnx", help="the file")
    parser.add_argument("--size", dest="sizes", metavar="NAME=N", action="append", default=[],
                        help="the value of a size that the model names; repeat it for each")
    parser.add_argument("-o", "--output", metavar="OUT", help="a .gir or .onnx file, or a folder, to write")
    parser.add_argument("--traceback", action="store_true", help="show the whole traceback of an error")


def run(options: argparse.Namespace) -> int:
    """Import, print, convert.  Raises UsageError, and what importing and exporting raise."""
    from graphcore.onnx import import_onnx
    sizes = dict(map(_size, options.sizes))
    if not os.path.isfile(options.model):
        raise UsageError(f"there is no file {options.model!r}")
    net = import_onnx(options.model)
    for kind, places in (("input", net.model.inputs), ("output", net.model.outputs)):
        for place in places:
            print(f"{kind:<9} {place.name}  {place}")
    parameters = list(net.get_parameters())
    for parameter in parameters:
        print(f"parameter {parameter.name}  {parameter.type_}")
    print(f"{len(net.model.steps)} nodes, {len(parameters)} Parameters of {sum(p.size for p in parameters):,} elements")
    if options.output:
        _convert(net, sizes, options.output)
    return 0


def _size(text: str) -> tuple:
    name, equals, number = text.partition("=")
    if not equals or not number.isdecimal() or not int(number):
        raise UsageError(f"--size {text!r}: write NAME=N with a number of at least 1")
    return name, int(number)


def _convert(net, sizes: dict, output: str) -> None:
    from graphcore.train import export
    types = input_types(net, sizes)
    name, ending = os.path.splitext(output)
    open_sizes = sorted({str(s) for t in types for s in t.shape if isinstance(s, Dim)})
    if ending == ".gir" and open_sizes:
        raise UsageError(f"a .gir needs the sizes {', '.join(open_sizes)}; give --size {open_sizes[0]}=1")
    formats = {".gir": "GIR", ".onnx": "ONNX"}
    export(net, *types, file_name=name if ending in formats else output, file_format=formats.get(ending, "SO"))
    print(f"wrote {output}")


def input_types(net, sizes: dict) -> list[TensorType]:
    """The types of an imported model's inputs, with the values that are given for sizes that it leaves open.

    Raises UsageError for an input of which the model does not say what it is.
    """
    return [_type(place, sizes) for place in net.model.inputs]


def _type(place, sizes: dict) -> TensorType:
    """The type of an input; sizes that are neither known nor given are symbols."""
    if place.dtype is None or place.sizes is None:
        raise UsageError(f"the model does not say of what type or shape its input {place.name} is; say it by "
                         "graphcore compile --input")
    found = []
    for axis, size in enumerate(place.sizes):
        name = size if isinstance(size, str) else f"{place.name}_{axis}"
        found.append(size if isinstance(size, int) else sizes.get(name) or Dim.symbol(_symbol(name)))
    return TensorType(place.dtype, tuple(found))


def _symbol(name: str) -> str:
    return "".join(c if c.isalnum() and c.isascii() else "_" for c in name).lstrip("_0123456789") or "n"
