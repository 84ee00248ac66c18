"""``mindspore.common.tensor``: Tensor, and the function `tensor` that makes one."""
from __future__ import annotations

from graphcore.capture.trace import current_trace
from graphcore.tensor import Tensor

__all__ = ["Tensor", "tensor"]


def tensor(input_data=None, dtype=None, shape=None, init=None, const_arg=False) -> Tensor:
    """``Tensor(...)`` with the same arguments and errors."""
    trace = current_trace()
    if trace is not None and trace.symbolic:
        from graphcore.capture.language.calls import new_tensor
        return new_tensor(input_data, dtype, shape, init, const_arg)
    return Tensor(input_data, dtype, shape, init, const_arg)
