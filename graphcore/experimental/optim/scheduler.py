"""LRScheduler, the base class of all schedulers, and SequentialLR, which lets several take turns.

Formulas are written without branches on the epoch, so that a scheduler may be called in a graph, too.
"""
from __future__ import annotations

from bisect import bisect_right

from graphcore import dtype as dt
from graphcore import ops
from graphcore.experimental.optim.optimizer import Optimizer
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor


class LRScheduler:
    """``LRScheduler(optimizer, last_epoch=-1)``: subclass it and define ``get_lr``.

    ``get_lr(self)`` returns the learning rate of each group, from ``self.last_epoch`` (0-d float32 Parameter),
    ``self._last_lr`` (the present rates, a list) and ``self.base_lrs`` (those at the start).
    last_epoch: the epoch at which training goes on; with one other than -1 the groups must have "initial_lr".
    The constructor makes the first step, to epoch ``last_epoch + 1``.
    Raises TypeError for another optimizer than an `experimental.optim.Optimizer`, ValueError or KeyError for a bad
    last_epoch.
    """

    def __init__(self, optimizer, last_epoch=-1):
        name = type(self).__name__
        check_optimizer(optimizer, name)
        whole_number(last_epoch, "last_epoch", name)
        if last_epoch < -1:
            raise ValueError(f"{name}: last_epoch must be -1 or an epoch, got {last_epoch}")
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", group["lr"].value())
            elif "initial_lr" not in group:
                raise KeyError(f"{name}: to go on after epoch {last_epoch}, set param_groups[{i}]['initial_lr'] to the "
                               "learning rate that training began with")
        self.optimizer, self.groups_num = optimizer, len(optimizer.param_groups)
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self._last_lr = list(optimizer.lrs)
        self.last_epoch = Parameter(Tensor(last_epoch, dt.float32), name=f"last_epoch_{name}", requires_grad=False)
        self.step()

    def get_lr(self):
        """The learning rate of each group at `last_epoch`; defined by subclasses."""
        raise NotImplementedError(f"{type(self).__name__} must define get_lr(self), which gives a rate for each group")

    def get_last_lr(self) -> list:
        """The present learning rate of each group, as 0-d Tensors."""
        return [rate.value() for rate in self._last_lr]

    def step(self, epoch=None):
        """Go to the next epoch, or to `epoch`, and set the learning rates."""
        if epoch is None:
            ops.assign_add(self.last_epoch, 1)
            rates = self.get_lr()
        else:
            ops.assign(self.last_epoch, epoch)
            rates = self._get_closed_form_lr()
        self.set_rates(rates)
        return True

    def _get_closed_form_lr(self):
        """The rates at `last_epoch` where it was jumped to; overridden where `get_lr` counts on the one before."""
        return self.get_lr()

    def set_rates(self, rates) -> None:
        """Write the learning rates.  Raises ValueError unless there is one for each group."""
        if len(rates) != len(self._last_lr):
            raise ValueError(f"{type(self).__name__}: get_lr gave {len(rates)} learning rates for {len(self._last_lr)} "
                             "parameter groups")
        for holder, rate in zip(self._last_lr, rates):
            ops.assign(holder, rate)

    def scaled(self, factor) -> list:
        """The present rates times `factor`."""
        return [rate * factor for rate in self._last_lr]

    def scaled_base(self, factor) -> list:
        """The rates at the start times `factor`."""
        return [rate * factor for rate in self.base_lrs]


class SequentialLR:
    """Lets schedulers take turns: from each epoch in `milestones` on the next one, beginning at its epoch 0.

    optimizer: the one that all of `schedulers` belong to.  milestones: whole numbers that increase, one fewer than
    schedulers.  Raises ValueError where these do not fit.
    """

    def __init__(self, optimizer, schedulers, milestones, last_epoch=-1):
        check_optimizer(optimizer, "SequentialLR")
        for i, scheduler in enumerate(schedulers):
            if scheduler.optimizer is not optimizer:
                raise ValueError(f"SequentialLR: scheduler {i} was made for another optimizer; make all of them for "
                                 "the one that is given")
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(f"SequentialLR: {len(schedulers)} schedulers take {len(schedulers) - 1} milestones, got "
                             f"{len(milestones)}")
        if list(milestones) != sorted(milestones):
            raise ValueError(f"SequentialLR: milestones must increase, got {list(milestones)}")
        self.optimizer, self._schedulers, self.milestones = optimizer, list(schedulers), list(milestones)
        self.last_epoch = Parameter(Tensor(last_epoch + 1, dt.float32), name="last_epoch_SequentialLR",
                                    requires_grad=False)
        for group, rate in zip(optimizer.param_groups, optimizer.lrs):
            ops.assign(rate, group["initial_lr"])
        for scheduler in self._schedulers:
            ops.assign_sub(scheduler.last_epoch, 1)     # their constructors have made a step
        self._schedulers[0].step()
        self._last_lr = list(optimizer.lrs)

    def step(self):
        """Go to the next epoch and set the learning rates."""
        ops.assign_add(self.last_epoch, 1)
        epoch = int(self.last_epoch)
        place = bisect_right(self.milestones, epoch)
        begins = place > 0 and self.milestones[place - 1] == epoch
        self._schedulers[place].step(0) if begins else self._schedulers[place].step()

    get_last_lr = LRScheduler.get_last_lr


def check_optimizer(optimizer, owner: str) -> None:
    """Raise TypeError unless it is an optimiser with parameter groups."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{owner}: optimizer must be an experimental.optim.Optimizer, got {type(optimizer).__name__}; "
                        "optimizers of nn take a schedule as learning_rate")


def whole_number(value, name: str, owner: str, low=None) -> int:
    """`value` if it is an int, and at least `low`.  Raises TypeError or ValueError."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{owner}: {name} must be an int, got {value!r} ({type(value).__name__})")
    if low is not None and value < low:
        raise ValueError(f"{owner}: {name} must be at least {low}, got {value}")
    return value


def one_per_group(values, optimizer, name: str, owner: str) -> list:
    """A list with an entry for each group, from such a list or a single one.  Raises ValueError for another length."""
    check_optimizer(optimizer, owner)
    groups = len(optimizer.param_groups)
    if not isinstance(values, (list, tuple)):
        return [values] * groups
    if len(values) != groups:
        raise ValueError(f"{owner}: {name} has {len(values)} entries, the optimizer {groups} parameter groups")
    return list(values)
