"""``mindspore.amp``: mixed precision, from where it stands with Model."""
from __future__ import annotations

from graphcore.train.amp import *  # noqa: F403
from graphcore.train.amp import __all__  # noqa: F401  the same names
