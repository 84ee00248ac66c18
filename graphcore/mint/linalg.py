"""``mindspore.mint.linalg``."""
from graphcore.mint.functions import norm, vector_norm
from graphcore.ops.functional import inverse as inv
from graphcore.ops.functional import matrix_norm, qr

__all__ = ["inv", "matrix_norm", "norm", "qr", "vector_norm"]
