"""What training loops written for MindSpore ask about the parallel settings (``mindspore.parallel._utils``)."""
from __future__ import annotations

from graphcore.context import ParallelMode
from graphcore.parallel import get_auto_parallel_context


def _get_parallel_mode() -> str:
    """The mode, for example 'stand_alone'."""
    return get_auto_parallel_context("parallel_mode")


def _is_in_data_parallel_mode() -> bool:
    return _get_parallel_mode() == ParallelMode.DATA_PARALLEL


def _get_device_num() -> int:
    """The number of devices: one."""
    return get_auto_parallel_context("device_num")


def _get_global_rank() -> int:
    """The number of this process: zero."""
    return get_auto_parallel_context("global_rank")


def _get_gradients_mean() -> bool:
    return get_auto_parallel_context("gradients_mean")


def _get_pipeline_stages() -> int:
    return get_auto_parallel_context("pipeline_stages")


def _get_parameter_broadcast() -> bool:
    return get_auto_parallel_context("parameter_broadcast")


def _get_full_batch() -> bool:
    return get_auto_parallel_context("full_batch")


def _get_enable_parallel_optimizer() -> bool:
    return get_auto_parallel_context("enable_parallel_optimizer")


def _is_sharding_propagation() -> bool:
    return get_auto_parallel_context("sharding_propagation")
