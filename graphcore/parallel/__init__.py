"""Settings of parallel training.

Scripts set them before training whatever they run on.  graphcore trains data parallel, on the processes that
`communication.init` found; what asks for other devices, or for a model split over them, is refused, since going on
would train something else than the script says.
"""
from __future__ import annotations

import copy
import difflib

from graphcore.errors import GraphcoreError
from graphcore.parallel.algo_parameter_config import get_algo_parameters, reset_algo_parameters, set_algo_parameters
from graphcore.parallel.shard import Layout, shard
from graphcore.parallel.strategies import *  # noqa: F403
from graphcore.parallel.strategies import __all__ as _of_strategies

__all__ = ["Layout", "ParallelismError", "shard", *_of_strategies, "get_algo_parameters", "reset_algo_parameters",
           "set_algo_parameters", "get_auto_parallel_context", "reset_auto_parallel_context",
           "set_auto_parallel_context"]


class ParallelismError(GraphcoreError, RuntimeError):
    """Devices or processes were asked for that there are not, or a way of sharing work that there is not."""


_DEFAULTS = {
    "device_num": None, "global_rank": None,        # those of the processes
    "gradients_mean": False, "gradient_fp32_sync": True, "loss_repeated_mean": True,
    "pipeline_stages": 1, "auto_pipeline": False, "pipeline_result_broadcast": False, "pipeline_interleave": False,
    "pipeline_scheduler": "1f1b", "parallel_mode": "stand_alone", "search_mode": "recursive_programming",
    "auto_parallel_search_mode": "recursive_programming", "parameter_broadcast": False, "strategy_ckpt_load_file": "",
    "strategy_ckpt_save_file": "", "group_ckpt_save_file": "", "full_batch": False, "dataset_strategy": "data_parallel",
    "enable_parallel_optimizer": False, "parallel_optimizer_config": {}, "force_fp32_communication": False,
    "grad_accumulation_step": 1, "all_reduce_fusion_config": [], "communi_parallel_mode": "all_group_parallel",
    "optimizer_weight_shard_size": -1, "optimizer_weight_shard_aggregated_save": False, "sharding_propagation": False,
    "enable_alltoall": False, "comm_fusion": {}, "strategy_ckpt_config": {}, "pipeline_config": {},
    "pipeline_segments": 1, "dump_local_norm": False, "dump_local_norm_path": "", "dump_device_local_norm": False,
    "init_param_in_compile": True,
}
#: Bytes that travel together, unless the context says otherwise.  What is larger than a quarter of it travels alone.
BUCKET = 1 << 20
_MODES = ("stand_alone", "data_parallel", "hybrid_parallel", "semi_auto_parallel", "auto_parallel")
_KNOWN_MODES = _MODES[:2]

_current = copy.deepcopy(_DEFAULTS)


def set_auto_parallel_context(**kwargs) -> None:
    """Set options of parallel training (MindSpore's keys).

    Raises ValueError for an unknown key or mode; ParallelismError for another number of devices or rank than this
    process has, for pipeline stages, and for the modes that split a model over devices (hybrid, semi-automatic and
    automatic parallel).
    """
    for key, value in kwargs.items():
        _require_known(key)
        _require_possible(key, value)
    _current.update(kwargs)


def get_auto_parallel_context(attr_key: str):
    """The value of one option; device_num and global_rank are those of the processes, unless they were set.

    Raises ValueError for an unknown key.
    """
    _require_known(attr_key)
    value = _current[attr_key]
    return _of_processes(attr_key) if value is None else value


def is_data_parallel() -> bool:
    """Whether processes are to train with their shares of each batch."""
    return get_auto_parallel_context("parallel_mode") == "data_parallel"


def bucket_bytes(what: str) -> int:
    """How many bytes travel together: of gradients ("allreduce") or of gathered Parameters ("allgather").

    ``comm_fusion={"allreduce": {"mode": "size", "config": MiB}, ...}`` says it, else it is `BUCKET`.
    """
    chosen = get_auto_parallel_context("comm_fusion").get(what, {})
    return int(chosen["config"] * (1 << 20)) if chosen.get("mode") == "size" else BUCKET


def reset_auto_parallel_context() -> None:
    """Set all options back to their defaults."""
    _current.update(copy.deepcopy(_DEFAULTS))


def _require_known(key: str) -> None:
    if key not in _DEFAULTS:
        near = difflib.get_close_matches(str(key), _DEFAULTS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"the parallel context does not know {key!r}{hint}")


def _of_processes(key: str) -> int:
    from graphcore.ops.transport import group_rank, group_size
    return group_size() if key == "device_num" else group_rank()


def _require_possible(key: str, value) -> None:
    if key == "parallel_mode":
        if value not in _MODES:
            raise ValueError(f"parallel_mode must be one of {', '.join(_MODES)}, got {value!r}")
        if value not in _KNOWN_MODES:
            raise ParallelismError(f"parallel_mode={value!r} splits a model over several devices, which graphcore does "
                                   "not; use 'data_parallel' (every process has the whole model and its share of each "
                                   "batch; enable_parallel_optimizer=True shares the optimiser's state) or "
                                   "'stand_alone'")
    if key == "pipeline_stages" and value != 1:
        raise ParallelismError(f"pipeline_stages={value}: graphcore does not split a model into stages; leave it out "
                               "and use parallel_mode='data_parallel'")
    if key in ("device_num", "global_rank") and value != _of_processes(key):
        size, rank = map(_of_processes, ("device_num", "global_rank"))
        raise ParallelismError(f"{key}={value}: this is rank {rank} of {size}; start the script with `graphcore launch "
                               "-n N script.py`, call communication.init() first, and leave this option out")


def __getattr__(name: str):
    if name in ("auto_parallel", "nn"):     # they know Cells, which this module must not
        import importlib
        return importlib.import_module(f"graphcore.parallel.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
