"""Methods of Tensor whose arguments differ from those of the function of the same name.

Several have two conventions, MindSpore's older one (axis, keepdims) and that of its newer interface (dim, keepdim).
"""
from __future__ import annotations

import math

import numpy as np

from graphcore import dtype as dt
from graphcore.ops import functional as F
from graphcore.ops.functional.arguments import also_named, ints_of
from graphcore.ops.functional.creation import copied
from graphcore.tensor import Tensor


def _sizes(name, sizes) -> tuple:
    """A shape given as several ints or as one tuple."""
    return ints_of(sizes[0] if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes, f"{name}: the shape")


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


def extreme(name: str):
    """The method `max` or `min`."""
    def method(self, *args, axis=None, dim=None, keepdims=False, keepdim=False, initial=None, where=None,
               return_indices=False):
        keep = keepdims or keepdim or (len(args) > 1 and bool(args[1]))
        if args and isinstance(args[0], Tensor) and args[0].ndim:
            return (F.maximum if name == "max" else F.minimum)(self, args[0])
        along = args[0] if args else dim
        if along is not None or return_indices and axis is not None:
            return getattr(F, name)(self, axis if along is None else along, keep, initial=initial, where=where)
        return getattr(F, f"a{name}")(self, axis, keep, initial=initial, where=where)
    method.__doc__ = (f"The {name} of all elements or along ``axis=``; with a positional axis or ``dim=`` "
                      "(values, int64 indices).")
    return method


@also_named(axis="dim", keepdims="keepdim")
def argmax(self, dim=None, keepdim=False):
    """The int64 index of the largest element along an axis (None: in the flattened tensor)."""
    return F.argmax(self, dim, keepdim)


def argmax_with_value(self, axis=0, keep_dims=False):
    """(value, index) of the largest element along an axis; None: of all."""
    return F.max(self, axis, keep_dims)


def argmin_with_value(self, axis=0, keep_dims=False):
    """(value, index) of the smallest element along an axis; None: of all."""
    return F.min(self, axis, keep_dims)


def add(self, other, *, alpha=1):
    """self + alpha * other."""
    return F.add(self, other if F.arguments.is_number(alpha) and alpha == 1 else F.mul(other, alpha))


def sub(self, other, *, alpha=1):
    """self - alpha * other."""
    return F.sub(self, other if F.arguments.is_number(alpha) and alpha == 1 else F.mul(other, alpha))


@also_named(dim="axis")
def scatter(self, axis, index, src):
    """Elements replaced by those of `src` at `index` along an axis."""
    return F.scatter(self, axis, index, src)


def get_bytes(self):
    """The memory as bytes."""
    return self._array.tobytes()


def resize(self, *new_shape):
    """Another shape, row by row, cut off or filled with zeros."""
    shape = _sizes("resize", new_shape)
    flat, count = F.ravel(self), int(np.prod(shape))
    return F.reshape(flat[:count] if count <= self.size else F.pad(flat, (0, count - self.size)), shape)


def new_empty(self, size, *, dtype=None, device=None):
    """A Tensor of shape `size` in this dtype whose values do not matter; they are zeros."""
    return F.zeros(size, dtype or self.dtype)


def triangular_solve(self, A, upper=True, transpose=False, unitriangular=False):
    """(solution x of A @ x = self, A)."""
    return F.triangular_solve(self, A, upper, transpose, unitriangular)


def to_coo(self):
    """A COOTensor of the elements that are not 0."""
    return F.dense_to_sparse_coo(self)


def to_csr(self):
    """A CSRTensor of the elements that are not 0."""
    return F.dense_to_sparse_csr(self)


@also_named(axis="dim")
def cumsum(self, dim=None, dtype=None):
    """The running sum along an axis (None: of the flattened tensor)."""
    return F.cumsum(F.ravel(self) if dim is None else self, 0 if dim is None else dim, dtype)


@also_named(input_indices="first", axis="second", dim="first", index="second")
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


