"""Differences, integrals, interpolation, counting, polynomials, convolutions, padding."""
from __future__ import annotations

import math

import numpy as np

from graphcore import dtype as dt
from graphcore.numpy.arguments import array_like, arrays_like, floats_like
from graphcore.numpy.creation import linspace
from graphcore.numpy.shaping import flip
from graphcore.ops import functional as F
from graphcore.ops.functional.arguments import axes_of, axis_of, is_number, number_of, same_dtype, shape_error
from graphcore.tensor import Tensor


def _part(x, axis, start, end):
    return x[(slice(None),) * axis + (slice(start, end),)]


# -- differences and integrals --------------------------------------------------------------------------------

def diff(a, n=1, axis=-1, prepend=None, append=None):
    """The n-th differences of neighbours along an axis; `prepend` and `append` stand at its ends before.

    Raises ValueError for a negative n.
    """
    a = array_like(a)
    if n < 0 or not a.ndim:
        raise shape_error(f"diff takes an array of 1 axis or more and n >= 0, got shape {a.shape} and n = {n}")
    axis = axis_of(axis, a.ndim, "diff")
    parts = [None if p is None else array_like(p) for p in (prepend, append)]
    one = tuple(1 if i == axis else s for i, s in enumerate(a.shape))
    parts = [p if p is None or p.ndim else F.broadcast_to(p, one) for p in parts]
    joined = [p for p in (parts[0], a, parts[1]) if p is not None]
    a = F.concat(same_dtype(joined), axis) if len(joined) > 1 else a
    for _ in range(n):
        a = F.sub(_part(a, axis, 1, None), _part(a, axis, None, -1))
    return a


def ediff1d(ary, to_end=None, to_begin=None):
    """The differences of neighbours of the flattened array, between `to_begin` and `to_end`."""
    parts = [None if p is None else F.ravel(array_like(p)) for p in (to_begin, to_end)]
    parts.insert(1, diff(F.ravel(array_like(ary))))
    return F.concat(same_dtype([p for p in parts if p is not None]))


def trapz(y, x=None, dx=1.0, axis=-1):
    """The integral along an axis by trapezia, of points at distances `dx`, or at `x`."""
    y = floats_like(y)
    axis = axis_of(axis, y.ndim, "trapz")
    if x is None:
        step = dx
    else:
        x = floats_like(x)
        step = diff(x, axis=axis if x.ndim == y.ndim else 0)
        if step.ndim != y.ndim:
            step = F.reshape(step, (1,) * axis + (-1,) + (1,) * (y.ndim - axis - 1))
    middle = F.mul(F.add(_part(y, axis, 1, None), _part(y, axis, None, -1)), 0.5)
    return F.sum(F.mul(middle, step), axis)


def gradient(f, *varargs, axis=None, edge_order=1):
    """The slopes along each axis by central differences, at the ends by one-sided ones; a list for several axes.

    varargs: the distance of neighbours, one number for all axes or one for each.  Raises ValueError for another
    edge_order than 1, or axes shorter than 2.
    """
    f = floats_like(f)
    if edge_order != 1:
        raise shape_error(f"gradient: the edge_order is 1, got {edge_order!r}")
    axes = tuple(range(f.ndim)) if axis is None else axes_of(axis, f.ndim, "gradient")
    steps = varargs * len(axes) if len(varargs) == 1 else varargs or (1.0,) * len(axes)
    if len(steps) != len(axes):
        raise shape_error(f"gradient: {len(steps)} distances for {len(axes)} axes; give one number, or one for each")
    found = []
    for i, step in zip(axes, steps):
        if f.shape[i] < 2:
            raise shape_error(f"gradient needs two elements along axis {i} of shape {f.shape}")
        first = F.sub(_part(f, i, 1, 2), _part(f, i, 0, 1))
        last = F.sub(_part(f, i, -1, None), _part(f, i, -2, -1))
        inner = F.mul(F.sub(_part(f, i, 2, None), _part(f, i, None, -2)), 0.5)
        found.append(F.div(F.concat([first, inner, last], i), step))
    return found[0] if len(found) == 1 else found


def unwrap(p, discont=math.pi, axis=-1):
    """Angles, made continuous along an axis: steps beyond `discont` are changed by multiples of 2 pi."""
    p = floats_like(p)
    axis = axis_of(axis, p.ndim, "unwrap")
    step = diff(p, axis=axis)
    turned = F.sub(F.floor_mod(F.add(step, math.pi), 2 * math.pi), math.pi)
    turned = F.where(F.logical_and(F.equal(turned, -math.pi), F.greater(step, 0)), F.full_like(turned, math.pi), turned)
    change = F.where(F.less(F.abs(step), discont), F.zeros_like(step), F.sub(turned, step))
    return F.concat([_part(p, axis, 0, 1), F.add(_part(p, axis, 1, None), F.cumsum(change, axis))], axis)


