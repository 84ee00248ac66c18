"""``mindspore.common.tensor``: Tensor, and the function `tensor` that makes one."""
from __future__ import annotations

from graphcore.tensor import Tensor

__all__ = ["Tensor", "tensor"]


def tensor(input_data=None, dtype=None, shape=None, init=None, const_arg=False) -> Tensor:
    """``Tensor(...)`` with the same arguments and errors."""
    return Tensor(input_data, dtype, shape, init, const_arg)
