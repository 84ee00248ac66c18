"""``mindspore.mint.distributed``: groups of processes and collectives that write into the tensors they are given.

In a compiled function what is written is a tensor made in it: arguments of the function keep their values.  Exchanges
are among all processes of a group; with one process they give what they get.  async_op: a handle is returned, and the
result is there already.
"""
from __future__ import annotations

from collections.abc import Sequence

from graphcore.communication import comm_func, management
from graphcore.communication.comm_func import barrier, irecv, isend, recv, send
from graphcore.communication.management import GlobalComm, get_process_group_ranks, group_key
from graphcore.ops.functional import communication as functions
from graphcore.ops.transport import group_size
from graphcore.tensor import Tensor

__all__ = ["all_gather", "all_gather_into_tensor", "all_reduce", "barrier", "broadcast", "destroy_process_group",
           "get_backend", "get_global_rank", "get_group_rank", "get_process_group_ranks", "get_rank", "get_world_size",
           "init_process_group", "irecv", "is_available", "is_initialized", "isend", "new_group", "recv", "reduce",
           "reduce_scatter", "reduce_scatter_tensor", "scatter", "send"]

_WORLD = GlobalComm.WORLD_COMM_GROUP


def init_process_group(backend=None, init_method=None, timeout=None, world_size=-1, rank=-1, store=None,
                       pg_options=None, device_id=None) -> None:
    """`communication.init`; MPI says how many processes there are, the arguments have no effect."""
    management.init(backend)


def destroy_process_group(group=None) -> None:
    """Remove a group; None: all of them."""
    management.release() if group is None or group_key(group) == "world" else management.destroy_group(group)


def is_available() -> bool:
    """Whether processes can be trained together: MPI is looked for when there are several."""
    return True


def is_initialized() -> bool:
    """Whether `init_process_group` was called."""
    return GlobalComm.INITED


def get_rank(group=None) -> int:
    """This process's number in a group."""
    return management.get_rank(group or _WORLD)


def get_world_size(group=None) -> int:
    """The number of processes in a group."""
    return management.get_group_size(group or _WORLD)


def get_backend(group=None) -> str:
    """The name that `init_process_group` was given, for example "mccl"."""
    return GlobalComm.BACKEND


def get_global_rank(group, group_rank) -> int:
    """The rank among all processes of a rank in a group."""
    return management.get_world_rank_from_group_rank(group or _WORLD, group_rank)


def get_group_rank(group, global_rank) -> int:
    """The rank in a group of a rank among all processes."""
    return management.get_group_rank_from_world_rank(global_rank, group or _WORLD)


def new_group(ranks=None, timeout=None, backend=None, pg_options=None, use_local_synchronization=False,
              group_desc=None) -> str:
    """Make a group of these ranks (None: all) and give its name."""
    if ranks is None:
        return _WORLD
    name = "group_" + "_".join(map(str, ranks))
    if name not in management.known_groups():
        management.create_group(name, list(ranks))
    return name


def _handle(async_op: bool):
    return comm_func._Done() if async_op else None


def all_reduce(tensor, op="sum", group=None, async_op=False):
    """Write the combination over all processes into `tensor`: "sum", "prod", "max", "min" or "avg"."""
    tensor.copy_(_combined(functions.all_reduce, tensor, op, group))
    return _handle(async_op)


def reduce(tensor, dst, op="sum", group=None, async_op=False):
    """Write the combination into the `tensor` of the process `dst`."""
    total = _combined(functions.all_reduce, tensor, op, group)
    if get_rank(group) == dst:
        tensor.copy_(total)
    return _handle(async_op)


def broadcast(tensor, src, group=None, async_op=False):
    """Write the tensor of the process `src` into `tensor`."""
    tensor.copy_(functions.broadcast(tensor, src, group))
    return _handle(async_op)


def all_gather_into_tensor(output_tensor, input_tensor, group=None, async_op=False):
    """Write the tensors of all processes, one after the other along axis 0, into `output_tensor`."""
    output_tensor.copy_(functions.all_gather(input_tensor, group).reshape(output_tensor.shape))
    return _handle(async_op)


def all_gather(tensor_list, tensor, group=None, async_op=False):
    """Write the tensor of each process into one of `tensor_list`."""
    _expect_one_each("all_gather", tensor_list, group)
    gathered = functions.all_gather(tensor.reshape((1, *tensor.shape)), group)
    for k, target in enumerate(tensor_list):
        target.copy_(gathered[k])
    return _handle(async_op)


def reduce_scatter_tensor(output, input, op="sum", group=None, async_op=False):
    """Write this process's part, along axis 0, of the combination of `input` into `output`."""
    output.copy_(_combined(functions.reduce_scatter, input, op, group).reshape(output.shape))
    return _handle(async_op)


def reduce_scatter(output, input_list, op="sum", group=None, async_op=False):
    """Write into `output` the combination of the tensors at this process's place in the lists of all."""
    from graphcore.ops import stack
    _expect_one_each("reduce_scatter", input_list, group)
    return reduce_scatter_tensor(output, stack(list(input_list)), op, group, async_op)


def scatter(tensor, scatter_list, src=0, group=None, async_op=False):
    """Write into `tensor` what is at this process's place in the list of the process `src`.

    The other processes give a list of tensors of the same shapes, or an empty one.
    """
    from graphcore.ops import stack, zeros
    size = group_size(group_key(group))
    rows = stack(list(scatter_list)) if scatter_list else zeros((size, *tensor.shape), tensor.dtype)
    tensor.copy_(functions.own_part(functions.broadcast(rows, src, group), group).reshape(tensor.shape))
    return _handle(async_op)


def _combined(function, tensor, op: str, group) -> Tensor:
    if op not in ("sum", "prod", "max", "min", "avg"):
        raise TypeError(f"op must be 'sum', 'prod', 'min', 'max' or 'avg', got {op!r}")
    total = function(tensor, "sum" if op == "avg" else op, group)
    return total / group_size(group_key(group)) if op == "avg" else total


def _expect_one_each(name: str, tensors: Sequence, group) -> None:
    size = group_size(group_key(group))
    if len(tensors) != size:
        raise ValueError(f"{name} takes a list of {size} tensors, one for each process, got {len(tensors)}")
