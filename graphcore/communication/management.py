"""Groups, ranks and sizes, for one process (``mindspore.communication.management``)."""
from __future__ import annotations

import os

from graphcore.parallel import ParallelismError

HCCL_WORLD_COMM_GROUP = "hccl_world_group"
NCCL_WORLD_COMM_GROUP = "nccl_world_group"
MCCL_WORLD_COMM_GROUP = "mccl_world_group"
_WORLD_GROUPS = (HCCL_WORLD_COMM_GROUP, NCCL_WORLD_COMM_GROUP, MCCL_WORLD_COMM_GROUP)
_BACKENDS = ("hccl", "nccl", "mccl")
# Where launchers (mpirun, msrun, MindSpore's own scripts) leave the number of processes that they start.
_SIZE_VARIABLES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MS_WORKER_NUM", "RANK_SIZE", "WORLD_SIZE")

_groups: dict[str, list[int]] = {}


class GlobalComm:
    """What `init` has set up: the backend's name and the group of all processes."""

    BACKEND = "mccl"
    WORLD_COMM_GROUP = MCCL_WORLD_COMM_GROUP
    INITED = False


def init(backend_name: str | None = None) -> None:
    """Set up the group of all processes: this one.

    backend_name: None, "hccl", "nccl" or "mccl"; all mean the same here.  Raises ValueError for another name,
    ParallelismError if a launcher started this process as one of several.
    """
    if backend_name is not None and not isinstance(backend_name, str):
        raise TypeError(f"backend_name must be a str, got {type(backend_name).__name__}")
    if backend_name is not None and backend_name not in _BACKENDS:
        raise ValueError(f"backend_name must be one of {', '.join(_BACKENDS)}, got {backend_name!r}")
    for variable in _SIZE_VARIABLES:
        size = os.environ.get(variable, "1").strip()
        if size.isdecimal() and int(size) > 1:
            raise ParallelismError(f"{variable}={size}: this script was started as one of {size} processes, but "
                                   "graphcore trains in one process on one CPU; start it directly, without mpirun or "
                                   "msrun")
    GlobalComm.BACKEND = backend_name or "mccl"
    GlobalComm.WORLD_COMM_GROUP = f"{GlobalComm.BACKEND}_world_group"
    GlobalComm.INITED = True


def release() -> None:
    """Forget all groups."""
    _groups.clear()
    GlobalComm.INITED = False


def get_rank(group: str = HCCL_WORLD_COMM_GROUP) -> int:
    """The number of this process in `group`: 0.  Raises ValueError for a group that was not created."""
    _ranks(group)
    return 0


def get_local_rank(group: str = HCCL_WORLD_COMM_GROUP) -> int:
    """The number of this process among those of `group` on this machine: 0."""
    return get_rank(group)


def get_group_size(group: str = HCCL_WORLD_COMM_GROUP) -> int:
    """The number of processes in `group`: 1.  Raises ValueError for a group that was not created."""
    return len(_ranks(group))


def get_local_rank_size(group: str = HCCL_WORLD_COMM_GROUP) -> int:
    """The number of processes of `group` on this machine: 1."""
    return get_group_size(group)


def get_process_group_ranks(group: str = HCCL_WORLD_COMM_GROUP) -> list[int]:
    """The ranks in `group`: [0]."""
    return list(_ranks(group))


def get_world_rank_from_group_rank(group: str, group_rank_id: int) -> int:
    """The rank among all processes of a rank in `group`.  Raises ValueError for a rank that is not in it."""
    return _member(group, group_rank_id)


def get_group_rank_from_world_rank(world_rank_id: int, group: str) -> int:
    """The rank in `group` of a rank among all processes.  Raises ValueError for a rank that is not in it."""
    return _member(group, world_rank_id)


def create_group(group: str, rank_ids: list, options=None) -> None:
    """Make a group of this process: `rank_ids` must be [0].  Raises ParallelismError for other ranks."""
    if not isinstance(group, str) or not isinstance(rank_ids, list):
        raise TypeError("create_group takes the group's name (str) and a list of ranks")
    if rank_ids != [0]:
        raise ParallelismError(f"create_group({group!r}, {rank_ids}): there is only rank 0, since graphcore runs in "
                               "one process")
    if group in _WORLD_GROUPS or group in _groups:
        raise ValueError(f"the group {group!r} exists already")
    _groups[group] = rank_ids


def destroy_group(group: str) -> None:
    """Remove a group that `create_group` made.  Raises ValueError for any other."""
    _ranks(group)
    if _groups.pop(group, None) is None:
        raise ValueError(f"the group of all processes, {group!r}, cannot be destroyed")


def get_comm_name(group: str = HCCL_WORLD_COMM_GROUP) -> str:
    """The name by which the backend knows `group`: the same."""
    _ranks(group)
    return group


def _ranks(group: str) -> list[int]:
    if not isinstance(group, str):
        raise TypeError(f"a group is named by a str, got {type(group).__name__}")
    if group in _WORLD_GROUPS:
        return [0]
    if group not in _groups:
        known = ", ".join([*_WORLD_GROUPS, *_groups])
        raise ValueError(f"there is no group {group!r}; make it with create_group (known: {known})")
    return _groups[group]


def _member(group: str, rank: int) -> int:
    if not isinstance(rank, int) or isinstance(rank, bool):
        raise TypeError(f"a rank is an int, got {type(rank).__name__}")
    if rank not in _ranks(group):
        raise ValueError(f"rank {rank} is not in the group {group!r}, which has rank 0 alone")
    return rank
