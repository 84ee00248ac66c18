"""Reading arguments: what the public functions do before they apply operators."""
from __future__ import annotations

import functools

import numpy as np

from graphcore import dtype as dt
from graphcore.capture.location import locate
from graphcore.capture.tape import ConcreteTrace
from graphcore.capture.trace import current_trace
from graphcore.errors import CaptureError, DTypeError, ShapeError, shown
from graphcore.ir.dims import Dim
from graphcore.ops import pointwise, record, view
from graphcore.ops.dispatch import apply, cast, floating, operands, promote, scalar_dtype
from graphcore.parameter_tuple import sequence_like
from graphcore.tensor import Tensor

__all__ = [
    "apply", "cast", "floating", "operands", "promote", "scalar_dtype", "Tensor", "dt", "Dim", "current_trace",
    "locate",
    "shape_error", "dtype_error", "capture_error", "tensor_of", "tensors_of", "axis_of", "axes_of", "sizes_of",
    "ints_of", "number_of", "is_number", "also_named", "full_of", "size_as_tensor", "values_known", "widened",
    "same_dtype", "sequence_like",
]


def shape_error(message: str) -> Exception:
    """A ShapeError (a ValueError) with the user's line."""
    return locate(ShapeError(message))


def dtype_error(message: str) -> Exception:
    """A DTypeError (a TypeError) with the user's line."""
    return locate(DTypeError(message))


def capture_error(message: str) -> Exception:
    """A CaptureError with the user's line."""
    return locate(CaptureError(message))


def is_number(value) -> bool:
    """Whether `value` is a Python or NumPy number or bool."""
    return isinstance(value, (bool, int, float, complex, np.generic))


def tensor_of(value, name: str) -> Tensor:
    """`value` as a Tensor; numbers, arrays and lists are converted, lists that hold Tensors are stacked.

    Raises DTypeError for anything else.
    """
    if isinstance(value, Tensor):
        return value
    if isinstance(value, (list, tuple)) and any(isinstance(v, (Tensor, list, tuple)) for v in value):
        if current_trace() is not None:
            from graphcore.ops.functional.shaping import stack
            return stack([tensor_of(v, name) for v in value])
        return Tensor(value)
    if is_number(value) or isinstance(value, (np.ndarray, list, tuple)):
        return Tensor(value)
    if isinstance(value, Dim):
        return size_as_tensor(value)
    raise dtype_error(f"{name} takes tensors, got {shown(value)}")


def tensors_of(values, name: str) -> list:
    """A sequence of Tensors, cast to their common dtype.  Raises DTypeError unless it is one, ShapeError if empty."""
    if isinstance(values, Tensor):
        values = [values[i] for i in range(len(values))]
    if not isinstance(values, (list, tuple)):
        raise dtype_error(f"{name} takes a list or tuple of tensors, got {shown(values)}")
    if not values:
        raise shape_error(f"{name} needs at least one tensor, got none")
    return same_dtype([tensor_of(v, name) for v in values])


def same_dtype(tensors: list) -> list:
    """The Tensors cast to the dtype that all of them promote to."""
    common = functools.reduce(promote, (t.dtype for t in tensors))
    return [cast(t, common) for t in tensors]


def axis_of(axis, rank: int, name: str) -> int:
    """A non-negative axis.  Raises ShapeError out of range, DTypeError unless it is an int."""
    if isinstance(axis, Tensor) and axis.size != 1:
        raise shape_error(f"{name}: the axis must be a number, got a tensor of shape {axis.shape}; where {name} takes "
                          "several tensors they are given as one list")
    axis = number_of(axis, name)
    if isinstance(axis, bool) or not isinstance(axis, int):
        raise dtype_error(f"{name}: the axis must be an int, got {axis!r}")
    if not -rank <= axis < rank:
        raise shape_error(f"{name}: axis {axis} is out of range for a tensor of {rank} dimensions; give an axis from "
                          f"{-rank} to {rank - 1}" if rank else
                          f"{name}: a 0-d tensor has no axis {axis}; leave it out")
    return axis % rank


