"""Fourier transforms by NumPy.  What gives complex numbers cannot stand in a graph."""
from __future__ import annotations

import math

import numpy as np

from graphcore.ops.functional.arguments import Tensor, axes_of, cast, dt, ints_of, shape_error, tensor_of
from graphcore.ops.functional.arithmetic import mul
from graphcore.ops.functional.complex_numbers import part_of, view_as_real
from graphcore.ops.functional.creation import ones
from graphcore.ops.functional.indexing import gather
from graphcore.ops.functional.padding import pad, roll
from graphcore.ops.functional.shaping import moveaxis, reshape
from graphcore.ops.host import on_host

_ONE = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
_GIVES_REAL = ("irfft", "hfft", "irfft2", "hfft2", "irfftn", "hfftn")
__all__ = [*(f"{name}{kind}" for name in _ONE for kind in ("", "2", "n")), "fftshift", "ifftshift", "fftfreq",
           "rfftfreq", "stft", "istft"]


def _prepared(input, name: str) -> Tensor:
    x = tensor_of(input, name)
    return x if x.dtype in (dt.float32, dt.float64) or x.dtype.is_complex else cast(x, dt.float32)


def _wide(x: Tensor) -> bool:
    return x.dtype in (dt.float64, dt.complex128)


def _transformed(name: str, compute, x: Tensor) -> Tensor:
    """The transform of `x`; the shape is that of NumPy's result, the width that of `x`."""
    shape = np.shape(compute(np.zeros(x.shape)))
    if name in _GIVES_REAL:
        kind = dt.float64 if _wide(x) else dt.float32
    else:
        kind = dt.complex128 if _wide(x) else dt.complex64
    return on_host(name, compute, [x], [(kind, shape)])


def _hermitian(a, s, axes, norm):
    """hfft over several axes: a real transform of what is half of a Hermitian spectrum."""
    axes = tuple(range(-a.ndim, 0)) if axes is None else tuple(axes)
    s = _sizes(a, s, axes, True)
    for size, axis in zip(s[:-1], axes[:-1]):
        a = np.fft.fft(a, size, axis, norm)
    return np.fft.hfft(a, s[-1], axes[-1], norm)


def _inverse_hermitian(a, s, axes, norm):
    axes = tuple(range(-a.ndim, 0)) if axes is None else tuple(axes)
    s = _sizes(a, s, axes, False)
    a = np.fft.ihfft(a, s[-1], axes[-1], norm)
    for size, axis in zip(s[:-1], axes[:-1]):
        a = np.fft.ifft(a, size, axis, norm)
    return a


def _sizes(a, s, axes, halved):
    if s is not None:
        return [a.shape[axis] if n == -1 else n for n, axis in zip(s, axes, strict=True)]
    sizes = [a.shape[axis] for axis in axes]
    return [*sizes[:-1], 2 * (sizes[-1] - 1)] if halved else sizes


def _several(name: str):
    if name == "hfft":
        return _hermitian
    if name == "ihfft":
        return _inverse_hermitian
    return getattr(np.fft, f"{name}n")


_SUMMARY = {"fft": "The Fourier transform", "ifft": "The inverse Fourier transform",
            "rfft": "The half of the Fourier transform of real numbers that determines the other",
            "irfft": "The real inverse of `rfft`", "hfft": "The transform, real, of half of a Hermitian signal",
            "ihfft": "The inverse of `hfft`"}


def _along_one(name: str):
    function = getattr(np.fft, name)

    def transform(input, n=None, dim=-1, norm=None):
        return _transformed(name, lambda a: function(a, n, dim, norm), _prepared(input, name))
    transform.__name__ = transform.__qualname__ = name
    transform.__doc__ = (f"{_SUMMARY[name]} along one axis.\n\n    n: the length, by cutting or zeros; norm: "
                         "\"backward\" (the inverse is divided by n), \"forward\", \"ortho\".\n    ")
    return transform


def _along_several(name: str, kind: str):
    function = _several(name)

    def transform(input, s=None, dim=(-2, -1) if kind == "2" else None, norm=None):
        x = _prepared(input, name + kind)
        if kind == "n" and dim is None and s is not None:
            dim = tuple(range(-len(s), 0))
        axes = None if dim is None else ints_of(dim, f"{name}{kind}: dim")
        axes = tuple(range(x.ndim)) if axes is None else axes
        return _transformed(name + kind, lambda a: function(a, s, axes, norm), x)
    transform.__name__ = transform.__qualname__ = name + kind
    transform.__doc__ = (f"{_SUMMARY[name]} along {'two' if kind == '2' else 'several'} axes.\n\n    s: the lengths; "
                         "dim: the axes; norm: see `fft`.\n    ")
    return transform


