"""``x[index]`` and ``x[index] = value``.

An index is an int, slice, None, Ellipsis, integer or bool tensor, array or list, or a tuple of these, with NumPy's
meaning.  In a capture, ints and slices become one strided window; index tensors are linearised into one `gather` or
scatter; a bool mask can be written through (it becomes a `select`) but not read, since the size of the result would
depend on data.

Assignment is functional in a capture: the tensor gets a new node, and so do the tensors that it was taken out of by
basic indexing (``x[0][1] = 5`` changes x).  ``y = x`` names the same object, so `y` sees the change too.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graphcore import dtype as dt
from graphcore.capture.trace import TracedTensor, current_trace
from graphcore.ir.dims import Dim, product
from graphcore.ops import indexing as records
from graphcore.ops import pointwise as pw
from graphcore.ops import view
from graphcore.ops.dispatch import apply, cast
from graphcore.ops.functional.arguments import capture_error, shape_error
from graphcore.ops.functional.indexing import index_error
from graphcore.ops.functional.shaping import broadcast_to, reshape, transpose
from graphcore.tensor import Tensor


@dataclass
class Window:
    """The basic part of an index: a strided window, with the axes of the result that are left.

    begin, size, stride: for each axis of the tensor; shape: the result's, axes taken by an int left out and new ones
    put in; arrays: axis of the result → what is left to be indexed there, an array of ints or a mask.
    """

    begin: list
    size: list
    stride: list
    shape: list
    arrays: dict
    separated: bool = False

    def is_whole(self, shape) -> bool:
        return tuple(self.size) == tuple(shape) and all(s == 1 for s in self.stride)


# -- reading the index ------------------------------------------------------------------------------------

def _entries(index, rank: int) -> list:
    """The entries of an index, the Ellipsis replaced by full slices, missing axes appended."""
    entries = [_normalized(e) for e in (index if isinstance(index, tuple) else (index,))]
    used = sum(_axes_used(e) for e in entries)
    dots = [i for i, e in enumerate(entries) if e is Ellipsis]
    if len(dots) > 1:
        raise index_error("an index can hold only one Ellipsis (...)")
    if used > rank:
        raise index_error(f"{used} indices for a tensor of {rank} dimensions")
    missing = [slice(None)] * (rank - used)
    if dots:
        entries[dots[0]:dots[0] + 1] = missing
        return entries
    return entries + missing


def _normalized(entry):
    if entry is None or entry is Ellipsis or isinstance(entry, (bool, int, Dim)):
        return entry
    if isinstance(entry, np.integer):
        return int(entry)
    if isinstance(entry, slice):
        return slice(*(_bound(b) for b in (entry.start, entry.stop, entry.step)))
    if isinstance(entry, (list, np.ndarray, range, tuple)):
        if any(isinstance(e, Tensor) for e in entry) and current_trace() is not None:
            from graphcore.ops.functional.joining import stack
            entry = stack([e if isinstance(e, Tensor) else Tensor(e) for e in entry])
        else:
            entry = Tensor(np.array([], np.int64) if len(entry) == 0 else list(entry) if isinstance(entry, range)
                           else entry)
    if isinstance(entry, Tensor):
        if not (entry.dtype.is_integer or entry.dtype.is_bool):
            raise index_error(f"a tensor used as an index must hold ints or bools, got {entry.dtype.name}; convert it "
                              "with .astype(ms.int32)")
        known = not isinstance(entry, TracedTensor) and current_trace() is None
        return entry.item() if known and entry.ndim == 0 and entry.dtype.is_integer else entry
    raise index_error(f"a tensor cannot be indexed by {type(entry).__name__} ({entry!r}); use ints, slices, None, ..., "
                      "bools, or tensors, arrays and lists of ints or bools")


def _bound(value):
    """A bound of a slice: None, an int or a symbolic size."""
    if value is None or isinstance(value, (int, Dim)) and not isinstance(value, bool):
        return value
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, Tensor) and value.size == 1 and value.dtype.is_integer:
        return int(value.item())
    raise index_error(f"the bounds of a slice are ints or None, got {value!r}")


def _axes_used(entry) -> int:
    if entry is None or entry is Ellipsis or isinstance(entry, bool):
        return 0
    if isinstance(entry, Tensor) and entry.dtype.is_bool:
        return entry.ndim
    return 1


def parse(index, shape: tuple) -> Window:
    """The window of an index into a tensor of `shape`.  Raises IndexRangeError (an IndexError) for a bad one."""
    window = Window([], [], [], [], {})
    axis, last_array = 0, None
    for entry in _entries(index, len(shape)):
        if entry is None or entry is True:
            window.shape.append(1)
        elif entry is False:
            window.shape.append(0)
        elif isinstance(entry, Tensor):
            window.separated |= last_array not in (None, len(window.shape))
            window.arrays[len(window.shape)] = entry
            for extent in shape[axis:axis + _axes_used(entry)]:
                _add(window, 0, extent, 1)
                window.shape.append(extent)
                axis += 1
            last_array = len(window.shape)
        elif isinstance(entry, slice):
            begin, size, stride = _slice(entry, shape[axis], axis)
            _add(window, begin, size, stride)
            window.shape.append(size)
            axis += 1
        else:
            _add(window, _place(entry, shape[axis], axis), 1, 1)
            axis += 1
    return window


def _add(window, begin, size, stride):
    window.begin.append(begin)
    window.size.append(size)
    window.stride.append(stride)


def _place(index, extent, axis):
    if isinstance(index, Dim) or isinstance(extent, Dim):
        return index if isinstance(index, Dim) or index >= 0 else extent + index
    if not -extent <= index < extent:
        raise index_error(f"index {index} is out of range for axis {axis} of size {extent}")
    return index % extent


def _slice(entry: slice, extent, axis) -> tuple:
    """(begin, size, stride) of a slice of an axis."""
    if entry.step == 0:
        raise index_error("the step of a slice must not be 0")
    if not any(isinstance(v, Dim) for v in (extent, entry.start, entry.stop)):
        start, stop, step = entry.indices(extent)
        return (start, len(range(start, stop, step)), step)
    step = 1 if entry.step is None else entry.step
    if step < 0 and (entry.start is not None or entry.stop is not None):
        raise capture_error(f"axis {axis} has the symbolic size {extent}: only [::{step}] is possible backwards")
    if step < 0:
        return extent - 1, (extent - step - 1) // -step, step
    start = _place(0 if entry.start is None else entry.start, extent, axis)
    stop = extent if entry.stop is None else _place(entry.stop, extent, axis)
    if isinstance(stop, int) and isinstance(extent, Dim):
        raise capture_error(f"axis {axis} has the symbolic size {extent}: whether it has {stop} elements is unknown; "
                            "slice up to a bound relative to the end, or give the axis a static size")
    return start, (stop - start + step - 1) // step, step


# -- reading ----------------------------------------------------------------------------------------------

def getitem(self: Tensor, index) -> Tensor:
    """``self[index]``.  Raises IndexRangeError (an IndexError) for an index out of range or of the wrong kind."""
    if current_trace() is None:
        return _getitem_now(self, index)
    window = parse(index, self.shape)
    if not window.arrays:
        result = reshape(cut(self, window), tuple(window.shape))
        if isinstance(self, TracedTensor) and isinstance(result, TracedTensor):
            if result is self:
                result = TracedTensor(self.node, self.trace)
            result.taken_from = (self, index)
        return result
    _check_readable(window)
    x, places, order = _linearized(reshape(cut(self, window), tuple(window.shape)), window)
    rows = apply(records.gather, x, places, axis=0)
    return transpose(reshape(rows, places.shape + tuple(order.rest)), order.result_axes(places.ndim))


def cut(x: Tensor, window: Window) -> Tensor:
    """The strided window of `x`, of the rank of `x`."""
    if window.is_whole(x.shape):
        return x
    return apply(view.slice_, x, begin=tuple(window.begin), size=tuple(window.size), stride=tuple(window.stride))


def _check_readable(window):
    if any(a.dtype.is_bool for a in window.arrays.values()):
        raise capture_error("x[mask] has a size that depends on the data, so it cannot be part of a graph; use "
                            "ops.where(mask, x, 0), masked_fill, or a sum weighted by the mask")


def _getitem_now(self: Tensor, index) -> Tensor:
    """Indexing at once, by NumPy, into new memory.

    What basic indexing gives remembers where it was taken from: writing to it writes there too (``x[0][1] = 5``).
    """
    key = numpy_key(index, self.shape)
    try:
        part = self._array[key]
    except IndexError as error:
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
    return tuple(e.asnumpy() if isinstance(e, Tensor) else e for e in map(_normalized, entries))


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
    if not isinstance(index, TracedTensor) and not hasattr(index, "name") and isinstance(extent, int):
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
    from graphcore.parameter import Parameter
    if current_trace() is None:
        _setitem_now(self, index, value)
    elif isinstance(self, Parameter):
        from graphcore.ops.state import assign
        assign(self, updated(self, index, value))
    elif isinstance(self, TracedTensor):
        _rebind(self, index, value)
    else:
        raise capture_error("a Tensor that was made outside of the graph cannot be written to in a capture; write to a "
                            "copy: x = x.copy()")


def _rebind(self: TracedTensor, index, value) -> None:
    """Give `self`, and what it was taken out of, the node with the elements replaced."""
    self.node = self.trace.node_of(updated(self, index, value))
    source = self.__dict__.get("taken_from")
    if source is not None:
        base, place = source
        part = getitem(base, place)
        part.__dict__.pop("taken_from", None)
        _rebind(part, index, value)
        _rebind(base, place, part)


def updated(x: Tensor, index, value) -> Tensor:
    """`x` with ``x[index]`` replaced by `value`."""
    window = parse(index, x.shape)
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
    targets = [self.materialized()._array if hasattr(self, "materialized") else self._array]
    for target in targets + self.__dict__.get("_sources", []):
        try:
            part = target[key]
            if stored.size == part.size and stored.ndim == 1 and part.ndim > 1:
                stored = stored.reshape(part.shape)
            target[key] = stored
        except IndexError as error:
            raise index_error(str(error)) from None
        except ValueError:
            raise shape_error(f"a value of shape {stored.shape} cannot be broadcast to the shape {part.shape} of the "
                              "elements assigned to") from None
    if "_sources" in self.__dict__ or hasattr(self, "materialized"):
        from graphcore.capture import epoch
        epoch.data_changed()        # a Parameter's memory may have been written
