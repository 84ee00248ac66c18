"""Optimisers with parameter groups: each group is a dict of options that can be read and set between steps."""
from graphcore.experimental.optim import lr_scheduler  # noqa: F401
from graphcore.experimental.optim.adam import Adam, AdamW
from graphcore.experimental.optim.adam_variants import Adamax, NAdam, RAdam
from graphcore.experimental.optim.adaptive import Adadelta, Adagrad, RMSprop, Rprop
from graphcore.experimental.optim.optimizer import Optimizer
from graphcore.experimental.optim.sgd import ASGD, SGD

__all__ = ["Optimizer", "AdamW", "SGD", "Adam", "Adadelta", "Adagrad", "ASGD", "Adamax", "RMSprop", "Rprop", "RAdam",
           "NAdam"]
