"""The table of ONNX operators: (domain, name) and the version since which a function says what it is.

A function in the table is written with graphcore's operators::

    @operator("LeakyRelu", 6)
    def leaky_relu(x, *, alpha=0.01):
        return F.where(x < 0, x * alpha, x)

Its positional parameters are the operator's inputs (optional ones have the default None, ``*xs`` takes any number), its
keyword-only parameters are the attributes with their defaults; without a default an attribute must be given.  A model
that sets any other attribute is refused when it is imported.  It returns a Tensor, or a tuple of the outputs.  Three
keyword-only parameters are no attributes: `outputs`, how many outputs the model uses, `scope`, which runs subgraphs
(see `running.Scope`), and `dtype_of_first`, the dtype of an input that is read as numbers.
"""
from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from graphcore.onnx.package import UnsupportedOnnxError

LATEST = 28             # the newest opset of the default domain whose definitions the table was checked against
REQUIRED = inspect.Parameter.empty
_SPECIAL = ("outputs", "scope", "dtype_of_first")
_entries: dict[tuple, list] = {}


@dataclass(frozen=True)
class Entry:
    """One operator from one version on.

    numbers: positions of inputs that are read as Python numbers while a graph is captured (shapes, axes); the function
    gets them as NumPy arrays.  random: gives other values at each call.  most: how many inputs there may be, None: any.
    """

    domain: str
    name: str
    since: int
    function: Callable
    numbers: frozenset
    random: bool
    least: int
    most: int | None
    attributes: dict
    special: frozenset


def operator(name: str, since: int = 1, *, numbers: tuple = (), random: bool = False, domain: str = "") -> Callable:
    """Decorator: enter a function into the table, see the module's docstring.  numbers: names of parameters."""
    def enter(function):
        parameters = inspect.signature(function).parameters.values()
        inputs = [p for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
        rest = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        keywords = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
        entry = Entry(domain, name, since, function,
                      frozenset(i for i, p in enumerate(inputs) if p.name in numbers), random,
                      sum(p.default is REQUIRED for p in inputs), None if rest else len(inputs),
                      {k: v for k, v in keywords.items() if k not in _SPECIAL}, frozenset(_SPECIAL) & keywords.keys())
        versions = _entries.setdefault((domain, name), [])
        if any(e.since == since for e in versions):
            raise ValueError(f"{name} of version {since} is in the table twice")
        versions.append(entry)
        versions.sort(key=lambda e: e.since)
        return function
    return enter


def find(domain: str, name: str, version: int) -> Entry:
    """The entry for an operator in a model of this opset version.  Raises UnsupportedOnnxError where there is none."""
    versions = _entries.get((domain, name), ())
    if not versions:
        where = f" of the domain {domain!r}" if domain else ""
        raise UnsupportedOnnxError(f"the operator {name}{where} is not supported; docs/onnx.md lists those that are")
    known = [e for e in versions if e.since <= version]
    if not known:
        raise UnsupportedOnnxError(f"the operator {name} of opset {version} is not supported, only since opset "
                                   f"{versions[0].since}; convert the model with onnx.version_converter")
    return known[-1]


def all_entries() -> list[Entry]:
    """Every entry of the table, by name and version."""
    return [entry for key in sorted(_entries) for entry in _entries[key]]
