"""``mindspore.runtime``: memory and streams of devices.  The CPU's memory is the system's, so nothing is counted.

Calls are done when they return; what steers MindSpore's own runtime is accepted, and said once at debug level.
"""
from __future__ import annotations

from graphcore import log

__all__ = ["Stream", "StreamCtx", "current_stream", "default_stream", "dispatch_threads_num", "empty_cache",
           "launch_blocking", "max_memory_allocated", "max_memory_reserved", "memory_allocated", "memory_reserved",
           "memory_stats", "reset_max_memory_allocated", "reset_max_memory_reserved", "reset_peak_memory_stats",
           "set_cpu_affinity", "set_cur_stream", "set_kernel_launch_group", "set_memory", "synchronize"]

_said: set = set()


def _without_effect(name: str) -> None:
    if name not in _said:
        _said.add(name)
        log.debug("%s has no effect in graphcore", name)


def synchronize() -> None:
    """Nothing is outstanding: calls are done when they return."""


def empty_cache() -> None:
    """There is no pool of device memory to give back."""


def launch_blocking() -> None:
    """Calls are done when they return anyway."""


def set_memory(init_size="2GB", increase_size="2GB", max_size="1024GB", optimize_level="O0",
               huge_page_reserve_size="0GB") -> None:
    """The pool of device memory; accepted."""
    _without_effect("runtime.set_memory")


def set_cpu_affinity(enable_affinity, affinity_cpu_list=None, module_to_cpu_dict=None, bind_file=None) -> None:
    """Bind the threads of MindSpore's runtime to cores; accepted."""
    _without_effect("runtime.set_cpu_affinity")


def dispatch_threads_num(threads_num: int) -> None:
    """Threads of MindSpore's dispatcher; accepted.  See ``set_context(runtime_num_threads=...)``."""
    if not isinstance(threads_num, int) or isinstance(threads_num, bool):
        raise TypeError(f"threads_num must be an int, got {type(threads_num).__name__}")
    _without_effect("runtime.dispatch_threads_num")


def set_kernel_launch_group(thread_num=2, kernel_group_num=8) -> None:
    """Groups of kernels that MindSpore launches together; accepted."""
    _without_effect("runtime.set_kernel_launch_group")


def memory_allocated() -> int:
    """Bytes of device memory in use: 0, as MindSpore says of the CPU."""
    return 0


def memory_reserved() -> int:
    """Bytes of device memory held: 0."""
    return 0


def max_memory_allocated() -> int:
    """The most bytes of device memory that were in use: 0."""
    return 0


def max_memory_reserved() -> int:
    """The most bytes of device memory that were held: 0."""
    return 0


def memory_stats() -> dict:
    """The same numbers by name."""
    pool = {"block_unit_size": 0, "block_counts": 0, "blocks_info": {}}
    totals = ("total_reserved_memory", "total_allocated_memory", "total_idle_memory", "total_eager_free_memory",
              "max_reserved_memory", "max_allocated_memory")
    return {**dict.fromkeys(totals, 0), "common_mem_pool_stats": dict(pool),
            "persistent_mem_pool_stats": {"block_counts": 0, "block_unit_size": 0, "blocks_info": {}}}


def reset_peak_memory_stats() -> None:
    """The peaks are 0."""


def reset_max_memory_allocated() -> None:
    """The peak is 0."""


def reset_max_memory_reserved() -> None:
    """The peak is 0."""


class Stream:
    """A queue of device work; on the CPU there is one, and it is always empty."""

    def __init__(self, priority: int = 0, **kwargs):
        self.device_name, self.device_id, self.id = "CPU", 0, 0

    def synchronize(self) -> None:
        """Nothing is outstanding."""

    def query(self) -> bool:
        """Whether all work is done."""
        return True

    def wait_stream(self, stream) -> None:
        """Wait for another stream, which is empty."""

    def __eq__(self, other):
        return isinstance(other, Stream)

    def __hash__(self):
        return 0

    def __repr__(self):
        return "Stream(device_name=CPU, device_id:0, stream id:0)"


_stream = Stream()


def current_stream() -> Stream:
    """The stream."""
    return _stream


def default_stream() -> Stream:
    """The stream."""
    return _stream


def set_cur_stream(stream) -> None:
    """Choose the stream; there is one.  Raises TypeError for anything else."""
    if stream is not None and not isinstance(stream, Stream):
        raise TypeError(f"set_cur_stream takes a Stream, got {type(stream).__name__}")


class StreamCtx:
    """``with StreamCtx(stream):`` runs its block on the stream."""

    def __init__(self, ctx_stream):
        set_cur_stream(ctx_stream)

    def __enter__(self):
        return None

    def __exit__(self, *error):
        return None