def index_add(self, *args, alpha=1, **named):
    """``index_add(indices, y, axis)`` or ``index_add(dim, index, source)``: slices added along an axis."""
    if args and isinstance(args[0], int) or "dim" in named:
        names = ("dim", "index", "source")
        given = dict(zip(names, args)) | named
        return F.index_add(self, given["index"], F.mul(given["source"], alpha), given["dim"])
    given = dict(zip(("indices", "y", "axis"), args)) | named
    return F.index_add(self, given["indices"], given["y"], given["axis"])


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
    """A copy with one element replaced: ``itemset(value)``, ``itemset(index, value)``."""
    *index, new = args
    place = index[0] if index else 0
    if not isinstance(place, tuple):
        place = tuple(int(i) for i in np.unravel_index(place, self.shape)) if self.ndim else ()
    if not self.ndim:
        return F.full_like(self, new)
    return F.tensor_scatter_update(self, Tensor([list(place)], dt.int32), Tensor([new], self.dtype))


def register_hook(self, hook):
    """Call ``hook(gradient)`` when this Tensor's gradient is computed; returns a handle with `remove()`.

    See `graphcore.capture.points.register_hook`.
    """
    from graphcore.capture import points
    return points.register_hook(self, hook)


def is_signed(self):
    """Whether the dtype has negative numbers."""
    return self.dtype.kind in "fi" or self.dtype.is_complex


def storage_offset(self):
    """0: a Tensor begins where its memory does."""
    return 0


# -- random numbers ---------------------------------------------------------------------------------------------

def _uniform(self, from_=0, to=1, *, generator=None):
    """Uniform numbers from `from_` to `to`."""
    return F.rand_like(self, dtype=dt.float32) * (to - from_) + from_


def _normal(self, mean=0, std=1, *, generator=None):
    """Normal numbers."""
    return F.randn_like(self, dtype=dt.float32) * std + mean


def _random(self, from_=0, to=None, *, generator=None):
    """Whole numbers from `from_` to below `to`; the most that the dtype holds exactly unless it is given."""
    if to is None:
        to = 2 ** (24 if self.dtype.is_float else 8 * self.dtype.itemsize - 1)
    return F.floor(F.rand_like(self, dtype=dt.float32) * (to - from_) + from_)


def _exponential(self, lambd=1, *, generator=None):
    """Numbers of the exponential distribution with the rate `lambd`."""
    return -F.log(1.0 - F.rand_like(self, dtype=dt.float32)) / lambd


def _bernoulli(self, p=0.5, *, generator=None):
    """1 with probability p, else 0."""
    return F.cast(F.rand_like(self, dtype=dt.float32) < p, self.dtype)


DRAWN = {"uniform": _uniform, "normal": _normal, "random": _random, "exponential": _exponential,
         "bernoulli": _bernoulli}


def log_normal(self, mean=1.0, std=2.0):
    """A Tensor like this one of numbers whose logarithms are normal."""
    return F.cast(F.exp(_normal(self, mean, std)), self.dtype)


def cauchy(self, median=0.0, sigma=1.0):
    """A Tensor like this one of numbers of the Cauchy distribution."""
    return F.cast(F.tan((F.rand_like(self, dtype=dt.float32) - 0.5) * math.pi) * sigma + median, self.dtype)


_OWN = [
    reshape, view, transpose, permute, expand, tile, repeat, flatten, astype, to, type, sum, argmax,
    argmax_with_value, argmin_with_value, add, sub, scatter, get_bytes, resize, new_empty, triangular_solve, to_coo,
    to_csr, cumsum, gather, select, where, take, index_add, scatter_add, scatter_sub,
    trace, ptp, broadcast_to, sum_to_size, fill, new_zeros, new_ones, new_full, copy, value, dim, numel,
    element_size, stride, itemset, register_hook, is_signed, storage_offset, log_normal, cauchy,
]

METHODS = {function.__name__: function for function in _OWN} | {
    "max": extreme("max"), "min": extreme("min"), "clone": copy, "ndimension": dim, "nelement": numel,
    "contiguous": itself, "init_data": itself, "flush_from_cache": itself, "cpu": itself, "move_to": itself,
    "fills": fill, "set_dtype": astype, "is_contiguous": lambda self: True,
    "is_pinned": lambda self: False, "is_shared": lambda self: False,
}
