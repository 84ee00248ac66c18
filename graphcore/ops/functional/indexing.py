"""Reading and writing elements whose places are data.

Indices are integer tensors (others than int32 and int64 are converted); negative ones count from the end.  Outside a
capture an index out of range is an IndexRangeError; a compiled program reads 0 there and writes nothing.
"""
from __future__ import annotations

import numpy as np

from graphcore.errors import IndexRangeError
from graphcore.ops import indexing as records
from graphcore.ops.functional.arguments import (
    Tensor,
    also_named,
    apply,
    axis_of,
    cast,
    current_trace,
    dt,
    dtype_error,
    ints_of,
    locate,
    number_of,
    shape_error,
    sizes_of,
    tensor_of,
)
from graphcore.ops.functional.comparison import equal, where
from graphcore.ops.functional.creation import full_of
from graphcore.ops.functional.shaping import broadcast_to, expand_dims, moveaxis, ravel, reshape, transpose

__all__ = [
    "gather", "embedding", "index_select", "gather_elements", "gather_d", "gather_nd", "take", "searchsorted",
    "bucketize", "scatter_nd", "tensor_scatter_update",
    "tensor_scatter_add", "tensor_scatter_sub", "scatter_nd_update", "scatter_elements", "scatter",
    "tensor_scatter_elements", "index_add", "index_fill", "unsorted_segment_sum", "isin", "slice", "tensor_slice",
    "strided_slice",
]


def index_error(message: str) -> Exception:
    """An IndexRangeError (an IndexError) with the user's line."""
    return locate(IndexRangeError(message))


def indices_of(indices, extents, name: str) -> Tensor:
    """int32 or int64 indices.  extents: the size that each entry of the last axis must stay below, or one size.

    Raises DTypeError unless they are integers; outside a capture, IndexRangeError out of range.
    """
    x = tensor_of(indices, name)
    if not x.dtype.is_integer:
        raise dtype_error(f"{name} takes integer indices, got {x.dtype.name}; convert them with .astype(ms.int32)")
    if current_trace() is None and x.size:
        limits, values = np.asarray(extents), x.asnumpy()
        bad = (values < -limits) | (values >= limits)
        if bad.any():
            raise index_error(f"{name}: index {values[bad][0]} is out of range for an axis of size "
                              f"{np.broadcast_to(limits, values.shape)[bad][0]}")
    return x if x.dtype in (dt.int32, dt.int64) else cast(x, dt.int64 if x.dtype.itemsize > 2 else dt.int32)


# -- reading ----------------------------------------------------------------------------------------------

def gather(input_params, input_indices, axis, batch_dims=0):
    """The slices along `axis` that `input_indices` names: x.shape[:axis] + indices.shape + x.shape[axis+1:].

    batch_dims: so many leading axes of both belong together.  Raises DTypeError for indices that are not integers.
    """
    x = tensor_of(input_params, "gather")
    axis = axis_of(axis, x.ndim, "gather")
    indices = indices_of(input_indices, x.shape[axis], "gather")
    if not batch_dims:
        return apply(records.gather, x, indices, axis=axis)
    batch = batch_dims % indices.ndim if batch_dims < 0 else batch_dims
    if x.shape[:batch] != indices.shape[:batch] or axis < batch:
        raise shape_error(f"gather: the {batch} leading axes of {x.shape} and of the indices {indices.shape} must "
                          f"agree and come before axis {axis}")
    rest = indices.shape[batch:]
    front = moveaxis(x, axis, batch)                                      # batch, the indexed axis, all others
    flat = reshape(indices, (*indices.shape[:batch], -1) + (1,) * (x.ndim - batch - 1))
    places = broadcast_to(flat, (*flat.shape[:batch + 1], *front.shape[batch + 1:]))
    taken = apply(records.gather_elements, front, places, axis=batch)
    taken = reshape(taken, (*x.shape[:batch], *rest, *front.shape[batch + 1:]))
    between = axis - batch                   # axes of x that stood before the indexed one go back to their place
    order = [*_span(0, batch), *_span(batch + len(rest), between), *_span(batch, len(rest))]
    order += _span(len(order), taken.ndim - len(order))
    return transpose(taken, order)


def _span(start, count) -> list:
    return [start + i for i in np.arange(count).tolist()]


def embedding(input, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False):
    """The rows of `weight` that the integers `input` name; the row `padding_idx` gets no gradient.

    Raises ValueError for `max_norm` and `scale_grad_by_freq`, which are not supported.
    """
    if max_norm is not None or scale_grad_by_freq:
        raise shape_error("embedding: max_norm and scale_grad_by_freq are not supported")
    rows = gather(weight, input, 0)
    if padding_idx is None:
        return rows
    from graphcore.ops.functional.program import stop_gradient
    padding = expand_dims(equal(input, padding_idx % weight.shape[0]), -1)
    return where(padding, stop_gradient(rows), rows)