# -- looking up -----------------------------------------------------------------------------------------------

def searchsorted(a, v, side="left", sorter=None):
    """Where the elements of `v` belong in the ascending vector `a`; "left": before equal ones, "right": after.

    sorter: the indices that put `a` in order.
    """
    a, v = same_dtype(arrays_like(a, v))
    if side not in ("left", "right"):
        raise shape_error(f"searchsorted: the side is 'left' or 'right', got {side!r}")
    if sorter is not None:
        a = F.gather(a, array_like(sorter), 0)
    compare = F.less if side == "left" else F.less_equal
    return F.sum(F.cast(compare(a, F.expand_dims(v, -1)), dt.int32), -1, dtype=dt.int32)


def digitize(x, bins, right=False):
    """The number of the bin of each element; bins: ascending or descending edges; `right`: the right one belongs to
    a bin."""
    x, bins = arrays_like(x, bins)
    if bins.ndim != 1:
        raise shape_error(f"digitize: the bins are a vector, got shape {bins.shape}")
    if bins.size and bool(F.greater(bins[0], bins[-1])):
        return F.sub(bins.size, searchsorted(flip(bins), x, "right" if right else "left"))
    return searchsorted(bins, x, "left" if right else "right")


def interp(x, xp, fp, left=None, right=None):
    """The values at `x` of the line through the points (xp, fp), xp ascending; outside `left` and `right`, or the
    values at the ends."""
    x, xp, fp = (floats_like(v) for v in (x, xp, fp))
    if xp.ndim != 1 or xp.shape != fp.shape:
        raise shape_error(f"interp takes two vectors of one length, got shapes {xp.shape} and {fp.shape}")
    place = F.clamp(searchsorted(xp, x, "right"), 1, max(xp.size - 1, 1))
    before = F.sub(place, 1)
    x0, x1, y0, y1 = (F.gather(v, F.minimum(i, xp.size - 1), 0) for v in (xp, fp) for i in (before, place))
    slope = F.div(F.sub(y1, y0), F.where(F.equal(x1, x0), F.ones_like(x1), F.sub(x1, x0)))
    value = F.add(y0, F.mul(F.sub(x, x0), slope))
    value = F.where(F.less(x, xp[0]), fp[0] if left is None else F.full_like(value, left), value)
    return F.where(F.greater(x, xp[-1]), fp[-1] if right is None else F.full_like(value, right), value)


# -- counting -------------------------------------------------------------------------------------------------

def bincount(x, weights=None, minlength=0, length=None):
    """How often each integer occurs (or the sum of its weights), from 0 to the largest, `minlength` at least.

    length: how many are counted; without it, the values of `x` must be known.
    """
    x = F.cast(array_like(x), dt.int32)
    if x.ndim != 1:
        raise shape_error(f"bincount takes a vector, got shape {x.shape}")
    if length is None:
        length = max(int(number_of(F.amax(x), "bincount")) + 1 if x.size else 0, minlength)
    hits = F.cast(F.equal(F.expand_dims(x, 1), F.arange(length)), dt.float32)
    if weights is not None:
        hits = F.mul(hits, F.expand_dims(floats_like(weights), 1))
    return F.sum(hits, 0)


def histogram_bin_edges(a, bins=10, range=None, weights=None):
    """The edges of `bins` equal parts of the interval `range` (from the smallest to the largest element).

    bins: also an array of edges.  Raises ValueError for a string: those rules need the whole distribution.
    """
    if isinstance(bins, str):
        raise shape_error("histogram_bin_edges: the bins are a number or an array of edges")
    if not is_number(bins):
        return array_like(bins)
    a = F.ravel(array_like(a))
    low, high = (F.amin(a), F.amax(a)) if range is None else range
    low, high = (floats_like(v) for v in (low, high))
    is_point = F.equal(low, high)
    low, high = F.where(is_point, F.sub(low, 0.5), low), F.where(is_point, F.add(high, 0.5), high)
    return linspace(low, high, bins + 1)


def histogram(a, bins=10, range=None, weights=None, density=False):
    """(counts, edges) of the elements in bins; the last bin has its right edge.

    weights: what each element counts; density: divided by the total and the widths.
    """
    edges = histogram_bin_edges(a, bins, range)
    a = F.ravel(array_like(a))
    counts = _counts([_bin_of(a, edges)], [edges.size - 1], weights)
    if density:
        widths = F.cast(diff(edges), dt.float32)
        counts = F.div(F.div(counts, widths), F.sum(counts))
    return counts, edges


def _bin_of(x, edges):
    """The bin of each element; -1 or the number of bins outside."""
    place = F.sub(searchsorted(edges, x, "right"), 1)
    return F.where(F.equal(x, edges[-1]), F.full_like(place, edges.size - 2), place)


