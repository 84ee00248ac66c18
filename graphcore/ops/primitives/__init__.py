"""Primitive classes: ``ops.ReLU()(x)``, ``ops.Concat(axis=1)((a, b))``, also as ``ops.operations``.

Each is a thin class over the functional API; the attributes are the constructor's arguments.
"""
# ruff: noqa: F403  each module names what it exports in its __all__
from graphcore.ops.primitives import arrays, elementwise, layers
from graphcore.ops.primitives.arrays import *
from graphcore.ops.primitives.base import Primitive
from graphcore.ops.primitives.elementwise import *
from graphcore.ops.primitives.layers import *

__all__ = ["Primitive"] + sorted({*arrays.__all__, *elementwise.__all__, *layers.__all__})
