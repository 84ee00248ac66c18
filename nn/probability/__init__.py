"""Probability: ``nn.probability.distribution``."""
from graphcore.nn.probability import distribution

__all__ = ["distribution"]
