"""Algorithms of convolutions on GPUs."""
from graphcore.device_context.choices import setting

__all__ = ["conv_dgrad_algo", "conv_fprop_algo", "conv_wgrad_algo"]

conv_fprop_algo = setting("conv_fprop_algo", str)
conv_dgrad_algo = setting("conv_dgrad_algo", str)
conv_wgrad_algo = setting("conv_wgrad_algo", str)
