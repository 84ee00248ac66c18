"""``mint.distributed``: collectives that write into their tensors."""
import numpy as np
import pytest

import graphcore as gc
from graphcore import Tensor, mint
from graphcore.parallel import ParallelismError
from tests.distributed.conftest import lines_of

IN_PLACE = """
import numpy as np
from mindspore import Tensor, mint
from mindspore.mint import distributed as dist
dist.init_process_group()
rank, size = dist.get_rank(), dist.get_world_size()
def vector(n=2): return Tensor(np.full(n, rank + 1, np.float32))
def show(x): print(*x.asnumpy().reshape(-1).tolist())
for op in ("sum", "max", "avg"):
    x = vector(); assert dist.all_reduce(x, op) is None; show(x)
x = vector(); dist.broadcast(x, 1); show(x)
x = vector(); dist.reduce(x, 0); show(x)
whole, parts = Tensor(np.zeros(4, np.float32)), [vector(), vector()]
dist.all_gather_into_tensor(whole, vector()); show(whole)
dist.all_gather(parts, vector()); show(parts[1])
x = vector(1); dist.reduce_scatter_tensor(x, vector(2)); show(x)
x = vector(); dist.reduce_scatter(x, [vector(), vector() * 10]); show(x)
x = vector(); dist.scatter(x, [vector(), vector() * 10] if rank == 0 else [], 0); show(x)
dist.barrier()
group = dist.new_group([1, 0])
print(dist.get_rank(group), dist.get_global_rank(group, 0), dist.get_group_rank(group, 0))
x = vector(); dist.broadcast(x, 1, group); show(x)             # ranks are those among all
x = vector(rank + 1); whole = Tensor(np.zeros(3, np.float32))
dist.all_gather_into_tensor_uneven(whole, x, [1, 2]); show(whole)
x = Tensor(np.zeros(rank + 1, np.float32)); dist.reduce_scatter_tensor_uneven(x, vector(3), [1, 2]); show(x)
dist.gather(vector() * 5, parts, 1); show(parts[0])
pair = [Tensor(np.zeros(1 + rank, np.float32)) for _ in range(2)]
dist.all_to_all(pair, [vector(1), vector(2)]); show(pair[1 - rank])
x = Tensor(np.zeros(2, np.float32)); dist.all_to_all_single(x, vector()); show(x)
found = [None, None]; dist.all_gather_object(found, {"rank": rank}); print(found)
found = [rank, "x"]; dist.broadcast_object_list(found, 1); print(found)
found = [None]; dist.scatter_object_list(found, ["a", "b"] if rank == 0 else None, 0); print(found)
"""

MESSAGES = """
import numpy as np
import mindspore as ms
from mindspore import Tensor, ops
from mindspore.communication import comm_func, get_rank, init
from mindspore.mint import distributed as dist
init()
rank, other = get_rank(), 1 - get_rank()
def vector(n=3): return Tensor(np.arange(n, dtype=np.float32) + 10 * rank)
def show(x): print(*x.asnumpy().reshape(-1).tolist())
if rank == 0:
    comm_func.send(vector(), 1, tag=7); dist.send(vector(), 1); ops.Send(3, 1)(vector())
    dist.send_object_list([1, "a"], 1)
else:
    show(comm_func.recv(vector(), 0, tag=7)); x = vector(); print(dist.recv(x, 0)); show(x)
    show(ops.Receive(3, 0, [3], ms.float32)()); found = []; dist.recv_object_list(found, 0); print(found)
big, x = Tensor(np.full(1 << 18, rank, np.float32)), Tensor(np.zeros(1 << 18, np.float32))
arriving, sent = dist.irecv(x, other), dist.isend(big, other)      # too large to be sent before it is received
arriving.wait(); sent.wait(); print(x.asnumpy().min(), x.asnumpy().max())
y, handle = comm_func.irecv(vector(), other); comm_func.isend(vector(), other).wait(); handle.wait(); show(y)
P = comm_func.P2POp
show(comm_func.batch_isend_irecv([P("isend", vector(), other), P("irecv", (3,), other, recv_dtype=ms.float32)])[1])
x = vector()
for handle in dist.batch_isend_irecv([dist.P2POp(dist.isend, vector(), other), dist.P2POp(dist.irecv, x, other)]):
    handle.wait()
show(x)
def message(call, *arguments):
    try:
        call(*arguments)
    except Exception as error:
        print(type(error).__name__, error)
if rank == 0:
    dist.send(vector(2), 1); dist.send(vector(4), 1); message(dist.send, vector(), 0); message(dist.send, vector(), 2)
else:
    message(comm_func.recv, vector(3), 0); message(comm_func.recv, vector(3), 0)
    message(ms.jit(lambda x: dist.send(x, 0)), vector())
comm_func.barrier()
"""


