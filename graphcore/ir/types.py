"""Types of IR values: ``f32[64,1,8,8]``, and tuples of them."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from graphcore.dtype import BY_CODE, DType
from graphcore.errors import FormatError
from graphcore.ir import dims
from graphcore.ir.dims import Size


@dataclass(frozen=True)
class TensorType:
    """Element type and sizes of the axes; a size is an int or a symbolic `Dim`."""

    dtype: DType
    shape: tuple

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> Size:
        return dims.product(self.shape)

    @property
    def is_static(self) -> bool:
        return all(isinstance(d, int) for d in self.shape)

    def with_dtype(self, dtype: DType) -> TensorType:
        return TensorType(dtype, self.shape)

    def with_shape(self, shape) -> TensorType:
        return TensorType(self.dtype, tuple(shape))

    def __str__(self) -> str:
        return f"{self.dtype.code}[{','.join(map(str, self.shape))}]"


@dataclass(frozen=True)
class TupleType:
    """Several values: what `grad` and region nodes give; `item` nodes take them apart."""

    items: tuple

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.items))})"


@dataclass(frozen=True)
class TapeType:
    """As many values of one type as a loop had iterations, a number known only when the program runs."""

    element: TensorType

    def __str__(self) -> str:
        return f"tape({self.element})"


Type = Union[TensorType, TupleType, TapeType]


def parse_type(text: str) -> TensorType:
    """Read ``f32[64,N,8]``; the inverse of `str` on a TensorType."""
    from graphcore.ir.scanner import parse_size  # which needs the types of this module
    head, bracket, rest = text.strip().partition("[")
    if head not in BY_CODE or not bracket or not rest.endswith("]"):
        raise FormatError(f"{text!r} is not a type; write for example f32[64,1,8,8] or i32[N]")
    body = rest[:-1].strip()
    return TensorType(BY_CODE[head], tuple(map(parse_size, body.split(","))) if body else ())
