"""What an index means: the strided window that its ints and slices cut, and the index tensors that are left."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graphcore.capture.trace import TracedTensor, current_trace
from graphcore.ir.dims import Dim
from graphcore.ops import view
from graphcore.ops.dispatch import apply
from graphcore.ops.functional.arguments import capture_error
from graphcore.ops.functional.indexing import index_error
from graphcore.tensor import Tensor


@dataclass
class Window:
    """The basic part of an index: a strided window, with the axes of the result that are left.

    begin, size, stride: for each axis of the tensor; shape: the result's, axes taken by an int left out and new ones
    put in; arrays: axis of the result → what is left to be indexed there, an array of ints or a mask; separated: the
    axes of the arrays come first in the result, as their entries do not stand side by side.
    """

    begin: list
    size: list
    stride: list
    shape: list
    arrays: dict
    separated: bool

    def is_whole(self, shape) -> bool:
        """Whether it is all of a tensor of `shape`."""
        return tuple(self.size) == tuple(shape) and all(s == 1 for s in self.stride)


def _entries(index, rank: int) -> list:
    """The entries of an index, the Ellipsis replaced by full slices, missing axes appended."""
    entries = [normalized(e) for e in (index if isinstance(index, tuple) else (index,))]
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


def normalized(entry):
    """One entry of an index as None, ..., a bool, an int, a slice of ints, or a Tensor of ints or bools."""
    if entry is None or entry is Ellipsis or isinstance(entry, (bool, int, Dim)):
        return entry
    if isinstance(entry, np.integer):
        return int(entry)
    if isinstance(entry, slice):
        moving = _moving_window(entry)
        return moving if moving is not None else slice(*(_bound(b) for b in (entry.start, entry.stop, entry.step)))
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


def _moving_window(entry: slice) -> Tensor | None:
    """The indices of ``x[i:i + n]`` for a traced i and a number n: a window of a known size; None for other slices."""
    start, stop = entry.start, entry.stop
    if entry.step not in (None, 1) or not isinstance(start, TracedTensor) or not isinstance(stop, TracedTensor) \
            or current_trace() is None or not current_trace().symbolic:
        return None
    first, last = current_trace().node_of(start), current_trace().node_of(stop)
    if last.op != "add" or first not in last.inputs:
        return None
    length = last.inputs[1 - last.inputs.index(first)]
    if length.op != "const" or length.shape != () or first.shape != ():
        return None
    return start + Tensor(np.arange(int(length.attrs["value"].array)), start.dtype)


def _bound(value):
    """A bound of a slice: None, an int or a symbolic size."""
    if value is None or isinstance(value, (int, Dim)) and not isinstance(value, bool):
        return value
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, Tensor) and value.size == 1 and value.dtype.is_integer:
        return int(value)
    raise index_error(f"the bounds of a slice are ints or None, got {value!r}")


def _axes_used(entry) -> int:
    if entry is None or entry is Ellipsis or isinstance(entry, bool):
        return 0
    if isinstance(entry, Tensor) and entry.dtype.is_bool:
        return entry.ndim
    return 1


def parse(index, shape: tuple) -> Window:
    """The window of an index into a tensor of `shape`.  Raises IndexRangeError (an IndexError) for a bad one."""
    entries = _entries(index, len(shape))
    window = Window([], [], [], [], {}, _separated(entries))
    axis = 0
    for entry in entries:
        if entry is None or isinstance(entry, bool):
            window.shape.append(0 if entry is False else 1)
        elif isinstance(entry, Tensor):
            window.arrays[len(window.shape)] = entry
            for extent in shape[axis:axis + _axes_used(entry)]:
                _add(window, 0, extent, 1)
                window.shape.append(extent)
                axis += 1
        elif isinstance(entry, slice):
            begin, size, stride = _slice(entry, shape[axis], axis)
            _add(window, begin, size, stride)
            window.shape.append(size)
            axis += 1
        else:
            _add(window, _place(entry, shape[axis], axis), 1, 1)
            axis += 1
    return window


def _separated(entries) -> bool:
    """Whether something stands between the ints and tensors of an index: their axes then come first in the result."""
    chosen = [i for i, e in enumerate(entries) if isinstance(e, (Tensor, int, Dim)) and not isinstance(e, bool)]
    return bool(chosen) and chosen[-1] - chosen[0] >= len(chosen)


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


def cut(x: Tensor, window: Window) -> Tensor:
    """The strided window of `x`, of the rank of `x`."""
    if window.is_whole(x.shape):
        return x
    return apply(view.slice_, x, begin=tuple(window.begin), size=tuple(window.size), stride=tuple(window.stride))
