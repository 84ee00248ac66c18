"""What an operator is: one record with everything about it, and the registry of all.

A record is written as a class under ``@op``; the class's docstring is the operator's documentation and its plain
functions are the facts::

    @op
    class softplus(Pointwise):
        "log(1 + e^x), stable for large |x|."
        scalar = "maximum({0}, 0) + log1p(exp(-abs({0})))"
        def reference(x): return np.logaddexp(0, x)
        def vjp(g, y, x): return (g * sigmoid(x),)

`softplus` is then an `Operator`; calling it on nodes gives a node.  Gradient rules are written with operators, so
gradients of gradients follow.  Fusion sees four kinds: Pointwise, Reduction, View, Scheduled.
"""
from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module

import numpy as np

from graphcore.dtype import DType, bool_
from graphcore.errors import DTypeError, ShapeError
from graphcore.ir import graph as ir
from graphcore.ir.graph import Node
from graphcore.ir.types import TensorType


class _Registry(dict):
    """Name → record.  Asked for a name that it lacks, it imports the modules of records that nothing needed so far."""

    def __missing__(self, name: str) -> Operator:
        import_module("graphcore.ops.records")
        if name not in self:
            raise KeyError(name)
        return self[name]


REGISTRY: dict[str, Operator] = _Registry()


class Operator:
    """Base of all records.

    infer(*types, **attrs) -> TensorType    the type rule; raises ShapeError / DTypeError with a readable message
    reference(*arrays, **attrs) -> array    what it means, in NumPy; the oracle and the eager path
    vjp(g, y, *inputs, **attrs) -> tuple    a gradient node (or None) per input; no function: no gradient
    multiply_adds(*types, **attrs) -> size  how many a product takes; no function: it is none
    samples() -> list of (arrays, attrs)    inputs on which the registry test tries it; kinds supply defaults
    """

    name: str
    kind: str = "operator"
    arity: int | None = None
    vjp: Callable | None = None
    reference: Callable
    infer: Callable
    samples: Callable | None = None
    multiply_adds: Callable | None = None
    random = False          # carries a `site` attribute, so that two calls are never merged

    def __call__(self, *inputs: Node, **attrs) -> Node:
        if self.arity is not None and len(inputs) != self.arity:
            raise TypeError(f"{self.name} takes {self.arity} inputs, got {len(inputs)}")
        inputs = tuple(inputs)
        return ir.node(self.name, inputs, attrs, self.infer(*(i.type for i in inputs), **attrs))

    def __repr__(self):
        return f"<operator {self.name}>"


def op(cls: type) -> Operator:
    """Class decorator: make the one instance of the record and register it under the class's name."""
    for key, value in list(vars(cls).items()):
        if inspect.isroutine(value) and not key.startswith("__"):
            setattr(cls, key, staticmethod(value))
    record = cls()
    record.name = cls.__name__.rstrip("_")
    if record.name in REGISTRY:
        raise ValueError(f"operator {record.name} is registered twice")
    if not cls.__doc__:
        raise ValueError(f"operator {record.name} has no docstring")
    record.__doc__ = cls.__doc__
    REGISTRY[record.name] = record
    return record


def get(name: str) -> Operator:
    """The record called `name`."""
    return REGISTRY[name]


def broadcast_shapes(*shapes: tuple) -> tuple:
    """NumPy's broadcasting, also for symbolic sizes.  Raises ShapeError naming the shapes."""
    result = []
    for axis in range(1, max(map(len, shapes), default=0) + 1):
        sizes = [s[-axis] for s in shapes if len(s) >= axis and s[-axis] != 1]
        if any(size != sizes[0] for size in sizes[1:]):
            raise ShapeError("shapes " + " and ".join(str(tuple(s)) for s in shapes) + " do not broadcast: "
                             f"axis -{axis} is " + " and ".join(str(s) for s in dict.fromkeys(sizes))
                             + "; give them equal sizes, or size 1, there (reshape, expand_dims)")
        result.append(sizes[0] if sizes else 1)
    return tuple(reversed(result))


