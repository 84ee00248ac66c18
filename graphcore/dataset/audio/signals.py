"""Transforms of waveforms [..., time]: loudness, fading, companding, other rates."""
from __future__ import annotations

import math

import numpy as np

from graphcore.dataset.audio.options import FadeShape, GainType, ResampleMethod
from graphcore.dataset.core import as_array
from graphcore.dataset.errors import DatasetError
from graphcore.dataset.transforms.compose import Transform

__all__ = ["Contrast", "DBToAmplitude", "DCShift", "Fade", "Gain", "MuLawDecoding", "MuLawEncoding", "Resample", "Vol"]


def as_waveform(value, name: str) -> np.ndarray:
    """An array of float32 or float64 with a last axis of time.  Raises DatasetError for anything else."""
    array = as_array(value, name)
    if array.ndim < 1 or array.dtype.kind not in "biuf":
        raise DatasetError(f"{name} takes a waveform [..., time] of numbers, got {array.dtype} of shape {array.shape}")
    return array if array.dtype == np.float64 else array.astype(np.float32)


class Gain(Transform):
    """Louder by `gain_db` decibels."""

    def __init__(self, gain_db=1.0):
        self.gain_db = float(gain_db)

    def __call__(self, value):
        wave = as_waveform(value, "Gain")
        return (wave * 10.0 ** (self.gain_db / 20.0)).astype(wave.dtype)


class Vol(Transform):
    """Louder, and cut off at -1 and 1; gain: a factor, a factor of the power, or decibels, see `GainType`."""

    def __init__(self, gain, gain_type=GainType.AMPLITUDE):
        if gain_type in (GainType.AMPLITUDE, GainType.POWER) and gain < 0 or gain_type is GainType.POWER and gain == 0:
            raise ValueError(f"Vol: a gain of {gain} for {gain_type.name}")
        self.factor = {GainType.AMPLITUDE: lambda: gain, GainType.DB: lambda: 10.0 ** (gain / 20.0),
                       GainType.POWER: lambda: math.sqrt(gain)}[GainType(gain_type)]()

    def __call__(self, value):
        wave = as_waveform(value, "Vol")
        return np.clip(wave * self.factor, -1.0, 1.0).astype(wave.dtype)


class DBToAmplitude(Transform):
    """ref * (10^(x / 10))^power of decibels x."""

    def __init__(self, ref, power):
        self.ref, self.power = float(ref), float(power)

    def __call__(self, value):
        wave = as_waveform(value, "DBToAmplitude")
        return (self.ref * 10.0 ** (0.1 * wave * self.power)).astype(wave.dtype)


class Contrast(Transform):
    """Louder where it is quiet, as SoX does it; enhancement_amount: 0 to 100."""

    def __init__(self, enhancement_amount=75.0):
        if not 0 <= enhancement_amount <= 100:
            raise ValueError(f"Contrast: enhancement_amount must lie in [0, 100], got {enhancement_amount}")
        self.amount = enhancement_amount / 750.0

    def __call__(self, value):
        wave = as_waveform(value, "Contrast")
        bent = wave * (math.pi / 2)
        return np.sin(bent + self.amount * np.sin(bent * 4)).astype(wave.dtype)


class DCShift(Transform):
    """Shifted by `shift`, from -2 to 2; limiter_gain: what would exceed 1 by more is pressed together."""

    def __init__(self, shift, limiter_gain=None):
        if not -2 <= shift <= 2:
            raise ValueError(f"DCShift: shift must lie in [-2, 2], got {shift}")
        self.shift, self.limiter_gain = float(shift), float(shift if limiter_gain is None else limiter_gain)

    def __call__(self, value):
        wave = as_waveform(value, "DCShift")
        gain, limit = self.limiter_gain, 1.0 - (abs(self.shift) - self.limiter_gain)
        shifted = wave + self.shift
        if self.limiter_gain != self.shift:
            over = (wave > limit) if self.shift > 0 else (wave < -limit)
            sign = 1.0 if self.shift > 0 else -1.0
            pressed = sign * limit + (wave - sign * limit) * gain / (1.0 - limit) if limit != 1.0 else wave
            shifted = np.where(over, pressed + self.shift, shifted)
        return np.clip(shifted, -1.0, 1.0).astype(wave.dtype)


