"""Recursive filters of waveforms [..., time], designed as SoX designs them."""
from __future__ import annotations

import math

import numpy as np

from graphcore.dataset.audio.signals import as_waveform
from graphcore.dataset.errors import DatasetError
from graphcore.dataset.transforms.compose import Transform

__all__ = ["AllpassBiquad", "BandBiquad", "BandpassBiquad", "BandrejectBiquad", "BassBiquad", "Biquad",
           "DeemphBiquad", "EqualizerBiquad", "HighpassBiquad", "LFilter", "LowpassBiquad", "RiaaBiquad",
           "TrebleBiquad"]


def filtered(wave: np.ndarray, numerator, denominator, clamp: bool = True) -> np.ndarray:
    """sum(denominator[k] y[t - k]) = sum(numerator[k] x[t - k]) solved for y; clamp: cut off at -1 and 1 after that."""
    b, a = (np.asarray(c, np.float64) / denominator[0] for c in (numerator, denominator))
    x = wave.astype(np.float64)
    driven = np.zeros_like(x)
    for k, factor in enumerate(b):
        driven[..., k:] += factor * x[..., :x.shape[-1] - k]
    y = np.zeros_like(x)
    for t in range(x.shape[-1]):
        known = min(t, len(a) - 1)
        y[..., t] = driven[..., t] - y[..., t - known:t][..., ::-1] @ a[1:known + 1]
    return (np.clip(y, -1.0, 1.0) if clamp else y).astype(wave.dtype)


class LFilter(Transform):
    """The recursive filter of `a_coeffs` (of the results) and `b_coeffs` (of the signal), the newest first."""

    def __init__(self, a_coeffs, b_coeffs, clamp=True):
        if len(a_coeffs) != len(b_coeffs):
            raise ValueError(f"LFilter: a_coeffs and b_coeffs must have one length, got {len(a_coeffs)} and "
                             f"{len(b_coeffs)}")
        if a_coeffs[0] == 0:
            raise ValueError("LFilter: the first of a_coeffs must not be 0")
        self.a, self.b, self.clamp = list(a_coeffs), list(b_coeffs), clamp

    def __call__(self, value):
        return filtered(as_waveform(value, type(self).__name__), self.b, self.a, self.clamp)


class Biquad(LFilter):
    """A filter of second order with these coefficients; results are cut off at -1 and 1."""

    def __init__(self, b0, b1, b2, a0, a1, a2):
        super().__init__([a0, a1, a2], [b0, b1, b2])


def _angle(sample_rate, frequency, quality, owner) -> tuple:
    """(w, its sine / (2 quality)) of a frequency.  Raises ValueError for numbers that mean nothing."""
    if sample_rate == 0:
        raise ValueError(f"{owner}: sample_rate can not be zero.")
    if not 0 < quality <= 1:
        raise ValueError(f"{owner}: Q must lie in (0, 1], got {quality}")
    w = 2 * math.pi * frequency / sample_rate
    return w, math.sin(w) / (2 * quality)


class AllpassBiquad(Biquad):
    """All frequencies as loud as before, their phases turned about `central_freq`."""

    def __init__(self, sample_rate, central_freq, Q=0.707):
        w, alpha = _angle(sample_rate, central_freq, Q, "AllpassBiquad")
        super().__init__(1 - alpha, -2 * math.cos(w), 1 + alpha, 1 + alpha, -2 * math.cos(w), 1 - alpha)


class BandBiquad(Biquad):
    """A band about `central_freq`; noise: the alternative for sounds without pitch."""

    def __init__(self, sample_rate, central_freq, Q=0.707, noise=False):
        w, _ = _angle(sample_rate, central_freq, Q, "BandBiquad")
        a2 = math.exp(-2 * math.pi * (central_freq / Q) / sample_rate)
        a1 = -4 * a2 / (1 + a2) * math.cos(w)
        b0 = math.sqrt(1 - a1 * a1 / (4 * a2)) * (1 - a2)
        if noise:
            b0 *= math.sqrt(((1 + a2) ** 2 - a1 * a1) * (1 - a2) / (1 + a2)) / b0
        super().__init__(b0, 0.0, 0.0, 1.0, a1, a2)


class BandpassBiquad(Biquad):
    """Frequencies about `central_freq`; const_skirt_gain: with a peak of Q instead of 1."""

    def __init__(self, sample_rate, central_freq, Q=0.707, const_skirt_gain=False):
        w, alpha = _angle(sample_rate, central_freq, Q, "BandpassBiquad")
        peak = math.sin(w) / 2 if const_skirt_gain else alpha
        super().__init__(peak, 0.0, -peak, 1 + alpha, -2 * math.cos(w), 1 - alpha)


class BandrejectBiquad(Biquad):
    """All frequencies but those about `central_freq`."""

    def __init__(self, sample_rate, central_freq, Q=0.707):
        w, alpha = _angle(sample_rate, central_freq, Q, "BandrejectBiquad")
        super().__init__(1.0, -2 * math.cos(w), 1.0, 1 + alpha, -2 * math.cos(w), 1 - alpha)


