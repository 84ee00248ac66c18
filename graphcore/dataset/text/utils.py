"""``mindspore.dataset.text.utils``: vocabularies, vectors, and options of tokenizers."""
from graphcore.dataset.text.refused import *  # noqa: F403
from graphcore.dataset.text.sequences import to_bytes, to_str  # noqa: F401
from graphcore.dataset.text.tokenizers import NormalizeForm  # noqa: F401
from graphcore.dataset.text.vectors import CharNGram, FastText, GloVe, Vectors  # noqa: F401
from graphcore.dataset.text.vocab import Vocab  # noqa: F401
