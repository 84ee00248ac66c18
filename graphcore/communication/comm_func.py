"""Collective functions (``mindspore.communication.comm_func``); with one process what they give is what they get.

In a compiled function they are part of the program; gradients pass through them.  All processes of a group must call
them in the same order, and there also `reduce` and `gather_into_tensor` give all of them what else only `dst` gets.
`send` and `recv`, between two processes, are called outside of compiled functions.
A process (`dst`, `src`) is named by its rank among all.
"""
from __future__ import annotations

import math
from itertools import accumulate

import numpy as np

from graphcore.capture.trace import current_trace
from graphcore.communication import messages
from graphcore.communication.management import GlobalComm, get_group_size, get_rank, group_key
from graphcore.communication.messages import CommHandle, P2POp, is_for, rank_in
from graphcore.ops import transport
from graphcore.parallel import ParallelismError
from graphcore.tensor import Tensor

__all__ = ["P2POp", "all_gather_into_tensor", "all_reduce", "all_to_all_single_with_output_shape", "all_to_all_v_c",
           "all_to_all_with_output_shape", "barrier", "batch_isend_irecv", "broadcast", "gather_into_tensor", "irecv",
           "isend", "recv", "reduce", "reduce_scatter_tensor", "scatter_tensor", "send"]


def _tensor(value, group: str) -> Tensor:
    if not isinstance(value, Tensor):
        raise TypeError(f"a Tensor is needed, got {type(value).__name__}")
    get_group_size(group)       # raises for a group that was not created
    return value


def _functions():
    from graphcore.ops.functional import communication  # which needs this package
    return communication


def _with_handle(result, async_op: bool) -> tuple:
    return result, CommHandle() if async_op else None


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
    return total if is_for("reduce", dst, group) else tensor


def broadcast(tensor, src=0, group=GlobalComm.WORLD_COMM_GROUP):
    """The tensor of the process `src`."""
    return _functions().broadcast(_tensor(tensor, group), rank_in("broadcast", src, group), group)


def gather_into_tensor(tensor, dst=0, group=GlobalComm.WORLD_COMM_GROUP):
    """The tensors of all processes along axis 0 at the process `dst`; the others get their own tensor back."""
    gathered = _functions().all_gather(_tensor(tensor, group), group)
    return gathered if is_for("gather_into_tensor", dst, group) else tensor


def scatter_tensor(tensor, src=0, group=GlobalComm.WORLD_COMM_GROUP):
    """This process's part, along axis 0, of the tensor of `src`."""
    return _functions().own_part(broadcast(tensor, src, group), group)


def barrier(group=GlobalComm.WORLD_COMM_GROUP) -> None:
    """Wait until all processes of a group have come here.  Raises ParallelismError in a compiled function."""
    if current_trace() is not None:
        raise ParallelismError("barrier cannot be part of a compiled function, whose exchanges wait for each other by "
                               "themselves: call it outside")
    if get_group_size(group) > 1:
        word = np.zeros(1, np.int32)
        transport.exchange(transport.Collective("all_reduce", group_key(group), "sum"), word, word.copy())


def all_to_all_with_output_shape(output_shape_list, input_tensor_list, group=None, async_op=False):
    """(the tensors that arrive, one from each process; a handle if `async_op`, else None).

    input_tensor_list: a tensor for each process; output_shape_list: the shape of what each gives, or a Tensor of it.
    Raises ValueError unless there is one for each process, TypeError for tensors of several dtypes.
    """
    functions = _functions()
    tensors, shapes = list(input_tensor_list), [_shape_of(s) for s in output_shape_list]
    if len({t.dtype for t in tensors}) > 1:
        raise TypeError("all_to_all: all tensors must have one dtype")
    from graphcore.ops import concat
    flat, sizes = concat([t.reshape(-1) for t in tensors], 0), [math.prod(s) for s in shapes]
    arrived = functions.all_to_all_uneven(flat, [t.size for t in tensors], sizes, group)
    ends = list(accumulate(sizes, initial=0))
    return _with_handle(tuple(arrived[a:b].reshape(s) for a, b, s in zip(ends, ends[1:], shapes)), async_op)


