"""The device that scripts choose: there is one, the CPU."""
from __future__ import annotations

from graphcore import context

__all__ = ["set_device"]

_TARGETS = ("CPU", "GPU", "Ascend")


def set_device(device_target: str, device_id: int | None = None) -> None:
    """Choose the device, as ``set_context(device_target=...)`` does: anything but "CPU" warns once and means it too.

    Raises ValueError for an unknown target, TypeError for a `device_id` that is not an int.
    """
    if device_target not in _TARGETS:
        raise ValueError(f"device_target must be one of {', '.join(_TARGETS)}, got {device_target!r}")
    if device_id is not None and (not isinstance(device_id, int) or isinstance(device_id, bool)):
        raise TypeError(f"device_id must be an int, got {type(device_id).__name__}")
    context.set_context(device_target=device_target, device_id=device_id or 0)
