"""Adam and its relatives."""
from __future__ import annotations

import numpy as np

from graphcore import ops
from graphcore.nn.arguments import boolean, number
from graphcore.nn.optim.optimizer import Optimizer, opt_init_args_register
from graphcore.nn.optim.rates import decays_weights
from graphcore.parameter import Parameter


def check_betas(optimizer, beta1, beta2, eps) -> tuple:
    """(beta1, beta2, eps) as floats.  Raises ValueError unless the betas lie in [0, 1) and eps is above 0.

    The betas are rounded to float32 first: their powers are kept in float32, and ``1 - beta`` has to go with those.
    """
    owner = optimizer.cls_name
    betas = (np.float32(number(beta, name, owner, low=0.0, high=1.0, open_high=True))
             for name, beta in (("beta1", beta1), ("beta2", beta2)))
    return (*map(float, betas), number(eps, "eps", owner, low=0.0, open_low=True))


def move_moments(moment1, moment2, gradient, beta1, beta2) -> tuple:
    """The new running means of the gradient and of its square, also assigned."""
    mean = moment1 * beta1 + gradient * (1.0 - beta1)
    square = moment2 * beta2 + gradient * gradient * (1.0 - beta2)
    ops.assign(moment1, mean)
    ops.assign(moment2, square)
    return mean, square


def one(name) -> Parameter:
    """A 0-d float32 Parameter of value 1: a power of beta before the first step."""
    return Parameter(np.ones((), np.float32), name=name)


class Adam(Optimizer):
    """Adam: ``w -= lr * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + eps)``.

    params, learning_rate, weight_decay (added to the gradient), loss_scale: see `Optimizer`.
    beta1, beta2: in [0, 1); eps: above 0.
    use_nesterov: ``beta1 * m + (1 - beta1) * g`` instead of m.   use_amsgrad: the largest v so far instead of v.
    use_locking, use_lazy, use_offload: accepted; gradients are dense and nothing is offloaded here.
    State: ``beta1_power``, ``beta2_power``, ``moment1.<name>``, ``moment2.<name>``, with amsgrad ``vhat.<name>``.
    """

    shares_state = True

    @opt_init_args_register
    def __init__(self, params, learning_rate=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, use_locking=False,
                 use_nesterov=False, weight_decay=0.0, loss_scale=1.0, use_amsgrad=False, **kwargs):
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        unknown = set(kwargs) - {"use_lazy", "use_offload"}
        if unknown:
            raise KeyError(f"Adam: unknown arguments {', '.join(sorted(unknown))}; it takes params, learning_rate, "
                           "beta1, beta2, eps, use_locking, use_nesterov, weight_decay, loss_scale, use_amsgrad, "
                           "use_lazy and use_offload")
        self.beta1, self.beta2, self.eps = check_betas(self, beta1, beta2, eps)
        self.use_nesterov = boolean(use_nesterov, "use_nesterov", self.cls_name)
        self.use_amsgrad = boolean(use_amsgrad, "use_amsgrad", self.cls_name)
        lazy, offload = (boolean(kwargs.get(k, False), k, self.cls_name) for k in ("use_lazy", "use_offload"))
        if lazy + offload + self.use_amsgrad > 1:
            raise ValueError("Adam: use_lazy, use_offload and use_amsgrad exclude each other; set one of them")
        boolean(use_locking, "use_locking", self.cls_name)
        self.beta1_power, self.beta2_power = one("beta1_power"), one("beta2_power")
        self.moment1 = self._parameters.clone(prefix="moment1", init="zeros")
        self.moment2 = self._parameters.clone(prefix="moment2", init="zeros")
        if self.use_amsgrad:
            self.vhat = self._parameters.clone(prefix="vhat", init="zeros")

    def construct(self, gradients):
        gradients, rates = self.begin_step(gradients)
        power1, power2 = self.beta1_power * self.beta1, self.beta2_power * self.beta2
        ops.assign(self.beta1_power, power1)
        ops.assign(self.beta2_power, power2)
        correction = ops.sqrt(1.0 - power2) / (1.0 - power1)
        largest = self.vhat if self.use_amsgrad else (None,) * self.param_length
        for param, moment1, moment2, vhat, gradient, rate in zip(
                self._parameters, self.moment1, self.moment2, largest, gradients, rates):
            self._update(param, moment1, moment2, vhat, gradient, rate * correction)
        return (True,) * self.param_length

    def _update(self, param, moment1, moment2, vhat, gradient, rate):
        mean, square = move_moments(moment1, moment2, gradient, self.beta1, self.beta2)
        if vhat is not None:
            square = ops.maximum(vhat, square)
            ops.assign(vhat, square)
        if self.use_nesterov and vhat is None:
            mean = mean * self.beta1 + gradient * (1.0 - self.beta1)
        ops.assign(param, param - mean * rate / (ops.sqrt(square) + self.eps))


