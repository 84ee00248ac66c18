"""The process group of a script: itself alone.

Training scripts ask for their rank and the number of processes; here there is always one.  A script that a launcher
started as one of several is told so by `init`, instead of training the same net several times over.
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

__all__ = ["GlobalComm", "HCCL_WORLD_COMM_GROUP", "MCCL_WORLD_COMM_GROUP", "NCCL_WORLD_COMM_GROUP", "comm_func",
           "create_group", "destroy_group", "get_comm_name", "get_group_rank_from_world_rank", "get_group_size",
           "get_local_rank", "get_local_rank_size", "get_process_group_ranks", "get_rank",
           "get_world_rank_from_group_rank", "init", "release"]