def axes_of(axis, rank: int, name: str) -> tuple:
    """Sorted non-negative axes from None or () (all of them), an int or a sequence of ints."""
    if isinstance(axis, Tensor):
        axis = axis.tolist()
    try:
        return record.normalize_axes(tuple(axis) if isinstance(axis, list) else axis, rank, f"{name}: axis")
    except ShapeError as error:
        raise locate(error) from None
    except (TypeError, ValueError):
        raise dtype_error(f"{name}: the axis must be an int or a tuple of ints, got {axis!r}") from None


def number_of(value, name: str):
    """A Python number from a number or a one-element Tensor of known value."""
    if isinstance(value, Tensor):
        if value.size != 1:
            raise shape_error(f"{name}: a number is needed, got a tensor of shape {value.shape}")
        return value.item()
    return value.item() if isinstance(value, np.generic) else value


def ints_of(values, name: str) -> tuple:
    """A tuple of ints (or symbolic sizes) from an int, a sequence of ints, or an integer Tensor of known values."""
    if isinstance(values, (Tensor, np.ndarray)):
        values = values.tolist()
    if isinstance(values, (int, np.integer, Dim)) and not isinstance(values, bool):
        values = (values,)
    if not isinstance(values, (list, tuple)):
        raise dtype_error(f"{name} must be an int or a tuple of ints, got {shown(values)}")
    result = []
    for v in values:
        v = number_of(v, name)
        if not isinstance(v, (int, Dim)) or isinstance(v, bool):
            raise dtype_error(f"{name} must hold ints, got {v!r}")
        result.append(v)
    return tuple(result)


def sizes_of(shape, name: str) -> tuple:
    """A shape: as `ints_of`, no size negative."""
    sizes = ints_of(shape, f"{name}: the shape")
    if any(isinstance(s, int) and s < 0 for s in sizes):
        raise shape_error(f"{name}: sizes must not be negative, got {sizes}")
    return sizes


def full_of(shape: tuple, value, dtype: dt.DType) -> Tensor:
    """A Tensor of `shape` that holds `value` everywhere; a broadcast scalar in a capture."""
    return apply(view.broadcast_to, Tensor(value, dtype), shape=tuple(shape))


def size_as_tensor(size: Dim) -> Tensor:
    """The value of a symbolic size as a 0-d int64 Tensor, known when the program runs."""
    total = None
    for atoms, coefficient in size.terms:
        term = Tensor(coefficient, dt.int64)
        for atom in atoms:
            extent = Dim((((atom,), 1),))           # may be 0
            counted = apply(pointwise.iota, shape=(extent + 1,), axis=0, dtype=dt.int64)
            last = apply(view.slice_, counted, begin=(extent,), size=(1,), stride=(1,))
            term = apply(pointwise.mul, term, apply(view.reshape, last, shape=()))
        total = term if total is None else apply(pointwise.add, total, term)
    return total


def widened(x: Tensor) -> Tensor:
    """`x` as a float Tensor in which means and exponentials may be accumulated: 16-bit floats and ints as float32."""
    x = floating(x)
    return cast(x, dt.float32) if x.dtype.itemsize == 2 else x


def values_known(x: Tensor) -> bool:
    """Whether the values of a Tensor can be read now: outside of a capture, of a constant, or on a tape."""
    if current_trace() is None or isinstance(current_trace(), ConcreteTrace):
        return True
    return type(x) is Tensor


def also_named(**other_names):
    """Decorator: accept other names of keyword arguments, ``also_named(dim="axis")``; giving both is a TypeError.

    MindSpore's functions and methods go by several conventions (axis and dim, keep_dims, keepdims and keepdim).
    """
    def decorate(function):
        @functools.wraps(function)
        def renamed(*args, **kwargs):
            if kwargs and not other_names.keys().isdisjoint(kwargs):
                for other, name in other_names.items():
                    if other in kwargs:
                        if name in kwargs:
                            raise TypeError(f"{function.__name__}() got both {other!r} and {name!r}")
                        kwargs[name] = kwargs.pop(other)
            return function(*args, **kwargs)
        return renamed
    return decorate
