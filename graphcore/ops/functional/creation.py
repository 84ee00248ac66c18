"""New tensors: filled, counted, one-hot, triangular."""
from __future__ import annotations

import math

import numpy as np

from graphcore.errors import shown
from graphcore.ops import pointwise as pw
from graphcore.ops.functional.arguments import (
    Dim,
    Tensor,
    also_named,
    apply,
    axis_of,
    capture_error,
    cast,
    current_trace,
    dt,
    dtype_error,
    full_of,
    is_number,
    number_of,
    shape_error,
    sizes_of,
    tensor_of,
)
from graphcore.ops.functional.comparison import where
from graphcore.ops.functional.shaping import broadcast_to, expand_dims, reshape

__all__ = [
    "zeros", "ones", "full", "fill", "fills", "zeros_like", "ones_like", "full_like", "deepcopy", "arange", "range",
    "make_range", "linspace", "logspace", "eye", "tril", "triu", "tril_indices", "triu_indices", "meshgrid",
    "one_hot", "diag", "diagflat", "diag_embed", "scalar_to_tensor", "scalar_to_array", "tuple_to_array",
]


@also_named(shape="size")
def zeros(size, dtype=None):
    """Zeros of shape `size` (an int or a tuple), float32 unless `dtype` is given."""
    return full_of(sizes_of(size, "zeros"), 0, dt.float32 if dtype is None else dt.as_dtype(dtype))


@also_named(size="shape")
def ones(shape, dtype=None):
    """Ones of `shape` (an int or a tuple), float32 unless `dtype` is given."""
    return full_of(sizes_of(shape, "ones"), 1, dt.float32 if dtype is None else dt.as_dtype(dtype))


@also_named(shape="size")
def full(size, fill_value, *, dtype=None):
    """`fill_value` in the shape `size`; the dtype of the value (bool, int64, float32) unless `dtype` is given."""
    if isinstance(fill_value, Tensor):
        value = fill_value if dtype is None else cast(fill_value, dt.as_dtype(dtype))
        return broadcast_to(reshape(value, ()), sizes_of(size, "full"))
    if not is_number(fill_value):
        raise dtype_error(f"full: the value must be a number, got {shown(fill_value)}")
    dtype = Tensor(fill_value).dtype if dtype is None else dt.as_dtype(dtype)
    return full_of(sizes_of(size, "full"), fill_value, dtype)


def fill(type, shape, value):
    """`value` in `shape` with the dtype `type` (the value's, if None)."""
    return full(shape, value, dtype=type)


def fills(x, value):
    """`value` in the shape and dtype of `x`."""
    return full_like(x, number_of(value, "fills"))


def _like(x, value, dtype, name):
    x = tensor_of(x, name)
    return full_of(x.shape, value, x.dtype if dtype is None else dt.as_dtype(dtype))


def zeros_like(input, *, dtype=None):
    """Zeros in the shape and dtype of `input` (or `dtype`)."""
    return _like(input, 0, dtype, "zeros_like")


def ones_like(input, *, dtype=None):
    """Ones in the shape and dtype of `input` (or `dtype`)."""
    return _like(input, 1, dtype, "ones_like")


def full_like(input, fill_value, *, dtype=None):
    """`fill_value` in the shape and dtype of `input` (or `dtype`)."""
    return _like(input, fill_value, dtype, "full_like")


def copied(x: Tensor) -> Tensor:
    """A Tensor of its own with the values of `x`; in a capture it is a new name for the same value."""
    trace = current_trace()
    if trace is None:
        return Tensor._wrap(x._array.copy(), x.dtype)
    from graphcore.capture.trace import TracedTensor
    return TracedTensor(trace.node_of(x), trace)


def deepcopy(input_x):
    """A copy of a Tensor."""
    return copied(tensor_of(input_x, "deepcopy"))


# -- counting ---------------------------------------------------------------------------------------------

def counted(n, dtype=dt.int64) -> Tensor:
    """0, 1, ... n - 1."""
    return apply(pw.iota, shape=(n,), axis=0, dtype=dtype)


