"""Attributes that a captured function both reads and writes: ``self.h = f(self.h)``, ``self.n += 1``.

Taken for constants they would be another graph in every call.  So once a capture writes a tensor or number that it has
read before, it starts again with this attribute as one more input of the graph, read anew at each call.
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from graphcore import dtype as dt
from graphcore.capture import guards
from graphcore.capture.places import Attribute
from graphcore.ir.types import TensorType
from graphcore.tensor import Tensor


@dataclass(frozen=True)
class StateAttribute:
    """An attribute that is an input of the graph; `is_number`: int or float, a 0-d int64 or float32 tensor inside."""

    owner: Any
    name: str
    type: TensorType
    is_number: bool

    @property
    def key(self):
        return id(self.owner), self.name

    def enter(self, trace) -> None:
        """Let the attribute be an input while the trace at hand is recorded."""
        place = Attribute(self.owner, self.name)
        trace.states[self.key] = self, trace.add_input(f"{self.name}.{len(trace.states)}", self.type)
        guards.written(self.owner, self.name)
        trace.touched[self.key] = place, place.read()
        place.write(trace.states[self.key][1])

    def array(self) -> np.ndarray:
        """The present value, as an input of the program."""
        value = getattr(self.owner, self.name)
        return np.asarray(value, self.type.dtype.storage) if self.is_number else value._array

    def fits(self) -> bool:
        """Whether the present value is of the kind that the graph was captured for."""
        value = getattr(self.owner, self.name, None)
        return is_state(value) and _type_of(value) == self.type and isinstance(value, Tensor) is not self.is_number


class StartAgain(BaseException):
    """A capture wrote an attribute that it had read as a constant; it is to start again with it as an input."""

    def __init__(self, attribute: StateAttribute):
        super().__init__(f"{attribute.name} is read and written")
        self.attribute = attribute


def is_state(value) -> bool:
    """Whether a value may be an input: a plain Tensor, an int or a float."""
    return type(value) in (Tensor, int, float)


def state_attribute(owner, name: str, value) -> StateAttribute:
    """The attribute of `owner` that holds `value`, as an input."""
    return StateAttribute(owner, name, _type_of(value), not isinstance(value, Tensor))


def _type_of(value) -> TensorType:
    if isinstance(value, Tensor):
        return value.type_
    return TensorType(dt.int64 if isinstance(value, int) else dt.float32, ())
