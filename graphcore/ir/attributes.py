"""What each attribute of an operator may be, by its name: names mean the same in all operators.

Type rules assume values of these kinds, since Python code makes them; text that was read can hold anything.
"""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from graphcore.dtype import DType
from graphcore.ir.dims import Dim
from graphcore.ir.graph import Graph

LARGEST = 1 << 47       # of a number, and of the bytes of a value: more than any memory has


def _is_int(value) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and -LARGEST < value < LARGEST


def _is_word(value) -> bool:
    return type(value) is int and -(1 << 63) <= value < 1 << 63


def _is_size(value) -> bool:
    return type(value) is Dim or _is_int(value)


def _is_number(value) -> bool:
    return type(value) in (float, bool) or _is_word(value)


def _tuple_of(accepts: Callable) -> Callable:
    return lambda value: type(value) is tuple and all(map(accepts, value))


_KINDS: dict[str, tuple[Callable, tuple]] = {
    "an int": (_is_int, ("axis", "carried", "fuse", "groups", "index", "k", "parts", "rank", "root",
                        "stacks")),
    "an int of 64 bits": (_is_word, ("callback", "site")),
    "True or False": (lambda v: type(v) is bool, (
        "causal", "count_include_pad", "descending", "empty_is_nan", "exclusive", "keepdims", "largest", "mine",
        "recompute", "returns", "reverse", "sens", "transpose_a", "transpose_b")),
    "a number": (_is_number, ("fill", "scale")),
    "an int or None": (lambda v: v is None or _is_int(v), ("divisor_override",)),
    "a size or None": (lambda v: v is None or _is_size(v), ("length",)),
    "a tuple of ints": (_tuple_of(_is_int), ("axes", "dilation", "kernel", "pad", "perm", "receives", "sends")),
    "a tuple of sizes": (_tuple_of(_is_size), ("begin", "shape", "stride")),
    "a tuple of sizes, or a number of processes": (
        lambda v: _is_int(v) or type(v) is tuple and all(map(_is_size, v)), ("size",)),
    "a dtype": (lambda v: isinstance(v, DType), ("dtype",)),
    "a graph": (lambda v: isinstance(v, Graph), ("body", "condition", "orelse", "then")),
    "a graph or None": (lambda v: v is None or isinstance(v, Graph) or callable(v), ("backward",)),
    "a string": (lambda v: type(v) is str, ("group", "label", "reduce", "what")),
}
_BY_NAME = {name: (what, accepts) for what, (accepts, names) in _KINDS.items() for name in names}


def attribute_fault(name: str, value) -> str | None:
    """What is wrong with an attribute's kind; None if nothing is, or no operator has an attribute of that name."""
    what, accepts = _BY_NAME.get(name, ("", None))
    if accepts is None or accepts(value):
        return None
    return f"its attribute {name} must be {what}, not {str(value)[:80]!r}"
