"""``mindspore.mint.distributed``: groups of processes and collectives that write into the tensors they are given.

In a compiled function what is written is a tensor made in it: arguments of the function keep their values; and what is
reduced or gathered for one process is written on all.  With one process collectives give what they get.
async_op: a handle is returned, and the result is there already; that of `isend` and `irecv`, which are called outside
of compiled functions, has to be waited for.  A process (`dst`, `src`, `peer`) is named by its rank among all.
"""
from __future__ import annotations

import pickle
from collections.abc import Sequence

import numpy as np

from graphcore.communication import comm_func, management, messages
from graphcore.communication.comm_func import all_to_all_v_c, isend, rows_of, send
from graphcore.communication.management import GlobalComm, get_process_group_ranks, group_key
from graphcore.communication.messages import CommHandle, P2POp, is_for, rank_in
from graphcore.communication.objects import objects_of_all
from graphcore.ops.functional import communication as functions
from graphcore.ops.transport import group_size
from graphcore.tensor import Tensor

__all__ = ["P2POp", "all_gather", "all_gather_into_tensor", "all_gather_into_tensor_uneven", "all_gather_object",
           "all_reduce", "all_to_all", "all_to_all_single", "all_to_all_v_c", "barrier", "batch_isend_irecv",
           "broadcast", "broadcast_object_list", "destroy_process_group", "gather", "gather_into_tensor",
           "gather_object", "get_backend", "get_global_rank", "get_group_rank", "get_process_group_ranks", "get_rank",
           "get_world_size", "init_process_group", "irecv", "is_available", "is_initialized", "isend", "new_group",
           "recv", "recv_object_list", "reduce", "reduce_scatter", "reduce_scatter_tensor",
           "reduce_scatter_tensor_uneven", "scatter", "scatter_object_list", "scatter_tensor", "send",
           "send_object_list"]

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
    return CommHandle() if async_op else None


def all_reduce(tensor, op="sum", group=None, async_op=False):
    """Write the combination over all processes into `tensor`: "sum", "prod", "max", "min" or "avg"."""
    tensor.copy_(_combined(functions.all_reduce, tensor, op, group))
    return _handle(async_op)


def reduce(tensor, dst, op="sum", group=None, async_op=False):
    """Write the combination into the `tensor` of the process `dst`."""
    total = _combined(functions.all_reduce, tensor, op, group)
    if is_for("reduce", dst, group):
        tensor.copy_(total)
    return _handle(async_op)


def broadcast(tensor, src, group=None, async_op=False):
    """Write the tensor of the process `src` into `tensor`."""
    tensor.copy_(functions.broadcast(tensor, rank_in("broadcast", src, group), group))
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
    return scatter_tensor(tensor, rows, src, group, async_op)


def scatter_tensor(output_tensor, input_tensor, src=0, group=None, async_op=False):
    """Write into `output_tensor` this process's part, along axis 0, of the `input_tensor` of the process `src`."""
    whole = functions.broadcast(input_tensor, rank_in("scatter", src, group), group)
    output_tensor.copy_(functions.own_part(whole, group).reshape(output_tensor.shape))
    return _handle(async_op)


def gather(tensor, gather_list, dst=0, group=None, async_op=False):
    """Write the tensor of each process into one of the `gather_list` of the process `dst`."""
    _expect_one_each("gather", gather_list, group)
    gathered = functions.all_gather(tensor.reshape((1, *tensor.shape)), group)
    if is_for("gather", dst, group):
        for k, target in enumerate(gather_list):
            target.copy_(gathered[k])
    return _handle(async_op)


def gather_into_tensor(output_tensor, input_tensor, dst=0, group=None, async_op=False):
    """Write the tensors of all processes, along axis 0, into the `output_tensor` of the process `dst`."""
    gathered = functions.all_gather(input_tensor, group)
    if is_for("gather_into_tensor", dst, group):
        output_tensor.copy_(gathered.reshape(output_tensor.shape))
    return _handle(async_op)


def all_gather_into_tensor_uneven(output, input, output_split_sizes=None, group=None, async_op=False):
    """Write the rows of all processes, one after the other, into `output`; output_split_sizes: how many each has."""
    rows = rows_of(output_split_sizes, output.shape[0], group)
    output.copy_(functions.all_gather_uneven(input, rows, group).reshape(output.shape))
    return _handle(async_op)


def reduce_scatter_tensor_uneven(output, input, input_split_sizes=None, op="sum", group=None, async_op=False):
    """Write into `output` this process's rows of the combination of `input`; input_split_sizes: how many each gets."""
    rows = rows_of(input_split_sizes, input.shape[0], group)

    def own_rows(tensor, op, group):
        return functions.reduce_scatter_uneven(tensor, rows, op, group)
    output.copy_(_combined(own_rows, input, op, group).reshape(output.shape))
    return _handle(async_op)


def all_to_all(output_tensor_list, input_tensor_list, group=None, async_op=False):
    """Send each process the tensor at its place in `input_tensor_list`; what arrives is written into the others."""
    arrived, _ = comm_func.all_to_all_with_output_shape(output_tensor_list, input_tensor_list, group)
    for target, value in zip(output_tensor_list, arrived):
        target.copy_(value)
    return _handle(async_op)


