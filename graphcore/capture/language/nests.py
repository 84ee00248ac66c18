"""Python values with tensors in them: taken apart, put together, and joined where two branches or iterations meet."""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graphcore import dtype as dt
from graphcore.capture.location import describe, locate, user_frame
from graphcore.capture.trace import DecideByValue, Trace, current_trace
from graphcore.errors import CaptureError
from graphcore.ir import graph as ir
from graphcore.ir.graph import Node
from graphcore.ir.types import TensorType
from graphcore.ops import pointwise
from graphcore.ops.dispatch import promote
from graphcore.ops.view import broadcast_to
from graphcore.parameter_tuple import sequence_like
from graphcore.tensor import Tensor

NUMBERS = (bool, int, float, np.bool_, np.integer, np.floating)
_PLAIN = (bool, int, float, str, bytes, type(None), np.generic)


class _Unbound:
    """Stands for a local variable that has no value."""

    def __repr__(self):
        return "<unbound>"


UNBOUND = _Unbound()


class JoinError(CaptureError):
    """The values of two branches, or before and after an iteration, do not fit together."""


class UndefinedError(CaptureError, UnboundLocalError):
    """A variable is used that was given a value in one branch only."""


class Undefined:
    """The value of a variable that only one branch gave a value to: using it is an error."""

    def __init__(self, name: str, why: str):
        self.__dict__.update(name=name, why=why, where=describe(user_frame()), branch=None)

    def may_decide(self, code) -> None:
        """Using it starts the capture again, with the branch of this code, whose it is, decided by value."""
        if self.branch is None:
            self.__dict__["branch"] = code

    def refuse(self, *args, **kwargs):
        """Raise UndefinedError, or DecideByValue where that helps."""
        trace = current_trace()
        if self.branch is not None and trace is not None and self.branch not in trace.root.decided:
            raise DecideByValue(self.branch)
        raise locate(UndefinedError(f"local variable {self.name!r} is used, but {self.why}:\n{self.where}\nGive it a "
                                    "value before, or in both branches"))

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        self.refuse()


for _name in """add radd sub rsub mul rmul truediv rtruediv floordiv rfloordiv mod rmod pow rpow matmul rmatmul and or
        xor neg pos abs invert lt le gt ge eq ne bool int float index len iter getitem setitem contains call str repr
        format hash""".split():
    setattr(Undefined, f"__{_name}__", Undefined.refuse)


@dataclass(frozen=True)
class Slot:
    """The place of tensor number `index` in a nest that was taken apart."""

    index: int


def take_apart(value, tensors: list, is_leaf=lambda v: isinstance(v, Tensor)):
    """`value` with what `is_leaf` says replaced by Slots; the leaves are appended to `tensors`."""
    if is_leaf(value):
        tensors.append(value)
        return Slot(len(tensors) - 1)
    return _map(value, lambda v: take_apart(v, tensors, is_leaf))


def put_together(structure, tensors):
    """The inverse of `take_apart`."""
    if isinstance(structure, Slot):
        return tensors[structure.index]
    return _map(structure, lambda s: put_together(s, tensors))


def tensors_in(value) -> list:
    """All tensors in a nest."""
    found: list = []
    take_apart(value, found)
    return found


def _map(value, function):
    """A container with `function` applied to its entries; itself if that changes none of them."""
    if isinstance(value, (list, tuple)):
        items = [function(v) for v in value]
        if all(new is old for new, old in zip(items, value)):
            return value
        return sequence_like(value, items)
    if isinstance(value, dict):
        items = {k: function(v) for k, v in value.items()}
        return value if all(items[k] is v for k, v in value.items()) else items
    return value


# -- joining --------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Pair:
    """Two values (tensors or numbers; UNBOUND: none) that become one tensor."""

    first: object
    second: object


