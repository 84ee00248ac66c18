"""``ops.composite``: functions chosen by the types of their arguments, and mapped over nested tuples and lists."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore.capture.gradients import GradOperation
from graphcore.capture.location import locate
from graphcore.common.sparse_tensor import RowTensor
from graphcore.errors import DTypeError, ShapeError
from graphcore.ops.functional import (
    batch_dot,
    clip_by_global_norm,
    clip_by_norm,
    clip_by_value,
    count_nonzero,
    cummin,
    dot,
    gamma,
    laplace,
    matmul,
    mm,
    multinomial,
    normal,
    ones_like,
    partial,
    repeat_elements,
    repeat_interleave,
    sequence_mask,
    tensor_dot,
    uniform,
    vecdot,
    zeros_like,
)
from graphcore.ops.primitives.base import constexpr
from graphcore.parameter_tuple import sequence_like
from graphcore.tensor import Tensor

__all__ = [
    "MultitypeFuncGraph", "HyperMap", "Map", "GradOperation", "constexpr", "add_flags", "core", "clip_by_value",
    "clip_by_global_norm", "clip_by_norm", "ones_like", "zeros_like", "partial", "batch_dot", "count_nonzero", "cummin",
    "dot", "gamma", "laplace", "matmul", "mm", "multinomial", "normal", "repeat_elements",
    "repeat_interleave", "sequence_mask", "tensor_dot", "uniform", "vecdot",
]


class MultitypeFuncGraph:
    """A function with one implementation for each combination of argument types.

    ``f = MultitypeFuncGraph("f")``, then ``@f.register("Tensor", "Number")`` above each implementation.  Types are
    "Tensor", "Number", "Tuple", "List", "Dict", "String", "Bool", "Int", "Float", "None", "Function", or Python types.
    A call raises DTypeError (a TypeError) if no implementation fits.
    """

    def __init__(self, name, read_value=False, doc_url=""):
        self.name, self.entries = name, []

    def register(self, *type_names):
        """Decorator: the implementation for these types."""
        def decorate(function):
            self.entries.append((type_names, function))
            return function
        return decorate

    def __call__(self, *args):
        for type_names, function in self.entries:
            if len(type_names) == len(args) and all(map(_is_of, args, type_names)):
                return function(*args)
        given = ", ".join(type(a).__name__ for a in args)
        known = ", ".join(f"({', '.join(map(str, names))})" for names, _ in self.entries)
        raise locate(DTypeError(f"{self.name} has no implementation for ({given}); it has {known}"))

    def __repr__(self):
        return f"MultitypeFuncGraph({self.name!r})"


_KINDS = {
    "Tensor": Tensor, "Parameter": Tensor, "Number": (int, float), "Tuple": tuple, "List": list, "Dictionary": dict,
    "Dict": dict, "String": str, "Bool": bool, "Int": int, "Float": float, "None": type(None), "Function": object,
    "RowTensor": RowTensor, "Func": object, "Problem": object, "Env": object, "TypeType": dt.DType, "Keyword": object,
    "Slice": slice,
}


def _is_of(value, type_name) -> bool:
    if isinstance(type_name, str):
        if type_name in ("Function", "Func"):
            return callable(value)
        if type_name in ("Int", "Int32", "Int64", "Number") and isinstance(value, bool):
            return type_name == "Number"
        return isinstance(value, _KINDS.get(type_name, object if type_name not in dt.__dict__ else (int, float)))
    if isinstance(type_name, dt.DType):
        return isinstance(value, float if type_name.is_float else int)
    return isinstance(value, type_name)


class HyperMap:
    """A function mapped over tuples, lists and dicts, nested or not: ``HyperMap()(f, xs)`` or ``HyperMap(f)(xs)``.

    Raises DTypeError if the nests differ, ValueError if their lengths do.
    """

    nested = True

    def __init__(self, ops=None, reverse=False):
        self.ops, self.reverse = ops, reverse

    def __call__(self, *args):
        function, args = (self.ops, args) if self.ops is not None else (args[0], args[1:])
        return self._map(function, args)

    def _map(self, function, args):
        first = args[0]
        if isinstance(first, dict):
            return {k: self._entry(function, [a[k] for a in args]) for k in first}
        if not isinstance(first, (tuple, list)):
            return function(*args)
        if any(not isinstance(a, (tuple, list)) for a in args):
            raise locate(DTypeError(f"{type(self).__name__} takes sequences of one structure, got "
                                    + " and ".join(type(a).__name__ for a in args)))
        if any(len(a) != len(first) for a in args):
            raise locate(ShapeError(f"{type(self).__name__} takes sequences of one length, got "
                                    + " and ".join(str(len(a)) for a in args)))
        rows = list(zip(*args))
        mapped = [self._entry(function, row) for row in (reversed(rows) if self.reverse else rows)]
        return sequence_like(first, reversed(mapped) if self.reverse else mapped)

    def _entry(self, function, row):
        return self._map(function, row) if self.nested else function(*row)


class Map(HyperMap):
    """A function mapped over tuples and lists, one level deep."""

    nested = False


def add_flags(fn=None, **flags):
    """Decorator that notes MindSpore's compile flags on a function; they steer nothing here."""
    def decorate(function):
        if not hasattr(function, "_func_graph_flags"):
            function._func_graph_flags = {}
        function._func_graph_flags.update(flags)
        return function
    return decorate if fn is None else decorate(fn)


def core(fn=None, **flags):
    """As `add_flags`."""
    return add_flags(fn, **flags)
