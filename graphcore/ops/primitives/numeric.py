"""Primitives of linear algebra, special functions, segments, windows, and of Parameters' slices."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore.ops import functional as F
from graphcore.ops.primitives.base import plain, primitive
from graphcore.tensor import Tensor

_PLAIN = """BesselI0=bessel_i0 BesselI0e=bessel_i0e BesselI1=bessel_i1 BesselI1e=bessel_i1e BesselJ0=bessel_j0
    BesselJ1=bessel_j1 BesselK0=bessel_k0 BesselK0e=bessel_k0e BesselK1=bessel_k1 BesselK1e=bessel_k1e
    BesselY0=bessel_y0 BesselY1=bessel_y1 Digamma Lgamma Polygamma Zeta Igamma Igammac Gcd Lcm NextAfter=nextafter Xdivy
    PopulationCount=population_count MatrixDeterminant=det LogMatrixDeterminant=slogdet LuSolve=lu_solve Orgqr
    UnsortedSegmentMax=unsorted_segment_max UnsortedSegmentMin=unsorted_segment_min
    UnsortedSegmentProd=unsorted_segment_prod Ger Coalesce TensorScatterMul=tensor_scatter_mul
    TensorScatterDiv=tensor_scatter_div TensorScatterMax=tensor_scatter_max TensorScatterMin=tensor_scatter_min
    MatrixExp=matrix_exp Geqrf Complex=complex ComplexAbs=abs Real Imag Conj Angle Polar"""
_CLASSES = plain(_PLAIN, F, __name__)


def _writing(name: str, function) -> type:
    """A primitive that writes slices of a Parameter; ``use_locking`` says nothing here."""
    def call(input_x, indices, updates, *, use_locking=False):
        return function(input_x, indices, updates)
    call.__name__, call.__module__, call.__doc__ = name, __name__, function.__doc__
    return primitive(call)


_CLASSES |= {f"Scatter{kind.capitalize()}": _writing(f"Scatter{kind.capitalize()}", getattr(F, f"scatter_{kind}"))
             for kind in ("update", "add", "sub", "mul", "div", "max", "min")}
_CLASSES |= {name: _writing(name, getattr(F, f"scatter_nd_{name[9:].lower()}")) for name in (
    "ScatterNdAdd", "ScatterNdSub", "ScatterNdMul", "ScatterNdDiv", "ScatterNdMax", "ScatterNdMin")}
globals().update(_CLASSES)


@primitive
def ScatterNdUpdate(input_x, indices, updates, *, use_locking=True):
    """A Parameter with its elements at the points `indices` replaced by `updates`; returns the new value."""
    return F.scattering.written(input_x, F.tensor_scatter_update(input_x, indices, updates))


@primitive
def InplaceAdd(x, input_v, *, indices):
    """`x` with the rows of `input_v` added at `indices`."""
    return F.inplace_add(x, input_v, indices)


@primitive
def InplaceSub(x, input_v, *, indices):
    """`x` with the rows of `input_v` subtracted at `indices`."""
    return F.inplace_sub(x, input_v, indices)


@primitive
def InplaceUpdate(x, v, *, indices):
    """`x` with its rows at `indices` replaced by those of `v`."""
    return F.inplace_update(x, v, indices)


@primitive
def InplaceUpdateV2(x, indices, v):
    """`x` with its rows at `indices` replaced by those of `v`."""
    return F.inplace_update(x, v, indices)


@primitive
def InplaceIndexAdd(var, indices, updates, *, axis):
    """A Parameter with slices of `updates` added at `indices` along an axis."""
    return F.inplace_index_add(var, indices, updates, axis)


@primitive
def IndexPut(x1, x2, indices, *, accumulate=0):
    """`x1` with elements replaced by `x2` (or these added), at places given by a vector for each axis."""
    return F.index_put(x1, indices, x2, bool(accumulate))


# -- matrices -------------------------------------------------------------------------------------------------

@primitive
def MatrixInverse(x, *, adjoint=False):
    """The inverses of square matrices (`adjoint`: of the transposed ones)."""
    y = F.inverse(x)
    return F.swapaxes(y, -1, -2) if adjoint else y


@primitive
def MatrixPower(x, *, n):
    """The n-fold product of square matrices with themselves."""
    return F.matrix_power(x, n)


@primitive
def MatrixSolve(matrix, rhs, *, adjoint=False):
    """The solution x of matrix @ x = rhs."""
    return F.matrix_solve(matrix, rhs, adjoint)


@primitive
def MatrixTriangularSolve(matrix, rhs, *, lower=True, adjoint=False):
    """The solution x of matrix @ x = rhs, of which only a triangle is read."""
    return F.matrix_triangular_solve(matrix, rhs, lower, adjoint)


@primitive
def Cholesky(input_x, *, upper=False):
    """The Cholesky factor of positive matrices."""
    return F.cholesky(input_x, upper)


@primitive
def CholeskyInverse(x, *, upper=False):
    """The inverse of the matrix that has this Cholesky factor."""
    return F.cholesky_inverse(x, upper)


@primitive
def CholeskySolve(x1, x2, *, upper=False):
    """The solution x of A @ x = x1, where `x2` is the Cholesky factor of A."""
    return F.cholesky_solve(x1, x2, upper)


@primitive
def Qr(x, *, full_matrices=False):
    """(Q, R) of matrices."""
    return F.qr(x, "complete" if full_matrices else "reduced")


@primitive
def Svd(input, *, full_matrices=False, compute_uv=True):
    """(singular values, U, V) of matrices; U and V are empty without `compute_uv`."""
    if compute_uv:
        return F.svd(input, full_matrices)
    nothing = F.zeros((0,), input.dtype)
    return F.svd(input, full_matrices, False), nothing, nothing


@primitive
def Lstsq(x, a, *, fast=True, l2_regularizer=0.0):
    """The solution y of smallest squared distance of x @ y from a."""
    return F.lstsq(x, a)


@primitive
def MatrixDiagV3(x, k=0, num_rows=-1, num_cols=-1, padding_value=0, *, align="RIGHT_LEFT"):
    """Matrices with diagonals k from the rows of `x`."""
    return F.matrix_diag(x, k, num_rows, num_cols, padding_value, align)


@primitive
def MatrixDiagPartV3(x, k=0, padding_value=0, *, align="RIGHT_LEFT"):
    """Diagonals k of matrices as rows."""
    return F.matrix_diag_part(x, k, padding_value, align)


@primitive
def MatrixSetDiagV3(x, diagonal, k=0, *, align="RIGHT_LEFT"):
    """Matrices with their diagonals k replaced by the rows of `diagonal`."""
    return F.matrix_set_diag(x, diagonal, k, align)


@primitive
def Cross(input, other, *, dim=-65530):
    """The cross product along an axis; by default the first of size 3."""
    return F.cross(input, other, None if dim == -65530 else dim)


@primitive
def Renorm(x, *, p, dim, maxnorm):
    """Each slice along an axis, scaled so that its p-norm is at most `maxnorm`."""
    return F.renorm(x, p, dim, maxnorm)


@primitive
def Pdist(x, *, p=2.0):
    """The p-norm distances of all pairs of rows."""
    return F.pdist(x, p)


@primitive
def Mvlgamma(x, *, p):
    """The logarithm of the multivariate gamma function of dimension p."""
    return F.mvlgamma(x, p)


# -- along an axis --------------------------------------------------------------------------------------------

@primitive
def Cummin(input, *, axis):
    """(running minimum along an axis, the indices where it is)."""
    return F.cummin(input, axis)


@primitive
def Cummax(input, *, axis):
    """(running maximum along an axis, the indices where it is)."""
    return F.cummax(input, axis)


@primitive
def CumulativeLogsumexp(x, axis, *, exclusive=False, reverse=False):
    """The running log(sum(exp)) along an axis; exclusive: without the element itself; reverse: from the end."""
    axis = int(axis)
    y = F.logcumsumexp(F.flip(x, (axis,)) if reverse else x, axis)
    if exclusive:
        head = tuple(slice(0, -1) if i == axis % x.ndim else slice(None) for i, _ in enumerate(x.shape))
        one = tuple(1 if i == axis % x.ndim else s for i, s in enumerate(x.shape))
        y = F.concat([F.full(one, -3.4028234663852886e38, dtype=x.dtype), y[head]], axis)
    return F.flip(y, (axis,)) if reverse else y


@primitive
def Median(x, *, global_median=False, axis=0, keep_dims=False, ignore_nan=False):
    """(median along an axis, its index); global_median: of all elements, and 0."""
    if global_median:
        return F.median(F.ravel(x), 0)[0], Tensor(0)
    return (F.nanmedian if ignore_nan else F.median)(x, axis, keep_dims)


@primitive
def UniqueConsecutive(x, *, return_inverse=False, return_counts=False, dim=None):
    """(elements that differ from the one before, where each is, how many each stands for); empty what is not wanted."""
    found = F.unique_consecutive(x, True, True, dim)
    nothing = Tensor([], dt.int32)
    return found[0], (found[1] if return_inverse else nothing), (found[2] if return_counts else nothing)


@primitive
def Bincount(array, size, weights):
    """How often each of 0 ... size - 1 comes, by weights; larger numbers are left out."""
    count = int(size)
    weights = F.ones_like(array) if weights.size == 0 else weights
    weights = F.cast(weights, dt.float32) if not weights.dtype.is_float else weights
    inside = F.logical_and(array >= 0, array < count)
    return F.unsorted_segment_sum(weights, F.where(inside, array, -1), count)


@primitive
def Bucketize(input, *, boundaries):
    """How many of the ascending boundaries each element reaches."""
    return F.cast(F.bucketize(input, boundaries, right=True), dt.int32)


@primitive
def Histogram(x, *, bins=100, min=0.0, max=0.0):
    """How many elements fall into each of `bins` equal parts from min to max."""
    return F.histc(x, bins, min, max)


@primitive
def EqualCount(x, y):
    """How many elements of two Tensors are equal."""
    return F.cast(F.reshape(F.sum(F.cast(F.equal(x, y), dt.int32)), (1,)), x.dtype)


@primitive
def SquareSumAll(x, y):
    """The sums of squares of two Tensors."""
    return F.sum(F.square(x)), F.sum(F.square(y))


@primitive
def SearchSorted(sorted_sequence, values, sorter=None, *, dtype=dt.int64, right=False):
    """Where values belong in ascending sequences."""
    return F.cast(F.searchsorted(sorted_sequence, values, right=right, sorter=sorter), dtype)


@primitive
def IdentityN(x):
    """The tuple of Tensors itself."""
    return tuple(x)


@primitive
def RaggedRange(starts, limits, deltas, *, Tsplits):
    """(where each range begins in the second, and the end; the elements of all ranges from start to limit by delta)."""
    import numpy as np
    s, e, d = (np.atleast_1d(t.asnumpy()) for t in (starts, limits, deltas))
    count = max(len(s), len(e), len(d))
    parts = [np.arange(a, b, c) for a, b, c in zip(*(np.broadcast_to(v, count) for v in (s, e, d)))]
    splits = np.concatenate([[0], np.cumsum([len(p) for p in parts])])
    return Tensor(splits, Tsplits), Tensor(np.concatenate(parts), starts.dtype)


@primitive
def SparseToDense(indices, values, sparse_shape):
    """A Tensor of zeros with `values` at the points `indices`."""
    return F.scatter_nd(indices, values, sparse_shape)


@primitive
def SparseTensorDenseMatmul(indices, values, sparse_shape, dense, *, adjoint_st=False, adjoint_dt=False):
    """The product of a sparse matrix, values at points, with a matrix; either transposed first."""
    left = F.scatter_nd(indices, values, sparse_shape)
    left = F.swapaxes(left, 0, 1) if adjoint_st else left
    return F.matmul(left, F.swapaxes(dense, 0, 1) if adjoint_dt else dense)


@primitive
def EmbeddingLookup(input_params, input_indices, offset):
    """The rows of `input_params` at input_indices - offset; zeros where that lies outside."""
    places = F.sub(input_indices, offset)
    inside = F.logical_and(places >= 0, places < input_params.shape[0])
    rows = F.gather(input_params, F.where(inside, places, 0), 0)
    shape = (*inside.shape, *(1,) * (rows.ndim - inside.ndim))
    return F.where(F.reshape(inside, shape), rows, F.zeros((), rows.dtype))


# -- new tensors ----------------------------------------------------------------------------------------------

def _window(name: str, function) -> type:
    def call(window_length, *, periodic=True, dtype=dt.float32):
        return function(window_length, periodic, dtype=dtype)
    call.__name__, call.__module__, call.__doc__ = name, __name__, function.__doc__
    return primitive(call)


BartlettWindow = _window("BartlettWindow", F.bartlett_window)
BlackmanWindow = _window("BlackmanWindow", F.blackman_window)


@primitive
def HammingWindow(length, *, periodic=True, alpha=0.54, beta=0.46, dtype=dt.float32):
    """Hamming's window, alpha - beta cos."""
    return F.hamming_window(int(length), periodic, alpha, beta, dtype=dtype)


