"""Two counters that make guards cheap: a compiled program checks one integer, not every attribute.

`structure` moves when anything that a capture may have read of a Cell changes (an attribute, a sub-cell, a Parameter
object, a training flag); `data` moves when the values of any Parameter are written through the API.
"""
from __future__ import annotations

structure = [0]
data = [0]


def structure_changed() -> None:
    structure[0] += 1


def data_changed() -> None:
    data[0] += 1
