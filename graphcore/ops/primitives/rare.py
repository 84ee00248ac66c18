"""Primitives that few scripts use, each a function of `ops` under MindSpore's name and order of arguments."""
from __future__ import annotations

import math

import numpy as np

from graphcore import dtype as dt
from graphcore.errors import NonFiniteError
from graphcore.ops import functional as F
from graphcore.ops.functional.arguments import current_trace, ints_of, shape_error
from graphcore.ops.functional.padding import pair_of
from graphcore.ops.primitives.base import primitive
from graphcore.tensor import Tensor


@primitive
def identity(x):
    """x itself."""
    return x


@primitive
def Eps(x):
    """A Tensor like x of the smallest number that added to 1 makes a difference in its dtype."""
    return F.eps(x)


@primitive
def Bernoulli(x, p=0.5, *, seed=-1, offset=0):
    """Ones with probability `p`, else zeros, in the shape and dtype of x."""
    return F.cast(F.bernoulli(x, p, None if seed == -1 else seed), x.dtype)


@primitive
def RandomCategorical(logits, num_sample, seed=0, *, dtype=dt.int64):
    """Classes drawn for each row of logits [N, C]: [N, num_sample]."""
    return F.random_categorical(logits, num_sample, seed, dtype)


def _dropped(name: str, function, rank: int) -> type:
    def dropout(x, *, keep_prob=0.5):
        if x.ndim != rank:
            raise shape_error(f"{name} takes a tensor of {rank} axes, got shape {x.shape}")
        if not 0 <= keep_prob <= 1:
            raise shape_error(f"{name}: keep_prob must lie in [0, 1], got {keep_prob}")
        kept = function(F.ones_like(x), 1.0 - keep_prob)
        return F.mul(x, kept), F.not_equal(kept, 0)
    dropout.__name__, dropout.__module__ = name, __name__
    dropout.__doc__ = "(x with whole channels dropped, the others divided by keep_prob; bool: what was kept)."
    return primitive(dropout)


Dropout2D, Dropout3D = _dropped("Dropout2D", F.dropout2d, 4), _dropped("Dropout3D", F.dropout3d, 5)


