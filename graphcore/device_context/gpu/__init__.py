"""Settings of GPUs, without effect here."""
from graphcore.device_context.gpu import op_precision, op_tuning

__all__ = ["op_precision", "op_tuning"]
