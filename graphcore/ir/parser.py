"""Read the text form of a graph (see `printer`) back to an equal graph.

The text may come from anywhere: nothing in it is evaluated, nesting and sizes are bounded, and whatever does not fit is
a FormatError that names the line and what was expected there.  Types are taken as written; `verifier` checks them.
"""
from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Mapping

import numpy as np

from graphcore.dtype import BY_CODE
from graphcore.errors import FormatError
from graphcore.ir import graph as ir
from graphcore.ir.dims import Dim, product
from graphcore.ir.graph import Constant, Graph, Node, Origin, Origins
from graphcore.ir.literal import INLINE_ELEMENTS, parse_element
from graphcore.ir.printer import COMPRESSED_BYTES
from graphcore.ir.scanner import Cursor, parse_size
from graphcore.ir.types import TapeType, TensorType, TupleType, Type

MAX_CHARACTERS = 1 << 28
MAX_VALUES = 1 << 16        # of all graphs of a text
_MAX_RANK = 32
_LONGEST_COMMENT = 4096     # what is longer names no more places
_MAX_ORIGINS = 16

_COMMENT = re.compile(r"[ \t]*#([^\n]*)")
_BRACKET = re.compile(r"\(")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_QUOTED = re.compile(r"`((?:[^`\\\n]|\\.)*)`")
_NAME = re.compile(r"[A-Za-z0-9_.]+")
_VALUE = re.compile(r"%(?:([A-Za-z0-9_.]+)|`((?:[^`\\\n]|\\.)*)`)")
_CONSTANT = re.compile(r"@([0-9a-f]{24})\b")
_ELEMENT = r"(?:0x[0-9a-f]{1,16}|-?[0-9][0-9.e+-]{0,40}|-?inf|nan|True|False)"
_LITERAL = re.compile(rf"({_ELEMENT}|\[{_ELEMENT}(?:,{_ELEMENT})*\]):([a-z][a-z0-9]*)")
_TENSOR_TYPE = re.compile(r"([a-z][a-z0-9]*)\[([^\[\]\n]*)\]")
_TAPE = re.compile(r"tape[ \t]*\(")
_NUMBER = re.compile(r"-?(?:[0-9]+(?:\.[0-9]*)?(?:e[+-]?[0-9]+)?|inf\b|nan\b)")
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_SIZE = re.compile(r"<([^<>\n]+)>")
_DATA = re.compile(r"data @([0-9a-f]{24}) (raw|zlib) \{([A-Za-z0-9+/=\s]*)\}\s*")
_KEYWORDS = {"True": True, "False": False, "None": None}


def parse_graph(text: str, constants: Mapping[str, Constant] | None = None) -> Graph:
    """The graph that `text` describes; nodes are interned, so printing and parsing gives an equal graph.

    constants: digest → Constant, for text printed without its data.  Raises FormatError for anything else than a graph.
    """
    if len(text) > MAX_CHARACTERS:
        raise FormatError(f"IR text of {len(text)} characters; at most {MAX_CHARACTERS} are read")
    cut = text.find("\ndata @")
    body, data = (text, "") if cut < 0 else (text[:cut + 1], text[cut + 1:])
    reader = _Reader(body, _read_data(data, body.count("\n") + 1), constants or {})
    graph = reader.graph(0)
    reader.end()
    return graph


def _unescape(name: str) -> str:
    return re.sub(r"\\(u[0-9a-f]{4}|.)", lambda m: chr(int(m[1][1:], 16)) if len(m[1]) == 5 else m[1], name)


def _read_data(text: str, line: int) -> dict[str, tuple]:
    """Digest → (coding, base64 text) of the sections at the end."""
    sections, at = {}, 0
    while at < len(text):
        match = _DATA.match(text, at)
        if match is None:
            raise FormatError(f"line {line + text.count(chr(10), 0, at)}: a damaged data section; expected "
                              "'data @<digest> raw|zlib {' and base64 lines up to '}'")
        sections[match[1]] = (match[2], match[3])
        at = match.end()
    return sections


