"""``mindspore.device_context``: settings of devices.  Those of the CPU hold; those of others are accepted."""
from graphcore.device_context import ascend, cpu, gpu

__all__ = ["ascend", "cpu", "gpu"]
