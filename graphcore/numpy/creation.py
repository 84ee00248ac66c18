"""New arrays: filled, counted, random, windows, triangles and their indices."""
from __future__ import annotations

import math

from graphcore import dtype as dt
from graphcore.numpy.arguments import array_like, converted, dtype_of, floats_like
from graphcore.ops import functional as F
from graphcore.ops.functional.arguments import axis_of, dtype_error, is_number, shape_error, shown, sizes_of
from graphcore.tensor import Tensor


def array(obj, dtype=None, copy=True, ndmin=0):
    """A Tensor of numbers, lists, tuples or a Tensor, with at least `ndmin` axes.

    Python ints give int32, floats float32.  Raises DTypeError for what is no array.
    """
    made = asarray(obj, dtype)
    if ndmin > made.ndim:
        made = F.reshape(made, (1,) * (ndmin - made.ndim) + made.shape)
    return made.copy() if copy and isinstance(obj, Tensor) else made


def asarray(a, dtype=None):
    """`a` as a Tensor; a Tensor stays itself.  Python ints give int32, floats float32, unless `dtype` is given."""
    return converted(array_like(a, "asarray"), dtype)


def asfarray(a, dtype=dt.float32):
    """`a` as a Tensor of floats: of `dtype`, where that is a float dtype, else of float32."""
    wanted = None if dtype is None else dtype_of(dtype)
    return converted(array_like(a, "asfarray"), wanted if wanted is not None and wanted.is_float else dt.float32)


def copy(a):
    """A copy of `a`."""
    return array_like(a, "copy").copy()


# -- filled ---------------------------------------------------------------------------------------------------

def zeros(shape, dtype=dt.float32):
    """Zeros of `shape`."""
    return F.zeros(sizes_of(shape, "zeros"), dtype_of(dtype))


def ones(shape, dtype=dt.float32):
    """Ones of `shape`."""
    return F.ones(sizes_of(shape, "ones"), dtype_of(dtype))


def empty(shape, dtype=dt.float32):
    """A Tensor of `shape` whose values do not matter; they are zeros."""
    return zeros(shape, dtype)


def full(shape, fill_value, dtype=None):
    """`fill_value`, a number or an array that broadcasts, in `shape`."""
    value = converted(array_like(fill_value, "full"), dtype)
    return F.broadcast_to(value, sizes_of(shape, "full"))


def _like(prototype, dtype, shape):
    """(shape, dtype) for a function ``..._like(prototype, dtype, shape)``."""
    prototype = array_like(prototype)
    return (prototype.shape if shape is None else shape), (prototype.dtype if dtype is None else dtype)


def zeros_like(a, dtype=None, shape=None):
    """Zeros of the shape and dtype of `a`, unless others are given."""
    return zeros(*_like(a, dtype, shape))


def ones_like(a, dtype=None, shape=None):
    """Ones of the shape and dtype of `a`, unless others are given."""
    return ones(*_like(a, dtype, shape))


def empty_like(prototype, dtype=None, shape=None):
    """As `zeros_like`."""
    return zeros_like(prototype, dtype, shape)


def full_like(a, fill_value, dtype=None, shape=None):
    """`fill_value` in the shape and dtype of `a`, unless others are given."""
    shape, dtype = _like(a, dtype, shape)
    return full(shape, fill_value, dtype)


def eye(N, M=None, k=0, dtype=dt.float32):
    """N rows and M columns (N if None) with ones on diagonal `k`."""
    return _where_offset(N, M, lambda offset: F.equal(offset, k), dtype)


def identity(n, dtype=dt.float32):
    """The n x n identity matrix."""
    return eye(n, dtype=dtype)


def tri(N, M=None, k=0, dtype=dt.float32):
    """N rows and M columns (N if None) with ones on diagonal `k` and below."""
    return _where_offset(N, M, lambda offset: F.less_equal(offset, k), dtype)


