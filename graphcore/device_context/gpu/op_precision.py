"""How exactly operators compute on GPUs."""
from graphcore.device_context.choices import setting

__all__ = ["conv_allow_tf32", "matmul_allow_tf32"]

matmul_allow_tf32 = setting("matmul_allow_tf32", bool)
conv_allow_tf32 = setting("conv_allow_tf32", bool)
