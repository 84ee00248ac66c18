"""Groups, ranks and sizes (``mindspore.communication.management``).

A script that was started by itself is rank 0 of 1 and needs nothing else.  One that mpiexec or ``graphcore launch``
started as one of several gets its rank from MPI, once `init` was called.
"""
from __future__ import annotations

from graphcore.communication import launched
from graphcore.ops import transport as carrier
from graphcore.ops.transport import WORLD, CommunicationError
from graphcore.parallel import ParallelismError

HCCL_WORLD_COMM_GROUP = "hccl_world_group"
NCCL_WORLD_COMM_GROUP = "nccl_world_group"
MCCL_WORLD_COMM_GROUP = "mccl_world_group"
_WORLD_GROUPS = (HCCL_WORLD_COMM_GROUP, NCCL_WORLD_COMM_GROUP, MCCL_WORLD_COMM_GROUP, WORLD)
_BACKENDS = ("hccl", "nccl", "mccl")

_groups: dict[str, list[int]] = {}
_mpi = None                 # the MpiTransport, once `init` was called in one of several processes


class GlobalComm:
    """What `init` has set up: the backend's name and the group of all processes."""

    BACKEND = "mccl"
    WORLD_COMM_GROUP = MCCL_WORLD_COMM_GROUP
    INITED = False


def init(backend_name: str | None = None) -> None:
    """Set up the group of all processes: those that mpiexec or ``graphcore launch`` started, or this one alone.

    backend_name: None, "hccl", "nccl" or "mccl"; all mean the same here.  From here on an uncaught exception in one
    process ends all.  Raises ValueError for another name, CommunicationError if mpi4py is missing in one of several
    processes, ParallelismError if another launcher than MPI's started them.
    """
    global _mpi
    if backend_name is not None and not isinstance(backend_name, str):
        raise TypeError(f"backend_name must be a str, got {type(backend_name).__name__}")
    if backend_name is not None and backend_name not in _BACKENDS:
        raise ValueError(f"backend_name must be one of {', '.join(_BACKENDS)}, got {backend_name!r}")
    if launched.by_mpi():
        if _mpi is None:
            from graphcore.communication.mpi import MpiTransport, end_all_on_errors
            _mpi = MpiTransport()
            end_all_on_errors(_mpi)
        carrier.install(_mpi)
    else:
        variable, size = launched.number_in(launched.OTHER_SIZES)
        if variable:
            raise ParallelismError(f"{variable}={size}: this script was started as one of {size} processes, but not by "
                                   f"MPI; start it with `graphcore launch -n {size} script.py` or `mpiexec -n {size} "
                                   "python script.py` (or, for one process, without a launcher)")
    GlobalComm.BACKEND = backend_name or "mccl"
    GlobalComm.WORLD_COMM_GROUP = f"{GlobalComm.BACKEND}_world_group"
    GlobalComm.INITED = True


def release() -> None:
    """Forget all groups; `init` may be called again."""
    for group in list(_groups):
        destroy_group(group)
    carrier.install(None)
    GlobalComm.INITED = False


def get_rank(group: str = HCCL_WORLD_COMM_GROUP) -> int:
    """The number of this process in `group`.

    Raises ValueError for a group that was not created, CommunicationError for one that this process is not in, or in
    one of several processes before `init`.
    """
    ranks = _ranks(group)
    return ranks.index(_own_rank(group, ranks))


def get_local_rank(group: str = HCCL_WORLD_COMM_GROUP) -> int:
    """The number of this process among those of `group` on this machine."""
    return _on_this_machine(group).index(_own_rank(group, _ranks(group)))


def get_group_size(group: str = HCCL_WORLD_COMM_GROUP) -> int:
    """The number of processes in `group`.  Raises ValueError for a group that was not created."""
    return len(_ranks(group))


def get_local_rank_size(group: str = HCCL_WORLD_COMM_GROUP) -> int:
    """The number of processes of `group` on this machine."""
    return len(_on_this_machine(group))


def get_process_group_ranks(group: str = HCCL_WORLD_COMM_GROUP) -> list[int]:
    """The ranks in `group`, counted among all processes."""
    return list(_ranks(group))


