"""How exactly Ascend's operators compute.  graphcore computes in the dtypes that a net asks for."""
from graphcore.device_context.choices import setting

__all__ = ["conv_allow_hf32", "matmul_allow_hf32", "op_precision_mode", "precision_mode"]

precision_mode = setting("precision_mode", str, (
    "force_fp16", "allow_fp32_to_fp16", "allow_mix_precision", "must_keep_origin_dtype", "force_fp32",
    "allow_fp32_to_bf16", "allow_mix_precision_fp16", "allow_mix_precision_bf16"))
op_precision_mode = setting("op_precision_mode", str)
matmul_allow_hf32 = setting("matmul_allow_hf32", bool)
conv_allow_hf32 = setting("conv_allow_hf32", bool)
