"""Normal, Uniform and Exponential."""
from __future__ import annotations

import math

from graphcore import dtype as dt
from graphcore import ops
from graphcore.nn.probability.distribution.distribution import Distribution, broadcast_shape


class Normal(Distribution):
    """The normal distribution; mean: number or Tensor, sd: above 0."""

    PARAMETERS = ("mean", "sd")

    def __init__(self, mean=None, sd=None, seed=None, dtype=dt.float32, name="Normal"):
        super().__init__({"mean": mean, "sd": sd}, seed, dtype, name)

    def _check(self, mean, sd):
        if (sd <= 0).any():
            raise ValueError("Standard deviation must be greater than zero.")

    def _log_prob(self, value, mean, sd):
        return -0.5 * ops.square((value - mean) / sd) - ops.log(sd) - 0.5 * math.log(2 * math.pi)

    def _cdf(self, value, mean, sd):
        return 0.5 * ops.erfc((mean - value) / (sd * math.sqrt(2)))

    def _mean(self, mean, sd):
        return ops.broadcast_to(mean, broadcast_shape(mean, sd))

    _mode = _mean

    def _var(self, mean, sd):
        return ops.broadcast_to(ops.square(sd), broadcast_shape(mean, sd))

    def _entropy(self, mean, sd):
        return ops.broadcast_to(ops.log(sd) + 0.5 * math.log(2 * math.pi * math.e), broadcast_shape(mean, sd))

    def _kl_loss(self, own, other):
        (mean, sd), (other_mean, other_sd) = own, other
        return (0.5 * ops.square((mean - other_mean) / other_sd) + 0.5 * (ops.square(sd / other_sd) - 1.0)
                - ops.log(sd / other_sd))

    def _sample(self, shape, mean, sd):
        return mean + sd * ops.standard_normal(shape + broadcast_shape(mean, sd), seed=self.seed)


class Uniform(Distribution):
    """Equally dense from `low` to `high`; low < high."""

    PARAMETERS = ("low", "high")

    def __init__(self, low=None, high=None, seed=None, dtype=dt.float32, name="Uniform"):
        super().__init__({"low": low, "high": high}, seed, dtype, name)

    def _check(self, low, high):
        if (low >= high).any():
            raise ValueError("low must be less than high")

    def _log_prob(self, value, low, high):
        inside = ops.logical_and(value >= low, value <= high)
        return ops.where(inside, -ops.log(high - low), -math.inf)

    def _cdf(self, value, low, high):
        return ops.clamp((value - low) / (high - low), 0.0, 1.0)

    def _mean(self, low, high):
        return (low + high) / 2.0

    def _var(self, low, high):
        return ops.square(high - low) / 12.0

    def _entropy(self, low, high):
        return ops.log(high - low)

    def _kl_loss(self, own, other):
        (low, high), (other_low, other_high) = own, other
        covered = ops.logical_and(other_low <= low, other_high >= high)
        return ops.where(covered, ops.log(other_high - other_low) - ops.log(high - low), math.inf)

    def _sample(self, shape, low, high):
        shape = shape + broadcast_shape(low, high)
        return low + (high - low) * ops.rand(*shape, seed=self.seed)


class Exponential(Distribution):
    """The exponential distribution; rate: above 0."""

    PARAMETERS = ("rate",)

    def __init__(self, rate=None, seed=None, dtype=dt.float32, name="Exponential"):
        super().__init__({"rate": rate}, seed, dtype, name)

    def _check(self, rate):
        if (rate <= 0).any():
            raise ValueError("rate must be greater than zero.")

    def _log_prob(self, value, rate):
        return ops.where(value >= 0.0, ops.log(rate) - rate * value, -math.inf)

    def _cdf(self, value, rate):
        return ops.where(value >= 0.0, 1.0 - ops.exp(-rate * value), 0.0)

    def _mean(self, rate):
        return 1.0 / rate

    def _mode(self, rate):
        return ops.zeros_like(rate)

    def _var(self, rate):
        return 1.0 / ops.square(rate)

    def _entropy(self, rate):
        return 1.0 - ops.log(rate)

    def _kl_loss(self, own, other):
        (rate,), (other_rate,) = own, other
        return ops.log(rate) - ops.log(other_rate) + other_rate / rate - 1.0

    def _sample(self, shape, rate):
        return -ops.log(1.0 - ops.rand(*shape, *rate.shape, seed=self.seed)) / rate
