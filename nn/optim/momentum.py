"""Momentum and SGD."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore import ops
from graphcore.nn.arguments import boolean, number
from graphcore.nn.optim.optimizer import Optimizer, opt_init_args_register
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor


def apply_momentum(param, moment, gradient, rate, momentum, nesterov):
    """v = momentum * v + g;  w -= rate * v, or with `nesterov` w -= rate * (g + momentum * v)."""
    velocity = moment * momentum + gradient
    step = gradient + velocity * momentum if nesterov else velocity
    ops.assign(param, param - step * rate)
    ops.assign(moment, velocity)


class Momentum(Optimizer):
    """Gradient descent with momentum: ``v = momentum * v + g``, ``w -= learning_rate * v``.

    params, learning_rate, weight_decay, loss_scale: see `Optimizer`.  momentum: float >= 0.
    use_nesterov: ``w -= learning_rate * (g + momentum * v)``.
    State: ``momentum``, ``moments.<name>``.
    """

    shares_state = True

    @opt_init_args_register
    def __init__(self, params, learning_rate, momentum, weight_decay=0.0, loss_scale=1.0, use_nesterov=False):
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        momentum = number(momentum, "momentum", self.cls_name, low=0.0)
        self.momentum = Parameter(Tensor(momentum, dt.float32), name="momentum")
        self.params = self.parameters
        self.use_nesterov = boolean(use_nesterov, "use_nesterov", self.cls_name)
        self.moments = self._parameters.clone(prefix="moments", init="zeros")

    def construct(self, gradients):
        gradients, rates = self.begin_step(gradients)
        for param, moment, gradient, rate in zip(self._parameters, self.moments, gradients, rates):
            apply_momentum(param, moment, gradient, rate, self.momentum, self.use_nesterov)
        return (True,) * self.param_length


def apply_sgd(param, accumulation, first, gradient, rate, momentum, dampening, nesterov):
    """a = g at the first step, then momentum * a + (1 - dampening) * g;  w -= rate * a (nesterov: g + momentum * a).

    first: 1 before the first update of the Parameter, 0 after it.
    """
    moved = accumulation * momentum + gradient * (1.0 - dampening)
    if dampening:
        moved = ops.select(first > 0, gradient, moved)      # without dampening both are the same: `a` starts at 0
    step = gradient + moved * momentum if nesterov else moved
    ops.assign(param, param - step * rate)
    ops.assign(accumulation, moved)
    ops.assign(first, ops.zeros_like(first))


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum, dampening and Nesterov's variant.

    params, learning_rate, weight_decay (a number), loss_scale: see `Optimizer`.  momentum, dampening: numbers >= 0.
    nesterov: needs momentum > 0 and dampening = 0.
    State: ``momentum``, ``accum.<name>``, ``stat.<name>`` (1 before the first step, then 0); the last two change only
    where momentum is above 0.
    """

    shares_state = True

    @opt_init_args_register
    def __init__(self, params, learning_rate=0.1, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False,
                 loss_scale=1.0):
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        momentum = number(momentum, "momentum", self.cls_name, low=0.0)
        self.dampening = number(dampening, "dampening", self.cls_name, low=0.0)
        self.nesterov = boolean(nesterov, "nesterov", self.cls_name)
        if self.nesterov and (momentum == 0.0 or self.dampening != 0.0):
            raise ValueError(f"SGD: nesterov needs momentum > 0 and dampening = 0, got {momentum} and {self.dampening}")
        if self.dynamic_weight_decay:
            raise TypeError("SGD: weight_decay must be a number; a Cell is not taken")
        self.has_momentum = momentum > 0.0
        self.momentum = Parameter(Tensor(momentum, dt.float32), name="momentum")
        self.accum = self._parameters.clone(prefix="accum", init="zeros")
        self.stat = self._parameters.clone(prefix="stat", init="ones")

    def construct(self, gradients):
        gradients, rates = self.begin_step(gradients)
        for param, accumulation, first, gradient, rate in zip(
                self._parameters, self.accum, self.stat, gradients, rates):
            if self.has_momentum:
                apply_sgd(param, accumulation, first, gradient, rate, self.momentum, self.dampening, self.nesterov)
            else:
                ops.assign(param, param - gradient * rate)
        return (True,) * self.param_length