def get_world_rank_from_group_rank(group: str, group_rank_id: int) -> int:
    """The rank among all processes of a rank in `group`.  Raises ValueError for a rank that is not in it."""
    ranks = _ranks(group)
    if _checked_rank(group_rank_id) not in range(len(ranks)):
        raise ValueError(f"rank {group_rank_id} is not in the group {group!r}, which has {len(ranks)} ranks")
    return ranks[group_rank_id]


def get_group_rank_from_world_rank(world_rank_id: int, group: str) -> int:
    """The rank in `group` of a rank among all processes.  Raises ValueError for a rank that is not in it."""
    ranks = _ranks(group)
    if _checked_rank(world_rank_id) not in ranks:
        raise ValueError(f"rank {world_rank_id} is not in the group {group!r}, which has the ranks {ranks}")
    return ranks.index(world_rank_id)


def create_group(group: str, rank_ids: list, options=None) -> None:
    """Make a group of the processes `rank_ids`, which all of them call; its ranks are numbered in this order.

    options: accepted, without effect.  Raises TypeError for other types, ValueError for a name that is taken or ranks
    given twice, ParallelismError for ranks that there are not.
    """
    if not isinstance(group, str) or not isinstance(rank_ids, list):
        raise TypeError("create_group takes the group's name (str) and a list of ranks")
    everyone = _ranks(WORLD)
    if not rank_ids or any(rank not in everyone for rank in rank_ids):
        raise ParallelismError(f"create_group({group!r}, {rank_ids}): there is only rank 0, since this script was "
                               "started by itself; start it with `graphcore launch -n N script.py`"
                               if len(everyone) == 1 else
                               f"create_group({group!r}, {rank_ids}): there are the ranks 0 to {len(everyone) - 1}")
    if len(set(rank_ids)) != len(rank_ids):
        raise ValueError(f"create_group({group!r}, {rank_ids}): a rank is given twice")
    if group in _WORLD_GROUPS or group in _groups:
        raise ValueError(f"the group {group!r} exists already")
    if len(everyone) > 1:
        _mpi.create(group, rank_ids)
    _groups[group] = list(rank_ids)


def destroy_group(group: str) -> None:
    """Remove a group that `create_group` made.  Raises ValueError for any other."""
    ranks = _ranks(group)
    if group not in _groups:
        raise ValueError(f"the group of all processes, {group!r}, cannot be destroyed")
    if len(_ranks(WORLD)) > 1 and ranks:
        _mpi.destroy(group)
    del _groups[group]


def known_groups() -> tuple:
    """The names of the groups that `create_group` made."""
    return tuple(_groups)


def get_comm_name(group: str = HCCL_WORLD_COMM_GROUP) -> str:
    """The name by which the backend knows `group`: the same."""
    _ranks(group)
    return group


def group_key(group: str | None) -> str:
    """The name under which operators know a group.  Raises ValueError for a group that was not created."""
    if group is None or group in _WORLD_GROUPS:
        return WORLD
    _ranks(group)
    return group


def _several() -> bool:
    """Whether there are other processes.  Raises CommunicationError if there are and `init` was not called."""
    if not GlobalComm.INITED:
        if launched.by_mpi():
            raise CommunicationError("this script was started as one of several processes; call communication.init() "
                                     "first: before asking for ranks and groups, and before making what trains")
        return False
    return _mpi is not None


def _ranks(group: str) -> list[int]:
    if not isinstance(group, str):
        raise TypeError(f"a group is named by a str, got {type(group).__name__}")
    if group in _WORLD_GROUPS:
        return list(_mpi.ranks(WORLD)) if _several() else [0]
    if group not in _groups:
        known = ", ".join([*_WORLD_GROUPS[:-1], *_groups])
        raise ValueError(f"there is no group {group!r}; make it with create_group (known: {known})")
    return _groups[group]


def _own_rank(group: str, ranks: list) -> int:
    own = carrier.group_rank()
    if own not in ranks:
        raise CommunicationError(f"rank {own} is not in the group {group!r}, which has the ranks {ranks}")
    return own


def _on_this_machine(group: str) -> list[int]:
    ranks = _ranks(group)
    if len(ranks) == 1:
        return ranks
    here = _mpi.nodes[_mpi.rank(WORLD)]
    return [rank for rank in ranks if _mpi.nodes[rank] == here]


def _checked_rank(rank) -> int:
    if not isinstance(rank, int) or isinstance(rank, bool):
        raise TypeError(f"a rank is an int, got {type(rank).__name__}")
    return rank