class AdamWeightDecay(Optimizer):
    """Adam without bias correction, with decoupled weight decay.

    ``w -= lr * (m / (sqrt(v) + eps) + weight_decay * w)``.
    params, learning_rate, weight_decay: see `Optimizer`.  beta1, beta2: in [0, 1); eps: above 0.
    State: ``adam_m.<name>``, ``adam_v.<name>``.
    """

    shares_state = True

    def __init__(self, params, learning_rate=1e-3, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.0):
        super().__init__(learning_rate, params, weight_decay)
        self.beta1, self.beta2, self.eps = check_betas(self, beta1, beta2, eps)
        self.moments1 = self._parameters.clone(prefix="adam_m", init="zeros")
        self.moments2 = self._parameters.clone(prefix="adam_v", init="zeros")

    def construct(self, gradients):
        gradients, rates, decays = self.check_gradients(gradients), self.rates_and_count(), self.current_decays()
        for param, moment1, moment2, gradient, rate, decay in zip(
                self._parameters, self.moments1, self.moments2, gradients, rates, decays):
            mean, square = move_moments(moment1, moment2, gradient, self.beta1, self.beta2)
            step = mean / (ops.sqrt(square) + self.eps)
            if decays_weights(decay):
                step = step + param * decay
            ops.assign(param, param - step * rate)
        return (True,) * self.param_length


class AdamW(Optimizer):
    """Adam with bias correction and decoupled weight decay, as in PyTorch.

    ``w *= 1 - lr * weight_decay``, then Adam's step.
    params, learning_rate, weight_decay, loss_scale: see `Optimizer`; `weight_decay` reaches all Parameters but those
    named "beta" or "gamma", or the groups that set it.  beta1, beta2: in [0, 1); eps: above 0, added to
    ``sqrt(v / (1 - beta2^t))``.
    State: ``beta1_power``, ``beta2_power``, ``moment1.<name>``, ``moment2.<name>``.
    """

    shares_state = True

    @opt_init_args_register
    def __init__(self, params, learning_rate=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.01, loss_scale=1.0):
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        self.beta1, self.beta2, self.eps = check_betas(self, beta1, beta2, eps)
        self.beta1_power, self.beta2_power = one("beta1_power"), one("beta2_power")
        self.moment1 = self._parameters.clone(prefix="moment1", init="zeros")
        self.moment2 = self._parameters.clone(prefix="moment2", init="zeros")

    def construct(self, gradients):
        gradients = self.scale_grad(self.gradients_centralization(self.check_gradients(gradients)))
        rates, decays = self.rates_and_count(), self.current_decays()
        power1, power2 = self.beta1_power * self.beta1, self.beta2_power * self.beta2
        ops.assign(self.beta1_power, power1)
        ops.assign(self.beta2_power, power2)
        inverse1, inverse2 = 1.0 / (1.0 - power1), ops.rsqrt(1.0 - power2)
        for param, moment1, moment2, gradient, rate, decay in zip(
                self._parameters, self.moment1, self.moment2, gradients, rates, decays):
            mean, square = move_moments(moment1, moment2, gradient, self.beta1, self.beta2)
            step = mean * inverse1 / (ops.sqrt(square) * inverse2 + self.eps)
            if decays_weights(decay):
                step = step + param * (decay / self.loss_scale)
            ops.assign(param, param - step * rate)
        return (True,) * self.param_length


class LazyAdam(Adam):
    """Adam; MindSpore's updates only the rows that sparse gradients name, and gradients are dense here.

    Arguments and state: those of `Adam`.
    """

    @opt_init_args_register
    def __init__(self, params, learning_rate=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, use_locking=False,
                 use_nesterov=False, weight_decay=0.0, loss_scale=1.0):
        super().__init__(params, learning_rate, beta1, beta2, eps, use_locking, use_nesterov, weight_decay, loss_scale)


class AdaMax(Optimizer):
    """``m = beta1 * m + (1 - beta1) * g``, ``v = max(beta2 * v, |g|)``, ``w -= lr / (1 - beta1^t) * m / (v + eps)``.

    params, learning_rate, weight_decay, loss_scale: see `Optimizer`.  beta1, beta2: in [0, 1); eps: above 0.
    State: ``beta1_power``, ``moment1.<name>``, ``moment2.<name>``.
    """

    shares_state = True

    @opt_init_args_register
    def __init__(self, params, learning_rate=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.0, loss_scale=1.0):
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        self.beta1, self.beta2, self.eps = check_betas(self, beta1, beta2, eps)
        self.beta1_power = one("beta1_power")
        self.moment1 = self._parameters.clone(prefix="moment1", init="zeros")
        self.moment2 = self._parameters.clone(prefix="moment2", init="zeros")

    def construct(self, gradients):
        gradients, rates = self.begin_step(gradients)
        power = self.beta1_power * self.beta1
        ops.assign(self.beta1_power, power)
        for param, moment1, moment2, gradient, rate in zip(
                self._parameters, self.moment1, self.moment2, gradients, rates):
            mean = moment1 * self.beta1 + gradient * (1.0 - self.beta1)
            largest = ops.maximum(moment2 * self.beta2, ops.abs(gradient))
            ops.assign(moment1, mean)
            ops.assign(moment2, largest)
            ops.assign(param, param - rate / (1.0 - power) * mean / (largest + self.eps))
        return (True,) * self.param_length
