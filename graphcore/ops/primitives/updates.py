"""Primitives that update Parameters: the steps of optimisers, written out.  They give the new values.

Plain Tensors may stand for Parameters; they are overwritten, too.
"""
from __future__ import annotations

from graphcore.ops import functional as F
from graphcore.ops.functional.creation import copied
from graphcore.ops.primitives.base import primitive
from graphcore.ops.tensor_methods import overwrite

__all__ = ["ApplyMomentum", "FusedWeightScaleApplyMomentum", "ApplyKerasMomentum", "Adam", "AdamWeightDecay",
           "AdamNoUpdateParam", "ApplyAdaMax", "ApplyAdamWithAmsgrad", "ApplyAdamWithAmsgradV2", "ApplyAdagrad",
           "ApplyAdagradV2", "ApplyAdagradDA", "ApplyAdadelta", "ApplyRMSProp", "ApplyCenteredRMSProp", "ApplyAddSign",
           "ApplyPowerSign", "ApplyFtrl", "ApplyProximalAdagrad", "ApplyProximalGradientDescent",
           "ApplyGradientDescent", "SGD"]


def _written(variable, value):
    """Give a Parameter or Tensor new values; a Tensor of its own with them."""
    return copied(overwrite(variable, value))


def _moving(average, value, share):
    """An exponential moving average, of which `share` stays."""
    return F.add(F.mul(average, share), F.mul(value, F.sub(1.0, share)))


def _shrunk(x, by):
    """`x` nearer to 0 by `by`, 0 where that goes beyond."""
    return F.mul(F.sign(x), F.maximum(F.sub(F.abs(x), by), 0.0))


@primitive
def ApplyMomentum(variable, accumulation, learning_rate, gradient, momentum, *, use_nesterov=False, use_locking=False,
                  gradient_scale=1.0):
    """accumulation = momentum * accumulation + gradient; variable -= learning_rate * accumulation.

    use_nesterov: variable -= learning_rate * (gradient + momentum * accumulation).  Returns the variable.
    """
    gradient = F.mul(gradient, gradient_scale)
    inertia = F.add(F.mul(accumulation, momentum), gradient)
    _written(accumulation, inertia)
    step = F.add(gradient, F.mul(inertia, momentum)) if use_nesterov else inertia
    return _written(variable, F.sub(variable, F.mul(step, learning_rate)))


@primitive
def FusedWeightScaleApplyMomentum(weight_decay, loss_scale, variable, accumulation, learning_rate, gradient, momentum):
    """`ApplyMomentum` with the gradient (gradient + weight_decay * variable) * loss_scale; returns the variable."""
    gradient = F.mul(F.add(gradient, F.mul(variable, weight_decay)), loss_scale)
    return ApplyMomentum()(variable, accumulation, learning_rate, gradient, momentum)


@primitive
def ApplyKerasMomentum(var, accum, lr, grad, momentum, *, use_locking=False, use_nesterov=False):
    """accum = momentum * accum - lr * grad; var += accum; returns (var, accum).

    use_nesterov: var += momentum * accum - lr * grad.
    """
    step = F.mul(grad, lr)
    total = F.sub(F.mul(accum, momentum), step)
    moved = F.sub(F.mul(total, momentum), step) if use_nesterov else total
    return _written(var, F.add(var, moved)), _written(accum, total)


@primitive
def Adam(var, m, v, beta1_power, beta2_power, lr, beta1, beta2, epsilon, gradient, *, use_locking=False,
         use_nesterov=False):
    """One step of Adam with the powers of the betas given; returns (var, m, v)."""
    m_new, v_new = _moving(m, gradient, beta1), _moving(v, F.square(gradient), beta2)
    rate = F.div(F.mul(lr, F.sqrt(F.sub(1.0, beta2_power))), F.sub(1.0, beta1_power))
    moved = _moving(m_new, gradient, beta1) if use_nesterov else m_new
    step = F.div(F.mul(moved, rate), F.add(F.sqrt(v_new), epsilon))
    return _written(var, F.sub(var, step)), _written(m, m_new), _written(v, v_new)


@primitive
def AdamWeightDecay(var, m, v, lr, beta1, beta2, epsilon, decay, gradient, *, use_locking=False):
    """One step of Adam without bias correction and with decoupled weight decay; returns (var, m, v)."""
    m_new, v_new = _moving(m, gradient, beta1), _moving(v, F.square(gradient), beta2)
    step = F.add(F.div(m_new, F.add(F.sqrt(v_new), epsilon)), F.mul(var, decay))
    return _written(var, F.sub(var, F.mul(step, lr))), _written(m, m_new), _written(v, v_new)


