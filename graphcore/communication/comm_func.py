"""Collective functions (``mindspore.communication.comm_func``); with one process what they give is what they get.

In a compiled function they are part of the program; gradients pass through them.  All processes of a group must call
them in the same order.
"""
from __future__ import annotations

import numpy as np

from graphcore.communication.management import GlobalComm, get_group_size, get_rank, group_key
from graphcore.ops import transport
from graphcore.parallel import ParallelismError
from graphcore.tensor import Tensor

__all__ = ["all_gather_into_tensor", "all_reduce", "barrier", "broadcast", "gather_into_tensor", "irecv", "isend",
           "recv", "reduce", "reduce_scatter_tensor", "scatter_tensor", "send"]


class _Done:
    """The handle of something that is finished, or that the program finishes where its result is used."""

    def wait(self) -> None:
        """Nothing to wait for."""


def _tensor(value, group: str) -> Tensor:
    if not isinstance(value, Tensor):
        raise TypeError(f"a Tensor is needed, got {type(value).__name__}")
    get_group_size(group)       # raises for a group that was not created
    return value


def _functions():
    from graphcore.ops.functional import communication  # which needs this package
    return communication


def _with_handle(result, async_op: bool) -> tuple:
    return result, _Done() if async_op else None


def all_reduce(tensor, op="sum", group=GlobalComm.WORLD_COMM_GROUP, async_op=False):
    """(the combination over all processes: "sum", "max", "min" or "prod"; a handle if `async_op`, else None).

    Raises ValueError for an unknown `op` or group, TypeError unless it is a Tensor.
    """
    return _with_handle(_functions().all_reduce(_tensor(tensor, group), op, group), async_op)


def all_gather_into_tensor(tensor, group=GlobalComm.WORLD_COMM_GROUP, async_op=False):
    """(the tensors of all processes along axis 0, a handle if `async_op`, else None)."""
    return _with_handle(_functions().all_gather(_tensor(tensor, group), group), async_op)


def reduce_scatter_tensor(tensor, op="sum", group=GlobalComm.WORLD_COMM_GROUP, async_op=False):
    """(this process's part, along axis 0, of the combination; a handle if `async_op`, else None)."""
    return _with_handle(_functions().reduce_scatter(_tensor(tensor, group), op, group), async_op)


def reduce(tensor, dst, op="sum", group=GlobalComm.WORLD_COMM_GROUP):
    """The combination over all processes at the process `dst`; the others get their own tensor back."""
    total = _functions().all_reduce(_tensor(tensor, group), op, group)
    return total if get_rank(group) == dst else tensor


def broadcast(tensor, src=0, group=GlobalComm.WORLD_COMM_GROUP):
    """The tensor of the process `src`."""
    return _functions().broadcast(_tensor(tensor, group), src, group)


def gather_into_tensor(tensor, dst=0, group=GlobalComm.WORLD_COMM_GROUP):
    """The tensors of all processes along axis 0 at the process `dst`; the others get their own tensor back."""
    gathered = _functions().all_gather(_tensor(tensor, group), group)
    return gathered if get_rank(group) == dst else tensor


def scatter_tensor(tensor, src=0, group=GlobalComm.WORLD_COMM_GROUP):
    """This process's part, along axis 0, of the tensor of `src`."""
    return _functions().own_part(_functions().broadcast(_tensor(tensor, group), src, group), group)


def barrier(group=GlobalComm.WORLD_COMM_GROUP) -> None:
    """Wait until all processes of a group have come here."""
    if get_group_size(group) > 1:
        word = np.zeros(1, np.int32)
        transport.exchange(transport.Collective("all_reduce", group_key(group), "sum"), word, word.copy())


def _alone(name: str):
    def function(*args, **kwargs):
        raise ParallelismError(f"{name} sends to one process; graphcore exchanges data among all of a "
                               "group: use all_gather_into_tensor, all_reduce or broadcast")
    function.__name__ = function.__qualname__ = name
    function.__doc__ = "Raises ParallelismError: exchanges are among all processes of a group."
    return function


send, recv, isend, irecv = map(_alone, ("send", "recv", "isend", "irecv"))
