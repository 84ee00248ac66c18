"""Complex numbers: their parts, sizes and angles.  Complex tensors exist outside of graphs only."""
from __future__ import annotations

import numpy as np

from graphcore.ops.functional.arguments import Tensor, dt, dtype_error, operands, shape_error, tensor_of
from graphcore.ops.functional.arithmetic import mul
from graphcore.ops.functional.comparison import where
from graphcore.ops.functional.creation import full_like, zeros_like
from graphcore.ops.functional.elementary import cos, sin
from graphcore.ops.host import on_host

__all__ = ["complex", "real", "imag", "conj", "angle", "polar", "view_as_real", "view_as_complex", "isreal"]


def _kind(x: Tensor, name: str) -> dt.DType:
    """The complex dtype with parts of the dtype of `x`."""
    if x.dtype not in (dt.float32, dt.float64):
        raise dtype_error(f"{name} takes float32 or float64, got {x.dtype.name}")
    return dt.complex128 if x.dtype is dt.float64 else dt.complex64


def part_of(dtype: dt.DType) -> dt.DType:
    """The float dtype of the parts of a complex one."""
    return dt.float64 if dtype is dt.complex128 else dt.float32


def complex(real, imag):
    """real + imag j, of two float Tensors of one dtype, broadcast."""
    a, b = operands(real, imag, name="complex")
    shape = np.broadcast_shapes(a.shape, b.shape)
    return on_host("complex", lambda x, y: x + 1j * y, [a, b], [(_kind(a, "complex"), shape)])


def real(input):
    """The real part; real tensors stay as they are."""
    x = tensor_of(input, "real")
    return on_host("real", np.real, [x], [(part_of(x.dtype), x.shape)]) if x.dtype.is_complex else x


def imag(input):
    """The imaginary part; zeros of a real tensor."""
    x = tensor_of(input, "imag")
    return on_host("imag", np.imag, [x], [(part_of(x.dtype), x.shape)]) if x.dtype.is_complex else zeros_like(x)


def conj(input):
    """The conjugate; real tensors stay as they are."""
    x = tensor_of(input, "conj")
    return on_host("conj", np.conj, [x], [(x.dtype, x.shape)]) if x.dtype.is_complex else x


def angle(input):
    """The angle from the positive real axis; 0 or pi for real numbers."""
    x = tensor_of(input, "angle")
    if x.dtype.is_complex:
        return on_host("angle", np.angle, [x], [(part_of(x.dtype), x.shape)])
    x = x if x.dtype.is_float else x.astype(dt.float32)
    return where(x < 0, full_like(x, np.pi), zeros_like(x))


def polar(abs, angle):
    """The complex numbers of these sizes and angles."""
    size, turn = operands(abs, angle, name="polar")
    return complex(mul(size, cos(turn)), mul(size, sin(turn)))


def view_as_real(input):
    """The parts of complex numbers along a new last axis of size 2.  Raises DTypeError for real tensors."""
    x = tensor_of(input, "view_as_real")
    if not x.dtype.is_complex:
        raise dtype_error(f"view_as_real takes a complex tensor, got {x.dtype.name}")
    return on_host("view_as_real", lambda v: np.stack([v.real, v.imag], -1), [x], [(part_of(x.dtype), (*x.shape, 2))])


def view_as_complex(input):
    """Complex numbers of the parts along the last axis, of size 2."""
    x = tensor_of(input, "view_as_complex")
    if not x.ndim or x.shape[-1] != 2:
        raise shape_error(f"view_as_complex takes a last axis of size 2, got shape {x.shape}")
    return complex(x[..., 0], x[..., 1])


def isreal(input):
    """Whether the imaginary part is 0."""
    return imag(input) == 0
