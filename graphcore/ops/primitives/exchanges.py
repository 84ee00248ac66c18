"""Primitives that exchange tensors with other processes.

With one process, gathering and reducing over all processes gives what this process has.
"""
from __future__ import annotations

from graphcore.communication.management import get_world_rank_from_group_rank, group_key
from graphcore.communication.messages import expect_others, is_for
from graphcore.ops import functional as F
from graphcore.ops.functional import communication
from graphcore.ops.primitives.base import primitive
from graphcore.ops.transport import group_rank, group_size

__all__ = ["ReduceOp", "AllReduce", "AllGather", "AllGatherV", "AlltoAll", "AlltoAllV", "AlltoAllVC", "Barrier",
           "Broadcast", "CollectiveGather", "CollectiveScatter", "NeighborExchange", "Receive", "Reduce",
           "ReduceScatter", "ReduceScatterV", "Send"]

_WORLD = "hccl_world_group"


class ReduceOp:
    """How `AllReduce` combines."""

    SUM, MAX, MIN, PROD = "sum", "max", "min", "prod"


@primitive
def AllReduce(input_x, *, op=ReduceOp.SUM, group="world"):
    """The combination over all processes of a group, element by element."""
    return communication.all_reduce(input_x, op, group)


@primitive
def AllGather(input_x, *, group="world"):
    """The tensors of all processes of a group one after the other, along axis 0."""
    return communication.all_gather(input_x, group)


@primitive
def ReduceScatter(input_x, *, op=ReduceOp.SUM, group="world"):
    """This process's part, along axis 0, of the combination over all processes of a group."""
    return communication.reduce_scatter(input_x, op, group)


@primitive
def Broadcast(input_x, *, root_rank=0, group="world"):
    """A tuple of the tensors of the process `root_rank`.  Its gradient is what all processes' losses say together."""
    tensors = input_x if isinstance(input_x, (tuple, list)) else (input_x,)
    return tuple(communication.broadcast(x, root_rank, group) for x in tensors)


@primitive
def AlltoAll(input_x, *, split_count=1, split_dim=0, concat_dim=0, group="world"):
    """`split_count` parts along `split_dim`, one for each process; those that arrive, joined along `concat_dim`.

    Raises ValueError if split_count is not the number of processes, of several.
    """
    size = group_size(group_key(group))
    if split_count != size > 1:
        raise ValueError(f"AlltoAll: split_count must be the number of processes, {size}, got {split_count}")
    return communication.all_to_all(input_x, split_dim, concat_dim, group)


@primitive
def AlltoAllV(input_x, send_numel_list, recv_numel_list, *, group="world", block_size=1):
    """Of a vector, `block_size` times each of `send_numel_list` elements for each process; those that arrive, likewise.

    Raises ValueError unless there is a number for each process, ShapeError where the elements are others.
    """
    sizes, arriving = ([int(n) * block_size for n in numbers] for numbers in (send_numel_list, recv_numel_list))
    return communication.all_to_all_uneven(input_x, sizes, arriving, group)


@primitive
def AlltoAllVC(input_x, send_count_matrix, *, group="world", block_size=1, transpose=False):
    """As `AlltoAllV`; send_count_matrix[i * size + j], times `block_size`, is what rank i of the group sends rank j.

    transpose: read it the other way round.  Raises ValueError unless there is a number for each pair of processes.
    """
    key = group_key(group)
    size, rank = group_size(key), group_rank(key)
    counts = [int(n) * block_size for n in send_count_matrix]
    if len(counts) != size * size:
        raise ValueError(f"AlltoAllVC: send_count_matrix needs {size * size} numbers, got {len(counts)}")
    given, arriving = counts[rank * size:(rank + 1) * size], counts[rank::size]
    return communication.all_to_all_uneven(input_x, *((arriving, given) if transpose else (given, arriving)), group)


@primitive
def AllGatherV(input_x, output_split_sizes, *, group="world"):
    """The vectors of all processes end to end; output_split_sizes: the elements of each."""
    return communication.all_gather_uneven(input_x, [int(n) for n in output_split_sizes], group)


@primitive
def ReduceScatterV(input_x, input_split_sizes, *, op=ReduceOp.SUM, group="world"):
    """This process's part of the combination of a vector over all; input_split_sizes: the elements that each gets."""
    return communication.reduce_scatter_uneven(input_x, [int(n) for n in input_split_sizes], op, group)


@primitive
def NeighborExchange(input_x, *, send_rank_ids, recv_rank_ids, recv_shapes, send_shapes, recv_type, group="world"):
    """A tuple of the tensors that the processes `recv_rank_ids` send, for a tuple that goes to `send_rank_ids`.

    Ranks are those of the group.  Gradients go the other way.  Raises ValueError where shapes or lengths are others.
    """
    tensors = input_x if isinstance(input_x, (tuple, list)) else (input_x,)
    shapes = [tuple(t.shape) for t in tensors]
    if shapes != [tuple(s) for s in send_shapes]:
        raise ValueError(f"NeighborExchange: send_shapes are {list(map(tuple, send_shapes))}, got tensors of {shapes}")
    return communication.neighbor_exchange(tensors, send_rank_ids, recv_rank_ids, recv_shapes, recv_type, group)


@primitive
def Reduce(input_x, *, dest_rank, op=ReduceOp.SUM, group="world"):
    """The combination over all processes at rank `dest_rank` of the group; the others get their own tensor back.

    In a compiled function all get the combination.
    """
    total = communication.all_reduce(input_x, op, group)
    return total if _is_here(dest_rank, group) else input_x


@primitive
def CollectiveGather(input_x, *, dest_rank, group="world"):
    """All processes' tensors, along axis 0, at rank `dest_rank` of the group; the others get their own back.

    In a compiled function all get them.
    """
    gathered = communication.all_gather(input_x, group)
    return gathered if _is_here(dest_rank, group) else input_x


@primitive
def CollectiveScatter(input_x, *, src_rank=0, group="world"):
    """This process's part, along axis 0, of the tensor of rank `src_rank` of the group."""
    return communication.own_part(communication.broadcast(input_x, src_rank, group), group)


@primitive
def Barrier(*, group=_WORLD):
    """Wait for all processes of a group; not in compiled functions."""
    from graphcore.communication.comm_func import barrier
    barrier(_named(group))
    return F.zeros((1,))


@primitive
def Send(input_x, *, sr_tag, dest_rank, group=_WORLD, group_back=_WORLD):
    """Send a tensor to rank `dest_rank` of the group, which calls `Receive` with this tag; gives it back.

    Outside of compiled functions, and without a gradient: there `NeighborExchange` is for it.
    """
    from graphcore.communication.comm_func import send
    expect_others("Send", _named(group))
    send(input_x, get_world_rank_from_group_rank(_named(group), dest_rank), _named(group), sr_tag)
    return input_x


@primitive
def Receive(*, sr_tag, src_rank, shape, dtype, group=_WORLD, group_back=_WORLD):
    """The tensor that rank `src_rank` of the group sends by `Send` with this tag; see there."""
    from graphcore.communication.comm_func import recv
    expect_others("Receive", _named(group))
    like = F.zeros(tuple(shape), dtype)
    return recv(like, get_world_rank_from_group_rank(_named(group), src_rank), _named(group), sr_tag)


def _named(group: str) -> str:
    return _WORLD if group == "world" else group


def _is_here(rank: int, group: str) -> bool:
    return is_for("Reduce", get_world_rank_from_group_rank(_named(group), rank), _named(group))
