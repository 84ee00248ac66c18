"""``manifest.json``: what a compiled model is and what belongs to it.

A manifest may come from anywhere: everything in it is checked before anything is done with it.  What it says of inputs
and outputs has a number (`Manifest.interface`) that the library knows too, so the two cannot be at odds.
"""
from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

from graphcore import dtype as dt
from graphcore.errors import FormatError
from graphcore.ir.dims import Dim, Size, evaluate
from graphcore.ir.scanner import parse_size

FORMAT, ABI = "graphcore compiled model", 1
FILE_NAME = "manifest.json"

_LARGEST_FILE = 1 << 22             # bytes of a manifest
_MOST_ARRAYS, _HIGHEST_RANK = 4096, 32
_LARGEST_SIZE = 1 << 48             # elements of an array, at sizes of 1
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,200}")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ArrayInfo:
    """An input or output: its name in C, its dtype's name, its shape as integers and texts like ``N`` or ``2*N+1``."""

    name: str
    dtype: str
    shape: tuple

    @property
    def sizes(self) -> tuple[Size, ...]:
        """The shape with symbolic sizes as `Dim`."""
        return tuple(size if isinstance(size, int) else parse_size(size) for size in self.shape)


@dataclass(frozen=True)
class FileInfo:
    """A file beside the manifest."""

    file: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """All that a loader needs to know.

    name: what the library's functions begin with; symbols: names of sizes, in the order of `run`; result: the number of
    an output, or nested lists of them; weights: None where the library holds them; levels: a report of each CPU level.
    """

    name: str
    inputs: tuple
    outputs: tuple
    symbols: tuple
    result: object
    library: FileInfo
    weights: FileInfo | None
    header: str
    made_by: str
    parameters: tuple = ()
    levels: tuple = ()
    architecture: str = ""
    abi: int = ABI
    format: str = field(default=FORMAT)

    @property
    def interface(self) -> int:
        """The number of the part that the library has to agree with."""
        return interface_number(self.name, self.inputs, self.outputs, self.symbols)

    def to_json(self) -> str:
        """The text of the file."""
        return json.dumps(asdict(self), indent=1) + "\n"


