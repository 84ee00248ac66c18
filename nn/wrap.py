"""Cells that wrap a net for training: loss, gradients and optimiser in one graph.

They keep the names of the net's Parameters (``auto_prefix=False``), so checkpoints of a wrapped net fit the net itself.
"""
from __future__ import annotations

import numpy as np

from graphcore import dtype as dt
from graphcore import ops
from graphcore.capture.gradients import GradOperation, grad, value_and_grad
from graphcore.communication.management import get_group_size
from graphcore.communication.parameters import begin_alike
from graphcore.errors import shown
from graphcore.nn.arguments import boolean, number
from graphcore.nn.cell import Cell
from graphcore.nn.grad_reducer import DistributedGradReducer
from graphcore.nn.layers.basic import Identity
from graphcore.parallel import get_auto_parallel_context, is_data_parallel
from graphcore.parameter import Parameter
from graphcore.parameter_tuple import ParameterTuple
from graphcore.tensor import Tensor

__all__ = ["WithLossCell", "WithEvalCell", "WithGradCell", "ForwardValueAndGrad", "TrainOneStepCell", "ParameterUpdate",
           "DistributedGradReducer", "DynamicLossScaleUpdateCell", "FixedLossScaleUpdateCell",
           "TrainOneStepWithLossScaleCell"]


class WithLossCell(Cell):
    """``loss_fn(backbone(data), label)``: a net together with its loss.  Raises TypeError for what cannot be called."""

    def __init__(self, backbone, loss_fn):
        super().__init__(auto_prefix=False)
        for name, value in (("backbone", backbone), ("loss_fn", loss_fn)):
            if not callable(value):
                raise TypeError(f"{self.cls_name}: {name} must be a Cell or a function, got {shown(value)}")
        self._backbone = backbone
        self._loss_fn = loss_fn

    def construct(self, data, label):
        return self._loss_fn(self._backbone(data), label)

    @property
    def backbone_network(self):
        """The net."""
        return self._backbone


class WithEvalCell(Cell):
    """``(loss, outputs, label)`` of a net, for evaluation; add_cast_fp32: outputs and label as float32."""

    def __init__(self, network, loss_fn, add_cast_fp32=False):
        super().__init__(auto_prefix=False)
        self._network = network
        self._loss_fn = loss_fn
        self.add_cast_fp32 = boolean(add_cast_fp32, "add_cast_fp32", self.cls_name)

    def construct(self, data, label):
        outputs = self._network(data)
        if self.add_cast_fp32:
            label = ops.cast(label, dt.float32) if label.dtype.is_float else label
            outputs = ops.cast(outputs, dt.float32)
        return self._loss_fn(outputs, label), outputs, label


class WithGradCell(Cell):
    """The gradients of a net with respect to its trainable Parameters; with `loss_fn`, of the loss of the net.

    sens: what the output is weighed by; None: ones.
    """

    def __init__(self, network, loss_fn=None, sens=None):
        super().__init__(auto_prefix=False)
        self.network = network
        self.loss_fn = loss_fn
        self.weights = ParameterTuple(network.trainable_params())
        self.sens = sens
        self.network_with_loss = network if loss_fn is None else WithLossCell(network, loss_fn)
        self.network_with_loss.set_train()

    def construct(self, *inputs):
        if self.sens is None:
            return grad(self.network_with_loss, None, self.weights)(*inputs)
        gradient = GradOperation(get_by_list=True, sens_param=True)
        return gradient(self.network_with_loss, self.weights)(*inputs, self.sens)


class ForwardValueAndGrad(Cell):
    """``(network(*inputs), gradients)``.

    network: a Cell or function.  get_all: gradients of all inputs, else of the first; get_by_list: of `weights`; both:
    (inputs, weights).  sens_param: the last argument of a call weighs the output.
    Raises TypeError for other types, and if get_by_list is set without weights.
    """

    def __init__(self, network, weights=None, get_all=False, get_by_list=False, sens_param=False):
        super().__init__(auto_prefix=False)
        if not callable(network):
            raise TypeError(f"ForwardValueAndGrad: network must be a Cell or a function, got {type(network).__name__}")
        self.get_all = boolean(get_all, "get_all", self.cls_name)
        self.get_by_list = boolean(get_by_list, "get_by_list", self.cls_name)
        self.sens_param = boolean(sens_param, "sens_param", self.cls_name)
        if get_by_list and not isinstance(weights, (list, tuple)):
            raise TypeError("ForwardValueAndGrad: get_by_list=True needs weights, a list or ParameterTuple; got "
                            f"{type(weights).__name__}")
        self.network = network
        self.weights = weights if weights is None or isinstance(weights, ParameterTuple) else ParameterTuple(weights)
        if isinstance(network, Cell):
            network.set_grad()

    def construct(self, *inputs):
        values = inputs[:-1] if self.sens_param else inputs
        outputs = self.network(*values)
        gradient = GradOperation(self.get_all, self.get_by_list, self.sens_param)
        return outputs, gradient(self.network, self.weights if self.get_by_list else None)(*inputs)


