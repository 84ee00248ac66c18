"""Operators: functions (``ops.relu``), primitive classes (``ops.ReLU``), and the records that both are made of.

Names are looked up when they are first used, so that the records can be imported without the functions.
"""
from __future__ import annotations

import importlib
import os

_SUBMODULES = frozenset(entry.removesuffix(".py") for entry in os.listdir(os.path.dirname(__file__)) if entry[0] != "_")
_FUNCTIONS = frozenset(("function", "functional_overload", "auto_generate"))      # MindSpore's homes of functions
_HOMES = ("graphcore.ops.functional", "graphcore.ops.primitives", "graphcore.ops.composite", "graphcore.ops.control",
          "graphcore.capture.transforms")


def __getattr__(name: str):
    if name in _SUBMODULES:
        return importlib.import_module(f"graphcore.ops.{name}")
    if name in _FUNCTIONS:
        return importlib.import_module("graphcore.ops.functional")
    if name == "Tensor":        # MindSpore's ops has it by the way, and scripts take it from there
        from graphcore.tensor import Tensor
        return Tensor
    if name == "__all__":
        return __dir__()
    if not name.startswith("_"):
        for home in _HOMES:
            module = importlib.import_module(home)
            if name in module.__all__:
                value = globals()[name] = getattr(module, name)
                return value
    raise AttributeError(_unknown(name))


def _unknown(name: str) -> str:
    from difflib import get_close_matches
    near = () if name.startswith("_") else get_close_matches(name, __dir__(), 1)
    return f"module 'graphcore.ops' has no attribute {name!r}" + (f"; did you mean {near[0]!r}?" if near else "")


def __dir__() -> list:
    return sorted({*_SUBMODULES, *(name for home in _HOMES for name in importlib.import_module(home).__all__)})
