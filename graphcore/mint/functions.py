"""The functions of ``mindspore.mint``: those of `ops` with the argument names ``dim`` and ``keepdim``, and defaults of
their own where they differ."""
from __future__ import annotations

import inspect

from graphcore import dtype as dt
from graphcore.ops import functional as F
from graphcore.ops.functional.arguments import also_named, axes_of, floating, shape_error, tensor_of
from graphcore.tensor import Tensor

_AS_THEY_ARE = """abs acos acosh addbmm addcdiv addcmul addmm addmv arange arccos arccosh arcsin arcsinh arctan
    arctan2 arctanh asin asinh atan atan2 atanh baddbmm bincount bitwise_and bitwise_not bitwise_or bitwise_xor
    broadcast_to ceil clamp clone cos cosh cross divide dot dstack einsum empty empty_like eq erf erfc erfinv exp exp2
    expm1 eye float_power floor floor_divide fmod full full_like gcd greater greater_equal gt histc hstack imag
    inverse isclose isfinite isinf isnan isneginf le lerp less less_equal log log10 log1p log2 logaddexp logaddexp2
    logical_and logical_not logical_or logical_xor lt masked_select matmul maximum meshgrid minimum mm mul nan_to_num
    ne neg negative nonzero not_equal ones ones_like outer polar pow ravel real reciprocal remainder reshape roll
    round rsqrt searchsorted sigmoid sign sin sinc sinh sqrt square t take tan tanh tile trace tril triu trunc where
    xlogy zeros zeros_like""".split()
_WITH_DIM = """all any argmax cat chunk concat cummax cummin cumprod index_select logsumexp nansum narrow prod scatter
    split squeeze stack sum swapaxes topk unbind unsqueeze""".split()


def with_dim(function):
    """The function with ``dim`` and ``keepdim`` for what it calls axis and keepdims."""
    names = inspect.signature(function).parameters
    renamed = {"dim": "axis", "keepdim": next((n for n in ("keepdims", "keep_dims") if n in names), None)}
    renamed = {new: old for new, old in renamed.items() if old in names and new not in names}
    return also_named(**renamed)(function) if renamed else function


def _taken() -> dict:
    taken = {name: getattr(F, name) for name in _AS_THEY_ARE}
    return taken | {name: with_dim(getattr(F, name)) for name in _WITH_DIM}


globals().update(_taken())


def add(input, other, *, alpha=1):
    """input + alpha * other."""
    return F.add(input, other if alpha == 1 else F.mul(other, alpha))


def sub(input, other, *, alpha=1):
    """input - alpha * other."""
    return F.sub(input, other if alpha == 1 else F.mul(other, alpha))


def linspace(start, end, steps, *, dtype=None):
    """`steps` numbers from start to end, both of them among them, in float32 or `dtype`."""
    return F.cast(F.linspace(start, end, steps), dtype or dt.float32)


def permute(input, *dims):
    """The axes in the order given by ints or a tuple."""
    return F.transpose(input, dims[0] if len(dims) == 1 else dims)


def transpose(input, dim0, dim1):
    """Two axes exchanged."""
    return F.swapaxes(input, dim0, dim1)


def flatten(input, start_dim=0, end_dim=-1):
    """The axes from start_dim to end_dim made one."""
    return F.flatten(tensor_of(input, "flatten"), start_dim=start_dim, end_dim=end_dim)


def flip(input, dims):
    """The order of elements reversed along axes."""
    return F.flip(input, dims)


def div(input, other, *, rounding_mode=None):
    """input / other, rounded by ``rounding_mode`` "floor" or "trunc"."""
    return F.div(input, other, rounding_mode=rounding_mode)


def _extreme(name):
    by_index, value_only, of_two = getattr(F, name), getattr(F, f"a{name}"), getattr(F, f"{name}imum")

    def extreme(input, dim=None, keepdim=False):
        if isinstance(dim, Tensor):
            return of_two(input, dim)
        return value_only(input) if dim is None else by_index(input, dim, keepdim)
    extreme.__name__ = extreme.__qualname__ = name
    extreme.__doc__ = (f"The {name}imum of all elements; along `dim` (values, indices); with a second Tensor "
                       "element by element.")
    return extreme


max, min = _extreme("max"), _extreme("min")


def median(input, dim=None, keepdim=False):
    """The median of all elements (of two in the middle the smaller); along `dim` (values, indices)."""
    if dim is None:
        return F.median(F.ravel(input), 0)[0]
    return F.median(input, dim, keepdim)


def sort(input, *, dim=-1, descending=False, stable=False):
    """(values in order along `dim`, their int64 indices)."""
    values, indices = F.sort(input, dim, descending)
    return values, F.cast(indices, dt.int64)


def argsort(input, dim=-1, descending=False, stable=False):
    """The int64 indices that put `input` in order along `dim`."""
    return F.cast(F.argsort(input, dim, descending), dt.int64)


