"""``mint.distributed``: collectives that write into their tensors."""
import numpy as np
import pytest

from graphcore import Tensor, mint
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
"""


@pytest.mark.slow
def test_results_are_written_into_the_tensors(launch):
    both = ["3.0 3.0", "2.0 2.0", "1.5 1.5", "2.0 2.0"]
    found = lines_of(launch(IN_PLACE))
    assert found[0] == [*both, "3.0 3.0", "1.0 1.0 2.0 2.0", "2.0 2.0", "3.0", "3.0 3.0", "1.0 1.0", "1 1 1"]
    assert found[1] == [*both, "2.0 2.0", "1.0 1.0 2.0 2.0", "2.0 2.0", "3.0", "30.0 30.0", "10.0 10.0", "0 1 1"]


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
    dist.destroy_process_group()
    assert not dist.is_initialized()
