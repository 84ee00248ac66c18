"""Optimisers."""
from graphcore.nn.optim.adam import Adam, AdamW, AdamWeightDecay
from graphcore.nn.optim.adaptive import Adagrad, Lamb, RMSProp
from graphcore.nn.optim.momentum import SGD, Momentum
from graphcore.nn.optim.optimizer import Optimizer, opt_init_args_register

__all__ = ["Optimizer", "opt_init_args_register", "Momentum", "SGD", "Adam", "AdamWeightDecay", "AdamW", "RMSProp",
           "Adagrad", "Lamb"]
