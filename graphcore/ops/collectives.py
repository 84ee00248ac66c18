"""Operators that exchange data with other processes, which run them in the same order.

A call of one waits for the others.  In a compiled program it is taken apart into `exchange_begin` and `exchange_end`,
so that what does not need its result is computed in between (`compiler.passes.exchanges`).  Gradients are those of the
sum of all processes' losses, as in MindSpore.
"""
from __future__ import annotations

import numpy as np

from graphcore.dtype import bfloat16, float16
from graphcore.errors import DTypeError, ShapeError
from graphcore.ops import pointwise, view
from graphcore.ops.record import Operator, op
from graphcore.ops.transport import Collective, exchange

REDUCTIONS = ("sum", "max", "min", "prod")


class Exchange(Operator):
    """An operator whose result depends on what other processes give it.

    group: the name of the processes that take part, of which there are `size`.
    """

    kind = "collective"
    arity = 1


def _check_reduced(name: str, x) -> None:
    if x.dtype.is_bool or x.dtype in (float16, bfloat16):
        raise DTypeError(f"{name} combines numbers of 32 or 64 bits, got {x}; cast it first")


def _check_split(name: str, x, size: int) -> None:
    if not x.shape or not isinstance(x.shape[0], int) or x.shape[0] % size:
        raise ShapeError(f"{name}: the first axis of {x} cannot be divided among {size} processes")


@op
class all_reduce(Exchange):
    """The combination, element by element, over all processes: 'sum', 'max', 'min' or 'prod'.

    fuse: such sums of up to this many bytes in total may be exchanged together (0: this one by itself).
    """
    def infer(x, *, reduce, group, size, fuse):
        _check_reduced("all_reduce", x)
        return x
    def reference(x, *, reduce, group, size, fuse):
        return exchange(Collective("all_reduce", group, reduce), x, np.empty_like(x, order="C"))
    def vjp(g, y, x, *, reduce, group, size, fuse):
        attrs = {"reduce": "sum", "group": group, "size": size, "fuse": fuse}
        if reduce == "prod":
            return (pointwise.div(all_reduce(pointwise.mul(g, y), **attrs), x),)
        g = all_reduce(g, **attrs)
        return (g if reduce == "sum" else pointwise.mul(g, pointwise.cast(pointwise.eq(x, y), dtype=g.dtype)),)


@op
class all_gather(Exchange):
    """The tensors of all processes one after the other along axis 0; that of this one, number `rank`, included.

    fuse: gathered tensors of up to this many bytes in total may be exchanged together (0: this one by itself).
    """
    def infer(x, *, rank, group, size, fuse):
        if not x.shape:
            raise ShapeError("all_gather takes tensors of at least one axis")
        return x.with_shape((x.shape[0] * size, *x.shape[1:]))
    def reference(x, *, rank, group, size, fuse):
        return exchange(Collective("all_gather", group), x, np.empty((len(x) * size, *x.shape[1:]), x.dtype))
    def vjp(g, y, x, *, rank, group, size, fuse):
        return (reduce_scatter(g, reduce="sum", rank=rank, group=group, size=size, fuse=0),)


