"""``mindspore.mint.optim``: the optimisers of `experimental.optim`, whose arguments are the same."""
from graphcore.experimental.optim import SGD, Adam, AdamW

__all__ = ["SGD", "Adam", "AdamW"]