def index_select(input, axis, index):
    """The slices along `axis` named by the vector `index`."""
    index = tensor_of(index, "index_select")
    if index.ndim > 1:
        raise shape_error(f"index_select takes a vector of indices, got shape {index.shape}")
    return gather(input, reshape(index, (-1,)), axis)


@also_named(axis="dim")
def gather_elements(input, dim, index):
    """out[i, j, k] = input[i, index[i, j, k], k] for dim 1, and likewise for others.

    Raises ShapeError unless the index has the rank of the input and is not larger along other axes.
    """
    x = tensor_of(input, "gather_elements")
    axis = axis_of(dim, x.ndim, "gather_elements")
    return apply(records.gather_elements, x, indices_of(index, x.shape[axis], "gather_elements"), axis=axis)


def gather_d(x, dim, index):
    """As `gather_elements`."""
    return gather_elements(x, dim, index)


def gather_nd(input_x, indices):
    """The slices whose first coordinates are the rows of `indices` [..., R]."""
    x, indices = tensor_of(input_x, "gather_nd"), tensor_of(indices, "gather_nd")
    depth = indices.shape[-1] if indices.ndim else 0
    return apply(records.gather_nd, x, indices_of(indices, x.shape[:depth], "gather_nd"))


def take(input, index):
    """Elements of the flattened tensor, in the shape of `index`."""
    return gather(ravel(input), index, 0)


def searchsorted(sorted_sequence, values, *, out_int32=False, right=False, side=None, sorter=None):
    """Where each of `values` belongs in a sorted vector: how many elements are smaller (right: or equal)."""
    from graphcore.ops.functional.reduction import sum as total
    edges, x = tensor_of(sorted_sequence, "searchsorted"), tensor_of(values, "searchsorted")
    if sorter is not None:
        edges = gather(edges, sorter, edges.ndim - 1)
    if side not in (None, "left", "right"):
        raise shape_error(f"searchsorted: side must be 'left' or 'right', got {side!r}")
    after = right or side == "right"
    if edges.ndim > 1:
        edges = expand_dims(edges, -2)
    smaller = edges <= expand_dims(x, -1) if after else edges < expand_dims(x, -1)
    return total(cast(smaller, dt.int32), -1, dtype=dt.int32 if out_int32 else dt.int64)


def bucketize(input, boundaries, *, right=False):
    """The bucket between sorted `boundaries` (a list of numbers) that each element falls into, as int32."""
    return searchsorted(Tensor(list(boundaries), dt.float32), input, right=right, out_int32=True)


# -- writing ----------------------------------------------------------------------------------------------

def scatter_nd(indices, updates, shape):
    """Zeros of `shape` with each of `updates` added at the row of `indices` [..., R] that belongs to it."""
    sizes, indices = sizes_of(shape, "scatter_nd"), tensor_of(indices, "scatter_nd")
    places = indices_of(indices, sizes[:indices.shape[-1]], "scatter_nd")
    return apply(records.scatter_nd_add, places, tensor_of(updates, "scatter_nd"), shape=sizes)


def _points_and_values(name, x, indices, updates):
    x, indices = tensor_of(x, name), tensor_of(indices, name)
    places = indices_of(indices, x.shape[:indices.shape[-1]], name)
    wanted = (*indices.shape[:-1], *x.shape[indices.shape[-1]:])
    return x, places, broadcast_to(cast(tensor_of(updates, name), x.dtype), wanted)


def tensor_scatter_update(input_x, indices, updates):
    """`input_x` with the slices at the rows of `indices` [..., R] replaced; of two for one place the last stays."""
    return apply(records.scatter_nd_update, *_points_and_values("tensor_scatter_update", input_x, indices, updates))


def tensor_scatter_add(input_x, indices, updates):
    """`input_x` with `updates` added at the rows of `indices` [..., R]."""
    x, places, values = _points_and_values("tensor_scatter_add", input_x, indices, updates)
    return x + apply(records.scatter_nd_add, places, values, shape=x.shape)


def tensor_scatter_sub(input_x, indices, updates):
    """`input_x` with `updates` subtracted at the rows of `indices` [..., R]."""
    x, places, values = _points_and_values("tensor_scatter_sub", input_x, indices, updates)
    return x - apply(records.scatter_nd_add, places, values, shape=x.shape)


scatter_nd_update = tensor_scatter_update


@also_named(axis="dim", updates="src")
def scatter_elements(input, dim, index, src, reduction="none"):
    """`input` with out[i, index[i, j, k], k] set to (reduction "add": increased by) src[i, j, k] for dim 1.

    src: a Tensor of the shape of `index`, or a number.  "none" needs every place to be named at most once.
    Raises ValueError for another reduction.
    """
    x = tensor_of(input, "scatter_elements")
    axis = axis_of(dim, x.ndim, "scatter_elements")
    places = indices_of(index, x.shape[axis], "scatter_elements")
    values = cast(src, x.dtype) if isinstance(src, Tensor) else Tensor(src, x.dtype)
    values = broadcast_to(values, places.shape)
    if reduction not in ("none", "add"):
        raise shape_error(f"scatter_elements: the reduction must be 'none' or 'add', got {reduction!r}")
    def spread(v):
        return apply(records.scatter_elements_add, places, v, axis=axis, shape=x.shape)
    if reduction == "add":
        return x + spread(values)
    return where(spread(full_of(places.shape, 1, dt.int32)) > 0, spread(values), x)


