"""Optimisers."""
from graphcore.namespace import namespace

__getattr__, __dir__, __all__ = namespace("graphcore.nn.optim", {
    "optimizer": "Optimizer opt_init_args_register",
    "adafactor": "AdaFactor",
    "adam": "Adam AdaMax AdamW AdamWeightDecay LazyAdam",
    "adaptive": "Adagrad Lamb RMSProp",
    "lars": "LARS",
    "momentum": "Momentum SGD",
    "proximal": "FTRL ProximalAdagrad",
    "second_order": "thor",
    "stepwise": "ASGD Adadelta Rprop",
})
