"""RMSProp, Adagrad and Lamb."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore import ops
from graphcore.nn.arguments import boolean, number
from graphcore.nn.optim.adam import check_betas, move_moments
from graphcore.nn.optim.optimizer import Optimizer, opt_init_args_register
from graphcore.nn.optim.rates import decays_weights


class RMSProp(Optimizer):
    """``s = decay * s + (1 - decay) * g^2``, ``m = momentum * m + lr * g / sqrt(s + epsilon)``, ``w -= m``.

    params, learning_rate, loss_scale, weight_decay: see `Optimizer`.  decay, momentum: >= 0; epsilon: above 0.
    centered: subtract the square of the running mean gradient from s.   use_locking: accepted, without effect.
    State: ``mean_square.<name>`` (starts at 1), ``moment.<name>``, if centered ``mean_grad.<name>``.
    """

    shares_state = True

    @opt_init_args_register
    def __init__(self, params, learning_rate=0.1, decay=0.9, momentum=0.0, epsilon=1e-10, use_locking=False,
                 centered=False, loss_scale=1.0, weight_decay=0.0):
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        self.decay = number(decay, "decay", self.cls_name, low=0.0)
        self.momentum = number(momentum, "momentum", self.cls_name, low=0.0)
        self.epsilon = number(epsilon, "epsilon", self.cls_name, low=0.0, open_low=True)
        boolean(use_locking, "use_locking", self.cls_name)
        self.centered = boolean(centered, "centered", self.cls_name)
        if self.centered:
            self.mg = self._parameters.clone(prefix="mean_grad", init="zeros")
        self.ms = self._parameters.clone(prefix="mean_square", init="ones")
        self.moment = self._parameters.clone(prefix="moment", init="zeros")

    def construct(self, gradients):
        gradients, rates = self.begin_step(gradients)
        mean_gradients = self.mg if self.centered else (None,) * self.param_length
        for param, mean, mean_square, moment, gradient, rate in zip(
                self._parameters, mean_gradients, self.ms, self.moment, gradients, rates):
            self._update(param, mean, mean_square, moment, gradient, rate)
        return (True,) * self.param_length

    def _update(self, param, mean, mean_square, moment, gradient, rate):
        square = mean_square * self.decay + gradient * gradient * (1.0 - self.decay)
        ops.assign(mean_square, square)
        variance = square
        if mean is not None:
            moved = mean * self.decay + gradient * (1.0 - self.decay)
            ops.assign(mean, moved)
            variance = square - moved * moved
        step = gradient * rate / ops.sqrt(variance + self.epsilon)
        if self.momentum:
            step = moment * self.momentum + step
        ops.assign(moment, step)
        ops.assign(param, param - step)


class Adagrad(Optimizer):
    """``a += g^2``, ``w -= lr * g / sqrt(a)``.

    params, learning_rate, loss_scale, weight_decay: see `Optimizer`.  accum: the start of a, >= 0.
    update_slots: False leaves a as it is.
    State: ``accum.<name>``.
    """

    shares_state = True

    @opt_init_args_register
    def __init__(self, params, accum=0.1, learning_rate=0.001, update_slots=True, loss_scale=1.0, weight_decay=0.0):
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        self.update_slots = boolean(update_slots, "update_slots", self.cls_name)
        self.accum = self._parameters.clone(prefix="accum", init=number(accum, "accum", self.cls_name, low=0.0))

    def construct(self, grads):
        gradients, rates = self.begin_step(grads)
        for param, accumulation, gradient, rate in zip(self._parameters, self.accum, gradients, rates):
            total = accumulation
            if self.update_slots:
                total = accumulation + gradient * gradient
                ops.assign(accumulation, total)
            ops.assign(param, param - gradient * rate / ops.sqrt(total))
        return (True,) * self.param_length


def trust_ratio(param, step):
    """|w| / |step| by Euclidean norms, 1 where one of them is 0."""
    norm_param = ops.sqrt(ops.sum(ops.square(param)))
    norm_step = ops.sqrt(ops.sum(ops.square(step)))
    usable = ops.logical_and(norm_param > 0.0, norm_step > 0.0)
    safe = ops.select(norm_step > 0.0, norm_step, ops.ones_like(norm_step))
    return ops.select(usable, norm_param / safe, ops.ones_like(norm_param))


class Lamb(Optimizer):
    """Adam's bias-corrected step plus ``weight_decay * w``, scaled layer by layer to the norm of w.

    ``r = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay * w``, ``w -= lr * |w| / |r| * r``.
    params, learning_rate, weight_decay: see `Optimizer`.  beta1, beta2: between 0 and 1; eps: above 0.
    State: ``lamb_m.<name>``, ``lamb_v.<name>``.
    """

    @opt_init_args_register
    def __init__(self, params, learning_rate, beta1=0.9, beta2=0.999, eps=1e-6, weight_decay=0.0):
        super().__init__(learning_rate, params, weight_decay)
        self.beta1, self.beta2, self.eps = check_betas(self, beta1, beta2, eps)
        self.params = self._parameters
        self.moments1 = self._parameters.clone(prefix="lamb_m", init="zeros")
        self.moments2 = self._parameters.clone(prefix="lamb_v", init="zeros")

    def construct(self, gradients):
        gradients = self.gradients_centralization(self.check_gradients(gradients))
        rates, decays = self.rates_and_count(), self.current_decays()
        step_number = ops.reshape(ops.cast(self.global_step, dt.float32), ())
        correction1 = 1.0 - ops.pow(self.beta1, step_number)
        correction2 = 1.0 - ops.pow(self.beta2, step_number)
        for param, moment1, moment2, gradient, rate, decay in zip(
                self._parameters, self.moments1, self.moments2, gradients, rates, decays):
            mean, square = move_moments(moment1, moment2, gradient, self.beta1, self.beta2)
            step = mean / correction1 / (ops.sqrt(square / correction2) + self.eps)
            if decays_weights(decay):
                step = step + param * decay
            ops.assign(param, param - step * (rate * trust_ratio(param, step)))
        return (True,) * self.param_length
