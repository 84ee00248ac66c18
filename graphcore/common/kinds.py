"""Kinds of types, as ``mindspore.common.dtype`` has them: ``isinstance(float32, Float)``, ``Float(32)``."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore.dtype import DType
from graphcore.tensor import Tensor

__all__ = ["Bool", "Complex", "Float", "Int", "Number", "TensorType", "Type", "UInt", "get_py_obj_dtype",
           "number_type", "tensor_type"]

number_type = (dt.int8, dt.int16, dt.int32, dt.int64, dt.uint8, dt.uint16, dt.uint32, dt.uint64, dt.float16, dt.float32,
               dt.float64, dt.bfloat16, dt.complex64, dt.complex128)


class _Kind(type):
    """A class whose instances are the dtypes of some kinds; called with a number of bits it gives one of them."""

    def __instancecheck__(cls, value) -> bool:
        return isinstance(value, DType) and value.kind in cls.letters and value is not dt.bfloat16

    def __call__(cls, bits: int = 8) -> DType:
        for dtype in (*number_type, dt.bool_):
            if dtype.kind in cls.letters and dtype.itemsize * 8 == bits and dtype is not dt.bfloat16:
                return dtype
        raise TypeError(f"there is no {cls.__name__} of {bits} bits")


class Number(metaclass=_Kind):
    """Every dtype but bfloat16."""

    letters = "fiubc"


class Float(metaclass=_Kind):
    """Dtypes of floats, without bfloat16 (as in MindSpore)."""

    letters = "f"


class Int(metaclass=_Kind):
    """Dtypes of integers with a sign."""

    letters = "i"


class UInt(metaclass=_Kind):
    """Dtypes of integers without a sign."""

    letters = "u"


class Complex(metaclass=_Kind):
    """Dtypes of complex numbers."""

    letters = "c"


class Bool(metaclass=_Kind):
    """The dtype of truth values."""

    letters = "b"


class TensorType:
    """The type of Tensors of a dtype, or of any without one; compared by dtype."""

    def __init__(self, element: DType | None = None):
        self._element = element

    def element_type(self) -> DType | None:
        """The dtype."""
        return self._element

    def __eq__(self, other):
        return isinstance(other, TensorType) and other._element is self._element

    def __hash__(self):
        return hash(self._element)

    def __str__(self):
        return "Tensor" + (f"[{self._element}]" if self._element is not None else "")

    def __repr__(self):
        return "mindspore.tensor" + (f"[{self._element.name}]" if self._element is not None else "")


class _AnyType(type):
    def __instancecheck__(cls, value) -> bool:
        return isinstance(value, (DType, TensorType))


class Type(metaclass=_AnyType):
    """What every dtype and TensorType is an instance of."""


tensor_type = TensorType()


def get_py_obj_dtype(obj) -> DType | TensorType:
    """The type of a Tensor, a number (float: float64, int: int64) or a Python type.  Raises TypeError for others."""
    if isinstance(obj, Tensor):
        return TensorType(obj.dtype)
    kind = obj if isinstance(obj, type) else type(obj)
    found = {bool: dt.bool_, int: dt.int64, float: dt.float64}.get(kind)
    if found is None:
        raise TypeError(f"get_py_obj_dtype takes a Tensor or a number, got {kind.__name__}")
    return found
