"""FTRL and ProximalAdagrad: steps whose minimiser with an l1 and l2 penalty is known."""
from __future__ import annotations

from graphcore import ops
from graphcore.nn.arguments import boolean, number
from graphcore.nn.optim.optimizer import Optimizer, opt_init_args_register


class FTRL(Optimizer):
    """Follow the regularised leader: ``z += g - (n'^-p - n^-p) / lr * w`` with ``n' = n + g^2``, and then
    ``w = (sign(z) * l1 - z) / (n'^-p / lr + 2 * l2)`` where |z| > l1, else 0.

    params, weight_decay, loss_scale: see `Optimizer`.  learning_rate: a number above 0.  initial_accum: the start of n,
    >= 0.  lr_power: p, <= 0.  l1, l2: >= 0.  use_locking: accepted, without effect.
    State: ``moments.<name>`` (n), ``linear.<name>`` (z).
    """

    shares_state = True

    @opt_init_args_register
    def __init__(self, params, initial_accum=0.1, learning_rate=0.001, lr_power=-0.5, l1=0.0, l2=0.0, use_locking=False,
                 loss_scale=1.0, weight_decay=0.0):
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        if self.dynamic_lr or self.is_group_lr:
            raise ValueError("FTRL takes one learning rate, a number; no schedule, and no rates of groups")
        number(learning_rate, "learning_rate", self.cls_name, low=0.0, open_low=True)
        self.lr_power = number(lr_power, "lr_power", self.cls_name, high=0.0)
        self.l1, self.l2 = (number(value, name, self.cls_name, low=0.0) for name, value in (("l1", l1), ("l2", l2)))
        boolean(use_locking, "use_locking", self.cls_name)
        start = number(initial_accum, "initial_accum", self.cls_name, low=0.0)
        self.moments = self._parameters.clone(prefix="moments", init=start)
        self.linear = self._parameters.clone(prefix="linear", init="zeros")
        if not self.is_group:       # all Parameters decay, whatever their names
            self.decay_flags = (True,) * self.param_length
            self._decays = (self.weight_decay if self.dynamic_decay_flags else float(weight_decay * self.loss_scale),
                            ) * self.param_length

    def construct(self, grads):
        gradients, rates = self.begin_step(grads)
        for param, moment, linear, gradient, rate in zip(self._parameters, self.moments, self.linear, gradients, rates):
            total = moment + gradient * gradient
            before, after = ops.pow(moment, -self.lr_power), ops.pow(total, -self.lr_power)
            moved = linear + gradient - (after - before) / rate * param
            shrunk = (ops.sign(moved) * self.l1 - moved) / (after / rate + 2.0 * self.l2)
            ops.assign(param, ops.where(ops.abs(moved) > self.l1, shrunk, 0.0))
            ops.assign(linear, moved)
            ops.assign(moment, total)
        return (True,) * self.param_length


class ProximalAdagrad(Optimizer):
    """Adagrad with penalties: ``a += g^2``, ``r = lr / sqrt(a)``, ``v = w - r * g``,
    ``w = sign(v) / (1 + l2 * r) * max(|v| - l1 * r, 0)``.

    params, learning_rate, weight_decay, loss_scale: see `Optimizer`.  accum: the start of a; accum, l1, l2: >= 0.
    use_locking: accepted, without effect.
    State: ``accum.<name>``.
    """

    shares_state = True

    @opt_init_args_register
    def __init__(self, params, accum=0.1, learning_rate=0.001, l1=0.0, l2=0.0, use_locking=False, loss_scale=1.0,
                 weight_decay=0.0):
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        self.l1, self.l2 = (number(value, name, self.cls_name, low=0.0) for name, value in (("l1", l1), ("l2", l2)))
        boolean(use_locking, "use_locking", self.cls_name)
        self.accum = self._parameters.clone(prefix="accum", init=number(accum, "accum", self.cls_name, low=0.0))

    def construct(self, grads):
        gradients, rates = self.begin_step(grads)
        for param, accumulation, gradient, rate in zip(self._parameters, self.accum, gradients, rates):
            total = accumulation + gradient * gradient
            own_rate = rate / ops.sqrt(total)
            moved = param - own_rate * gradient
            shrunk = ops.maximum(ops.abs(moved) - own_rate * self.l1, 0.0)
            ops.assign(param, ops.sign(moved) / (1.0 + own_rate * self.l2) * shrunk)
            ops.assign(accumulation, total)
        return (True,) * self.param_length
