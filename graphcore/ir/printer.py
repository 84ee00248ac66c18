"""The text form of graphs.  `parser.parse_graph` reads it back to an equal graph.

::

    graph Net(%x: f32[64,1,8,8]) -> f32[64,10] {
      param conv1.weight: f32[6,1,5,5]
      %1 = conv2d(%x, conv1.weight) {pad=(0,0,0,0), stride=(1,1)} : f32[64,6,4,4]    # conv1  lenet.py:18
      update bn.moving_mean = %9
      effect %12
      return %20
    }
    data @5f0c... zlib { ... }

Inputs are ``%name``, Parameters their bare dotted name, other values numbered in the order of `Graph.nodes`; names with
other characters stand between backticks.  The text depends on the graph alone: no addresses, times or counters.
"""
from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterable

import numpy as np

from graphcore.errors import IRError
from graphcore.ir.graph import Constant, Graph, Node
from graphcore.ir.literal import format_attribute, format_constant, is_inline
from graphcore.ir.types import TensorType

_PLAIN = re.compile(r"[A-Za-z0-9_.]+\Z")
_PLAIN_INPUT = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*\Z")      # a leading digit would read as a numbered value
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
_LEFT_OUT = re.compile(r"\+[0-9]{1,6} more")
_COMMENT_COLUMN = 88
_COMPRESS_FROM = 512
COMPRESSED_BYTES = 1 << 25      # of all compressed constants of a text: a small text must not become a large memory
_SHOWN_ORIGINS = 4


def print_graph(graph: Graph, *, origins: bool = True, data: bool = True) -> str:
    """The text of a graph, ending in a newline.

    origins: end each node's line with a comment that names its Cell and the user's line.
    data: append the contents of the constants that are too long for a line; without them only a reader that has the
    constants can parse the text.  Raises IRError for a graph whose names are ambiguous.
    """
    constants: dict[str, Constant] = {}
    lines = _Writer(constants, origins).graph(graph, graph.name, "")
    if data:
        room = COMPRESSED_BYTES
        for digest, constant in constants.items():
            coding, packed = _packed(constant, room)
            room -= constant.array.nbytes if coding == "zlib" else 0
            body = base64.b64encode(packed).decode()
            lines += [f"data @{digest} {coding} {{", *(body[i:i + 100] for i in range(0, len(body), 100)), "}"]
    return "\n".join(lines) + "\n"


def defining_line(graph: Graph, node: Node) -> str:
    """The line of the text that defines a node, without its indent; of a region only the first line of its graphs."""
    return _Writer({}, origins=True).definition(graph, node, labels(graph), "").partition("\n")[0]


def graph_text(graph: Graph) -> str:
    """The canonical text, without the graph's name, origins and data: equal for equal computations, so fit as a key."""
    return "\n".join(_Writer({}, origins=False).graph(graph, "", "")) + "\n"


def labels(graph: Graph) -> dict[Node, str]:
    """Node → what stands for it as an operand in the text of `graph`.  Raises IRError where names are ambiguous."""
    names: dict[Node, str] = {}
    taken: dict[str, Node] = {}
    for leaf in graph.inputs:
        names[leaf] = "%" + quote(leaf.name, _PLAIN_INPUT)
        if taken.setdefault(names[leaf], leaf) is not leaf or leaf.op != "input":
            raise IRError(f"graph {graph.name}: the input name {leaf.name!r} is not unique")
    if len(set(graph.inputs)) != len(graph.inputs):
        raise IRError(f"graph {graph.name}: an input is listed twice")
    number = 0
    for node in graph.nodes:
        if node.op == "param":
            names[node] = quote(node.name)
            if taken.setdefault(names[node], node) is not node:
                raise IRError(f"graph {graph.name}: the Parameter {node.name!r} has two types: {node.type} and "
                              f"{taken[names[node]].type}")
        elif node.op == "const":
            constant = node.attrs["value"]
            names[node] = (format_constant(constant.array, constant.dtype) if is_inline(constant.array.shape)
                           else "@" + constant.digest)
        elif node.op != "input":
            number += 1
            names[node] = f"%{number}"
        elif node not in names:
            raise IRError(f"graph {graph.name}: %{node.name} is used but is not an input of the graph")
    return names