def scatter(input, axis, index, src):
    """`input` with src[i, j, k] at [i, index[i, j, k], k] (axis 1); see `scatter_elements`."""
    return scatter_elements(input, axis, index, src)


def tensor_scatter_elements(input_x, indices, updates, axis=0, reduction="none"):
    """As `scatter_elements`."""
    return scatter_elements(input_x, axis, indices, updates, reduction)


def index_add(x, indices, y, axis, use_lock=True, check_index_bound=True):
    """`x` with the slices of `y` added along `axis` at the vector `indices`."""
    x = tensor_of(x, "index_add")
    axis = axis_of(axis, x.ndim, "index_add")
    places = indices_of(indices, x.shape[axis], "index_add")
    return x + apply(records.scatter_add, places, cast(tensor_of(y, "index_add"), x.dtype), axis=axis, shape=x.shape)


def index_fill(x, axis, index, value):
    """`x` with `value` in the slices along `axis` named by the vector `index`."""
    x = tensor_of(x, "index_fill")
    axis = axis_of(axis, x.ndim, "index_fill")
    places = reshape(indices_of(index, x.shape[axis], "index_fill"), (-1,))
    hits = apply(records.scatter_add, places, full_of(places.shape, 1, dt.int32), axis=0, shape=(x.shape[axis],))
    mask = reshape(hits > 0, tuple(s if i == axis else 1 for i, s in enumerate(x.shape)))
    return where(mask, cast(value, x.dtype) if isinstance(value, Tensor) else Tensor(value, x.dtype), x)


def unsorted_segment_sum(input_x, segment_ids, num_segments):
    """The sums of the slices that belong to each of `num_segments` segments; negative ids count for none."""
    x, ids = tensor_of(input_x, "unsorted_segment_sum"), tensor_of(segment_ids, "unsorted_segment_sum")
    count = number_of(num_segments, "unsorted_segment_sum")
    flat = reshape(x, (ids.size, *x.shape[ids.ndim:]))
    places = reshape(where(ids < 0, count, ids), (ids.size,))              # beyond the end: written nowhere
    return apply(records.scatter_add, places, flat, axis=0, shape=(count, *flat.shape[1:]))


def isin(input, elements):
    """Whether each element is one of the vector `elements`."""
    from graphcore.ops.functional.reduction import any as some
    return some(equal(expand_dims(tensor_of(input, "isin"), -1), ravel(elements)), -1)


# -- windows ----------------------------------------------------------------------------------------------

def slice(input_x, begin, size):
    """The window that starts at `begin` and has `size` elements along each axis; -1: all that are left.

    Raises ShapeError if it leaves the tensor.
    """
    import builtins
    x = tensor_of(input_x, "slice")
    begin, size = ints_of(begin, "slice: begin"), ints_of(size, "slice: size")
    if not len(begin) == len(size) == x.ndim:
        raise shape_error(f"slice: begin and size have one entry for each of the {x.ndim} axes, got {begin}, {size}")
    size = tuple(n - b if isinstance(s, int) and s == -1 else s for n, b, s in zip(x.shape, begin, size))
    if any(isinstance(b, int) and isinstance(s, int) and isinstance(n, int) and not 0 <= b <= b + s <= n
           for n, b, s in zip(x.shape, begin, size)):
        raise shape_error(f"slice: {size} elements from {begin} leave a tensor of shape {x.shape}")
    return x[tuple(builtins.slice(b, b + s) for b, s in zip(begin, size))]


tensor_slice = slice


def strided_slice(input_x, begin, end, strides, begin_mask=0, end_mask=0, ellipsis_mask=0, new_axis_mask=0,
                  shrink_axis_mask=0):
    """x[begin:end:strides] along each axis.

    Bit i of a mask: begin_mask, end_mask: as if left out; ellipsis_mask: as ...; new_axis_mask: as None;
    shrink_axis_mask: as the int begin[i].
    """
    import builtins
    entries = []
    for i, (b, e, s) in enumerate(zip(*(ints_of(v, "strided_slice") for v in (begin, end, strides)))):
        bit = 1 << i
        if ellipsis_mask & bit:
            entries.append(...)
        elif new_axis_mask & bit:
            entries.append(None)
        elif shrink_axis_mask & bit:
            entries.append(b)
        else:
            entries.append(builtins.slice(None if begin_mask & bit else b, None if end_mask & bit else e, s))
    return tensor_of(input_x, "strided_slice")[tuple(entries)]