@primitive
def TrilIndices(*, row, col, offset=0, dtype=dt.int32):
    """(2, n): rows and columns of the elements on a diagonal and below."""
    return F.cast(F.stack(list(F.tril_indices(row, col, offset))), dtype)


@primitive
def TriuIndices(*, row, col, offset=0, dtype=dt.int32):
    """(2, n): rows and columns of the elements on a diagonal and above."""
    return F.cast(F.stack(list(F.triu_indices(row, col, offset))), dtype)


@primitive
def LogSpace(start, end, *, steps=10, base=10, dtype=dt.float32):
    """`base` to the powers of equally spaced numbers from start to end."""
    return F.cast(F.logspace(start, end, steps, base), dtype)


@primitive
def SpaceToBatchND(input_x, *, block_shape, paddings):
    """Blocks of the last axes moved to the batch axis."""
    return F.space_to_batch_nd(input_x, block_shape, paddings)


@primitive
def BatchToSpaceND(input_x, *, block_shape, crops):
    """The inverse of `SpaceToBatchND`."""
    return F.batch_to_space_nd(input_x, block_shape, crops)


@primitive
def BatchToSpaceNDV2(input_x, block_shape, crops):
    """The inverse of `SpaceToBatchND`, its settings Tensors."""
    return F.batch_to_space_nd(input_x, block_shape, crops)


@primitive
def Scan(loop_func, init, xs, length=None, unroll=True):
    """(final state, outputs) of ``state, output = loop_func(state, x)`` for each x; see `ops.scan`."""
    if xs is None:
        xs = [None] * length
    outputs = []
    for x in xs:
        init, output = loop_func(init, x)
        outputs.append(output)
    return init, outputs


__all__ = [*_CLASSES, *(n for n, v in list(globals().items()) if isinstance(v, type) and v.__module__ == __name__
                        and not n.startswith("_"))]