def _shelf(w, alpha, gain, sign) -> tuple:
    """The coefficients of a filter that lifts what is below (sign 1) or above (-1) a frequency by `gain` decibels."""
    a = 10.0 ** (gain / 40)
    cosine, more, less, root = math.cos(w) * sign, a + 1, a - 1, 2 * math.sqrt(a) * alpha
    return (a * (more - less * cosine + root), sign * 2 * a * (less - more * cosine), a * (more - less * cosine - root),
            more + less * cosine + root, -2 * sign * (less + more * cosine), more + less * cosine - root)


class BassBiquad(Biquad):
    """Low frequencies louder by `gain` decibels."""

    def __init__(self, sample_rate, gain, central_freq=100.0, Q=0.707):
        super().__init__(*_shelf(*_angle(sample_rate, central_freq, Q, "BassBiquad"), gain, 1))


class TrebleBiquad(Biquad):
    """High frequencies louder by `gain` decibels."""

    def __init__(self, sample_rate, gain, central_freq=3000, Q=0.707):
        super().__init__(*_shelf(*_angle(sample_rate, central_freq, Q, "TrebleBiquad"), gain, -1))


class EqualizerBiquad(Biquad):
    """Frequencies about `center_freq` louder by `gain` decibels."""

    def __init__(self, sample_rate, center_freq, gain, Q=0.707):
        w, alpha = _angle(sample_rate, center_freq, Q, "EqualizerBiquad")
        a = 10.0 ** (gain / 40)
        super().__init__(1 + alpha * a, -2 * math.cos(w), 1 - alpha * a, 1 + alpha / a, -2 * math.cos(w), 1 - alpha / a)


class HighpassBiquad(Biquad):
    """Frequencies above `cutoff_freq`."""

    def __init__(self, sample_rate, cutoff_freq, Q=0.707):
        w, alpha = _angle(sample_rate, cutoff_freq, Q, "HighpassBiquad")
        high = 1 + math.cos(w)
        super().__init__(high / 2, -high, high / 2, 1 + alpha, -2 * math.cos(w), 1 - alpha)


class LowpassBiquad(Biquad):
    """Frequencies below `cutoff_freq`."""

    def __init__(self, sample_rate, cutoff_freq, Q=0.707):
        w, alpha = _angle(sample_rate, cutoff_freq, Q, "LowpassBiquad")
        low = 1 - math.cos(w)
        super().__init__(low / 2, low, low / 2, 1 + alpha, -2 * math.cos(w), 1 - alpha)


class DeemphBiquad(Biquad):
    """What compact discs with emphasis need; sample_rate: 44100 or 48000."""

    _DESIGNS = {44100: (5283.0, 0.4845, -9.477), 48000: (5356.0, 0.479, -9.62)}

    def __init__(self, sample_rate):
        if sample_rate not in self._DESIGNS:
            raise ValueError(f"Argument sample_rate should be 44100 or 48000, got {sample_rate}")
        frequency, slope, gain = self._DESIGNS[sample_rate]
        a, w = 10.0 ** (gain / 40.0), 2 * math.pi * frequency / sample_rate
        alpha = math.sin(w) / 2 * math.sqrt((a + 1 / a) * (1 / slope - 1) + 2)
        super().__init__(*_shelf(w, alpha, gain, -1))


class RiaaBiquad(Biquad):
    """What records need; sample_rate: 44100, 48000, 88200 or 96000."""

    _ZEROS_AND_POLES = {
        44100: ((-0.2014898, 0.9233820), (0.7083149, 0.9924091)),
        48000: ((-0.1766069, 0.9321590), (0.7396325, 0.9931330)),
        88200: ((-0.1168735, 0.9648312), (0.8590646, 0.9964002)),
        96000: ((-0.1141486, 0.9676817), (0.8699137, 0.9966946))}

    def __init__(self, sample_rate):
        if sample_rate not in self._ZEROS_AND_POLES:
            raise ValueError(f"sample_rate should be 44100, 48000, 88200 or 96000, got {sample_rate}")
        (z0, z1), (p0, p1) = self._ZEROS_AND_POLES[sample_rate]
        b, a = (1.0, -(z0 + z1), z0 * z1), (1.0, -(p0 + p1), p0 * p1)
        y = 2 * math.pi * 1000 / sample_rate        # 1 kHz stays as loud as it is
        at = [abs(sum(c * complex(math.cos(k * y), -math.sin(k * y)) for k, c in enumerate(cs))) for cs in (b, a)]
        super().__init__(*(c * at[1] / at[0] for c in b), *a)

    def __call__(self, value):
        if not np.asarray(value).size:
            raise DatasetError("RiaaBiquad takes a waveform that is not empty")
        return super().__call__(value)
