"""Primitive classes: ``ops.ReLU()(x)``, ``ops.Concat(axis=1)((a, b))``, also as ``ops.operations``.

Each is a thin class over the functional API; the attributes are the constructor's arguments.
"""
# ruff: noqa: F403  each module names what it exports in its __all__
from graphcore.ops.primitives import (
    arrays,
    custom,
    detection,
    devices,
    elementwise,
    hooks,
    layers,
    losses,
    numeric,
    rare,
    recurrent,
    updates,
)
from graphcore.ops.primitives.arrays import *
from graphcore.ops.primitives.base import Primitive, PrimitiveWithInfer, constexpr, prim_attr_register
from graphcore.ops.primitives.custom import *
from graphcore.ops.primitives.detection import *
from graphcore.ops.primitives.devices import *
from graphcore.ops.primitives.elementwise import *
from graphcore.ops.primitives.hooks import *
from graphcore.ops.primitives.layers import *
from graphcore.ops.primitives.losses import *
from graphcore.ops.primitives.numeric import *
from graphcore.ops.primitives.rare import *
from graphcore.ops.primitives.recurrent import *
from graphcore.ops.primitives.updates import *

__all__ = ["Primitive", "PrimitiveWithInfer", "constexpr", "prim_attr_register"] + sorted(
    {*arrays.__all__, *custom.__all__, *detection.__all__, *devices.__all__, *elementwise.__all__, *hooks.__all__,
     *layers.__all__, *losses.__all__, *numeric.__all__, *rare.__all__, *recurrent.__all__, *updates.__all__})