@pytest.mark.slow
def test_results_are_written_into_the_tensors(launch):
    both = ["3.0 3.0", "2.0 2.0", "1.5 1.5", "2.0 2.0"]
    found = lines_of(launch(IN_PLACE))
    objects = ["[{'rank': 0}, {'rank': 1}]", "[1, 'x']"]
    assert found[0] == [*both, "3.0 3.0", "1.0 1.0 2.0 2.0", "2.0 2.0", "3.0", "3.0 3.0", "1.0 1.0", "1 1 1",
                        "2.0 2.0", "1.0 2.0 2.0", "3.0", "1.0 1.0", "2.0", "1.0 2.0", *objects, "['a']"]
    assert found[1] == [*both, "2.0 2.0", "1.0 1.0 2.0 2.0", "2.0 2.0", "3.0", "30.0 30.0", "10.0 10.0", "0 1 1",
                        "2.0 2.0", "1.0 2.0 2.0", "3.0 3.0", "5.0 5.0", "1.0 1.0", "1.0 2.0", *objects, "['b']"]


@pytest.mark.slow
def test_messages_between_two_processes(launch):
    found = lines_of(launch(MESSAGES))
    first, second = "0.0 1.0 2.0", "10.0 11.0 12.0"
    assert found[0][:4] == ["1.0 1.0", second, second, second]
    assert found[1][:9] == [first, "0", first, first, "[1, 'a']", "0.0 0.0", first, first, first]
    assert [line.split()[0] for line in found[0][4:]] == ["ValueError", "ValueError"]
    assert "this process itself" in found[0][4] and "not in the group" in found[0][5]
    assert "sent 8 bytes" in found[1][9] and "12 are waited for" in found[1][9] and "sent more bytes" in found[1][10]
    assert found[1][11].startswith("ParallelismError") and "NeighborExchange" in found[1][11]


def test_one_process():
    dist = mint.distributed
    dist.init_process_group()
    assert (dist.get_rank(), dist.get_world_size(), dist.is_initialized(), dist.get_backend()) == (0, 1, True, "mccl")
    x, whole = Tensor(np.ones(2, np.float32)), Tensor(np.zeros(2, np.float32))
    dist.all_reduce(x, "avg", async_op=True).wait()
    dist.all_gather_into_tensor(whole, x)
    assert whole.asnumpy().tolist() == x.asnumpy().tolist() == [1, 1]
    with pytest.raises(TypeError, match="'avg'"):
        dist.all_reduce(x, "mean")
    with pytest.raises(ValueError, match="list of 1 tensors"):
        dist.all_gather([x, x], x)
    dist.all_to_all_single(whole, x * 3)
    dist.gather(x * 4, [x])
    found = [None]
    dist.all_gather_object(found, "it")
    assert (whole.asnumpy().tolist(), x.asnumpy().tolist(), found) == ([3, 3], [4, 4], ["it"])
    with pytest.raises(ParallelismError, match="graphcore launch"):
        dist.send(x, 1)
    with pytest.raises(ValueError, match="isend"):
        dist.P2POp("send", x, 1)
    with pytest.raises(ValueError, match="1 processes"):
        dist.all_to_all_single(whole, x, [1, 1], [1, 1])
    with pytest.raises(ParallelismError, match="compiled function"):
        gc.jit(lambda v: dist.barrier())(x)
    dist.destroy_process_group()
    assert not dist.is_initialized()
