"""Sums, means, extremes and other combinations along axes.

Everywhere: axis None (or an empty tuple) means all axes, a negative axis counts from the end, and an axis out of range
is a ShapeError (a ValueError).  16-bit floats are accumulated in float32.
"""
from __future__ import annotations

import math

from graphcore.ops import pointwise as pw
from graphcore.ops import reduction as records
from graphcore.ops import sorting, structural
from graphcore.ops.functional.arguments import (
    Dim,
    Tensor,
    also_named,
    apply,
    axes_of,
    axis_of,
    cast,
    dt,
    dtype_error,
    floating,
    is_number,
    promote,
    sequence_like,
    shape_error,
    size_as_tensor,
    tensor_of,
    widened,
)
from graphcore.ops.functional.arithmetic import clamp, div, mul, pow, sub
from graphcore.ops.functional.comparison import as_bool, where
from graphcore.ops.functional.elementary import abs as abs_
from graphcore.ops.functional.elementary import exp, log, sqrt, square
from graphcore.ops.view import reshape

__all__ = [
    "sum", "mean", "prod", "max", "amax", "min", "amin", "aminmax", "argmax", "argmin", "all", "any", "var", "std",
    "var_mean", "std_mean", "logsumexp", "norm", "vector_norm", "matrix_norm", "nansum", "nanmean", "count_nonzero",
    "reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "clip_by_norm", "clip_by_global_norm",
]


def reduce(record, x: Tensor, axis, keepdims: bool, name: str) -> Tensor:
    """Apply a reduction record along `axis`."""
    return apply(record, x, axes=axes_of(axis, x.ndim, name), keepdims=bool(keepdims))


def count_of(x: Tensor, axes: tuple):
    """How many elements of `x` are combined along `axes`; an int or a symbolic size."""
    total = 1
    for axis in axes:
        total = x.shape[axis] * total
    return total


def divided_by_count(total: Tensor, count) -> Tensor:
    """`total` / `count`, where the count may be a symbolic size."""
    return div(total, cast(size_as_tensor(count), total.dtype) if isinstance(count, Dim) else float(count))


@also_named(axis="dim", keepdims="keepdim", keep_dims="keepdim", x="input")
def sum(input, dim=None, keepdim=False, *, dtype=None):
    """The sum along `dim`.

    Integers and bools are summed in int64, unless `dtype` is given; floats keep their dtype.
    """
    x = tensor_of(input, "sum")
    if dtype is not None:
        x = cast(x, dt.as_dtype(dtype))
    elif not x.dtype.is_float:
        x = cast(x, dt.int64)
    return reduce(records.sum_, x, dim, keepdim, "sum")


@also_named(keepdims="keep_dims", keepdim="keep_dims", dim="axis", input="x")
def mean(x, axis=None, keep_dims=False):
    """The mean along `axis`; integers give their own dtype, rounded towards zero.  Raises DTypeError for bools."""
    x = tensor_of(x, "mean")
    if x.dtype.is_bool:
        raise dtype_error("mean of bools is not defined; convert them with .astype(ms.float32)")
    axes = axes_of(axis, x.ndim, "mean")
    wide = cast(x, dt.float64) if x.dtype.is_integer else widened(x)
    total = apply(records.sum_, wide, axes=axes, keepdims=bool(keep_dims))
    return cast(divided_by_count(total, count_of(x, axes)), x.dtype)


@also_named(keepdims="keep_dims", keepdim="keep_dims", dim="axis", x="input")
def prod(input, axis=None, keep_dims=False, dtype=None):
    """The product along `axis`; integers and bools in int64, unless `dtype` is given."""
    x = tensor_of(input, "prod")
    if dtype is not None:
        x = cast(x, dt.as_dtype(dtype))
    elif not x.dtype.is_float:
        x = cast(x, dt.int64)
    return reduce(records.prod, x, axis, keep_dims, "prod")


def _extreme(name: str, record, order, place, summary: str):
    @also_named(dim="axis", keepdim="keepdims", keep_dims="keepdims", x="input")
    def with_index(input, axis=None, keepdims=False, *, initial=None, where=None):
        x = _bounded(tensor_of(input, name), initial, where, order)
        if axis is None:
            return reduce(record, x, None, False, name), Tensor(0, dt.int64)     # MindSpore's, whatever the place
        axis = axis_of(axis, x.ndim, name)
        return reduce(record, x, axis, keepdims, name), _place(place, x, axis, keepdims, dt.int64)

    @also_named(dim="axis", keepdim="keepdims", keep_dims="keepdims", x="input")
    def value_only(input, axis=None, keepdims=False, *, initial=None, where=None):
        return reduce(record, _bounded(tensor_of(input, name), initial, where, order), axis, keepdims, name)

    common = ("    initial: number; where: bool Tensor: elements where it is false count as `initial`.\n"
              "    Raises ShapeError for an axis out of range or without elements.\n    ")
    with_index.__doc__ = (f"(value, index) of the {summary} element along one axis, the int64 index of the first of "
                          f"equals; axis None: of all, and 0.\n\n{common}")
    value_only.__doc__ = f"The {summary} element along `axis` (None: of all; a tuple of ints: of several).\n\n{common}"
    with_index.__name__, value_only.__name__ = name, f"a{name}"
    return with_index, value_only


