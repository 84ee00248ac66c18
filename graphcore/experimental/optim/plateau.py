"""ReduceLROnPlateau: a scheduler that looks at a measured value."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore import ops
from graphcore.experimental.optim.scheduler import LRScheduler, check_optimizer, one_per_group, whole_number
from graphcore.nn.arguments import number, one_of
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor


class ReduceLROnPlateau:
    """Multiplies the rates by `factor` once a metric has not improved for more than `patience` steps.

    mode: "min" or "max", what counts as better.  factor: below 1.  threshold: how much better it has to be,
    relatively ("rel") or absolutely ("abs") as `threshold_mode` says.  cooldown: steps after a reduction during which
    nothing is counted.  min_lr: the lowest rate, a number or one for each group.  eps: smaller changes are not made.
    ``step(metrics)`` takes the metric, a number or 0-d Tensor.
    Raises TypeError or ValueError for bad arguments.
    """

    def __init__(self, optimizer, mode="min", factor=0.1, patience=10, threshold=1e-4, threshold_mode="rel", cooldown=0,
                 min_lr=0, eps=1e-8):
        owner = "ReduceLROnPlateau"
        check_optimizer(optimizer, owner)
        self.optimizer, self.eps = optimizer, number(eps, "eps", owner)
        self.factor = number(factor, "factor", owner, high=1.0, open_high=True)
        self.min_lrs = [number(r, "min_lr", owner) for r in one_per_group(min_lr, optimizer, "min_lr", owner)]
        self.mode = one_of(mode, ("min", "max"), "mode", owner)
        self.threshold_mode = one_of(threshold_mode, ("rel", "abs"), "threshold_mode", owner)
        self.patience, self.threshold = whole_number(patience, "patience", owner), number(threshold, "threshold", owner)
        self.cooldown = whole_number(cooldown, "cooldown", owner)
        self.mode_worse = float("inf" if mode == "min" else "-inf")
        self.best = _number(self.mode_worse, "best")
        self.cooldown_counter, self.wait = _number(0.0, "cooldown_counter"), _number(0.0, "wait")
        self.last_epoch = Parameter(Tensor(0, dt.int32), name=f"last_epoch_{owner}", requires_grad=False)
        self._last_lr = list(optimizer.lrs)

    def step(self, metrics):
        """Take a new value of the metric, and set the learning rates."""
        current = ops.cast(metrics if isinstance(metrics, Tensor) else Tensor(metrics), dt.float32)
        ops.assign_add(self.last_epoch, 1)
        better, cooling = self._is_improvement(current, self.best), self.in_cooldown()
        wait = ops.where(ops.logical_or(better, cooling), 0.0, self.wait + 1.0)
        ops.assign(self.best, ops.where(better, current, self.best))
        pause = ops.where(cooling, self.cooldown_counter - 1.0, self.cooldown_counter)
        due = wait > self.patience
        for rate, lowest in zip(self._last_lr, self.min_lrs):
            reduced = ops.maximum(rate * self.factor, lowest)
            changes = ops.logical_and(due, rate > reduced + self.eps)
            ops.assign(rate, ops.where(changes, reduced, rate))
        ops.assign(self.cooldown_counter, ops.where(due, float(self.cooldown), pause))
        ops.assign(self.wait, ops.where(due, 0.0, wait))
        return True

    def in_cooldown(self):
        """Whether steps are not counted at the moment."""
        return self.cooldown_counter > 0

    def _is_improvement(self, current, best):
        towards = -1.0 if self.mode == "min" else 1.0
        limit = best * (1.0 + towards * self.threshold) if self.threshold_mode == "rel" else best + (
            towards * self.threshold)
        return current < limit if self.mode == "min" else current > limit

    get_last_lr = LRScheduler.get_last_lr


def _number(value, name: str) -> Parameter:
    return Parameter(Tensor(value, dt.float32), name=name, requires_grad=False)
