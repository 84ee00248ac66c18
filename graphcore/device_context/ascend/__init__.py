"""Settings of Ascend devices, without effect here."""
from graphcore.device_context.ascend import op_debug, op_precision, op_tuning

__all__ = ["op_debug", "op_precision", "op_tuning"]
