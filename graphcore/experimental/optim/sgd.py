"""SGD and ASGD with parameter groups."""
from __future__ import annotations

from graphcore import ops
from graphcore.experimental.optim.optimizer import Optimizer, counted, counter
from graphcore.nn.arguments import boolean, number
from graphcore.nn.optim.momentum import apply_sgd


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum, dampening and Nesterov's variant.

    params: Parameters or groups, see `Optimizer`.  lr: number >= 0 or 0-d Tensor.  momentum, dampening, weight_decay
    (added to the gradient): numbers >= 0.  nesterov: needs momentum > 0 and dampening = 0.  maximize: ascend.
    State: ``accum.<name>``, ``stat.<name>`` (1 before the first step, then 0); they change only with momentum.
    """

    def __init__(self, params, lr, momentum=0, dampening=0, weight_decay=0.0, nesterov=False, *, maximize=False):
        super().__init__(params, {"lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
                                  "nesterov": nesterov, "maximize": maximize, "grad_centralization": False})
        self.add_state("accum", "accum")
        self.add_state("stat", "stat", "ones")

    def check_options(self, group):
        super().check_options(group)
        for name in ("momentum", "dampening"):
            group[name] = number(group[name], name, self.cls_name, low=0.0)
        if boolean(group["nesterov"], "nesterov", self.cls_name) and (not group["momentum"] or group["dampening"]):
            raise ValueError(f"{self.cls_name}: nesterov needs momentum > 0 and dampening = 0, got "
                             f"{group['momentum']} and {group['dampening']}")

    def construct(self, gradients):
        for group, rate, rows in self.groups_with(gradients, self.accum, self.stat):
            for param, gradient, accumulation, first in rows:
                if group["momentum"]:
                    apply_sgd(param, accumulation, first, gradient, rate, group["momentum"], group["dampening"],
                              group["nesterov"])
                else:
                    ops.assign(param, param - gradient * rate)
        return True


class ASGD(Optimizer):
    """Averaged gradient descent: ``w = w * (1 - lambd * eta) - eta * g``, and ``ax`` is the mean of w from step t0 on.

    ``eta = lr / (1 + lambd * lr * t)^alpha``, lr at the first step.
    params: Parameters or groups, see `Optimizer`.  lr: number >= 0 or 0-d Tensor.  lambd, alpha, t0: floats.
    weight_decay: >= 0, added to the gradient.  maximize: ascend.
    State: ``ax.<name>``, ``step_t``, ``mu_<name>``, ``eta_<name>``.
    """

    def __init__(self, params, lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0.0, maximize=False):
        super().__init__(params, {"lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay,
                                  "maximize": maximize})
        self.add_state("ax", "ax")
        self.step_t = counter("step_t")
        self.add_numbers("mu", "mu", 1.0)
        self.add_numbers("eta", "eta", 0.0)

    def check_options(self, group):
        super().check_options(group)
        for name in ("lambd", "alpha", "t0"):
            group[name] = number(group[name], name, self.cls_name)

    def construct(self, gradients):
        steps = counted(self.step_t)
        for group, rate, rows in self.groups_with(gradients, self.eta, self.mu, self.ax):
            lambd = group["lambd"]
            next_eta = rate / ops.pow(1.0 + rate * lambd * steps, group["alpha"])
            next_mu = 1.0 / ops.maximum(steps - group["t0"], 1.0)
            for param, gradient, eta, mu, average in rows:
                used = ops.where(steps == 1.0, rate, eta)
                moved = param * (1.0 - used * lambd) - gradient * used
                ops.assign(average, average + (moved - average) * mu)
                ops.assign(param, moved)
                ops.assign(eta, next_eta)
                ops.assign(mu, next_mu)
        return True
