"""The parallel settings as an object (``mindspore.parallel._auto_parallel_context``), which older scripts ask."""
from __future__ import annotations

from graphcore.parallel import get_auto_parallel_context, set_auto_parallel_context


class _Settings:
    """``get_device_num()``, ``set_gradients_mean(True)`` and so on: a pair of methods for each option."""

    def __getattr__(self, name: str):
        action, _, option = name.partition("_")
        if action in ("get", "set"):
            try:
                get_auto_parallel_context(option)
            except ValueError as error:
                raise AttributeError(str(error)) from None
            return (lambda: get_auto_parallel_context(option)) if action == "get" else (
                lambda value: set_auto_parallel_context(**{option: value}))
        raise AttributeError(f"the parallel settings have no {name!r}; use get_<option>() and set_<option>(value)")

    def get_device_num_is_set(self) -> bool:
        """Whether a script chose the number of devices: it cannot."""
        return False


_settings = _Settings()


def auto_parallel_context() -> _Settings:
    """The settings of this process."""
    return _settings
