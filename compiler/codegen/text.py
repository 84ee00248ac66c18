"""Pieces of kernel text: constants, steps of reductions, index arithmetic."""
from __future__ import annotations

import math

import numpy as np

from graphcore.dtype import DType
from graphcore.ir.graph import Node
from graphcore.ops.record import REGISTRY


def compute_type(dtype: DType) -> str:
    """The kernel language's type in which values of `dtype` are computed."""
    return {"f16": "f32", "bf16": "f32"}.get(dtype.code, dtype.code)


def literal(node: Node) -> str:
    """A one-element constant as text of its compute type; exact."""
    dtype, number = node.dtype, _number(node)
    if dtype.is_bool:
        return "bool(1)" if number else "bool(0)"
    if dtype.is_integer:
        return f"{dtype.code}({number})"
    text = "(1e999 - 1e999)" if math.isnan(number) else ("1e999" if number > 0 else "-1e999") if math.isinf(number) \
        else repr(number)
    return f"{compute_type(dtype)}({text})"


#: Floats that stand in a kernel's text; others are words of its row, so that kernels that differ in them alone are one.
_IN_THE_TEXT = (0.0, 0.5, 1.0, 2.0, math.inf)


def word_of(node: Node) -> tuple | None:
    """(text that makes a float of a word of the row, that word); None for what stands in the text itself."""
    number = _number(node)
    if not node.dtype.is_float or abs(number) in _IN_THE_TEXT or math.isnan(number):
        return None
    if node.dtype.code == "f64":
        return "bitcast_i64_f64({})", int(np.float64(number).view(np.int64))
    return "bitcast_i32_f32(i32({}))", int(np.float32(number).view(np.int32))


def _number(node: Node):
    """The value of a one-element constant."""
    item = node.attrs["value"].array.reshape(-1)[0]
    if node.dtype.code == "bf16":
        item = np.uint32(int(item) << 16).view(np.float32)
    return float(item) if node.dtype.is_float else int(item)


_INTEGER_LIMITS = {"maximum": lambda t: np.iinfo(t).min, "minimum": lambda t: np.iinfo(t).max}


def identity(reduction: Node) -> str:
    """The value that a reduction starts from."""
    combine, dtype = REGISTRY[reduction.op].combine, reduction.dtype
    if combine in ("and", "or"):
        return "bool(1)" if combine == "and" else "bool(0)"
    if combine in ("add", "multiply"):
        value = "0" if combine == "add" else "1"
    elif dtype.is_float:
        value = "-1e999" if combine == "maximum" else "1e999"
    else:
        value = str(_INTEGER_LIMITS[combine](dtype.storage))
    return f"{compute_type(dtype)}({value})"


def combine(reduction: Node, total: str, value: str) -> str:
    """One step of a reduction."""
    how, code = REGISTRY[reduction.op].combine, compute_type(reduction.dtype)
    return {"add": f"accumulate({total}, {value})", "multiply": f"{code}({total} * {value})",
            "maximum": f"maximum({total}, {value})", "minimum": f"minimum({total}, {value})",
            "and": f"{total} & {value}", "or": f"{total} | {value}"}[how]


def times(index: str, stride: str) -> str:
    """index * stride, shortened."""
    if stride == "0" or index == "0":
        return "0"
    return index if stride == "1" else f"{index} * {stride}"


def add_up(terms: list) -> str:
    """The sum of terms, without zeros."""
    kept = [t for t in terms if t != "0"]
    return " + ".join(kept) or "0"


def affine(positions: list, strides: list) -> str:
    """The sum of positions times strides."""
    return add_up([times(p, s) for p, s in zip(positions, strides)])
