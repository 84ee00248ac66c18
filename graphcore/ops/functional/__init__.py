"""The functional API: MindSpore's functions, by family.

Functions prepare their arguments (promotion of dtypes, axes, defaults) and apply operators; what can be composed of
operators is, and the compiler fuses it.
"""
# ruff: noqa: F403  each family names what it exports in its __all__
from graphcore.ops.functional import (
    activation,
    arguments,  # noqa: F401
    arithmetic,
    arranging,
    attention,
    boxes,
    comparison,
    complex_numbers,
    convolution,
    creation,
    ctc,
    decompositions,
    elementary,
    fourier,
    indexing,
    joining,
    linalg,
    loss,
    measures,
    normalization,
    ordering,
    padding,
    pooling,
    program,
    random,
    reduction,
    resizing,
    scattering,
    segments,
    selecting,
    shaping,
    sparse,
    special,
    summation,
    windows,
)
from graphcore.ops.functional.activation import *
from graphcore.ops.functional.arithmetic import *
from graphcore.ops.functional.arranging import *
from graphcore.ops.functional.attention import *
from graphcore.ops.functional.boxes import *
from graphcore.ops.functional.comparison import *
from graphcore.ops.functional.complex_numbers import *
from graphcore.ops.functional.convolution import *
from graphcore.ops.functional.creation import *
from graphcore.ops.functional.ctc import *
from graphcore.ops.functional.decompositions import *
from graphcore.ops.functional.elementary import *
from graphcore.ops.functional.fourier import *
from graphcore.ops.functional.indexing import *
from graphcore.ops.functional.joining import *
from graphcore.ops.functional.linalg import *
from graphcore.ops.functional.loss import *
from graphcore.ops.functional.measures import *
from graphcore.ops.functional.normalization import *
from graphcore.ops.functional.ordering import *
from graphcore.ops.functional.padding import *
from graphcore.ops.functional.pooling import *
from graphcore.ops.functional.program import *
from graphcore.ops.functional.random import *
from graphcore.ops.functional.reduction import *
from graphcore.ops.functional.resizing import *
from graphcore.ops.functional.scattering import *
from graphcore.ops.functional.segments import *
from graphcore.ops.functional.selecting import *
from graphcore.ops.functional.shaping import *
from graphcore.ops.functional.shaping import cast_to as cast
from graphcore.ops.functional.sparse import *
from graphcore.ops.functional.special import *
from graphcore.ops.functional.summation import *
from graphcore.ops.functional.windows import *

_FAMILIES = (activation, arithmetic, attention, boxes, comparison, convolution, creation, ctc, elementary, indexing,
             joining, linalg, loss, normalization, ordering, padding, pooling, program, random, reduction, resizing,
             selecting, shaping, sparse, special, summation, arranging, measures, segments,
             complex_numbers, decompositions, fourier, scattering, windows)

from graphcore.ops import tensor_methods  # noqa: E402, F401  the functions use the operators of Tensor

__all__ = ["cast"] + sorted({*(name for family in _FAMILIES for name in family.__all__)})

# MindSpore's modules of functions, for ``ops.function.math_func.name``; of the names in *_ext, mint has the functions.
_MODULES = frozenset("""array_func clip_func debug_func image_func linalg_func math_func nn_func other_func
    parameter_func random_func sparse_func""".split())
_OF_FUNCTIONS = frozenset("get_grad grad jacfwd jacrev jvp value_and_grad vjp vmap".split())


def __getattr__(name: str):
    import sys
    if name in _MODULES:
        return sys.modules[__name__]
    if name in _OF_FUNCTIONS:
        from graphcore.capture import gradients, transforms
        return getattr(gradients if hasattr(gradients, name) else transforms, name)
    if name.endswith("_ext"):
        from graphcore import mint
        from graphcore.mint.nn import functional as layers
        for module in (mint, layers):
            if hasattr(module, name[:-4]):
                return getattr(module, name[:-4])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