def count_nonzero(input, dim=None):
    """How many elements along `dim` (None: of all) are not 0, in int64."""
    return F.sum(F.cast(F.not_equal(input, 0), dt.int64), dim)


def gather(input, dim, index):
    """Elements along `dim`, one for each entry of `index`."""
    return F.gather_elements(input, dim, index)


def select(input, dim, index):
    """One slice along `dim`."""
    return input.select(dim, index)


def scatter_add(input, dim, index, src):
    """`input` with the elements of `src` added at `index` along `dim`."""
    return F.tensor_scatter_elements(input, index, src, dim, "add")


def index_add(input, dim, index, source, *, alpha=1):
    """`input` with the slices of alpha * source added at `index` along `dim`."""
    return F.index_add(input, index, source if alpha == 1 else F.mul(source, alpha), dim)


def normal(mean=0.0, std=1.0, size=None, *, generator=None):
    """Normal random numbers of shape `size` (by default that of mean and std, broadcast)."""
    if size is None:
        shapes = [t.shape for t in (mean, std) if isinstance(t, Tensor)]
        size = F.arguments.record.broadcast_shapes(*shapes)
    return F.normal(size, mean, std)


def norm(input, p="fro", dim=None, keepdim=False, *, dtype=None):
    """The p-norm of all elements, or along `dim`."""
    x = tensor_of(input, "norm") if dtype is None else F.cast(input, dtype)
    if dim is None or p in ("fro", 2):
        return F.sqrt(F.sum(F.square(x), dim, keepdim)) if p in ("fro", 2) else F.vector_norm(F.ravel(x), p)
    return F.vector_norm(x, p, dim, keepdim)


def vector_norm(x, ord=2, dim=None, keepdim=False, *, dtype=None):
    """The norm of vectors along `dim` (None: of all elements)."""
    return F.vector_norm(x, ord, dim, keepdim, dtype=dtype)


def _variance(input, dim, correction, keepdim):
    x = floating(tensor_of(input, "var"))
    axes = axes_of(dim, x.ndim, "var")
    centred = F.sub(x, F.mean(x, axes, True))
    return F.div(F.sum(F.square(centred), axes, keepdim), F.reduction.count_of(x, axes) - correction)


def var(input, dim=None, *, correction=1, keepdim=False):
    """The mean square of the distances from the mean along `dim`; the count less `correction`."""
    return _variance(input, dim, correction, keepdim)


def std(input, dim=None, *, correction=1, keepdim=False):
    """The square root of `var`."""
    return F.sqrt(_variance(input, dim, correction, keepdim))


def var_mean(input, dim=None, *, correction=1, keepdim=False):
    """(variance, mean) along `dim`."""
    return var(input, dim, correction=correction, keepdim=keepdim), F.mean(input, dim, keepdim)


def std_mean(input, dim=None, *, correction=1, keepdim=False):
    """(standard deviation, mean) along `dim`."""
    return std(input, dim, correction=correction, keepdim=keepdim), F.mean(input, dim, keepdim)


def diag(input, diagonal=0):
    """A vector as a diagonal of a matrix of zeros; of a matrix, its diagonal."""
    return F.diag_embed(input, diagonal) if input.ndim == 1 else F.diagonal(input, diagonal)


def allclose(input, other, rtol=1e-05, atol=1e-08, equal_nan=False):
    """Whether all elements are close: a bool."""
    return bool(F.all(F.isclose(input, other, rtol, atol, equal_nan)))


def item(input):
    """The Python number of a Tensor of one element.  Raises ValueError for several."""
    if input.size != 1:
        raise shape_error(f"item takes a tensor of one element, got shape {input.shape}")
    return input.item()


def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    """The different elements in order; then where each element is among them, and how often each comes.

    Raises ValueError for a `dim`: slices are not compared.
    """
    if dim is not None:
        raise shape_error("mint.unique compares elements: leave dim out")
    values, inverse = F.unique(input)
    order = F.argsort(values)
    values, inverse = F.gather(values, order, 0), F.gather(F.argsort(order), inverse, 0)
    found = [values]
    if return_inverse:
        found.append(F.cast(inverse, dt.int64))
    if return_counts:
        flat = F.ravel(inverse)
        found.append(F.cast(F.unsorted_segment_sum(F.ones_like(flat), flat, values.size), dt.int64))
    return found[0] if len(found) == 1 else tuple(found)


def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    """The elements without repetitions of the one before; then the number of each, and how often it comes."""
    return F.unique_consecutive(input, return_inverse, return_counts, dim)


def bmm(input, mat2):
    """The products of the matrices of two batches."""
    return F.bmm(input, mat2)


def mv(input, vec):
    """A matrix times a vector."""
    return F.mv(input, vec)


def frac(input):
    """The part after the point."""
    return F.frac(input)


