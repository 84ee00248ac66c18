"""``mindspore.scipy``: linear algebra and cosine transforms under SciPy's names and arguments."""
from graphcore.scipy import fft, linalg

__all__ = ["fft", "linalg"]
