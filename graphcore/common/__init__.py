"""MindSpore's ``mindspore.common``: dtypes, Tensor, Parameter, seeds and ``jit``, from where they live in graphcore."""
from graphcore import mutable
from graphcore.common import dtype, initializer
from graphcore.common.api import JitConfig, jit, jit_class, ms_class, ms_function
from graphcore.common.dtype import *  # noqa: F403
from graphcore.common.dtype import __all__ as _dtype_names
from graphcore.common.parameter import Parameter, ParameterTuple
from graphcore.common.seed import get_seed, set_seed
from graphcore.common.tensor import Tensor, tensor

__all__ = ["JitConfig", "Parameter", "ParameterTuple", "Tensor", "dtype", "get_seed", "initializer", "jit", "jit_class",
           "ms_class", "ms_function", "mutable", "set_seed", "tensor", *_dtype_names]