def join(name: str, first, second, pairs: list):
    """One value for two: what is equal stays, where tensors or numbers differ a Slot stands for an entry of `pairs`.

    A value that is UNBOUND on one side gives an `Undefined`; for names that conversion made, the value of the other
    side (it is read only where it was set).  Raises JoinError for values that have no common form.
    """
    if first is second:
        return first
    if isinstance(first, Undefined) or isinstance(second, Undefined):
        return first if isinstance(first, Undefined) else second
    if first is UNBOUND or second is UNBOUND:
        if not name.startswith("gc_"):
            return Undefined(name, "only one branch of an if on a tensor gives it a value")
        value = second if first is UNBOUND else first
        return _filled(value, first is UNBOUND, pairs)
    is_tensor = isinstance(first, Tensor) or isinstance(second, Tensor)
    if is_tensor and all(isinstance(v, (Tensor, *NUMBERS)) for v in (first, second)):
        return _pair(first, second, pairs)
    if isinstance(first, _PLAIN) and type(first) is type(second) and (first == second or first != first):
        return first
    if isinstance(first, NUMBERS) and isinstance(second, NUMBERS):
        return _pair(first, second, pairs)
    if type(first) is type(second) and isinstance(first, (list, tuple)) and len(first) == len(second):
        items = [join(f"{name}[{i}]", a, b, pairs) for i, (a, b) in enumerate(zip(first, second))]
        return type(first)(*items) if hasattr(first, "_fields") else type(first)(items)
    if isinstance(first, dict) and isinstance(second, dict) and list(first) == list(second):
        return {k: join(f"{name}[{k!r}]", v, second[k], pairs) for k, v in first.items()}
    raise JoinError(f"{name} is {_shown(first)} in one branch and {_shown(second)} in the other; give it one kind of "
                    "value in both")


def _pair(first, second, pairs: list) -> Slot:
    pairs.append(Pair(first, second))
    return Slot(len(pairs) - 1)


def _filled(value, is_first_missing: bool, pairs: list):
    """`value`, whose tensors are joined with nothing."""
    if isinstance(value, Tensor):
        return _pair(*((UNBOUND, value) if is_first_missing else (value, UNBOUND)), pairs)
    return _map(value, lambda v: _filled(v, is_first_missing, pairs))


def pair_nodes(pair: Pair, first: Trace, second: Trace) -> tuple[Node, Node]:
    """The nodes of a pair, brought to one type.  Raises JoinError where tensors differ in dtype or shape."""
    nodes = [None if v is UNBOUND else t.node_of(v) for v, t in ((pair.first, first), (pair.second, second))]
    if None in nodes:
        known = nodes[0] or nodes[1]
        return tuple(n or zeros(known.type) for n in nodes)
    weak = [not isinstance(v, Tensor) for v in (pair.first, pair.second)]
    type_ = _common(nodes[0].type, nodes[1].type, weak)
    return tuple(converted(n, type_) for n in nodes)


def _common(first: TensorType, second: TensorType, weak) -> TensorType:
    if weak == [True, True]:    # float64 is how NumPy sees Python's floats
        kind = dt.float32 if first.dtype.is_float or second.dtype.is_float else promote(first.dtype, second.dtype)
        return TensorType(kind, ())
    if first == second:
        return first
    if True in weak:            # a number takes the type of the tensor, if that can hold it
        tensor, number = (second, first) if weak[0] else (first, second)
        if number.dtype.is_float and not tensor.dtype.is_float:
            raise JoinError(f"a tensor of type {tensor} in one branch and a float number in the other; use a float "
                            "tensor in both")
        return tensor
    what = "dtypes" if first.shape == second.shape else "shapes"
    cure = "convert one with .astype(...)" if what == "dtypes" else "bring them to one shape (broadcast_to, pad)"
    raise JoinError(f"the tensors of the two branches have different {what}, {first} and {second}; {cure}")


def converted(node: Node, type_: TensorType) -> Node:
    """A node cast and broadcast to a type."""
    if node.dtype is not type_.dtype:
        node = pointwise.cast(node, dtype=type_.dtype)
    return node if node.shape == type_.shape else broadcast_to(node, shape=type_.shape)


def zeros(type_: TensorType) -> Node:
    """A node of zeros."""
    zero = ir.const(np.zeros((), type_.dtype.storage), type_.dtype)
    return broadcast_to(zero, shape=type_.shape) if type_.shape else zero


def _shown(value) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of type {value.type_}"
    if isinstance(value, (list, tuple, dict)):
        return f"a {type(value).__name__} of {len(value)}"
    return repr(value) if isinstance(value, _PLAIN) else f"a {type(value).__name__}"
