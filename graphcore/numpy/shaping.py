"""The same elements elsewhere: shapes, joining, splitting, choosing."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore.numpy.arguments import array_like, arrays_like
from graphcore.ops import functional as F
from graphcore.ops.functional.arguments import axes_of, axis_of, ints_of, same_dtype, shape_error
from graphcore.tensor import Tensor


def transpose(a, axes=None):
    """Axes in the order `axes`; None reverses them."""
    a = array_like(a)
    return F.transpose(a, tuple(reversed(range(a.ndim))) if axes is None else ints_of(axes, "transpose"))


def expand_dims(a, axis):
    """New axes of size 1 at `axis`, an int or a tuple, counted in the result."""
    a = array_like(a)
    axes = ints_of(axis, "expand_dims")
    rank = a.ndim + len(axes)
    axes = [axis_of(i, rank, "expand_dims") for i in axes]
    sizes = iter(a.shape)
    return F.reshape(a, tuple(1 if i in axes else next(sizes) for i in range(rank)))


def squeeze(a, axis=None):
    """Without axes of size 1 (those in `axis`)."""
    return F.squeeze(array_like(a), axis)


def reshape(x, new_shape):
    """The same elements under another shape."""
    return F.reshape(array_like(x), new_shape)


def ravel(x):
    """As a vector."""
    return F.ravel(array_like(x))


def moveaxis(a, source, destination):
    """Axes moved to other places."""
    return F.moveaxis(array_like(a), source, destination)


def rollaxis(x, axis, start=0):
    """Axis `axis` moved before the axis that is at `start` now."""
    x = array_like(x)
    axis, start = axis_of(axis, x.ndim, "rollaxis"), start + x.ndim if start < 0 else start
    return F.moveaxis(x, axis, start - 1 if axis < start else start)


def swapaxes(x, axis1, axis2):
    """Two axes exchanged."""
    return F.swapaxes(array_like(x), axis1, axis2)


def broadcast_to(array, shape):
    """`array` repeated to `shape`."""
    return F.broadcast_to(array_like(array), shape)


def broadcast_arrays(*args):
    """A list of the arrays, broadcast against each other."""
    return list(F.broadcast_tensors(*arrays_like(*args)))


def _at_least(name, rank, reshaped):
    def function(*arys):
        made = [a if a.ndim >= rank else F.reshape(a, reshaped(a.shape)) for a in arrays_like(*arys)]
        return made[0] if len(made) == 1 else made
    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"Each array with {rank} axes or more, by axes of size 1; a list for several arrays."
    return function


atleast_1d = _at_least("atleast_1d", 1, lambda s: (1,))
atleast_2d = _at_least("atleast_2d", 2, lambda s: (1, 1) if not s else (1, *s))
atleast_3d = _at_least("atleast_3d", 3, lambda s: {0: (1, 1, 1), 1: (1, *s, 1), 2: (*s, 1)}[len(s)])


# -- joining --------------------------------------------------------------------------------------------------

def _several(arrays) -> list:
    if isinstance(arrays, Tensor):
        arrays = F.unstack(arrays)
    return same_dtype(arrays_like(*arrays))


def concatenate(arrays, axis=0):
    """Arrays behind each other along an axis; None: all flattened."""
    arrays = _several(arrays)
    return F.concat([F.ravel(a) for a in arrays]) if axis is None else F.concat(arrays, axis)


def append(arr, values, axis=None):
    """`values` behind `arr`; axis None flattens both."""
    return concatenate((arr, values), axis)


def stack(arrays, axis=0):
    """Arrays of one shape along a new axis."""
    return F.stack(_several(arrays), axis)


def column_stack(tup):
    """Vectors as columns, matrices beside each other."""
    return F.concat([F.reshape(a, (a.size, 1)) if a.ndim < 2 else a for a in _several(tup)], 1)


def vstack(tup):
    """Arrays below each other; vectors are rows."""
    return F.concat([atleast_2d(a) for a in _several(tup)], 0)


def hstack(tup):
    """Arrays beside each other: along axis 1, of vectors axis 0."""
    arrays = [atleast_1d(a) for a in _several(tup)]
    return F.concat(arrays, 0 if arrays[0].ndim == 1 else 1)


def dstack(tup):
    """Arrays behind each other along axis 2."""
    return F.concat([atleast_3d(a) for a in _several(tup)], 2)


# -- splitting ------------------------------------------------------------------------------------------------

def array_split(x, indices_or_sections, axis=0):
    """Parts along an axis: a tuple of a number of nearly equal ones, or a list, cut before the given indices."""
    x = array_like(x)
    axis = axis_of(axis, x.ndim, "array_split")
    n = x.shape[axis]
    counted = isinstance(indices_or_sections, int)
    if counted:
        if indices_or_sections <= 0:
            raise shape_error(f"a number of sections must be positive, got {indices_or_sections}")
        size, more = n // indices_or_sections, n % indices_or_sections
        cuts = [i * size + min(i, more) for i in range(1, indices_or_sections)]
    else:
        cuts = list(ints_of(indices_or_sections, "the indices to split at"))
    before = (slice(None),) * axis
    parts = [x[(*before, slice(start, end))] for start, end in zip([0, *cuts], [*cuts, n])]
    return tuple(parts) if counted else parts


def split(x, indices_or_sections, axis=0):
    """As `array_split`, but a number of sections must divide the axis, or it is a ValueError."""
    x = array_like(x)
    n = x.shape[axis_of(axis, x.ndim, "split")]
    if isinstance(indices_or_sections, int) and (indices_or_sections <= 0 or n % indices_or_sections):
        raise shape_error(f"split: {indices_or_sections} sections do not divide an axis of size {n}; array_split does")
    return array_split(x, indices_or_sections, axis)


def vsplit(x, indices_or_sections):
    """`split` along axis 0."""
    return split(x, indices_or_sections, 0)


def hsplit(x, indices_or_sections):
    """`split` along axis 1, of a vector along axis 0."""
    x = array_like(x)
    return split(x, indices_or_sections, 0 if x.ndim == 1 else 1)


def dsplit(x, indices_or_sections):
    """`split` along axis 2."""
    return split(x, indices_or_sections, 2)


# -- repeating and turning ------------------------------------------------------------------------------------

def tile(a, reps):
    """The whole array repeated along each axis."""
    a, reps = array_like(a), ints_of(reps, "tile")
    return F.tile(F.reshape(a, (1,) * (len(reps) - a.ndim) + a.shape), (1,) * (a.ndim - len(reps)) + reps)


def repeat(a, repeats, axis=None):
    """Each element repeated (a number of times, or as often as an int for each says); axis None flattens."""
    a = array_like(a)
    a, axis = (F.ravel(a), 0) if axis is None else (a, axis_of(axis, a.ndim, "repeat"))
    repeats = ints_of(repeats, "repeat")
    if len(repeats) == 1:
        repeats = repeats * a.shape[axis]
    places = np.repeat(np.arange(a.shape[axis]), repeats)
    return F.gather(a, Tensor(places, dt.int32), axis)


def roll(a, shift, axis=None):
    """Elements moved along axes (None: of the flattened array); those that leave at one end enter at the other."""
    a = array_like(a)
    if axis is None:
        return F.reshape(roll(F.ravel(a), shift, 0), a.shape)
    shifts, axes = ints_of(shift, "roll"), ints_of(axis, "roll")
    shifts, axes = shifts * max(1, len(axes) // len(shifts)), axes * max(1, len(shifts) // len(axes))
    for s, i in zip(shifts, axes, strict=True):
        a = F.roll(a, s, i)
    return a


def flip(m, axis=None):
    """The order of elements reversed along axes (None: all)."""
    m = array_like(m)
    return F.flip(m, axes_of(axis, m.ndim, "flip"))


def flipud(m):
    """`flip` along axis 0."""
    return flip(m, 0)


def fliplr(m):
    """`flip` along axis 1."""
    return flip(m, 1)


def rot90(a, k=1, axes=(0, 1)):
    """Turned by k right angles in the plane of two axes, from the first to the second."""
    a = array_like(a)
    first, second = (axis_of(i, a.ndim, "rot90") for i in axes)
    if first == second:
        raise shape_error(f"rot90 needs two different axes, got {axes}")
    k %= 4
    if k == 2:
        return flip(a, (first, second))
    if k:
        a = F.swapaxes(flip(a, second), first, second) if k == 1 else flip(F.swapaxes(a, first, second), second)
    return a


# -- choosing -------------------------------------------------------------------------------------------------

def where(condition, x=None, y=None):
    """x where the condition is true, else y."""
    condition, x, y = arrays_like(condition, x, y)
    return F.where(F.cast(condition, dt.bool_), *same_dtype([x, y]))


def take(a, indices, axis=None, mode="clip"):
    """Slices along an axis (None: elements of the flattened array).

    mode: "clip" indices out of range count as the nearest, "wrap" they count modulo the size; negative ones as from
    the end in "wrap" only.  Raises ValueError for another mode.
    """
    a, indices = arrays_like(a, indices)
    a, axis = (F.ravel(a), 0) if axis is None else (a, axis_of(axis, a.ndim, "take"))
    return F.gather(a, _inside(indices, a.shape[axis], mode), axis)


def _inside(indices, size, mode):
    if mode == "raise":
        raise NotImplementedError("mode='raise' needs the values of the indices; use 'clip' or 'wrap'")
    if mode not in ("clip", "wrap"):
        raise shape_error(f"the mode is 'clip' or 'wrap', got {mode!r}")
    return F.floor_mod(indices, size) if mode == "wrap" else F.clamp(indices, 0, size - 1)


def take_along_axis(arr, indices, axis):
    """Elements along an axis, one for each index; the other axes broadcast.  axis None: of the flattened array."""
    arr, indices = arrays_like(arr, indices)
    if axis is None:
        return F.gather(F.ravel(arr), F.ravel(indices), 0)
    axis = axis_of(axis, arr.ndim, "take_along_axis")
    others = np.broadcast_shapes(*(tuple(1 if i == axis else s for i, s in enumerate(t.shape)) for t in (arr, indices)))
    arr, indices = (F.broadcast_to(t, tuple(t.shape[axis] if i == axis else s for i, s in enumerate(others)))
                    for t in (arr, indices))
    return F.gather_elements(arr, axis, F.where(F.less(indices, 0), F.add(indices, arr.shape[axis]), indices))


def select(condlist, choicelist, default=0):
    """Elements of the first choice whose condition is true, else `default`.  Raises ValueError for unequal numbers."""
    conditions = [F.cast(array_like(c), dt.bool_) for c in condlist]
    choices = same_dtype(arrays_like(*choicelist))
    if len(conditions) != len(choices) or not choices:
        raise shape_error(f"select needs a choice for each condition, got {len(conditions)} and {len(choices)}")
    result = F.cast(array_like(default), choices[0].dtype)
    for condition, choice in zip(reversed(conditions), reversed(choices)):
        result = F.where(condition, choice, result)
    return result


def choose(a, choices, mode="clip"):
    """Element by element the choice of the number that `a` says; all are broadcast against each other."""
    a = array_like(a)
    choices = _several(choices)
    a = _inside(a, len(choices), mode)
    a, *choices = F.broadcast_tensors(a, *choices)
    return F.squeeze(F.gather_elements(F.stack(choices), 0, F.expand_dims(F.cast(a, dt.int32), 0)), 0)


def piecewise(x, condlist, funclist, *args, **kw):
    """The value or function of the last condition that is true; one more stands for none, else that is 0."""
    x = array_like(x)
    if not isinstance(condlist, (list, tuple)):
        condlist = [condlist]
    conditions = [F.cast(array_like(c), dt.bool_) for c in condlist]
    if len(funclist) not in (len(conditions), len(conditions) + 1):
        raise shape_error(f"piecewise needs a value for each of {len(conditions)} conditions (and one for none), got "
                          f"{len(funclist)}")
    values = [f(x, *args, **kw) if callable(f) else array_like(f) for f in funclist]
    result = values.pop() if len(values) > len(conditions) else array_like(0)
    result, *values = same_dtype([result, *values])
    result = F.broadcast_to(result, x.shape)
    for condition, value in zip(conditions, values):
        result = F.where(condition, value, result)
    return result


def argwhere(a):
    """The indices of the elements that are not 0, a row each; their number depends on the data."""
    return F.argwhere(array_like(a))


def unique(x, return_inverse=False):
    """The different elements, as they first come; `return_inverse`: also where each element of `x` is among them."""
    values, inverse = F.unique(F.ravel(array_like(x)))
    return (values, inverse) if return_inverse else values


def intersect1d(ar1, ar2, assume_unique=False, return_indices=False):
    """The elements that are in both, in order; `return_indices`: also where they are in each."""
    first, second = (F.ravel(a) for a in same_dtype(arrays_like(ar1, ar2)))
    values, left, right = np.intersect1d(first.asnumpy(), second.asnumpy(), assume_unique, True)
    found = Tensor(values, first.dtype)
    return (found, Tensor(left, dt.int32), Tensor(right, dt.int32)) if return_indices else found


def setdiff1d(ar1, ar2, assume_unique=False):
    """The elements of `ar1` that are not in `ar2`, in order (as they come, with `assume_unique`)."""
    first, second = (F.ravel(a) for a in arrays_like(ar1, ar2))
    return Tensor(np.setdiff1d(first.asnumpy(), second.asnumpy(), assume_unique), first.dtype)


def size(a, axis=None):
    """The number of elements, or that along an axis."""
    a = array_like(a)
    return a.size if axis is None else a.shape[axis_of(axis, a.ndim, "size")]


def array_str(a):
    """The array as it is printed."""
    return str(array_like(a))


# -- functions along axes -------------------------------------------------------------------------------------

def apply_along_axis(func1d, axis, arr, *args, **kwargs):
    """``func1d(vector, *args, **kwargs)`` of each vector along an axis; what it gives takes the axis' place."""
    arr = array_like(arr)
    axis = axis_of(axis, arr.ndim, "apply_along_axis")
    rows = F.moveaxis(arr, axis, -1)
    lead = rows.shape[:-1]
    rows = F.reshape(rows, (-1, rows.shape[-1]))
    results = F.stack([array_like(func1d(row, *args, **kwargs)) for row in F.unstack(rows)])
    results = F.reshape(results, (*lead, *results.shape[1:]))
    more = results.ndim - len(lead)
    if not more:
        return results
    return F.moveaxis(results, tuple(range(len(lead), results.ndim)), tuple(range(axis, axis + more)))


