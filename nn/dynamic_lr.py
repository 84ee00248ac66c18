"""Lists of learning rates, one per step, to be given to an optimiser as ``learning_rate``.

Each function returns a list of floats of length `total_step`; the rate changes from epoch to epoch (an epoch being
`step_per_epoch` steps), not from step to step.  Wrong types raise TypeError, wrong values ValueError.
"""
from __future__ import annotations

import math

from graphcore.nn.arguments import boolean, number, positive_int

__all__ = ["piecewise_constant_lr", "exponential_decay_lr", "natural_exp_decay_lr", "inverse_decay_lr",
           "cosine_decay_lr", "polynomial_decay_lr", "warmup_lr"]


def piecewise_constant_lr(milestone, learning_rates):
    """``learning_rates[i]`` up to (not including) step ``milestone[i]``; the list is as long as the last milestone.

    milestone: increasing ints above 0; learning_rates: as many floats.
    """
    for name, value in (("milestone", milestone), ("learning_rates", learning_rates)):
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"piecewise_constant_lr: {name} must be a list or tuple, got {type(value).__name__}")
    if len(milestone) != len(learning_rates):
        raise ValueError(f"piecewise_constant_lr: {len(milestone)} milestones do not go with {len(learning_rates)} "
                         "learning rates; give one rate for each")
    rates, last = [], 0
    for step, rate in zip(milestone, learning_rates):
        positive_int(step, "milestone", "piecewise_constant_lr")
        if not isinstance(rate, float):
            raise TypeError(f"piecewise_constant_lr: learning_rates must be floats, got {rate!r}")
        if step < last:
            raise ValueError(f"piecewise_constant_lr: milestones must increase, got {step} after {last}")
        rates += [rate] * (step - last)
        last = step
    return rates


def exponential_decay_lr(learning_rate, decay_rate, total_step, step_per_epoch, decay_epoch, is_stair=False):
    """``learning_rate * decay_rate ** (epoch / decay_epoch)``; the exponent is rounded down if `is_stair`."""
    _check_decay("exponential_decay_lr", learning_rate, decay_rate, total_step, step_per_epoch, decay_epoch, is_stair)
    power = math.floor if is_stair else float
    return [learning_rate * decay_rate ** power(epoch / decay_epoch) for epoch in _epochs(total_step, step_per_epoch)]


def natural_exp_decay_lr(learning_rate, decay_rate, total_step, step_per_epoch, decay_epoch, is_stair=False):
    """``learning_rate * exp(-decay_rate * epoch)``; `is_stair`: epochs rounded down to multiples of `decay_epoch`."""
    _check_decay("natural_exp_decay_lr", learning_rate, decay_rate, total_step, step_per_epoch, decay_epoch, is_stair)
    return [learning_rate * math.exp(-decay_rate * (epoch // decay_epoch * decay_epoch if is_stair else epoch))
            for epoch in _epochs(total_step, step_per_epoch)]


def inverse_decay_lr(learning_rate, decay_rate, total_step, step_per_epoch, decay_epoch, is_stair=False):
    """``learning_rate / (1 + decay_rate * epoch / decay_epoch)``; the quotient is rounded down if `is_stair`."""
    _check_decay("inverse_decay_lr", learning_rate, decay_rate, total_step, step_per_epoch, decay_epoch, is_stair)
    whole = math.floor if is_stair else float
    return [learning_rate / (1 + decay_rate * whole(epoch / decay_epoch))
            for epoch in _epochs(total_step, step_per_epoch)]


def cosine_decay_lr(min_lr, max_lr, total_step, step_per_epoch, decay_epoch):
    """Half a cosine from `max_lr` to `min_lr` over `decay_epoch` epochs, then `min_lr`."""
    _check_float("cosine_decay_lr", "min_lr", min_lr)
    _check_float("cosine_decay_lr", "max_lr", max_lr, above_zero=True)
    _check_counts("cosine_decay_lr", total_step=total_step, step_per_epoch=step_per_epoch, decay_epoch=decay_epoch)
    if min_lr >= max_lr:
        raise ValueError(f"cosine_decay_lr: max_lr ({max_lr}) must be greater than min_lr ({min_lr})")
    half = 0.5 * (max_lr - min_lr)
    return [min_lr + half * (1 + math.cos(math.pi * min(epoch, decay_epoch) / decay_epoch))
            for epoch in _epochs(total_step, step_per_epoch)]


def polynomial_decay_lr(learning_rate, end_learning_rate, total_step, step_per_epoch, decay_epoch, power,
                        update_decay_epoch=False):
    """``(learning_rate - end) * (1 - epoch / decay_epoch) ** power + end``, epochs being clipped at `decay_epoch`.

    update_decay_epoch: instead of clipping, stretch `decay_epoch` to its next multiple that is not below the epoch.
    """
    owner = "polynomial_decay_lr"
    _check_float(owner, "learning_rate", learning_rate, above_zero=True)
    _check_float(owner, "end_learning_rate", end_learning_rate)
    _check_float(owner, "power", power, above_zero=True)
    _check_counts(owner, total_step=total_step, step_per_epoch=step_per_epoch, decay_epoch=decay_epoch)
    boolean(update_decay_epoch, "update_decay_epoch", owner)
    rates = []
    for epoch in _epochs(total_step, step_per_epoch):
        span = decay_epoch * max(math.ceil(epoch / decay_epoch), 1) if update_decay_epoch else decay_epoch
        rates.append((learning_rate - end_learning_rate) * (1 - min(epoch, span) / span) ** power + end_learning_rate)
    return rates


def warmup_lr(learning_rate, total_step, step_per_epoch, warmup_epoch):
    """A ramp from 0 to `learning_rate` over `warmup_epoch` epochs, then `learning_rate`."""
    _check_float("warmup_lr", "learning_rate", learning_rate)
    _check_counts("warmup_lr", total_step=total_step, step_per_epoch=step_per_epoch, warmup_epoch=warmup_epoch)
    return [learning_rate * min(epoch, warmup_epoch) / warmup_epoch for epoch in _epochs(total_step, step_per_epoch)]


def _epochs(total_step, step_per_epoch):
    return (step // step_per_epoch for step in range(total_step))


def _check_float(owner, name, value, above_zero=False):
    if not isinstance(value, float):
        raise TypeError(f"{owner}: {name} must be a float, got {value!r} ({type(value).__name__})")
    number(value, name, owner, low=0.0, open_low=above_zero)


def _check_counts(owner, **counts):
    for name, value in counts.items():
        positive_int(value, name, owner)


def _check_decay(owner, learning_rate, decay_rate, total_step, step_per_epoch, decay_epoch, is_stair):
    _check_counts(owner, total_step=total_step, step_per_epoch=step_per_epoch, decay_epoch=decay_epoch)
    _check_float(owner, "learning_rate", learning_rate, above_zero=True)
    _check_float(owner, "decay_rate", decay_rate, above_zero=True)
    boolean(is_stair, "is_stair", owner)
