"""The printed form of Tensors, as MindSpore prints them."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore.tensor import Tensor

_EDGE = 3                       # elements shown at each end of an axis that is cut short
_LONGEST_VECTOR = 1000          # elements of a one-dimensional tensor shown in full
_LONGEST_AXIS = 6               # the same for each axis of the others
_PER_LINE_FLOAT, _PER_LINE = 12, 24
_DIGITS = {dt.float16: 4, dt.float32: 8, dt.float64: 8}


def tensor_repr(tensor: Tensor) -> str:
    """``Tensor(shape=[2], dtype=Float32, value= [ 1.00000000e+00,  2.00000000e+00])``; matrices on new lines."""
    shape = ", ".join(map(str, tensor.shape))
    values = tensor._values()
    if values.ndim == 0:
        text = " " + _number(values.item(), tensor.dtype)
    else:
        text = (" " if values.ndim == 1 else "\n") + _array_text(values, tensor.dtype)
    return f"Tensor(shape=[{shape}], dtype={tensor.dtype}, value={text})"


def printed_in_a_graph(value):
    """What ``ops.Print`` shows of a value while a graph runs: of a Tensor that has axes its form without commas."""
    if not isinstance(value, Tensor) or value.ndim == 0:
        return value
    head, _, body = tensor_repr(value).partition("value=")
    return f"{head}value={body.replace(',', '').removeprefix(' ')}"


def _number(value, dtype: dt.DType) -> str:
    return f"{value:.6g}" if dtype.is_float else _element(value, dtype)


def _array_text(values: np.ndarray, dtype: dt.DType) -> str:
    """The elements in brackets, aligned; empty for no elements."""
    if values.size == 0:
        return ""
    longest = _LONGEST_VECTOR if values.ndim == 1 else _LONGEST_AXIS
    cut = tuple(size > longest for size in values.shape)
    for axis, is_cut in enumerate(cut):
        if is_cut:
            size = values.shape[axis]
            values = values.take([*range(_EDGE), *range(size - _EDGE, size)], axis)
    texts = np.array([_element(v, dtype) for v in values.ravel().tolist()], object)
    width = max(map(len, texts))
    if dtype in _DIGITS:
        width = _DIGITS[dtype] + 7          # with a column for the sign; rare longer exponents stick out
    elif dtype.is_bool:
        width = len("False")
    aligned = np.array([t.rjust(width) for t in texts], object).reshape(values.shape)
    per_line = _PER_LINE_FLOAT if dtype.is_bool or dtype in _DIGITS else _PER_LINE
    return _brackets(aligned, cut, per_line, " ")


def _element(value, dtype: dt.DType) -> str:
    if dtype.is_complex:
        return f"{value.real:.6g}{value.imag:+.6g}j"
    if dtype in _DIGITS:
        return f"{value:.{_DIGITS[dtype]}e}"
    return f"{value:.6g}" if dtype.is_float else str(value)


def _brackets(texts: np.ndarray, cut: tuple, per_line: int, indent: str) -> str:
    if texts.ndim == 1:
        if cut[0]:
            return f"[{', '.join(texts[:_EDGE])} ... {', '.join(texts[_EDGE:])}]"
        lines = [", ".join(texts[i:i + per_line]) for i in range(0, len(texts), per_line)]
        return "[" + f", \n{indent}".join(lines) + "]"
    rows = [_brackets(t, cut[1:], per_line, indent + " ") for t in texts]
    if not cut[0]:
        return "[" + f",\n{indent}".join(rows) + "]"
    first, last = (f",\n{indent}".join(part) for part in (rows[:_EDGE], rows[_EDGE:]))
    return f"[{first},\n{indent}...\n{indent}{last}]"