@primitive
def AdamNoUpdateParam(m, v, beta1_power, beta2_power, lr, beta1, beta2, epsilon, gradient, *, use_locking=False,
                      use_nesterov=False):
    """What `Adam` would add to the variable; m and v are updated."""
    m_new, v_new = _moving(m, gradient, beta1), _moving(v, F.square(gradient), beta2)
    rate = F.div(F.mul(lr, F.sqrt(F.sub(1.0, beta2_power))), F.sub(1.0, beta1_power))
    moved = _moving(m_new, gradient, beta1) if use_nesterov else m_new
    step = F.neg(F.div(F.mul(moved, rate), F.add(F.sqrt(v_new), epsilon)))
    _written(m, m_new)
    _written(v, v_new)
    return step


@primitive
def ApplyAdaMax(var, m, v, beta1_power, lr, beta1, beta2, epsilon, grad):
    """One step of AdaMax: v is the larger of beta2 * v and abs(grad); returns (var, m, v)."""
    m_new, v_new = _moving(m, grad, beta1), F.maximum(F.mul(v, beta2), F.abs(grad))
    step = F.mul(F.div(lr, F.sub(1.0, beta1_power)), F.div(m_new, F.add(v_new, epsilon)))
    return _written(var, F.sub(var, step)), _written(m, m_new), _written(v, v_new)


@primitive
def ApplyAdamWithAmsgradV2(var, m, v, vhat, beta1_power, beta2_power, lr, beta1, beta2, epsilon, grad, *,
                           use_locking=False):
    """One step of Adam divided by the largest v so far; returns (var, m, v, vhat)."""
    rate = F.div(F.mul(lr, F.sqrt(F.sub(1.0, beta2_power))), F.sub(1.0, beta1_power))
    m_new, v_new = _moving(m, grad, beta1), _moving(v, F.square(grad), beta2)
    largest = F.maximum(vhat, v_new)
    step = F.div(F.mul(m_new, rate), F.add(F.sqrt(largest), epsilon))
    return _written(var, F.sub(var, step)), _written(m, m_new), _written(v, v_new), _written(vhat, largest)


@primitive
def ApplyAdamWithAmsgrad(var, m, v, vhat, beta1_power, beta2_power, lr, grad, *, beta1=0.9, beta2=0.999, epsilon=1e-8,
                         use_locking=False):
    """`ApplyAdamWithAmsgradV2` with fixed betas."""
    return ApplyAdamWithAmsgradV2()(var, m, v, vhat, beta1_power, beta2_power, lr, beta1, beta2, epsilon, grad)


@primitive
def ApplyAdagrad(var, accum, lr, grad, *, update_slots=True):
    """accum += grad^2; var -= lr * grad / sqrt(accum); returns (var, accum)."""
    total = F.add(accum, F.square(grad)) if update_slots else accum
    new = F.sub(var, F.div(F.mul(grad, lr), F.sqrt(total)))
    return _written(var, new), _written(accum, total)


@primitive
def ApplyAdagradV2(var, accum, lr, grad, *, epsilon, update_slots=True):
    """accum += grad^2; var -= lr * grad / (sqrt(accum) + epsilon); returns (var, accum)."""
    total = F.add(accum, F.square(grad)) if update_slots else accum
    new = F.sub(var, F.div(F.mul(grad, lr), F.add(F.sqrt(total), epsilon)))
    return _written(var, new), _written(accum, total)


@primitive
def ApplyAdagradDA(var, gradient_accumulator, gradient_squared_accumulator, grad, lr, l1, l2, global_step, *,
                   use_locking=False):
    """One step of dual averaging: the variable follows from sums of gradients and of their squares; returns it.

    l1, l2: what the sums are shrunk by and what is added to the divisor, at each of the `global_step` steps.
    """
    gradients = F.add(gradient_accumulator, grad)
    squares = F.add(gradient_squared_accumulator, F.square(grad))
    step = F.cast(global_step, var.dtype) if hasattr(global_step, "dtype") else float(global_step)
    divisor = F.add(F.mul(F.mul(lr, l2), step), F.sqrt(squares))
    new = F.neg(F.div(F.mul(_shrunk(gradients, F.mul(l1, step)), lr), divisor))
    _written(gradient_accumulator, gradients)
    _written(gradient_squared_accumulator, squares)
    return _written(var, new)


@primitive
def ApplyAdadelta(var, accum, accum_update, lr, rho, epsilon, grad):
    """One step of Adadelta; returns (var, accum, accum_update)."""
    total = _moving(accum, F.square(grad), rho)
    step = F.mul(F.div(F.sqrt(F.add(accum_update, epsilon)), F.sqrt(F.add(total, epsilon))), grad)
    steps = _moving(accum_update, F.square(step), rho)
    return _written(var, F.sub(var, F.mul(step, lr))), _written(accum, total), _written(accum_update, steps)


