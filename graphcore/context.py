"""Global settings: execution mode, threads, seed.  ``set_context`` accepts all of MindSpore's keys."""
from __future__ import annotations

import difflib
import warnings

from graphcore.parallel import (  # noqa: F401  MindSpore's module path
    get_auto_parallel_context,
    reset_auto_parallel_context,
    set_auto_parallel_context,
)

GRAPH_MODE = 0
PYNATIVE_MODE = 1

_DEFAULTS = {
    "mode": GRAPH_MODE, "device_target": "CPU", "device_id": 0, "save_graphs": 0, "save_graphs_path": ".",
    "runtime_num_threads": 0, "deterministic": "ON", "jit_level": "O0", "check_nan": False,
}
# Accepted because scripts set them; they steer other hardware or MindSpore's own runtime and change nothing here.
_WITHOUT_EFFECT = frozenset("""max_device_memory variable_memory_max_size enable_graph_kernel graph_kernel_flags
    enable_dump save_dump_path enable_profiling profiling_options enable_sparse max_call_depth env_config_path
    auto_tune_mode
    grad_for_scalar enable_compile_cache compile_cache_path op_timeout inter_op_parallel_num memory_optimize_level
    memory_offload ascend_config gpu_config aoe_tune_mode aoe_config enable_reduce_precision print_file_path
    enable_auto_mixed_precision pynative_synchronize precompile_only mempool_block_size reserve_class_name_in_scope
    jit_syntax_level jit_config exec_order debug_level enable_mem_reuse check_bprop enable_task_sink
    enable_loop_sink""".split())

settings = dict(_DEFAULTS)          # the options in force; read on every call, written by `set_context` alone
_warned: set = set()


def set_context(**kwargs) -> None:
    """Set execution options.

    mode: GRAPH_MODE or PYNATIVE_MODE; runtime_num_threads: threads of compiled programs; check_nan: raise at the first
    call whose inputs or results are not finite; save_graphs, save_graphs_path: write the IR of every program that is
    compiled, one file for each stage that changes it, into this folder.

    MindSpore's options for other hardware are accepted without effect; ``device_target`` other than "CPU" warns once.
    Raises ValueError for unknown keys, with the nearest known one, and for unknown modes.
    """
    for key, value in kwargs.items():
        if key in _WITHOUT_EFFECT:
            continue
        if key not in _DEFAULTS:
            near = difflib.get_close_matches(key, [*_DEFAULTS, *_WITHOUT_EFFECT], 1)
            raise ValueError(f"set_context does not know {key!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        if key == "mode" and value not in (GRAPH_MODE, PYNATIVE_MODE):
            raise ValueError(f"mode must be GRAPH_MODE (0) or PYNATIVE_MODE (1), got {value!r}")
        if key == "device_target" and value != "CPU" and value not in _warned:
            _warned.add(value)
            warnings.warn(f"device_target={value!r}: graphcore runs on the CPU", stacklevel=2)
        if key == "runtime_num_threads" and value:
            from graphcore.compiler.runtime.native import set_threads
            set_threads(int(value))
        settings[key] = value


def get_context(attr_key: str):
    """The value of an option.  Raises ValueError for one that is not known."""
    if attr_key in settings:
        return "CPU" if attr_key == "device_target" else settings[attr_key]
    if attr_key in _WITHOUT_EFFECT:
        return None
    raise ValueError(f"get_context does not know {attr_key!r}")


def is_graph_mode() -> bool:
    return settings["mode"] == GRAPH_MODE


class ParallelMode:
    """Names of MindSpore's parallel modes."""

    STAND_ALONE = "stand_alone"
    DATA_PARALLEL = "data_parallel"
    HYBRID_PARALLEL = "hybrid_parallel"
    SEMI_AUTO_PARALLEL = "semi_auto_parallel"
    AUTO_PARALLEL = "auto_parallel"
    MODE_LIST = [STAND_ALONE, DATA_PARALLEL, HYBRID_PARALLEL, SEMI_AUTO_PARALLEL, AUTO_PARALLEL]