def _where_offset(rows, columns, test, dtype):
    """Ones where ``test(column - row)``."""
    columns = rows if columns is None else columns
    offset = F.sub(F.expand_dims(F.arange(columns), 0), F.expand_dims(F.arange(rows), 1))
    return F.cast(test(offset), dtype_of(dtype))


def tril(m, k=0):
    """`m` with zeros above diagonal `k` of its last two axes; a vector counts as each of the rows."""
    return _triangle(m, k, True)


def triu(m, k=0):
    """`m` with zeros below diagonal `k` of its last two axes; a vector counts as each of the rows."""
    return _triangle(m, k, False)


def _triangle(m, k, lower):
    m = array_like(m)
    if m.ndim == 1:
        m = F.broadcast_to(m, (m.size, m.size))
    mask = tri(*m.shape[-2:], k if lower else k - 1, dt.bool_)
    return F.where(mask if lower else F.logical_not(mask), m, F.zeros((), m.dtype))


# -- counted --------------------------------------------------------------------------------------------------

def arange(start, stop=None, step=None, dtype=None):
    """start, start + step, ... below `stop`; ``arange(stop)`` counts from 0.

    Ints give int32, floats float32.  Raises ValueError for a step of 0.
    """
    start, stop, step = (0, start, 1 if step is None else step) if stop is None else (
        start, stop, 1 if step is None else step)
    if step == 0:
        raise shape_error("arange: the step must not be 0")
    made = (F.arange(start, stop, step) if (stop - start) * step > 0 else F.zeros((0,)))
    whole = all(isinstance(v, int) for v in (start, stop, step))
    return F.cast(made, dtype_of(dtype) if dtype is not None else dt.int32 if whole else dt.float32)


def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """`num` values from `start` to `stop` (without it, unless `endpoint`) along a new axis `axis`.

    start, stop: numbers or arrays, broadcast.  retstep: give (values, step).  Raises ValueError for a negative num.
    """
    if not isinstance(num, int) or num < 0:
        raise shape_error(f"linspace: num must be an int of 0 or more, got {num!r}")
    start, stop = F.broadcast_tensors(floats_like(start), floats_like(stop))
    parts = num - 1 if endpoint else num
    step = F.div(F.sub(stop, start), parts) if parts else F.full_like(start, math.nan)
    places = F.reshape(F.cast(F.arange(num), start.dtype), (num,) + (1,) * start.ndim)
    values = F.add(start, F.mul(places, step)) if parts else F.broadcast_to(start, (num, *start.shape))
    if endpoint and num > 1:        # rounding must not move the end
        values = F.where(F.equal(places, num - 1), stop, values)
    values = converted(F.moveaxis(values, 0, axis_of(axis, values.ndim, "linspace")), dtype)
    return (values, step) if retstep else values


def logspace(start, stop, num=50, endpoint=True, base=10.0, dtype=None, axis=0):
    """`base` to the powers of `linspace`."""
    return converted(F.pow(floats_like(base), linspace(start, stop, num, endpoint, axis=axis)), dtype)


def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """`num` values from `start` to `stop`, each the same multiple of the one before."""
    start, stop = F.broadcast_tensors(floats_like(start), floats_like(stop))
    places = linspace(F.zeros(()), F.ones(()), num, endpoint)
    places = F.reshape(places, (num,) + (1,) * start.ndim)
    values = F.mul(start, F.pow(F.div(stop, start), places))
    return converted(F.moveaxis(values, 0, axis_of(axis, values.ndim, "geomspace")), dtype)


def indices(dimensions, dtype=dt.int32, sparse=False):
    """For each axis of a grid the indices along it; `sparse`: not broadcast to the grid."""
    dimensions = sizes_of(dimensions, "indices")
    grid = [F.reshape(F.cast(F.arange(n), dtype_of(dtype)), (1,) * i + (n,) + (1,) * (len(dimensions) - i - 1))
            for i, n in enumerate(dimensions)]
    return grid if sparse else [F.broadcast_to(g, dimensions) for g in grid]


