"""Apply operators to Tensors: at once by the reference, or into the graph that is being captured.

The functional API (`graphcore.ops`) prepares arguments (dtype promotion, axes, defaults) and ends here.
"""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore.capture.location import locate
from graphcore.capture.trace import current_trace
from graphcore.errors import DTypeError, GraphcoreError, shown
from graphcore.ops import budget, pointwise
from graphcore.ops.evaluate import evaluate
from graphcore.ops.record import Operator
from graphcore.tensor import Tensor


def apply(record: Operator, *inputs, **attrs) -> Tensor:
    """The Tensor that `record` gives for Tensors (or Parameters, or numbers) `inputs`."""
    trace = current_trace()
    if budget.is_limited():
        tensors = [i if isinstance(i, Tensor) else Tensor(i) for i in inputs]
        budget.check_shape(record.infer(*(t.type_ for t in tensors), **attrs).shape, record.name)
    if trace is not None:
        return trace.apply(record, inputs, attrs)
    tensors = [i if isinstance(i, Tensor) else Tensor(i) for i in inputs]
    types = [t.type_ for t in tensors]
    try:
        result = record.infer(*types, **attrs)
    except GraphcoreError as error:
        raise locate(error) from None
    return Tensor._wrap(evaluate(record, [t._array for t in tensors], types, attrs, result), result.dtype)


def cast(x: Tensor, dtype: dt.DType) -> Tensor:
    """`x` converted to `dtype`; itself if it has it."""
    return x if x.dtype is dtype else apply(pointwise.cast, x, dtype=dtype)


def as_tensor(value, dtype: dt.DType | None = None, like: Tensor | None = None) -> Tensor:
    """`value` as a Tensor: Tensors pass; numbers become 0-d of `dtype`, or as promotion with `like` asks."""
    if isinstance(value, Tensor):
        return value
    if isinstance(value, (bool, int, float, complex, np.generic)) and dtype is None and like is not None:
        dtype = scalar_dtype(value, like.dtype)
    return Tensor(value, dtype)


def scalar_dtype(value, dtype: dt.DType) -> dt.DType:
    """The dtype of a Python number beside a tensor of `dtype`: the tensor's, but floats lift integers to float32."""
    if isinstance(value, complex) and not dtype.is_complex:
        return dt.complex128 if dtype is dt.float64 else dt.complex64
    if isinstance(value, (float, np.floating)) and not dtype.is_float and not dtype.is_complex:
        return dt.float32
    if isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_)) and dtype.is_bool:
        return dt.int64
    return dtype


_FLOAT_ORDER = {dt.float16: 1, dt.bfloat16: 1, dt.float32: 2, dt.float64: 3}


def promote(a: dt.DType, b: dt.DType) -> dt.DType:
    """The common dtype of two tensors: a float wins over integers of any width; float16 with bfloat16 is float32."""
    if a is b:
        return a
    if a.is_complex or b.is_complex:
        return dt.complex128 if {a, b} & {dt.complex128, dt.float64} else dt.complex64
    if a.is_float or b.is_float:
        if not b.is_float:
            return a
        if not a.is_float:
            return b
        if _FLOAT_ORDER[a] == _FLOAT_ORDER[b]:
            return dt.float32
        return a if _FLOAT_ORDER[a] > _FLOAT_ORDER[b] else b
    common = np.promote_types(a.storage, b.storage)
    if common.kind == "f":
        raise DTypeError(f"{a.name} and {b.name} have no common integer dtype; cast one of them first")
    return dt.from_numpy(common)


def operands(*values, name: str = "operator") -> list[Tensor]:
    """Tensors and numbers as Tensors of one common dtype.  Raises TypeError for anything else."""
    tensors = [v for v in values if isinstance(v, Tensor)]
    if not tensors:
        return operands(*[Tensor(v) for v in values], name=name)
    common = tensors[0].dtype
    for t in tensors[1:]:
        common = promote(common, t.dtype)
    for v in values:
        if not isinstance(v, Tensor):
            if isinstance(v, np.ndarray):
                common = promote(common, dt.from_numpy(v.dtype))
            elif isinstance(v, (bool, int, float, complex, np.generic)):
                common = scalar_dtype(v, common)
            else:
                raise locate(DTypeError(f"{name} takes tensors and numbers, got {shown(v)}"))
    return [cast(v, common) if isinstance(v, Tensor) else Tensor(v, common) for v in values]


def floating(x) -> Tensor:
    """`x` as a float Tensor; integers and bools become float32."""
    x = as_tensor(x)
    return x if x.dtype.is_float or x.dtype.is_complex else cast(x, dt.float32)
