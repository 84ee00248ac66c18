"""Distributions as Cells: ``Normal(0.0, 1.0).log_prob(x)``, or ``normal("log_prob", x)``."""
from graphcore.nn.probability.distribution.continuous import Exponential, Normal, Uniform
from graphcore.nn.probability.distribution.discrete import Bernoulli, Categorical
from graphcore.nn.probability.distribution.distribution import Distribution

__all__ = ["Bernoulli", "Categorical", "Distribution", "Exponential", "Normal", "Uniform"]
