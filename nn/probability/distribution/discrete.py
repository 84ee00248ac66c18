"""Bernoulli and Categorical."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore import ops
from graphcore.nn.probability.distribution.distribution import Distribution
from graphcore.tensor import Tensor


def _check_probabilities(probs) -> None:
    if (probs < 0).any():
        raise ValueError("Probabilities must be greater than zero")
    if (probs > 1).any():
        raise ValueError("Probabilities must be less than one")


class Bernoulli(Distribution):
    """1 with probability `probs`, else 0."""

    PARAMETERS = ("probs",)

    def __init__(self, probs=None, seed=None, dtype=dt.int32, name="Bernoulli"):
        super().__init__({"probs": probs}, seed, dtype, name)

    def _check(self, probs):
        _check_probabilities(probs)

    def _log_prob(self, value, probs):
        return value * ops.log(probs) + (1.0 - value) * ops.log(1.0 - probs)

    def _cdf(self, value, probs):
        return ops.where(value < 0.0, 0.0, ops.where(value < 1.0, 1.0 - probs, 1.0))

    def _mean(self, probs):
        return probs

    def _mode(self, probs):
        return ops.cast(probs > 0.5, dt.int32)

    def _var(self, probs):
        return probs * (1.0 - probs)

    def _entropy(self, probs):
        return -(probs * ops.log(probs) + (1.0 - probs) * ops.log(1.0 - probs))

    def _kl_loss(self, own, other):
        (probs,), (other_probs,) = own, other
        return (probs * ops.log(probs / other_probs)
                + (1.0 - probs) * ops.log((1.0 - probs) / (1.0 - other_probs)))

    def _sample(self, shape, probs):
        return ops.rand(*shape, *probs.shape, seed=self.seed) < probs


class Categorical(Distribution):
    """One of the numbers 0 ... n - 1, with the probabilities along the last axis of `probs`."""

    PARAMETERS = ("probs",)

    def __init__(self, probs=None, seed=None, dtype=dt.int32, name="Categorical"):
        super().__init__({"probs": probs}, seed, dtype, name)

    def _check(self, probs):
        _check_probabilities(probs)
        if not np.allclose(probs.sum(-1), 1.0, atol=1e-5):
            raise ValueError("Probabilities must sum up to one along the last axis")

    def _chosen(self, table, value):
        """The entries of a table [..., n] at values of its batch's shape, or one of any shape for a table [n]."""
        index = ops.cast(value, dt.int32)
        if table.ndim == 1:
            return ops.gather(table, index, 0)
        shape = np.broadcast_shapes(tuple(index.shape), tuple(table.shape[:-1]))
        table = ops.broadcast_to(table, shape + tuple(table.shape[-1:]))
        places = ops.expand_dims(ops.broadcast_to(index, shape), -1)
        return ops.reshape(ops.gather_elements(table, table.ndim - 1, places), shape)

    def _log_prob(self, value, probs):
        return self._chosen(ops.log(probs), value)

    def _cdf(self, value, probs):
        return self._chosen(ops.cumsum(probs, -1), value)

    def _moment(self, probs, power):
        numbers = Tensor(np.arange(probs.shape[-1], dtype=np.float32) ** power)
        return ops.sum(probs * numbers, -1, True)

    def _mean(self, probs):
        return self._moment(probs, 1)

    def _mode(self, probs):
        return ops.cast(ops.argmax(probs, -1), dt.int32)

    def _var(self, probs):
        return self._moment(probs, 2) - ops.square(self._moment(probs, 1))

    def _entropy(self, probs):
        return -ops.sum(ops.xlogy(probs, probs), -1)

    def _kl_loss(self, own, other):
        (probs,), (other_probs,) = own, other
        return ops.sum(ops.xlogy(probs, probs) - ops.xlogy(probs, other_probs), -1)

    def _sample(self, shape, probs):
        drawn = ops.rand(*shape, *probs.shape[:-1], 1, seed=self.seed)
        above = ops.cast(drawn >= ops.cumsum(probs, -1)[..., :-1], dt.int32)
        return ops.sum(above, -1)
