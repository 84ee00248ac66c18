"""One rank of PyTorch, of one or more: DistributedDataParallel over gloo, eagerly; rank 0 prints the answer."""
from __future__ import annotations

import json
import resource
import sys
import time

import numpy as np
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from benchmarks.runners.torch_nets import NETS, load, loss_of, make_optimizer
from benchmarks.workloads import given


def main(name: str, seconds: float, rank: int, size: int, meeting_place: str) -> None:
    """Time steps for about `seconds`; see `benchmarks.distributed.Answer` for what is printed."""
    torch.set_num_threads(1)
    task = given(name, "train")
    net = NETS[name]()
    load(net, task.weights)
    net.train()
    optimizer = make_optimizer(name, net)
    if size > 1:
        dist.init_process_group("gloo", init_method=f"file://{meeting_place}", rank=rank, world_size=size)
        net = DistributedDataParallel(net)
    shares = [tuple(_tensor(np.split(a, size)[rank]) for a in arrays) for arrays in task.arguments]

    def step(i: int) -> float:
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(net, *shares[i % len(shares)])
        loss.backward()
        optimizer.step()
        return loss.item()

    for i in range(len(shares)):
        step(i)
    begun = time.perf_counter()
    step(0)
    count = torch.tensor([max(3, int(seconds / (time.perf_counter() - begun)))])
    if size > 1:
        dist.broadcast(count, 0)
    times = []
    for i in range(int(count)):
        begun = time.perf_counter()
        step(i)
        times.append(time.perf_counter() - begun)
    if rank == 0:
        print(json.dumps({"times": times, "resident": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))
    if size > 1:
        dist.destroy_process_group()


def _tensor(array):
    tensor = torch.tensor(array)
    return tensor if tensor.is_floating_point() else tensor.long()


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), sys.argv[5])
