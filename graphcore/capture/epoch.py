"""Counters that make guards cheap: a compiled program checks one integer, not every attribute.

`structure` moves when anything that a capture may have read of a Cell changes (an attribute, a sub-cell, a Parameter
object, a training flag), and when the values of a Tensor that is a constant of some program may have changed; `data`
moves when the values of any Parameter are written through the API.
"""
from __future__ import annotations

import sys
import weakref

import numpy as np

structure = [0]
data = [0]


def _references_of_one_holder() -> int:
    """What getrefcount says of an object in a local variable that one other holds; it depends on the interpreter."""
    holder = [object()]
    held = holder[0]
    return sys.getrefcount(held)


_OF_ONE_HOLDER = _references_of_one_holder()

#: id -> the NumPy array that owns the memory of a constant; taken out once the memory is written or handed out.
constants: dict[int, weakref.ref] = {}


def structure_changed() -> None:
    structure[0] += 1


def data_changed() -> None:
    data[0] += 1


def watch(tensor) -> bool:
    """Let every change of a Tensor's values move `structure`; False if others hold its memory and may write unseen."""
    array = tensor._array
    if sys.getrefcount(array) > _OF_ONE_HOLDER:
        return False
    if array.base is not None:
        array = array.base          # NumPy keeps no chains of views
        if sys.getrefcount(array) > _OF_ONE_HOLDER:
            return False
    if not (isinstance(array, np.ndarray) and array.flags.owndata):
        return False
    key = id(array)
    constants[key] = weakref.ref(array, lambda _: constants.pop(key, None))
    return True


def is_watched(tensor) -> bool:
    """Whether the memory of a Tensor has neither been written nor handed out since `watch`."""
    return _owner(tensor._array) in constants


def values_exposed(array) -> None:
    """The memory of a Tensor was written, or is given to somebody who may write."""
    if constants and constants.pop(_owner(array), None) is not None:
        structure_changed()


def _owner(array) -> int:
    return id(array if array.base is None else array.base)
