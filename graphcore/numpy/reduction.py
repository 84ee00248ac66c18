"""Sums, means, extremes, products of arrays along axes, and what is made of them."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore.numpy.arguments import array_like, arrays_like, converted, dtype_of, floats_like, with_dtype
from graphcore.ops import functional as F
from graphcore.ops.functional.arguments import axes_of, axis_of, same_dtype, shape_error


def _narrow(x):
    """Bools as int32, as NumPy counts them."""
    return F.cast(x, dt.int32) if x.dtype.is_bool else x


def sum(a, axis=None, dtype=None, keepdims=False, initial=None):
    """The sum along axes, integers and bools in int64, unless `dtype` is given; plus `initial`."""
    total = F.sum(array_like(a), axis, keepdims, dtype=None if dtype is None else dtype_of(dtype))
    return total if initial is None else F.add(total, initial)


def mean(a, axis=None, keepdims=False, dtype=None):
    """The mean along axes; of integers in float32."""
    return converted(F.mean(floats_like(a), axis, keepdims), dtype)


def _extreme(name, function, reference):
    def extreme(a, axis=None, keepdims=False, initial=None, where=True):
        return function(array_like(a), axis, keepdims, initial=initial,
                        where=None if where is True else F.cast(array_like(where), dt.bool_))
    extreme.__name__ = extreme.__qualname__ = name
    extreme.__doc__ = (f"The {reference} element along axes; where `where` is false, `initial` counts instead.\n\n"
                       "    Raises ValueError for `where` without `initial`.\n    ")
    return extreme


max = amax = _extreme("amax", F.amax, "largest")
min = amin = _extreme("amin", F.amin, "smallest")


def argmax(a, axis=None):
    """The index of the largest element along an axis; None: in the flattened array."""
    return F.argmax(array_like(a), axis)


def argmin(a, axis=None):
    """The index of the smallest element along an axis; None: in the flattened array."""
    return F.argmin(array_like(a), axis)


def ptp(x, axis=None, keepdims=False):
    """The largest element minus the smallest."""
    x = array_like(x)
    return F.sub(F.amax(x, axis, keepdims), F.amin(x, axis, keepdims))


def var(x, axis=None, ddof=0, keepdims=False):
    """The mean square of the distances from the mean; the count less `ddof`."""
    return F.var(floats_like(x), axis, ddof, keepdims)


def std(x, axis=None, ddof=0, keepdims=False):
    """The square root of `var`."""
    return F.sqrt(var(x, axis, ddof, keepdims))


def average(x, axis=None, weights=None, returned=False):
    """The mean along axes, weighted; `returned`: also the sum of the weights.

    weights: of the shape of `x`, or a vector along the axis.  Raises ValueError for another shape.
    """
    x = floats_like(x)
    if weights is None:
        result = mean(x, axis)
        return (result, F.full_like(result, x.size / result.size)) if returned else result
    weights = F.arguments.floating(array_like(weights))
    if weights.shape != x.shape:
        if axis is None or weights.ndim != 1 or weights.size != x.shape[axis_of(axis, x.ndim, "average")]:
            raise shape_error(f"average: weights of shape {weights.shape} for an array of shape {x.shape}; give a "
                              "weight for each element, or axis= and a vector along it")
        axis = axis_of(axis, x.ndim, "average")
        weights = F.reshape(weights, (1,) * axis + (-1,) + (1,) * (x.ndim - axis - 1))
    weights = F.broadcast_to(weights, x.shape)
    total = F.sum(weights, axis)
    result = F.div(F.sum(F.mul(x, weights), axis), total)
    return (result, total) if returned else result


def count_nonzero(x, axis=None, keepdims=False):
    """How many elements along axes are not 0."""
    return F.sum(F.cast(F.not_equal(array_like(x), 0), dt.int32), axis, keepdims, dtype=dt.int32)


def sometrue(a, axis=None, keepdims=False):
    """Whether an element along axes is true, that is not 0."""
    return F.any(F.cast(array_like(a), dt.bool_), axis, keepdims)


# -- without NaN ----------------------------------------------------------------------------------------------

def _without_nan(a, filling):
    """(the array with `filling` for NaN, where it has numbers)."""
    a = floats_like(a)
    known = F.logical_not(F.isnan(a))
    return F.where(known, a, F.full((), filling, dtype=a.dtype)), known


def _nothing_is_nan(result, known, axis, keepdims):
    """NaN where there is no number along the axes."""
    return F.where(F.any(known, axis, keepdims), result, F.full((), float("nan"), dtype=result.dtype))


def nanmax(a, axis=None, dtype=None, keepdims=False):
    """The largest number along axes, leaving NaN out; NaN where there is none."""
    a, known = _without_nan(a, -float("inf"))
    return converted(_nothing_is_nan(F.amax(a, axis, keepdims), known, axis, keepdims), dtype)


def nanmin(a, axis=None, dtype=None, keepdims=False):
    """The smallest number along axes, leaving NaN out; NaN where there is none."""
    a, known = _without_nan(a, float("inf"))
    return converted(_nothing_is_nan(F.amin(a, axis, keepdims), known, axis, keepdims), dtype)


def nansum(a, axis=None, dtype=None, keepdims=False):
    """The sum along axes, NaN counting as 0."""
    return converted(F.sum(_without_nan(a, 0)[0], axis, keepdims), dtype)


def nanmean(a, axis=None, dtype=None, keepdims=False):
    """The mean of the numbers along axes, leaving NaN out."""
    a, known = _without_nan(a, 0)
    return converted(F.div(F.sum(a, axis, keepdims), F.sum(F.cast(known, a.dtype), axis, keepdims)), dtype)


def nanvar(a, axis=None, dtype=None, ddof=0, keepdims=False):
    """The variance of the numbers along axes, leaving NaN out."""
    filled, known = _without_nan(a, 0)
    count = F.sum(F.cast(known, filled.dtype), axis, True)
    distance = F.where(known, F.sub(filled, F.div(F.sum(filled, axis, True), count)), F.zeros((), filled.dtype))
    total = F.sum(F.square(distance), axis, keepdims)
    return converted(F.div(total, F.sub(F.reshape(count, total.shape), ddof)), dtype)


def nanstd(a, axis=None, dtype=None, ddof=0, keepdims=False):
    """The square root of `nanvar`."""
    return converted(F.sqrt(nanvar(a, axis, None, ddof, keepdims)), dtype)


# -- running --------------------------------------------------------------------------------------------------

def cumsum(a, axis=None, dtype=None):
    """The running sum along an axis (None: of the flattened array)."""
    a = converted(_narrow(array_like(a)), dtype)
    return F.cumsum(F.ravel(a), 0) if axis is None else F.cumsum(a, axis)


def cumprod(a, axis=None, dtype=None):
    """The running product along an axis (None: of the flattened array)."""
    a = converted(_narrow(array_like(a)), dtype)
    return F.cumprod(F.ravel(a), 0) if axis is None else F.cumprod(a, axis)


def nancumsum(a, axis=None, dtype=None):
    """`cumsum`, NaN counting as 0."""
    return cumsum(_without_nan(a, 0)[0], axis, dtype)


# -- products of arrays ---------------------------------------------------------------------------------------

@with_dtype
def matmul(x1, x2):
    """The matrix product; leading axes broadcast, vectors count as a row and as a column."""
    return F.matmul(*same_dtype(arrays_like(x1, x2)))


def dot(a, b):
    """The sum of products over the last axis of `a` and the second to last (of a vector: the only) one of `b`."""
    a, b = same_dtype(arrays_like(a, b))
    return F.dot(a, b)


def inner(a, b):
    """The sum of products over the last axes."""
    a, b = same_dtype(arrays_like(a, b))
    return F.inner(a, b)


def outer(a, b):
    """All products of the elements of two arrays, flattened."""
    a, b = same_dtype(arrays_like(a, b))
    return F.outer(F.ravel(a), F.ravel(b))


def tensordot(a, b, axes=2):
    """The sum of products over pairs of axes: the last `axes` of `a` with the first of `b`, or a pair of lists."""
    a, b = same_dtype(arrays_like(a, b))
    return F.tensor_dot(a, b, axes)


def kron(a, b):
    """The Kronecker product: every element of `a` times the whole of `b`."""
    return F.kron(*same_dtype(arrays_like(a, b)))


def cross(a, b, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """The cross product of vectors of 3 (or 2, a third component of 0) along an axis of each.

    axisc: where the components of the result are.  axis: stands for all three.  Raises ValueError for other sizes.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = same_dtype(arrays_like(a, b))
    a, b = F.moveaxis(a, axisa, -1), F.moveaxis(b, axisb, -1)
    sizes = a.shape[-1], b.shape[-1]
    if not {*sizes} <= {2, 3}:
        raise shape_error(f"cross takes vectors of 2 or 3 components, got {sizes[0]} and {sizes[1]}")
    a, b = F.broadcast_tensors(*(F.pad(v, (0, 1)) if v.shape[-1] == 2 else v for v in (a, b)))
    result = F.cross(a, b, -1)
    return result[..., 2] if sizes == (2, 2) else F.moveaxis(result, -1, axisc)


