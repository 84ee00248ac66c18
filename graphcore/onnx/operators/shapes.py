"""Operators that arrange elements: shapes, axes, windows, parts; and those that make tensors."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from graphcore import dtype as dt
from graphcore.ir.dims import Dim, product
from graphcore.onnx.table import operator
from graphcore.onnx.tensors import dtype_of
from graphcore.onnx.values import axes_of, axis_of, ints, like, room, sizes_of
from graphcore.ops import functional as F
from graphcore.ops import view
from graphcore.ops.dispatch import apply
from graphcore.ops.functional.arguments import full_of
from graphcore.ops.functional.creation import row_and_column
from graphcore.ops.functional.joining import window
from graphcore.ops.functional.padding import pad_axes
from graphcore.tensor import Tensor

_TO_THE_END = 10 ** 9       # what exporters write for the end of an axis of unknown size, and more


# -- shapes -----------------------------------------------------------------------------------------------------

@operator("Shape", 1)
def shape(x, *, start=0, end=None):
    return sizes_of(list(x.shape[start:end]))


@operator("Size", 1)
def size(x):
    return sizes_of(product(x.shape))


def _wanted(x: Tensor, wanted: list, allowzero) -> tuple:
    """The sizes that a Reshape asks for, 0 copied from x."""
    if not allowzero:
        wanted = [x.shape[i] if isinstance(n, int) and n == 0 else n for i, n in enumerate(wanted)]
    elif -1 in wanted and 0 in wanted:
        raise ValueError("allowzero does not go with both 0 and -1 in the shape")
    if -1 in wanted:
        others = product(n for n in wanted if not (isinstance(n, int) and n == -1))
        if isinstance(others, int) and others == 0:
            raise ValueError(f"the shape {wanted} does not say what -1 stands for")
        place = wanted.index(-1)
        wanted = [*wanted[:place], x.size // others, *wanted[place + 1:]]
    return room(wanted, "Reshape")


@operator("Reshape", 5, numbers=("shape",))
def reshape(x, shape, *, allowzero=0):
    return F.reshape(x, _wanted(x, ints(shape), allowzero))


@operator("Flatten", 1)
def flatten(x, *, axis=1):
    axis = axis + x.ndim if axis < 0 else axis
    return F.reshape(x, (product(x.shape[:axis]), product(x.shape[axis:])))


def _squeezed(x: Tensor, axes) -> Tensor:
    axes = [i for i, n in enumerate(x.shape) if n == 1] if axes is None else axes_of(axes, x.ndim)
    if any(x.shape[i] != 1 for i in axes):
        raise ValueError(f"the axes {list(axes)} of shape {x.shape} are not all of size 1")
    return F.reshape(x, tuple(n for i, n in enumerate(x.shape) if i not in axes))


@operator("Squeeze", 1)
def squeeze_by_attribute(x, *, axes=None):
    return _squeezed(x, axes)


@operator("Squeeze", 13, numbers=("axes",))
def squeeze(x, axes=None):
    return _squeezed(x, None if axes is None else ints(axes))


@operator("Unsqueeze", 1)
def unsqueeze_by_attribute(x, *, axes):
    rank = x.ndim + len(axes)
    new, rest = axes_of(axes, rank), iter(x.shape)
    return F.reshape(x, tuple(1 if i in new else next(rest) for i in range(rank)))


@operator("Unsqueeze", 13, numbers=("axes",))
def unsqueeze(x, axes):
    return unsqueeze_by_attribute(x, axes=ints(axes))


@operator("Transpose", 1)
def transpose(x, *, perm=None):
    return F.transpose(x, tuple(range(x.ndim))[::-1] if perm is None else tuple(perm))


@operator("Expand", 8, numbers=("shape",))
def expand(x, shape):
    """Broadcast to `shape` and its own at once."""
    wanted, rank = ints(shape), max(x.ndim, shape.size)
    own, wanted = [1] * (rank - x.ndim) + list(x.shape), [1] * (rank - shape.size) + wanted
    return F.broadcast_to(x, room([a if b == 1 else b for a, b in zip(own, wanted)], "Expand"))


@operator("Tile", 6, numbers=("repeats",))
def tile(x, repeats):
    times = ints(repeats)
    if len(times) != x.ndim:
        raise ValueError(f"there must be a number of repeats for each of the {x.ndim} axes, got {times}")
    room([n * k for n, k in zip(x.shape, times)], "Tile")
    return F.tile(x, tuple(times)) if 0 not in times else F.reshape(x, (-1,))[:0].reshape(
        tuple(n * k for n, k in zip(x.shape, times)))


@operator("Identity", 1)
def identity(x):
    return x


# -- parts ------------------------------------------------------------------------------------------------------

@operator("Concat", 4)
def concat(*xs, axis):
    return F.concat(list(xs), axis)


@operator("Split", 2)
def split_by_attribute(x, *, axis=0, split=None, outputs):
    return split_into(x, axis, split, outputs)


@operator("Split", 13, numbers=("split",))
def split_by_input(x, split=None, *, axis=0, outputs):
    return split_into(x, axis, None if split is None else ints(split), outputs)


@operator("Split", 18, numbers=("split",))
def split(x, split=None, *, axis=0, num_outputs=None, outputs):
    return split_into(x, axis, None if split is None else ints(split), outputs if num_outputs is None else num_outputs)


def split_into(x: Tensor, axis: int, sizes, count: int) -> tuple:
    """`count` parts of one size, of which the last may be smaller, or parts of the given sizes."""
    axis = axis_of(axis, x.ndim)
    extent = x.shape[axis]
    if sizes is None:
        if not 0 < count <= 65536:
            raise ValueError(f"cannot split into {count} parts")
        step = -(-extent // count) if isinstance(extent, int) else extent // count
        sizes = [step] * (count - 1) + [extent - step * (count - 1)]
    return F.split(x, tuple(sizes), axis)


@operator("Slice", 1)
def slice_by_attribute(x, *, starts, ends, axes=None):
    return _sliced(x, starts, ends, axes, None)


@operator("Slice", 10, numbers=("starts", "ends", "axes", "steps"))
def slice_by_input(x, starts, ends, axes=None, steps=None):
    return _sliced(x, ints(starts), ints(ends), None if axes is None else ints(axes),
                   None if steps is None else ints(steps))


def _sliced(x: Tensor, starts, ends, axes, steps) -> Tensor:
    axes = range(len(starts)) if axes is None else [axis_of(a, x.ndim) for a in axes]
    steps = [1] * len(starts) if steps is None else steps
    begin, length, stride = [0] * x.ndim, list(x.shape), [1] * x.ndim
    for axis, first, last, step in zip(axes, starts, ends, steps, strict=True):
        begin[axis], length[axis], stride[axis] = _slice_of(x.shape[axis], first, last, step)
    if 0 in length:
        begin = [0] * x.ndim
    return apply(view.slice_, x, begin=tuple(begin), size=tuple(length), stride=tuple(stride))


def _slice_of(extent, first, last, step) -> tuple:
    """(begin, length, step) of Python's slice; of a symbolic extent only what is known without its value."""
    if step == 0:
        raise ValueError("a step of 0")
    if not isinstance(extent, Dim):
        known = range(*slice(first, last, step).indices(extent))
        return (known.start if len(known) else 0), len(known), step
    if step == 1:
        begin = extent + first if isinstance(first, int) and first < 0 else first
        if last == extent or isinstance(last, int) and last >= _TO_THE_END:
            return begin, extent - begin, 1
        if isinstance(last, int) and last < 0:
            return begin, extent + last - begin, 1
        if isinstance(last, Dim) or last <= 1:          # a symbolic size is at least 1
            return begin, last - begin, 1
    if step == -1 and isinstance(first, int) and first in (-1, 2 ** 63 - 1) and last < -2 ** 31:
        return extent - 1, extent, -1
    raise ValueError(f"the window {first}:{last}:{step} of an axis of symbolic size {extent}")


