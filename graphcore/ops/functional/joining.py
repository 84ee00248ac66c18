"""Putting tensors together, and taking them apart."""
from __future__ import annotations

from graphcore.ops import view as records
from graphcore.ops.functional.arguments import (
    Dim,
    Tensor,
    apply,
    axis_of,
    current_trace,
    dtype_error,
    ints_of,
    number_of,
    shape_error,
    tensor_of,
    tensors_of,
)
from graphcore.ops.functional.shaping import atleast_1d, atleast_2d, atleast_3d, expand_dims, reshape

__all__ = [
    "concat", "cat", "stack", "hstack", "vstack", "row_stack", "dstack", "column_stack", "split", "chunk",
    "tensor_split", "hsplit", "vsplit", "dsplit", "unstack", "unbind", "narrow",
]


def concat(tensors, axis=0):
    """The Tensors of a list or tuple one after the other along `axis`; dtypes are promoted.

    Raises ShapeError if other axes differ, DTypeError unless it is a list or tuple of Tensors.
    """
    parts = tensors_of(tensors, "concat")
    axis = axis_of(axis, parts[0].ndim, "concat")
    whole = whole_stack(parts, axis, new_axis=False)
    if whole is not None:
        return whole
    return parts[0] if len(parts) == 1 else apply(records.concat, *parts, axis=axis)


def whole_stack(parts, axis: int, new_axis: bool) -> Tensor | None:
    """What joins `parts` if they are all elements, in order, of one stack that a loop gave; else None."""
    trace = current_trace()
    if trace is None or not trace.symbolic:
        return None
    from graphcore.capture.language.stacks import join_elements
    return join_elements(parts, axis, new_axis)


def cat(tensors, axis=0):
    """As `concat`."""
    return concat(tensors, axis)


def stack(tensors, axis=0):
    """Tensors of one shape as the slices along a new axis.  Raises ShapeError if shapes differ."""
    parts = tensors_of(tensors, "stack")
    if any(p.shape != parts[0].shape for p in parts):
        raise shape_error("stack: shapes differ: " + ", ".join(str(p.shape) for p in parts))
    axis = axis_of(axis, parts[0].ndim + 1, "stack")
    whole = whole_stack(parts, axis, new_axis=True)
    return concat([expand_dims(p, axis) for p in parts], axis) if whole is None else whole


def hstack(tensors):
    """Concatenated along the second axis (the first, if there is only one)."""
    parts = [atleast_1d(x) for x in tensors]
    return concat(parts, 0 if parts[0].ndim == 1 else 1)


def vstack(inputs):
    """Concatenated along the first axis, vectors as rows."""
    return concat([atleast_2d(x) for x in inputs], 0)


row_stack = vstack


def dstack(tensors):
    """Concatenated along the third axis."""
    return concat([atleast_3d(x) for x in tensors], 2)


def column_stack(tensors):
    """Concatenated along the second axis, vectors as columns."""
    parts = [tensor_of(x, "column_stack") for x in tensors]
    return concat([x if x.ndim > 1 else reshape(x, (-1, 1)) for x in parts], 1)


def window(x: Tensor, axis: int, start, length) -> Tensor:
    """`length` elements from `start` along one axis."""
    if length == x.shape[axis]:
        return x
    begin = tuple(start if i == axis else 0 for i in range(x.ndim))
    return apply(records.slice_, x, begin=begin, size=x.shape[:axis] + (length,) + x.shape[axis + 1:],
                 stride=(1,) * x.ndim)