def _bounded(x: Tensor, initial, mask, order) -> Tensor:
    if mask is not None:
        if initial is None:
            raise shape_error("where= needs initial=, the value of the elements that it leaves out")
        x = where(mask, x, Tensor(initial, x.dtype))
    return x if initial is None else apply(order, x, Tensor(initial, x.dtype))


max, amax = _extreme("max", records.max_, pw.maximum, sorting.argmax, "largest")
min, amin = _extreme("min", records.min_, pw.minimum, sorting.argmin, "smallest")


def aminmax(input, *, axis=0, keepdims=False):
    """(smallest, largest) along `axis` (None: of all) of the elements that are not NaN; NaN where there is none."""
    x = tensor_of(input, "aminmax")
    if not x.dtype.is_float:
        return amin(x, axis, keepdims), amax(x, axis, keepdims)
    lost = apply(pw.is_nan, x)
    low = amin(where(lost, Tensor(math.inf, x.dtype), x), axis, keepdims)
    high = amax(where(lost, Tensor(-math.inf, x.dtype), x), axis, keepdims)
    empty = all(lost, axis, keepdims)
    return tuple(where(empty, Tensor(math.nan, x.dtype), v) for v in (low, high))


def _place(record, input, axis, keepdims, dtype) -> Tensor:
    x = tensor_of(input, record.name)
    if axis is None:
        x, axis, keepdims = apply(reshape, x, shape=(x.size,)), 0, False
    if x.dtype.is_bool:
        x = cast(x, dt.int32)
    return apply(record, x, axis=axis_of(axis, x.ndim, record.name), keepdims=bool(keepdims), dtype=dtype)


@also_named(axis="dim", keepdims="keepdim", keep_dims="keepdim")
def argmax(input, dim=None, keepdim=False):
    """The int64 index of the largest element along `dim` (None: in the flattened tensor); the first of equals."""
    return _place(sorting.argmax, input, dim, keepdim, dt.int64)


@also_named(dim="axis", keepdim="keepdims", keep_dims="keepdims")
def argmin(input, axis=None, keepdims=False):
    """The int32 index of the smallest element along `axis` (None: in the flattened tensor); the first of equals."""
    return _place(sorting.argmin, input, axis, keepdims, dt.int32)


@also_named(dim="axis", keepdims="keep_dims", keepdim="keep_dims")
def all(input, axis=None, keep_dims=False):
    """True where all elements along `axis` are true (not 0)."""
    return reduce(records.all_, as_bool(input), axis, keep_dims, "all")


@also_named(dim="axis", keepdims="keep_dims", keepdim="keep_dims")
def any(input, axis=None, keep_dims=False):
    """True where any element along `axis` is true (not 0)."""
    return reduce(records.any_, as_bool(input), axis, keep_dims, "any")


# -- variance and norms -----------------------------------------------------------------------------------

def moments(x: Tensor, axes: tuple, ddof=0, keepdims=True) -> tuple:
    """(variance, mean) of a float Tensor along `axes`: the mean of (x - mean)^2, in the accuracy of `widened`."""
    x = widened(x)
    count = count_of(x, axes)
    centre = divided_by_count(apply(records.sum_, x, axes=axes, keepdims=True), count)
    squares = apply(records.sum_, square(sub(x, centre)), axes=axes, keepdims=keepdims)
    variance = divided_by_count(squares, count - ddof)
    if not keepdims:
        centre = apply(reshape, centre, shape=variance.shape)
    return variance, centre


def _spread(input, axis, ddof, keepdims, name):
    x = tensor_of(input, name)
    if not x.dtype.is_float:
        raise dtype_error(f"{name} takes float tensors, got {x.dtype.name}; convert it with .astype(ms.float32)")
    variance, centre = moments(x, axes_of(axis, x.ndim, name), int(ddof), bool(keepdims))
    return cast(variance, x.dtype), cast(centre, x.dtype)


@also_named(dim="axis", keepdim="keepdims", correction="ddof")
def var(input, axis=None, ddof=0, keepdims=False):
    """The variance along `axis`, divided by n - ddof.  Raises DTypeError unless the input is float."""
    return _spread(input, axis, ddof, keepdims, "var")[0]


