"""The processes that train together: the script alone, or those that mpiexec or ``graphcore launch`` started.

Data between them is carried by MPI (`mpi`, the extra ``distributed``), which only a script started as one of several
needs.
"""
from graphcore.communication import comm_func
from graphcore.communication.management import (
    HCCL_WORLD_COMM_GROUP,
    MCCL_WORLD_COMM_GROUP,
    NCCL_WORLD_COMM_GROUP,
    GlobalComm,
    create_group,
    destroy_group,
    get_comm_name,
    get_group_rank_from_world_rank,
    get_group_size,
    get_local_rank,
    get_local_rank_size,
    get_process_group_ranks,
    get_rank,
    get_world_rank_from_group_rank,
    init,
    release,
)
from graphcore.ops.transport import CommunicationError

__all__ = ["CommunicationError", "GlobalComm", "HCCL_WORLD_COMM_GROUP", "MCCL_WORLD_COMM_GROUP",
           "NCCL_WORLD_COMM_GROUP", "comm_func", "create_group", "destroy_group", "get_comm_name",
           "get_group_rank_from_world_rank", "get_group_size", "get_local_rank", "get_local_rank_size",
           "get_process_group_ranks", "get_rank", "get_world_rank_from_group_rank", "init", "release"]
