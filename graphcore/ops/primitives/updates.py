"""Primitives that update Parameters: the steps of optimisers, written out.  They give the new values."""
from __future__ import annotations

from graphcore.ops import functional as F
from graphcore.ops.functional.scattering import written
from graphcore.ops.primitives.base import primitive

__all__ = ["ApplyMomentum", "FusedWeightScaleApplyMomentum", "Adam", "AdamWeightDecay", "ApplyAdagrad", "ApplyRMSProp",
           "ApplyGradientDescent", "SGD"]


@primitive
def ApplyMomentum(variable, accumulation, learning_rate, gradient, momentum, *, use_nesterov=False, use_locking=False,
                  gradient_scale=1.0):
    """accumulation = momentum * accumulation + gradient; variable -= learning_rate * accumulation.

    use_nesterov: variable -= learning_rate * (gradient + momentum * accumulation).  Returns the variable.
    """
    gradient = F.mul(gradient, gradient_scale)
    moving = F.add(F.mul(accumulation, momentum), gradient)
    F.assign(accumulation, moving)
    step = F.add(gradient, F.mul(moving, momentum)) if use_nesterov else moving
    return written(variable, F.sub(variable, F.mul(step, learning_rate)))


@primitive
def FusedWeightScaleApplyMomentum(weight_decay, loss_scale, variable, accumulation, learning_rate, gradient, momentum):
    """`ApplyMomentum` with the gradient (gradient + weight_decay * variable) * loss_scale; returns the variable."""
    gradient = F.mul(F.add(gradient, F.mul(variable, weight_decay)), loss_scale)
    return ApplyMomentum()(variable, accumulation, learning_rate, gradient, momentum)


@primitive
def Adam(var, m, v, beta1_power, beta2_power, lr, beta1, beta2, epsilon, gradient, *, use_locking=False,
         use_nesterov=False):
    """One step of Adam with the powers of the betas given; returns (var, m, v)."""
    m_new = F.add(F.mul(m, beta1), F.mul(gradient, F.sub(1.0, beta1)))
    v_new = F.add(F.mul(v, beta2), F.mul(F.square(gradient), F.sub(1.0, beta2)))
    rate = F.div(F.mul(lr, F.sqrt(F.sub(1.0, beta2_power))), F.sub(1.0, beta1_power))
    moved = F.add(F.mul(m_new, beta1), F.mul(gradient, F.sub(1.0, beta1))) if use_nesterov else m_new
    step = F.div(F.mul(moved, rate), F.add(F.sqrt(v_new), epsilon))
    return written(var, F.sub(var, step)), written(m, m_new), written(v, v_new)


@primitive
def AdamWeightDecay(var, m, v, lr, beta1, beta2, epsilon, decay, gradient, *, use_locking=False):
    """One step of Adam without bias correction and with decoupled weight decay; returns (var, m, v)."""
    m_new = F.add(F.mul(m, beta1), F.mul(gradient, F.sub(1.0, beta1)))
    v_new = F.add(F.mul(v, beta2), F.mul(F.square(gradient), F.sub(1.0, beta2)))
    step = F.add(F.div(m_new, F.add(F.sqrt(v_new), epsilon)), F.mul(var, decay))
    return written(var, F.sub(var, F.mul(step, lr))), written(m, m_new), written(v, v_new)


@primitive
def ApplyAdagrad(var, accum, lr, grad, *, update_slots=True):
    """accum += grad^2; var -= lr * grad / sqrt(accum); returns (var, accum)."""
    total = F.add(accum, F.square(grad)) if update_slots else accum
    new = F.sub(var, F.div(F.mul(grad, lr), F.sqrt(total)))
    return written(var, new), written(accum, total)


@primitive
def ApplyRMSProp(var, mean_square, moment, learning_rate, grad, decay, momentum, epsilon, *, use_locking=False):
    """One step of RMSProp; returns (var, mean_square, moment)."""
    square = F.add(F.mul(mean_square, decay), F.mul(F.square(grad), F.sub(1.0, decay)))
    step = F.add(F.mul(moment, momentum), F.div(F.mul(grad, learning_rate), F.sqrt(F.add(square, epsilon))))
    return written(var, F.sub(var, step)), written(mean_square, square), written(moment, step)


@primitive
def ApplyGradientDescent(var, alpha, delta):
    """var -= alpha * delta; returns the variable."""
    return written(var, F.sub(var, F.mul(delta, alpha)))


@primitive
def SGD(parameters, gradient, learning_rate, accum, momentum, stat, *, dampening=0.0, weight_decay=0.0, nesterov=False):
    """One step of gradient descent with momentum; `stat` is 1 before the first step, then 0.  Returns the variable."""
    if weight_decay:
        gradient = F.add(gradient, F.mul(parameters, weight_decay))
    first = F.greater(stat, 0)
    later = F.add(F.mul(accum, momentum), F.mul(gradient, 1.0 - dampening))
    moving = F.where(first, gradient, later)
    F.assign(accum, moving)
    F.assign(stat, F.zeros_like(stat))
    step = F.add(gradient, F.mul(moving, momentum)) if nesterov else moving
    return written(parameters, F.sub(parameters, F.mul(step, learning_rate)))
