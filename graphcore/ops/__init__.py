"""Operators: functions (``ops.relu``), primitive classes (``ops.ReLU``), and the records that both are made of."""
from __future__ import annotations

import os

from graphcore.namespace import namespace
from graphcore.ops import functional, primitives

_SUBMODULES = (entry.removesuffix(".py") for entry in os.listdir(os.path.dirname(__file__)) if entry[0] != "_")
_FUNCTIONS = ("function", "functional_overload", "auto_generate")      # MindSpore's homes of functions


def _otherwise(name: str):
    if name in _FUNCTIONS:
        return functional
    if name == "Tensor":        # MindSpore's ops has it by the way, and scripts take it from there
        from graphcore.tensor import Tensor
        return Tensor
    raise AttributeError(_unknown(name))


def _unknown(name: str) -> str:
    from graphcore.hints import instead
    return f"module 'graphcore.ops' has no attribute {name!r}{instead('graphcore.ops', name, __all__)}"


__getattr__, __dir__, __all__ = namespace("graphcore.ops", {
    "functional": " ".join(functional.__all__),
    "primitives": " ".join(primitives.__all__),
    "primitives.base": "_primexpr",
    "composite": "MultitypeFuncGraph HyperMap Map GradOperation add_flags core",
    "control": "ForiLoop Scan WhileLoop",
    "graphcore.capture.transforms": "derivative jacfwd jacrev jet jvp linearize vjp vmap",
}, modules=" ".join(_SUBMODULES), otherwise=_otherwise)
