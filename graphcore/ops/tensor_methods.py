"""The methods and operators of Tensor, made from the functional API.

Importing this module attaches them.  Most methods are functions with the Tensor as first argument; those that MindSpore
gives other arguments than the function are written out here.
"""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore.capture.location import locate
from graphcore.capture.trace import TracedTensor, current_trace
from graphcore.errors import CaptureError
from graphcore.ir.dims import Dim
from graphcore.ops import functional as F
from graphcore.ops import getitem
from graphcore.ops.functional.arguments import also_named, cast, ints_of, shape_error, size_as_tensor
from graphcore.ops.functional.creation import copied
from graphcore.tensor import Tensor

# Methods whose arguments after the first are the function's.
_SAME_AS_FUNCTION = """abs absolute acos acosh add addbmm addcdiv addcmul addmm addmv addr adjoint all
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
    reverse roll rot90 round rsqrt scatter searchsorted sgn sigmoid sign signbit sin sinc sinh soft_shrink
    softmax split sqrt square squeeze sub subtract swapaxes swapdims t tan tanh tensor_split top_k topk tril
    triu true_divide trunc type_as unbind unique unsorted_segment_sum unsqueeze var std view_as xlogy hsplit
    vsplit dsplit relu log_softmax gelu silu prod sort""".split()

# In-place methods ``x.name_()``: the result of ``x.name()`` written into x.
_IN_PLACE = """abs add addcdiv addcmul ceil clamp clip cos div divide exp floor floor_divide log masked_fill
    mul multiply neg pow reciprocal relu remainder round rsqrt sigmoid sign sin sqrt square sub tanh trunc
    tril triu index_add index_fill scatter unsqueeze squeeze""".split()


def _sizes(name, sizes) -> tuple:
    """A shape given as several ints or as one tuple."""
    return ints_of(sizes[0] if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes, f"{name}: the shape")


# -- operators --------------------------------------------------------------------------------------------

def _operand(value) -> bool:
    return isinstance(value, (Tensor, bool, int, float, np.generic, np.ndarray, Dim))


def _number(value, beside: Tensor):
    """An operand; a symbolic size as a number of the dtype of the Tensor beside it."""
    if not isinstance(value, Dim):
        return value
    size = size_as_tensor(value)
    return size if beside.dtype.is_bool else cast(size, beside.dtype)


def _operator(function):
    """A binary operator: other kinds of operands are left to the other operand, or to Python's TypeError."""
    def forward(self, other):
        return function(self, _number(other, self)) if _operand(other) else NotImplemented

    def reflected(self, other):
        return function(_number(other, self), self) if _operand(other) else NotImplemented
    return forward, reflected


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


# -- methods with arguments of their own --------------------------------------------------------------------

def reshape(self, *shape):
    """The same elements under another shape: ``x.reshape(2, -1)`` or ``x.reshape((2, -1))``."""
    return F.reshape(self, _sizes("reshape", shape))


def view(self, *shape):
    """As `reshape`; given a dtype, as `astype`."""
    if len(shape) == 1 and isinstance(shape[0], dt.DType):
        return F.cast(self, shape[0])
    return reshape(self, *shape)


def transpose(self, *axes):
    """Axes in the order `axes`, several ints or a tuple; none: reversed; two ints: these two exchanged."""
    if not axes:
        return F.transpose(self, tuple(reversed(range(self.ndim))))
    return F.swapaxes(self, *axes) if len(axes) == 2 else F.transpose(self, _sizes("transpose", axes))


def permute(self, *axis):
    """Axes in the order given by several ints or a tuple."""
    return F.transpose(self, _sizes("permute", axis))


def expand(self, *size):
    """Broadcast to a shape given by several ints or a tuple; -1 keeps a size."""
    return F.broadcast_to(self, _sizes("expand", size))


def tile(self, *reps):
    """Repeated reps[i] times along axis i."""
    return F.tile(self, _sizes("tile", reps))


def repeat(self, *repeats, axis=None):
    """Repeated as a whole along each axis by several ints or a tuple; with `axis`, each element along it."""
    if axis is not None:
        return F.repeat_interleave(self, *repeats, axis)
    return F.tile(self, _sizes("repeat", repeats))


def flatten(self, start_dim=0, end_dim=-1, *, order="C"):
    """The axes from start_dim to end_dim made one; also ``flatten("F")``."""
    if isinstance(start_dim, str):
        start_dim, order = 0, start_dim
    return F.flatten(self, order, start_dim=start_dim, end_dim=end_dim)


def astype(self, dtype, copy=True):
    """Converted to a dtype, given as a graphcore, NumPy or Python type or by name."""
    return F.cast(self, dtype)


