"""Numbers and attributes in IR text, written so that they read back bit for bit.

A constant element is ``0.1:f32``, ``-3:i64``, ``True:bool``; a short vector ``[0,1]:i64``.  Floats take the shortest
decimal that reads back to the same bits; what has none (a NaN with a payload) is written as its word:
``0x7fc00001:f32``.
"""
from __future__ import annotations

import json

import numpy as np

from graphcore import dtype as dt
from graphcore.dtype import DType
from graphcore.errors import IRError
from graphcore.ir.dims import Dim

INLINE_ELEMENTS = 8      # longer constants stand in the data section
RESERVED = frozenset({"True", "False", "None", "inf", "nan", "graph", *dt.BY_CODE})


def is_inline(shape: tuple) -> bool:
    """Whether a constant of `shape` is written where it is used."""
    return shape == () or len(shape) == 1 and 0 < shape[0] <= INLINE_ELEMENTS


def format_constant(array: np.ndarray, dtype: DType) -> str:
    """The literal of a 0-d or short 1-d stored array."""
    if array.shape == ():
        return f"{_element(array[()], dtype)}:{dtype.code}"
    return f"[{','.join(_element(word, dtype) for word in array)}]:{dtype.code}"


def _element(word, dtype: DType) -> str:
    if dtype.kind != "f":
        return str(bool(word)) if dtype.is_bool else str(int(word))
    if dtype is dt.float64:
        text = repr(float(word))
    elif dtype is dt.bfloat16:
        text = str(dt.bfloat16_to_float32(np.asarray(word))[()])
    else:
        text = str(word)
    exact = parse_element(text, dtype).tobytes() == np.asarray(word).tobytes()
    return text if exact else f"0x{int(np.asarray(word).view(f'u{dtype.itemsize}')):x}"


def parse_element(text: str, dtype: DType) -> np.ndarray:
    """The stored 0-d array that an element's text stands for.  Raises ValueError where it is no value of `dtype`."""
    if dtype.is_bool:
        if text not in ("True", "False"):
            raise ValueError(f"{text!r} is not a bool")
        return np.asarray(text == "True")
    if not dtype.is_float:
        if not text.lstrip("-").isdecimal():
            raise ValueError(f"{text} is not an {dtype.name}")
        value, limits = int(text), np.iinfo(dtype.storage)
        if not limits.min <= value <= limits.max:
            raise ValueError(f"{text} does not fit in {dtype.name}")
        return np.asarray(value, dtype.storage)
    if text.startswith("0x"):
        word = int(text, 16)
        if word >> (8 * dtype.itemsize):
            raise ValueError(f"{text} has more bits than a {dtype.name}")
        return np.asarray(word, f"u{dtype.itemsize}").view(dtype.storage)
    with np.errstate(over="ignore"):
        if dtype is dt.bfloat16:
            return dt.float32_to_bfloat16(np.float32(float(text))).reshape(())
        return np.asarray(float(text), dtype.storage)


def format_attribute(value, format_graph=None) -> str:
    """The text of an attribute; `format_graph` writes regions.  Raises IRError for what IR text cannot hold."""
    kind = type(value)
    if kind is tuple or kind is list:
        body = ",".join(format_attribute(v, format_graph) for v in value)
        return f"({body},)" if len(value) == 1 else f"({body})"
    if kind is int or kind is bool or value is None:
        return str(value)
    if kind is float:
        return repr(value)
    if kind is str:
        return json.dumps(value)
    if isinstance(value, DType):
        return value.code
    if isinstance(value, Dim):
        text = str(value)
        return text if text.isidentifier() and text not in RESERVED else f"<{text}>"
    if isinstance(value, np.integer):
        return str(int(value))
    if format_graph is not None and hasattr(value, "outputs"):
        return format_graph(value)
    raise IRError(f"an attribute of type {kind.__name__} ({value!r}) cannot stand in a graph; use ints, floats, bools, "
                  "strings, None, dtypes, sizes, graphs and tuples of these")