def ix_(*args):
    """Vectors, each along an axis of its own, for indexing a grid.  Raises ValueError unless all are vectors."""
    vectors = [array_like(a, "ix_") for a in args]
    for v in vectors:
        if v.ndim != 1:
            raise shape_error(f"ix_ takes vectors, got shape {v.shape}")
    return tuple(F.reshape(v, (1,) * i + (v.size,) + (1,) * (len(vectors) - i - 1)) for i, v in enumerate(vectors))


def meshgrid(*xi, sparse=False, indexing="xy"):
    """Grids of coordinates from vectors; ``indexing="xy"``: the first one varies along axis 1.

    Raises ValueError for another indexing.
    """
    if indexing not in ("xy", "ij"):
        raise shape_error(f"meshgrid: indexing is 'xy' or 'ij', got {indexing!r}")
    vectors = [F.ravel(array_like(x)) for x in xi]
    order = list(range(len(vectors)))
    if indexing == "xy" and len(order) > 1:
        order[:2] = 1, 0
    sizes = [vectors[i].size for i in order]
    grids = [F.reshape(v, tuple(v.size if order[axis] == i else 1 for axis in range(len(order))))
             for i, v in enumerate(vectors)]
    return grids if sparse else [F.broadcast_to(g, tuple(sizes)) for g in grids]


class _Grid:
    """``mgrid[0:5, 0:3]``: the coordinates of a grid from slices; an imaginary step is a number of points."""

    def __init__(self, sparse: bool):
        self.sparse = sparse

    def __getitem__(self, key):
        slices = key if isinstance(key, tuple) else (key,)
        vectors = [self._along(s) for s in slices]
        if not isinstance(key, tuple):
            return vectors[0]
        if any(v.dtype.is_float for v in vectors):
            vectors = [F.cast(v, dt.float32) for v in vectors]
        grids = meshgrid(*vectors, sparse=self.sparse, indexing="ij")
        return grids if self.sparse else F.stack(grids)

    @staticmethod
    def _along(part: slice) -> Tensor:
        start, step = part.start or 0, 1 if part.step is None else part.step
        if isinstance(step, complex):
            return linspace(start, part.stop, int(abs(step)))
        return arange(start, part.stop, step)


mgrid, ogrid = _Grid(False), _Grid(True)


# -- random ---------------------------------------------------------------------------------------------------

def rand(*shape, dtype=dt.float32):
    """Uniform random numbers in [0, 1); the shape as ints or one tuple."""
    return F.cast(F.rand(*_shape(shape)), dtype_of(dtype))


def randn(*shape, dtype=dt.float32):
    """Normal random numbers of mean 0 and deviation 1; the shape as ints or one tuple."""
    return F.cast(F.randn(*_shape(shape)), dtype_of(dtype))


def _shape(shape) -> tuple:
    return sizes_of(shape[0] if len(shape) == 1 else shape, "the shape")


def randint(minval, maxval=None, shape=None, dtype=dt.int32):
    """Random integers from `minval` below `maxval` (from 0 below minval, if that is None).

    Raises ValueError unless maxval is larger.
    """
    low, high = (0, minval) if maxval is None else (minval, maxval)
    if not is_number(low) or not is_number(high) or low >= high:
        raise shape_error(f"randint needs minval < maxval, got {low} and {high}")
    return F.cast(F.randint(low, high, () if shape is None else sizes_of(shape, "randint")), dtype_of(dtype))


# -- windows --------------------------------------------------------------------------------------------------

def _window(name, formula, summary):
    def window(M):
        if not isinstance(M, int):
            raise dtype_error(f"{name} takes an int, got {shown(M)}")
        if M < 2:
            return ones((max(M, 0),))
        return F.cast(formula(F.cast(F.arange(M), dt.float64), M - 1), dt.float32)
    window.__name__ = window.__qualname__ = name
    window.__doc__ = f"{summary}, of M points; empty for M < 1.  Raises DTypeError unless M is an int."
    return window


