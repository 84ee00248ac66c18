"""What processes that train together have alike: the Parameters that they begin with, and decisions on the way."""
from __future__ import annotations

import zlib
from collections.abc import Iterable

import numpy as np

from graphcore import log
from graphcore.capture import epoch
from graphcore.communication.objects import objects_of_all
from graphcore.ops.transport import WORLD, Collective, CommunicationError, exchange, group_rank, group_size
from graphcore.tensor import Tensor

__all__ = ["as_rank_0", "begin_alike", "broadcast_parameters", "expect_as_many_steps", "mean_of_all",
           "warn_of_the_same_data"]


def as_rank_0(decision: bool, group: str = WORLD) -> bool:
    """What rank 0 decides, which all processes of a group must do alike; with one process its own decision."""
    if group_size(group) == 1:
        return decision
    word = np.array([decision], np.uint8)
    return bool(exchange(Collective("broadcast", group), word, word)[0])


def mean_of_all(value: float, group: str = WORLD) -> float:
    """The mean over the processes of a group, the same on all of them."""
    size = group_size(group)
    if size == 1:
        return value
    word = np.array([value], np.float64)
    return float(exchange(Collective("all_reduce", group, "sum"), word, word)[0]) / size


def expect_as_many_steps(steps: int, group: str = WORLD) -> None:
    """Raise CommunicationError unless all processes of a group are about to make as many steps in an epoch."""
    if group_size(group) == 1:
        return
    found = _gathered([steps], group)[:, 0]
    if (found != found[0]).any():
        counts = ", ".join(f"{n} on rank {rank}" for rank, n in enumerate(found))
        raise CommunicationError(f"the datasets of the processes have different numbers of batches: {counts}; give all "
                                 "the same num_shards, batch size and drop_remainder")


def warn_of_the_same_data(row: tuple, group: str = WORLD) -> None:
    """Warn, on rank 0, if all processes of a group train on the same first batch: one copy of the work would do."""
    if group_size(group) == 1:
        return
    arrays = [np.ascontiguousarray(x.asnumpy()) for x in row if isinstance(x, Tensor)]
    sums = _gathered([zlib.crc32(b"".join(a.tobytes() for a in arrays))], group)
    if (sums == sums[0]).all() and group_rank(group) == 0:
        log.warning("all processes train on the same batches; give the dataset num_shards=get_group_size() and "
                    "shard_id=get_rank(), so that each has its share")


def begin_alike(parameters: Iterable, broadcast: bool, group: str = WORLD) -> None:
    """Give all processes of a group rank 0's values; without `broadcast` only warn where values differ.

    Parameters with `layerwise_parallel` belong to their process, and slices too: they are left out.  All processes of
    the group call this with the same Parameters.  Raises CommunicationError where the Parameters themselves differ.
    """
    if group_size(group) == 1:
        return
    shared = [p for p in parameters if not p.layerwise_parallel and not p.sliced]
    _expect_equal(shared, group)
    if broadcast:
        broadcast_parameters(shared, group)
        return
    sums = _gathered([zlib.crc32(_memory(p)) for p in shared], group)
    differing = [p.name for p, column in zip(shared, sums.T) if (column != column[0]).any()]
    if differing:
        names = ", ".join(differing[:3]) + (f" and {len(differing) - 3} more" if len(differing) > 3 else "")
        log.warning(f"the processes begin with different values of {names}; call set_seed before making the net, or "
                    "set_auto_parallel_context(parameter_broadcast=True) to begin with those of rank 0")


def broadcast_parameters(parameters: Iterable, group: str = WORLD, root: int = 0) -> None:
    """Give all processes of a group the values that the process `root` has."""
    for parameter in parameters:
        memory = _memory(parameter)
        exchange(Collective("broadcast", group, root=root), memory, memory)
    epoch.data_changed()


def _memory(parameter) -> np.ndarray:
    """The values as contiguous bytes, in place."""
    return parameter.materialized()._array.reshape(-1).view(np.uint8)


def _expect_equal(parameters: list, group: str) -> None:
    """Raise CommunicationError unless all processes have Parameters of the same names, shapes and dtypes."""
    own = [f"{p.name} {p.dtype.name}{list(p.shape)}" for p in parameters]
    sums = _gathered([zlib.crc32("\n".join(own).encode())], group)
    if (sums == sums[0]).all():
        return
    lists = objects_of_all(own, group)
    number, rank = next((k, rank) for k in range(max(map(len, lists))) for rank, names in enumerate(lists)
                        if names[k:k + 1] != lists[0][k:k + 1])
    first, other = (names[number] if number < len(names) else "none" for names in (lists[0], lists[rank]))
    raise CommunicationError(f"the processes train different nets: Parameter number {number + 1} is {first} on rank 0, "
                             f"but {other} on rank {rank}; make the same net in all of them")


def _gathered(numbers: list, group: str) -> np.ndarray:
    """int64[processes, numbers]: what each process gives."""
    own = np.array(numbers, np.int64)
    target = np.empty((group_size(group), own.size), np.int64)
    return exchange(Collective("all_gather", group), own, target)
