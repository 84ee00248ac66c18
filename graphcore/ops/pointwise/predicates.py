"""Comparisons, tests and logic: bool results (or bit by bit on integers), no gradients."""
from __future__ import annotations

import numpy as np

from graphcore.ops.pointwise.base import Binary, Logical, Predicate
from graphcore.ops.record import Pointwise, op


@op
class eq(Predicate):
    """x == y."""
    scalar = "({0} == {1})"
    reference = np.equal


@op
class ne(Predicate):
    """x != y."""
    scalar = "({0} != {1})"
    reference = np.not_equal


@op
class lt(Predicate):
    """x < y."""
    scalar = "({0} < {1})"
    reference = np.less


@op
class le(Predicate):
    """x <= y."""
    scalar = "({0} <= {1})"
    reference = np.less_equal


@op
class gt(Predicate):
    """x > y."""
    scalar = "({0} > {1})"
    reference = np.greater


@op
class ge(Predicate):
    """x >= y."""
    scalar = "({0} >= {1})"
    reference = np.greater_equal


@op
class is_nan(Pointwise):
    """True where x is NaN."""
    scalar = "({0} != {0})"
    result = "bool"
    accepts = "float"
    cheap = True
    reference = np.isnan


@op
class is_finite(Pointwise):
    """True where x is neither NaN nor infinite."""
    scalar = "(abs({0}) < T(1e999))"
    result = "bool"
    accepts = "float"
    cheap = True
    reference = np.isfinite


@op
class logical_and(Logical):
    """x and y (bit by bit on integers)."""
    scalar = "({0} & {1})"
    reference = np.bitwise_and


@op
class logical_or(Logical):
    """x or y (bit by bit on integers)."""
    scalar = "({0} | {1})"
    reference = np.bitwise_or


@op
class logical_xor(Logical):
    """x xor y (bit by bit on integers)."""
    scalar = "({0} ^ {1})"
    reference = np.bitwise_xor


@op
class logical_not(Pointwise):
    """not x (bit by bit on integers)."""
    scalar = "invert({0})"
    accepts = "integer or bool"
    cheap = True
    reference = np.invert


@op
class left_shift(Binary):
    """x << y."""
    scalar = "({0} << {1})"
    accepts = "integer"
    domain = (0, 5)
    reference = np.left_shift


@op
class right_shift(Binary):
    """x >> y, arithmetic for signed integers."""
    scalar = "({0} >> {1})"
    accepts = "integer"
    domain = (0, 5)
    reference = np.right_shift
