"""Limits and checks of Ascend's operators."""
from graphcore.device_context.choices import setting

__all__ = ["aclinit_config", "debug_option", "execute_timeout"]

aclinit_config = setting("aclinit_config", dict)
debug_option = setting("debug_option", str, ("oom",))
execute_timeout = setting("execute_timeout", int)
