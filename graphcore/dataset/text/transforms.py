"""``mindspore.dataset.text.transforms``: the transforms of text."""
from graphcore.dataset.text.patterns import *  # noqa: F403
from graphcore.dataset.text.refused import *  # noqa: F403
from graphcore.dataset.text.sequences import *  # noqa: F403
from graphcore.dataset.text.tokenizers import *  # noqa: F403
from graphcore.dataset.text.vectors import ToVectors  # noqa: F401