def arange(start=0, end=None, step=1, *, dtype=None):
    """start, start + step, ... below `end` (``arange(end)`` starts at 0).

    int64 if all three are ints, else float32, unless `dtype` is given; `end` may be a symbolic size.
    Raises ValueError if step is 0 or leads away from `end`.
    """
    if end is None:
        start, end = 0, start
    start, end, step = (number_of(v, "arange") for v in (start, end, step))
    whole = all(isinstance(v, (int, Dim)) for v in (start, end, step))
    dtype = (dt.int64 if whole else dt.float32) if dtype is None else dt.as_dtype(dtype)
    if any(isinstance(v, Dim) for v in (start, end, step)):
        if isinstance(start, Dim) or step != 1:
            raise capture_error(f"arange from {start} to {end} in steps of {step}: only `end` may be a symbolic size")
        return counted(end - start, dtype) + start if start else counted(end, dtype)
    if step == 0 or (end - start) * step < 0:
        raise shape_error(f"arange: steps of {step} do not lead from {start} to {end}")
    count = -((start - end) // step) if whole else math.ceil((end - start) / step)
    if start == 0 and step == 1:
        return counted(count, dtype)
    places = counted(count, dtype if whole else dt.float64)
    return cast(places * step + start, dtype)


def range(start, end, step, maxlen=1000000):
    """As `arange`.  `maxlen` is accepted and not needed."""
    return arange(start, end, step)


def make_range(start, limit=None, delta=1) -> tuple:
    """A tuple of Python ints, as ``range`` counts them."""
    import builtins
    return tuple(builtins.range(start)) if limit is None else tuple(builtins.range(start, limit, delta))


def linspace(start, end, steps):
    """`steps` float32 numbers evenly from start to end, both included.  start, end: numbers or 0-d Tensors."""
    steps = number_of(steps, "linspace")
    if not isinstance(steps, int) or steps <= 0:
        raise shape_error(f"linspace: steps must be a positive int, got {steps!r}")
    if isinstance(start, Tensor) or isinstance(end, Tensor):
        return start + (end - start) * linspace(0.0, 1.0, steps)
    return Tensor(np.linspace(start, end, steps, dtype=np.float32))


def logspace(start, end, steps, base=10, *, dtype=dt.float32):
    """base ** linspace(start, end, steps)."""
    from graphcore.ops.functional.arithmetic import pow
    return cast(pow(float(base), linspace(start, end, steps)), dt.as_dtype(dtype))


def eye(n, m=None, dtype=None):
    """Ones where row and column agree, zeros elsewhere: n x m (n x n); float32 unless `dtype` is given."""
    m = n if m is None else m
    rows, columns = row_and_column(sizes_of((n, m), "eye"))
    return cast(apply(pw.eq, rows, columns), dt.float32 if dtype is None else dt.as_dtype(dtype))


def row_and_column(shape: tuple) -> tuple:
    """The row and the column of each element of matrices of `shape`, as int32."""
    rank = len(shape)
    return tuple(apply(pw.iota, shape=shape, axis=axis, dtype=dt.int32) for axis in (rank - 2, rank - 1))


def _triangle(input, diagonal, record, name):
    x = tensor_of(input, name)
    if x.ndim < 2:
        raise shape_error(f"{name} takes a tensor of at least 2 axes, got shape {x.shape}")
    rows, columns = row_and_column(x.shape[-2:])
    return where(apply(record, columns - int(diagonal), rows), x, Tensor(0, x.dtype))


def tril(input, diagonal=0):
    """The lower triangle of each matrix up to the `diagonal`, zeros above."""
    return _triangle(input, diagonal, pw.le, "tril")


def triu(input, diagonal=0):
    """The upper triangle of each matrix from the `diagonal` on, zeros below."""
    return _triangle(input, diagonal, pw.ge, "triu")


def tril_indices(row, col, offset=0, *, dtype=dt.int64):
    """Rows and columns of the lower triangle of a row x col matrix, as a 2 x n Tensor."""
    return Tensor(np.stack(np.tril_indices(row, offset, col)), dt.as_dtype(dtype))


def triu_indices(row, col, offset=0, *, dtype=dt.int64):
    """Rows and columns of the upper triangle of a row x col matrix, as a 2 x n Tensor."""
    return Tensor(np.stack(np.triu_indices(row, offset, col)), dt.as_dtype(dtype))


def meshgrid(*inputs, indexing="xy"):
    """Grids of coordinates from vectors, one for each; "xy": the first runs along columns, "ij": along rows.

    Raises ValueError for another indexing.
    """
    from graphcore.ops.functional.shaping import swapaxes
    if len(inputs) == 1 and isinstance(inputs[0], (list, tuple)):
        inputs = inputs[0]
    if indexing not in ("xy", "ij"):
        raise shape_error(f"meshgrid: indexing must be 'xy' or 'ij', got {indexing!r}")
    vectors = [tensor_of(v, "meshgrid") for v in inputs]
    shape = tuple(v.shape[0] for v in vectors)
    grids = [broadcast_to(reshape(v, tuple(v.shape[0] if i == axis else 1 for i, _ in enumerate(vectors))), shape)
             for axis, v in enumerate(vectors)]
    return tuple(swapaxes(g, 0, 1) if indexing == "xy" and len(vectors) > 1 else g for g in grids)


# -- one-hot and diagonals ----------------------------------------------------------------------------------

@also_named(num_classes="depth")
def one_hot(indices, depth, on_value=1, off_value=0, axis=-1):
    """`on_value` where the position along a new `axis` of size `depth` is the index, else `off_value`.

    indices: integer Tensor; an index out of range gives `off_value` everywhere.  The values are numbers or Tensors of
    one dtype (int64 for ints, float32 for floats).  Raises DTypeError for indices that are not integers.
    """
    x = tensor_of(indices, "one_hot")
    if not x.dtype.is_integer:
        raise dtype_error(f"one_hot takes integer indices, got {x.dtype.name}; convert them with .astype(ms.int32)")
    depth = number_of(depth, "one_hot")
    if isinstance(depth, int) and depth < 0:
        raise shape_error(f"one_hot: the depth must not be negative, got {depth}")
    axis = axis_of(axis, x.ndim + 1, "one_hot")
    hit = is_class(x, depth, axis)
    if is_number(on_value) and is_number(off_value):
        kind = dt.float32 if isinstance(on_value, float) or isinstance(off_value, float) else dt.int64
        on_value, off_value = Tensor(on_value, kind), Tensor(off_value, kind)
    return where(hit, on_value, off_value)


def is_class(labels: Tensor, depth, axis: int) -> Tensor:
    """Whether the position along a new `axis` of size `depth` is the label: a bool Tensor."""
    spread = expand_dims(labels, axis)
    shape = tuple(depth if i == axis else s for i, s in enumerate(spread.shape))
    return apply(pw.eq, apply(pw.iota, shape=shape, axis=axis, dtype=labels.dtype), spread)


def diag(input):
    """The elements on the diagonal of a tensor of zeros of twice the axes: a vector gives a square matrix."""
    x = tensor_of(input, "diag")
    return reshape(diagflat(x), x.shape + x.shape)


def diagflat(input, offset=0):
    """All elements as a diagonal of a square matrix of zeros."""
    return diag_embed(reshape(tensor_of(input, "diagflat"), (-1,)), offset)


def diag_embed(input, offset=0, dim1=-2, dim2=-1):
    """The vectors along the last axis as diagonals of matrices of zeros in the axes dim1 and dim2 of the result."""
    from graphcore.ops.functional.padding import zero_padded
    from graphcore.ops.functional.shaping import moveaxis
    x = tensor_of(input, "diag_embed")
    left, right = max(offset, 0), max(-offset, 0)
    wide = zero_padded(x, (0,) * (x.ndim - 1) + (left,), (0,) * (x.ndim - 1) + (right,))     # by column of the result
    n = x.shape[-1] + left + right
    rows, columns = row_and_column((*x.shape[:-1], n, n))
    matrices = where(apply(pw.eq, columns - offset, rows), expand_dims(wide, -2), Tensor(0, x.dtype))
    return moveaxis(matrices, (-2, -1), (dim1, dim2))


# -- from Python values ---------------------------------------------------------------------------------------

def scalar_to_tensor(input_x, dtype=dt.float32):
    """A number as a 0-d Tensor."""
    return Tensor(input_x, dt.as_dtype(dtype))


def scalar_to_array(input_x):
    """A number as a 0-d Tensor, ints as int64."""
    return Tensor(input_x)


def tuple_to_array(input_x):
    """A tuple of numbers as a vector: int32 for ints, else float32.  Raises DTypeError unless it is a tuple."""
    if not isinstance(input_x, tuple):
        raise dtype_error(f"tuple_to_array takes a tuple of numbers, got {shown(input_x)}")
    return Tensor(input_x, dt.int32 if all(isinstance(v, int) for v in input_x) else dt.float32)
