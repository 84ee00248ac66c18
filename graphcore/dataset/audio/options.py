"""What transforms of audio may be asked for."""
from __future__ import annotations

import enum

__all__ = ["BorderType", "FadeShape", "GainType", "MelType", "NormMode", "NormType", "ResampleMethod", "ScaleType",
           "WindowType"]


class BorderType(str, enum.Enum):
    """What is put around a signal."""

    CONSTANT = "constant"
    EDGE = "edge"
    REFLECT = "reflect"
    SYMMETRIC = "symmetric"


class FadeShape(str, enum.Enum):
    """How loud a signal is while it fades."""

    QUARTER_SINE = "quarter_sine"
    HALF_SINE = "half_sine"
    LINEAR = "linear"
    LOGARITHMIC = "logarithmic"
    EXPONENTIAL = "exponential"


class GainType(str, enum.Enum):
    """What the number of `Vol` means."""

    AMPLITUDE = "amplitude"
    POWER = "power"
    DB = "db"


class MelType(str, enum.Enum):
    """Formulas of the mel scale."""

    HTK = "htk"
    SLANEY = "slaney"


class NormMode(str, enum.Enum):
    """Whether the vectors of a cosine transform have length 1."""

    ORTHO = "ortho"
    NONE = "none"


class NormType(str, enum.Enum):
    """Whether bands of the mel scale are divided by their width."""

    SLANEY = "slaney"
    NONE = "none"


class ResampleMethod(str, enum.Enum):
    """The window of the filter by which `Resample` interpolates."""

    SINC_INTERPOLATION = "sinc_interpolation"
    KAISER_WINDOW = "kaiser_window"


class ScaleType(str, enum.Enum):
    """Whether numbers are powers or magnitudes."""

    POWER = "power"
    MAGNITUDE = "magnitude"


class WindowType(str, enum.Enum):
    """Windows of a short-time Fourier transform."""

    BARTLETT = "bartlett"
    BLACKMAN = "blackman"
    HAMMING = "hamming"
    HANN = "hann"
    KAISER = "kaiser"
