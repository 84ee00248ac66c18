"""Adagrad, RMSprop, Adadelta and Rprop with parameter groups."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore import ops
from graphcore.experimental.optim.optimizer import Optimizer, counted, counter
from graphcore.nn.arguments import boolean, number


class Adagrad(Optimizer):
    """``a += g^2``, ``w -= lr / (1 + t * lr_decay) * g / (sqrt(a) + eps)``, t from 0 on.

    params: Parameters or groups, see `Optimizer`.  lr: number >= 0 or 0-d Tensor.  lr_decay, weight_decay (added to the
    gradient), initial_accumulator_value: >= 0.  eps: above 0.  maximize: ascend.
    State: ``accum.<name>``, ``step_t``.
    """

    def __init__(self, params, lr=1e-2, lr_decay=0.0, weight_decay=0.0, initial_accumulator_value=0.0, eps=1e-10, *,
                 maximize=False):
        super().__init__(params, {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "maximize": maximize})
        self.add_state("accum", "accum", float(initial_accumulator_value))
        self.step_t = counter("step_t")

    def check_options(self, group):
        super().check_options(group)
        group["lr_decay"] = number(group["lr_decay"], "lr_decay", self.cls_name, low=0.0)
        group["eps"] = number(group["eps"], "eps", self.cls_name, low=0.0, open_low=True)
        number(group["initial_accumulator_value"], "initial_accumulator_value", self.cls_name, low=0.0)

    def construct(self, gradients):
        for group, rate, rows in self.groups_with(gradients, self.accum):
            if group["lr_decay"]:
                rate = rate / (1.0 + ops.cast(self.step_t, dt.float32) * group["lr_decay"])
            for param, gradient, accumulation in rows:
                total = accumulation + gradient * gradient
                ops.assign(accumulation, total)
                ops.assign(param, param - gradient * rate / (ops.sqrt(total) + group["eps"]))
        ops.assign_add(self.step_t, 1)
        return True


class RMSprop(Optimizer):
    """``s = alpha * s + (1 - alpha) * g^2``, ``w -= lr * g / (sqrt(s) + eps)``.

    params: Parameters or groups, see `Optimizer`.  lr: number >= 0 or 0-d Tensor.  alpha, weight_decay (added to the
    gradient): >= 0.  eps: above 0.  momentum: above 0, ``b = momentum * b + g / (sqrt(s) + eps)``, ``w -= lr * b``.
    centered: the square of the running mean gradient is subtracted from s.  maximize: ascend.
    State: ``mean_grad.<name>``, ``mean_square.<name>``, ``moment.<name>``.
    """

    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False,
                 maximize=False):
        super().__init__(params, {"lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
                                  "weight_decay": weight_decay, "maximize": maximize})
        for name in ("mean_grad", "mean_square", "moment"):
            self.add_state(name, name)

    def check_options(self, group):
        super().check_options(group)
        for name in ("alpha", "momentum"):
            group[name] = number(group[name], name, self.cls_name, low=0.0)
        group["eps"] = number(group["eps"], "eps", self.cls_name, low=0.0, open_low=True)
        boolean(group["centered"], "centered", self.cls_name)

    def construct(self, gradients):
        for group, rate, rows in self.groups_with(gradients, self.mean_grad, self.mean_square, self.moment):
            for row in rows:
                self._update(group, rate, *row)
        return True

    @staticmethod
    def _update(group, rate, param, gradient, mean, mean_square, moment):
        alpha, momentum = group["alpha"], group["momentum"]
        variance = mean_square * alpha + gradient * gradient * (1.0 - alpha)
        ops.assign(mean_square, variance)
        if group["centered"]:
            moved = mean * alpha + gradient * (1.0 - alpha)
            ops.assign(mean, moved)
            variance = variance - moved * moved
        step = gradient / (ops.sqrt(variance) + group["eps"])
        if momentum > 0:
            step = moment * momentum + step
            ops.assign(moment, step)
        ops.assign(param, param - step * rate)


class Adadelta(Optimizer):
    """Steps in the units of the weights: ``u = sqrt(d + eps) / sqrt(a + eps) * g``, ``w -= lr * u``.

    a and d are running means of g^2 and u^2: ``a = rho * a + (1 - rho) * g^2``.
    params: Parameters or groups, see `Optimizer`.  lr: number >= 0 or 0-d Tensor.  rho: in [0, 1].  eps: above 0.
    weight_decay: >= 0, added to the gradient.  maximize: ascend.
    State: ``accum.<name>``, ``accum_update.<name>``.
    """

    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0.0, *, maximize=False):
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay,
                                  "maximize": maximize})
        self.add_state("accum", "accum")
        self.add_state("accum_update", "accum_update")

    def check_options(self, group):
        super().check_options(group)
        group["rho"] = number(group["rho"], "rho", self.cls_name, low=0.0, high=1.0)
        group["eps"] = number(group["eps"], "eps", self.cls_name, low=0.0, open_low=True)

    def construct(self, gradients):
        for group, rate, rows in self.groups_with(gradients, self.accum, self.accum_update):
            rho, eps = group["rho"], group["eps"]
            for param, gradient, accumulation, updates in rows:
                squares = accumulation * rho + gradient * gradient * (1.0 - rho)
                step = ops.sqrt((updates + eps) / (squares + eps)) * gradient
                ops.assign(accumulation, squares)
                ops.assign(updates, updates * rho + step * step * (1.0 - rho))
                ops.assign(param, param - step * rate)
        return True


class Rprop(Optimizer):
    """Steps by the sign of the gradient alone, whose size grows while the sign stays and shrinks when it turns.

    ``s = clip(s * eta, *step_sizes)``, ``w -= s * sign(g)``: eta is ``etas[1]`` where the sign is that of the step
    before, ``etas[0]`` where it turned (this gradient then counts as 0), 1 where one of the two is 0.
    params: Parameters or groups, see `Optimizer`.  lr: the first s, a number >= 0 or 0-d Tensor.  etas: one in (0, 1),
    one above 1.  step_sizes: the smallest and the largest s.  maximize: ascend.
    State: ``prev.<name>``, ``step_size.<name>``, ``step_t``.
    """

    def __init__(self, params, lr=1e-2, etas=(0.5, 1.2), step_sizes=(1e-6, 50), *, maximize=False):
        super().__init__(params, {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize})
        self.add_state("prev", "prev")
        self.add_state("step_size", "step_size")
        self.step_t = counter("step_t")

    def check_options(self, group):
        super().check_options(group)
        for name in ("etas", "step_sizes"):
            if not isinstance(group[name], (tuple, list)) or len(group[name]) != 2:
                raise TypeError(f"{self.cls_name}: {name} must be a pair of numbers, got {group[name]!r}")
        number(group["etas"][0], "etas[0]", self.cls_name, 0.0, 1.0, open_low=True, open_high=True)
        number(group["etas"][1], "etas[1]", self.cls_name, low=1.0, open_low=True)

    def construct(self, gradients):
        first = counted(self.step_t) == 1.0
        for group, rate, rows in self.groups_with(gradients, self.prev, self.step_size):
            (shrink, grow), (smallest, largest) = group["etas"], group["step_sizes"]
            for param, gradient, previous, size in rows:
                agreement = gradient * previous
                turned = agreement < 0.0
                factor = ops.where(turned, float(shrink), ops.where(agreement > 0.0, float(grow), 1.0))
                moved = ops.clamp(ops.where(first, rate, size) * factor, float(smallest), float(largest))
                used = ops.where(turned, 0.0, gradient)
                ops.assign(size, moved)
                ops.assign(previous, used)
                ops.assign(param, param - ops.sign(used) * moved)
        return True
