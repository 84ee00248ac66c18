"""Collective functions (``mindspore.communication.comm_func``) of one process: what it gives is what it gets."""
from __future__ import annotations

from graphcore.communication.management import GlobalComm, get_group_size
from graphcore.parallel import ParallelismError
from graphcore.tensor import Tensor

__all__ = ["all_gather_into_tensor", "all_reduce", "barrier", "broadcast", "gather_into_tensor", "irecv", "isend",
           "recv", "reduce", "reduce_scatter_tensor", "scatter_tensor", "send"]


class _Done:
    """The handle of something that is finished."""

    def wait(self) -> None:
        """Nothing to wait for."""


def _given(tensor, group: str) -> Tensor:
    if not isinstance(tensor, Tensor):
        raise TypeError(f"a Tensor is needed, got {type(tensor).__name__}")
    get_group_size(group)       # raises for a group that was not created
    return tensor


def _with_handle(tensor, group: str, async_op: bool) -> tuple:
    return _given(tensor, group), _Done() if async_op else None


def all_reduce(tensor, op="sum", group=GlobalComm.WORLD_COMM_GROUP, async_op=False):
    """(the combination over all processes: the tensor, a handle if `async_op`, else None).

    Raises ValueError for an unknown `op` or group, TypeError unless it is a Tensor.
    """
    if op not in ("sum", "max", "min", "prod"):
        raise ValueError(f"op must be 'sum', 'max', 'min' or 'prod', got {op!r}")
    return _with_handle(tensor, group, async_op)


def all_gather_into_tensor(tensor, group=GlobalComm.WORLD_COMM_GROUP, async_op=False):
    """(the tensors of all processes: this one's, a handle if `async_op`, else None)."""
    return _with_handle(tensor, group, async_op)


def reduce_scatter_tensor(tensor, op="sum", group=GlobalComm.WORLD_COMM_GROUP, async_op=False):
    """(this process's part of the combination: the tensor, a handle if `async_op`, else None)."""
    return all_reduce(tensor, op, group, async_op)


def reduce(tensor, dst, op="sum", group=GlobalComm.WORLD_COMM_GROUP):
    """The combination over all processes, at the process `dst`: the tensor."""
    return all_reduce(tensor, op, group)[0]


def broadcast(tensor, src=0, group=GlobalComm.WORLD_COMM_GROUP):
    """The tensor of the process `src`: this one's."""
    return _given(tensor, group)


def gather_into_tensor(tensor, dst=0, group=GlobalComm.WORLD_COMM_GROUP):
    """The tensors of all processes, at the process `dst`: this one's."""
    return _given(tensor, group)


def scatter_tensor(tensor, src=0, group=GlobalComm.WORLD_COMM_GROUP):
    """This process's part of the tensor of `src`: all of it."""
    return _given(tensor, group)


def barrier(group=GlobalComm.WORLD_COMM_GROUP) -> None:
    """Wait for all processes of a group: there is one."""
    get_group_size(group)


def _alone(name: str):
    def function(*args, **kwargs):
        raise ParallelismError(f"{name} needs another process; graphcore runs in one")
    function.__name__ = function.__qualname__ = name
    function.__doc__ = "Raises ParallelismError: there is no other process."
    return function


send, recv, isend, irecv = map(_alone, ("send", "recv", "isend", "irecv"))