def interface_number(name: str, inputs, outputs, symbols) -> int:
    """64 bits for what a library and its manifest have to agree on."""
    arrays = [[[a.name, a.dtype, list(a.shape)] for a in kind] for kind in (inputs, outputs)]
    text = json.dumps([ABI, name, arrays, list(symbols)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a folder.  Raises FormatError for anything that is no manifest of this version."""
    path = folder / FILE_NAME
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise FormatError(f"{folder} is no compiled model: {FILE_NAME} cannot be read ({error.strerror})") from None
    if len(content) > _LARGEST_FILE:
        raise FormatError(f"{path} is no manifest: it is larger than {_LARGEST_FILE} bytes")
    return parse_manifest(content, str(path))


def parse_manifest(content: bytes, title: str = FILE_NAME) -> Manifest:
    """The manifest in these bytes.  Raises FormatError."""
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        raise FormatError(f"{title} is no manifest: it is not JSON") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise FormatError(f"{title} is no manifest of a compiled model: its 'format' is not {FORMAT!r}")
    if data.get("abi") != ABI:
        raise FormatError(f"{title} is of interface version {str(data.get('abi'))[:20]}, this graphcore loads version "
                          f"{ABI}: compile the model again")
    reader = _Reader(title)
    symbols = tuple(reader.matching(_NAME, s, "a symbol") for s in reader.items(data.get("symbols"), "symbols", 64))
    if list(symbols) != sorted(set(symbols)):
        raise FormatError(f"{title}: symbols are not in order, or one stands there twice")
    inputs, outputs = (tuple(reader.array(a, symbols) for a in reader.items(data.get(key), key, _MOST_ARRAYS))
                       for key in ("inputs", "outputs"))
    if not outputs:
        raise FormatError(f"{title}: there is no output")
    sized = {str(size) for a in inputs for size in a.sizes if isinstance(size, Dim)}
    if not set(symbols) <= sized:
        raise FormatError(f"{title}: a symbol is no input's size")
    return Manifest(
        reader.matching(_NAME, data.get("name"), "the name"), inputs, outputs, symbols,
        reader.result(data.get("result"), len(outputs), 0), reader.file(data.get("library"), "library"),
        None if data.get("weights") is None else reader.file(data["weights"], "weights"),
        reader.matching(_FILE, data.get("header"), "the header"), reader.text(data.get("made_by"), "made_by"),
        tuple(reader.items(data.get("parameters", []), "parameters", 1 << 20)),
        tuple(reader.items(data.get("levels", []), "levels", 64)),
        reader.text(data.get("architecture", ""), "architecture"))


class _Reader:
    """Takes parts of JSON data for what they should be, or raises FormatError."""

    def __init__(self, title: str):
        self.title = title

    def items(self, value, what: str, most: int) -> list:
        if not isinstance(value, list) or len(value) > most:
            raise FormatError(f"{self.title}: {what} is no list of at most {most}")
        return value

    def text(self, value, what: str) -> str:
        if not isinstance(value, str) or len(value) > 1000:
            raise FormatError(f"{self.title}: {what} is no short text")
        return value

    def matching(self, pattern: re.Pattern, value, what: str) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise FormatError(f"{self.title}: {what} is not as it should be: {str(value)[:40]!r}")
        return value

    def count(self, value, what: str, most: int) -> int:
        if type(value) is not int or not 0 <= value <= most:
            raise FormatError(f"{self.title}: {what} is no number from 0 to {most}: {str(value)[:40]!r}")
        return value

    def file(self, value, what: str) -> FileInfo:
        if not isinstance(value, dict):
            raise FormatError(f"{self.title}: {what} is no file")
        return FileInfo(self.matching(_FILE, value.get("file"), f"the file of {what}"),
                        self.count(value.get("bytes"), f"the size of {what}", 1 << 48),
                        self.matching(_SHA256, value.get("sha256"), f"the checksum of {what}"))

    def array(self, value, symbols: tuple) -> ArrayInfo:
        if not isinstance(value, dict):
            raise FormatError(f"{self.title}: an input or output is no object")
        name = self.matching(_NAME, value.get("name"), "the name of an array")
        dtype = value.get("dtype")
        if not isinstance(dtype, str) or dtype not in DTYPES:
            raise FormatError(f"{self.title}: {name} has the dtype {str(dtype)[:40]!r}")
        shape = tuple(self.size(s, name, symbols) for s in self.items(value.get("shape"), f"the shape of {name}",
                                                                     _HIGHEST_RANK))
        found, elements = ArrayInfo(name, dtype, shape), 1
        for size in found.sizes:
            elements *= max(abs(evaluate(size, dict.fromkeys(symbols, 1))), 1)
            if elements > _LARGEST_SIZE:
                raise FormatError(f"{self.title}: {name} has an impossible shape")
        return found

    def size(self, value, name: str, symbols: tuple):
        if isinstance(value, str):
            if len(value) > 200:
                raise FormatError(f"{self.title}: {name} has a size of {len(value)} letters")
            size = parse_size(value)
            if not isinstance(size, Dim) or not size.symbols() <= set(symbols):
                raise FormatError(f"{self.title}: {name} has the unknown size {value[:40]!r}")
            return value
        return self.count(value, f"a size of {name}", _LARGEST_SIZE)

    def result(self, value, outputs: int, depth: int):
        if isinstance(value, list):
            if depth > 32:
                raise FormatError(f"{self.title}: the result is nested too deeply")
            return [self.result(v, outputs, depth + 1) for v in self.items(value, "the result", _MOST_ARRAYS)]
        return self.count(value, "the number of an output", outputs - 1)


#: The dtypes of inputs and outputs, by name.
DTYPES = {t.name.rstrip("_"): t for t in (
    dt.bool_, dt.int8, dt.int16, dt.int32, dt.int64, dt.uint8, dt.uint16, dt.uint32, dt.uint64, dt.float16, dt.bfloat16,
    dt.float32, dt.float64)}
