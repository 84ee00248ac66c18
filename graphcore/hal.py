"""``mindspore.hal``: which devices there are; streams and memory as in `runtime`."""
from __future__ import annotations

from graphcore.runtime import (
    Stream,
    StreamCtx,
    current_stream,
    default_stream,
    empty_cache,
    max_memory_allocated,
    max_memory_reserved,
    memory_allocated,
    memory_reserved,
    memory_stats,
    reset_max_memory_allocated,
    reset_max_memory_reserved,
    reset_peak_memory_stats,
    set_cur_stream,
    synchronize,
)

__all__ = ["Stream", "StreamCtx", "current_stream", "default_stream", "device_count", "empty_cache", "get_arch_list",
           "get_device_capability", "get_device_name", "get_device_properties", "is_available", "is_initialized",
           "max_memory_allocated", "max_memory_reserved", "memory_allocated", "memory_reserved", "memory_stats",
           "reset_max_memory_allocated", "reset_max_memory_reserved", "reset_peak_memory_stats", "set_cur_stream",
           "synchronize"]


def is_available(device_target: str) -> bool:
    """Whether there is such a device: only "CPU"."""
    return device_target.upper() == "CPU"


def is_initialized(device_target: str) -> bool:
    """Whether such a device is in use."""
    return is_available(device_target)


def device_count(device_target: str | None = None) -> int:
    """How many there are: one CPU."""
    return int(device_target is None or is_available(device_target))


def get_device_name(device_id: int = 0, device_target: str | None = None) -> str:
    """The name of a device."""
    return "CPU"


def get_arch_list(device_target: str | None = None) -> None:
    """The architectures of GPUs: None."""


def get_device_capability(device_id: int, device_target: str | None = None) -> None:
    """The version of a GPU: None."""


def get_device_properties(device_id: int, device_target: str | None = None) -> None:
    """The properties of a GPU or Ascend device: None."""