for _name in _ONE:
    globals()[_name] = _along_one(_name)
    globals()[f"{_name}2"] = _along_several(_name, "2")
    globals()[f"{_name}n"] = _along_several(_name, "n")


def _shifted(input, dim, name, towards):
    x = tensor_of(input, name)
    axes = axes_of(dim, x.ndim, name)
    for axis in axes:
        x = roll(x, towards(x.shape[axis]), axis)
    return x


def fftshift(input, dim=None):
    """The zero frequency moved to the middle of axes (None: all)."""
    return _shifted(input, dim, "fftshift", lambda n: n // 2)


def ifftshift(input, dim=None):
    """The inverse of `fftshift`."""
    return _shifted(input, dim, "ifftshift", lambda n: -(n // 2))


def fftfreq(n, d=1.0, *, dtype=None):
    """The frequencies of `fft` of n samples at distances d."""
    return Tensor(np.fft.fftfreq(n, d), dtype or dt.float32)


def rfftfreq(n, d=1.0, *, dtype=None):
    """The frequencies of `rfft` of n samples at distances d."""
    return Tensor(np.fft.rfftfreq(n, d), dtype or dt.float32)


def stft(x, n_fft, hop_length=None, win_length=None, window=None, center=True, pad_mode="REFLECT", normalized=False,
         onesided=None, return_complex=None):
    """The Fourier transforms (..., frequencies, frames) of windowed parts of a signal (..., samples).

    hop_length: between frames (n_fft / 4); window: of win_length (n_fft) points, ones by default; center: frames are
    centred at their time, the signal is continued by its mirror image; normalized: divided by sqrt(n_fft).
    onesided: half of the frequencies, for real signals; return_complex: else the parts along a last axis.
    """
    x = _prepared(x, "stft")
    hop, length = hop_length or n_fft // 4, win_length or n_fft
    onesided = (not x.dtype.is_complex) if onesided is None else onesided
    window = ones((length,), part_of(x.dtype) if x.dtype.is_complex else x.dtype) if window is None else window
    if length > n_fft or window.shape != (length,):
        raise shape_error(f"stft: a window of {window.shape} points, win_length {length} and n_fft {n_fft} do not fit")
    left = (n_fft - length) // 2
    window = pad(window, (left, n_fft - length - left))
    if center:
        half = n_fft // 2
        places = np.pad(np.arange(x.shape[-1]), half, {"REFLECT": "reflect", "CONSTANT": "constant"}.get(
            pad_mode.upper(), pad_mode.lower()))
        x = gather(x, Tensor(places, dt.int32), x.ndim - 1)
    count = 1 + (x.shape[-1] - n_fft) // hop
    places = np.arange(count)[:, None] * hop + np.arange(n_fft)
    frames = reshape(gather(x, Tensor(places.ravel(), dt.int32), x.ndim - 1), (*x.shape[:-1], count, n_fft))
    spectrum = globals()["rfft" if onesided else "fft"](mul(frames, window))
    if normalized:
        spectrum = spectrum * (1 / math.sqrt(n_fft))
    spectrum = moveaxis(spectrum, -1, -2)
    return spectrum if return_complex else view_as_real(spectrum)


def istft(input, n_fft, hop_length=None, win_length=None, window=None, center=True, normalized=False, onesided=True,
          length=None):
    """The signal (..., samples) of a complex `stft`, by adding up its frames."""
    x = _prepared(input, "istft")
    hop, width = hop_length or n_fft // 4, win_length or n_fft

    def compute(a, w):
        left = (n_fft - width) // 2
        w = np.pad(w, (left, n_fft - width - left))
        frames = (np.fft.irfft if onesided else np.fft.ifft)(np.swapaxes(a, -1, -2), n_fft).real * w
        frames = frames * (math.sqrt(n_fft) if normalized else 1)
        count = frames.shape[-2]
        total, weight = np.zeros((*frames.shape[:-2], n_fft + hop * (count - 1))), np.zeros(n_fft + hop * (count - 1))
        for i in range(count):
            total[..., i * hop:i * hop + n_fft] += frames[..., i, :]
            weight[i * hop:i * hop + n_fft] += w * w
        total = total / np.where(weight > 1e-11, weight, 1)
        begin = n_fft // 2 if center else 0
        end = begin + length if length else total.shape[-1] - begin
        return total[..., begin:end]
    kind = part_of(x.dtype)
    window = ones((width,), kind) if window is None else window
    shape = compute(np.zeros(x.shape), np.ones(width)).shape
    return on_host("istft", compute, [x, window], [(kind, shape)])