def apply_over_axes(func, a, axes):
    """``func(a, axis)`` for one axis after another; where an axis is gone, it is kept with size 1."""
    a = array_like(a)
    for axis in ints_of(axes, "apply_over_axes"):
        result = func(a, axis)
        if result.ndim != a.ndim:
            result = expand_dims(result, axis_of(axis, a.ndim, "apply_over_axes"))
        if result.ndim != a.ndim:
            raise shape_error(f"the function changed an array of {a.ndim} axes to one of {result.ndim}")
        a = result
    return a


def unravel_index(indices, shape, order="C"):
    """For numbers of elements the index along each axis of `shape`, of which order "C" counts the last fastest."""
    indices, sizes = array_like(indices), ints_of(shape, "unravel_index")
    if order not in ("C", "F"):
        raise shape_error(f"unravel_index: the order is 'C' or 'F', got {order!r}")
    found = []
    total = int(np.prod(sizes))
    indices = F.clamp(F.where(F.less(indices, 0), F.add(indices, total), indices), 0, total - 1)
    for size_ in reversed(sizes) if order == "C" else sizes:
        found.append(F.floor_mod(indices, size_))
        indices = F.floor_div(indices, size_)
    return tuple(reversed(found)) if order == "C" else tuple(found)


def ravel_multi_index(multi_index, dims, mode="clip", order="C"):
    """The numbers of elements, in float32, from their indices along each axis: `unravel_index`, the other way round.

    mode: "clip" or "wrap", or one for each axis: what indices out of range count as.
    """
    columns = [array_like(i) for i in (F.unstack(multi_index) if isinstance(multi_index, Tensor) else multi_index)]
    sizes = ints_of(dims, "ravel_multi_index")
    modes = (mode,) * len(sizes) if isinstance(mode, str) else tuple(mode)
    total, step = None, 1
    steps = []
    for size_ in reversed(sizes) if order == "C" else sizes:
        steps.append(step)
        step *= size_
    for column, size_, m, step in zip(columns, sizes, modes, reversed(steps) if order == "C" else steps):
        term = F.mul(_inside(column, size_, m), step)
        total = term if total is None else F.add(total, term)
    return F.cast(total, dt.float32)


__all__ = ["atleast_1d", "atleast_2d", "atleast_3d", *(
    n for n, v in list(globals().items()) if not n.startswith("_") and getattr(v, "__module__", "") == __name__)]
