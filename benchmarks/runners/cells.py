"""Tasks from Cells: the same for graphcore and MindSpore."""
from __future__ import annotations

from benchmarks.runners.task import Task, Unsupported
from benchmarks.workloads import Given


def cell_task(given: Given, nets, tensor, finish) -> Task:
    """The task of a (workload, mode).

    nets: the module `benchmarks.nets`; tensor: makes a Tensor of an array; finish: waits for a result.
    Raises Unsupported for workloads that have no net.
    """
    if given.name not in nets.NETS:
        raise Unsupported(f"no net for {given.name}")
    arguments = [tuple(tensor(array) for array in arrays) for arrays in given.arguments]
    if not given.trains:
        call = nets.make_inference(given.name, given.mode, given.weights)
        return Task(call, arguments, finish=finish, to_numpy=lambda output: output.asnumpy())
    step = nets.make_step(given.name, nets.make_net(given.name, given.weights))

    def reset() -> None:
        # from a new net and optimiser: keeping copies from the start would count among the time to the first step
        fresh = nets.make_step(given.name, nets.make_net(given.name, given.weights))
        for parameter, initial in zip(step.get_parameters(), fresh.get_parameters()):
            parameter.set_data(initial)

    def call(x, y) -> float:
        return float(step(x, y))

    return Task(call, arguments, reset)
