"""Exchanges among the processes of a group, as functions of tensors; with one process they give what they get.

All processes of a group must call them in the same order, with tensors of one dtype and, unless said otherwise, shape.
group: a name that `communication.create_group` made, or None (or one of MindSpore's names) for all processes.
"""
from __future__ import annotations

import math
from itertools import accumulate

import numpy as np

from graphcore import dtype as dt
from graphcore.capture.trace import current_trace
from graphcore.errors import shown
from graphcore.ops import collectives as records
from graphcore.ops.dispatch import apply, cast
from graphcore.ops.functional.arguments import axis_of, shape_error, tensor_of
from graphcore.ops.functional.joining import concat
from graphcore.ops.functional.shaping import reshape
from graphcore.ops.transport import group_rank, group_size
from graphcore.tensor import Tensor

__all__ = ["all_gather", "all_gather_uneven", "all_reduce", "all_to_all", "all_to_all_uneven", "broadcast",
           "neighbor_exchange", "own_part", "reduce_scatter", "reduce_scatter_uneven"]

_HALVES = (dt.float16, dt.bfloat16)


def all_reduce(x, op="sum", group=None, fuse=0):
    """The combination of the tensors of all processes; op: "sum", "max", "min" or "prod".

    16-bit floats are combined in float32.  fuse: gradients of up to so many bytes in total may travel together.
    Raises ValueError for another op or an unknown group, DTypeError for bools.
    """
    x, attrs = _prepared("all_reduce", x, group, op)
    if attrs is None:
        return x
    wide = cast(x, dt.float32) if x.dtype in _HALVES else x
    return cast(apply(records.all_reduce, wide, reduce=op, fuse=int(fuse), **attrs), x.dtype)


def reduce_scatter(x, op="sum", group=None, fuse=0):
    """This process's part, along axis 0, of the combination of the tensors of all processes; fuse: as in `all_reduce`.

    Raises ShapeError where axis 0 cannot be divided among the processes; else as `all_reduce`.
    """
    x, attrs = _prepared("reduce_scatter", x, group, op)
    if attrs is None:
        return x
    wide = cast(x, dt.float32) if x.dtype in _HALVES else x
    return cast(apply(records.reduce_scatter, wide, reduce=op, fuse=int(fuse), **_with_rank(attrs)), x.dtype)


def all_gather(x, group=None, fuse=0):
    """The tensors of all processes one after the other along axis 0.  Raises ShapeError for a 0-d tensor.

    fuse: gathered tensors of up to so many bytes in total may travel together.
    """
    x, attrs = _prepared("all_gather", x, group)
    return x if attrs is None else apply(records.all_gather, x, fuse=int(fuse), **_with_rank(attrs))


def broadcast(x, root=0, group=None):
    """The tensor of the process `root` of the group.  Raises ValueError for a rank that is not in it."""
    x, attrs = _prepared("broadcast", x, group)
    size = 1 if attrs is None else attrs["size"]
    if isinstance(root, bool) or not isinstance(root, int) or not 0 <= root < size:
        raise ValueError(f"broadcast: root must be a rank of the group, from 0 to {size - 1}, got {root!r}")
    return x if attrs is None else apply(records.broadcast, x, root=root, mine=root == group_rank(attrs["group"]),
                                         **attrs)


def all_to_all(x, split_axis=0, concat_axis=0, group=None):
    """`x` cut along `split_axis` into as many parts as there are processes, of which process k gets part k; the parts
    that arrive joined along `concat_axis`.  Raises ShapeError where the axis cannot be divided."""
    x, attrs = _prepared("all_to_all", x, group)
    split_axis, concat_axis = (axis_of(a, x.ndim, "all_to_all") for a in (split_axis, concat_axis))
    if attrs is None:
        return x
    size = attrs["size"]
    if x.shape[split_axis] % size:
        raise shape_error(f"all_to_all: axis {split_axis} of shape {x.shape} cannot be divided among {size} processes")
    part = x.shape[split_axis] // size
    parts = [x[(slice(None),) * split_axis + (slice(k * part, (k + 1) * part),)] for k in range(size)]
    stacked = concat([reshape(p, (1, *p.shape)) for p in parts], 0)
    arrived = apply(records.all_to_all, stacked, **attrs)
    return concat([arrived[k] for k in range(size)], concat_axis)


