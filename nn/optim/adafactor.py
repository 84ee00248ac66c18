"""AdaFactor: Adam with the squares of a matrix kept as one row and one column."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore import ops
from graphcore.initializer import initializer
from graphcore.nn.arguments import boolean, number
from graphcore.nn.optim.optimizer import Optimizer, opt_init_args_register
from graphcore.parameter import Parameter
from graphcore.parameter_tuple import ParameterTuple


def root_mean_square(x):
    """sqrt(mean(x^2)), a 0-d Tensor."""
    return ops.sqrt(ops.mean(ops.square(x)))


class AdaFactor(Optimizer):
    """``w -= lr * u / max(1, rms(u) / clip_threshold)``, ``u = g / sqrt(v)``, v the running mean of ``g^2 + eps[0]``.

    The mean's weight is ``beta2 = 1 - t^-decay_rate``.  Of Parameters with two axes or more, v is kept as its means
    over the last axis and over the last but one.
    params, weight_decay, loss_scale: see `Optimizer`.
    learning_rate: None with relative_step, which makes it ``min(1e-2, 1 / sqrt(t))`` (warmup_init: ``1e-6 * t`` instead
    of 1e-2).  scale_parameter: the rate is multiplied by ``max(eps[1], rms(w))``.
    beta1: weight of a running mean of the updates, None or 0 for none.
    compression: the squares of vectors are kept in float16.
    State: ``exp_avg.<name>``, ``exp_avg_sq_row_<name>``, ``exp_avg_sq_col_<name>``, ``exp_avg_sq_<name>``,
    ``afactor_step``.
    """

    @opt_init_args_register
    def __init__(self, params, learning_rate=None, eps=(1e-30, 1e-3), clip_threshold=1.0, decay_rate=0.8, beta1=0.9,
                 weight_decay=0.0, scale_parameter=True, relative_step=True, warmup_init=False, compression=False,
                 loss_scale=1.0):
        if (learning_rate is None) != relative_step:
            raise ValueError("AdaFactor: relative_step=True makes the learning_rate; with False give one")
        if warmup_init and not relative_step:
            raise ValueError("AdaFactor: warmup_init needs relative_step=True")
        scheduled = not isinstance(learning_rate, (int, float, type(None)))
        super().__init__(0.0 if learning_rate is None else learning_rate, params, weight_decay, loss_scale)
        if not isinstance(eps, (list, tuple)) or len(eps) != 2:
            raise ValueError(f"AdaFactor: eps must be two numbers, got {eps!r}")
        self.eps = tuple(number(e, "eps", self.cls_name, low=0.0) for e in eps)
        self.clip_threshold = number(clip_threshold, "clip_threshold", self.cls_name, low=0.0)
        self.decay_rate = number(decay_rate, "decay_rate", self.cls_name, 0.0, 1.0, open_low=True, open_high=True)
        self.beta1 = number(beta1 or 0.0, "beta1", self.cls_name, low=0.0)
        self.decay = number(weight_decay, "weight_decay", self.cls_name, 0.0, 1.0, open_high=True)
        self.scale_parameter = boolean(scale_parameter, "scale_parameter", self.cls_name) and not scheduled
        self.relative_step = boolean(relative_step, "relative_step", self.cls_name)
        self.warmup_init = boolean(warmup_init, "warmup_init", self.cls_name)
        self.compression = boolean(compression, "compression", self.cls_name)
        self._init_state()
        self.step = Parameter(initializer(0, [1], dt.float32), name="afactor_step")

    def _init_state(self):
        if self.beta1:
            self.exp_avg = self._parameters.clone(prefix="exp_avg", init="zeros")
        rows, columns, whole = [], [], []
        for p in self._parameters:
            factored = p.ndim > 1
            for held, name, shape, dtype in (
                    (rows, "row_", p.shape[:-1] if factored else (1,), p.dtype),
                    (columns, "col_", p.shape[:-2] + p.shape[-1:] if factored else (1,), p.dtype),
                    (whole, "", (1,) if factored else p.shape,
                     dt.float16 if self.compression and not factored else p.dtype)):
                held.append(Parameter(initializer(0, shape, dtype), name=f"exp_avg_sq_{name}{p.name}"))
        self.exp_avg_sq_row, self.exp_avg_sq_col, self.exp_avg_sq = map(ParameterTuple, (rows, columns, whole))

    def construct(self, gradients):
        gradients = self.scale_grad(self.check_gradients(gradients))
        rates = self.rates_and_count()
        steps = self.step + 1.0
        ops.assign(self.step, steps)
        steps = ops.reshape(steps, ())
        if self.relative_step:
            most = steps * 1e-6 if self.warmup_init else 1e-2
            rates = (ops.minimum(1.0 / ops.sqrt(steps), most),) * self.param_length
        beta2 = 1.0 - ops.pow(steps, -self.decay_rate)
        means = self.exp_avg if self.beta1 else (None,) * self.param_length
        for place, (param, mean, gradient, rate) in enumerate(zip(self._parameters, means, gradients, rates)):
            self._update(param, mean, place, ops.cast(gradient, dt.float32), rate, beta2)
        return (True,) * self.param_length

    def _update(self, param, mean, place, gradient, rate, beta2):
        weight = ops.cast(param, dt.float32)
        if self.scale_parameter:
            rate = rate * ops.maximum(root_mean_square(weight), self.eps[1])
        update = gradient * self._inverse_roots(place, ops.square(gradient) + self.eps[0], beta2)
        update = update / ops.maximum(root_mean_square(update) / self.clip_threshold, 1.0) * rate
        if mean is not None:
            update = mean * self.beta1 + update * (1.0 - self.beta1)
            ops.assign(mean, ops.cast(update, mean.dtype))
        if self.decay:
            weight = weight - weight * (rate * self.decay)
        ops.assign(param, ops.cast(weight - update, param.dtype))

    def _inverse_roots(self, place, squares, beta2):
        """1 / sqrt of the running mean of squares, of the shape of `squares`; the state moves on."""
        if squares.ndim < 2:
            moved = self._moved(self.exp_avg_sq[place], squares, beta2)
            return 1.0 / ops.sqrt(moved)
        rows = self._moved(self.exp_avg_sq_row[place], ops.mean(squares, -1), beta2)
        columns = self._moved(self.exp_avg_sq_col[place], ops.mean(squares, -2), beta2)
        share = ops.sqrt(rows / ops.mean(rows, -1, True))
        return 1.0 / (ops.expand_dims(share, -1) * ops.expand_dims(ops.sqrt(columns), -2))

    @staticmethod
    def _moved(kept, new, beta2):
        moved = ops.cast(kept, dt.float32) * beta2 + new * (1.0 - beta2)
        ops.assign(kept, ops.cast(moved, kept.dtype))
        return moved