def _counts(places, sizes, weights):
    total = 1
    index, inside = None, None
    for place, size in zip(places, sizes):
        valid = F.logical_and(F.greater_equal(place, 0), F.less(place, size))
        inside = valid if inside is None else F.logical_and(inside, valid)
        index = place if index is None else F.add(F.mul(index, size), place)
        total *= size
    index = F.where(inside, index, F.full_like(index, total))
    weights = None if weights is None else F.ravel(array_like(weights))
    return F.reshape(bincount(index, weights, length=total), tuple(sizes))


def histogramdd(sample, bins=10, range=None, weights=None, density=False):
    """(counts, list of edges) of points in boxes; as `histogram` for each coordinate.

    sample: a row for each point, or a list of coordinates.
    """
    if isinstance(sample, (list, tuple)):
        columns = [F.ravel(array_like(s)) for s in sample]
    else:
        columns = list(F.unstack(array_like(sample), 1))
    bins = [bins] * len(columns) if is_number(bins) else list(bins)
    if len(bins) != len(columns):
        raise shape_error(f"histogramdd: bins for {len(bins)} coordinates of {len(columns)}")
    edges = [histogram_bin_edges(c, b, None if range is None else range[i])
             for i, (c, b) in enumerate(zip(columns, bins))]
    counts = _counts([_bin_of(c, e) for c, e in zip(columns, edges)], [e.size - 1 for e in edges], weights)
    if density:
        counts = F.div(counts, F.sum(counts))
        for i, e in enumerate(edges):
            widths = F.cast(diff(e), dt.float32)
            counts = F.div(counts, F.reshape(widths, (1,) * i + (-1,) + (1,) * (len(edges) - i - 1)))
    return counts, edges


def histogram2d(x, y, bins=10, range=None, weights=None, density=False):
    """(counts, edges of x, edges of y): `histogramdd` of two coordinates."""
    counts, (first, second) = histogramdd([x, y], bins, range, weights, density)
    return counts, first, second


# -- polynomials, highest power first -------------------------------------------------------------------------

def _coefficients(p):
    p = array_like(p)
    return F.reshape(p, (1,)) if p.ndim == 0 else p


def _same_length(a1, a2):
    a1, a2 = same_dtype([_coefficients(a1), _coefficients(a2)])
    longest = max(a1.size, a2.size)
    return [F.pad(a, (longest - a.size, 0)) for a in (a1, a2)]


def polyadd(a1, a2):
    """The sum of two polynomials, vectors of coefficients with that of the highest power first."""
    return F.add(*_same_length(a1, a2))


def polysub(a1, a2):
    """The difference of two polynomials."""
    return F.sub(*_same_length(a1, a2))


def polymul(a1, a2):
    """The product of two polynomials."""
    return convolve(_coefficients(a1), _coefficients(a2))


def polyval(p, x):
    """The values of a polynomial at `x`."""
    p, x = same_dtype([_coefficients(p), array_like(x)])
    result = F.zeros_like(x)
    for coefficient in F.unstack(p):
        result = F.add(F.mul(result, x), coefficient)
    return result


def polyder(p, m=1):
    """The m-th derivative of a polynomial.  Raises ValueError for a negative m."""
    p = _coefficients(p)
    if m < 0:
        raise shape_error(f"polyder: the order is 0 or more, got {m}")
    for _ in range(m):
        if p.size <= 1:
            return F.zeros((0,), p.dtype)
        p = F.mul(p[:-1], F.cast(F.arange(p.size - 1, 0, -1), p.dtype))
    return p


def polyint(p, m=1, k=None):
    """The m-th antiderivative of a polynomial; k: the constants, one or m of them (zeros)."""
    p = F.cast(_coefficients(p), dt.float32) if not _coefficients(p).dtype.is_float else _coefficients(p)
    constants = [0] * m if k is None else [k] * m if is_number(k) else list(k)
    if m < 0 or len(constants) != m:
        raise shape_error(f"polyint: an order of 0 or more and a constant for each, got {m} and {len(constants)}")
    for constant in constants:
        grown = F.div(p, F.cast(F.arange(p.size, 0, -1), p.dtype))
        p = F.concat(same_dtype([grown, F.reshape(F.cast(array_like(constant), p.dtype), (1,))]))
    return p


def convolve(a, v, mode="full"):
    """The convolution of two vectors; "full": all overlaps, "same": as many as the longer one, "valid": full overlaps.

    Raises ValueError for another mode, or an empty vector.
    """
    a, v = same_dtype(arrays_like(a, v))
    a, v = (F.reshape(x, (1,)) if x.ndim == 0 else x for x in (a, v))
    if a.ndim != 1 or v.ndim != 1 or not a.size or not v.size:
        raise shape_error(f"convolve takes two vectors that are not empty, got shapes {a.shape} and {v.shape}")
    if a.size < v.size:
        a, v = v, a
    return _overlaps(a, flip(v), mode)


