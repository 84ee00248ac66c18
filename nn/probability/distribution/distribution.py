"""Distribution: what all distributions share."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore import ops
from graphcore.nn.cell import Cell
from graphcore.tensor import Tensor


class Distribution(Cell):
    """A distribution whose parameters are given when it is made, or with each call, behind the other arguments.

    A subclass names its parameters in `PARAMETERS` and defines ``_log_prob``, ``_cdf`` and so on, which take the value
    and then the parameters as Tensors.  Calling the Cell with a method's name calls that method.
    Raises TypeError where a parameter is given in neither place, or a value is no Tensor; ValueError for parameters out
    of range; NotImplementedError for what a distribution does not have.
    """

    PARAMETERS: tuple = ()

    def __init__(self, given: dict, seed=None, dtype=dt.float32, name=None):
        super().__init__()
        self.name, self.seed, self.dtype = name or type(self).__name__, seed, dtype
        self._given = {key: None if value is None else self._tensor(value) for key, value in given.items()}
        if all(value is not None for value in self._given.values()):
            self._check(**{key: value.asnumpy() for key, value in self._given.items()})

    def _check(self, **parameters) -> None:
        """Raise ValueError for parameters, as arrays, that are out of range."""

    @staticmethod
    def _tensor(value):
        return value if isinstance(value, Tensor) else Tensor(np.asarray(value, np.float32))

    def _all(self, called: tuple) -> tuple:
        """The parameters as Tensors: those of the call where given, else those of the constructor."""
        found = []
        for place, key in enumerate(self.PARAMETERS):
            value = called[place] if place < len(called) and called[place] is not None else self._given[key]
            if value is None:
                raise TypeError(f"{self.name}: {key} is given neither when the distribution is made nor with the call")
            found.append(self._tensor(value))
        return tuple(found)

    def _value(self, value):
        if not isinstance(value, Tensor):
            raise TypeError(f"{self.name}: the value must be a Tensor, got {type(value).__name__}")
        return ops.cast(value, dt.float32)

    def construct(self, name, *args, **kwargs):
        return getattr(self, name)(*args, **kwargs)

    # -- of values ---------------------------------------------------------------------------------------------
    def log_prob(self, value, *parameters):
        """The logarithm of the density, or of the probability, of values."""
        return self._log_prob(self._value(value), *self._all(parameters))

    def prob(self, value, *parameters):
        """The density, or the probability, of values."""
        return ops.exp(self._log_prob(self._value(value), *self._all(parameters)))

    def cdf(self, value, *parameters):
        """The probability of anything up to the values."""
        return self._cdf(self._value(value), *self._all(parameters))

    def log_cdf(self, value, *parameters):
        """log(cdf)."""
        return ops.log(self.cdf(value, *parameters))

    def survival_function(self, value, *parameters):
        """1 - cdf."""
        return 1.0 - self.cdf(value, *parameters)

    def log_survival(self, value, *parameters):
        """log(1 - cdf)."""
        return ops.log(self.survival_function(value, *parameters))

    # -- of the distribution -------------------------------------------------------------------------------------
    def mean(self, *parameters):
        """The mean."""
        return self._mean(*self._all(parameters))

    def mode(self, *parameters):
        """Where the density is largest."""
        return self._mode(*self._all(parameters))

    def var(self, *parameters):
        """The variance."""
        return self._var(*self._all(parameters))

    def sd(self, *parameters):
        """The standard deviation."""
        return ops.sqrt(self._var(*self._all(parameters)))

    def entropy(self, *parameters):
        """The entropy, in nats."""
        return self._entropy(*self._all(parameters))

    def kl_loss(self, dist, *parameters):
        """The Kullback-Leibler divergence to another distribution of this kind.

        dist: its name; parameters: those of the other one, then those of this one.
        """
        if dist != type(self).__name__:
            raise ValueError(f"{self.name}: kl_loss compares with a {type(self).__name__}, got {dist!r}")
        count = len(self.PARAMETERS)
        other = tuple(self._tensor(value) for value in parameters[:count])
        if len(other) < count:
            raise TypeError(f"{self.name}: kl_loss needs the other one's {', '.join(self.PARAMETERS)}")
        return self._kl_loss(self._all(parameters[count:]), other)

    def cross_entropy(self, dist, *parameters):
        """The entropy plus `kl_loss`."""
        return self.entropy(*parameters[len(self.PARAMETERS):]) + self.kl_loss(dist, *parameters)

    def sample(self, shape=(), *parameters):
        """Random values of shape `shape` plus that of the parameters, in `dtype`."""
        return ops.cast(self._sample(tuple(shape), *self._all(parameters)), self.dtype)

    def get_dist_args(self, *parameters) -> tuple:
        """The parameters."""
        return self._all(parameters)

    def get_dist_type(self) -> str:
        """The kind: the class's name."""
        return type(self).__name__

    def __getattr__(self, name):
        if name in ("_log_prob", "_cdf", "_mean", "_mode", "_var", "_entropy", "_kl_loss", "_sample"):
            raise NotImplementedError(f"{name[1:]} is not implemented for {type(self).__name__} distribution.")
        return super().__getattr__(name)


def broadcast_shape(*tensors) -> tuple:
    """The shape that the Tensors have together."""
    return np.broadcast_shapes(*(tuple(t.shape) for t in tensors))
