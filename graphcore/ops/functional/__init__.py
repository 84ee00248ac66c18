"""The functional API: MindSpore's functions, by family.

Functions prepare their arguments (promotion of dtypes, axes, defaults) and apply operators; what can be composed of
operators is, and the compiler fuses it.
"""
# ruff: noqa: F403  each family names what it exports in its __all__
from graphcore.ops.functional import (
    activation,
    arguments,  # noqa: F401
    arithmetic,
    attention,
    boxes,
    comparison,
    convolution,
    creation,
    elementary,
    indexing,
    joining,
    linalg,
    loss,
    normalization,
    ordering,
    padding,
    pooling,
    program,
    random,
    reduction,
    resizing,
    selecting,
    shaping,
    sparse,
    special,
    summation,
)
from graphcore.ops.functional.activation import *
from graphcore.ops.functional.arithmetic import *
from graphcore.ops.functional.attention import *
from graphcore.ops.functional.boxes import *
from graphcore.ops.functional.comparison import *
from graphcore.ops.functional.convolution import *
from graphcore.ops.functional.creation import *
from graphcore.ops.functional.elementary import *
from graphcore.ops.functional.indexing import *
from graphcore.ops.functional.joining import *
from graphcore.ops.functional.linalg import *
from graphcore.ops.functional.loss import *
from graphcore.ops.functional.normalization import *
from graphcore.ops.functional.ordering import *
from graphcore.ops.functional.padding import *
from graphcore.ops.functional.pooling import *
from graphcore.ops.functional.program import *
from graphcore.ops.functional.random import *
from graphcore.ops.functional.reduction import *
from graphcore.ops.functional.resizing import *
from graphcore.ops.functional.selecting import *
from graphcore.ops.functional.shaping import *
from graphcore.ops.functional.shaping import cast_to as cast
from graphcore.ops.functional.sparse import *
from graphcore.ops.functional.special import *
from graphcore.ops.functional.summation import *

_FAMILIES = (activation, arithmetic, attention, boxes, comparison, convolution, creation, elementary, indexing, joining,
             linalg, loss, normalization, ordering, padding, pooling, program, random, reduction, resizing,
             selecting, shaping, sparse, special, summation)

from graphcore.ops import tensor_methods  # noqa: E402, F401  the functions use the operators of Tensor

__all__ = ["cast"] + sorted({*(name for family in _FAMILIES for name in family.__all__)})