@op
class reduce_scatter(Exchange):
    """The part of this process, number `rank`, along axis 0 of the combination over all; fuse: as in `all_reduce`."""
    def infer(x, *, reduce, rank, group, size, fuse):
        _check_reduced("reduce_scatter", x)
        _check_split("reduce_scatter", x, size)
        return x.with_shape((x.shape[0] // size, *x.shape[1:]))
    def reference(x, *, reduce, rank, group, size, fuse):
        target = np.empty((len(x) // size, *x.shape[1:]), x.dtype)
        return exchange(Collective("reduce_scatter", group, reduce), x, target)
    def vjp(g, y, x, *, reduce, rank, group, size, fuse):
        whole = {"rank": rank, "group": group, "size": size, "fuse": 0}
        g = all_gather(pointwise.mul(g, y) if reduce == "prod" else g, **whole)
        if reduce == "prod":
            return (pointwise.div(g, x),)
        if reduce == "sum":
            return (g,)
        return (pointwise.mul(g, pointwise.cast(pointwise.eq(x, all_gather(y, **whole)), dtype=g.dtype)),)


@op
class broadcast(Exchange):
    """The tensor of the process `root`; mine: whether this is it."""
    def infer(x, *, root, mine, group, size):
        return x
    def reference(x, *, root, mine, group, size):
        return exchange(Collective("broadcast", group, root=root), x, np.empty_like(x, order="C"))
    def vjp(g, y, x, *, root, mine, group, size):
        total = all_reduce(g, reduce="sum", group=group, size=size, fuse=0)
        return (pointwise.mul(total, pointwise.literal(int(mine), total)),)


@op
class all_to_all(Exchange):
    """Part k along axis 0 goes to process k; the parts that arrive, in the order of the processes."""
    def infer(x, *, group, size):
        _check_split("all_to_all", x, size)
        return x
    def reference(x, *, group, size):
        return exchange(Collective("all_to_all", group), x, np.empty_like(x, order="C"))
    def vjp(g, y, x, *, group, size):
        return (all_to_all(g, group=group, size=size),)


@op
class neighbor_exchange(Exchange):
    """Vectors to single processes and from them: the input and the result hold them end to end.

    sends, receives: rank, elements, rank, elements ... of those that go out and of those that come in.
    """
    def infer(x, *, sends, receives, group, size):
        if x.shape != (sum(sends[1::2]),):
            raise ShapeError(f"neighbor_exchange sends {sum(sends[1::2])} elements, got {x}")
        return x.with_shape((sum(receives[1::2]),))
    def reference(x, *, sends, receives, group, size):
        target = np.empty(sum(receives[1::2]), x.dtype)
        return exchange(Collective("neighbor_exchange", group, sends=sends, receives=receives), x, target)
    def vjp(g, y, x, *, sends, receives, group, size):
        return (neighbor_exchange(g, sends=receives, receives=sends, group=group, size=size),)


@op
class own_part(Exchange):
    """Part number `rank` of `size` along axis 0: no exchange by itself, but of a sum over all processes it is one."""
    def infer(x, *, rank, group, size):
        _check_split("own_part", x, size)
        return x.with_shape((x.shape[0] // size, *x.shape[1:]))
    def reference(x, *, rank, group, size):
        return x[rank * (len(x) // size):(rank + 1) * (len(x) // size)]
    def vjp(g, y, x, *, rank, group, size):
        begin = (rank * g.shape[0],) + (0,) * (g.rank - 1)
        return (view.place(g, shape=x.shape, begin=begin, stride=(1,) * g.rank, fill=0.0),)


@op
class exchange_begin(Exchange):
    """Start the operator `what`; the result is there once `exchange_end` says so.

    reduce, root, rank, sends, receives: as the operator has them, else "", 0 or ().
    """
    def infer(x, *, what, reduce, root, rank, sends, receives, group, size):
        return x.with_shape(_result_shape(what, x.shape, size, receives))
    def reference(x, *, what, reduce, root, rank, sends, receives, group, size):
        target = np.empty(_result_shape(what, x.shape, size, receives), x.dtype)
        return exchange(Collective(what, group, reduce, root, sends, receives), x, target)


@op
class exchange_end(Exchange):
    """What an `exchange_begin` has started, finished; a second input is what must stay in memory until then."""
    arity = None
    def infer(begun, *source):
        return begun
    def reference(begun, *source):
        return begun


def _result_shape(what: str, shape: tuple, size: int, receives: tuple) -> tuple:
    if what == "neighbor_exchange":
        return (sum(receives[1::2]),)
    if what == "all_gather":
        return (shape[0] * size, *shape[1:])
    return (shape[0] // size, *shape[1:]) if what == "reduce_scatter" else shape
