"""How Ascend's operators are compiled."""
from graphcore.device_context.choices import setting

__all__ = ["aoe_job_type", "aoe_tune_mode", "op_compile"]

op_compile = setting("op_compile", bool)
aoe_tune_mode = setting("aoe_tune_mode", str, ("online", "offline"))
aoe_job_type = setting("aoe_job_type", str, ("1", "2"))
