"""Options of MindSpore's search for a parallel strategy: remembered, as there is nothing to search for on one CPU."""
from __future__ import annotations

__all__ = ["get_algo_parameters", "reset_algo_parameters", "set_algo_parameters"]

_DEFAULTS = {"fully_use_devices": False, "elementwise_op_strategy_follow": False, "enable_algo_approxi": False,
             "algo_approxi_epsilon": 0.1, "tensor_slice_align_enable": False, "tensor_slice_align_size": 16}
_current = dict(_DEFAULTS)


def set_algo_parameters(**kwargs) -> None:
    """Set options.  Raises ValueError for unknown ones and numbers out of range, TypeError for other types."""
    for key, value in kwargs.items():
        if key not in _DEFAULTS:
            raise ValueError(f"Set context keyword {key} is not recognized!")
        if not isinstance(value, type(_DEFAULTS[key])) or isinstance(value, bool) != isinstance(_DEFAULTS[key], bool):
            raise TypeError(f"{key} must be a {type(_DEFAULTS[key]).__name__}, got {type(value).__name__}")
        if key == "algo_approxi_epsilon" and not 0 < value <= 1:
            raise ValueError(f"algo_approxi_epsilon must lie in (0, 1], got {value}")
        if key == "tensor_slice_align_size" and not 1 <= value <= 1024:
            raise ValueError(f"tensor_slice_align_size must lie in [1, 1024], got {value}")
    _current.update(kwargs)


def get_algo_parameters(attr_key: str):
    """One option.  Raises ValueError for an unknown one."""
    if attr_key not in _DEFAULTS:
        raise ValueError(f"Get context keyword {attr_key} is not recognized!")
    return _current[attr_key]


def reset_algo_parameters() -> None:
    """Set all options back."""
    _current.update(_DEFAULTS)