def cdist(x1, x2, p=2.0, compute_mode="use_mm_for_euclid_dist_if_necessary"):
    """The p-norm distances of all rows of x1 from all of x2; compute_mode says how others find them."""
    return F.cdist(x1, x2, p)


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    """Images (n, c, h, w) convolved with weights (c_out, c / groups, kh, kw).

    padding: an int, one for each axis, "same" or "valid".
    """
    mode, border = (padding, 0) if isinstance(padding, str) else ("pad", padding)
    return F.conv2d(input, weight, bias, stride, mode, border, dilation, groups)


def amax(input, dim=(), keepdim=False):
    """The maximum along `dim` (by default of all elements)."""
    return F.amax(input, dim if dim != () else None, keepdim)


def amin(input, dim=(), keepdim=False):
    """The minimum along `dim` (by default of all elements)."""
    return F.amin(input, dim if dim != () else None, keepdim)


def argmin(input, dim=None, keepdim=False):
    """Where the minimum along `dim` is (None: among all elements)."""
    return F.argmin(input, dim, keepdim)


def mean(input, dim=None, keepdim=False, *, dtype=None):
    """The mean along `dim` (None: of all elements), computed in `dtype`."""
    return F.mean(_as(input, dtype), dim, keepdim)


def cumsum(input, dim, dtype=None):
    """The sums of the elements up to each along `dim`, in `dtype`."""
    return F.cumsum(input, dim, dtype)


def softmax(input, dim=None, dtype=None):
    """The exponentials along `dim`, divided by their sum; in `dtype`.  Without `dim`: axis 0, or 1 of 2, 4 or more."""
    return F.softmax(_as(input, dtype), _usual_axis(input) if dim is None else dim)


def log_softmax(input, dim=None, dtype=None):
    """The logarithm of `softmax`."""
    return F.log_softmax(_as(input, dtype), _usual_axis(input) if dim is None else dim)


def _usual_axis(input) -> int:
    return 0 if tensor_of(input, "softmax").ndim in (0, 1, 3) else 1


def _as(input, dtype) -> Tensor:
    return input if dtype is None else F.cast(input, dtype)


def diff(input, n=1, dim=-1, prepend=None, append=None):
    """The differences of neighbours along `dim`, n times."""
    return F.diff(input, n, dim, prepend, append)


def repeat_interleave(input, repeats, dim=None, output_size=None):
    """Each element along `dim` (None: of all in a row) as often as `repeats` says; output_size is not needed."""
    return F.repeat_interleave(input, repeats, dim)


def _no_generator(name: str, generator) -> None:
    if generator is not None:
        raise ValueError(f"mint.{name}: random numbers follow mindspore.set_seed; leave `generator` out")


def bernoulli(input, *, generator=None):
    """Ones with the probabilities `input`, else zeros."""
    _no_generator("bernoulli", generator)
    return F.bernoulli(input, input)


def multinomial(input, num_samples, replacement=False, *, generator=None):
    """Indices drawn with the weights of the rows of `input`."""
    _no_generator("multinomial", generator)
    return F.multinomial(input, num_samples, replacement)


def _sizes(size: tuple) -> tuple:
    return size[0] if len(size) == 1 and isinstance(size[0], (tuple, list)) else size


def rand(*size, generator=None, dtype=None, device=None):
    """Uniform numbers in [0, 1)."""
    _no_generator("rand", generator)
    return F.rand(*_sizes(size), dtype=dtype)


def randn(*size, generator=None, dtype=None, device=None):
    """Standard normal numbers."""
    _no_generator("randn", generator)
    return F.randn(*_sizes(size), dtype=dtype)


def randint(*args, generator=None, dtype=dt.int64):
    """``randint([low,] high, size)``: whole numbers from low (0) to high - 1."""
    _no_generator("randint", generator)
    low, high, size = args if len(args) == 3 else (0, *args)
    return F.randint(low, high, size, dtype=dtype)


def randperm(n, *, generator=None, dtype=dt.int64):
    """The numbers below n in random order."""
    _no_generator("randperm", generator)
    return F.randperm(n, dtype=dtype)


def rand_like(input, *, dtype=None, device=None):
    """`rand` of the shape and dtype of `input`."""
    return F.rand_like(input, dtype=dtype)


def randn_like(input, *, dtype=None, device=None):
    """`randn` of the shape and dtype of `input`."""
    return F.randn_like(input, dtype=dtype)


def randint_like(input, *args, dtype=None, device=None):
    """``randint_like(input, [low,] high)``: `randint` of the shape of `input`, in its dtype by default."""
    low, high = args if len(args) == 2 else (0, *args)
    return F.randint_like(input, low, high, dtype=dtype)


def vdot(input, other):
    """The sum of the products of two vectors."""
    return F.dot(input, other)


def linear(input, weight, bias=None):
    """input [..., K] times the transpose of weight [N, K], plus bias [N]."""
    return F.dense(input, weight, bias)


__all__ = sorted([*_AS_THEY_ARE, *_WITH_DIM, "max", "min", *(
    n for n, v in list(globals().items()) if inspect.isfunction(v) and v.__module__ == __name__
    and not n.startswith("_") and n not in ("with_dim", "vector_norm", "linear"))])
