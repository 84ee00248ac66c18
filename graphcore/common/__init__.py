"""MindSpore's ``mindspore.common``: dtypes, Tensor, Parameter, seeds and ``jit``, from where they live in graphcore."""
from __future__ import annotations

import graphcore
from graphcore.common import dtype, initializer
from graphcore.common.tensor import tensor

_ELSEWHERE = ("COOTensor", "CSRTensor", "JitConfig", "Parameter", "ParameterTuple", "RowTensor", "SparseTensor",
              "Tensor", "get_seed", "jit", "jit_class", "lazy_inline", "ms_class", "ms_function", "mutable",
              "no_inline", "set_seed", *dtype.__all__)
__all__ = ["dtype", "initializer", "tensor", *_ELSEWHERE]


def __getattr__(name: str):
    if name not in _ELSEWHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = dtype if name in dtype.__all__ else graphcore
    value = globals()[name] = getattr(home, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_ELSEWHERE})
