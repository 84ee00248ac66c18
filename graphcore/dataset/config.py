"""Settings of dataset pipelines: the seed, and the knobs of MindSpore's ``dataset.config``.

The seed and the number of workers matter here; the other settings tune MindSpore's C++ pipeline and are kept so that
scripts that set them run, and read back what they set.
"""
from __future__ import annotations

import os
import random

import numpy as np

from graphcore.dataset import rng

_DEFAULT_SEED = 5489
INT32_MAX, UINT32_MAX = 2**31 - 1, 2**32 - 1
_INT_LIMITS = {"num_parallel_workers": (1, os.cpu_count() or 1), "prefetch_size": (1, 2**31 - 1),
               "monitor_sampling_interval": (1, 2**31 - 1), "callback_timeout": (1, 2**31 - 1),
               "autotune_interval": (0, 2**31 - 1), "multiprocessing_timeout_interval": (1, 2**31 - 1)}
_settings = {"num_parallel_workers": 1, "prefetch_size": 16, "monitor_sampling_interval": 1000,
             "callback_timeout": 60, "autotune_interval": 0, "multiprocessing_timeout_interval": 300,
             "enable_shared_mem": False, "numa_enable": False, "enable_autotune": False, "auto_num_workers": False,
             "auto_offload": False, "enable_watchdog": True, "debug_mode": False, "dynamic_shape": False,
             "fast_recovery": True}


def set_seed(seed: int) -> None:
    """Make shuffling, random samplers and random transforms repeatable; seeds `numpy.random` and `random` as well.

    seed: 0 .. 2**32 - 1.  Raises TypeError and ValueError for anything else.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"seed must be an int, got {type(seed).__name__}")
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed must lie between 0 and 2**32 - 1, got {seed}")
    rng.set_base_seed(int(seed))
    random.seed(int(seed))
    np.random.seed(int(seed))


def get_seed() -> int:
    """The seed that was set, 5489 if none was (and then every run shuffles differently)."""
    seed = rng.base_seed()
    return _DEFAULT_SEED if seed is None else seed


def _set_int(name: str, value: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be an int, got {type(value).__name__}")
    low, high = _INT_LIMITS[name]
    if value < low:
        raise ValueError(f"{name} must be at least {low}, got {value}")
    _settings[name] = min(value, high)


def _set_bool(name: str, value: bool) -> None:
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be a bool, got {type(value).__name__}")
    _settings[name] = value


def _accessors(name: str):
    store = _set_int if name in _INT_LIMITS else _set_bool

    def setter(value):
        store(name, value)

    def getter():
        return _settings[name]

    setter.__name__, getter.__name__ = f"set_{name}", f"get_{name}"
    setter.__doc__, getter.__doc__ = f"Set {name}.", f"The current {name}."
    return setter, getter


set_num_parallel_workers, get_num_parallel_workers = _accessors("num_parallel_workers")
set_prefetch_size, get_prefetch_size = _accessors("prefetch_size")
set_monitor_sampling_interval, get_monitor_sampling_interval = _accessors("monitor_sampling_interval")
set_callback_timeout, get_callback_timeout = _accessors("callback_timeout")
set_autotune_interval, get_autotune_interval = _accessors("autotune_interval")
set_multiprocessing_timeout_interval, get_multiprocessing_timeout_interval = _accessors(
    "multiprocessing_timeout_interval")
set_enable_shared_mem, get_enable_shared_mem = _accessors("enable_shared_mem")
set_numa_enable, get_numa_enable = _accessors("numa_enable")
set_auto_num_workers, get_auto_num_workers = _accessors("auto_num_workers")
set_auto_offload, get_auto_offload = _accessors("auto_offload")
set_enable_watchdog, get_enable_watchdog = _accessors("enable_watchdog")
set_debug_mode, get_debug_mode = _accessors("debug_mode")
set_dynamic_shape, get_dynamic_shape = _accessors("dynamic_shape")
set_fast_recovery, get_fast_recovery = _accessors("fast_recovery")
get_enable_autotune = _accessors("enable_autotune")[1]


def set_enable_autotune(enable: bool, filepath_prefix: str | None = None) -> None:
    """Keep the flag; there is no pipeline to tune, so nothing is written to `filepath_prefix`."""
    _set_bool("enable_autotune", enable)
