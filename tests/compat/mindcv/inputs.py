"""The weights and images that MindSpore was given for `recorded.json`: the same on every machine."""
from __future__ import annotations

import zlib

import numpy as np


def weight(name: str, shape: tuple, gain: float = 1.0) -> np.ndarray:
    """float32 values for the Parameter `name`, seeded by it; matrices and kernels are scaled by their fan-in."""
    random = np.random.RandomState(zlib.crc32(name.encode()))
    leaf = name.rsplit(".", 1)[-1]
    if leaf == "moving_variance":
        return random.uniform(0.5, 1.5, shape).astype(np.float32)
    if leaf == "gamma" and len(shape) == 1:
        return (1 + 0.1 * random.standard_normal(shape)).astype(np.float32)
    fan_in = np.prod(shape[1:])
    if len(shape) >= 2 and fan_in > 1 and "embed" not in leaf and "token" not in leaf:
        scaled = (random.standard_normal(shape) * np.sqrt(1.0 / fan_in)).astype(np.float32)
        return scaled * np.float32(np.sqrt(gain))
    return (0.1 * random.standard_normal(shape)).astype(np.float32)


def image(index: int, size: int, channels: int = 3) -> np.ndarray:
    """float32 image `index` as a batch (1, channels, size, size)."""
    return np.random.RandomState(1000 + index).standard_normal((1, channels, size, size)).astype(np.float32)


def names_checksum(parameters) -> int:
    """The crc32 of the lines ``name(shape)`` of Parameters, in their order."""
    return zlib.crc32("\n".join(p.name + str(tuple(p.shape)) for p in parameters).encode())
