"""``mindspore.mint.nn``: layers with the argument names and defaults of PyTorch."""
from graphcore.mint.nn import functional, layers
from graphcore.mint.nn.layers import *  # noqa: F403

__all__ = ["functional", *layers.__all__]