class Pointwise(Operator):
    """out[i] = f(a[i], b[i], ...), with NumPy broadcasting; all inputs of one dtype (see `infer`).

    scalar: the function as an expression of the kernel language, inputs written {0}, {1}.
    result: dtype of the result: 'same', or 'bool' for predicates.
    accepts: 'any', 'float', 'number', 'integer', 'bool' or 'integer or bool'.
    cheap: recomputing it beats storing it.   domain: interval of sensible random inputs for tests.
    """

    kind = "pointwise"
    arity = 1
    scalar: str
    result = "same"
    accepts = "number"
    cheap = False
    domain = (-3.0, 3.0)

    def infer(self, *types: TensorType) -> TensorType:
        first = types[0].dtype
        for t in types[1:]:
            if t.dtype is not first:
                raise DTypeError(f"{self.name}: dtypes differ: " + ", ".join(str(t) for t in types))
        check_dtype(self.name, first, self.accepts)
        return TensorType(bool_ if self.result == "bool" else first, broadcast_shapes(*(t.shape for t in types)))


class Reduction(Operator):
    """Combine all elements along `axes` (sorted, non-negative); `keepdims` leaves axes of size 1.

    combine: 'add', 'multiply', 'maximum', 'minimum', 'and', 'or'; identity: its neutral element, by dtype.
    """

    kind = "reduction"
    arity = 1
    combine: str
    accepts = "number"

    def infer(self, x: TensorType, *, axes: tuple, keepdims: bool) -> TensorType:
        check_dtype(self.name, x.dtype, self.accepts)
        if any(not before < axis < x.rank for before, axis in zip((-1, *axes), axes)):
            raise ShapeError(f"{self.name}: the axes {tuple(axes)} are not sorted axes of a tensor of shape {x.shape}")
        return x.with_shape(reduced_shape(x.shape, axes, keepdims))


class View(Operator):
    """The same elements under other indices: no arithmetic, no copy unless a consumer needs one.

    lower(view, **attrs) -> View or None    the strided window on the same memory, None where there is none
    """

    kind = "view"
    arity = 1
    lower: Callable


class Scheduled(Operator):
    """An operator with a kernel of its own; `kernel` names the lowering function in `compiler.kernels.LOWERINGS`."""

    kind = "scheduled"


class Structural(Operator):
    """Bookkeeping of the graph itself (grad, item, barrier): gone before fusion."""

    kind = "structural"


def reduced_shape(shape: tuple, axes: tuple, keepdims: bool) -> tuple:
    if keepdims:
        return tuple(1 if i in axes else s for i, s in enumerate(shape))
    return tuple(s for i, s in enumerate(shape) if i not in axes)


_ACCEPTED = {
    "any": lambda d: True,
    "float": lambda d: d.is_float or d.is_complex,
    "number": lambda d: not d.is_bool,
    "integer": lambda d: d.is_integer,
    "bool": lambda d: d.is_bool,
    "integer or bool": lambda d: not d.is_float,
}


def check_dtype(name: str, dtype: DType, accepts: str) -> None:
    """Raise DTypeError unless `dtype` belongs to the class `accepts`."""
    if not _ACCEPTED[accepts](dtype):
        raise DTypeError(f"{name} takes {accepts} tensors, got {dtype.name}")


def normalize_axes(axes, rank: int, name: str = "axis") -> tuple:
    """Sorted non-negative axes from None (all), an int or a sequence.  Raises ValueError out of range."""
    if axes is None or axes == ():
        return tuple(range(rank))
    result = []
    for axis in (axes,) if isinstance(axes, (int, np.integer)) else axes:
        axis = int(axis)
        if not -rank <= axis < max(rank, 1):
            raise ShapeError(f"{name} {axis} is out of range for a tensor of {rank} dimensions; "
                             + (f"give an axis from {-rank} to {rank - 1}" if rank else "leave it out"))
        axis = axis % rank if rank else 0
        if axis in result:
            raise ShapeError(f"{name} {axis} is given twice; name each axis once")
        result.append(axis)
    return tuple(sorted(a for a in result if a < rank))
