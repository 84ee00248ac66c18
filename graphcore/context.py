"""Global settings: execution mode, threads, seed.  ``set_context`` accepts all of MindSpore's keys."""
from __future__ import annotations

import copy
import difflib
import importlib
import warnings

from graphcore.parallel import (  # noqa: F401  MindSpore's module path
    get_auto_parallel_context,
    reset_auto_parallel_context,
    set_auto_parallel_context,
)

_ELSEWHERE = {"get_ps_context": "preparations", "reset_ps_context": "preparations", "set_ps_context": "preparations",
              "STRICT": "common.api", "COMPATIBLE": "common.api", "LAX": "common.api"}      # MindSpore's module path
__all__ = ["GRAPH_MODE", "PYNATIVE_MODE", "ParallelMode", "get_auto_parallel_context", "get_context",
           "reset_auto_parallel_context", "set_auto_parallel_context", "set_context", *_ELSEWHERE]
GRAPH_MODE = 0
PYNATIVE_MODE = 1

_DEFAULTS = {
    "mode": GRAPH_MODE, "device_target": "CPU", "device_id": 0, "save_graphs": 0, "save_graphs_path": ".",
    "runtime_num_threads": 0, "deterministic": "ON", "jit_level": "O0", "check_nan": False,
}
# Accepted because scripts set them, and remembered, with MindSpore's defaults; they steer other hardware or MindSpore's
# own runtime and change nothing here.
_WITHOUT_EFFECT = {
    "max_device_memory": 1024.0, "variable_memory_max_size": "0", "enable_graph_kernel": False,
    "graph_kernel_flags": "", "enable_dump": False, "save_dump_path": ".", "enable_profiling": False,
    "profiling_options": "training_trace", "enable_sparse": False, "max_call_depth": 1000, "env_config_path": "",
    "auto_tune_mode": "NO_TUNE", "grad_for_scalar": False, "enable_compile_cache": None, "compile_cache_path": "",
    "op_timeout": 900, "inter_op_parallel_num": 0, "memory_optimize_level": 0, "memory_offload": "OFF",
    "ascend_config": {}, "gpu_config": {}, "aoe_tune_mode": "", "aoe_config": {}, "enable_reduce_precision": True,
    "print_file_path": "", "enable_auto_mixed_precision": False, "pynative_synchronize": False,
    "precompile_only": False, "mempool_block_size": 1.0, "reserve_class_name_in_scope": True, "jit_syntax_level": 2,
    "jit_config": {}, "exec_order": "bfs", "debug_level": 0, "enable_mem_reuse": True, "check_bprop": False,
    "enable_task_sink": True, "enable_loop_sink": True, "disable_format_transform": False, "support_binary": False,
    "profiling_mode": False, "jit_enable_inplace_ops": True,
}
_TARGETS = ("CPU", "GPU", "Ascend", "Davinci")

settings = dict(_DEFAULTS)          # the options in force; read on every call, written by `set_context` alone
_remembered = copy.deepcopy(_WITHOUT_EFFECT)
_said: set = set()


def set_context(**kwargs) -> None:
    """Set execution options.

    mode: GRAPH_MODE or PYNATIVE_MODE; runtime_num_threads: threads of compiled programs; check_nan: raise at the first
    call whose inputs or results are not finite; save_graphs (0 to 3), save_graphs_path: write the IR of every program
    that is compiled into this folder (see `saved_graphs`; or by the environment: MS_DEV_SAVE_GRAPHS,
    MS_DEV_SAVE_GRAPHS_PATH).

    MindSpore's options for other hardware are accepted and remembered without effect, which the log says once at debug
    level; ``device_target`` other than "CPU" warns once.
    Raises ValueError for unknown keys, with the nearest known one, for unknown modes and targets; TypeError for a mode
    that is not an int.
    """
    for key, value in kwargs.items():
        if key in _WITHOUT_EFFECT:
            _remember(key, value)
            continue
        if key not in _DEFAULTS:
            near = difflib.get_close_matches(key, [*_DEFAULTS, *_WITHOUT_EFFECT], 1)
            raise ValueError(f"set_context does not know {key!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        if key == "mode":
            _check_mode(value)
        if key == "device_target":
            _check_target(value)
        if key == "runtime_num_threads" and value:
            from graphcore.compiler.runtime.native import set_threads
            set_threads(int(value))
        settings[key] = value


def _check_mode(mode) -> None:
    if not isinstance(mode, int):
        raise TypeError(f"mode must be GRAPH_MODE (0) or PYNATIVE_MODE (1), got a {type(mode).__name__}, {mode!r}")
    if mode not in (GRAPH_MODE, PYNATIVE_MODE):
        raise ValueError(f"mode must be GRAPH_MODE (0) or PYNATIVE_MODE (1), got {mode!r}")


def _check_target(target) -> None:
    if target not in _TARGETS:
        raise ValueError(f"device_target must be one of {', '.join(_TARGETS)}, got {target!r}")
    if target != "CPU" and target not in _said:
        _said.add(target)
        warnings.warn(f"device_target={target!r}: graphcore runs on the CPU", stacklevel=3)


def _remember(key: str, value) -> None:
    _remembered[key] = value
    if key not in _said:
        _said.add(key)
        from graphcore import log
        log.debug("set_context(%s=%r) has no effect in graphcore", key, value)


def get_context(attr_key: str):
    """The value of an option.  Raises ValueError for one that is not known."""
    if attr_key in settings:
        return "CPU" if attr_key == "device_target" else settings[attr_key]
    if attr_key in _remembered:
        return _remembered[attr_key]
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


def __getattr__(name: str):
    if name in _ELSEWHERE:
        return getattr(importlib.import_module(f"graphcore.{_ELSEWHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