def _unpack(digest: str, section: tuple, type_: TensorType, room: int) -> Constant:
    coding, text = section
    expected = product(type_.shape) * type_.dtype.itemsize
    if coding == "raw" and expected > len(text) or expected > room:
        raise FormatError(f"constant @{digest} of type {type_} is larger than its data, or all compressed constants "
                          f"are larger than {COMPRESSED_BYTES} bytes")
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
        if coding == "zlib":
            unpacker = zlib.decompressobj()
            content = unpacker.decompress(content, expected + 1)
    except (binascii.Error, zlib.error) as error:
        raise FormatError(f"the data of @{digest} is damaged: {error}") from None
    if len(content) != expected:
        raise FormatError(f"the data of @{digest} does not have the {expected} bytes of {type_}")
    if type_.dtype.is_bool and max(content, default=0) > 1:
        raise FormatError(f"the data of @{digest} holds bytes that are no bools")
    array = np.frombuffer(content, type_.dtype.storage.newbyteorder("<")).astype(type_.dtype.storage)
    return Constant(array.reshape(type_.shape), type_.dtype)


class _Reader(Cursor):
    """Each method reads one construct and moves on."""

    def __init__(self, text: str, data: dict, constants: Mapping):
        super().__init__(text)
        self.data, self.constants, self.room = data, constants, COMPRESSED_BYTES
        self.defined = 0
        self._types: dict[str, TensorType] = {}

    # -- graphs ----------------------------------------------------------------------------------------
    def graph(self, depth: int) -> Graph:
        start = self.peek(_WORD)
        if start is None or start[0] != "graph":
            raise self.expected("'graph'")
        self.at = start.end()
        scope = _Scope("" if self.peek(_BRACKET) else self.name())
        self._inputs(scope)
        self.expect("->")
        results = self._result_types()
        self.expect("{")
        self._statements(scope, self.within(depth))
        outputs = self._operands(scope, "}")
        if tuple(o.type for o in outputs) != results:
            raise self.error(f"graph {scope.name} returns {', '.join(str(o.type) for o in outputs) or 'nothing'}, "
                             f"but its first line says {', '.join(map(str, results)) or 'nothing'}")
        return Graph(scope.name, tuple(scope.inputs), outputs, tuple(scope.updates), tuple(scope.effects),
                     scope.origins)

    def _inputs(self, scope: _Scope) -> None:
        self.expect("(", " and the inputs")
        while not self.accept(")"):
            if scope.inputs:
                self.expect(",", " or ')' after an input")
            label = self.take(_VALUE, "an input, %name")
            self.expect(":", " and the input's type")
            leaf = ir.input_(label[1] if label[1] is not None else _unescape(label[2]), self.tensor_type())
            self._define(scope, label[0], leaf)
            scope.inputs.append(leaf)

    def _result_types(self) -> tuple:
        if not self.peek(_BRACKET):
            return (self.tensor_type(),)
        return self.type(0).items

    def _statements(self, scope: _Scope, depth: int) -> None:
        """Everything up to and including the word ``return``."""
        while True:
            if self.peek(_VALUE):
                self._node(scope, depth)
                continue
            word = self.take(_WORD, "a statement (%n = ..., param, const, update, effect or return)")[0]
            if word == "return":
                return
            if word == "param":
                name = self.name()
                self.expect(":", " and the Parameter's type")
                scope.params[name] = ir.param(name, self.tensor_type())
            elif word == "const":
                self._constant(scope)
            elif word == "update":
                name = self.name()
                self.expect("=")
                if name not in scope.params:
                    raise self.error(f"update of {name}, which has no 'param' line")
                scope.updates.append((name, self.operand(scope)))
            elif word == "effect":
                scope.effects.append(self.operand(scope))
            else:
                raise self.error(f"unknown statement {word!r}; known are %n = ..., param, const, update, effect and "
                                 "return")

    def _constant(self, scope: _Scope) -> None:
        digest = self.take(_CONSTANT, "a constant, @ and 24 hexadecimal digits")[1]
        self.expect(":", " and the constant's type")
        type_ = self.tensor_type()
        known = self.constants.get(digest)
        if known is None:
            if digest not in self.data:
                raise self.error(f"the data of constant @{digest} is left out; print the graph with data=True")
            if not type_.is_static:
                raise self.error(f"a constant of the symbolic type {type_}")
            section = self.data[digest]
            known = _unpack(digest, section, type_, MAX_CHARACTERS if section[0] == "raw" else self.room)
            self.room -= known.array.nbytes if section[0] == "zlib" else 0
        if known.digest != digest or known.dtype is not type_.dtype or known.array.shape != type_.shape:
            raise self.error(f"constant @{digest} of type {type_} does not match its data")
        scope.constants[digest] = ir.node("const", (), {"value": known}, type_)

    def _node(self, scope: _Scope, depth: int) -> None:
        label = self.take(_VALUE, "a value")[0]
        self.expect("=", f" after {label}")
        op = self.take(_WORD, "an operator's name")[0]
        if op in ir.LEAVES:
            raise self.error(f"{op!r} is not an operator; inputs, Parameters and constants are not numbered")
        self.expect("(", f" after {op}")
        inputs = self._operands(scope, ")")
        attributes = self._attributes(depth) if self.accept("{") else {}
        self.expect(":", f" and the type of {label}")
        node = ir.node(op, inputs, attributes, self.type(0))
        self._define(scope, label, node)
        comment = _COMMENT.match(self.text, self.at)
        if comment is not None and len(scope.origins.of(node)) < _MAX_ORIGINS:
            scope.origins.add(node, _origins(comment[1].strip()))

    def _define(self, scope: _Scope, label: str, node: Node) -> None:
        if label in scope.values:
            raise self.error(f"{label} is defined twice")
        self.defined += 1
        if self.defined > MAX_VALUES:
            raise self.error(f"more than {MAX_VALUES} values")
        scope.values[label] = node

    # -- operands, attributes, types -------------------------------------------------------------------
    def _operands(self, scope: _Scope, close: str) -> tuple:
        found: list[Node] = []
        while not self.accept(close):
            if found:
                self.expect(",", f" or {close!r} after an operand")
            found.append(self.operand(scope))
        return tuple(found)

    def operand(self, scope: _Scope) -> Node:
        label = self.peek(_VALUE)
        if label is not None:
            table, key = scope.values, label[0]
        elif (label := self.peek(_LITERAL)) is not None:
            self.at = label.end()
            return self._literal(label[1], label[2])
        elif (label := self.peek(_CONSTANT)) is not None:
            table, key = scope.constants, label[1]
        else:
            label = self.peek(_QUOTED) or self.peek(_NAME)
            if label is None:
                raise self.expected("an operand: %n, a Parameter's name, @digest or a number with its dtype (0.5:f32)")
            table, key = scope.params, _unescape(label[1]) if label.re is _QUOTED else label[0]
        node = table.get(key)
        if node is None:
            raise self.error(f"{label[0]} is not defined before this line")
        self.at = label.end()
        return node

    def _literal(self, text: str, code: str) -> Node:
        dtype = BY_CODE.get(code)
        if dtype is None:
            raise self.error(f"unknown dtype {code!r}; known are {', '.join(BY_CODE)}")
        elements = text.strip("[]").split(",")
        if len(elements) > INLINE_ELEMENTS:
            raise self.error(f"a constant of {len(elements)} elements stands in a data section, not in a line")
        try:
            words = [parse_element(e, dtype) for e in elements]
        except ValueError as error:
            raise self.error(str(error)) from None
        return ir.const(np.stack(words) if text[0] == "[" else words[0], dtype)

    def _attributes(self, depth: int) -> dict:
        attributes: dict = {}
        while not self.accept("}"):
            if attributes:
                self.expect(",", " or '}' after an attribute")
            key = self.take(_WORD, "an attribute's name")[0]
            self.expect("=", f" after {key}")
            if key in attributes:
                raise self.error(f"attribute {key} is given twice")
            attributes[key] = self.attribute(depth)
        return attributes

    def attribute(self, depth: int):
        depth = self.within(depth)
        if self.accept("("):
            items: list = []
            while not self.accept(")"):
                if items:
                    self.expect(",", " or ')' in a tuple")
                    if self.accept(")"):
                        break
                items.append(self.attribute(depth))
            return tuple(items)
        if self.peek(_STRING):
            return self._string()
        if self.peek(_SIZE):
            return self._size(self.take(_SIZE, "a size")[1])
        if self.peek(_NUMBER):
            text = self.take(_NUMBER, "a number")[0]
            if len(text) > 40:
                raise self.error("a number of more than 40 characters")
            return int(text) if text.lstrip("-").isdecimal() else float(text)
        match = self.peek(_WORD)
        if match is None:
            raise self.expected("an attribute: a number, string, tuple, dtype, size, graph, True, False or None")
        if match[0] == "graph":
            return self.graph(depth)
        self.at = match.end()
        if match[0] in _KEYWORDS:
            return _KEYWORDS[match[0]]
        return BY_CODE.get(match[0]) or Dim.symbol(match[0])

    def _string(self) -> str:
        text = self.take(_STRING, "a string")[0]
        try:
            return json.loads(text)
        except ValueError as error:
            raise self.error(f"a malformed string: {error}") from None

    def _size(self, text: str):
        try:
            return parse_size(text)
        except FormatError as error:
            raise self.error(str(error)) from None

    def name(self) -> str:
        quoted = self.peek(_QUOTED)
        if quoted is not None:
            self.at = quoted.end()
            return _unescape(quoted[1])
        return self.take(_NAME, "a name")[0]

    def type(self, depth: int) -> Type:
        depth = self.within(depth)
        if self.peek(_TAPE):
            self.take(_TAPE, "a tape")
            element = self.tensor_type()
            self.expect(")", " after the type of a tape's elements")
            return TapeType(element)
        if not self.accept("("):
            return self.tensor_type()
        items: list = []
        while not self.accept(")"):
            if items:
                self.expect(",", " or ')' between types")
            items.append(self.type(depth))
        return TupleType(tuple(items))

    def tensor_type(self) -> TensorType:
        match = self.take(_TENSOR_TYPE, "a type like f32[64,1,8,8]")
        known = self._types.get(match[0])
        if known is None:
            sizes = match[2].split(",") if match[2].strip() else []
            if match[1] not in BY_CODE or len(sizes) > _MAX_RANK:
                raise self.error(f"{match[0][:80]!r} is not a type; write for example f32[64,1,8,8] or i32[N]")
            known = self._types[match[0]] = TensorType(BY_CODE[match[1]], tuple(map(self._size, sizes)))
            if any(isinstance(s, int) and s < 0 for s in known.shape):
                raise self.error(f"{known} has a negative size")
        return known


class _Scope:
    """The names of one graph while it is read."""

    def __init__(self, name: str):
        self.name = name
        self.inputs: list[Node] = []
        self.values: dict[str, Node] = {}
        self.params: dict[str, Node] = {}
        self.constants: dict[str, Node] = {}
        self.updates: list[tuple] = []
        self.effects: list[Node] = []
        self.origins = Origins()


def _origins(comment: str) -> list[Origin]:
    found = []
    for part in comment[:_LONGEST_COMMENT].split("; ", _MAX_ORIGINS)[:_MAX_ORIGINS]:
        scope, _, place = part.rpartition("  ")
        file, colon, line = place.rpartition(":")
        if colon and file and line.isdecimal() and line.isascii() and len(line) < 10:
            found.append(Origin(scope, file, int(line)))
        elif part:                      # a Cell, or "+3 more", which the printer understands
            found.append(Origin(part))
    return found
