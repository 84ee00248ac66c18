"""``graphcore graph TARGET --format dot``: a drawing of the graph, for papers and for Netron."""
from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys

from graphcore.cli import selection, subject
from graphcore.cli.dump import usual_stage
from graphcore.cli.errors import UsageError
from graphcore.ir.drawing import dot_text

HELP = "draw the graph of a net as dot, svg, png or onnx"
EXAMPLES = subject.TARGETS + """

dot is written by graphcore alone; svg and png need the program `dot` of Graphviz.  onnx is for viewers such as Netron:
nodes have graphcore's operators (domain "graphcore"), weights are inputs without data; it needs graphcore[onnx].

examples:
  graphcore graph net.py:Net --input 'f32[64,1,8,8]'
  graphcore graph net.py:Net --input 'f32[64,1,8,8]' --format dot --stage final -o net.dot"""

_FORMATS = ("dot", "svg", "png", "onnx")


def add_parser(parser: argparse.ArgumentParser) -> None:
    subject.add_arguments(parser)
    parser.add_argument("--format", choices=_FORMATS, help="default: by the name of the file, else dot")
    parser.add_argument("--stage", metavar="NAME", help="the stage to draw; `graphcore passes` lists them")
    parser.add_argument("--cells", type=int, default=None, metavar="N",
                        help="draw Cells that lie N deep as one node each")
    parser.add_argument("-o", "--output", metavar="FILE", help="where to write it; dot and svg else to standard output")


def run(options: argparse.Namespace) -> int:
    """Write the drawing.  Raises UsageError, and whatever the user's file raises."""
    kind = options.format or _by_name(options.output)
    if kind in ("png", "onnx") and not options.output:
        raise UsageError(f"--format {kind}: name a file for it with -o")
    if options.cells is not None and options.cells < 1:
        raise UsageError("--cells: at least 1")
    compilation = subject.open_subject(options).compilation()
    graph = selection.stage_named(compilation, options.stage or usual_stage(options)).graph
    if kind == "onnx":
        from graphcore.onnx.drawing import drawing
        content = drawing(graph).SerializeToString()
    else:
        content = dot_text(graph, options.cells).encode()
        if kind != "dot":
            content = _drawn(content, kind)
    if options.output:
        with open(options.output, "wb") as file:
            file.write(content)
        print(options.output)
    else:
        sys.stdout.write(content.decode())
    return 0


def _by_name(path: str | None) -> str:
    ending = os.path.splitext(path or "")[1].lstrip(".").lower()
    return ending if ending in _FORMATS else "dot"


def _drawn(text: bytes, kind: str) -> bytes:
    """The picture that Graphviz makes of a drawing.  Raises UsageError where it is not installed."""
    program = shutil.which("dot")
    if program is None:
        raise UsageError(f"--format {kind} needs the program `dot` of Graphviz, which is not installed "
                         "(apt install graphviz, brew install graphviz); --format dot needs nothing")
    done = subprocess.run([program, f"-T{kind}"], input=text, capture_output=True)
    if done.returncode:
        raise UsageError(f"dot failed: {done.stderr.decode(errors='replace').strip().splitlines()[-1]}")
    return done.stdout
