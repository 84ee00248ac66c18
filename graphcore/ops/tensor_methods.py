"""The methods and operators of Tensor, made from the functional API.

Importing this module attaches them.  Most methods are functions with the Tensor as first argument; those that MindSpore
gives other arguments than the function are written out here.
"""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore.capture import epoch
from graphcore.capture.location import locate
from graphcore.capture.trace import TracedTensor, current_trace
from graphcore.errors import CaptureError, DTypeError
from graphcore.ir.dims import Dim
from graphcore.ops import functional as F
from graphcore.ops import getitem, own_methods
from graphcore.ops.functional.arguments import cast, shape_error, size_as_tensor
from graphcore.tensor import Tensor

# Methods whose arguments after the first are the function's.
_SAME_AS_FUNCTION = """abs absolute acos acosh addbmm addcdiv addcmul addmm addmv addr adjoint all
    allclose amax amin aminmax any approximate_equal arccos arccosh arcsin arcsinh arctan arctan2 arctanh
    argmin argsort argwhere asin asinh atan atan2 atanh baddbmm bernoulli bincount bitwise_and
    bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor bmm ceil chunk clamp clip
    copysign cos cosh count_nonzero cross cumprod deg2rad diagflat diagonal diff div divide dot eq equal
    erf erfc exp expand_as expand_dims expm1 flip fliplr flipud float_power floor floor_divide fmax fmin fmod
    frac gather_elements gather_nd ge ger greater greater_equal hardshrink heaviside hypot index_fill
    index_select inner inv is_complex is_floating_point isclose isfinite isinf isnan isneginf isposinf ldexp
    le lerp less less_equal log log10 log1p log2 logaddexp logaddexp2 logical_and logical_not logical_or
    logical_xor logit logsumexp lt masked_fill masked_select matmul maximum mean median minimum mm moveaxis
    movedim msort mul multinomial multiply mv nan_to_num nanmean nansum narrow ne neg negative nonzero norm
    not_equal outer positive pow rad2deg random_categorical ravel reciprocal remainder repeat_interleave
    reverse roll rot90 round rsqrt searchsorted sgn sigmoid sign signbit sin sinc sinh soft_shrink
    softmax split sqrt square squeeze subtract swapaxes swapdims t tan tanh tensor_split top_k topk tril
    triu true_divide trunc type_as unbind unique unsorted_segment_sum unsqueeze var std view_as xlogy hsplit
    vsplit dsplit relu log_softmax gelu silu prod sort angle cholesky cholesky_inverse cholesky_solve choose clone conj
    cov cummax cummin det diagonal_scatter digamma erfinv fill_diagonal fold gcd geqrf diag histc igamma igammac imag
    index_put inplace_update inverse isreal lcm lgamma log_matrix_determinant logcumsumexp logdet lstsq lu_solve
    masked_scatter matrix_determinant matrix_power mvlgamma nanmedian nextafter orgqr ormqr pinv qr real renorm
    select_scatter slice_scatter slogdet svd unfold unique_consecutive unsorted_segment_max unsorted_segment_min
    unsorted_segment_prod xdivy""".split()

# In-place methods ``x.name_()``: the result of ``x.name()`` written into x.
_IN_PLACE = """abs add addcdiv addcmul ceil clamp clip cos div divide exp floor floor_divide log masked_fill
    mul multiply neg pow reciprocal relu remainder round rsqrt sigmoid sign sin sqrt square sub tanh trunc
    tril triu index_add index_fill scatter unsqueeze squeeze""".split()


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
    """NotImplemented; raises DTypeError for None, which has no arithmetic of its own."""
    if value is None:
        raise locate(DTypeError("arithmetic of a tensor with None; give the variable a value first (does a function "
                                "lack its return statement?)"))
    return NotImplemented


_BINARY_OPERATORS = {
    "add": F.add, "sub": F.sub, "mul": F.mul, "truediv": F.div, "floordiv": F.floor_div, "mod": F.floor_mod,
    "pow": F.pow, "matmul": F.matmul, "and": F.bitwise_and, "or": F.bitwise_or, "xor": F.bitwise_xor,
    "lshift": F.bitwise_left_shift, "rshift": F.bitwise_right_shift,
    "divmod": lambda a, b: (F.floor_div(a, b), F.floor_mod(a, b)),
}
_COMPARISONS = {"lt": F.less, "le": F.less_equal, "gt": F.greater, "ge": F.greater_equal}


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


# -- attaching ----------------------------------------------------------------------------------------------

_WRITING = {
    "copy_": lambda self, src, non_blocking=False: overwrite(self, src),
    "fill_": lambda self, value: overwrite(self, value),
    "zero_": lambda self: overwrite(self, 0),
}
_CONVERSIONS = {"float": dt.float32, "half": dt.float16, "double": dt.float64, "bfloat16": dt.bfloat16, "int": dt.int32,
                "long": dt.int64, "short": dt.int16, "byte": dt.uint8, "bool": dt.bool_}


def _conversion(dtype):
    def method(self):
        return cast(self, dtype)
    method.__doc__ = f"Converted to {dtype.name}."
    return method


def attach() -> None:
    """Give Tensor its operators and methods; what it has of its own stays."""
    for name, function in _BINARY_OPERATORS.items():
        forward, reflected = _operator(function)
        setattr(Tensor, f"__{name}__", forward)
        setattr(Tensor, f"__r{name}__", reflected)
    for name, function in _COMPARISONS.items():
        setattr(Tensor, f"__{name}__", _operator(function)[0])
    Tensor.__eq__, Tensor.__ne__, Tensor.__contains__ = _equals, _differs, _contains
    Tensor.__neg__, Tensor.__abs__ = F.neg, F.abs
    Tensor.__pos__, Tensor.__invert__ = F.positive, F.logical_not
    Tensor.__round__ = lambda self, decimals=0: F.round(self, decimals=decimals)
    Tensor.__getitem__, Tensor.__setitem__ = getitem.getitem, getitem.setitem
    methods = {name: getattr(F, name) for name in _SAME_AS_FUNCTION}
    methods |= own_methods.METHODS | _WRITING
    methods |= {name: _conversion(dtype) for name, dtype in _CONVERSIONS.items()}
    methods |= {f"{name}_": _in_place(methods[name]) for name in _IN_PLACE}
    for name, method in methods.items():
        if name not in Tensor.__dict__:
            setattr(Tensor, name, method)
    Tensor.T = property(own_methods.transpose, doc="The axes in reverse order.")
    Tensor.mT = Tensor.mH = property(F.adjoint, doc="The last two axes exchanged.")
    Tensor.H = Tensor.T


attach()