@primitive
def ApplyRMSProp(var, mean_square, moment, learning_rate, grad, decay, momentum, epsilon, *, use_locking=False):
    """One step of RMSProp; returns the variable."""
    square = _moving(mean_square, F.square(grad), decay)
    step = F.add(F.mul(moment, momentum), F.div(F.mul(grad, learning_rate), F.sqrt(F.add(square, epsilon))))
    _written(mean_square, square)
    _written(moment, step)
    return _written(var, F.sub(var, step))


@primitive
def ApplyCenteredRMSProp(var, mean_gradient, mean_square, moment, grad, learning_rate, decay, momentum, epsilon, *,
                         use_locking=False):
    """One step of RMSProp that divides by the deviation of the gradients; returns the variable."""
    center, square = _moving(mean_gradient, grad, decay), _moving(mean_square, F.square(grad), decay)
    deviation = F.sqrt(F.add(F.sub(square, F.square(center)), epsilon))
    step = F.add(F.mul(moment, momentum), F.div(F.mul(grad, learning_rate), deviation))
    _written(mean_gradient, center)
    _written(mean_square, square)
    _written(moment, step)
    return _written(var, F.sub(var, step))


@primitive
def ApplyAddSign(var, m, lr, alpha, sign_decay, beta, grad):
    """var -= lr * (alpha + sign_decay * sign(grad) * sign(m)) * grad; returns (var, m)."""
    m_new = _moving(m, grad, beta)
    agreement = F.mul(F.mul(F.sign(grad), F.sign(m_new)), sign_decay)
    return _written(var, F.sub(var, F.mul(F.mul(F.add(agreement, alpha), grad), lr))), _written(m, m_new)


@primitive
def ApplyPowerSign(var, m, lr, logbase, sign_decay, beta, grad):
    """var -= lr * exp(logbase * sign_decay * sign(grad) * sign(m)) * grad; returns (var, m)."""
    m_new = _moving(m, grad, beta)
    agreement = F.mul(F.mul(F.mul(F.sign(grad), F.sign(m_new)), sign_decay), logbase)
    return _written(var, F.sub(var, F.mul(F.mul(F.exp(agreement), grad), lr))), _written(m, m_new)


@primitive
def ApplyFtrl(var, accum, linear, grad, lr, l1, l2, lr_power, *, use_locking=False):
    """One step of "follow the regularised leader"; returns the variable."""
    total = F.add(accum, F.square(grad))
    before, after = F.pow(accum, F.sub(0.0, lr_power)), F.pow(total, F.sub(0.0, lr_power))
    new_linear = F.sub(F.add(linear, grad), F.mul(F.div(F.sub(after, before), lr), var))
    divisor = F.add(F.div(after, lr), F.mul(2.0, l2))
    _written(accum, total)
    _written(linear, new_linear)
    return _written(var, F.neg(F.div(_shrunk(new_linear, l1), divisor)))


@primitive
def ApplyProximalAdagrad(var, accum, lr, l1, l2, grad, *, use_locking=False):
    """accum += grad^2, then the step of `ApplyProximalGradientDescent` at lr / sqrt(accum); returns (var, accum)."""
    total = F.add(accum, F.square(grad))
    rate = F.div(lr, F.sqrt(total))
    return _written(var, _proximal(var, rate, l1, l2, grad)), _written(accum, total)


@primitive
def ApplyProximalGradientDescent(var, alpha, l1, l2, delta):
    """var -= alpha * delta, then shrunk by alpha * l1 and divided by 1 + alpha * l2; returns the variable."""
    return _written(var, _proximal(var, alpha, l1, l2, delta))


def _proximal(var, rate, l1, l2, gradient):
    return F.div(_shrunk(F.sub(var, F.mul(gradient, rate)), F.mul(rate, l1)), F.add(F.mul(rate, l2), 1.0))


@primitive
def ApplyGradientDescent(var, alpha, delta):
    """var -= alpha * delta; returns the variable."""
    return _written(var, F.sub(var, F.mul(delta, alpha)))


@primitive
def SGD(parameters, gradient, learning_rate, accum, momentum, stat, *, dampening=0.0, weight_decay=0.0, nesterov=False):
    """One step of gradient descent with momentum; `stat` is above 0 before the first step, then 0.

    Returns the variable.
    """
    if weight_decay:
        gradient = F.add(gradient, F.mul(parameters, weight_decay))
    later = F.add(F.mul(accum, momentum), F.mul(gradient, 1.0 - dampening))
    inertia = F.where(F.greater(stat, 0), gradient, later)
    _written(accum, inertia)
    _written(stat, F.zeros_like(stat))
    step = F.add(gradient, F.mul(inertia, momentum)) if nesterov else inertia
    return _written(parameters, F.sub(parameters, F.mul(step, learning_rate)))
