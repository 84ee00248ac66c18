"""``graphcore compile TARGET``: a net as a shared library with a C header, compiled ahead of time."""
from __future__ import annotations

import argparse
import os

from graphcore.cli import mindspore_hook, targets
from graphcore.cli.errors import UsageError

HELP = "compile a net ahead of time to a shared library"
EXAMPLES = """\
TARGET is FILE.py:NAME, where NAME is a Cell, a Cell class, or a function that makes one; a FILE.gir that export wrote;
or an ONNX model, whose open sizes stay open unless --input says otherwise.
The folder gets NAME.so, NAME.h and manifest.json. C programs include the header and link with the library; in
Python, graphcore.load(FOLDER) gives a function of tensors. Sizes may be names, as in f32[N,1,8,8]: any N will do then.

examples:
  graphcore compile net.py:Net --input 'f32[1,1,8,8]' -o build
  graphcore compile net.py:Net --input 'f32[N,1,8,8]' --ckpt trained.ckpt --name net -o build
  graphcore compile net.py:make_net --input 'i32[1,128]' --weights beside --level 3 -o build
  graphcore compile model.onnx -o build"""


def add_parser(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="TARGET", help="the net: FILE.py:NAME, FILE.gir or MODEL.onnx")
    parser.add_argument("--input", dest="inputs", metavar="TYPE", action="append", default=[],
                        help="the type of an argument of construct; repeat it for each, in order")
    parser.add_argument("--ckpt", metavar="FILE", help="the Parameters' values (.ckpt or .safetensors)")
    parser.add_argument("--name", default="model", help="what files and C functions are called (default: model)")
    parser.add_argument("--weights", choices=("inside", "beside"), default="inside",
                        help="in the library, or in a safetensors file that can be exchanged (default: inside)")
    parser.add_argument("--level", dest="levels", type=int, choices=(2, 3, 4), action="append",
                        help="an x86-64 level to compile for; repeat it for several (default: all)")
    parser.add_argument("--no-threads", action="store_true", help="leave the thread pool out of the library")
    parser.add_argument("-o", "--output", metavar="DIR", required=True, help="the folder to write")
    parser.add_argument("--traceback", action="store_true", help="show the whole traceback of an error")


def run(options: argparse.Namespace) -> int:
    """Compile and write; prints the files.  Raises UsageError, and what loading, capture and compiling raise."""
    from graphcore.aot.bundle import write_bundle
    if options.target.endswith(".gir"):
        exported = _from_file(options)
    elif options.target.endswith(".onnx"):
        exported = _from_onnx(options)
    else:
        exported = _from_python(options)
    try:
        written = write_bundle(options.output, options.name, exported, options.weights,
                               tuple(options.levels or (2, 3, 4)), not options.no_threads)
    except OSError as error:
        raise UsageError(f"the folder {options.output} cannot be written: {error.strerror}") from error
    for path in written.files:
        print(f"{path}  {path.stat().st_size:,} bytes")
    for level in written.manifest.levels:
        print(f"{level['name']}: {level['kernels']} kernels, {level['code_bytes']:,} bytes of objects, "
              f"{level['arena_bytes']:,} bytes of memory for a run{' of size 1' * bool(written.manifest.symbols)}")
    return 0


def _from_python(options: argparse.Namespace):
    from graphcore.train.exporting import exported_graph
    types = [targets.parse_input(text) for text in options.inputs]
    mindspore_hook.install()
    name = options.target.rpartition(":")[2]
    net, is_cell = targets.make_callable(targets.load_target(options.target), name)
    targets.check_inputs(net.construct if is_cell else net, types, f"{name}.construct" if is_cell else name)
    if options.ckpt:
        _load_weights(net, is_cell, options.ckpt)
    return exported_graph(net, types)


def _from_file(options: argparse.Namespace):
    from graphcore.files.gir import read_graph
    if options.inputs or options.ckpt:
        raise UsageError("a .gir file has its types and its weights beside it; leave out --input and --ckpt")
    if not os.path.isfile(options.target):
        raise UsageError(f"there is no file {options.target!r}")
    return read_graph(options.target)


def _from_onnx(options: argparse.Namespace):
    from graphcore.cli.import_model import input_types
    from graphcore.onnx import import_onnx
    from graphcore.train.exporting import exported_graph
    if not os.path.isfile(options.target):
        raise UsageError(f"there is no file {options.target!r}")
    net = import_onnx(options.target)
    if options.ckpt:
        _load_weights(net, True, options.ckpt)
    return exported_graph(net, [targets.parse_input(text) for text in options.inputs] or input_types(net, {}))


def _load_weights(net, is_cell: bool, path: str) -> None:
    from graphcore.train import load_checkpoint, load_param_into_net
    if not is_cell:
        raise UsageError("--ckpt: only a Cell has Parameters to load")
    missing, _ = load_param_into_net(net, load_checkpoint(path, format="safetensors" if path.endswith(".safetensors")
                                                          else "ckpt"))
    if missing:
        raise UsageError(f"--ckpt: {path} lacks {', '.join(missing[:5])}" + (" ..." if len(missing) > 5 else ""))
