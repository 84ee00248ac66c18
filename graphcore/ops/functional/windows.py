"""Windows for the analysis of signals, and the short-time Fourier transform's slices."""
from __future__ import annotations

import math

import numpy as np

from graphcore.ops import special_functions as special
from graphcore.ops.functional.arguments import Tensor, dt, number_of, shape_error

__all__ = ["bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"]


def _window(name, formula, window_length, periodic, dtype):
    """``formula(places, last)`` at 0, 1, ... last; `periodic`: without the last point of a window one longer."""
    length = number_of(window_length, name)
    if not isinstance(length, int) or length < 0:
        raise shape_error(f"{name}: the length is an int of 0 or more, got {window_length!r}")
    if length <= 1:
        return Tensor(np.ones(length), dtype or dt.float32)
    count = length + 1 if periodic else length
    return Tensor(formula(np.arange(count, dtype=np.float64), count - 1)[:length], dtype or dt.float32)


def _cosines(*weights):
    return lambda n, last: sum(w * np.cos(2 * math.pi * k * n / last) for k, w in enumerate(weights))


def bartlett_window(window_length, periodic=True, *, dtype=None):
    """Bartlett's triangle; `periodic`: the next period would begin with the next point."""
    return _window("bartlett_window", lambda n, last: 1 - np.abs(2 * n / last - 1), window_length, periodic, dtype)


def blackman_window(window_length, periodic=True, *, dtype=None):
    """Blackman's window; see `bartlett_window`."""
    return _window("blackman_window", _cosines(0.42, -0.5, 0.08), window_length, periodic, dtype)


def hamming_window(window_length, periodic=True, alpha=0.54, beta=0.46, *, dtype=None):
    """Hamming's window, alpha - beta cos; see `bartlett_window`."""
    return _window("hamming_window", _cosines(alpha, -beta), window_length, periodic, dtype)


def hann_window(window_length, periodic=True, *, dtype=None):
    """The Hann window, in float64 unless `dtype` is given; see `bartlett_window`."""
    return _window("hann_window", _cosines(0.5, -0.5), window_length, periodic, dtype or dt.float64)


def kaiser_window(window_length, periodic=True, beta=12.0, *, dtype=None):
    """Kaiser's window, of which `beta` says how narrow it is, in float64 unless `dtype` is given."""
    def formula(n, last):
        height = special.bessel_i(0, beta * np.sqrt(np.maximum(1 - (2 * n / last - 1) ** 2, 0)))
        return height / special.bessel_i(0, beta)
    return _window("kaiser_window", formula, window_length, periodic, dtype or dt.float64)
