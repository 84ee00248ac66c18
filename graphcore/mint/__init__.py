"""``mindspore.mint``: functions and layers with the argument names and defaults of PyTorch."""
from __future__ import annotations

import importlib

from graphcore.mint import functions
from graphcore.mint.functions import *  # noqa: F403

_SUBMODULES = ("nn", "linalg", "special", "optim", "distributed")
__all__ = [*functions.__all__, *_SUBMODULES]


def __getattr__(name: str):
    if name == "functional":        # MindSpore's package happens to have it, and scripts use it
        name = "nn.functional"
    if name in _SUBMODULES or name == "nn.functional":
        return importlib.import_module(f"graphcore.mint.{name}")
    raise AttributeError(f"module 'graphcore.mint' has no attribute {name!r}")
