"""Where an optimiser keeps its learning rates: Parameters, so that a new value never recompiles, or schedules."""
from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from graphcore import dtype as dt
from graphcore import ops
from graphcore.nn.arguments import number
from graphcore.nn.cell import Cell
from graphcore.nn.learning_rate_schedule import LearningRateSchedule
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor


def constant_rate(rate, owner: str):
    """A learning rate as float, float32 Tensor of 0 or 1 axes, or schedule.  Raises TypeError or ValueError."""
    if isinstance(rate, LearningRateSchedule):
        return rate
    if isinstance(rate, Tensor):
        if rate.ndim > 1 or rate.size == 0:
            raise ValueError(f"{owner}: learning_rate must be a number or one per step, got shape {tuple(rate.shape)}")
        return Tensor(rate.asnumpy(), dt.float32)
    if isinstance(rate, (int, float, np.number)) and not isinstance(rate, bool):
        return number(rate, "learning_rate", owner, low=0.0)
    if isinstance(rate, Iterable) and not isinstance(rate, (str, bytes, Cell)):
        return constant_rate(Tensor(np.asarray([float(r) for r in rate], np.float32)), owner)
    raise TypeError(f"{owner}: learning_rate must be a number, a list, a Tensor or a LearningRateSchedule, got "
                    f"{type(rate).__name__}")


def rate_holder(rate, name: str, as_cell: bool):
    """What holds a rate in the optimiser: a Parameter for a number, a Cell for a table or schedule.

    as_cell: other groups are scheduled, so a number too must answer to ``holder(global_step)``.
    """
    if isinstance(rate, LearningRateSchedule):
        return rate
    if isinstance(rate, Tensor) and rate.ndim == 1:
        return _IteratorLearningRate(rate, name)
    parameter = Parameter(Tensor(rate, dt.float32), name=name)
    return _ConvertToCell(parameter) if as_cell else parameter


def learning_rate_of(holder):
    """The Parameter behind a holder; a user's schedule is returned as it is."""
    return holder.learning_rate if isinstance(holder, (_IteratorLearningRate, _ConvertToCell)) else holder


def decays_weights(decay) -> bool:
    """Whether a weight decay does anything: it is a Tensor, or a number other than 0."""
    return isinstance(decay, Tensor) or decay != 0.0


class _IteratorLearningRate(LearningRateSchedule):
    """A table with one rate per step; after its end the last rate stays."""

    def __init__(self, learning_rate, name):
        super().__init__()
        self.learning_rate = Parameter(learning_rate, name=name)

    def construct(self, global_step):
        last = self.learning_rate.shape[0] - 1
        return ops.gather(self.learning_rate, ops.minimum(global_step, last), 0)


class _ConvertToCell(LearningRateSchedule):
    """A constant rate that is called like a schedule."""

    def __init__(self, learning_rate):
        super().__init__()
        self.learning_rate = learning_rate

    def construct(self, global_step):
        return self.learning_rate


class DecayScale(Cell):
    """A weight decay computed by a Cell from the step, times the loss scale."""

    def __init__(self, weight_decay, loss_scale):
        super().__init__(auto_prefix=False)
        self.weight_decay = weight_decay
        self.loss_scale = loss_scale

    def construct(self, global_step):
        value = self.weight_decay(global_step)
        return ops.reshape(value if self.loss_scale == 1.0 else value * self.loss_scale, ())
