"""``mindspore.common.seed``."""
from graphcore.random import get_seed, set_seed

__all__ = ["get_seed", "set_seed"]
