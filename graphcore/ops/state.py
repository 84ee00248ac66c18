"""Writing Parameters: ``assign`` and its relatives, inside a graph (an `updates` entry) and outside (at once)."""
from __future__ import annotations

import numpy as np

from graphcore.capture import epoch
from graphcore.capture.location import locate
from graphcore.capture.trace import current_trace
from graphcore.errors import DTypeError, shown
from graphcore.tensor import Tensor, store


def assign(variable, value) -> Tensor:
    """Give a Parameter a new value, cast to its dtype; a 0-d value fills it.  Returns the Parameter.

    variable: Parameter; value: Tensor or number of the same shape.  Raises ShapeError if shapes differ, DTypeError if
    `variable` is not a Parameter.
    """
    from graphcore.parameter import Parameter
    if not isinstance(variable, Parameter):
        raise locate(DTypeError(f"assign writes a Parameter, got {shown(variable)}"))
    trace = current_trace()
    if trace is not None:
        trace.assign(variable, value)
        return variable
    array = _values(value)
    target = variable.materialized()._array
    if array.shape not in ((), target.shape) and not array.size == target.size == 1:
        from graphcore.errors import ShapeError
        raise locate(ShapeError(f"Parameter {variable.name} has shape {target.shape}; a value of shape {array.shape} "
                                "cannot be assigned to it"))
    stored = store(array, variable.dtype)
    np.copyto(target, stored.reshape(target.shape) if stored.size == target.size else stored)
    epoch.data_changed()
    return variable


def _values(value) -> np.ndarray:
    """The values of a Tensor or number; reading a Parameter so is no escape of its memory."""
    if isinstance(value, Tensor):
        return value.peek() if hasattr(value, "peek") else value.asnumpy()
    return np.asarray(value)


def assign_add(variable, value) -> Tensor:
    """Add `value` to a Parameter in place; returns the Parameter."""
    from graphcore.ops.functional import add
    return assign(variable, add(variable, value))


def assign_sub(variable, value) -> Tensor:
    """Subtract `value` from a Parameter in place; returns the Parameter."""
    from graphcore.ops.functional import sub
    return assign(variable, sub(variable, value))
