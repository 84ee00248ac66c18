"""Numbers that are inputs of a graph: what ``mutable(3)`` gives."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore.ir.types import TensorType


class _Mutable:
    """What a capture asks of an input: it has the interface of a Tensor there."""

    shape = ()

    @property
    def type_(self) -> TensorType:
        return TensorType(self._dtype, ())

    @property
    def _array(self) -> np.ndarray:
        return np.asarray(self, self._dtype.storage)


class MutableInt(_Mutable, int):
    """An int that is a 0-d int64 tensor in a graph."""

    _dtype = dt.int64


class MutableFloat(_Mutable, float):
    """A float that is a 0-d float32 tensor in a graph."""

    _dtype = dt.float32


MUTABLE = (MutableInt, MutableFloat)
