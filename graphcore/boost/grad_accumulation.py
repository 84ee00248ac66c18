"""Gradients added up over several steps before the optimiser runs."""
from __future__ import annotations

from graphcore import dtype as dt
from graphcore import ops
from graphcore.nn.cell import Cell
from graphcore.ops.composite import HyperMap, MultitypeFuncGraph
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor

__all__ = ["GradientAccumulation", "gradient_accumulation_op", "gradient_clear_op"]

gradient_accumulation_op = MultitypeFuncGraph("gradient_accumulation_op")
gradient_clear_op = MultitypeFuncGraph("gradient_clear_op")


@gradient_accumulation_op.register("Int64", "Tensor", "Tensor")
def _add_share(steps, total, grad):
    ops.assign_add(total, grad / steps)
    return total


@gradient_clear_op.register("Tensor")
def _clear(total):
    return ops.assign(total, ops.zeros_like(total))


class GradientAccumulation(Cell):
    """Lets an optimiser run once for every `max_accumulation_step` calls, with the mean of their gradients.

    Called with a loss and the tuple of gradients; returns the loss.  Parameters: grad_accumulation.<name> for each of
    the optimiser's, and accumulation_step (int32, shape ()).
    """

    def __init__(self, max_accumulation_step, optimizer):
        super().__init__()
        self._max_accumulation_step = max_accumulation_step
        self.optimizer = optimizer
        self.weights = optimizer.parameters
        self.hyper_map = HyperMap()
        self._grad_accumulation = self.weights.clone(prefix="grad_accumulation", init="zeros")
        self._accumulation_step = Parameter(Tensor(0, dt.int32), name="accumulation_step")

    def construct(self, loss, grads):
        share = ops.partial(gradient_accumulation_op, self._max_accumulation_step)
        loss = ops.depend(loss, self.hyper_map(share, self._grad_accumulation, grads))
        self._accumulation_step += 1
        if self._accumulation_step >= self._max_accumulation_step:
            loss = ops.depend(loss, self.optimizer(self._grad_accumulation))
            loss = ops.depend(loss, self.hyper_map(gradient_clear_op, self._grad_accumulation))
            ops.assign(self._accumulation_step, 0)
        return loss
