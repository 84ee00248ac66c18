"""Layers of special functions and of matrices."""
from __future__ import annotations

from graphcore import ops
from graphcore.nn.cell import Cell

__all__ = ["LGamma", "DiGamma", "IGamma", "LBeta", "MatInverse", "MatDet"]


class LGamma(Cell):
    """The logarithm of the absolute value of the gamma function; see `ops.lgamma`."""

    def construct(self, x):
        return ops.lgamma(x)


class DiGamma(Cell):
    """The derivative of the logarithm of the gamma function; see `ops.digamma`."""

    def construct(self, x):
        return ops.digamma(x)


class IGamma(Cell):
    """The regularised lower incomplete gamma function P(a, x); see `ops.igamma`."""

    def construct(self, a, x):
        return ops.igamma(a, x)


class LBeta(Cell):
    """The logarithm of the beta function of two positive tensors."""

    def construct(self, x, y):
        return ops.lgamma(x) + ops.lgamma(y) - ops.lgamma(x + y)


class MatInverse(Cell):
    """The inverse of a matrix; see `ops.inverse`."""

    def construct(self, a):
        return ops.inverse(a)


class MatDet(Cell):
    """The determinant of a matrix; see `ops.det`."""

    def construct(self, a):
        return ops.det(a)
