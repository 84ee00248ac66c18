"""``mindspore.common.tensor``: Tensor, and the function `tensor` that makes one."""
from __future__ import annotations

from graphcore.capture.trace import current_trace
from graphcore.tensor import Tensor

__all__ = ["Tensor", "from_numpy", "frombuffer", "tensor"]


def tensor(input_data=None, dtype=None, shape=None, init=None, const_arg=False) -> Tensor:
    """``Tensor(...)`` with the same arguments and errors."""
    trace = current_trace()
    if trace is not None and trace.symbolic:
        from graphcore.capture.language.calls import new_tensor
        return new_tensor(input_data, dtype, shape, init, const_arg)
    return Tensor(input_data, dtype, shape, init, const_arg)


def from_numpy(array) -> Tensor:
    """A Tensor on the memory of a NumPy array; see `Tensor.from_numpy`."""
    return Tensor.from_numpy(array)


def frombuffer(buffer, *, dtype=None, count=-1, offset=0, requires_grad=False) -> Tensor:
    """A Tensor of the values in a buffer of bytes: `count` of them (-1: all) from the byte `offset` on."""
    import numpy as np

    from graphcore.dtype import dtype_to_nptype, float32
    return Tensor(np.frombuffer(buffer, dtype_to_nptype(float32 if dtype is None else dtype), count, offset))
