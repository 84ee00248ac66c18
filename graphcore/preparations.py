"""Calls by which scripts set themselves up, under MindSpore's names: checks, limits, determinism, parameter servers."""
from __future__ import annotations

import sys

from graphcore import context, log
from graphcore.random import get_seed, set_seed

__all__ = ["get_ps_context", "initial_seed", "manual_seed", "get_offload_context", "reset_ps_context", "run_check",
           "set_deterministic", "set_offload_context", "set_ps_context", "set_recursion_limit"]


def run_check() -> None:
    """Compile and run a product, and print whether all is well.  Raises whatever goes wrong."""
    import numpy as np

    from graphcore.capture.jit import jit
    from graphcore.tensor import Tensor
    from graphcore.version import __version__
    found = jit(_product)(Tensor(np.ones((2, 3), np.float32)), Tensor(np.ones((3, 2), np.float32))).asnumpy()
    if not (found == 3).all():
        raise RuntimeError(f"run_check: the product of ones is {found.tolist()}, not 3 everywhere")
    print(f"MindSpore version: {__version__} (graphcore)\n"
          "The result of multiplication calculation is correct, graphcore has been installed on platform [CPU] "
          "successfully!")


def _product(a, b):
    return a @ b


def set_deterministic(deterministic: bool) -> None:
    """Results never depend on threads here; remembered in the context.  Raises TypeError unless it is a bool."""
    if not isinstance(deterministic, bool):
        raise TypeError(f"deterministic must be a bool, got {type(deterministic).__name__}")
    context.set_context(deterministic="ON" if deterministic else "OFF")


def manual_seed(seed: int) -> int:
    """`set_seed`; gives the seed."""
    set_seed(seed)
    return seed


def initial_seed() -> int | None:
    """The seed that was set."""
    return get_seed()


def set_recursion_limit(recursion_limit: int = 1000) -> None:
    """How deep graphs may be nested: captures run as Python code, so this is Python's own limit, which only grows.

    Raises TypeError or ValueError unless it is a positive int.
    """
    if not isinstance(recursion_limit, int) or isinstance(recursion_limit, bool):
        raise TypeError(f"recursion_limit must be an int, got {type(recursion_limit).__name__}")
    if recursion_limit <= 0:
        raise ValueError(f"recursion_limit must be positive, got {recursion_limit}")
    sys.setrecursionlimit(max(sys.getrecursionlimit(), recursion_limit))


_PS_DEFAULTS = {"enable_ps": False, "config_file_path": "", "enable_ssl": False, "client_password": "",
                "server_password": ""}
_ps_settings = dict(_PS_DEFAULTS)


def set_ps_context(**kwargs) -> None:
    """Settings of parameter servers.  Raises ValueError for unknown ones, NotImplementedError for enable_ps=True."""
    for key, value in kwargs.items():
        if key not in _PS_DEFAULTS:
            raise ValueError(f"Set PS context keyword {key} is not recognized!")
        if key == "enable_ps" and value:
            raise NotImplementedError("parameter servers train on several machines; graphcore trains in one process: "
                                      "leave enable_ps at False")
        _ps_settings[key] = value
        log.debug("set_ps_context(%s=...) has no effect in graphcore", key)


def get_ps_context(attr_key: str):
    """A setting.  Raises ValueError for an unknown one."""
    if attr_key not in _PS_DEFAULTS:
        raise ValueError(f"Get PS context keyword {attr_key} is not recognized!")
    return _ps_settings[attr_key]


def reset_ps_context() -> None:
    """Set all settings back."""
    _ps_settings.update(_PS_DEFAULTS)


_offload: dict = {}


def set_offload_context(offload_config: dict) -> None:
    """Remember how MindSpore would move memory to other places; there is nowhere to move it.  Raises TypeError unless
    it is a dict."""
    if not isinstance(offload_config, dict):
        raise TypeError(f"offload_config must be a dict, got {type(offload_config).__name__}")
    _offload.update(offload_config)


def get_offload_context() -> dict:
    """What `set_offload_context` was told."""
    return dict(_offload)
