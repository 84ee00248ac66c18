"""Adadelta, Rprop and ASGD: the size of each step follows from the steps before."""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore import ops
from graphcore.nn.arguments import number
from graphcore.nn.optim.optimizer import Optimizer, opt_init_args_register
from graphcore.parameter import Parameter
from graphcore.parameter_tuple import ParameterTuple


class Adadelta(Optimizer):
    """``a = rho * a + (1 - rho) * g^2``, ``d = sqrt((u + eps) / (a + eps)) * g``, ``u = rho * u + (1 - rho) * d^2``,
    ``w -= lr * d``.

    params, learning_rate, weight_decay, loss_scale: see `Optimizer`.  rho: from 0 to 1; epsilon: >= 0.
    State: ``accum.<name>`` (a), ``accum_update.<name>`` (u).
    """

    shares_state = True

    @opt_init_args_register
    def __init__(self, params, learning_rate=1.0, rho=0.9, epsilon=1e-6, loss_scale=1.0, weight_decay=0.0):
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        self.rho = number(rho, "rho", self.cls_name, low=0.0, high=1.0)
        self.epsilon = number(epsilon, "epsilon", self.cls_name, low=0.0)
        self.accum = self._parameters.clone(prefix="accum", init=0)
        self.accum_update = self._parameters.clone(prefix="accum_update", init=0)

    def construct(self, grads):
        gradients, rates = self.begin_step(grads)
        rho = self.rho
        for param, squares, updates, gradient, rate in zip(
                self._parameters, self.accum, self.accum_update, gradients, rates):
            square = squares * rho + gradient * gradient * (1.0 - rho)
            step = ops.sqrt(updates + self.epsilon) / ops.sqrt(square + self.epsilon) * gradient
            ops.assign(squares, square)
            ops.assign(updates, updates * rho + step * step * (1.0 - rho))
            ops.assign(param, param - step * rate)
        return (True,) * self.param_length


class Rprop(Optimizer):
    """Steps by the sign of the gradient alone, whose size grows while the sign stays and shrinks when it turns.

    ``s = clip(s * eta, *step_sizes)``, ``w -= s * sign(g)``: eta is ``etas[1]`` where the sign is that of the step
    before, ``etas[0]`` where it turned (this gradient then counts as 0), 1 where one of the two is 0.
    params, learning_rate (the first s), weight_decay: see `Optimizer`.  etas: one in (0, 1), one above 1.  step_sizes:
    the smallest and the largest s.
    State: ``prev.<name>``, ``step_size.<name>``.
    """

    @opt_init_args_register
    def __init__(self, params, learning_rate=0.1, etas=(0.5, 1.2), step_sizes=(1e-6, 50.0), weight_decay=0.0):
        super().__init__(learning_rate, params, weight_decay)
        for name, pair in (("etas", etas), ("step_sizes", step_sizes)):
            if not isinstance(pair, tuple):
                raise TypeError(f"{self.cls_name}: {name} must be a tuple of two numbers, got {type(pair).__name__}")
            if len(pair) != 2:
                raise ValueError(f"{self.cls_name}: {name} must be a tuple of two numbers, got {len(pair)}")
        if step_sizes[0] > step_sizes[1]:
            raise ValueError(f"{self.cls_name}: the smallest of step_sizes comes first, got {step_sizes}")
        self.etaminus = number(etas[0], "etas[0]", self.cls_name, 0.0, 1.0, open_low=True, open_high=True)
        self.etaplus = number(etas[1], "etas[1]", self.cls_name, low=1.0, open_low=True)
        self.step_size_min, self.step_size_max = map(float, step_sizes)
        self.prev = self._parameters.clone(prefix="prev", init="zeros")
        self.step_size = self._parameters.clone(prefix="step_size", init="zeros")

    def construct(self, gradients):
        gradients, rates = self.begin_step(gradients)
        first = ops.reshape(self.global_step, ()) == 1
        for param, previous, size, gradient, rate in zip(
                self._parameters, self.prev, self.step_size, gradients, rates):
            agreement = gradient * previous
            turned = agreement < 0.0
            factor = ops.where(turned, self.etaminus, ops.where(agreement > 0.0, self.etaplus, 1.0))
            moved = ops.clamp(ops.where(first, rate, size) * factor, self.step_size_min, self.step_size_max)
            used = ops.where(turned, 0.0, gradient)
            ops.assign(size, moved)
            ops.assign(previous, used)
            ops.assign(param, param - ops.sign(used) * moved)
        return (True,) * self.param_length


class ASGD(Optimizer):
    """Averaged gradient descent: ``w = w * (1 - lambd * eta) - eta * g``; ``ax`` is the mean of w from step t0 on.

    ``eta = lr / (1 + lambd * lr * t)^alpha``, ``mu = 1 / max(1, t - t0)``, ``ax += (w - ax) * mu``.
    params, learning_rate, weight_decay: see `Optimizer`.  lambd, alpha, t0: numbers.
    State: ``mu_<name>``, ``eta_<name>``, ``ax_.<name>``.
    """

    @opt_init_args_register
    def __init__(self, params, learning_rate=0.1, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0.0):
        super().__init__(learning_rate, params, weight_decay)
        self.lambd, self.alpha, self.t0 = (
            number(value, name, self.cls_name) for name, value in (("lambd", lambd), ("alpha", alpha), ("t0", t0)))
        self.mu, self.eta = (
            ParameterTuple([Parameter(np.array(value, np.float32), name=f"{name}_{p.name}") for p in self._parameters])
            for name, value in (("mu", 1.0), ("eta", 0.0)))
        self.ax = self._parameters.clone(prefix="ax_", init="zeros")

    def construct(self, gradients):
        gradients, rates = self.begin_step(gradients)
        steps = ops.reshape(ops.cast(self.global_step, dt.float32), ())
        for param, weight, size, mean, gradient, rate in zip(
                self._parameters, self.mu, self.eta, self.ax, gradients, rates):
            eta = ops.where(steps == 1.0, rate, size)
            moved = param * (1.0 - self.lambd * eta) - eta * gradient
            ops.assign(param, moved)
            ops.assign(mean, ops.where(weight == 1.0, moved, mean + (moved - mean) * weight))
            ops.assign(size, rate / ops.pow(1.0 + self.lambd * rate * steps, self.alpha))
            ops.assign(weight, 1.0 / ops.maximum(steps - self.t0, 1.0))
        return (True,) * self.param_length
