"""What initialisers are made of: seeds, random numbers, and the fans and gains that scale them.

Each lazy Tensor draws a seed when it is made; while an initialiser is evaluated, all its numbers come from one
generator with that seed.
"""
from __future__ import annotations

import itertools
import math
import threading
from contextlib import contextmanager

import numpy as np

from graphcore.errors import ShapeError

_seeds = itertools.count()
_base_seed: int | None = None
_drawing = threading.local()


def reset_generator(seed: int) -> None:
    """Make the initialisers created from now on repeat those created after an earlier call with the same seed."""
    global _base_seed, _seeds
    _base_seed, _seeds = int(seed), itertools.count()


def next_seed() -> tuple:
    """A seed of its own for each lazy Tensor: (global seed, how many were drawn before)."""
    if _base_seed is None:
        reset_generator(int(np.random.SeedSequence().generate_state(1)[0]))
    return _base_seed, next(_seeds)


def generator() -> np.random.Generator:
    """The generator of the initialiser that is being evaluated."""
    current = getattr(_drawing, "generator", None)
    return np.random.default_rng(next_seed()) if current is None else current


@contextmanager
def drawing_with(seed):
    """Let `generator` give a fresh one of this seed, an int or a tuple of ints, on this thread."""
    outer = getattr(_drawing, "generator", None)
    _drawing.generator = np.random.default_rng(seed)
    try:
        yield
    finally:
        _drawing.generator = outer


# -- the sizes that scale random weights ---------------------------------------------------------------
def fan_in_and_fan_out(shape) -> tuple:
    """(fan_in, fan_out) of a weight (out, in, *kernel).  Raises ShapeError for less than two axes."""
    if len(shape) < 2:
        raise ShapeError("fan_in and fan_out need a tensor of two dimensions at least, got shape "
                         f"{tuple(shape)}; use another initializer for it, as Normal or Zero")
    receptive = math.prod(shape[2:])
    return shape[1] * receptive, shape[0] * receptive


def correct_fan(shape, mode) -> int:
    """The fan that `mode`, "fan_in" or "fan_out", names."""
    mode = str(mode).lower()
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"mode must be 'fan_in' or 'fan_out', got {mode!r}")
    return fan_in_and_fan_out(shape)[mode == "fan_out"]


def calculate_gain(nonlinearity, param=None) -> float:
    """The factor that keeps the variance of signals through `nonlinearity`.

    param: the negative slope of 'leaky_relu', 0.01 unless given.  Raises ValueError for another nonlinearity.
    """
    if nonlinearity in ("linear", "sigmoid") or str(nonlinearity).startswith("conv"):
        return 1
    if nonlinearity == "tanh":
        return 5.0 / 3
    if nonlinearity == "relu":
        return math.sqrt(2.0)
    if nonlinearity == "leaky_relu":
        slope = 0.01 if param is None else param
        if isinstance(slope, bool) or not isinstance(slope, (int, float)):
            raise ValueError(f"the negative slope of leaky_relu must be a number, got {slope!r}")
        return math.sqrt(2.0 / (1 + slope ** 2))
    raise ValueError(f"nonlinearity must be linear, conv*, sigmoid, tanh, relu or leaky_relu, got {nonlinearity!r}")


# -- random numbers ------------------------------------------------------------------------------------
def random_normal(mean, sigma, shape) -> np.ndarray:
    """float32 normal numbers of the initialiser that is being evaluated."""
    if sigma < 0:
        raise ValueError(f"sigma must not be negative, got {sigma}")
    values = generator().standard_normal(shape, np.float32)
    return values * np.float32(sigma) + np.float32(mean)


def random_uniform(low, high, shape) -> np.ndarray:
    """float32 numbers, uniform in [low, high)."""
    return generator().random(shape, np.float32) * np.float32(high - low) + np.float32(low)


def truncated_normal(a, b, mean, sigma, shape) -> np.ndarray:
    """float32 normal numbers, drawn again until each is within [a, b] standard deviations of the mean."""
    if sigma < 0:
        raise ValueError(f"sigma must not be negative, got {sigma}")
    if not a < b:
        raise ValueError(f"TruncatedNormal needs a < b, got a={a}, b={b}")
    if b <= -4 or a >= 4 or b - a < 0.1:
        raise ValueError(f"TruncatedNormal's interval [{a}, {b}] holds too little of a normal distribution")
    values = generator().standard_normal(math.prod(shape), np.float32)
    outside = np.flatnonzero((values < a) | (values > b))
    while outside.size:
        values[outside] = generator().standard_normal(outside.size, np.float32)
        outside = outside[(values[outside] < a) | (values[outside] > b)]
    return (values * np.float32(sigma) + np.float32(mean)).reshape(shape)