def to(self, *args, dtype=None, device=None, non_blocking=False, copy=False):
    """Converted to a dtype, or to that of another Tensor; devices are accepted and change nothing."""
    for a in args:
        if isinstance(a, Tensor):
            dtype = a.dtype
        elif isinstance(a, dt.DType) or a in (float, int, bool) or isinstance(a, np.dtype):
            dtype = a
    return self if dtype is None else F.cast(self, dtype)


def type(self, dtype=None):
    """The name of the dtype; with `dtype`, the Tensor converted to it."""
    return str(self.dtype) if dtype is None else F.cast(self, dtype)


@also_named(axis="dim", keepdims="keepdim", keep_dims="keepdim")
def sum(self, dim=None, keepdim=False, *more, dtype=None, initial=None):
    """The sum along axes: ``sum(axis=None, dtype=None, keepdims=False, initial=None)`` or ``sum(dim, keepdim)``."""
    if keepdim is None or isinstance(keepdim, dt.DType):          # sum(axis, dtype, keepdims)
        dtype, keepdim = keepdim, more[0] if more else False
    total = F.sum(self, dim, keepdim, dtype=dtype)
    return total if initial is None else F.add(total, initial)


def _extreme(function, value_only):
    def method(self, *args, axis=None, dim=None, keepdims=False, keepdim=False, initial=None, where=None,
               return_indices=False):
        keep = keepdims or keepdim or (len(args) > 1 and bool(args[1]))
        if args and isinstance(args[0], Tensor) and args[0].ndim:
            return (F.maximum if function is F.max else F.minimum)(self, args[0])
        along = args[0] if args else dim
        if along is not None or return_indices and axis is not None:
            return function(self, axis if along is None else along, keep, initial=initial, where=where)
        return value_only(self, axis, keep, initial=initial, where=where)
    method.__doc__ = (f"The {function.__name__} of all elements or along ``axis=``; with a positional axis or ``dim=`` "
                      "(values, int64 indices).")
    return method


@also_named(axis="dim", keepdims="keepdim")
def argmax(self, dim=None, keepdim=False):
    """The int64 index of the largest element along an axis (None: in the flattened tensor)."""
    return F.argmax(self, dim, keepdim)


def argmax_with_value(self, axis=0, keep_dims=False):
    """(index, value) of the largest element along an axis."""
    return tuple(reversed(F.max(self, axis, keep_dims)))


def argmin_with_value(self, axis=0, keep_dims=False):
    """(index, value) of the smallest element along an axis."""
    return tuple(reversed(F.min(self, axis, keep_dims)))


@also_named(axis="dim")
def cumsum(self, dim=None, dtype=None):
    """The running sum along an axis (None: of the flattened tensor)."""
    return F.cumsum(F.ravel(self) if dim is None else self, 0 if dim is None else dim, dtype)


def gather(self, first, second, batch_dims=0):
    """``gather(input_indices, axis)``: slices along an axis; ``gather(dim, index)``: as `gather_elements`."""
    if isinstance(first, Tensor):
        return F.gather(self, first, second, batch_dims)
    return F.gather_elements(self, first, second)


def select(self, first, second):
    """``select(dim, index)``: one slice; ``select(condition, y)``: self where the condition is true, else y."""
    if isinstance(first, int):
        return self[(slice(None),) * (first % self.ndim) + (second,)]
    return F.select(first, self, second)


def where(self, condition, y):
    """self where the condition is true, else y."""
    return F.where(condition, self, y)


def take(self, indices, axis=None, mode="clip"):
    """Slices along an axis (None: elements of the flattened tensor)."""
    return F.take(self, indices) if axis is None else F.gather(self, indices, axis)


def index_add(self, *args, alpha=1):
    """``index_add(indices, y, axis)`` or ``index_add(dim, index, source)``: slices added along an axis."""
    if isinstance(args[0], int):
        args = (args[1], F.mul(args[2], alpha), args[0])
    return F.index_add(self, *args[:3])


def scatter_add(self, *args):
    """``scatter_add(dim, index, src)`` elements added, or ``scatter_add(indices, updates)`` slices."""
    if isinstance(args[0], int):
        return F.scatter_elements(self, args[0], args[1], args[2], "add")
    return F.tensor_scatter_add(self, *args)


def scatter_sub(self, indices, updates):
    """`updates` subtracted at the rows of `indices`."""
    return F.tensor_scatter_sub(self, indices, updates)


def trace(self, offset=0, axis1=0, axis2=1, dtype=None):
    """The sum of a diagonal."""
    return F.sum(F.diagonal(self, offset, axis1, axis2), -1, dtype=dtype or self.dtype)