def quote(name: str, plain=_PLAIN) -> str:
    """A name as it stands in the text: bare, or between backticks with backslash escapes."""
    if plain.match(name):
        return name
    escaped = name.replace("\\", "\\\\").replace("`", "\\`")
    return "`" + _CONTROL.sub(lambda m: f"\\u{ord(m[0]):04x}", escaped) + "`"


def origin_comment(origins: Iterable) -> str:
    """``conv1  lenet.py:18; relu  lenet.py:19``: where a node comes from, on one line."""
    texts = list(dict.fromkeys(_CONTROL.sub("?", str(o)) for o in origins if o.scope or o.file))
    left_out = [t for t in texts if _LEFT_OUT.fullmatch(t)]         # of a text that was read
    texts = [t for t in texts if t not in left_out]
    hidden = max(0, len(texts) - _SHOWN_ORIGINS) + sum(int(t[1:-5]) for t in left_out)
    return "; ".join(texts[:_SHOWN_ORIGINS] + ([f"+{hidden} more"] if hidden else []))


class _Writer:
    """Writes one graph, and the graphs in its attributes, as lines."""

    def __init__(self, constants: dict, origins: bool):
        self.constants = constants
        self.with_origins = origins
        self._types: dict = {}

    def graph(self, graph: Graph, name: str, indent: str) -> list[str]:
        names = labels(graph)
        operand = names.__getitem__
        inner = indent + "  "
        arguments = ", ".join(f"{names[i]}: {self.type(i.type)}" for i in graph.inputs)
        lines = [f"graph {quote(name) if name else ''}({arguments}) -> {self._result(graph)} {{"]
        lines += [f"{inner}param {quote(p)}: {self.type(leaf.type)}" for p, leaf in graph.params.items()]
        for node in graph.nodes:
            if node.op == "const" and names[node][0] == "@":
                self.constants[node.attrs["value"].digest] = node.attrs["value"]
                lines.append(f"{inner}const {names[node]}: {self.type(node.type)}")
        lines += [self.definition(graph, node, names, inner) for node in graph.nodes if not node.is_leaf]
        lines += [f"{inner}update {quote(p)} = {names[value]}" for p, value in graph.updates]
        lines += [f"{inner}effect {names[node]}" for node in graph.effects]
        lines.append(f"{inner}return {', '.join(map(operand, graph.outputs))}".rstrip())
        lines.append(indent + "}")
        return lines

    def definition(self, graph: Graph, node: Node, names: dict, indent: str) -> str:
        """The line (with a region: lines) of a node; for a leaf what the head of the graph says of it."""
        if node.op == "const":
            return f"{indent}const {names[node]}: {self.type(node.type)}"
        if node.is_leaf:
            return f"{indent}{node.op} {names[node]}: {self.type(node.type)}"
        attributes = self._attributes(node.attrs, indent) if node.attrs else ""
        line = (f"{indent}{names[node]} = {node.op}({', '.join(names[i] for i in node.inputs)}){attributes}"
                f" : {self.type(node.type)}")
        comment = origin_comment(graph.origins.of(node)) if self.with_origins else ""
        return f"{line.ljust(_COMMENT_COLUMN)}  # {comment}" if comment else line

    def type(self, type_) -> str:
        text = self._types.get(type_)
        if text is None:
            text = self._types[type_] = str(type_)
        return text

    def _result(self, graph: Graph) -> str:
        types = [o.type for o in graph.outputs]
        if len(types) == 1 and isinstance(types[0], TensorType):
            return self.type(types[0])
        return f"({', '.join(map(self.type, types))})"

    def _attributes(self, attrs, indent: str) -> str:
        inner = indent + "  "
        regions = []

        def write_region(region: Graph) -> str:
            regions.append(region)
            return "\n".join(self.graph(region, region.name, inner))

        items = [f"{key}={format_attribute(value, write_region)}" for key, value in attrs.items()]
        if regions:
            return " {\n" + ",\n".join(inner + item for item in items) + "\n" + indent + "}"
        return f" {{{', '.join(items)}}}"


def _packed(constant: Constant, room: int) -> tuple[str, bytes]:
    """(coding, bytes) of a constant; `room`: the bytes that may still be compressed, see `COMPRESSED_BYTES`."""
    little = np.asarray(constant.array, constant.array.dtype.newbyteorder("<")).tobytes()
    if _COMPRESS_FROM <= len(little) <= room:
        return "zlib", zlib.compress(little, 6)
    return "raw", little
