"""Learning rates computed inside the graph from the number of the step.

A schedule is a Cell: ``construct(global_step)`` takes the optimiser's ``global_step`` (int32[1]) and returns the rate
of that step (float32[1]).  Give one to an optimiser as ``learning_rate`` (or as a group's ``lr``).
Wrong types raise TypeError, wrong values ValueError.
"""
from __future__ import annotations

import math

from graphcore import dtype as dt
from graphcore import ops
from graphcore.nn.arguments import boolean, number, positive_int
from graphcore.nn.cell import Cell

__all__ = ["LearningRateSchedule", "ExponentialDecayLR", "NaturalExpDecayLR", "InverseDecayLR", "CosineDecayLR",
           "PolynomialDecayLR", "WarmUpLR"]


class LearningRateSchedule(Cell):
    """Base of all schedules; subclasses write ``construct(self, global_step)``."""

    def construct(self, global_step):
        """The learning rate of step `global_step`."""
        raise NotImplementedError(f"{self.cls_name} must define construct(self, global_step)")

    def _float(self, name, value, above_zero=False) -> float:
        if not isinstance(value, float):
            raise TypeError(f"{self.cls_name}: {name} must be a float, got {value!r} ({type(value).__name__})")
        return number(value, name, self.cls_name, low=0.0, open_low=above_zero)


class _Decay(LearningRateSchedule):
    """What the three decays share: a start, a rate of decay, and a number of steps."""

    def __init__(self, learning_rate, decay_rate, decay_steps, is_stair=False):
        super().__init__()
        self.learning_rate = self._float("learning_rate", learning_rate, above_zero=True)
        self.decay_rate = self._float("decay_rate", decay_rate, above_zero=True)
        self.decay_steps = positive_int(decay_steps, "decay_steps", self.cls_name)
        self.is_stair = boolean(is_stair, "is_stair", self.cls_name)

    def periods(self, global_step):
        """How many times `decay_steps` steps have passed; whole periods only if `is_stair`."""
        passed = ops.cast(global_step, dt.float32) / self.decay_steps
        return ops.floor(passed) if self.is_stair else passed


class ExponentialDecayLR(_Decay):
    """``learning_rate * decay_rate ** (step / decay_steps)``; the exponent is rounded down if `is_stair`."""

    def construct(self, global_step):
        return self.learning_rate * ops.exp(math.log(self.decay_rate) * self.periods(global_step))


class NaturalExpDecayLR(_Decay):
    """``learning_rate * exp(-decay_rate * step)``; `is_stair`: steps rounded down to multiples of `decay_steps`."""

    def construct(self, global_step):
        step = self.periods(global_step) * self.decay_steps if self.is_stair else ops.cast(global_step, dt.float32)
        return self.learning_rate * ops.exp(-self.decay_rate * step)


class InverseDecayLR(_Decay):
    """``learning_rate / (1 + decay_rate * step / decay_steps)``; the quotient is rounded down if `is_stair`."""

    def construct(self, global_step):
        return self.learning_rate / (1 + self.decay_rate * self.periods(global_step))


class CosineDecayLR(LearningRateSchedule):
    """Half a cosine from `max_lr` to `min_lr` over `decay_steps` steps, then `min_lr`."""

    def __init__(self, min_lr, max_lr, decay_steps):
        super().__init__()
        self.min_lr = self._float("min_lr", min_lr)
        self.max_lr = self._float("max_lr", max_lr, above_zero=True)
        self.decay_steps = positive_int(decay_steps, "decay_steps", self.cls_name)
        if min_lr >= max_lr:
            raise ValueError(f"CosineDecayLR: max_lr ({max_lr}) must be greater than min_lr ({min_lr})")

    def construct(self, global_step):
        step = ops.cast(ops.minimum(global_step, self.decay_steps), dt.float32)
        half = 0.5 * (self.max_lr - self.min_lr)
        return self.min_lr + half * (1.0 + ops.cos(math.pi / self.decay_steps * step))


class PolynomialDecayLR(LearningRateSchedule):
    """``(learning_rate - end) * (1 - step / decay_steps) ** power + end``, steps being clipped at `decay_steps`.

    update_decay_steps: instead of clipping, stretch `decay_steps` to its next multiple that is not below the step.
    """

    def __init__(self, learning_rate, end_learning_rate, decay_steps, power, update_decay_steps=False):
        super().__init__()
        self.start_learning_rate = self._float("learning_rate", learning_rate, above_zero=True)
        self.end_learning_rate = self._float("end_learning_rate", end_learning_rate)
        self.decay_steps = positive_int(decay_steps, "decay_steps", self.cls_name)
        self.power = self._float("power", power, above_zero=True)
        self.update_decay_steps = boolean(update_decay_steps, "update_decay_steps", self.cls_name)

    def construct(self, global_step):
        step = ops.cast(global_step, dt.float32)
        if self.update_decay_steps:
            span = self.decay_steps * ops.maximum(ops.ceil(step / self.decay_steps), 1.0)
        else:
            span = float(self.decay_steps)
            step = ops.minimum(step, span)
        difference = self.start_learning_rate - self.end_learning_rate
        return difference * ops.pow(1.0 - step / span, self.power) + self.end_learning_rate


class WarmUpLR(LearningRateSchedule):
    """A ramp from 0 to `learning_rate` over `warmup_steps` steps, then `learning_rate`."""

    def __init__(self, learning_rate, warmup_steps):
        super().__init__()
        self.learning_rate = self._float("learning_rate", learning_rate)
        self.warmup_steps = positive_int(warmup_steps, "warmup_steps", self.cls_name)

    def construct(self, global_step):
        step = ops.cast(ops.minimum(global_step, self.warmup_steps), dt.float32)
        return self.learning_rate * (step / self.warmup_steps)
