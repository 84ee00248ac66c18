"""One rank of graphcore, of one or more: times training steps on its share of each batch; rank 0 prints the answer."""
from __future__ import annotations

import json
import resource
import sys
import time

import numpy as np

from benchmarks import nets
from benchmarks.workloads import given
from graphcore import Tensor, communication, set_auto_parallel_context
from graphcore.ops import transport


def main(name: str, sharded: bool, seconds: float) -> None:
    """Time steps for about `seconds`; see `benchmarks.distributed.Answer` for what is printed."""
    communication.init()
    rank, size = communication.get_rank(), communication.get_group_size()
    set_auto_parallel_context(parallel_mode="data_parallel", gradients_mean=True, parameter_broadcast=True,
                              enable_parallel_optimizer=sharded)
    task = given(name, "train")
    net = nets.make_net(name, task.weights)
    step = nets.make_step(name, net)
    shares = [tuple(Tensor(np.split(a, size)[rank]) for a in arrays) for arrays in task.arguments]
    for arguments in shares:
        float(step(*arguments))
    before = _in_exchanges()
    times = _times(lambda i: float(step(*shares[i % len(shares)])), seconds)
    starting, waiting = (_in_exchanges() - before) / len(times)
    resident = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024   # before there are arrays to measure with
    exchanges = _exchanges_of(lambda: float(step(*shares[0]))) if size > 1 else []
    alone = _alone(exchanges)
    kept = sum(int(np.prod(p.shape)) * p.dtype.itemsize for p in step.get_parameters()
               if p.part_of is None or not p.part_of.stands_in)
    if rank == 0:
        print(json.dumps({"times": times, "starting": starting, "waiting": waiting, "alone": alone,
                          "exchanges": len(exchanges), "bytes": sum(target.nbytes for _, _, target in exchanges),
                          "kept": kept, "resident": resident}))


def _times(call, seconds: float) -> list[float]:
    """Seconds of each call, for about so long; all ranks make as many, as rank 0 says."""
    begun = time.perf_counter()
    call(0)
    own = np.array([max(3, int(seconds / (time.perf_counter() - begun)))], np.int64)
    if transport.group_size() > 1:
        transport.exchange(transport.Collective("broadcast", transport.WORLD), own, own)
    times = []
    for i in range(int(own[0])):
        begun = time.perf_counter()
        call(i)
        times.append(time.perf_counter() - begun)
    return times


def _in_exchanges() -> np.ndarray:
    """Seconds that this rank has taken to start exchanges, and to wait for them."""
    if transport.group_size() == 1:
        return np.zeros(2)
    carrier = transport.transport()
    return np.array([carrier.seconds_starting, carrier.seconds_waiting])


def _exchanges_of(step) -> list:
    """(collective, source, target) of the exchanges of one step, with arrays like theirs."""
    carrier, found = transport.transport(), []

    class Noting:
        """Passes exchanges on, and notes them."""

        rank, size, agree = carrier.rank, carrier.size, carrier.agree

        def begin(self, collective, source, target):
            found.append((collective, np.zeros_like(source), np.zeros_like(target)))
            return carrier.begin(collective, source, target)

    transport.install(Noting())
    try:
        step()
    finally:
        transport.install(carrier)
    return found


def _alone(exchanges: list, repeats: int = 20) -> float:
    """Seconds that the exchanges of a step take by themselves, one after another: the median."""
    times = []
    for _ in range(repeats if exchanges else 0):
        communication.comm_func.barrier()
        begun = time.perf_counter()
        for collective, source, target in exchanges:
            transport.exchange(collective, source, target)
        times.append(time.perf_counter() - begun)
    return float(np.median(times)) if times else 0.0


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] == "sharded", float(sys.argv[3]))
