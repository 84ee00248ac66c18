"""Schedulers that multiply the learning rate by a factor: steps, powers, lines and the user's own functions."""
from __future__ import annotations

from collections import Counter

from graphcore import ops
from graphcore.experimental.optim.scheduler import LRScheduler, one_per_group, whole_number
from graphcore.nn.arguments import number


class StepLR(LRScheduler):
    """Multiplies the rates by `gamma` every `step_size` epochs.  Raises TypeError or ValueError for bad arguments."""

    def __init__(self, optimizer, step_size, gamma=0.1, last_epoch=-1):
        self.step_size = whole_number(step_size, "step_size", "StepLR", low=1)
        self.gamma = number(gamma, "gamma", "StepLR")
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        epoch = self.last_epoch
        due = ops.logical_and(epoch > 0, epoch % self.step_size == 0)
        return self.scaled(ops.where(due, self.gamma, 1.0))

    def _get_closed_form_lr(self):
        return self.scaled_base(ops.pow(self.gamma, self.last_epoch // self.step_size))


class MultiStepLR(LRScheduler):
    """Multiplies the rates by `gamma` at each epoch in the list `milestones`."""

    def __init__(self, optimizer, milestones, gamma=0.1, last_epoch=-1):
        if not isinstance(milestones, list):
            raise TypeError(f"MultiStepLR: milestones must be a list of ints, got {type(milestones).__name__}")
        self.milestones = Counter(whole_number(m, "each of the milestones", "MultiStepLR") for m in milestones)
        self.gamma = number(gamma, "gamma", "MultiStepLR")
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        factor = 1.0
        for epoch, times in self.milestones.items():
            factor = ops.where(self.last_epoch == epoch, self.gamma ** times, factor)
        return self.scaled(factor)

    def _get_closed_form_lr(self):
        factor = 1.0
        for epoch, times in self.milestones.items():
            factor = factor * ops.where(self.last_epoch >= epoch, self.gamma ** times, 1.0)
        return self.scaled_base(factor)


class ExponentialLR(LRScheduler):
    """Multiplies the rates by `gamma` every epoch."""

    def __init__(self, optimizer, gamma, last_epoch=-1):
        self.gamma = number(gamma, "gamma", "ExponentialLR")
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        return self.scaled(ops.where(self.last_epoch == 0, 1.0, self.gamma))

    def _get_closed_form_lr(self):
        return self.scaled_base(ops.pow(self.gamma, self.last_epoch))


class PolynomialLR(LRScheduler):
    """Lowers the rates to 0 over `total_iters` epochs: ``(1 - epoch / total_iters) ** power`` of the first."""

    def __init__(self, optimizer, total_iters=5, power=1.0, last_epoch=-1):
        self.total_iters = whole_number(total_iters, "total_iters", "PolynomialLR", low=1)
        self.power = number(power, "power", "PolynomialLR", low=0.0)
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        epoch, total = self.last_epoch, self.total_iters
        moves = ops.logical_and(epoch > 0, epoch <= total)
        left = ops.maximum(1.0 - epoch / total, 0.0)
        factor = ops.pow(left / ops.maximum(1.0 - (epoch - 1) / total, 1.0 / total), self.power)
        return self.scaled(ops.where(moves, factor, 1.0))

    def _get_closed_form_lr(self):
        return self.scaled_base(ops.pow(1.0 - ops.minimum(self.last_epoch, self.total_iters) / self.total_iters,
                                        self.power))


class LambdaLR(LRScheduler):
    """The rates at the start times ``lr_lambda(epoch)``; `lr_lambda` is a function, or a list with one per group."""

    def __init__(self, optimizer, lr_lambda, last_epoch=-1):
        self.lr_lambdas = _functions(lr_lambda, optimizer, "LambdaLR")
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        return [rate * function(self.last_epoch) for function, rate in zip(self.lr_lambdas, self.base_lrs)]


class MultiplicativeLR(LRScheduler):
    """Multiplies the rates by ``lr_lambda(epoch)`` every epoch from 1 on; a function, or a list with one per group."""

    def __init__(self, optimizer, lr_lambda, last_epoch=-1):
        self.lr_lambdas = _functions(lr_lambda, optimizer, "MultiplicativeLR")
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        return [rate * ops.where(self.last_epoch > 0, function(self.last_epoch), 1.0)
                for function, rate in zip(self.lr_lambdas, self._last_lr)]


class ConstantLR(LRScheduler):
    """`factor` (0 to 1) of the rates, up to the epoch `total_iters`."""

    def __init__(self, optimizer, factor=1.0 / 3, total_iters=5, last_epoch=-1):
        self.factor = number(factor, "factor", "ConstantLR", low=0.0, high=1.0)
        self.total_iters = whole_number(total_iters, "total_iters", "ConstantLR")
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        epoch = self.last_epoch
        ends = 1.0 / self.factor if self.factor else float("inf")
        return self.scaled(ops.where(epoch == 0, self.factor, ops.where(epoch == self.total_iters, ends, 1.0)))

    def _get_closed_form_lr(self):
        return self.scaled_base(ops.where(self.last_epoch >= self.total_iters, 1.0, self.factor))


class LinearLR(LRScheduler):
    """A factor of the rates that goes from `start_factor` to `end_factor` in a line, over `total_iters` epochs.

    start_factor: above 0, at most 1.  end_factor: 0 to 1.
    """

    def __init__(self, optimizer, start_factor=1.0 / 3, end_factor=1.0, total_iters=5, last_epoch=-1):
        self.start_factor = number(start_factor, "start_factor", "LinearLR", low=0.0, high=1.0, open_low=True)
        self.end_factor = number(end_factor, "end_factor", "LinearLR", low=0.0, high=1.0)
        self.total_iters = whole_number(total_iters, "total_iters", "LinearLR", low=1)
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        epoch, slope = self.last_epoch, self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (ops.minimum(epoch, self.total_iters) - 1) * slope
        factor = ops.where(epoch > self.total_iters, 1.0, 1.0 + slope / before)
        return self.scaled(ops.where(epoch == 0, self.start_factor, factor))

    def _get_closed_form_lr(self):
        done = ops.minimum(self.last_epoch, self.total_iters) / self.total_iters
        return self.scaled_base(self.start_factor + (self.end_factor - self.start_factor) * done)


def _functions(given, optimizer, owner: str) -> list:
    functions = one_per_group(given, optimizer, "lr_lambda", owner)
    for function in functions:
        if not callable(function):
            raise TypeError(f"{owner}: lr_lambda must be a function of the epoch, or a list of them, got {function!r}")
    return functions
