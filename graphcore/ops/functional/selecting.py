"""Results whose size depends on the data: masks, distinct elements, counts.

A program has fixed sizes.  A capture therefore asks the program for the number first (`Trace.assume`), and the program
that follows is for this number: right for every input, at the price of a compilation for each new number.
"""
from __future__ import annotations

import numpy as np

from graphcore.ops import indexing as records
from graphcore.ops import pointwise
from graphcore.ops.functional.arguments import (
    Tensor,
    apply,
    cast,
    current_trace,
    dt,
    dtype_error,
    ints_of,
    tensor_of,
    values_known,
)
from graphcore.ops.functional.indexing import gather
from graphcore.ops.functional.joining import concat, stack
from graphcore.ops.functional.ordering import argsort, cumsum, sort
from graphcore.ops.functional.reduction import amax
from graphcore.ops.functional.reduction import sum as total
from graphcore.ops.functional.shaping import broadcast_to, ravel, reshape
from graphcore.ops.record import broadcast_shapes

__all__ = ["masked_select", "nonzero", "argwhere", "unique", "unique_with_pad", "bincount"]


def positions(mask: Tensor, name: str) -> Tensor:
    """The int64 positions, in the flattened bool tensor `mask`, of what is true.

    In a capture the program is asked how many there are; another number is another program.  Raises CaptureError in a
    branch or loop that the program decides.
    """
    if values_known(mask):
        return Tensor(np.flatnonzero(mask.asnumpy()))
    flat = cast(ravel(mask), dt.int64)
    count = size_from_data(total(flat, dtype=dt.int64), name)
    place = apply(pointwise.select, ravel(mask), cumsum(flat, 0) - 1, Tensor(count, dt.int64))
    room = Tensor(np.zeros(count + 1, np.int64))         # its last place takes what is false
    filled = apply(records.scatter_nd_update, room, reshape(place, (flat.size, 1)), Tensor(np.arange(flat.size)))
    return filled[:count]


def size_from_data(value: Tensor, name: str) -> int:
    """An int64 Tensor of one number as an int; in a capture the program is asked for it."""
    trace = current_trace()
    if values_known(value):
        return int(value.asnumpy())
    return trace.assume(trace.node_of(value), f"{name} gives a tensor whose size depends on the data",
                        "use where, select or masked_fill")


def ints_from_data(values, name: str) -> tuple:
    """A tuple of ints from one or from an int Tensor of one axis; in a capture the program is asked for them."""
    if not isinstance(values, Tensor) or values_known(values):
        return ints_of(values, name)
    return tuple(size_from_data(cast(values[i], dt.int64), name) for i in range(values.shape[0]))


def masked_select(input, mask):
    """The elements where the bool `mask` is true, as a vector; see `positions` for captures."""
    x, mask = tensor_of(input, "masked_select"), tensor_of(mask, "masked_select")
    if not mask.dtype.is_bool:
        raise dtype_error(f"masked_select: the mask must be bool, got {mask.dtype.name}")
    shape = broadcast_shapes(x.shape, mask.shape)
    return gather(ravel(broadcast_to(x, shape)), positions(broadcast_to(mask, shape), "masked_select"), 0)


def nonzero(input, *, as_tuple=False):
    """The int64 positions of what is not 0, one row each (as_tuple: one vector per axis); see `positions`."""
    x = tensor_of(input, "nonzero")
    flat, axes = positions(x if x.dtype.is_bool else x != 0, "nonzero"), []
    for extent in reversed(x.shape):
        axes.append(flat % extent)
        flat = flat // extent
    axes.reverse()
    if as_tuple:
        return tuple(axes)
    return stack(axes, 1) if axes else Tensor(np.zeros((flat.shape[0], 0), np.int64))


def argwhere(input):
    """As `nonzero`."""
    return nonzero(input)


def unique(input):
    """(distinct elements as they first come, the index of each element among them); see `positions` for captures."""
    x = tensor_of(input, "unique")
    index_dtype = dt.int32 if x.dtype is dt.int32 else dt.int64
    if values_known(x):
        values, first, places = np.unique(x.asnumpy(), return_index=True, return_inverse=True)
        come = np.argsort(first)
        return Tensor(values[come], x.dtype), Tensor(np.argsort(come)[places].reshape(x.shape), index_dtype)
    ordered, order = sort(ravel(x))
    is_first = concat([Tensor(np.ones(1, bool)), ordered[1:] != ordered[:-1]]) if x.size > 1 else Tensor([True])
    number = cumsum(cast(is_first, dt.int64), 0) - 1
    places = apply(records.scatter_nd_update, Tensor(np.zeros(x.size, np.int64)),
                   reshape(cast(order, dt.int64), (x.size, 1)), number)
    first, come = sort(gather(order, positions(is_first, "unique"), 0))     # where each value comes first
    places = gather(argsort(come), places, 0)
    return gather(ravel(x), first, 0), cast(reshape(places, x.shape), index_dtype)


def unique_with_pad(x, pad_num):
    """(distinct elements of a vector as they first come, filled up with `pad_num` to its length; the index of each)."""
    x = tensor_of(x, "unique_with_pad")
    values, places = unique(x)
    rest = broadcast_to(cast(tensor_of(pad_num, "unique_with_pad"), x.dtype), (x.size - values.size,))
    return concat([values, rest]), places


def bincount(input, weights=None, minlength=0):
    """How often each of 0, 1, ... occurs, or the sum of its `weights`, as float32.

    In a capture the program is asked for the largest element; another one is another program.
    """
    x = tensor_of(input, "bincount")
    if values_known(x) and (weights is None or values_known(tensor_of(weights, "bincount"))):
        weights = None if weights is None else tensor_of(weights, "bincount").asnumpy()
        return Tensor(np.bincount(x.asnumpy(), weights, minlength).astype(np.float32))
    size = max(size_from_data(cast(amax(x), dt.int64), "bincount") + 1, minlength) if x.size else minlength
    added = Tensor(np.ones(x.size, np.float32)) if weights is None else cast(tensor_of(weights, "bincount"), dt.float32)
    return apply(records.scatter_nd_add, reshape(cast(x, dt.int64), (x.size, 1)), added, shape=(size,))
