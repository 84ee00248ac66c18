"""LARS: a learning rate of its own for each layer, around another optimiser."""
from __future__ import annotations

from graphcore import ops
from graphcore.nn.arguments import boolean
from graphcore.nn.cell import Cell
from graphcore.nn.optim.groups import gradient_tuple
from graphcore.nn.optim.optimizer import Optimizer

__all__ = ["LARS"]

# What is asked of the optimiser itself.
_OF_THE_OPTIMIZER = """parameters param_length global_step learning_rate dynamic_lr is_group is_group_lr group_lr
    loss_scale dynamic_weight_decay weight_decay""".split()


class LARS(Optimizer):
    """``LARS(optimizer)``: gives `optimizer` the gradients ``ratio * (g + decay * w)``, where ratio is
    ``coefficient * |w| / (|g| + decay * |w| + epsilon)`` and decay the optimiser's, which then adds none itself.

    use_clip: the ratio divided by the learning rate, at most 1.  lars_filter: of a Parameter, whether this is done;
    others keep their gradients, and do not decay.
    Raises TypeError for arguments of other types.
    """

    def __init__(self, optimizer, epsilon=1e-05, coefficient=0.001, use_clip=False,
                 lars_filter=lambda x: "LayerNorm" not in x.name and "bias" not in x.name):
        Cell.__init__(self, auto_prefix=False)
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"LARS: optimizer must be an Optimizer, got {type(optimizer).__name__}")
        for name, value in (("epsilon", epsilon), ("coefficient", coefficient)):
            if not isinstance(value, float):
                raise TypeError(f"LARS: {name} must be a float, got {type(value).__name__}")
        self.opt, self.epsilon, self.coefficient = optimizer, epsilon, coefficient
        self.use_clip = boolean(use_clip, "use_clip", self.cls_name)
        self.lars_flag = tuple(bool(lars_filter(p)) for p in optimizer.parameters)
        self._sharding = None
        self._scale = optimizer.loss_scale
        self._decays, self.exec_weight_decay = optimizer._decays, optimizer.exec_weight_decay
        optimizer.exec_weight_decay, optimizer.need_scale = False, False
        optimizer._decays = (0.0,) * len(self.lars_flag)

    def construct(self, gradients):
        gradients = gradient_tuple(gradients, self.opt.parameters, self.cls_name)
        rates = None
        if self.use_clip:
            rate = self.opt.get_lr()
            rates = rate if self.opt.is_group_lr else (rate,) * len(self.lars_flag)
        decays = self.current_decays()
        changed = []
        for i, (gradient, weight) in enumerate(zip(gradients, self.opt.parameters)):
            gradient = gradient * (1.0 / self._scale)
            if self.lars_flag[i]:
                gradient = self._changed(gradient, weight, decays[i] / self._scale, rates[i] if rates else None)
            changed.append(gradient)
        return self.opt(tuple(changed))

    def _changed(self, gradient, weight, decay, rate):
        of_weight, of_gradient = (ops.sqrt(ops.sum(ops.square(t))) for t in (weight, gradient))
        ratio = self.coefficient * of_weight / (of_gradient + decay * of_weight + self.epsilon)
        ratio = ops.where(ops.logical_and(of_weight > 0, of_gradient > 0), ratio, 1.0)
        if rate is not None:
            ratio = ops.minimum(ratio / rate, 1.0)
        return ratio * (gradient + decay * weight)

    def get_lr(self):
        """The learning rate of the optimiser at the next step."""
        return self.opt.get_lr()


for _name in _OF_THE_OPTIMIZER:
    setattr(LARS, _name, property(lambda self, name=_name: getattr(self.opt, name)))