class TrainOneStepCell(Cell):
    """One step of training: the loss, its gradients with respect to the optimiser's Parameters, and the update.

    network: a Cell that returns the loss; sens: what the loss is multiplied by before differentiation (loss scale);
    return_grad: return (loss, {name: gradient}) instead of the loss.
    In parallel_mode "data_parallel" the gradients pass through a `DistributedGradReducer`.
    Raises ValueError for sens = 0, TypeError for an optimizer that is none.
    """

    def __init__(self, network, optimizer, sens=None, return_grad=False):
        super().__init__(auto_prefix=False)
        if sens is not None and not isinstance(sens, Tensor) and number(sens, "sens", self.cls_name) == 0:
            raise ValueError("TrainOneStepCell: sens must not be 0: all gradients would be 0")
        if isinstance(optimizer, type) or not hasattr(optimizer, "parameters"):
            raise TypeError(f"{self.cls_name}(network, optimizer): the optimizer must be an nn.Optimizer, got "
                            f"{shown(optimizer)}")
        self.network = network
        self.network.set_grad()
        self.optimizer = optimizer
        self.weights = optimizer.parameters
        # what subclasses with a construct of their own call, as in MindSpore
        self.grad, self.grad_no_sens = (ops.GradOperation(get_by_list=True, sens_param=s) for s in (True, False))
        self.sense_flag, self.sens = sens is not None, 1.0 if sens is None else sens
        self.return_grad = boolean(return_grad, "return_grad", self.cls_name)
        self.grad_reducer = self._reducer()

    def construct(self, *inputs):
        loss, gradients = self.loss_and_gradients(inputs)
        gradients = self.grad_reducer(gradients)
        self.optimizer(gradients)
        if self.return_grad:
            return loss, {w.name: g for w, g in zip(self.weights, gradients)}
        return loss

    def _reducer(self):
        """What the gradients pass through; data parallel, all processes begin with the same Parameters."""
        if not is_data_parallel() or get_group_size() == 1:
            return Identity()
        reducer = DistributedGradReducer(self.weights)
        trained = {id(w) for w in self.weights}
        others = [p for cell in (self.network, self.optimizer) for p in cell.get_parameters() if id(p) not in trained]
        begin_alike({id(p): p for p in others}.values(), get_auto_parallel_context("parameter_broadcast"))
        return reducer

    def loss_and_gradients(self, inputs) -> tuple:
        """(loss, gradients of ``sens * loss``) in the order of the optimiser's Parameters."""
        if not self.sense_flag:
            return value_and_grad(self.network, None, self.weights)(*inputs)
        return scaled_value_and_grad(self.network, self.weights, self.sens)(*inputs)


def scaled_value_and_grad(network, weights, scale):
    """Like ``value_and_grad(network, None, weights)``, with the gradients of ``scale * network(...)``."""
    def scaled(*inputs):
        outputs = network(*inputs)
        return outputs * ops.cast(scale, outputs.dtype) if isinstance(scale, Tensor) else outputs * scale, outputs

    def run(*inputs):
        (_, outputs), gradients = value_and_grad(scaled, None, weights, has_aux=True)(*inputs)
        return outputs, gradients
    return run


class ParameterUpdate(Cell):
    """``cell(x)`` assigns x to the Parameter `param` and returns x."""

    def __init__(self, param):
        super().__init__(auto_prefix=False)
        if not isinstance(param, Parameter):
            raise TypeError(f"ParameterUpdate takes a Parameter, got {type(param).__name__}")
        self._param = param

    def construct(self, x):
        ops.assign(self._param, x)
        return x


class FixedLossScaleUpdateCell(Cell):
    """A loss scale that never changes."""

    def __init__(self, loss_scale_value):
        super().__init__()
        self.loss_scale_value = loss_scale_value

    def get_loss_scale(self):
        """The loss scale."""
        return self.loss_scale_value

    def construct(self, loss_scale, overflow):
        return overflow


