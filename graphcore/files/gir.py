"""Exported nets: ``NAME.gir`` is the text of the graph, ``NAME.ckpt`` the Parameters, beside it."""
from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from graphcore.errors import FormatError, IRError
from graphcore.files.atomic import atomic_write
from graphcore.files.ckpt import read_ckpt, write_ckpt
from graphcore.ir.graph import Graph, graphs_of
from graphcore.ir.parser import parse_graph
from graphcore.ir.printer import print_graph
from graphcore.ir.types import TensorType, TupleType
from graphcore.ir.verifier import verify
from graphcore.ops.record import REGISTRY

SUFFIX = ".gir"
_RESULT = "# result: "       # a comment line with the nest of the results: numbers of outputs in lists
_LONGEST_RESULT = 1 << 16    # characters of it
_DEEPEST_RESULT = 32


@dataclass(frozen=True)
class GraphFile:
    """A net that was exported.

    graph: without effects; its params are leaves by name.  values: name -> what a Parameter holds.
    result: the number of an output, or nested lists of them.  names: of the outputs, where the net says them.
    """

    graph: Graph
    values: dict
    result: object
    names: tuple = ()


def write_graph(path: str | os.PathLike, contents: GraphFile) -> None:
    """Write both files, each in one step.  Raises OSError where that cannot be."""
    path = Path(path)
    if contents.values:
        write_ckpt(path.with_suffix(".ckpt"), contents.values)
    text = f"{_RESULT}{json.dumps(contents.result)}\n{print_graph(contents.graph)}"
    with atomic_write(path) as file:
        file.write(text.encode())


def read_graph(path: str | os.PathLike) -> GraphFile:
    """Read both files.  Raises FormatError for what is no exported net, FileNotFoundError where a file is missing.

    The files may come from anywhere: the types of all values are computed again by the operators' rules, and
    nothing that calls back to Python is let in, so what is read can be run.
    """
    path = Path(path)
    try:
        first, _, text = path.read_text(encoding="utf-8").partition("\n")
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is no exported net: it is not text") from error
    if not first.startswith(_RESULT):
        raise FormatError(f"{path} is no exported net: its first line is not {_RESULT!r}...")
    graph = parse_graph(text)
    try:
        check_exported(graph)
        result = _result(first[len(_RESULT):], len(graph.outputs))
    except (IRError, FormatError) as error:
        raise FormatError(f"{path} is no exported net: {error}") from None
    values = read_ckpt(path.with_suffix(".ckpt")) if graph.params else {}
    _check_values(path, graph, values)
    return GraphFile(graph, values, result)


def check_exported(graph: Graph) -> None:
    """Raise IRError or FormatError unless a graph keeps the rules of the IR and is what `export` writes: tensors of
    known sizes from tensors of known sizes, without effects."""
    verify(graph)
    if graph.updates or graph.effects:
        raise FormatError("it changes Parameters or has other effects")
    if any(not isinstance(output.type, TensorType) for output in graph.outputs):
        raise FormatError("it returns something else than tensors")
    _check_nodes(graph)


def _check_nodes(graph: Graph) -> None:
    for node in graph.nodes:
        if node.op in ("host_call", "hook"):
            raise FormatError(f"it holds a {node.op}, which stands for a Python function that is not in the file")
        if node.op in REGISTRY and REGISTRY[node.op].kind == "collective":
            raise FormatError(f"it holds {node.op}, an exchange with other processes, whose number a file cannot know")
        if not _is_known(node.type):
            raise FormatError(f"it holds a value of the type {node.type}; exported nets have tensors of known sizes")
        for inner in graphs_of(node).values():
            _check_nodes(inner)


def _is_known(type_) -> bool:
    return (all(map(_is_known, type_.items)) if isinstance(type_, TupleType)
            else isinstance(type_, TensorType) and type_.is_static)


def _result(text: str, outputs: int):
    """The nest of numbers of outputs that the first line holds.  Raises FormatError."""
    depth = accumulate((character == "[") - (character == "]") for character in text[:_LONGEST_RESULT])
    if (len(text) > _LONGEST_RESULT or max(depth, default=0) > _DEEPEST_RESULT
            or re.search(r"[^0-9 ,\[\]]|[0-9]{7}", text)):
        raise FormatError("its first line is no list of numbers")
    try:
        nest = json.loads(text)
    except ValueError as error:
        raise FormatError(f"its first line is damaged: {error}") from None
    if any(number >= outputs for number in _numbers(nest)):
        raise FormatError(f"its first line names more than the {outputs} results of the graph")
    return nest


def _numbers(nest) -> Iterator[int]:
    if isinstance(nest, list):
        for part in nest:
            yield from _numbers(part)
    else:
        yield nest


def _check_values(path: Path, graph: Graph, values: dict) -> None:
    """Raise FormatError unless the values have the types of the graph's Parameters."""
    beside = path.with_suffix(".ckpt")
    missing = [name for name in graph.params if name not in values]
    if missing:
        raise FormatError(f"{beside} lacks the Parameters {', '.join(missing)} of {path.name}")
    for name, leaf in graph.params.items():
        stored = values[name]
        found = "a string" if isinstance(stored, str) else TensorType(stored.dtype, stored.shape)
        if found != leaf.type:
            raise FormatError(f"{beside} has {found} for the Parameter {name}, but {path.name} says {leaf.type}")