def correlate(a, v, mode="valid"):
    """The correlation of two vectors; modes as in `convolve`."""
    a, v = same_dtype(arrays_like(a, v))
    if a.ndim != 1 or v.ndim != 1 or not a.size or not v.size:
        raise shape_error(f"correlate takes two vectors that are not empty, got shapes {a.shape} and {v.shape}")
    if a.size < v.size:
        return flip(_overlaps(v, a, mode))
    return _overlaps(a, v, mode)


def _overlaps(a, v, mode):
    """The sums of products of the shorter vector `v` with the parts of `a`."""
    n = v.size
    around = {"full": (n - 1, n - 1), "same": (n // 2, (n - 1) // 2), "valid": (0, 0)}.get(mode)
    if around is None:
        raise shape_error(f"the mode is 'full', 'same' or 'valid', got {mode!r}")
    a = F.pad(a, around)
    places = Tensor(np.arange(a.size - n + 1)[:, None] + np.arange(n), dt.int32)
    return F.sum(F.mul(F.gather(a, places, 0), v), 1, dtype=a.dtype)


# -- padding --------------------------------------------------------------------------------------------------

def pad(arr, pad_width, mode="constant", stat_length=None, constant_values=0, end_values=0, reflect_type="even",
        **kwargs):
    """`arr` with more elements at the ends of its axes.

    pad_width, constant_values, end_values, stat_length: a number, a pair, or a pair for each axis.
    mode: "constant", "edge", "reflect", "symmetric", "wrap", "linear_ramp", "maximum", "minimum", "mean", "empty", or a
    function as in NumPy, for known values.  Raises ValueError for another.
    """
    arr = array_like(arr)
    widths = _pairs(pad_width, arr.ndim)
    if callable(mode):
        return Tensor(np.pad(arr.asnumpy(), widths, mode, **kwargs))
    if mode in ("edge", "reflect", "symmetric", "wrap"):
        options = {"reflect_type": reflect_type} if mode in ("reflect", "symmetric") else {}
        if reflect_type == "even":
            for axis, width in enumerate(widths):
                places = np.pad(np.arange(arr.shape[axis]), width, mode, **options)
                arr = F.gather(arr, Tensor(places, dt.int32), axis)
            return arr
        return Tensor(np.pad(arr.asnumpy(), widths, mode, **options))
    filled = {"constant": constant_values, "linear_ramp": end_values}.get(mode, 0)
    values, lengths = _pairs(filled, arr.ndim), _pairs(stat_length, arr.ndim)
    for axis, (before, after) in enumerate(widths):
        ends = [_end(arr, axis, width, mode, values[axis][side], lengths[axis][side], side)
                for side, width in enumerate((before, after))]
        arr = F.concat([p for p in (ends[0], arr, ends[1]) if p is not None], axis)
    return arr


def _pairs(given, rank):
    values = np.broadcast_to(np.array(given, object), (rank, 2))
    return [tuple(int(v) if isinstance(v, np.integer) else v for v in pair) for pair in values]


def _end(arr, axis, width, mode, value, length, side):
    """What is added at one end (0: the beginning) of an axis, None for nothing."""
    if not width:
        return None
    shape = tuple(width if i == axis else s for i, s in enumerate(arr.shape))
    if mode in ("constant", "empty"):
        return F.full(shape, value, dtype=arr.dtype)
    if mode == "linear_ramp":
        edge = _part(arr, axis, -1, None) if side else _part(arr, axis, 0, 1)
        steps = F.reshape(F.cast(F.arange(width), dt.float32), (1,) * axis + (-1,) + (1,) * (arr.ndim - axis - 1))
        way = F.div(F.add(steps, 1), width) if side else F.sub(1, F.div(steps, width))
        return F.cast(F.add(edge, F.mul(F.sub(value, edge), way)), arr.dtype)
    function = {"maximum": F.amax, "minimum": F.amin, "mean": F.mean}.get(mode)
    if function is None:
        raise shape_error(f"pad does not know the mode {mode!r}; the modes are constant, edge, reflect, symmetric, "
                          "wrap, linear_ramp, maximum, minimum, mean and empty")
    count = arr.shape[axis] if length is None else min(length, arr.shape[axis])
    part = _part(arr, axis, -count, None) if side else _part(arr, axis, 0, count)
    return F.broadcast_to(function(part, axis, True), shape)


__all__ = [n for n, v in list(globals().items()) if not n.startswith("_") and getattr(v, "__module__", "") == __name__]
