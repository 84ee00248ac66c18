"""``mindspore.mint.linalg``."""
from graphcore.mint.functions import norm as _norm
from graphcore.mint.functions import vector_norm
from graphcore.ops.functional import inverse as inv
from graphcore.ops.functional import matrix_norm, qr

__all__ = ["inv", "matrix_norm", "norm", "qr", "vector_norm"]


def norm(A, ord=None, dim=None, keepdim=False, *, dtype=None):
    """The norm of all elements, of vectors along `dim`, or of matrices along two axes; by default the Euclidean one."""
    if isinstance(dim, (tuple, list)) and len(dim) == 2 and ord not in (None, "fro"):
        return matrix_norm(A, ord, tuple(dim), keepdim, dtype=dtype)
    return _norm(A, "fro" if ord is None else ord, dim, keepdim, dtype=dtype)