def split(tensor, split_size_or_sections=None, axis=0, *, output_num=None):
    """A tuple of parts along `axis`: of one size (the last may be smaller), or of the sizes in a tuple or list.

    output_num: the number of parts, in place of their size, as MindSpore 1 had it.
    Raises ShapeError if the sizes do not add up, or if neither or both of size and number are given.
    """
    x = tensor_of(tensor, "split")
    axis = axis_of(axis, x.ndim, "split")
    extent, sizes = x.shape[axis], split_size_or_sections
    if (sizes is None) == (output_num is None):
        raise shape_error("split: give the size of the parts, or their sizes, or output_num, their number")
    if output_num is not None:
        if output_num <= 0 or extent % output_num:
            raise shape_error(f"split: axis {axis} of shape {x.shape} cannot be divided into {output_num} equal parts")
        sizes = extent // output_num
    if isinstance(sizes, (list, tuple)):
        sizes = ints_of(sizes, "split: sizes")
        total = sum(sizes[1:], sizes[0]) if sizes else 0
        if total != extent:
            raise shape_error(f"split: sizes {sizes} add up to {total}, axis {axis} of shape {x.shape} has {extent}")
    else:
        step = number_of(sizes, "split")
        if isinstance(step, bool) or not isinstance(step, (int, Dim)):
            raise dtype_error(f"split: the size must be an int or a tuple of ints, got {sizes!r}")
        if isinstance(step, int) and step <= 0:
            raise shape_error(f"split: the size of a part must be positive, got {step}")
        if isinstance(extent, Dim) or isinstance(step, Dim):
            sizes = (step,) * (extent // step)
        else:
            sizes = tuple(min(step, extent - start) for start in range(0, extent, step)) or (0,)
    starts, parts = 0, []
    for length in sizes:
        parts.append(window(x, axis, starts, length))
        starts = starts + length
    return tuple(parts)


def chunk(input, chunks, axis=0):
    """At most `chunks` parts of equal size along `axis` (the last may be smaller)."""
    x = tensor_of(input, "chunk")
    chunks = number_of(chunks, "chunk")
    if not isinstance(chunks, int) or chunks <= 0:
        raise shape_error(f"chunk: the number of parts must be a positive int, got {chunks!r}")
    extent = x.shape[axis_of(axis, x.ndim, "chunk")]
    return split(x, extent // chunks if isinstance(extent, Dim) else max(-(-extent // chunks), 1), axis)


def tensor_split(input, indices_or_sections, axis=0):
    """Parts along `axis`: so many of nearly equal size, or cut before each of the indices in a tuple."""
    x = tensor_of(input, "tensor_split")
    extent = x.shape[axis_of(axis, x.ndim, "tensor_split")]
    if isinstance(indices_or_sections, int):
        n, more = divmod(extent, indices_or_sections)
        return split(x, [n + 1] * more + [n] * (indices_or_sections - more), axis)
    cuts = [0, *(min(max(i + extent if i < 0 else i, 0), extent) for i in indices_or_sections), extent]
    axis = axis_of(axis, x.ndim, "tensor_split")
    return tuple(window(x, axis, a, max(b - a, 0)) for a, b in zip(cuts, cuts[1:]))


def hsplit(input, indices_or_sections):
    """`tensor_split` along the second axis (the first, if there is only one)."""
    return tensor_split(input, indices_or_sections, 0 if tensor_of(input, "hsplit").ndim == 1 else 1)


def vsplit(input, indices_or_sections):
    """`tensor_split` along the first axis."""
    return tensor_split(input, indices_or_sections, 0)


def dsplit(input, indices_or_sections):
    """`tensor_split` along the third axis."""
    return tensor_split(input, indices_or_sections, 2)


def unstack(input_x, axis=0):
    """The slices along `axis`, without it, as a tuple."""
    x = tensor_of(input_x, "unstack")
    axis = axis_of(axis, x.ndim, "unstack")
    if isinstance(x.shape[axis], Dim):
        raise shape_error(f"unstack: the size {x.shape[axis]} of axis {axis} is symbolic, so is the number of parts")
    rest = x.shape[:axis] + x.shape[axis + 1:]
    return tuple(reshape(window(x, axis, i, 1), rest) for i in range(x.shape[axis]))


def unbind(input, dim=0):
    """As `unstack`."""
    return unstack(input, dim)


def narrow(input, axis, start, length):
    """`length` elements from `start` along `axis`.  Raises ShapeError if they leave the axis."""
    x = tensor_of(input, "narrow")
    axis = axis_of(axis, x.ndim, "narrow")
    start, extent = number_of(start, "narrow"), x.shape[axis]
    if isinstance(start, int) and start < 0:
        start = start + extent
    if all(isinstance(v, int) for v in (start, length, extent)) and not 0 <= start <= start + length <= extent:
        raise shape_error(f"narrow: {length} elements from {start} leave axis {axis} of size {extent}")
    return window(x, axis, start, length)
