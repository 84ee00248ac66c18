"""``mindspore.mint.special``."""
from graphcore.mint.functions import erfc, exp2, expm1, log1p, log_softmax, round, sinc

__all__ = ["erfc", "exp2", "expm1", "log1p", "log_softmax", "round", "sinc"]
