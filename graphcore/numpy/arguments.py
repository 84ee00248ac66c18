"""What the functions of ``mindspore.numpy`` take: anything that NumPy would make an array of."""
from __future__ import annotations

import functools
import inspect

import numpy as np

from graphcore import dtype as dt
from graphcore.capture.trace import current_trace
from graphcore.ops import functional as F
from graphcore.ops.functional.arguments import dtype_error, shown
from graphcore.tensor import Tensor

_SHORT = {int: dt.int32, float: dt.float32, bool: dt.bool_, "int": dt.int32, "float": dt.float32, "uint": dt.uint32}
_NARROWED = {dt.int64: dt.int32, dt.float64: dt.float32}


def dtype_of(dtype) -> dt.DType:
    """A dtype from a dtype, a name or a Python type; ``int`` and ``float`` are the 32-bit ones here."""
    try:
        if dtype in _SHORT:
            return _SHORT[dtype]
        return dt.from_numpy(np.dtype(dtype)) if isinstance(dtype, str) and dtype not in dt._BY_NAME else dt.as_dtype(
            dtype)
    except TypeError as error:
        raise dtype_error(str(error)) from None


def array_like(x, name: str = "the function") -> Tensor:
    """`x` as a Tensor: Python numbers and lists become int32, float32 or bool, NumPy arrays keep their dtype.

    Raises DTypeError for what is no array, ShapeError for lists of unequal lengths.
    """
    if isinstance(x, Tensor):
        return x
    if isinstance(x, (bool, int, float)):
        return Tensor(x, _SHORT[type(x)])
    if isinstance(x, (np.ndarray, np.generic)):
        return Tensor(np.asarray(x))
    if not isinstance(x, (list, tuple, range)):
        raise dtype_error(f"{name} takes tensors, numbers and lists, got {shown(x)}")
    if current_trace() is not None and _holds_tensor(x):
        return F.stack([array_like(v, name) for v in x])
    made = Tensor(list(x)) if _holds_tensor(x) else _of_numbers(list(x), name)
    return F.cast(made, _NARROWED.get(made.dtype, made.dtype))


def _holds_tensor(x) -> bool:
    return any(isinstance(v, Tensor) or isinstance(v, (list, tuple)) and _holds_tensor(v) for v in x)


def _of_numbers(x: list, name: str) -> Tensor:
    try:
        array = np.array(x)
    except ValueError:
        raise F.arguments.shape_error(f"{name}: the lists must be of the same length along each axis") from None
    return Tensor(array)


def arrays_like(*values) -> list:
    return [array_like(v) for v in values]


def floats_like(x) -> Tensor:
    """`x` as a float Tensor; integers and bools become float32."""
    return F.arguments.floating(array_like(x))


def converted(x: Tensor, dtype) -> Tensor:
    return x if dtype is None else F.cast(x, dtype_of(dtype))


def with_dtype(function):
    """Decorator: the result is converted to ``dtype=``, a last argument that the function itself does not have."""
    signature = inspect.signature(function)
    count = len(signature.parameters)

    @functools.wraps(function)
    def wrapped(*args, dtype=None, **kwargs):
        if len(args) > count:
            *args, dtype = args
        result = function(*args, **kwargs)
        return result if dtype is None else converted(result, dtype)
    last = inspect.Parameter("dtype", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None)
    wrapped.__signature__ = signature.replace(parameters=[*signature.parameters.values(), last])
    return wrapped
