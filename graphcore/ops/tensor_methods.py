"""The methods and operators of Tensor, made from the functional API.

Most methods are functions with the Tensor as first argument; those that MindSpore gives other arguments than the
function are in `own_methods`.  Tensor asks `method` for one when it is first used.
"""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore import tensor_names
from graphcore.capture import epoch
from graphcore.capture.location import locate
from graphcore.capture.trace import TracedTensor, current_trace
from graphcore.errors import CaptureError, DTypeError, shown
from graphcore.ir.dims import Dim
from graphcore.ops import functional as F
from graphcore.ops import getitem, own_methods
from graphcore.ops.functional.arguments import cast, shape_error, size_as_tensor
from graphcore.tensor import Tensor

# -- operators --------------------------------------------------------------------------------------------

def _operand(value) -> bool:
    return isinstance(value, (Tensor, bool, int, float, complex, np.generic, np.ndarray, Dim))


def _number(value, beside: Tensor):
    """An operand; a symbolic size as a number of the dtype of the Tensor beside it."""
    if not isinstance(value, Dim):
        return value
    size = size_as_tensor(value)
    return size if beside.dtype.is_bool else cast(size, beside.dtype)


def _operator(function):
    """A binary operator: operands of other classes are left to these classes, or to Python's TypeError."""
    def forward(self, other):
        return function(self, _number(other, self)) if _operand(other) else _not_an_operand(other)

    def reflected(self, other):
        return function(_number(other, self), self) if _operand(other) else _not_an_operand(other)
    return forward, reflected


def _not_an_operand(value):
    """NotImplemented; raises DTypeError for None and str, which have no arithmetic with tensors of their own."""
    if value is None:
        raise locate(DTypeError("arithmetic of a tensor with None; give the variable a value first (does a function "
                                "lack its return statement?)"))
    if isinstance(value, str):          # Python would ask the tensor for an index, to repeat the text
        raise locate(DTypeError(f"arithmetic of a tensor with {shown(value)}, a str; convert it first: float(...), or "
                                "compare and choose with Python's if"))
    return NotImplemented


def _quotient_and_remainder(a, b):
    return F.floor_div(a, b), F.floor_mod(a, b)


def _equals(self, other):
    """Element by element; False beside what is neither a tensor nor a number (None, a str)."""
    return F.equal(self, _number(other, self)) if _operand(other) else False


def _differs(self, other):
    """Element by element; True beside what is neither a tensor nor a number (None, a str)."""
    return F.not_equal(self, _number(other, self)) if _operand(other) else True


def _contains(self, element):
    return bool(F.any(F.equal(self, element)))


# -- in place -----------------------------------------------------------------------------------------------

def overwrite(self, new) -> Tensor:
    """Write the values of `new`, cast and broadcast, into the Tensor; returns it.

    In a capture a traced tensor gets a new node, a Parameter is assigned.  Raises CaptureError for a constant.
    """
    from graphcore.ops.state import assign
    from graphcore.parameter import Parameter
    new = F.broadcast_to(cast(new, self.dtype) if isinstance(new, Tensor) else Tensor(new, self.dtype), self.shape)
    if isinstance(self, Parameter):
        return assign(self, new)
    if current_trace() is None:
        for target in (self._array, *self.__dict__.get("_sources", ())):
            np.copyto(target, new._array)
            epoch.values_exposed(target)
    elif isinstance(self, TracedTensor):
        getitem.setitem(self, Ellipsis, new)
    else:
        raise locate(CaptureError("a Tensor that was made outside of the graph cannot be changed in a capture; change "
                                  "a copy: x = x.copy()"))
    return self


def _in_place(function):
    def method(self, *args, **kwargs):
        result = function(self, *args, **kwargs)
        if result.shape != self.shape:
            raise shape_error(f"{function.__name__}_ would change the shape {self.shape} to {result.shape}")
        return overwrite(self, result)
    method.__doc__ = f"`{function.__name__}`, written into the Tensor; returns it."
    return method


# -- by name ------------------------------------------------------------------------------------------------

def _conversion(dtype):
    def method(self):
        return cast(self, dtype)
    method.__doc__ = f"Converted to {dtype.name}."
    return method


_WRITTEN_OUT = {
    "copy_": lambda self, src, non_blocking=False: overwrite(self, src),
    "fill_": lambda self, value: overwrite(self, value),
    "zero_": lambda self: overwrite(self, 0),
    "assign_value": lambda self, value: overwrite(self, value),
    **{f"{name}_": _in_place(draw) for name, draw in own_methods.DRAWN.items()},
    "__divmod__": _operator(_quotient_and_remainder)[0], "__rdivmod__": _operator(_quotient_and_remainder)[1],
    "__eq__": _equals, "__ne__": _differs, "__contains__": _contains,
    "__round__": lambda self, decimals=0: F.round(self, decimals=decimals),
    "__getitem__": getitem.getitem, "__setitem__": getitem.setitem,
    "T": property(own_methods.transpose, doc="The axes in reverse order."),
    "mT": property(lambda self: F.adjoint(self), doc="The last two axes exchanged."),
}
_WRITTEN_OUT |= {"H": _WRITTEN_OUT["T"], "mH": _WRITTEN_OUT["mT"]}


def method(name: str):
    """The function (or property) that is Tensor's method or operator `name`, one of `tensor_names.ALL`."""
    bare = name.strip("_")
    if name in _WRITTEN_OUT:
        return _WRITTEN_OUT[name]
    if name in own_methods.METHODS:
        return own_methods.METHODS[name]
    if name in tensor_names.FUNCTIONS:
        return getattr(F, tensor_names.FUNCTIONS[name])
    if name in tensor_names.CONVERSIONS:
        return _conversion(getattr(dt, tensor_names.CONVERSIONS[name]))
    if name in tensor_names.COMPARISONS:
        return _operator(getattr(F, tensor_names.COMPARISONS[name]))[0]
    if name.startswith("__"):
        reflected = bare not in tensor_names.BINARY
        return _operator(getattr(F, tensor_names.BINARY[bare[1:] if reflected else bare]))[reflected]
    return _in_place(method(bare))
