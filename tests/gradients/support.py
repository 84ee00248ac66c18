"""What the tests of gradients share: nests of Tensors as nests of lists, and slopes in float64."""
from __future__ import annotations

import numpy as np

from graphcore import Tensor


def plain(value):
    """A nest with lists of numbers in place of Tensors."""
    if isinstance(value, Tensor):
        return value.asnumpy().tolist()
    if isinstance(value, (tuple, list)):
        return tuple(map(plain, value))
    return value


def slopes(function, *arrays, step: float = 1e-6) -> list:
    """For each float64 array the central differences of the sum of what `function` of Tensors gives."""
    found = []
    for k, array in enumerate(arrays):
        slope = np.empty_like(array)
        for place in np.ndindex(array.shape):
            ends = []
            for sign in (1, -1):
                moved = [a.copy() for a in arrays]
                moved[k][place] += sign * step
                ends.append(float(function(*map(Tensor, moved)).asnumpy().sum()))
            slope[place] = (ends[0] - ends[1]) / (2 * step)
        found.append(slope)
    return found
