"""``mindspore.numpy``: NumPy's functions on Tensors, composed of the operators, so that they can stand in graphs.

Python ints make int32 and floats float32 arrays here, as in MindSpore.
"""
# ruff: noqa: F403  each family names what it exports in its __all__
from graphcore.numpy import analysis, creation, elementwise, reduction, shaping
from graphcore.numpy import fft as fft
from graphcore.numpy.analysis import *
from graphcore.numpy.creation import *
from graphcore.numpy.elementwise import *
from graphcore.numpy.reduction import *
from graphcore.numpy.shaping import *

_FAMILIES = (analysis, creation, elementwise, reduction, shaping)
__all__ = sorted({"fft"} | {n for family in _FAMILIES for n in family.__all__})
