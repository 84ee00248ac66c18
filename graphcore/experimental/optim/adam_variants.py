"""Adamax, NAdam and RAdam with parameter groups."""
from __future__ import annotations

import math

from graphcore import ops
from graphcore.experimental.optim.optimizer import Optimizer, check_betas, counted, counter, one_minus_power
from graphcore.nn.arguments import number
from graphcore.nn.optim.adam import move_moments


class _Variant(Optimizer):
    """What the three share: a counter, two means, and the checks of betas and eps."""

    second = "exp_avg_sq"

    def __init__(self, params, defaults):
        super().__init__(params, defaults)
        self.step_t = counter("step_t")
        self.add_state("exp_avg", "exp_avg")
        self.add_state(self.second, self.second)

    def check_options(self, group):
        super().check_options(group)
        check_betas(group, self.cls_name)
        group["eps"] = number(group["eps"], "eps", self.cls_name, low=0.0, open_low=True)


class Adamax(_Variant):
    """Adam by the largest gradient: ``u = max(beta2 * u, |g| + eps)``, ``w -= lr / (1 - beta1^t) * m / u``.

    params: Parameters or groups, see `Optimizer`.  lr: number >= 0 or 0-d Tensor.  betas: two numbers in [0, 1).
    eps: above 0.  weight_decay: >= 0, added to the gradient.  maximize: ascend.
    State: ``step_t``, ``exp_avg.<name>``, ``exp_inf.<name>``.
    """

    second = "exp_inf"

    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, *, maximize=False):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                                  "maximize": maximize})

    def construct(self, gradients):
        steps = counted(self.step_t)
        for group, rate, rows in self.groups_with(gradients, self.exp_avg, self.exp_inf):
            beta1, beta2 = group["betas"]
            rate = rate / one_minus_power(beta1, steps)
            for param, gradient, mean, largest in rows:
                moved = mean * beta1 + gradient * (1.0 - beta1)
                reached = ops.maximum(largest * beta2, ops.abs(gradient) + group["eps"])
                ops.assign(mean, moved)
                ops.assign(largest, reached)
                ops.assign(param, param - moved * rate / reached)
        return True


class NAdam(_Variant):
    """Adam with Nesterov's momentum, whose share grows: ``mu_t = beta1 * (1 - 0.5 * 0.96^(t * momentum_decay))``.

    ``w -= lr * ((1 - mu_t) / (1 - mu_1...mu_t) * g + mu_t+1 / (1 - mu_1...mu_t+1) * m) / (sqrt(v / (1 - beta2^t)) +
    eps)``.  params: Parameters or groups, see `Optimizer`.  lr: number >= 0 or 0-d Tensor.  betas: two numbers in
    [0, 1).  eps: above 0.  weight_decay (added to the gradient), momentum_decay: >= 0.
    State: ``step_t``, ``exp_avg.<name>``, ``exp_avg_sq.<name>``, ``mu_product_<name>``.
    """

    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, momentum_decay=4e-3):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                                  "momentum_decay": momentum_decay})
        self.add_numbers("mu_product", "mu_product", 1.0)

    def check_options(self, group):
        super().check_options(group)
        group["momentum_decay"] = number(group["momentum_decay"], "momentum_decay", self.cls_name, low=0.0)

    def construct(self, gradients):
        steps = counted(self.step_t)
        for group, rate, rows in self.groups_with(gradients, self.exp_avg, self.exp_avg_sq, self.mu_product):
            beta1, beta2 = group["betas"]
            slope = group["momentum_decay"] * math.log(0.96)
            share, next_share = (beta1 * (1.0 - 0.5 * ops.exp((steps + ahead) * slope)) for ahead in (0.0, 1.0))
            inverse = ops.rsqrt(one_minus_power(beta2, steps))
            for param, gradient, mean, square, product in rows:
                mean, square = move_moments(mean, square, gradient, beta1, beta2)
                shares = product * share
                ops.assign(product, shares)
                step = (gradient * (rate * (1.0 - share) / (1.0 - shares))
                        + mean * (rate * next_share / (1.0 - shares * next_share)))
                ops.assign(param, param - step / (ops.sqrt(square) * inverse + group["eps"]))
        return True


class RAdam(_Variant):
    """Adam whose adaptive part waits until enough was seen: until then ``w -= lr * m / (1 - beta1^t)``.

    After that the step is multiplied by ``r * sqrt(1 - beta2^t) / (sqrt(v) + eps)``, r growing to 1.
    params: Parameters or groups, see `Optimizer`.  lr: number >= 0 or 0-d Tensor.  betas: two numbers in [0, 1).
    eps: above 0.  weight_decay: >= 0, added to the gradient.
    State: ``step_t``, ``exp_avg.<name>``, ``exp_avg_sq.<name>``.
    """

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def construct(self, gradients):
        steps = counted(self.step_t)
        for group, rate, rows in self.groups_with(gradients, self.exp_avg, self.exp_avg_sq):
            beta1, beta2 = group["betas"]
            adaptive, plain = _rectified(beta2, steps)
            rate = rate / one_minus_power(beta1, steps)
            for param, gradient, mean, square in rows:
                mean, square = move_moments(mean, square, gradient, beta1, beta2)
                factor = adaptive / (ops.sqrt(square) + group["eps"]) + plain
                ops.assign(param, param - mean * rate * factor)
        return True


def _rectified(beta2: float, steps) -> tuple:
    """(factor of 1 / sqrt(v), factor of 1): one of them is 0, by whether the variance is known well enough."""
    correction = one_minus_power(beta2, steps)
    limit = 2.0 / (1.0 - beta2) - 1.0
    length = limit - 2.0 * steps * (1.0 - correction) / correction
    known = length > 5.0
    safe = ops.maximum(length, 5.0)
    ratio = (safe - 4.0) * (safe - 2.0) * limit / ((limit - 4.0) * (limit - 2.0) * safe) if limit > 5.0 else 0.0 * safe
    return ops.where(known, ops.sqrt(ratio * correction), 0.0), ops.where(known, 0.0, 1.0)