def diag(self, diagonal=0):
    """A vector as the `diagonal` of a square matrix of zeros; of a matrix, its diagonal."""
    return F.diag_embed(self, diagonal) if self.ndim == 1 else F.diagonal(self, diagonal)


def ptp(self, axis=None, keepdims=False):
    """The largest element minus the smallest."""
    return F.sub(F.amax(self, axis, keepdims), F.amin(self, axis, keepdims))


def broadcast_to(self, *shape):
    """Broadcast to a shape given by several ints or a tuple; -1 keeps a size."""
    return F.broadcast_to(self, _sizes("broadcast_to", shape))


def sum_to_size(self, *size):
    """Summed along the axes that broadcasting from `size` would repeat."""
    shape = _sizes("sum_to_size", size)
    lead = self.ndim - len(shape)
    axes = tuple(i for i, s in enumerate(self.shape) if i < lead or shape[i - lead] == 1 != s)
    return F.reshape(F.sum(self, axes, True, dtype=self.dtype) if axes else self, shape)


def fill(self, value):
    """A Tensor of this shape and dtype that holds `value`."""
    return F.full_like(self, value)


def new_zeros(self, size, *, dtype=None):
    """Zeros of shape `size` in this dtype."""
    return F.zeros(size, dtype or self.dtype)


def new_ones(self, size, *, dtype=None):
    """Ones of shape `size` in this dtype."""
    return F.ones(size, dtype or self.dtype)


def new_full(self, size, fill_value, *, dtype=None):
    """`fill_value` in shape `size` in this dtype."""
    return F.full(size, fill_value, dtype=dtype or self.dtype)


def copy(self):
    """A copy."""
    return copied(self)


def value(self):
    """The Tensor itself (of a Parameter, its values)."""
    return self


def itself(self, *args, **kwargs):
    """The Tensor itself; the arguments are of interest to other devices only."""
    return self


def dim(self):
    """The number of axes."""
    return self.ndim


def numel(self):
    """The number of elements."""
    return self.size


def element_size(self):
    """Bytes of one element."""
    return self.itemsize


def stride(self, dim=None):
    """How many elements lie between neighbours along each axis (or one)."""
    steps = [s // self.itemsize for s in self.strides]
    return steps if dim is None else steps[dim]


def itemset(self, *args):
    """Assign one element: ``itemset(value)``, ``itemset(index, value)``; returns the Tensor."""
    *index, new = args
    place = index[0] if index else 0
    if not isinstance(place, tuple):
        place = tuple(int(i) for i in np.unravel_index(place, self.shape)) if self.ndim else ()
    self[place] = new
    return self


def register_hook(self, hook):
    """Raises CaptureError: hooks on gradients are not supported."""
    raise locate(CaptureError("hooks on the gradient of a tensor are not supported; change the gradients between "
                              "value_and_grad and the optimizer"))


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
        np.copyto(self._array, new._array)
        for source in self.__dict__.get("_sources", ()):
            np.copyto(source, new._array)
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

_OWN = (reshape, view, transpose, permute, expand, tile, repeat, flatten, astype, to, type, sum, argmax,
        argmax_with_value, argmin_with_value, cumsum, gather, select, where, take, index_add, scatter_add,
        scatter_sub, trace, diag, ptp, broadcast_to, sum_to_size, fill, new_zeros, new_ones, new_full, copy, value, dim,
        numel, element_size, stride, itemset, register_hook)
_UNDER_OTHER_NAMES = {
    "max": _extreme(F.max, F.amax), "min": _extreme(F.min, F.amin), "clone": copy, "ndimension": dim, "nelement": numel,
    "contiguous": itself, "init_data": itself, "flush_from_cache": itself, "cpu": itself, "move_to": itself,
    "fills": fill, "reshape_as": F.view_as, "copy_": lambda self, src, non_blocking=False: overwrite(self, src),
    "fill_": lambda self, value: overwrite(self, value), "zero_": lambda self: overwrite(self, 0),
    "real": property(itself),
    "detach": F.stop_gradient, "is_contiguous": lambda self: True, "set_dtype": astype,
    "conj": itself,
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
    methods |= {function.__name__: function for function in _OWN}
    methods |= _UNDER_OTHER_NAMES
    methods |= {name: _conversion(dtype) for name, dtype in _CONVERSIONS.items()}
    methods |= {f"{name}_": _in_place(methods[name]) for name in _IN_PLACE}
    for name, method in methods.items():
        if name not in Tensor.__dict__:
            setattr(Tensor, name, method)
    Tensor.T = property(transpose, doc="The axes in reverse order.")
    Tensor.mT = Tensor.mH = property(F.adjoint, doc="The last two axes exchanged.")
    Tensor.H = Tensor.T


attach()