def all_to_all_single(output, input, output_split_sizes=None, input_split_sizes=None, group=None, async_op=False):
    """Send each process rows of `input` (None: equally many); write those that arrive into `output`, in their order."""
    arrived, _ = comm_func.all_to_all_single_with_output_shape(output, input, output_split_sizes, input_split_sizes,
                                                               group)
    output.copy_(arrived)
    return _handle(async_op)


def barrier(group=None, async_op=False, device_ids=None):
    """Wait until all processes of a group have come here."""
    comm_func.barrier(group or _WORLD)
    return _handle(async_op)


# -- between two processes -----------------------------------------------------------------------------------------

def recv(tensor, src=0, group=None, tag=0) -> int:
    """Write what the process `src` sends into `tensor`; 0.  Raises as `comm_func.recv`."""
    tensor.copy_(comm_func.recv(tensor, src, group, tag))
    return 0


def irecv(tensor, src=0, group=None, tag=0) -> CommHandle:
    """Begin to receive; what the process `src` sends is in `tensor` after the handle's ``wait()``."""
    array, under_way = messages.start_receive(tensor.shape, tensor.dtype, src, group, tag, "irecv")
    return CommHandle([under_way], lambda: tensor.copy_(Tensor._wrap(array, tensor.dtype)))


def batch_isend_irecv(p2p_op_list) -> list:
    """Begin all messages of a list of `P2POp`; a list of one handle, after whose ``wait()`` they are there.

    Raises TypeError for other lists, several groups, or a shape in place of a tensor.
    """
    under_way, arrays = messages.start_all(p2p_op_list)
    arriving = [(o.tensor, a) for o, a in zip(p2p_op_list, arrays) if a is not None]
    if not all(isinstance(target, Tensor) for target, _ in arriving):
        raise TypeError("batch_isend_irecv: irecv takes a Tensor, into which what arrives is written")

    def write() -> None:
        for target, array in arriving:
            target.copy_(Tensor._wrap(array, target.dtype))
    return [CommHandle(under_way, write)]


# -- Python objects -----------------------------------------------------------------------------------------------

def all_gather_object(object_list, obj, group=None) -> None:
    """Put the objects of all processes into `object_list`.  They travel pickled: all must be able to import them."""
    _expect_one_each("all_gather_object", object_list, group)
    object_list[:] = objects_of_all(obj, group_key(group))


def gather_object(obj, object_gather_list=None, dst=0, group=None) -> None:
    """Put the objects of all processes into the `object_gather_list` of the process `dst`."""
    found = objects_of_all(obj, group_key(group))
    if get_rank(group) == rank_in("gather_object", dst, group):
        _expect_one_each("gather_object", object_gather_list or (), group)
        object_gather_list[:] = found


def broadcast_object_list(object_list, src=0, group=None, device=None) -> None:
    """Put the objects of the `object_list` of the process `src` into those of the others."""
    object_list[:] = _objects_of(src, list(object_list), group)


def scatter_object_list(scatter_object_output_list, scatter_object_input_list, src=0, group=None) -> None:
    """Put the object at this process's place in the list of the process `src` first in the output list."""
    given = _objects_of(src, scatter_object_input_list, group)
    _expect_one_each("scatter_object_list", given or (), group)
    scatter_object_output_list[0] = given[get_rank(group)]


def send_object_list(object_list, dst, group=None, device=None) -> None:
    """Send the objects of a list to the process `dst`, which calls `recv_object_list`."""
    data = np.frombuffer(pickle.dumps(list(object_list)), np.uint8)
    send(Tensor(np.array([data.size], np.int64)), dst, group or _WORLD)
    send(Tensor(data), dst, group or _WORLD)


def recv_object_list(object_list, src=0, group=None, device=None) -> int:
    """Put the objects that the process `src` sends into `object_list`; 0."""
    size = comm_func.recv(Tensor(np.zeros(1, np.int64)), src, group or _WORLD)
    data = comm_func.recv(Tensor(np.zeros(int(size.asnumpy()[0]), np.uint8)), src, group or _WORLD)
    object_list[:] = pickle.loads(data.asnumpy().tobytes())
    return 0


def _objects_of(src: int, objects, group):
    """What the process `src` gives."""
    source = rank_in("broadcast_object_list", src, group)
    return objects_of_all(objects if get_rank(group) == source else None, group_key(group))[source]


def _combined(function, tensor, op: str, group) -> Tensor:
    if op not in ("sum", "prod", "max", "min", "avg"):
        raise TypeError(f"op must be 'sum', 'prod', 'min', 'max' or 'avg', got {op!r}")
    total = function(tensor, "sum" if op == "avg" else op, group)
    return total / group_size(group_key(group)) if op == "avg" else total


def _expect_one_each(name: str, tensors: Sequence, group) -> None:
    size = group_size(group_key(group))
    if len(tensors) != size:
        raise ValueError(f"{name} takes a list of {size} tensors, one for each process, got {len(tensors)}")