def root(x: Tensor) -> Tensor:
    """The square root of what is not negative; its gradient at 0 is 0, where that of `sqrt` is infinite."""
    positive = apply(pw.gt, x, Tensor(0, x.dtype))
    return apply(pw.select, positive, sqrt(apply(pw.select, positive, x, Tensor(1, x.dtype))), x)


@also_named(dim="axis", keepdim="keepdims", correction="ddof")
def std(input, axis=None, ddof=0, keepdims=False):
    """The standard deviation along `axis`; see `var`."""
    return root(var(input, axis, ddof, keepdims))


def var_mean(input, axis=None, ddof=0, keepdims=False):
    """(variance, mean) along `axis`; see `var`."""
    return _spread(input, axis, ddof, keepdims, "var_mean")


def std_mean(input, axis=None, ddof=0, keepdims=False):
    """(standard deviation, mean) along `axis`; see `var`."""
    variance, centre = var_mean(input, axis, ddof, keepdims)
    return root(variance), centre


@also_named(axis="dim", keepdims="keepdim", keep_dims="keepdim")
def logsumexp(input, dim, keepdim=False):
    """log(sum(e^input)) along `dim`, without overflow."""
    x = floating(tensor_of(input, "logsumexp"))
    wide = widened(x)
    axes = axes_of(dim, x.ndim, "logsumexp")
    top = apply(structural.stop_gradient, apply(records.max_, wide, axes=axes, keepdims=True))
    top = where(apply(pw.is_finite, top), top, 0.0)
    total = log(apply(records.sum_, exp(sub(wide, top)), axes=axes, keepdims=bool(keepdim)))
    return cast(total + (top if keepdim else apply(reshape, top, shape=total.shape)), x.dtype)


@also_named(axis="dim", keepdims="keepdim", p="ord")
def norm(A, ord=None, dim=None, keepdim=False, *, dtype=None):
    """The norm of vectors or matrices along `dim` (None: of the flattened tensor; a pair of axes: of matrices).

    ord: a number p, inf, -inf or None (2) for vectors; "fro", "nuc", 1, -1, 2, -2, inf, -inf for matrices.
    Raises ValueError for another `ord`.
    """
    x = floating(tensor_of(A, "norm"))
    if dtype is not None:
        x = cast(x, dt.as_dtype(dtype))
    if ord is None or ord == "fro" or dim is None and x.ndim != 2 or isinstance(dim, int):
        return vector_norm(x, 2 if ord in (None, "fro") else ord, dim, keepdim)
    return matrix_norm(x, ord, dim or (0, 1), keepdim)


@also_named(dim="axis", keepdim="keepdims")
def vector_norm(x, ord=2, axis=None, keepdims=False, *, dtype=None):
    """The vector norm along `axis`: sum(|x|^ord)^(1/ord), or the largest or smallest |x| for inf and -inf."""
    x = floating(tensor_of(x, "vector_norm"))
    if not is_number(ord):
        raise shape_error(f"the order of a vector norm is a number, got {ord!r}")
    if ord == math.inf:
        result = amax(abs_(x), axis, keepdims)
    elif ord == -math.inf:
        result = amin(abs_(x), axis, keepdims)
    elif ord == 0:
        result = sum(cast(as_bool(x), x.dtype), axis, keepdims)
    elif ord == 1:
        result = sum(abs_(x), axis, keepdims)
    elif ord == 2:
        result = cast(root(sum(square(widened(x)), axis, keepdims)), x.dtype)
    else:
        result = pow(sum(pow(abs_(x), ord), axis, keepdims), 1.0 / ord)
    return result if dtype is None else cast(result, dt.as_dtype(dtype))


def _norm_of_singular_values(x: Tensor, ord, axes: tuple, keepdims: bool) -> Tensor:
    """The sum ("nuc"), the largest (2) or the smallest (-2) of the singular values of the matrices along two axes."""
    from graphcore.ops.functional.decompositions import svd
    from graphcore.ops.functional.shaping import moveaxis
    values = svd(moveaxis(x, axes, (-2, -1)), compute_uv=False)
    result = sum(values, -1) if ord == "nuc" else (amax if ord > 0 else amin)(values, -1)
    if not keepdims:
        return result
    return apply(reshape, result, shape=tuple(1 if i in axes else s for i, s in enumerate(x.shape)))


