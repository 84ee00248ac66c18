"""Schedulers that go up and down: cosine annealing, with and without restarts, and cyclic rates."""
from __future__ import annotations

import math

from graphcore import dtype as dt
from graphcore import ops
from graphcore.experimental.optim.scheduler import LRScheduler, one_per_group, whole_number
from graphcore.nn.arguments import number
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor


class CosineAnnealingLR(LRScheduler):
    """Half a cosine from the rates at the start down to `eta_min` over `T_max` epochs, then up again."""

    def __init__(self, optimizer, T_max, eta_min=0.0, last_epoch=-1):
        self.T_max = whole_number(T_max, "T_max", "CosineAnnealingLR", low=1)
        self.eta_min = number(eta_min, "eta_min", "CosineAnnealingLR")
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        epoch, low, turn = self.last_epoch, self.eta_min, math.pi / self.T_max
        was = 1.0 + ops.cos((epoch - 1) * turn)
        starts_up = (epoch - 1 - self.T_max) % (2 * self.T_max) == 0        # `was` is 0
        factor = (1.0 + ops.cos(epoch * turn)) / ops.where(starts_up, 1.0, was)
        rise = (1.0 - math.cos(turn)) / 2
        rates = []
        for rate, base in zip(self._last_lr, self.base_lrs):
            moved = ops.where(starts_up, rate + (base - low) * rise, (rate - low) * factor + low)
            rates.append(ops.where(epoch == 0, rate, moved))
        return rates

    def _get_closed_form_lr(self):
        height = (1.0 + ops.cos(self.last_epoch * (math.pi / self.T_max))) / 2
        return [(base - self.eta_min) * height + self.eta_min for base in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half a cosine down to `eta_min` over `T_0` epochs, then again from the top, each time `T_mult` times as long.

    T_0, T_mult: ints of at least 1.  ``step(epoch)`` takes fractions of epochs, too.
    """

    def __init__(self, optimizer, T_0, T_mult=1, eta_min=0, last_epoch=-1):
        owner = "CosineAnnealingWarmRestarts"
        self.T_0 = _number(whole_number(T_0, "T_0", owner, low=1), "T_0")
        self.T_i, self.T_cur = _number(T_0, "T_i"), _number(last_epoch, "T_cur")
        self.T_mult, self.eta_min = whole_number(T_mult, "T_mult", owner, low=1), number(eta_min, "eta_min", owner)
        self._first_length = T_0
        super().__init__(optimizer, last_epoch)

    def get_lr(self):
        height = (1.0 + ops.cos(self.T_cur / self.T_i * math.pi)) / 2
        return [(base - self.eta_min) * height + self.eta_min for base in self.base_lrs]

    def step(self, epoch=None):
        """Go to the next epoch, or to `epoch` (a number >= 0), and set the learning rates."""
        if epoch is None:
            ops.assign_add(self.last_epoch, 1)
            place, length = self.T_cur + 1.0, self.T_i
            over = place >= length
            ops.assign(self.T_cur, ops.where(over, place - length, place))
            ops.assign(self.T_i, ops.where(over, length * self.T_mult, length))
        else:
            epoch = float(epoch)
            if epoch < 0:
                raise ValueError(f"CosineAnnealingWarmRestarts: epoch must not be negative, got {epoch}")
            start, length = self._cycle_of(epoch)
            ops.assign(self.last_epoch, math.floor(epoch))
            ops.assign(self.T_cur, epoch - start)
            ops.assign(self.T_i, length)
        self.set_rates(self.get_lr())

    def _cycle_of(self, epoch: float) -> tuple:
        """(begin, length) of the cycle in which an epoch lies."""
        start, length = 0, self._first_length
        if self.T_mult == 1:
            return epoch // length * length, length
        while epoch >= start + length:
            start, length = start + length, length * self.T_mult
        return start, length


class CyclicLR(LRScheduler):
    """Rates that climb from `base_lr` to `max_lr` over `step_size_up` steps and fall again over `step_size_down`.

    base_lr, max_lr: numbers, or lists with one for each group.  step_size_down: step_size_up if None.
    mode: how the height of the cycles changes: "triangular" not at all, "triangular2" by half each cycle, "exp_range"
    by `gamma` each step.  scale_fn: a function that takes its place, of the number of the cycle (scale_mode "cycle") or
    of the step ("iterations").
    """

    def __init__(self, optimizer, base_lr, max_lr, step_size_up=2000, step_size_down=None, mode="triangular",
                 gamma=1.0, scale_fn=None, scale_mode="cycle", last_epoch=-1):
        owner = "CyclicLR"
        base = one_per_group(base_lr, optimizer, "base_lr", owner)
        self.max_lrs = one_per_group(max_lr, optimizer, "max_lr", owner)
        up = number(step_size_up, "step_size_up", owner, low=0.0, open_low=True)
        down = up if step_size_down is None else number(step_size_down, "step_size_down", owner, 0.0, open_low=True)
        self.total_step_size, self.step_up_ratio = up + down, up / (up + down)
        if mode not in _SCALES and scale_fn is None:
            raise ValueError(f"CyclicLR: mode must be one of {', '.join(map(repr, _SCALES))}, got {mode!r}; or give a "
                             "scale_fn")
        self.mode, self.gamma, self._scale_fn_custom = mode, gamma, scale_fn
        self.scale_mode = scale_mode if scale_fn is not None else _SCALES[mode]
        if last_epoch == -1:
            for group, rate in zip(optimizer.param_groups, base):
                ops.assign(group["lr"], rate)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base

    def scale_fn(self, x):
        """What the height of a cycle is multiplied by."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return ops.pow(0.5, x - 1.0) if self.mode == "triangular2" else ops.pow(self.gamma, x)

    def get_lr(self):
        passed = self.last_epoch / self.total_step_size
        cycle = ops.floor(1.0 + passed)
        place = 1.0 + passed - cycle
        ratio = self.step_up_ratio
        height = ops.where(place <= ratio, place / ratio, (place - 1.0) / (ratio - 1.0))
        height = height * self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        return [height * (top - base) + base for base, top in zip(self.base_lrs, self.max_lrs)]


_SCALES = {"triangular": "cycle", "triangular2": "cycle", "exp_range": "iterations"}


def _number(value, name: str) -> Parameter:
    return Parameter(Tensor(value, dt.float32), name=name, requires_grad=False)
