"""Spectra of waveforms over time, on linear and mel scales."""
from __future__ import annotations

import math

import numpy as np

from graphcore.dataset import rng
from graphcore.dataset.audio.options import BorderType, MelType, NormMode, NormType, ScaleType, WindowType
from graphcore.dataset.audio.signals import as_waveform
from graphcore.dataset.core import as_array
from graphcore.dataset.errors import DatasetError
from graphcore.dataset.transforms.compose import Transform

__all__ = ["AmplitudeToDB", "Angle", "ComplexNorm", "FrequencyMasking", "GriffinLim", "InverseMelScale", "MFCC",
           "Magphase", "MelScale", "MelSpectrogram", "SpectralCentroid", "Spectrogram", "TimeMasking", "create_dct",
           "linear_fbanks", "melscale_fbanks"]


# -- short-time Fourier transforms ------------------------------------------------------------------------------

def _window(kind: WindowType, length: int) -> np.ndarray:
    """A window that goes on periodically."""
    place = 2 * math.pi * np.arange(length) / length
    return {WindowType.HANN: lambda: 0.5 - 0.5 * np.cos(place),
            WindowType.HAMMING: lambda: 0.54 - 0.46 * np.cos(place),
            WindowType.BLACKMAN: lambda: 0.42 - 0.5 * np.cos(place) + 0.08 * np.cos(2 * place),
            WindowType.BARTLETT: lambda: 1 - np.abs(2 * np.arange(length) / length - 1),
            WindowType.KAISER: lambda: np.kaiser(length + 1, 12.0)[:-1]}[WindowType(kind)]()


class _Frames:
    """How a waveform is cut in frames: their length, the step from one to the next, their window."""

    def __init__(self, n_fft, win_length, hop_length, window, owner):
        win_length = n_fft if win_length is None else win_length
        hop_length = win_length // 2 if hop_length is None else hop_length
        if not 0 < win_length <= n_fft or hop_length < 1:
            raise ValueError(f"{owner}: n_fft={n_fft}, win_length={win_length}, hop_length={hop_length}: the window "
                             "must be at most as long as the transform, and the step positive")
        self.n_fft, self.hop = n_fft, hop_length
        before = (n_fft - win_length) // 2
        self.window = np.zeros(n_fft)
        self.window[before:before + win_length] = _window(window, win_length)

    def spectrum(self, wave: np.ndarray, center=True, pad_mode="reflect", onesided=True) -> np.ndarray:
        """Complex [..., frequencies, frames]."""
        if center:
            half = self.n_fft // 2
            if half >= wave.shape[-1] and pad_mode == "reflect":
                raise DatasetError(f"a waveform of {wave.shape[-1]} samples is too short for n_fft={self.n_fft}")
            wave = np.pad(wave, [(0, 0)] * (wave.ndim - 1) + [(half, half)], pad_mode)
        if wave.shape[-1] < self.n_fft:
            raise DatasetError(f"a waveform of {wave.shape[-1]} samples is too short for n_fft={self.n_fft}")
        frames = np.lib.stride_tricks.sliding_window_view(wave, self.n_fft, -1)[..., ::self.hop, :] * self.window
        return (np.fft.rfft if onesided else np.fft.fft)(frames, axis=-1).swapaxes(-1, -2)

    def waveform(self, spectrum: np.ndarray, length: int | None = None) -> np.ndarray:
        """The waveform with this spectrum, made with center: overlapping frames added up, divided by the windows."""
        frames = np.fft.irfft(spectrum.swapaxes(-1, -2), self.n_fft, axis=-1) * self.window
        count = frames.shape[-2]
        total = np.zeros((*frames.shape[:-2], self.n_fft + self.hop * (count - 1)))
        weight = np.zeros(total.shape[-1])
        for i in range(count):
            at = slice(i * self.hop, i * self.hop + self.n_fft)
            total[..., at] += frames[..., i, :]
            weight[at] += self.window ** 2
        half = self.n_fft // 2
        end = total.shape[-1] - half if length is None else half + length
        wave = total[..., half:end] / np.maximum(weight[half:end], 1e-11)
        return wave if length is None else np.pad(wave, [(0, 0)] * (wave.ndim - 1) + [(0, length - wave.shape[-1])])


