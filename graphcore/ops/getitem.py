"""``x[index]`` and ``x[index] = value``.

An index is an int, slice, None, Ellipsis, integer or bool tensor, array or list, or a tuple of these, with NumPy's
meaning.  In a capture, ints and slices become one strided window; index tensors are linearised into one `gather` or
scatter; a bool mask that is written through becomes a `select`, one that is read asks the program how many elements it
lets through.

Assignment is functional in a capture: the tensor gets a new node, and so do the tensors that it was taken out of by
basic indexing (``x[0][1] = 5`` changes x).  ``y = x`` names the same object, so `y` sees the change too.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graphcore import dtype as dt
from graphcore.capture import epoch
from graphcore.capture.trace import TracedTensor, current_trace
from graphcore.ir.dims import Dim, product
from graphcore.ops import indexing as records
from graphcore.ops import pointwise as pw
from graphcore.ops import view
from graphcore.ops.dispatch import apply, cast
from graphcore.ops.functional.arguments import capture_error, shape_error, values_known
from graphcore.ops.functional.creation import copied
from graphcore.ops.functional.indexing import index_error
from graphcore.ops.functional.selecting import nonzero
from graphcore.ops.functional.shaping import broadcast_to, reshape, transpose
from graphcore.ops.index_window import Window, cut, normalized, parse
from graphcore.ops.state import assign
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor

# -- reading ----------------------------------------------------------------------------------------------

def getitem(self: Tensor, index) -> Tensor:
    """``self[index]``.  Raises IndexRangeError (an IndexError) for an index out of range or of the wrong kind."""
    if current_trace() is None:
        return _getitem_now(self, index)
    window = parse(index, self.shape)
    if not window.arrays:
        result = reshape(cut(self, window), tuple(window.shape))
        result = copied(result) if result is self else result
        result.taken_from = (self, index)
        return result
    _spell_out_masks(window)
    x, places, order = _linearized(reshape(cut(self, window), tuple(window.shape)), window)
    rows = apply(records.gather, x, places, axis=0)
    return transpose(reshape(rows, places.shape + tuple(order.rest)), order.result_axes(places.ndim))


def _spell_out_masks(window: Window, only_known: bool = False) -> None:
    """Masks become the indices of what they let through, one vector for each axis that they cover.

    In a capture the program is asked how many these are.  only_known: masks of unknown values stay.
    """
    for axis, mask in list(window.arrays.items()):
        if mask.dtype.is_bool and (values_known(mask) or not only_known):
            covered = tuple(window.shape[axis:axis + mask.ndim])
            if mask.shape != covered:
                raise index_error(f"a mask of shape {mask.shape} does not fit the axes {covered} of the tensor")
            for i, places in enumerate(nonzero(mask, as_tuple=True)):
                window.arrays[axis + i] = places


def _getitem_now(self: Tensor, index) -> Tensor:
    """Indexing at once, by NumPy, into new memory.

    What basic indexing gives remembers where it was taken from: writing to it writes there too (``x[0][1] = 5``).
    """
    key = numpy_key(index, self.shape)
    try:
        part = self._array[key]
    except (IndexError, ValueError) as error:
        raise index_error(str(error)) from None
    result = Tensor._wrap(np.array(part, order="C"), self.dtype)
    if np.shares_memory(part, self._array):
        result._sources = [part, *(source[key] for source in self.__dict__.get("_sources", ()))]
    return result


def numpy_key(index, shape):
    """The index as NumPy takes it."""
    if isinstance(index, int) and not isinstance(index, bool) and shape and not -shape[0] <= index < shape[0]:
        raise index_error(f"index {index} is out of range for axis 0 of size {shape[0]}")
    entries = index if isinstance(index, tuple) else (index,)
    return tuple(e.asnumpy() if isinstance(e, Tensor) else e for e in map(normalized, entries))


# -- index tensors ----------------------------------------------------------------------------------------

@dataclass
class _Order:
    """How the axes of a tensor were moved to bring the indexed ones to the front.

    moved: the axes in their new order, the indexed ones first; first: where the axes of the index go in the result
    (None: to the front); rest: the sizes of the axes that are not indexed.
    """

    moved: list
    count: int
    first: int | None
    rest: list

    def result_axes(self, index_rank: int) -> list:
        axes = list(range(index_rank + len(self.rest)))
        if self.first is None:
            return axes
        front, others = axes[:index_rank], axes[index_rank:]
        return others[:self.first] + front + others[self.first:]


def _linearized(x: Tensor, window: Window) -> tuple:
    """(`x` as rows, the number of the row for each element of the broadcast indices, the order of axes)."""
    axes = list(window.arrays)
    others = [a for a in range(x.ndim) if a not in axes]
    first = None if window.separated else sum(a < axes[0] for a in others)
    order = _Order(axes + others, len(axes), first, [x.shape[a] for a in others])
    places = None
    for axis in axes:
        index = _within(window.arrays[axis], x.shape[axis], axis)
        places = index if places is None else places * Tensor(_known(x.shape[axis]), index.dtype) + index
    rows = reshape(transpose(x, order.moved), (product(x.shape[a] for a in axes), *order.rest))
    return rows, places, order


def _known(extent):
    if isinstance(extent, Dim):
        raise capture_error(f"several index tensors need known sizes, got {extent}")
    return extent


def _within(index: Tensor, extent, axis) -> Tensor:
    """Non-negative int32 or int64 indices of an axis; known values are checked."""
    index = index if index.dtype in (dt.int32, dt.int64) else cast(index, dt.int64)
    if values_known(index) and isinstance(extent, int):
        values = index.asnumpy()
        bad = (values < -extent) | (values >= extent)
        if bad.any():
            raise index_error(f"index {values[bad][0]} is out of range for axis {axis} of size {extent}")
        return Tensor(np.where(values < 0, values + extent, values), index.dtype)
    if isinstance(extent, Dim):
        return index
    return apply(pw.select, apply(pw.lt, index, Tensor(0, index.dtype)),
                 apply(pw.add, index, Tensor(extent, index.dtype)), index)


# -- writing ----------------------------------------------------------------------------------------------

def setitem(self: Tensor, index, value) -> None:
    """``self[index] = value``; the value is cast to the dtype and broadcast to the shape of ``self[index]``.

    Raises IndexRangeError for a bad index, ShapeError if the value does not broadcast, CaptureError for a constant
    Tensor written inside a capture.
    """
    if current_trace() is None:
        _setitem_now(self, index, value)
        return
    new = updated(self, index, value)
    source = self.__dict__.get("taken_from")
    if isinstance(self, TracedTensor):
        self.node = current_trace().node_of(new)
    elif isinstance(self, Parameter):
        assign(self, new)
    elif source is None:
        raise capture_error("a Tensor that was made outside of the graph cannot be written to in a capture; write to a "
                            "copy: x = x.copy()")
    if source is not None:
        # what this tensor was taken out of: its present elements there, with the same ones replaced
        base, place = source
        setitem(base, place, updated(getitem(base, place), index, value))


def updated(x: Tensor, index, value) -> Tensor:
    """`x` with ``x[index]`` replaced by `value`."""
    window = parse(index, x.shape)
    _spell_out_masks(window, only_known=True)
    value = cast(value, x.dtype) if isinstance(value, Tensor) else Tensor(value, x.dtype)
    if 0 in window.shape:
        return x
    if window.arrays:
        part = reshape(cut(x, window), tuple(window.shape))
        value = _replaced(part, window, value)
    else:
        value = _spread(value, tuple(window.shape))
    value = reshape(value, tuple(window.size))
    if window.is_whole(x.shape):
        return value
    return apply(view.update_slice, x, value, begin=tuple(window.begin), stride=tuple(window.stride))


def _spread(value: Tensor, shape: tuple) -> Tensor:
    """`value` broadcast to `shape`; leading axes of size 1 too many are dropped, as NumPy does in an assignment."""
    while value.ndim > len(shape) and value.shape[0] == 1:
        value = reshape(value, value.shape[1:])
    if value.shape != shape and value.size == product(shape) and value.ndim == 1:
        return reshape(value, shape)        # MindSpore fills a window row by row from a flat list
    return broadcast_to(value, shape)


def _replaced(part: Tensor, window: Window, value: Tensor) -> Tensor:
    """`part` with the elements that the index tensors of `window` name replaced."""
    masks = {axis: a for axis, a in window.arrays.items() if a.dtype.is_bool}
    if masks:
        if len(window.arrays) > 1:
            raise capture_error("a mask together with other index tensors cannot be assigned to in a capture; combine "
                                "them into one mask with & first")
        return _masked(part, *masks.popitem(), value)
    rows, places, order = _linearized(part, window)
    value = _spread(value, tuple(places.shape[i] if i < places.ndim else order.rest[i - places.ndim]
                                 for i in order.result_axes(places.ndim)))
    value = transpose(value, np.argsort(order.result_axes(places.ndim)).tolist())
    points = reshape(places, (places.size, 1))
    rows = apply(records.scatter_nd_update, rows, points, reshape(value, (places.size, *order.rest)))
    return transpose(reshape(rows, tuple(part.shape[a] for a in order.moved)), np.argsort(order.moved).tolist())


def _masked(part: Tensor, axis: int, mask: Tensor, value: Tensor) -> Tensor:
    covered = part.shape[axis:axis + mask.ndim]
    if covered != mask.shape:
        raise index_error(f"a mask of shape {mask.shape} does not fit the axes {covered} of the tensor")
    after = part.ndim - axis - mask.ndim
    if value.ndim > after and not (value.ndim == after + 1 and value.shape[0] == 1) and value.size != 1:
        raise capture_error(f"x[mask] = value with a value of shape {value.shape} takes its elements one by one; how "
                            "many depends on the data; give a single value, or use ops.where(mask, values, x)")
    if value.ndim > after:
        value = reshape(value, value.shape[value.ndim - after:] if value.size != 1 else ())
    spread = reshape(mask, mask.shape + (1,) * after)
    return apply(pw.select, spread, value, part)


def _setitem_now(self: Tensor, index, value) -> None:
    """Assignment at once, by NumPy, into the tensor's own memory."""
    from graphcore.tensor import store
    array = value.asnumpy() if isinstance(value, Tensor) else np.asarray(value)
    stored = store(array, self.dtype)
    key = numpy_key(index, self.shape)
    targets = [self.materialized()._array if isinstance(self, Parameter) else self._array]
    for target in targets + self.__dict__.get("_sources", []):
        try:
            part = target[key]
            if stored.size == part.size and stored.ndim == 1 and part.ndim > 1:
                stored = stored.reshape(part.shape)
            target[key] = stored
            epoch.values_exposed(target)
        except IndexError as error:
            raise index_error(str(error)) from None
        except ValueError:
            raise shape_error(f"a value of shape {stored.shape} cannot be broadcast to the shape {part.shape} of the "
                              "elements assigned to") from None
    if "_sources" in self.__dict__ or isinstance(self, Parameter):
        epoch.data_changed()        # a Parameter's memory may have been written