def _cosines(*weights):
    """The sum of w[k] cos(2 pi k n / last)."""
    def formula(n, last):
        terms = [F.mul(F.cos(F.mul(n, 2 * math.pi * k / last)), w) for k, w in enumerate(weights)]
        return F.addn(terms)
    return formula


bartlett = _window("bartlett", lambda n, last: F.sub(1.0, F.abs(F.sub(F.mul(n, 2 / last), 1.0))), "Bartlett's triangle")
blackman = _window("blackman", _cosines(0.42, -0.5, 0.08), "Blackman's window")
hamming = _window("hamming", _cosines(0.54, -0.46), "Hamming's window")
hanning = _window("hanning", _cosines(0.5, -0.5), "The Hann window")


# -- matrices -------------------------------------------------------------------------------------------------

def vander(x, N=None, increasing=False):
    """The powers of a vector as columns, N of them (as many as elements, if None), decreasing.

    Raises ValueError unless `x` is a vector.
    """
    x = array_like(x, "vander")
    if x.ndim != 1:
        raise shape_error(f"vander takes a vector, got shape {x.shape}")
    n = x.size if N is None else N
    powers = F.arange(n) if increasing else F.flip(F.arange(n), (0,))
    return F.cast(F.pow(F.expand_dims(x, 1), F.cast(powers, x.dtype)), x.dtype)


def diag(v, k=0):
    """A vector as diagonal `k` of a matrix of zeros; of a matrix, its diagonal."""
    v = array_like(v, "diag")
    if v.ndim == 1:
        return diagflat(v, k)
    if v.ndim != 2:
        raise shape_error(f"diag takes a vector or a matrix, got shape {v.shape}")
    return diagonal(v, k)


def diagflat(v, k=0):
    """The elements of `v` as diagonal `k` of a matrix of zeros."""
    return F.diag_embed(F.ravel(array_like(v, "diagflat")), k)


def diagonal(a, offset=0, axis1=0, axis2=1):
    """The diagonals of the matrices in two axes, as the last axis."""
    return F.diagonal(array_like(a, "diagonal"), offset, axis1, axis2)


def trace(a, offset=0, axis1=0, axis2=1, dtype=None):
    """The sum of a diagonal."""
    a = array_like(a, "trace")
    return F.sum(diagonal(a, offset, axis1, axis2), -1, dtype=a.dtype if dtype is None else dtype_of(dtype))


def diag_indices(n, ndim=2):
    """The indices of the main diagonal of an array of `ndim` axes of size n."""
    return (arange(n),) * ndim


def triu_indices(n, k=0, m=None):
    """(rows, columns) of the elements on diagonal `k` and above in n rows and m columns."""
    return tuple(F.cast(i, dt.int32) for i in F.triu_indices(n, n if m is None else m, k))


def tril_indices(n, k=0, m=None):
    """(rows, columns) of the elements on diagonal `k` and below in n rows and m columns."""
    return tuple(F.cast(i, dt.int32) for i in F.tril_indices(n, n if m is None else m, k))


def _size_of_matrix(arr, name):
    arr = array_like(arr, name)
    if arr.ndim != 2:
        raise shape_error(f"{name} takes a matrix, got shape {arr.shape}")
    return arr.shape


def triu_indices_from(arr, k=0):
    """`triu_indices` of a matrix.  Raises ValueError for another rank."""
    n, m = _size_of_matrix(arr, "triu_indices_from")
    return triu_indices(n, k, m)


def tril_indices_from(arr, k=0):
    """`tril_indices` of a matrix.  Raises ValueError for another rank."""
    n, m = _size_of_matrix(arr, "tril_indices_from")
    return tril_indices(n, k, m)


__all__ = ["mgrid", "ogrid", "bartlett", "blackman", "hamming", "hanning", *(
    n for n, v in list(globals().items()) if not n.startswith("_") and getattr(v, "__module__", "") == __name__)]