def all_to_all_uneven(x, sizes, arriving, group=None):
    """Rows of `x` to each process, `sizes` of them, and `arriving` rows from each, joined along axis 0.

    sizes, arriving: a number of rows for each process.  Raises ShapeError unless `x` has the rows that are sent, and
    ValueError unless there is a number for each process.
    """
    x, attrs = _prepared("all_to_all", x, group)
    size = 1 if attrs is None else attrs["size"]
    if len(sizes) != size or len(arriving) != size:
        raise ValueError(f"all_to_all: there are {size} processes, got {len(sizes)} sizes to send and {len(arriving)} "
                         "to receive")
    if not x.shape or x.shape[0] != sum(sizes):
        raise shape_error(f"all_to_all: {sum(sizes)} rows are to be sent, but the tensor has shape {x.shape}")
    if attrs is None:
        return x
    row = math.prod(x.shape[1:])
    sends, receives = (tuple(v for rank, rows in enumerate(counts) if rows for v in (rank, rows * row))
                       for counts in (sizes, arriving))
    arrived = apply(records.neighbor_exchange, reshape(x, (-1,)), sends=sends, receives=receives, **attrs)
    return reshape(arrived, (sum(arriving), *x.shape[1:]))


def all_gather_uneven(x, sizes, group=None):
    """The rows of all processes one after the other along axis 0, of which each has the number in `sizes`.

    Raises ShapeError unless `x` has this process's rows, ValueError unless there is a number for each process.
    """
    count = len(sizes)
    return all_to_all_uneven(concat([x] * count, 0) if count > 1 else x, [x.shape[0]] * count, sizes, group)


def reduce_scatter_uneven(x, sizes, op="sum", group=None):
    """This process's rows, along axis 0, of the combination over all; `sizes`: how many each process gets.

    Raises ShapeError unless `x` has the rows of all, and else as `all_reduce`.
    """
    if not x.shape or x.shape[0] != sum(sizes):
        raise shape_error(f"reduce_scatter: {sum(sizes)} rows are to be given out, but the tensor has shape {x.shape}")
    from graphcore.communication.management import group_key
    begin = sum(sizes[:group_rank(group_key(group))])
    return all_reduce(x, op, group)[begin:begin + sizes[group_rank(group_key(group))]]


def neighbor_exchange(tensors, destinations, sources, shapes, dtype, group=None) -> tuple:
    """Each of `tensors` goes to the process of `destinations` at its place; those of `shapes` that come from `sources`.

    All tensors have this dtype.  Gradients go the other way.  Raises ValueError where lists have other lengths, with
    one process, and in a compiled function for a process that receives nothing.
    """
    tensors = tuple(tensor_of(t, "neighbor_exchange") for t in tensors)
    if len(tensors) != len(destinations) or len(shapes) != len(sources):
        raise ValueError(f"neighbor_exchange: {len(tensors)} tensors for {len(destinations)} processes, "
                         f"{len(shapes)} shapes of what {len(sources)} processes send")
    if any(t.dtype is not dtype for t in tensors):
        raise TypeError(f"neighbor_exchange: all tensors must be {dtype.name}, got {tensors}")
    if not shapes and current_trace() is not None:
        raise ValueError("neighbor_exchange: in a compiled function each process must receive something, of which the "
                         "function makes use; let this one receive a tensor of one element")
    flat = [reshape(t, (-1,)) for t in tensors]
    whole = concat(flat, 0) if flat else Tensor(np.empty(0, dtype.storage), dtype)
    whole, attrs = _prepared("neighbor_exchange", whole, group)
    if attrs is None:
        from graphcore.parallel import ParallelismError
        raise ParallelismError("neighbor_exchange: there is no other process; start the script with `graphcore launch "
                               "-n N script.py`")
    sizes = [math.prod(shape) for shape in shapes]
    sends = tuple(v for rank, t in zip(destinations, tensors) for v in (rank, t.size))
    receives = tuple(v for pair in zip(sources, sizes) for v in pair)
    arrived = apply(records.neighbor_exchange, whole, sends=sends, receives=receives, **attrs)
    ends = list(accumulate(sizes, initial=0))
    return tuple(reshape(arrived[a:b], tuple(shape)) for a, b, shape in zip(ends, ends[1:], shapes))


def own_part(x, group=None):
    """This process's part of `x` along axis 0.  Of an `all_reduce` sum that nothing else needs it is a
    `reduce_scatter`.  Raises ShapeError where the axis cannot be divided."""
    x, attrs = _prepared("own_part", x, group)
    return x if attrs is None else apply(records.own_part, x, **_with_rank(attrs))


def _with_rank(attrs: dict) -> dict:
    return {"rank": group_rank(attrs["group"]), **attrs}


def _prepared(name: str, x, group, op="sum") -> tuple:
    """(the tensor, {"group", "size"}, or None where there is one process)."""
    if op not in records.REDUCTIONS:
        raise ValueError(f"{name}: op must be one of {', '.join(records.REDUCTIONS)}, got {shown(op)}")
    from graphcore.communication.management import group_key
    key = group_key(group)
    size = group_size(key)
    return tensor_of(x, name), None if size == 1 else {"group": key, "size": size}
