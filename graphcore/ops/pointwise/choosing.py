"""Choosing between values, converting and copying them, and values made from their index."""
from __future__ import annotations

import numpy as np

from graphcore.dtype import float32
from graphcore.errors import DTypeError, ShapeError
from graphcore.ir.types import TensorType
from graphcore.ops.pointwise.base import literal
from graphcore.ops.record import Operator, Pointwise, broadcast_shapes, check_dtype, op


@op
class select(Operator):
    """a where the bool `condition` is true, else b."""
    kind = "pointwise"
    arity = 3
    scalar = "select({0}, {1}, {2})"
    accepts = "any"
    cheap = False
    def infer(condition, a, b):
        check_dtype("select", condition.dtype, "bool")
        if a.dtype is not b.dtype:
            raise DTypeError(f"select: the two branches have different dtypes: {a} and {b}")
        return TensorType(a.dtype, broadcast_shapes(condition.shape, a.shape, b.shape))
    reference = np.where
    def vjp(g, y, condition, a, b):
        nothing = literal(0, g)
        return None, select(condition, g, nothing), select(condition, nothing, g)
    def samples():
        r = np.random.RandomState(0)
        return [([r.rand(3, 4) > 0.5, r.randn(3, 4).astype("f4"), r.randn(3, 4).astype("f4")], {}),
                ([r.rand(4) > 0.5, r.randn(3, 1).astype("f4"), np.float32(2)], {})]


@op
class cast(Operator):
    """x converted to `dtype`: floats to integers by truncation, to bool by ``!= 0``."""
    kind = "pointwise"
    arity = 1
    scalar = "{0}"          # the code generator converts between compute types by itself
    accepts = "any"
    cheap = True
    def infer(x, *, dtype):
        return x.with_dtype(dtype)
    def reference(x, *, dtype):
        with np.errstate(invalid="ignore"):
            return x.astype(float32.storage if dtype.name == "bfloat16" else dtype.storage)
    def vjp(g, y, x, *, dtype):
        return (cast(g, dtype=x.dtype) if x.dtype.is_float else None,)
    def samples():
        from graphcore import dtype as dt
        x = np.array([-2.5, -0.0, 0.4, 3.7], "f4")
        return [([x], {"dtype": d}) for d in (dt.float64, dt.float16, dt.int32, dt.int8, dt.bool_)]


@op
class copy(Pointwise):
    """x itself, stored in row-major order: made by the compiler where a reshape needs one."""
    scalar = "{0}"
    accepts = "any"
    reference = np.array
    def vjp(g, y, x):
        return (g,)


@op
class fence(Operator):
    """x, but not before `late` (one value of any dtype) is known: keeps a second computation of x from being the first.

    Made by the compiler for what the backward pass computes again.
    """
    kind = "pointwise"
    arity = 2
    scalar = "{0}"
    accepts = "any"
    cheap = True
    def infer(x, late):
        if late.size != 1:
            raise ShapeError(f"fence waits for one value, not for {late}")
        return x
    def reference(x, late):
        return np.array(x)
    def vjp(g, y, x, late):
        return g, None
    def samples():
        return [([np.arange(6, dtype="f4").reshape(2, 3), np.float32(1)], {})]


@op
class iota(Operator):
    """The index along `axis` of an array of `shape`."""
    kind = "pointwise"
    arity = 0
    scalar = "{index}"
    cheap = True
    def infer(*, shape, axis, dtype):
        if not 0 <= axis < len(shape):
            raise ShapeError(f"iota: there is no axis {axis} in the shape {tuple(shape)}")
        return TensorType(dtype, tuple(shape))
    def reference(*, shape, axis, dtype):
        span = np.arange(shape[axis]).reshape([-1 if i == axis else 1 for i in range(len(shape))])
        return np.broadcast_to(span, shape).astype(dtype.storage)
    def samples():
        from graphcore import dtype as dt
        return [([], {"shape": (3, 4), "axis": a, "dtype": d}) for a in (0, 1) for d in (dt.int32, dt.float32)]


@op
class random_uniform(Operator):
    """Uniform floats in [0, 1) from the counter-based Philox generator.

    key: i64[2], seed and call number; `site` tells two calls of one graph apart.  The same key, site and index give
    the same number in any order and on any thread.
    """
    kind = "pointwise"
    arity = 1
    random = True
    scalar = "philox_uniform({key0}, {key1}, {site}, {flat_index})"
    cheap = True
    def infer(key, *, shape, site):
        if key.shape != (2,) or key.dtype.name != "int64":
            raise DTypeError(f"the key of a random operator is i64[2], got {key}")
        return TensorType(float32, tuple(shape))
    def reference(key, *, shape, site):
        from graphcore.ops.philox import uniform
        return uniform(int(key[0]), int(key[1]), site, shape)
    def vjp(g, y, key, *, shape, site):
        return (None,)
    def samples():
        return [([np.array([7, 3], "i8")], {"shape": (5, 3), "site": 1})]
