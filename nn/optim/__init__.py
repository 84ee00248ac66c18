"""Optimisers."""
from graphcore.nn.optim.adafactor import AdaFactor
from graphcore.nn.optim.adam import Adam, AdaMax, AdamW, AdamWeightDecay, LazyAdam
from graphcore.nn.optim.adaptive import Adagrad, Lamb, RMSProp
from graphcore.nn.optim.momentum import SGD, Momentum
from graphcore.nn.optim.optimizer import Optimizer, opt_init_args_register
from graphcore.nn.optim.proximal import FTRL, ProximalAdagrad
from graphcore.nn.optim.stepwise import ASGD, Adadelta, Rprop

__all__ = ["Optimizer", "opt_init_args_register", "Momentum", "SGD", "Adam", "AdamWeightDecay", "AdamW", "RMSProp",
           "Adagrad", "Lamb", "LazyAdam", "AdaMax", "AdaFactor", "FTRL", "ProximalAdagrad", "ASGD", "Adadelta", "Rprop"]