@operator("Trilu", 14, numbers=("k",))
def triangle(x, k=None, *, upper=1):
    """The upper or lower triangle of matrices, zeros in the other."""
    shift = 0 if k is None else ints(k)[0]
    if 0 in x.shape:
        return x
    rows, columns = row_and_column(x.shape[-2:])
    away = F.sub(F.cast(columns, dt.int64), F.cast(rows, dt.int64))
    return F.where(away >= shift if upper else away <= shift, x, like(0, x))


# -- pixels and channels ----------------------------------------------------------------------------------------

@operator("DepthToSpace", 1)
def depth_to_space(x, *, blocksize, mode="DCR"):
    n, c, h, w = x.shape
    b, depth = blocksize, c // (blocksize * blocksize)
    if mode == "DCR":
        y = F.transpose(F.reshape(x, (n, b, b, depth, h, w)), (0, 3, 4, 1, 5, 2))
    elif mode == "CRD":
        y = F.transpose(F.reshape(x, (n, depth, b, b, h, w)), (0, 1, 4, 2, 5, 3))
    else:
        raise ValueError(f"unknown mode {mode!r}")
    return F.reshape(y, (n, depth, h * b, w * b))


@operator("SpaceToDepth", 1)
def space_to_depth(x, *, blocksize, mode="DCR"):
    n, c, h, w = x.shape
    b = blocksize
    y = F.reshape(x, (n, c, h // b, b, w // b, b))
    y = F.transpose(y, (0, 3, 5, 1, 2, 4) if mode == "DCR" else (0, 1, 3, 5, 2, 4))
    return F.reshape(y, (n, c * b * b, h // b, w // b))


# -- padding ----------------------------------------------------------------------------------------------------

_MODES = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}


@operator("Pad", 2)
def pad_by_attribute(x, *, pads, mode="constant", value=0.0):
    return _padded(x, pads, range(x.ndim), mode, value)


@operator("Pad", 11, numbers=("pads", "constant_value", "axes"))
def pad(x, pads, constant_value=None, axes=None, *, mode="constant"):
    axes = range(x.ndim) if axes is None else [axis_of(a, x.ndim) for a in ints(axes)]
    return _padded(x, ints(pads), axes, mode, 0 if constant_value is None else constant_value.item())


def _padded(x: Tensor, pads, axes, mode: str, value) -> Tensor:
    if mode not in _MODES:
        raise ValueError(f"unknown mode {mode!r}")
    if len(pads) != 2 * len(axes):
        raise ValueError(f"{len(pads)} pads for {len(axes)} axes")
    before, after = [0] * x.ndim, [0] * x.ndim
    for i, axis in enumerate(axes):
        before[axis], after[axis] = pads[i], pads[i + len(axes)]
    room([n + a + b for n, a, b in zip(x.shape, before, after)], "Pad")
    if mode != "constant":      # what is cut is cut first, and is not continued
        x = pad_axes(x, [min(n, 0) for n in before], [min(n, 0) for n in after])
        before, after = [max(n, 0) for n in before], [max(n, 0) for n in after]
        for axis, (a, b) in enumerate(zip(before, after)):
            x = _continued(x, axis, a, b, _MODES[mode])
        return x
    return pad_axes(x, before, after, "constant", value)


def _continued(x: Tensor, axis: int, before: int, after: int, mode: str) -> Tensor:
    """Padding that may go around (or to and fro) more than once: a gather along the axis."""
    if not before and not after:
        return x
    extent = x.shape[axis]
    if isinstance(extent, Dim):
        return pad_axes(x, *([n if i == axis else 0 for i in range(x.ndim)] for n in (before, after)), mode)
    if extent == 0:
        raise ValueError("an axis of size 0 cannot be continued")
    places = np.arange(-before, extent + after)
    if mode == "circular":
        places %= extent
    elif mode == "replicate":
        places = places.clip(0, extent - 1)
    else:
        there_and_back = max(2 * (extent - 1), 1)
        places = np.abs((places + extent - 1) % there_and_back - (extent - 1)) if extent > 1 else places * 0
    return F.gather(x, Tensor(places.astype(np.int32)), axis)


# -- tensors that are made --------------------------------------------------------------------------------------

@operator("Constant", 1)
def constant(*, value=None, value_float=None, value_floats=None, value_int=None, value_ints=None):
    given = [v for v in (value, value_float, value_floats, value_int, value_ints) if v is not None]
    if len(given) != 1:
        raise ValueError(f"one value is needed, got {len(given)}")
    if value is not None:
        return value
    return Tensor(given[0], dt.float32 if value_float is not None or value_floats is not None else dt.int64)


@operator("ConstantOfShape", 9, numbers=("shape",))
def constant_of_shape(shape, *, value=None):
    wanted = room(ints(shape), "ConstantOfShape")
    if value is None:
        return full_of(wanted, 0.0, dt.float32)
    return F.broadcast_to(F.reshape(value, ()), wanted)


@operator("Range", 11, numbers=("start", "limit", "delta"))
def counted(start, limit, delta, *, stash_type=1, dtype_of_first):
    first, last, step = (v.reshape(-1).tolist()[0] for v in (start, limit, delta))
    if any(isinstance(v, Dim) for v in (first, last, step)):
        if (first, step) != (0, 1):
            raise ValueError(f"a range {first}:{last}:{step} with symbolic sizes must start at 0 and count by 1")
        return F.arange(last, dtype=dtype_of_first)
    if step == 0 or not all(np.isfinite(v) for v in (first, last, step)):
        raise ValueError(f"there is no range from {first} to {last} by {step}")
    count = max(int(np.ceil((last - first) / step)), 0)
    room((count,), "Range")
    return Tensor(first + np.arange(count) * step, dtype_of_first)


@operator("EyeLike", 9)
def eye_like(x, *, dtype=None, k=0):
    dtype = x.dtype if dtype is None else dtype_of(dtype)
    rows, columns = row_and_column(x.shape)
    return F.cast(F.equal(F.sub(F.cast(columns, dt.int64), F.cast(rows, dt.int64)), k), dtype)


@operator("OneHot", 9, numbers=("depth",))
def one_hot(indices, depth, values, *, axis=-1):
    """values[1] where the place along the new axis is the index (negative ones from the end), values[0] elsewhere."""
    count, axis = int(ints(depth)[0]), axis_of(axis, indices.ndim + 1)
    room((*indices.shape, count), "OneHot")
    indices = F.cast(indices, dt.int64)
    indices = F.expand_dims(F.where(indices < 0, indices + count, indices), axis)
    places = F.reshape(F.arange(count, dtype=dt.int64), tuple(-1 if i == axis else 1 for i in range(indices.ndim)))
    off, on = window(values, 0, 0, 1), window(values, 0, 1, 1)
    return F.where(F.equal(places, indices), F.reshape(on, ()), F.reshape(off, ()))


def _window(name: str, formula: Callable) -> None:
    def make(size, *, output_datatype=1, periodic=1):
        count = int(ints(size)[0])
        room((count,), name)
        places = np.arange(count) / max(count if periodic else count - 1, 1)
        return Tensor(formula(2 * np.pi * places), dtype_of(output_datatype))
    operator(name, 17, numbers=("size",))(make)


_window("HannWindow", lambda angle: 0.5 - 0.5 * np.cos(angle))
_window("HammingWindow", lambda angle: 25 / 46 - 21 / 46 * np.cos(angle))
_window("BlackmanWindow", lambda angle: 0.42 - 0.5 * np.cos(angle) + 0.08 * np.cos(2 * angle))