@primitive
def DropoutGenMask(shape, keep_prob, *, Seed0=0, Seed1=0):
    """A mask for `DropoutDoMask`: a bit for each element of `shape`, set with probability keep_prob.

    uint8, in whole blocks of 16 bytes.
    """
    blocks = -(-math.prod(ints_of(shape, "DropoutGenMask: shape")) // 128)
    drawn = F.cast(F.bernoulli(F.zeros((blocks * 16, 8), dt.float32), keep_prob, Seed0 or Seed1 or None), dt.int32)
    return F.cast(F.sum(drawn * Tensor(2 ** np.arange(8), dt.int32), -1), dt.uint8)


@primitive
def DropoutDoMask(input_x, mask, keep_prob):
    """x divided by keep_prob where the bits of `mask` are set, else 0."""
    places = np.arange(math.prod(input_x.shape))
    bytes_of = F.cast(F.gather(mask, Tensor(places // 8, dt.int32), 0), dt.int32)
    bits = F.bitwise_and(F.bitwise_right_shift(bytes_of, Tensor(places % 8, dt.int32)), 1)
    kept = F.reshape(F.not_equal(bits, 0), input_x.shape)
    return F.where(kept, F.cast(input_x / keep_prob, input_x.dtype), Tensor(0, input_x.dtype))


@primitive
def InTopK(x1, x2, *, k):
    """Whether the classes x2 [N] are among the `k` with the highest scores x1 [N, C]."""
    return F.intopk(x1, x2, k)


@primitive
def FillDiagonal(input_x, *, fill_value, wrap=False):
    """x with `fill_value` along its diagonal; wrap: which begins again below a block of a tall matrix."""
    return F.fill_diagonal(input_x, fill_value, wrap)


@primitive
def UnravelIndex(indices, dims):
    """The places of an array of shape `dims` that places in the flat array are: [rank, ...] or, of one, [rank]."""
    rank = dims.shape[0]
    found = []
    for axis in reversed(range(rank)):
        found.append(F.floor_mod(indices, dims[axis]))
        indices = F.floor_div(indices, dims[axis])
    return F.stack(found[::-1], 0)


@primitive
def MaskedScatter(x, mask, updates):
    """x with the elements of `updates`, in order, where `mask` is true."""
    return F.masked_scatter(x, mask, updates)


@primitive
def Im2Col(x, *, ksizes, strides=1, dilations=1, pads=0):
    """The windows of images [N, C, H, W]: [N, C, height * width of a window, windows]."""
    kernel = pair_of(ksizes, "ksizes")
    windows = F.unfold(x, kernel, dilations, pads, strides)
    return F.reshape(windows, (x.shape[0], x.shape[1], kernel[0] * kernel[1], -1))


@primitive
def FFTWithSize(x, *, signal_ndim, inverse, real, norm="backward", onesided=True, signal_sizes=()):
    """The Fourier transform over the last `signal_ndim` axes, or its inverse; of real signals where `real` is set.

    onesided: of a real signal only one half of the symmetric frequencies is given, or expected.
    signal_sizes: the shape of the real signal that the inverse gives.
    """
    axes = tuple(range(-signal_ndim, 0))
    if not real:
        return (F.ifftn if inverse else F.fftn)(x, dim=axes, norm=norm)
    if not inverse:
        return (F.rfftn if onesided else F.fftn)(x, dim=axes, norm=norm)
    if onesided:
        return F.irfftn(x, tuple(signal_sizes) or None, axes, norm)
    return F.real(F.ifftn(x, dim=axes, norm=norm))


@primitive
def LuUnpack(LU_data, LU_pivots, *, unpack_data=True, unpack_pivots=True):
    """The pivots' permutation P, and the factors L and U, of a packed LU decomposition."""
    return F.lu_unpack(LU_data, LU_pivots, unpack_data, unpack_pivots)


@primitive
def Ormqr(x, tau, other, *, left=True, transpose=False):
    """The product of Householder's matrix, see `ops.geqrf`, and another."""
    return F.ormqr(x, tau, other, left, transpose)


@primitive
def Eig(x, *, compute_v=False):
    """(complex eigenvalues of square matrices, complex eigenvectors as columns where `compute_v` is set)."""
    values, vectors = F.eig(x)
    return values, vectors if compute_v else F.zeros((0,), values.dtype)


@primitive
def STFT(x, window, *, n_fft, hop_length, win_length, normalized, onesided, return_complex):
    """The Fourier transforms of windowed parts of signals; see `ops.stft`, without centring."""
    return F.stft(x, n_fft, hop_length, win_length, window, False, "REFLECT", normalized, onesided, return_complex)


@primitive
def NuclearNorm(x, *, dim=None, keepdim=False):
    """The sum of the singular values of matrices over two axes (`dim`; None: x is a matrix)."""
    axes = (0, 1) if dim is None else tuple(dim)
    return F.matrix_norm(x, "nuc", axes, keepdim)


@primitive
def MatrixBandPart(x, lower, upper):
    """Matrices with zeros further than `lower` below and `upper` above the diagonal; see `ops.matrix_band_part`."""
    return F.matrix_band_part(x, lower, upper)


@primitive
def Betainc(a, b, x):
    """The regularised incomplete beta function; see `ops.betainc`."""
    return F.betainc(a, b, x)


@primitive
def Padding(x, *, pad_dim_size=8):
    """x [..., 1] as [..., pad_dim_size], filled up with zeros."""
    if x.ndim < 2 or x.shape[-1] != 1:
        raise shape_error(f"Padding takes a tensor of two axes or more, of which the last is 1, got shape {x.shape}")
    return F.pad(x, (0, pad_dim_size - 1))


@primitive
def Expand(x, shape):
    """x broadcast to a shape, in which -1 stands for the size that x has."""
    return F.broadcast_to(x, ints_of(shape, "Expand: shape"))


@primitive
def CheckNumerics(x):
    """x itself; outside of graphs, FloatingPointError if it has NaN or infinities."""
    if current_trace() is None and not np.isfinite(x.asnumpy()).all():
        raise NonFiniteError("CheckNumerics: the tensor has NaN or infinite elements")
    return x


def _layout(name: str, function, summary: str) -> type:
    def changed(input_x, *, src_format="NHWC", dst_format="NCHW"):
        if {src_format, dst_format} != {"NHWC", "NCHW"} and src_format != dst_format:
            raise shape_error(f"{name}: the formats are 'NHWC' and 'NCHW', got {src_format!r} and {dst_format!r}")
        return function(input_x, src_format, dst_format)
    changed.__name__, changed.__module__, changed.__doc__ = name, __name__, summary
    return primitive(changed)


DataFormatDimMap = _layout(
    "DataFormatDimMap", lambda x, source, target: F.gather(Tensor([source.index(c) for c in target], x.dtype),
                                                           F.floor_mod(x, 4), 0),
    "For axes of the second layout, which they are in the first one.")
DataFormatVecPermute = _layout(
    "DataFormatVecPermute", lambda x, source, target: F.gather(x, Tensor([source.index(c) for c in target]), 0),
    "A vector of four (or rows of pairs) for the axes of one layout in the order of another.")


@primitive
def ScatterAddWithAxis(input_x, indices, update, *, axis=0):
    """x with the elements of `update` added at `indices` along an axis; see `ops.tensor_scatter_elements`."""
    return F.tensor_scatter_elements(input_x, indices, update, axis, "add")


@primitive
def ParallelConcat(values):
    """Tensors joined along their first axis, which is 1 in each."""
    return F.concat(values, 0)


__all__ = [n for n, v in list(globals().items()) if isinstance(v, type) and v.__module__ == __name__]
