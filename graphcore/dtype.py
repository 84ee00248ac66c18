"""Data types, with the names and printed forms of ``mindspore.dtype``.

Every dtype is one object, compared by identity.  ``float16`` and ``bfloat16`` are stored as 16-bit words and
computed in float32 by the kernels; ``bfloat16`` has no NumPy type, so it leaves to NumPy as float32.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class DType:
    """One element type.

    name: the public name (``float32``); code: the short name used in IR text (``f32``);
    storage: the NumPy dtype of the memory that holds it; kind: 'f' float, 'i' signed, 'u' unsigned, 'b' bool, 'c'
    complex.
    Complex tensors exist outside of graphs only, where NumPy computes.
    """

    name: str
    code: str
    storage: np.dtype
    kind: str

    @property
    def itemsize(self) -> int:
        return self.storage.itemsize

    @property
    def is_float(self) -> bool:
        return self.kind == "f"

    @property
    def is_integer(self) -> bool:
        return self.kind in "iu"

    @property
    def is_complex(self) -> bool:
        return self.kind == "c"

    @property
    def is_bool(self) -> bool:
        return self.kind == "b"

    def __str__(self) -> str:
        return {"uint8": "UInt8", "uint16": "UInt16", "uint32": "UInt32", "uint64": "UInt64",
                "bfloat16": "BFloat16"}.get(self.name, self.name.rstrip("_").capitalize())

    def __repr__(self) -> str:
        return f"mindspore.{self.name}"

    def __reduce__(self):
        return (from_name, (self.name,))

    def __copy__(self):
        return self

    def __deepcopy__(self, memo):
        return self


float16 = DType("float16", "f16", np.dtype(np.float16), "f")
bfloat16 = DType("bfloat16", "bf16", np.dtype(np.uint16), "f")
float32 = DType("float32", "f32", np.dtype(np.float32), "f")
float64 = DType("float64", "f64", np.dtype(np.float64), "f")
int8 = DType("int8", "i8", np.dtype(np.int8), "i")
int16 = DType("int16", "i16", np.dtype(np.int16), "i")
int32 = DType("int32", "i32", np.dtype(np.int32), "i")
int64 = DType("int64", "i64", np.dtype(np.int64), "i")
uint8 = DType("uint8", "u8", np.dtype(np.uint8), "u")
uint16 = DType("uint16", "u16", np.dtype(np.uint16), "u")
uint32 = DType("uint32", "u32", np.dtype(np.uint32), "u")
uint64 = DType("uint64", "u64", np.dtype(np.uint64), "u")
bool_ = DType("bool_", "bool", np.dtype(np.bool_), "b")
complex64 = DType("complex64", "c64", np.dtype(np.complex64), "c")
complex128 = DType("complex128", "c128", np.dtype(np.complex128), "c")

ALL = (float16, bfloat16, float32, float64, int8, int16, int32, int64, uint8, uint16, uint32, uint64, bool_)
BY_CODE = {d.code: d for d in ALL}
_BY_NAME = {d.name: d for d in ALL} | {"bool": bool_, "half": float16, "float": float32, "double": float64,
                                       "int": int64, "long": int64}
_COMPLEX = (complex64, complex128)
_BY_NAME |= {d.name: d for d in _COMPLEX}
_BY_NUMPY = {d.storage: d for d in (*ALL, *_COMPLEX) if d is not bfloat16}

half, single, double = float16, float32, float64
float_, int_, uint = float32, int64, uint64
byte, short, intc, intp = int8, int16, int32, int64
ubyte, ushort, uintc, uintp = uint8, uint16, uint32, uint64


class _Number:
    """What the dtypes of numbers have in common: ``dtype in number`` tells them from the others."""

    def __contains__(self, dtype) -> bool:
        return dtype in ALL and not dtype.is_bool

    def __str__(self):
        return "Number"

    def __repr__(self):
        return "mindspore.number"


number = _Number()


def from_name(name: str) -> DType:
    """The dtype called `name` ('float32', 'bool', ...).  Raises TypeError for an unknown name."""
    try:
        return _BY_NAME[name]
    except KeyError:
        raise TypeError(f"unknown dtype {name!r}; known are {', '.join(d.name for d in ALL)}") from None


def from_numpy(dtype) -> DType:
    """The dtype whose values a NumPy array of `dtype` holds.  Raises TypeError where there is none."""
    found = _BY_NUMPY.get(np.dtype(dtype).newbyteorder("="))
    if found is None:
        raise TypeError(f"NumPy dtype {np.dtype(dtype)} has no graphcore dtype; convert the array with .astype first")
    return found


def as_dtype(value) -> DType:
    """Accept a DType, a name, a Python type (int, float, bool) or anything `numpy.dtype` takes."""
    if isinstance(value, DType):
        return value
    if value is bool:
        return bool_
    if value is int:
        return int64
    if value is float:
        return float32
    if isinstance(value, str):
        return from_name(value)
    return from_numpy(value)


def dtype_to_nptype(type_: DType):
    """The NumPy scalar type of a dtype; bfloat16 gives float32 (MindSpore's function of the same name)."""
    return np.float32 if type_ is bfloat16 else type_.storage.type


def pytype_to_dtype(obj) -> DType:
    """The dtype of a Python type (float: float64, as in MindSpore) or NumPy dtype."""
    return float64 if obj is float else as_dtype(obj)


def dtype_to_pytype(type_: DType) -> type:
    """The Python type that holds one value of `type_`."""
    return {"f": float, "i": int, "u": int, "b": bool, "c": complex}[type_.kind]


def bfloat16_to_float32(words: np.ndarray) -> np.ndarray:
    """Widen bfloat16 words (uint16) to float32; exact."""
    return (words.astype(np.uint32) << 16).view(np.float32)


def float32_to_bfloat16(values: np.ndarray) -> np.ndarray:
    """Round float32 to bfloat16 words (uint16), ties to even; NaN stays NaN."""
    bits = np.ascontiguousarray(values, np.float32).view(np.uint32)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return np.where(np.isnan(values), np.uint16(0x7FC0), rounded)
