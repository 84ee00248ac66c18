"""Inputs of unknown size: what ``Cell.set_inputs(Tensor(shape=[None, 3], dtype=...))`` declares.

Unknown sizes become symbols; those that are equal in the call at hand share one, and a size of 1 stays a number (it may
broadcast).  One program then serves all sizes of the same pattern.
"""
from __future__ import annotations

from graphcore.errors import DTypeError, ShapeError
from graphcore.ir.dims import Dim
from graphcore.ir.types import TensorType
from graphcore.tensor import Tensor

_NAMES = "NMKLPQRS"


def declared_types(owner, args) -> list | None:
    """The types to capture positional `args` with, or None if the owner declares no unknown size.

    Raises ShapeError or DTypeError, naming the argument, for one that contradicts its declaration.
    """
    declared = owner.get_inputs() if owner is not None else None
    if not isinstance(declared, tuple) or not any(_is_open(d) for d in declared):
        return None
    if len(declared) != len(args):
        raise ShapeError(f"set_inputs declared {len(declared)} inputs, the call has {len(args)}")
    symbols: dict[int, Dim] = {}
    return [_type(i, d, a, symbols) if _is_open(d) else (a.type_ if isinstance(a, Tensor) else a)
            for i, (d, a) in enumerate(zip(declared, args))]


def _is_open(value) -> bool:
    return isinstance(value, Tensor) and None in value.shape


def _type(position: int, declared: Tensor, actual, symbols: dict) -> TensorType:
    if not isinstance(actual, Tensor):
        raise DTypeError(f"input {position} was declared a Tensor by set_inputs, got {type(actual).__name__}")
    if actual.dtype is not declared.dtype:
        raise DTypeError(f"input {position} was declared {declared.dtype.name} by set_inputs, got {actual.dtype.name}")
    fits = len(actual.shape) == len(declared.shape) and all(
        d is None or d == a for d, a in zip(declared.shape, actual.shape))
    if not fits:
        shown = tuple("?" if d is None else d for d in declared.shape)
        raise ShapeError(f"input {position} was declared with shape {shown} by set_inputs, got {actual.shape}")
    sizes = []
    for d, a in zip(declared.shape, actual.shape):
        if d is None and a > 1:
            sizes.append(symbols.setdefault(a, Dim.symbol(_name(len(symbols)))))
        else:
            sizes.append(a)
    return TensorType(actual.dtype, tuple(sizes))


def _name(number: int) -> str:
    return _NAMES[number] if number < len(_NAMES) else f"N{number}"