class Spectrogram(Transform):
    """The spectrum over time of a waveform: [..., frequencies, frames], |.|^power, or with power 0 two numbers, real
    and imaginary, in a last axis.

    pad: zeros at both ends; window: a WindowType; normalized: divided by the norm of the window; center: frames stand
    around their time, the ends filled up by `pad_mode`; onesided: frequencies up to half the rate.
    """

    def __init__(self, n_fft=400, win_length=None, hop_length=None, pad=0, window=WindowType.HANN, power=2.0,
                 normalized=False, center=True, pad_mode=BorderType.REFLECT, onesided=True):
        if power < 0 or pad < 0:
            raise ValueError(f"Spectrogram: power and pad must not be negative, got {power} and {pad}")
        self.frames = _Frames(n_fft, win_length, hop_length, window, type(self).__name__)
        self.pad, self.power, self.normalized = pad, power, normalized
        self.center, self.pad_mode, self.onesided = center, BorderType(pad_mode).value, onesided

    def __call__(self, value):
        wave = as_waveform(value, type(self).__name__)
        padded = np.pad(wave, [(0, 0)] * (wave.ndim - 1) + [(self.pad, self.pad)])
        spectrum = self.frames.spectrum(padded, self.center, self.pad_mode, self.onesided)
        if self.normalized:
            spectrum = spectrum / math.sqrt((self.frames.window ** 2).sum())
        if not self.power:
            return np.stack([spectrum.real, spectrum.imag], -1).astype(wave.dtype)
        return (np.abs(spectrum) ** self.power).astype(wave.dtype)