def all_to_all_single_with_output_shape(output_shape, tensor, output_split_sizes=None, input_split_sizes=None,
                                        group=None, async_op=False):
    """(rows of axis 0 from each process, one after the other, as `output_shape`; a handle if `async_op`, else None).

    input_split_sizes: rows of `tensor` for each process; output_split_sizes: rows from each (None: equally many).
    Raises ShapeError where the rows are others, ValueError unless there is a number for each process.
    """
    shape = _shape_of(output_shape)
    given, arriving = (rows_of(sizes, rows, group) for sizes, rows in (
        (input_split_sizes, tensor.shape[0]), (output_split_sizes, shape[0])))
    return _with_handle(_functions().all_to_all_uneven(tensor, given, arriving, group).reshape(shape), async_op)


def all_to_all_v_c(output, input, send_count_matrix, group=None, async_op=False):
    """Write into `output` the rows from each process; send_count_matrix[i * size + j] is what rank i gives rank j.

    Returns a handle if `async_op`, else None.  Raises TypeError unless there is a number for each pair of processes.
    """
    size, rank = get_group_size(group or messages.ALL), get_rank(group or messages.ALL)
    if len(send_count_matrix) != size * size:
        raise TypeError(f"all_to_all_v_c: send_count_matrix needs {size * size} numbers, got {len(send_count_matrix)}")
    rows = send_count_matrix[rank * size:(rank + 1) * size]
    arrived = _functions().all_to_all_uneven(input, rows, send_count_matrix[rank::size], group)
    output.copy_(arrived.reshape(output.shape))
    return CommHandle() if async_op else None


def rows_of(sizes, rows: int, group) -> list:
    """How many rows go to or come from each process: `sizes`, or if that is None or empty, equally many.

    Raises ValueError where the rows cannot be divided.
    """
    size = get_group_size(group or messages.ALL)
    if not sizes and rows % size:
        raise ValueError(f"{rows} rows cannot be divided among {size} processes; give the split sizes")
    return list(sizes) if sizes else [rows // size] * size


def _shape_of(like) -> tuple:
    return tuple(like.shape) if isinstance(like, Tensor) else tuple(like)


def send(tensor, dst=0, group=GlobalComm.WORLD_COMM_GROUP, tag=0) -> None:
    """Send a tensor to the process `dst`, which calls `recv`; returns once it is on its way.

    Raises ParallelismError with one process and in a compiled function, ValueError for a process that is not another
    one of the group.
    """
    messages.start_send(tensor, dst, group, tag).finish()


def recv(tensor, src=0, group=GlobalComm.WORLD_COMM_GROUP, tag=0):
    """The tensor, of the shape and dtype of `tensor`, that the process `src` sends.

    Raises as `send`; CommunicationError if what arrives has another size.
    """
    array, under_way = messages.start_receive(tensor.shape, tensor.dtype, src, group, tag)
    under_way.finish()
    return Tensor._wrap(array, tensor.dtype)


def isend(tensor, dst=0, group=GlobalComm.WORLD_COMM_GROUP, tag=0):
    """Begin to `send`; gives a handle.  The tensor must not change until its ``wait()``."""
    return CommHandle([messages.start_send(tensor, dst, group, tag, "isend")])


def irecv(tensor, src=0, group=GlobalComm.WORLD_COMM_GROUP, tag=0):
    """(the tensor that the process `src` sends, a handle): it is there after the handle's ``wait()``."""
    array, under_way = messages.start_receive(tensor.shape, tensor.dtype, src, group, tag, "irecv")
    return Tensor._wrap(array, tensor.dtype), CommHandle([under_way])


def batch_isend_irecv(p2p_op_list) -> tuple:
    """What the messages of a list of `P2POp` bring: the tensor that arrives, or a 0-d one where it is sent.

    All are begun before any is waited for.  Raises TypeError for other lists or several groups.
    """
    under_way, arrays = messages.start_all(p2p_op_list)
    CommHandle(under_way).wait()
    return tuple(Tensor(0.0) if a is None else Tensor._wrap(a, o.tensor.dtype if isinstance(o.tensor, Tensor)
                                                            else o.recv_dtype)
                 for a, o in zip(arrays, p2p_op_list))