def matrix_norm(A, ord="fro", axis=(-2, -1), keepdims=False, *, dtype=None):
    """The matrix norm over a pair of axes: "fro", "nuc", 1, -1, 2, -2, inf or -inf.  Raises ValueError for another."""
    x = floating(tensor_of(A, "matrix_norm"))
    row, column = (axis_of(a, x.ndim, "matrix_norm") for a in axis)
    if ord == "fro":
        return vector_norm(x, 2, (row, column), keepdims, dtype=dtype)
    if ord in ("nuc", 2, -2):
        result = _norm_of_singular_values(x, ord, (row, column), keepdims)
        return result if dtype is None else cast(result, dt.as_dtype(dtype))
    if ord not in (1, -1, math.inf, -math.inf):
        raise shape_error(f"matrix_norm: ord is 'fro', 'nuc', 1, -1, 2, -2, inf or -inf, got {ord!r}")
    summed, compared = (row, column) if ord in (1, -1) else (column, row)
    sums = sum(abs_(x), summed, True)
    result = (amax if ord > 0 else amin)(sums, compared, True)
    if not keepdims:
        result = apply(reshape, result, shape=tuple(s for i, s in enumerate(x.shape) if i not in (row, column)))
    return result if dtype is None else cast(result, dt.as_dtype(dtype))


# -- NaN, counting and MindSpore's older names ---------------------------------------------------------------

@also_named(dim="axis", keepdim="keepdims")
def nansum(input, axis=None, keepdims=False, *, dtype=None):
    """The sum along `axis`, NaN counted as 0."""
    x = tensor_of(input, "nansum")
    x = where(apply(pw.is_nan, x), 0.0, x) if x.dtype.is_float else x
    return sum(x, axis, keepdims, dtype=dtype)


def nanmean(input, axis=None, keepdims=False, *, dtype=None):
    """The mean along `axis` of what is not NaN."""
    x = floating(tensor_of(input, "nanmean"))
    present = cast(apply(pw.logical_not, apply(pw.is_nan, x)), x.dtype)
    result = div(nansum(x, axis, keepdims), sum(present, axis, keepdims))
    return result if dtype is None else cast(result, dt.as_dtype(dtype))


def count_nonzero(x, axis=(), keep_dims=False, dtype=dt.int32):
    """How many elements along `axis` are not 0."""
    return sum(cast(as_bool(x), dt.as_dtype(dtype)), axis, keep_dims, dtype=dtype)


def reduce_sum(x, axis=()):
    """The sum along `axis` in the dtype of x; of bools, whether any is true."""
    x = tensor_of(x, "reduce_sum")
    return any(x, axis) if x.dtype.is_bool else sum(x, axis, dtype=x.dtype)


def reduce_mean(x, axis=()):
    """The mean along `axis`; see `mean`."""
    return mean(x, axis)


def reduce_max(x, axis=()):
    """The largest element along `axis`."""
    return amax(x, axis)


def reduce_min(x, axis=()):
    """The smallest element along `axis`."""
    return amin(x, axis)


# -- clipping by norms ----------------------------------------------------------------------------------------

def clip_by_norm(x, max_norm, norm_type=2.0, error_if_nonfinite=False):
    """Scale a Tensor, or the Tensors of a list or tuple together, so that their norm is at most `max_norm`."""
    many = isinstance(x, (list, tuple))
    tensors = [tensor_of(t, "clip_by_norm") for t in (x if many else (x,))]
    total = _norm_of_norms(tensors, norm_type)
    scale = clamp(div(float(max_norm), total + 1e-6), max=1.0)
    clipped = [cast(mul(t, scale), t.dtype) for t in tensors]
    return sequence_like(x, clipped) if many else clipped[0]


def _norm_of_norms(tensors, norm_type) -> Tensor:
    norms = [vector_norm(widened(t), norm_type) for t in tensors]
    if norm_type == math.inf:
        largest = norms[0]
        for n in norms[1:]:
            largest = apply(pw.maximum, largest, n)
        return largest
    total = pow(norms[0], norm_type)
    for n in norms[1:]:
        total = total + pow(n, norm_type)
    return pow(total, 1.0 / norm_type)


def clip_by_global_norm(x, clip_norm=1.0, use_norm=None):
    """Scale a tuple or list of Tensors by clip_norm / max(global norm, clip_norm).

    The global norm is the root of the sum of all squares.  Raises ValueError unless clip_norm is positive.
    """
    if is_number(clip_norm) and clip_norm <= 0:
        raise shape_error(f"clip_norm must be positive, got {clip_norm}")
    tensors = [tensor_of(t, "clip_by_global_norm") for t in x]
    squares = [apply(records.sum_, square(widened(t)), axes=tuple(range(t.ndim)), keepdims=False) for t in tensors]
    total = squares[0]
    for s in squares[1:]:
        total = total + s
    scale = div(clip_norm, clamp(sqrt(total), min=clip_norm))
    return tuple(cast(mul(t, cast(scale, promote(t.dtype, scale.dtype))), t.dtype) for t in tensors)