class Fade(Transform):
    """Quiet at the beginning and the end: over so many samples, in a `FadeShape`."""

    def __init__(self, fade_in_len=0, fade_out_len=0, fade_shape=FadeShape.LINEAR):
        if min(fade_in_len, fade_out_len) < 0:
            raise ValueError(f"Fade: lengths must not be negative, got {fade_in_len} and {fade_out_len}")
        self.fade_in, self.fade_out, self.shape = fade_in_len, fade_out_len, FadeShape(fade_shape)

    def __call__(self, value):
        wave = as_waveform(value, "Fade").copy()
        length = wave.shape[-1]
        if max(self.fade_in, self.fade_out) > length:
            raise DatasetError(f"Fade: {length} samples cannot fade over {self.fade_in} and {self.fade_out}")
        if self.fade_in:
            wave[..., :self.fade_in] *= self._curve(self.fade_in).astype(wave.dtype)
        if self.fade_out:
            wave[..., length - self.fade_out:] *= self._curve(self.fade_out)[::-1].astype(wave.dtype)
        return wave

    def _curve(self, count: int) -> np.ndarray:
        place = np.linspace(0.0, 1.0, count)
        return {FadeShape.LINEAR: lambda: place,
                FadeShape.EXPONENTIAL: lambda: 2.0 ** (place - 1.0) * place,
                FadeShape.LOGARITHMIC: lambda: np.log10(0.1 + place) + 1.0,
                FadeShape.QUARTER_SINE: lambda: np.sin(place * math.pi / 2),
                FadeShape.HALF_SINE: lambda: np.sin(place * math.pi - math.pi / 2) / 2 + 0.5}[self.shape]()


class MuLawEncoding(Transform):
    """Numbers from 0 to quantization_channels - 1, int32, of a waveform between -1 and 1, by the mu law."""

    def __init__(self, quantization_channels=256):
        if quantization_channels < 1:
            raise ValueError(f"quantization_channels must be positive, got {quantization_channels}")
        self.mu = quantization_channels - 1.0

    def __call__(self, value):
        wave = as_waveform(value, "MuLawEncoding")
        bent = np.sign(wave) * np.log1p(self.mu * np.abs(wave)) / np.log1p(self.mu)
        return ((bent + 1) / 2 * self.mu + 0.5).astype(np.int32)


class MuLawDecoding(Transform):
    """The waveform that `MuLawEncoding` encoded, float32."""

    def __init__(self, quantization_channels=256):
        if quantization_channels < 1:
            raise ValueError(f"quantization_channels must be positive, got {quantization_channels}")
        self.mu = quantization_channels - 1.0

    def __call__(self, value):
        bent = as_waveform(value, "MuLawDecoding") / self.mu * 2 - 1.0
        return (np.sign(bent) * (np.exp(np.abs(bent) * np.log1p(self.mu)) - 1.0) / self.mu).astype(np.float32)


class Resample(Transform):
    """A waveform of `orig_freq` samples a second with `new_freq` of them, by interpolation with a windowed sinc.

    lowpass_filter_width: zero crossings of the filter on each side; rolloff: where it cuts off, as a share of the
    highest frequency; resample_method: its window, see `ResampleMethod`; beta: of the Kaiser window.
    Raises ValueError for numbers out of range.
    """

    def __init__(self, orig_freq=16000, new_freq=16000, resample_method=ResampleMethod.SINC_INTERPOLATION,
                 lowpass_filter_width=6, rolloff=0.99, beta=None):
        if min(orig_freq, new_freq, lowpass_filter_width) <= 0 or not 0 < rolloff <= 1:
            raise ValueError(f"Resample: orig_freq={orig_freq}, new_freq={new_freq}, "
                             f"lowpass_filter_width={lowpass_filter_width}, rolloff={rolloff} must be positive, the "
                             "last at most 1")
        common = math.gcd(int(orig_freq), int(new_freq))
        self.orig, self.new = int(orig_freq) // common, int(new_freq) // common
        self.method, self.crossings, self.rolloff = ResampleMethod(resample_method), lowpass_filter_width, rolloff
        self.beta = 14.769656459379492 if beta is None else beta

    def __call__(self, value):
        wave = as_waveform(value, "Resample")
        if self.orig == self.new:
            return wave
        kernels, width = self._kernels()
        flat = wave.reshape(-1, wave.shape[-1])
        padded = np.pad(flat, ((0, 0), (width, width + self.orig))).astype(np.float64)
        windows = np.lib.stride_tricks.sliding_window_view(padded, kernels.shape[1], 1)[:, ::self.orig]
        result = (windows @ kernels.T).reshape(len(flat), -1)
        result = result[:, :-(-self.new * wave.shape[-1] // self.orig)]
        return result.reshape(*wave.shape[:-1], -1).astype(wave.dtype)

    def _kernels(self) -> tuple:
        """([new, taps]: a filter for each place between two samples, how many samples it reaches to the left)."""
        frequency = min(self.orig, self.new) * self.rolloff
        width = math.ceil(self.crossings * self.orig / frequency)
        taps = np.arange(-width, width + self.orig) / self.orig
        times = (-np.arange(self.new)[:, None] / self.new + taps) * frequency
        times = np.clip(times, -self.crossings, self.crossings)
        if self.method is ResampleMethod.SINC_INTERPOLATION:
            window = np.cos(times * math.pi / self.crossings / 2) ** 2
        else:
            window = np.i0(self.beta * np.sqrt(1 - (times / self.crossings) ** 2)) / np.i0(self.beta)
        return np.sinc(times) * window * (frequency / self.orig), width