class DynamicLossScaleUpdateCell(Cell):
    """A loss scale that is divided by `scale_factor` after an overflow (down to 1), and multiplied by it after
    `scale_window` steps without one.

    ``cell(loss_scale, overflow)`` writes the Parameter `loss_scale` and returns `overflow` (bool, 0-d).
    """

    def __init__(self, loss_scale_value, scale_factor, scale_window):
        super().__init__()
        self.loss_scale_value = loss_scale_value
        self.scale_factor, self.scale_window = float(scale_factor), int(scale_window)
        self.cur_iter = Parameter(np.array(1, np.int32), name="current_iterator_step")
        self.last_overflow_iter = Parameter(np.array(0, np.int32), name="last_overflow_iterator_step")

    def get_loss_scale(self):
        """The loss scale at the start."""
        return self.loss_scale_value

    def construct(self, loss_scale, overflow):
        lowered = ops.maximum(loss_scale / self.scale_factor, 1.0)
        enough = self.cur_iter - self.last_overflow_iter >= self.scale_window
        kept = ops.select(enough, loss_scale * self.scale_factor, loss_scale * 1.0)
        restart = ops.logical_or(overflow, enough)
        last = ops.select(restart, self.cur_iter * 1, self.last_overflow_iter * 1)
        ops.assign(loss_scale, ops.select(overflow, lowered, kept))
        ops.assign(self.last_overflow_iter, last)
        ops.assign(self.cur_iter, self.cur_iter + 1)
        return overflow


class TrainOneStepWithLossScaleCell(TrainOneStepCell):
    """One step of training with a loss scale; a step whose gradients are not finite changes nothing.

    scale_sense: a loss scale update Cell (its state moves with each step), or a Tensor of one element.
    A call returns (loss, whether the gradients overflowed, loss scale of this step).
    Raises TypeError or ValueError for another scale_sense.
    """

    def __init__(self, network, optimizer, scale_sense):
        super().__init__(network, optimizer)
        self.hyper_map = ops.HyperMap()
        self.loss_scaling_manager = None
        if isinstance(scale_sense, Cell):
            self.loss_scaling_manager = scale_sense
            start = Tensor(scale_sense.get_loss_scale(), dt.float32)
        elif isinstance(scale_sense, Tensor):
            if tuple(scale_sense.shape) not in ((), (1,)):
                raise ValueError(f"scale_sense must have shape () or (1,), got {tuple(scale_sense.shape)}")
            start = scale_sense
        else:
            raise TypeError(f"scale_sense must be a loss scale update Cell or a Tensor, got a "
                            f"{type(scale_sense).__name__}")
        self.scale_sense = Parameter(start, name="scale_sense")

    def construct(self, *inputs):
        scale = self.scale_sense * 1.0      # the scale of this step: the Parameter may move below
        loss, gradients = scaled_value_and_grad(self.network, self.weights, ops.reshape(scale, ()))(*inputs)
        gradients = tuple(g / ops.cast(ops.reshape(scale, ()), g.dtype) for g in gradients)
        gradients = self.grad_reducer(gradients)
        overflow = self.process_loss_scale(self.get_overflow_status(None, gradients))
        self.update_unless(overflow, gradients)
        return loss, overflow, scale

    def update_unless(self, overflow, gradients) -> None:
        """Run the optimiser, and take back what it changed where `overflow` is true."""
        changed = [(p, p.value()) for p in self.optimizer.get_parameters()]
        self.optimizer(gradients)
        for parameter, before in changed:
            ops.assign(parameter, ops.select(overflow, before, parameter.value()))

    def get_overflow_status(self, status, compute_output):
        """Whether any element of the Tensors `compute_output` is infinite or NaN (bool, 0-d); `status` is not used."""
        finite = None
        for tensor in compute_output:
            here = ops.all(ops.isfinite(tensor))
            finite = here if finite is None else ops.logical_and(finite, here)
        return ops.logical_not(finite)

    def start_overflow_check(self, pre_cond, compute_input) -> tuple:
        """(status, compute_input): what `get_overflow_status` takes; overflows are found in the values themselves."""
        return None, compute_input

    def process_loss_scale(self, overflow):
        """Let the loss scale follow; returns `overflow`."""
        if self.loss_scaling_manager is None:
            return overflow
        return self.loss_scaling_manager(self.scale_sense, overflow)

    def set_sense_scale(self, sens) -> None:
        """Set the loss scale to the Tensor `sens`.  Raises TypeError for anything else."""
        if not isinstance(sens, Tensor):
            raise TypeError(f"set_sense_scale takes a Tensor, got {type(sens).__name__}")
        self.scale_sense.set_data(sens)


class _VirtualDatasetCell(Cell):
    """MindSpore's mark of where data enters a net that is split over devices; here the net itself."""

    def __init__(self, backbone):
        super().__init__(auto_prefix=False)
        self._backbone = backbone

    def construct(self, *inputs):
        return self._backbone(*inputs)


_grad_overflow = ops.MultitypeFuncGraph("_grad_overflow")


@_grad_overflow.register("Tensor")
def _overflow_of_tensor(gradient):
    return ops.FloatStatus()(gradient)