def multi_dot(arrays):
    """The product of a chain of matrices in the order that needs the fewest multiplications.

    The first and last may be vectors.  Raises ValueError for fewer than two.
    """
    arrays = same_dtype(arrays_like(*arrays))
    if len(arrays) < 2:
        raise shape_error(f"multi_dot takes two matrices or more, got {len(arrays)}")
    is_row, is_column = arrays[0].ndim == 1, arrays[-1].ndim == 1
    first = F.expand_dims(arrays[0], 0) if is_row else arrays[0]
    last = F.expand_dims(arrays[-1], 1) if is_column else arrays[-1]
    result = _cheapest([first, *arrays[1:-1], last])
    axes = (0,) * is_row + (-1,) * is_column
    return F.squeeze(result, axes) if axes else result


def _cheapest(matrices):
    sizes = [matrices[0].shape[0], *(m.shape[1] for m in matrices)]
    count = len(matrices)
    cost = {(i, i): (0, i) for i in range(count)}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            cost[i, j] = sorted((cost[i, k][0] + cost[k + 1, j][0] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                                for k in range(i, j))[0]

    def product(i, j):
        if i == j:
            return matrices[i]
        k = cost[i, j][1]
        return F.matmul(product(i, k), product(k + 1, j))
    return product(0, count - 1)


def matrix_power(a, n):
    """The n-fold product of a square matrix with itself; n of 0 or more.  Raises ValueError otherwise."""
    a = array_like(a)
    if n < 0 or a.ndim < 2 or a.shape[-1] != a.shape[-2]:
        raise shape_error(f"matrix_power takes a square matrix and n >= 0, got shape {a.shape} and n = {n}")
    result = None
    while n:
        if n & 1:
            result = a if result is None else F.matmul(result, a)
        n >>= 1
        a = F.matmul(a, a) if n else a
    return F.broadcast_to(F.eye(a.shape[-1], dtype=a.dtype), a.shape) if result is None else result


def norm(x, ord=None, axis=None, keepdims=False):
    """The norm of vectors or matrices along one or two axes.

    ord: None (the square root of the sum of squares), a number or ±inf; of matrices "fro", 1, -1, inf, -inf.
    """
    x = floats_like(x)
    if ord is None and (axis is None or not isinstance(axis, int)):
        return F.sqrt(F.sum(F.square(x), axis, keepdims))
    axes = axes_of(axis, x.ndim, "norm")
    if len(axes) == 1:
        return F.vector_norm(x, 2 if ord is None else ord, axes[0], keepdims)
    return F.matrix_norm(x, "fro" if ord is None else ord, axes, keepdims)


# -- covariance -----------------------------------------------------------------------------------------------

def cov(m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None, dtype=None):
    """The covariances of variables, a row each (``rowvar=False``: a column), and those of `y`.

    bias: divide by the count rather than the count less 1; ddof: less this; fweights, aweights: how often, and how
    much, an observation counts.  Raises ValueError for more than 2 axes.
    """
    m = _variables(m, rowvar)
    if y is not None:
        m = F.concat(same_dtype([m, _variables(y, rowvar)]), 0)
    ddof = (0 if bias else 1) if ddof is None else ddof
    weights = None
    for w in (fweights, aweights):
        if w is not None:
            w = floats_like(w)
            weights = w if weights is None else F.mul(weights, w)
    if weights is None:
        total = divisor = float(m.shape[1])
        centred = F.sub(m, F.mean(m, 1, True))
        divisor = total - ddof
        return converted(F.div(F.matmul(centred, F.transpose(centred, (1, 0))), divisor), dtype)
    total = F.sum(weights)
    centred = F.sub(m, F.div(F.sum(F.mul(m, weights), 1, True), total))
    less = F.mul(ddof, total if aweights is None else F.div(F.sum(F.mul(weights, floats_like(aweights))), total))
    divisor = F.sub(total, ddof if aweights is None else less)
    return converted(F.div(F.matmul(F.mul(centred, weights), F.transpose(centred, (1, 0))), divisor), dtype)


def _variables(m, rowvar):
    m = floats_like(m)
    if m.ndim > 2:
        raise shape_error(f"cov takes a vector or a matrix, got shape {m.shape}")
    if m.ndim < 2:
        return F.reshape(m, (1, -1))
    return m if rowvar or m.shape[0] == 1 else F.transpose(m, (1, 0))


def corrcoef(x, y=None, rowvar=True, dtype=None):
    """The correlations of variables; see `cov`."""
    c = cov(x, y, rowvar)
    if c.size == 1:
        return converted(F.div(c, c), dtype)
    scale = F.sqrt(F.diagonal(c))
    c = F.div(F.div(c, F.expand_dims(scale, 1)), F.expand_dims(scale, 0))
    return converted(F.clamp(c, -1.0, 1.0), dtype)


__all__ = ["max", "min", *(n for n, v in list(globals().items())
                           if not n.startswith("_") and getattr(v, "__module__", "") == __name__)]
