"""Settings of the CPU."""
from graphcore.device_context.cpu import op_tuning

__all__ = ["op_tuning"]
