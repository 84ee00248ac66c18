"""Matrix products."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore.onnx.table import operator
from graphcore.onnx.values import highest, lowest
from graphcore.ops import functional as F
from graphcore.tensor import Tensor


@operator("MatMul", 1)
def matmul(a, b):
    return F.matmul(a, b)


@operator("Gemm", 7)
def gemm(a, b, c=None, *, alpha=1.0, beta=1.0, transA=0, transB=0):
    """alpha * a @ b + beta * c, a and b transposed on demand."""
    if a.ndim != 2 or b.ndim != 2:
        raise ValueError(f"Gemm takes matrices, got shapes {a.shape} and {b.shape}")
    y = F.matmul(F.transpose(a, (1, 0)) if transA else a, F.transpose(b, (1, 0)) if transB else b)
    y = y if alpha == 1 else _scaled(y, alpha)
    return y if c is None or beta == 0 else F.add(y, c if beta == 1 else _scaled(c, beta))


def _scaled(x: Tensor, factor: float) -> Tensor:
    """x times a number, in the dtype of x."""
    return F.cast(F.mul(x, factor), x.dtype)


@operator("Einsum", 12)
def einsum(*xs, equation):
    return F.einsum(equation, *xs)


@operator("MatMulInteger", 10)
def matmul_integer(a, b, a_zero=None, b_zero=None):
    """The int32 product of 8-bit matrices less their zero points (one, or one for each row of a, column of b)."""
    a, b = F.cast(a, dt.int32), F.cast(b, dt.int32)
    if a_zero is not None:
        zero = F.cast(a_zero, dt.int32)
        a = a - (F.expand_dims(zero, -1) if zero.ndim == 1 and zero.size > 1 else zero)
    return F.matmul(a, b if b_zero is None else b - F.cast(b_zero, dt.int32))


@operator("QLinearMatMul", 10)
def qlinear_matmul(a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero):
    """The product of quantised matrices, quantised again."""
    wide = F.cast(matmul_integer(a, b, a_zero, b_zero), dt.float32)
    a_scale = F.expand_dims(a_scale, -1) if a_scale.ndim == 1 and a_scale.size > 1 else a_scale
    factor = F.cast(a_scale, dt.float32) * F.cast(b_scale, dt.float32) / F.cast(y_scale, dt.float32)
    return requantized(wide * factor, y_zero)


def requantized(x: Tensor, zero: Tensor) -> Tensor:
    """round(x + zero), ties to even, limited to what the dtype of `zero` holds."""
    return F.cast(F.clamp(F.round(x + F.cast(zero, x.dtype)), float(lowest(zero.dtype)), float(highest(zero.dtype))),
                  zero.dtype)


@operator("Det", 11)
def determinant(x):
    return F.det(x)
