"""Adam and AdamW with parameter groups."""
from __future__ import annotations

from graphcore import ops
from graphcore.experimental.optim.optimizer import Optimizer, check_betas, counted, counter, one_minus_power
from graphcore.nn.arguments import boolean, number
from graphcore.nn.optim.adam import move_moments


class _Adam(Optimizer):
    """What Adam and AdamW share: the options and the state."""

    def __init__(self, params, lr, betas, eps, weight_decay, amsgrad, maximize):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                                  "amsgrad": amsgrad, "maximize": maximize})
        self.add_state("exp_avg", "exp_avg")
        self.add_state("exp_avg_sq", "exp_avg_sq")
        self.add_state("max_exp_avg_sq", "max_exp_avg_sq")
        self.state_step = counter("state_step")

    def check_options(self, group):
        super().check_options(group)
        check_betas(group, self.cls_name)
        group["eps"] = number(group["eps"], "eps", self.cls_name, low=0.0)
        boolean(group["amsgrad"], "amsgrad", self.cls_name)

    def construct(self, gradients):
        steps = counted(self.state_step)
        for group, rate, rows in self.groups_with(gradients, self.exp_avg, self.exp_avg_sq, self.max_exp_avg_sq):
            corrections = tuple(one_minus_power(beta, steps) for beta in group["betas"])
            for param, gradient, mean, square, largest in rows:
                mean, square = move_moments(mean, square, gradient, *group["betas"])
                if group["amsgrad"]:
                    square = ops.maximum(largest, square)
                    ops.assign(largest, square)
                ops.assign(param, self.moved(param, mean, square, group, rate, *corrections))
        return True


class Adam(_Adam):
    """Adam: ``w -= lr * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + eps)``.

    params: Parameters or groups, see `Optimizer`.  lr: number >= 0 or 0-d Tensor.  betas: two numbers in [0, 1).
    eps, weight_decay (added to the gradient): >= 0.  amsgrad: the largest v so far instead of v.  maximize: ascend.
    State: ``exp_avg.<name>``, ``exp_avg_sq.<name>``, ``max_exp_avg_sq.<name>``, ``state_step``.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, *,
                 maximize=False):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize)

    @staticmethod
    def moved(param, mean, square, group, rate, correction1, correction2):
        """The new value of a Parameter."""
        return param - mean * (rate * ops.sqrt(correction2) / correction1) / (ops.sqrt(square) + group["eps"])


class AdamW(_Adam):
    """Adam with decoupled weight decay: ``w *= 1 - lr * weight_decay``, then Adam's step.

    params, lr, betas, eps, weight_decay, amsgrad, maximize: see `Adam`; eps is added to ``sqrt(v / (1 - beta2^t))``.
    State: as `Adam`.
    """

    decays_gradients = False

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, *,
                 maximize=False):
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize)

    @staticmethod
    def moved(param, mean, square, group, rate, correction1, correction2):
        """The new value of a Parameter."""
        if group["weight_decay"]:
            param = param * (1.0 - rate * group["weight_decay"])
        return param - mean * (rate / correction1) / (ops.sqrt(square) * ops.rsqrt(correction2) + group["eps"])
