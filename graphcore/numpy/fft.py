"""``mindspore.numpy.fft``: the transforms of `ops` under NumPy's argument names."""
from __future__ import annotations

from graphcore.numpy.arguments import array_like
from graphcore.ops import functional as F

__all__ = [*(f"{name}{kind}" for name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft") for kind in ("", "2", "n")),
           "fftshift", "ifftshift", "fftfreq", "rfftfreq"]


def _one(name):
    function = getattr(F, name)

    def transform(a, n=None, axis=-1, norm=None):
        return function(array_like(a), n, axis, norm)
    transform.__name__ = transform.__qualname__ = name
    transform.__doc__ = function.__doc__
    return transform


def _several(name, axes_by_default):
    function = getattr(F, name)

    def transform(a, s=None, axes=axes_by_default, norm=None):
        return function(array_like(a), s, axes, norm)
    transform.__name__ = transform.__qualname__ = name
    transform.__doc__ = function.__doc__
    return transform


for _name in ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft"):
    globals()[_name] = _one(_name)
    globals()[f"{_name}2"] = _several(f"{_name}2", (-2, -1))
    globals()[f"{_name}n"] = _several(f"{_name}n", None)


def fftshift(x, axes=None):
    """The zero frequency moved to the middle of axes (None: all)."""
    return F.fftshift(array_like(x), axes)


def ifftshift(x, axes=None):
    """The inverse of `fftshift`."""
    return F.ifftshift(array_like(x), axes)


def fftfreq(n, d=1.0, dtype=None):
    """The frequencies of `fft` of n samples at distances d."""
    return F.fftfreq(n, d, dtype=dtype)


def rfftfreq(n, d=1.0, dtype=None):
    """The frequencies of `rfft` of n samples at distances d."""
    return F.rfftfreq(n, d, dtype=dtype)
