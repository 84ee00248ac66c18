"""Audio: waveforms [..., time] and their spectra [..., frequencies, time], on NumPy arrays."""
from graphcore.dataset.audio.filters import *  # noqa: F403
from graphcore.dataset.audio.filters import __all__ as _filters
from graphcore.dataset.audio.options import *  # noqa: F403
from graphcore.dataset.audio.options import __all__ as _options
from graphcore.dataset.audio.signals import *  # noqa: F403
from graphcore.dataset.audio.signals import __all__ as _signals
from graphcore.dataset.audio.spectra import *  # noqa: F403
from graphcore.dataset.audio.spectra import __all__ as _spectra

__all__ = [*_filters, *_options, *_signals, *_spectra]
