"""Messages from one process to another: sent and received at once, outside of compiled functions.

In a compiled function an exchange must have a result that the function uses, and a gradient; there
`ops.NeighborExchange` sends to and receives from single processes.
"""
from __future__ import annotations

import numpy as np

from graphcore.capture.trace import current_trace
from graphcore.communication.management import get_group_rank_from_world_rank, get_group_size, get_rank, group_key
from graphcore.dtype import DType
from graphcore.ops import transport
from graphcore.parallel import ParallelismError
from graphcore.tensor import Tensor

ALL = "mccl_world_group"


class CommHandle:
    """Something under way; `wait` returns once it is done.  Nothing under way: it is done already.

    then: called once, when it is done.
    """

    def __init__(self, under_way=(), then=None):
        self._under_way, self._then = tuple(under_way), then

    def wait(self) -> None:
        """Return once the exchange is finished.  Raises CommunicationError where a message of another size came."""
        under_way, then, self._under_way, self._then = self._under_way, self._then, (), None
        for exchange in under_way:
            exchange.finish()
        if then is not None:
            then()


class P2POp:
    """One message of a `batch_isend_irecv`: ``P2POp("isend", tensor, peer)``; op may be the function itself, too.

    tensor: what is sent, or what has the shape and dtype of what arrives (or that shape, with `recv_dtype`).
    peer: the other process, counted among all.  Raises ValueError for another op, TypeError for other types.
    """

    def __init__(self, op, tensor, peer, group=None, tag=0, *, recv_dtype=None):
        if not isinstance(op, str) and not callable(op):
            raise TypeError(f"P2POp: op must be 'isend' or 'irecv' or one of these functions, got {type(op).__name__}")
        name = op if isinstance(op, str) else op.__name__
        if name not in ("isend", "irecv"):
            raise ValueError(f"P2POp: op must be 'isend' or 'irecv', got {name!r}")
        if not isinstance(tensor, Tensor) and (name == "isend" or not isinstance(tensor, tuple)):
            raise TypeError(f"P2POp: {name} takes a Tensor, got {type(tensor).__name__}")
        if not isinstance(tensor, Tensor) and recv_dtype is None:
            raise ValueError("P2POp: a shape to receive needs recv_dtype")
        self.op, self.tensor, self.peer, self.group, self.tag = op, tensor, peer, group, tag
        self.name, self.recv_dtype = name, recv_dtype


def start_send(tensor, dst, group=None, tag=0, name="send"):
    """Begin to send a tensor to the process `dst`, counted among all; what is under way, to be finished.

    Raises TypeError unless it is a Tensor, ValueError for a process that is not another one of the group,
    ParallelismError with one process and in a compiled function.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"{name} takes a Tensor, got {type(tensor).__name__}")
    rank = _peer(name, dst, group)
    array = np.ascontiguousarray(tensor._array)
    return _begin(array, np.empty(0, array.dtype), group, tag, sends=(rank, array.size))


def start_receive(shape, dtype: DType, src, group=None, tag=0, name="recv") -> tuple:
    """(the array that is filled, what is under way) of a tensor that the process `src`, counted among all, sends.

    Raises as `start_send`.
    """
    rank = _peer(name, src, group)
    array = np.empty(tuple(shape), dtype.storage)
    return array, _begin(np.empty(0, array.dtype), array, group, tag, receives=(rank, array.size))


def start_all(operations: list) -> tuple:
    """(what is under way, for each `P2POp` the array that is filled, or None where it sends).

    Raises TypeError for an empty list, other things than `P2POp`, or several groups.
    """
    if not isinstance(operations, list) or not operations or not all(isinstance(o, P2POp) for o in operations):
        raise TypeError("batch_isend_irecv takes a list of at least one P2POp")
    if any(o.group != operations[0].group for o in operations):
        raise TypeError("batch_isend_irecv: all P2POp must have the same group")
    under_way, arrays = [], []
    for o in operations:
        array = None
        if o.name == "isend":
            begun = start_send(o.tensor, o.peer, o.group, o.tag, o.name)
        else:
            like = (o.tensor.shape, o.tensor.dtype) if isinstance(o.tensor, Tensor) else (o.tensor, o.recv_dtype)
            array, begun = start_receive(*like, o.peer, o.group, o.tag, o.name)
        under_way.append(begun)
        arrays.append(array)
    return under_way, arrays


def rank_in(name: str, rank, group) -> int:
    """The number in a group (None: of all) of a rank counted among all processes.

    Raises TypeError unless it is an int, ValueError if it is not in the group.
    """
    if isinstance(rank, bool) or not isinstance(rank, int):
        raise TypeError(f"{name}: a rank is an int, got {type(rank).__name__}")
    return get_group_rank_from_world_rank(rank, group or ALL)


def is_for(name: str, rank, group) -> bool:
    """Whether what is brought together for the process `rank`, counted among all, is given to this one.

    In a compiled function all get it: one that made no use of it would not take part in the exchange.
    """
    found = rank_in(name, rank, group)
    return current_trace() is not None or get_rank(group or ALL) == found


def expect_others(name: str, group=None) -> None:
    """Raise ParallelismError in a compiled function, and where a group has this process alone."""
    if current_trace() is not None:
        raise ParallelismError(f"{name} cannot be part of a compiled function: call it outside, or use "
                               "ops.NeighborExchange, which sends to and receives from single processes")
    if get_group_size(group or ALL) == 1:
        raise ParallelismError(f"{name}: there is no other process; start the script with `graphcore launch -n N "
                               "script.py`")


def _peer(name: str, rank, group) -> int:
    """The number in its group of another process; see `start_send` for errors."""
    expect_others(name, group)
    found = rank_in(name, rank, group)
    if found == get_rank(group or ALL):
        raise ValueError(f"{name}: rank {rank} is this process itself")
    return found


def _begin(source, target, group, tag: int, sends=(), receives=()):
    what = transport.Collective("neighbor_exchange", group_key(group), sends=sends, receives=receives, tag=tag)
    return transport.transport().begin(what, source, target)