class SpectralCentroid(Spectrogram):
    """The mean frequency at each time, weighed by the spectrum: [..., 1, frames]."""

    def __init__(self, sample_rate, n_fft=400, win_length=None, hop_length=None, pad=0, window=WindowType.HANN):
        super().__init__(n_fft, win_length, hop_length, pad, window, power=1.0)
        self.frequencies = np.linspace(0, sample_rate // 2, 1 + n_fft // 2).reshape(-1, 1)

    def __call__(self, value):
        spectrum = super().__call__(value)
        mean = (self.frequencies * spectrum).sum(-2, keepdims=True) / spectrum.sum(-2, keepdims=True)
        return mean.astype(spectrum.dtype)


class GriffinLim(Transform):
    """A waveform that has this spectrum of magnitudes^power [..., frequencies, frames], by Griffin's and Lim's search.

    n_iter: steps of the search; momentum: of the fast variant; length: of the waveform; rand_init: random phases at
    the start, otherwise zeros.
    """

    is_random = True

    def __init__(self, n_fft=400, n_iter=32, win_length=None, hop_length=None, window_type=WindowType.HANN, power=2.0,
                 momentum=0.99, length=None, rand_init=True):
        if n_iter < 1 or power <= 0 or momentum < 0:
            raise ValueError(f"GriffinLim: n_iter={n_iter}, power={power}, momentum={momentum}")
        self.frames = _Frames(n_fft, win_length, hop_length, window_type, "GriffinLim")
        self.n_iter, self.power, self.momentum = n_iter, power, momentum / (1 + momentum)
        self.length, self.rand_init = length, rand_init

    def __call__(self, value):
        given = as_waveform(value, "GriffinLim")
        magnitudes = given.astype(np.float64) ** (1 / self.power)
        phases = np.ones(magnitudes.shape, complex)
        if self.rand_init:
            generator = rng.current()
            phases = generator.random(magnitudes.shape) + 1j * generator.random(magnitudes.shape)
        before = np.zeros_like(phases)
        for _ in range(self.n_iter):
            wave = self.frames.waveform(magnitudes * phases, self.length)
            rebuilt = self.frames.spectrum(wave)
            phases = rebuilt + self.momentum * (rebuilt - before)
            phases = phases / (np.abs(phases) + 1e-16)
            before = rebuilt
        return self.frames.waveform(magnitudes * phases, self.length).astype(given.dtype)


# -- scales -------------------------------------------------------------------------------------------------------

def _to_mel(hertz, kind: MelType):
    if kind is MelType.HTK:
        return 2595.0 * np.log10(1.0 + np.asarray(hertz, float) / 700.0)
    hertz = np.asarray(hertz, float)
    bent = 15.0 + np.log(np.maximum(hertz, 1.0) / 1000.0) * 27 / np.log(6.4)
    return np.where(hertz < 1000.0, hertz * 3 / 200.0, bent)


def _to_hertz(mel, kind: MelType):
    if kind is MelType.HTK:
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    return np.where(mel < 15.0, mel * 200.0 / 3, 1000.0 * np.exp((mel - 15.0) * np.log(6.4) / 27))


def _triangles(frequencies: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """[frequencies, bands]: triangles over three corners each, of height 1."""
    widths = np.diff(corners)
    slopes = corners[None] - frequencies[:, None]
    return np.maximum(0.0, np.minimum(-slopes[:, :-2] / widths[:-1], slopes[:, 2:] / widths[1:]))


def melscale_fbanks(n_freqs, f_min, f_max, n_mels, sample_rate, norm=NormType.NONE, mel_type=MelType.HTK) -> np.ndarray:
    """float32 [n_freqs, n_mels]: how much of each frequency up to half the rate is in each band of the mel scale."""
    corners = _to_hertz(np.linspace(*_to_mel([f_min, f_max], MelType(mel_type)), n_mels + 2), MelType(mel_type))
    banks = _triangles(np.linspace(0, sample_rate // 2, n_freqs), corners)
    if NormType(norm) is NormType.SLANEY:
        banks = banks * (2.0 / (corners[2:] - corners[:-2]))
    return banks.astype(np.float32)


def linear_fbanks(n_freqs, f_min, f_max, n_filter, sample_rate) -> np.ndarray:
    """float32 [n_freqs, n_filter]: the same for bands of one width."""
    banks = _triangles(np.linspace(0, sample_rate // 2, n_freqs), np.linspace(f_min, f_max, n_filter + 2))
    return banks.astype(np.float32)


def create_dct(n_mfcc, n_mels, norm=NormMode.NONE) -> np.ndarray:
    """float32 [n_mels, n_mfcc]: the vectors of a cosine transform."""
    vectors = np.cos(math.pi / n_mels * (np.arange(n_mels)[:, None] + 0.5) * np.arange(n_mfcc))
    if NormMode(norm) is NormMode.NONE:
        return (vectors * 2.0).astype(np.float32)
    vectors[:, 0] *= 1.0 / math.sqrt(2.0)
    return (vectors * math.sqrt(2.0 / n_mels)).astype(np.float32)


class MelScale(Transform):
    """A spectrum [..., n_stft, time] in bands of the mel scale: [..., n_mels, time]."""

    def __init__(self, n_mels=128, sample_rate=16000, f_min=0.0, f_max=None, n_stft=201, norm=NormType.NONE,
                 mel_type=MelType.HTK):
        f_max = sample_rate // 2 if f_max is None else f_max
        if f_min >= f_max or n_mels < 1 or n_stft < 1:
            raise ValueError(f"MelScale: f_min={f_min} must lie below f_max={f_max}, n_mels={n_mels} and "
                             f"n_stft={n_stft} be positive")
        self.banks = melscale_fbanks(n_stft, f_min, f_max, n_mels, sample_rate, norm, mel_type)

    def __call__(self, value):
        spectrum = as_waveform(value, "MelScale")
        if spectrum.ndim < 2 or spectrum.shape[-2] != len(self.banks):
            raise DatasetError(f"MelScale with n_stft={len(self.banks)} got a spectrum of shape {spectrum.shape}")
        return (self.banks.T.astype(spectrum.dtype) @ spectrum).astype(spectrum.dtype)


class MelSpectrogram(Transform):
    """`Spectrogram` and `MelScale` of a waveform."""

    def __init__(self, sample_rate=16000, n_fft=400, win_length=None, hop_length=None, f_min=0.0, f_max=None, pad=0,
                 n_mels=128, window=WindowType.HANN, power=2.0, normalized=False, center=True,
                 pad_mode=BorderType.REFLECT, onesided=True, norm=NormType.NONE, mel_scale=MelType.HTK):
        self.spectrogram = Spectrogram(n_fft, win_length, hop_length, pad, window, power, normalized, center, pad_mode,
                                       onesided)
        self.mel_scale = MelScale(n_mels, sample_rate, f_min, f_max, n_fft // 2 + 1 if onesided else n_fft, norm,
                                  mel_scale)

    def __call__(self, value):
        return self.mel_scale(self.spectrogram(value))


class InverseMelScale(Transform):
    """A spectrum [..., n_stft, time] that `MelScale` takes to the one given, found by gradient descent from a random
    start; see there.  It ends after max_iter steps, at a loss below tolerance_loss, or one that changes less than
    tolerance_change; sgdargs: {"sgd_lr": 0.1, "sgd_momentum": 0.9}.
    """

    is_random = True

    def __init__(self, n_stft, n_mels=128, sample_rate=16000, f_min=0.0, f_max=None, max_iter=100000,
                 tolerance_loss=1e-5, tolerance_change=1e-8, sgdargs=None, norm=NormType.NONE, mel_type=MelType.HTK):
        self.banks = MelScale(n_mels, sample_rate, f_min, f_max, n_stft, norm, mel_type).banks
        self.max_iter, self.tolerances = max_iter, (tolerance_loss, tolerance_change)
        settings = sgdargs or {}
        self.rate, self.momentum = settings.get("sgd_lr", 0.1), settings.get("sgd_momentum", 0.9)

    def __call__(self, value):
        mel = as_waveform(value, "InverseMelScale")
        if mel.ndim < 2 or mel.shape[-2] != self.banks.shape[1]:
            raise DatasetError(f"InverseMelScale with n_mels={self.banks.shape[1]} got shape {mel.shape}")
        banks = self.banks.astype(np.float64)
        found = rng.current().random((*mel.shape[:-2], len(banks), mel.shape[-1]))
        moving, loss = np.zeros_like(found), math.inf
        for _ in range(self.max_iter):
            difference = mel - banks.T @ found
            loss, before = float((difference ** 2).mean(-1).sum() / max(1, mel[..., 0, 0].size)), loss
            if loss < self.tolerances[0] or abs(before - loss) < self.tolerances[1]:
                break
            moving = self.momentum * moving - 2.0 / mel.shape[-1] * (banks @ difference)
            found = np.maximum(found - self.rate * moving, 0.0)
        return found.astype(mel.dtype)


class MFCC(Transform):
    """The cosine transform of a `MelSpectrogram` in decibels, or with log_mels in logarithms: [..., n_mfcc, time].

    melkwargs: arguments of MelSpectrogram.
    """

    def __init__(self, sample_rate=16000, n_mfcc=40, dct_type=2, norm=NormMode.ORTHO, log_mels=False, melkwargs=None):
        if dct_type != 2:
            raise ValueError(f"MFCC: dct_type must be 2, got {dct_type}")
        self.mel = MelSpectrogram(sample_rate, **(melkwargs or {}))
        n_mels = self.mel.mel_scale.banks.shape[1]
        if n_mfcc > n_mels:
            raise ValueError(f"MFCC: n_mfcc={n_mfcc} is more than the {n_mels} bands")
        self.dct, self.log_mels = create_dct(n_mfcc, n_mels, norm), log_mels

    def __call__(self, value):
        mel = self.mel(value)
        mel = np.log(mel + 1e-6) if self.log_mels else AmplitudeToDB()(mel)
        return (self.dct.T.astype(mel.dtype) @ mel).astype(mel.dtype)


class AmplitudeToDB(Transform):
    """Decibels of powers or magnitudes [..., frequencies, time]; none lower than `top_db` below the highest.

    stype: a ScaleType; ref_value: what has 0 decibels; amin: the smallest number that counts.
    """

    def __init__(self, stype=ScaleType.POWER, ref_value=1.0, amin=1e-10, top_db=80.0):
        if amin <= 0 or ref_value <= 0 or top_db < 0:
            raise ValueError(f"AmplitudeToDB: amin={amin} and ref_value={ref_value} must be positive, top_db={top_db} "
                             "not negative")
        self.factor = 10.0 if ScaleType(stype) is ScaleType.POWER else 20.0
        self.reference, self.amin, self.top_db = math.log10(max(ref_value, amin)), amin, top_db

    def __call__(self, value):
        spectrum = as_waveform(value, "AmplitudeToDB")
        found = self.factor * (np.log10(np.maximum(spectrum, self.amin)) - self.reference)
        highest = found.max(tuple(range(max(-3, -found.ndim), 0)), keepdims=True)
        return np.maximum(found, highest - self.top_db).astype(spectrum.dtype)


# -- complex numbers, as pairs in the last axis -------------------------------------------------------------------

def _pairs(value, name) -> np.ndarray:
    array = as_waveform(value, name)
    if array.shape[-1] != 2:
        raise DatasetError(f"{name} takes complex numbers as pairs in the last axis, got shape {array.shape}")
    return array


class Angle(Transform):
    """The angles of complex numbers [..., 2]."""

    def __call__(self, value):
        pairs = _pairs(value, "Angle")
        return np.arctan2(pairs[..., 1], pairs[..., 0])


class ComplexNorm(Transform):
    """The absolute values of complex numbers [..., 2], to a power."""

    def __init__(self, power=1.0):
        if power < 0:
            raise ValueError(f"ComplexNorm: power must not be negative, got {power}")
        self.power = power

    def __call__(self, value):
        pairs = _pairs(value, "ComplexNorm")
        return (np.hypot(pairs[..., 0], pairs[..., 1]) ** self.power).astype(pairs.dtype)


class Magphase(ComplexNorm):
    """(the absolute values of complex numbers [..., 2] to a power, their angles)."""

    def __call__(self, value):
        return super().__call__(value), Angle()(value)


# -- masks --------------------------------------------------------------------------------------------------------

class _Masking(Transform):
    is_random = True

    def __init__(self, iid_masks, length, mask_start, mask_value, axis):
        if length < 0 or mask_start < 0:
            raise ValueError(f"{type(self).__name__}: lengths and starts must not be negative, got {length} and "
                             f"{mask_start}")
        self.iid_masks, self.length, self.start, self.value, self.axis = iid_masks, length, mask_start, mask_value, axis

    def __call__(self, value):
        spectrum = as_array(value, type(self).__name__).copy()
        if spectrum.ndim < 2 or self.length > spectrum.shape[self.axis]:
            raise DatasetError(f"{type(self).__name__}: a mask of {self.length} does not fit into a spectrum of shape "
                               f"{spectrum.shape}")
        if not self.iid_masks:
            return self._hide(spectrum, self.start, self.length)
        generator = rng.current()
        for plane in spectrum.reshape(-1, *spectrum.shape[-2:]):
            length = generator.uniform(0, self.length)
            start = generator.uniform(0, max(plane.shape[self.axis] - length, 0))
            self._hide(plane, int(start), int(start + length) - int(start))
        return spectrum

    def _hide(self, spectrum, start, length):
        spectrum.swapaxes(self.axis, -1)[..., start:start + length] = self.value
        return spectrum


class FrequencyMasking(_Masking):
    """`freq_mask_param` rows from `mask_start` on of a spectrum [..., frequencies, time] set to `mask_value`.

    iid_masks: a random number of them, up to freq_mask_param, at a random place, in each spectrum.
    """

    def __init__(self, iid_masks=False, freq_mask_param=0, mask_start=0, mask_value=0.0):
        super().__init__(iid_masks, freq_mask_param, mask_start, mask_value, -2)


class TimeMasking(_Masking):
    """`time_mask_param` columns from `mask_start` on of a spectrum [..., frequencies, time]; see `FrequencyMasking`."""

    def __init__(self, iid_masks=False, time_mask_param=0, mask_start=0, mask_value=0.0):
        super().__init__(iid_masks, time_mask_param, mask_start, mask_value, -1)
