"""Exported nets: ``NAME.gir`` is the text of the graph, ``NAME.ckpt`` the Parameters, beside it."""
from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from graphcore.errors import FormatError
from graphcore.files.atomic import atomic_write
from graphcore.files.ckpt import read_ckpt, write_ckpt
from graphcore.ir.graph import Graph
from graphcore.ir.parser import parse_graph
from graphcore.ir.printer import print_graph

SUFFIX = ".gir"
_RESULT = "# result: "       # a comment line with the nest of the results: numbers of outputs in lists


@dataclass(frozen=True)
class GraphFile:
    """A net that was exported.

    graph: without effects; its params are leaves by name.  values: name -> what a Parameter holds.
    result: the number of an output, or nested lists of them.
    """

    graph: Graph
    values: dict
    result: object


def write_graph(path: str | os.PathLike, contents: GraphFile) -> None:
    """Write both files, each in one step.  Raises OSError where that cannot be."""
    path = Path(path)
    if contents.values:
        write_ckpt(path.with_suffix(".ckpt"), contents.values)
    text = f"{_RESULT}{json.dumps(contents.result)}\n{print_graph(contents.graph)}"
    with atomic_write(path) as file:
        file.write(text.encode())


def read_graph(path: str | os.PathLike) -> GraphFile:
    """Read both files.  Raises FormatError for what is no exported net, FileNotFoundError where a file is missing."""
    path = Path(path)
    try:
        first, _, text = path.read_text(encoding="utf-8").partition("\n")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is no exported net: it is not text") from error
    if not first.startswith(_RESULT):
        raise FormatError(f"{path} is no exported net: its first line is not {_RESULT!r}...")
    graph = parse_graph(text)
    values = read_ckpt(path.with_suffix(".ckpt")) if graph.params else {}
    missing = [name for name in graph.params if name not in values]
    if missing:
        raise FormatError(f"{path.with_suffix('.ckpt')} lacks the Parameters {', '.join(missing)} of {path.name}")
    return GraphFile(graph, values, json.loads(first[len(_RESULT):]))
