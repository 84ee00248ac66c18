"""What flows between the operators of an imported model, and how numbers are read out of it.

A value is a Tensor, None (an input left out), a list of Tensors (a sequence), or a NumPy array of Python objects: int64
numbers among which there are symbolic sizes (`ir.dims.Dim`).  While a graph is captured, a plain Tensor is a constant.
"""
from __future__ import annotations

import math

import numpy as np

from graphcore import dtype as dt
from graphcore.capture.trace import current_trace
from graphcore.ir.dims import Dim
from graphcore.ops import functional as F
from graphcore.ops.budget import check_shape
from graphcore.ops.functional.arguments import size_as_tensor, values_known
from graphcore.tensor import Tensor

_MOST_NUMBERS = 4096        # elements of a tensor that decides a shape


def is_sizes(value) -> bool:
    """Whether a value holds symbolic sizes."""
    return isinstance(value, np.ndarray)


def is_known(value) -> bool:
    """Whether a value is the same in every call of a captured graph."""
    if isinstance(value, list):
        return all(map(is_known, value))
    return value is None or is_sizes(value) or type(value) is Tensor


def sizes_of(numbers) -> Tensor | np.ndarray:
    """Integers and symbolic sizes (a number, or a list of them) as a value of int64."""
    array = np.empty(np.shape(numbers), object)
    array[...] = numbers
    if any(isinstance(n, Dim) for n in array.flat):
        return array
    return Tensor(array.astype(np.int64), dt.int64)


def tensor_of(value):
    """A value as operators take it; symbolic sizes become Tensors that the program computes."""
    if not is_sizes(value):
        return value
    parts = [size_as_tensor(n) if isinstance(n, Dim) else Tensor(n, dt.int64) for n in value.flat]
    return F.reshape(F.stack(parts, 0), value.shape)


def numbers_of(value) -> np.ndarray | None:
    """The elements of a value as a NumPy array, with Python objects where sizes are symbolic; bfloat16 as float32.

    Of a tensor that a captured program computes, the program is asked for each element; every combination of answers
    is then a program of its own.  Raises CaptureError where it cannot be asked (in branches and loops).
    """
    if value is None or is_sizes(value):
        return value
    if values_known(value):
        return value._values()
    if value.size > _MOST_NUMBERS:
        raise ValueError(f"a tensor of shape {value.shape} decides a shape")
    trace = current_trace()
    flat = F.reshape(value, (-1,))
    found = [trace.assume(trace.node_of(flat[i]), "the value of a tensor decides a shape",
                          "give the model constants there") for i in range(value.size)]
    return np.array(found, value.dtype.storage).reshape(value.shape)


def ints(numbers: np.ndarray) -> list:
    """A vector (or a number) of integers as a list of Python ints and symbolic sizes."""
    return numbers.reshape(-1).tolist()


def room(shape, what: str) -> tuple:
    """The shape as a tuple, checked: no negative size, within the budget."""
    shape = tuple(shape)
    if any(isinstance(s, int) and s < 0 for s in shape):
        raise ValueError(f"{what}: negative size in the shape {shape}")
    check_shape(shape, what)
    return shape


def axis_of(axis: int, rank: int) -> int:
    """A non-negative axis.  Raises ValueError out of range."""
    if not -rank <= axis < max(rank, 1):
        raise ValueError(f"axis {axis} is out of range for {rank} axes")
    return axis % rank if rank else 0


def axes_of(axes, rank: int) -> tuple:
    """Sorted non-negative axes, each once.  Raises ValueError out of range or for one given twice."""
    found = sorted(axis_of(int(a), rank) for a in axes)
    if len(set(found)) != len(found):
        raise ValueError(f"an axis is given twice in {list(axes)}")
    return tuple(found)


def like(number, x: Tensor) -> Tensor:
    """A Python number as a 0-d Tensor of the dtype of `x`."""
    return Tensor(number, x.dtype)


def lowest(dtype: dt.DType) -> float | int:
    """The smallest value of a numeric dtype."""
    return -math.inf if dtype.is_float else int(np.iinfo(dtype.storage).min)


def highest(dtype: dt.DType) -> float | int:
    """The largest value of a numeric dtype."""
    return math.inf if dtype.is_float else int(np.iinfo(dtype.storage).max)
