"""Optimizer: the base class of all optimisers.

It holds what they share: parameter groups, learning rates (fixed, listed, or scheduled), weight decay, loss scale and
the step counter.  An optimiser runs inside the graph: its ``construct(gradients)`` is a Python loop over Parameters
that ends in `ops.assign`, so the compiler fuses each update into the kernels that make the gradient.
"""
from __future__ import annotations

import functools
import inspect

import numpy as np

from graphcore import dtype as dt
from graphcore import ops
from graphcore.nn.arguments import number
from graphcore.nn.cell import Cell
from graphcore.nn.containers import CellList
from graphcore.nn.learning_rate_schedule import LearningRateSchedule
from graphcore.nn.optim.groups import gradient_tuple, parameter_list, parse_groups
from graphcore.nn.optim.rates import DecayScale, constant_rate, decays_weights, learning_rate_of, rate_holder
from graphcore.nn.optim.sharding import sharding_of
from graphcore.parameter import Parameter
from graphcore.parameter_tuple import ParameterTuple
from graphcore.tensor import Tensor


class Optimizer(Cell):
    """``Optimizer(learning_rate, parameters, weight_decay=0.0, loss_scale=1.0)``: subclass it to write an optimiser.

    learning_rate: float, 0-d Tensor, list or 1-d Tensor (a rate per step; the last one stays), or LearningRateSchedule.
    parameters: Parameters, or groups: dicts with "params" and optionally "lr", "weight_decay",
    "grad_centralization"; one more dict {"order_params": [...]} sets the order in which gradients are given.
    weight_decay: a number, or a Cell that computes it from the step.  Without groups it leaves out Parameters whose
    name contains "beta" or "gamma".
    loss_scale: what the loss was multiplied by; gradients are divided by it.

    Calling it with the gradients, in the order of `parameters`, updates the Parameters and returns a tuple of True.
    Raises TypeError, ValueError or KeyError for arguments that are none of these, GradientError (a RuntimeError) when
    called with gradients that are not one for each Parameter, ShapeError when their shapes differ.
    """

    def __init__(self, learning_rate, parameters, weight_decay=0.0, loss_scale=1.0):
        super().__init__(auto_prefix=False)
        parameters = self._parameters_base_check(parameters, "parameters")
        grouped = all(isinstance(p, dict) for p in parameters)
        if not grouped and not all(isinstance(p, Parameter) for p in parameters):
            raise TypeError(f"{self.cls_name}: parameters must be Parameters or group dicts (not both), for example "
                            f"net.trainable_params(); got {', '.join(sorted({type(p).__name__ for p in parameters}))}")
        self.loss_scale = number(loss_scale, "loss_scale", self.cls_name, low=0.0, open_low=True)
        self.global_step = Parameter(Tensor(np.zeros(1, np.int32)), name="global_step")
        self.is_group, self.is_group_lr, self.is_group_params_ordered = grouped, False, False
        self.dynamic_lr = self.dynamic_weight_decay = False
        rate = self._preprocess_single_lr(learning_rate)
        if grouped:
            self._init_groups(parameters, rate, weight_decay)
        else:
            self._init_single(parameters, rate, weight_decay)
        self.parameters = self._parameters
        self._sharding = sharding_of(self._parameters) if self.shares_state else None
        if self._sharding is not None:
            self._parameters = self._sharding.parts
        self.param_length = len(self._parameters)
        self.need_scale = self.loss_scale != 1.0
        self._target = "CPU"

    def _init_single(self, parameters, rate, weight_decay):
        self.learning_rate = rate_holder(rate, "learning_rate", as_cell=False)
        self._parameters = ParameterTuple(parameters)
        decay = self._preprocess_weight_decay(weight_decay)
        self.dynamic_decay_flags = isinstance(decay, Cell)
        self.decay_flags = tuple("beta" not in p.name and "gamma" not in p.name for p in parameters)
        self.exec_weight_decay = self.dynamic_decay_flags or decay > 0
        self.weight_decay = decay if self.dynamic_decay_flags else Tensor(decay, dt.float32)
        self._decays = tuple(decay if flag else 0.0 for flag in self.decay_flags)
        self.grad_centralization_flags = (False,) * len(parameters)

    def _init_groups(self, groups, rate, weight_decay):
        groups, order = parse_groups(groups, self.cls_name)
        self.is_group_params_ordered = order is not None
        group_rates = [self._preprocess_single_lr(g["lr"]) if "lr" in g else rate for g in groups]
        self.is_group_lr = any("lr" in g for g in groups)
        as_cells = self.is_group_lr and self.dynamic_lr
        default = rate_holder(rate, "learning_rate", as_cells) if not all("lr" in g for g in groups) else None
        rows = []
        for g, group_rate in zip(groups, group_rates):
            holder = rate_holder(group_rate, f"learning_rate_group_{g['number']}", as_cells) if "lr" in g else default
            decay = self._preprocess_weight_decay(g.get("weight_decay", weight_decay))
            rows += [(p, holder, decay, g.get("grad_centralization", False)) for p in g["params"]]
        if order is not None:
            place = {id(p): i for i, p in enumerate(order)}
            rows.sort(key=lambda row: place[id(row[0])])
        self.group_params, self.group_lr, self.group_weight_decay, self.group_grad_centralization = (
            list(column) for column in zip(*rows))
        if not self.is_group_lr:
            self.learning_rate = default
        elif as_cells:
            self.learning_rate = CellList(self.group_lr, auto_prefix=False)
        else:
            self.learning_rate = tuple(self.group_lr)       # a rate stands in it once per Parameter of its group
            self.group_rates = ParameterTuple({id(rate): rate for rate in self.group_lr}.values())
        self._parameters = ParameterTuple(self.group_params)
        self.dynamic_decay_flags = tuple(isinstance(d, Cell) for d in self.group_weight_decay)
        self.decay_flags = tuple(isinstance(d, Cell) or d > 0 for d in self.group_weight_decay)
        self.exec_weight_decay = any(self.decay_flags)
        self.weight_decay = tuple(d if isinstance(d, Cell) else Tensor(d, dt.float32) for d in self.group_weight_decay)
        self._decays = tuple(self.group_weight_decay)
        self.grad_centralization_flags = tuple(self.group_grad_centralization)

    # -- checks of arguments -----------------------------------------------------------------------------
    def _parameters_base_check(self, parameters, name) -> list:
        return parameter_list(parameters, name, self.cls_name)

    def _preprocess_single_lr(self, learning_rate):
        """A learning rate as float, 0-d or 1-d Tensor, or schedule; notes whether it changes by itself."""
        rate = constant_rate(learning_rate, self.cls_name)
        if isinstance(rate, LearningRateSchedule) or isinstance(rate, Tensor) and rate.ndim == 1:
            self.dynamic_lr = True
        return rate

    def _preprocess_weight_decay(self, weight_decay):
        """Weight decay as a float or a Cell, multiplied by the loss scale because gradients are still scaled then."""
        if isinstance(weight_decay, Cell):
            self.dynamic_weight_decay = True
            return DecayScale(weight_decay, self.loss_scale)
        if isinstance(weight_decay, bool) or not isinstance(weight_decay, (int, float)):
            raise TypeError(f"{self.cls_name}: weight_decay must be a number or a Cell, got a "
                            f"{type(weight_decay).__name__}")
        return number(weight_decay, "weight_decay", self.cls_name, low=0.0) * self.loss_scale

    # -- steps of an update, used by the subclasses -------------------------------------------------------
    def begin_step(self, gradients) -> tuple:
        """(gradients decayed, centralised and unscaled; one learning rate per Parameter), and the step is counted."""
        gradients = self.decay_weight(self.check_gradients(gradients))
        gradients = self.scale_grad(self.gradients_centralization(gradients))
        return gradients, self.rates_and_count()

    def rates_and_count(self) -> tuple:
        """The learning rate of each Parameter at this step; adds one to `global_step`."""
        rate = self.get_lr()
        self.assignadd(self.global_step, self.global_step_increase_tensor)
        return rate if self.is_group_lr else (rate,) * self.param_length

    def check_gradients(self, gradients) -> tuple:
        """`gradients` as a tuple.  Raises GradientError unless there is one that fits for each Parameter."""
        return gradient_tuple(gradients, self._parameters, self.cls_name)

    def decay_weight(self, gradients) -> tuple:
        """Each gradient plus weight_decay times its Parameter, for the Parameters that decay."""
        if not self.exec_weight_decay:
            return gradients
        decays = self.current_decays()
        return tuple(g + p * d if decays_weights(d) else g for g, p, d in zip(gradients, self._parameters, decays))

    def current_decays(self) -> tuple:
        """The weight decay of each Parameter at this step: floats, or Tensors where a Cell computes it."""
        computed: dict = {}
        for d in self._decays:
            if isinstance(d, Cell) and id(d) not in computed:
                computed[id(d)] = d(self.global_step)
        return tuple(computed[id(d)] if isinstance(d, Cell) else d for d in self._decays)

    def gradients_centralization(self, gradients) -> tuple:
        """Gradients minus their mean over all axes but the first, in the groups that ask for it.

        As in MindSpore, gradients of one axis, or whose second axis is no multiple of 16, stay as they are.
        """
        return tuple(g - ops.mean(g, tuple(range(1, g.ndim)), keep_dims=True)
                     if flag and g.ndim > 1 and g.shape[1] % 16 == 0 else g
                     for g, flag in zip(gradients, self.grad_centralization_flags))

    def scale_grad(self, gradients) -> tuple:
        """Gradients divided by the loss scale."""
        return tuple(g * (1.0 / self.loss_scale) for g in gradients) if self.need_scale else gradients

    def flatten_gradients(self, gradients):
        """The gradients; MindSpore can store them in one flat tensor, which has no use here."""
        return gradients

    # -- what can be asked ---------------------------------------------------------------------------------
    def get_lr(self):
        """The learning rate of the next step: a 0-d Tensor, or a tuple of one per Parameter if groups set `lr`."""
        if not self.dynamic_lr:
            return self.learning_rate
        if not self.is_group_lr:
            return ops.reshape(self.learning_rate(self.global_step), ())
        computed: dict = {}
        for schedule in self.group_lr:
            if id(schedule) not in computed:
                computed[id(schedule)] = ops.reshape(schedule(self.global_step), ())
        return tuple(computed[id(schedule)] for schedule in self.group_lr)

    def get_weight_decay(self):
        """The weight decay of the next step: a Tensor, or a tuple of one per Parameter if there are groups."""
        if not self.is_group:
            return self.weight_decay(self.global_step) if self.dynamic_weight_decay else self.weight_decay
        return tuple(d(self.global_step) if isinstance(d, Cell) else d for d in self.weight_decay)

    def get_lr_parameter(self, param):
        """The Parameter that holds the learning rate of `param` (a schedule gives itself); a list for a list.

        Raises TypeError for what is no Parameter, ValueError for one that this optimiser does not update.
        """
        wanted = param if isinstance(param, list) else [param]
        places = {id(p): i for i, p in enumerate(self.parameters)}
        found = []
        for p in wanted:
            if not isinstance(p, Parameter):
                raise TypeError(f"get_lr_parameter takes a Parameter or a list of them, got {type(p).__name__}")
            if id(p) not in places:
                raise ValueError(f"get_lr_parameter: {self.cls_name} does not update Parameter {p.name}")
            found.append(learning_rate_of(self.group_lr[places[id(p)]] if self.is_group_lr else self.learning_rate))
        return found if isinstance(param, list) else found[0]

    @property
    def target(self) -> str:
        """Where the update runs; always "CPU"."""
        return self._target

    @target.setter
    def target(self, value):
        if not isinstance(value, str):
            raise TypeError(f"target must be a str, got {type(value).__name__}")
        if value != "CPU":
            raise ValueError(f"target must be 'CPU', got {value!r}: graphcore runs on the CPU")

    @property
    def unique(self) -> bool:
        """MindSpore's switch for sparse gradients; gradients are dense here."""
        return True

    @unique.setter
    def unique(self, value):
        if not isinstance(value, bool):
            raise TypeError(f"unique must be a bool, got {type(value).__name__}")

    def _run_construct(self, *args, **kwargs):
        if self._sharding is None:
            return super()._run_construct(*args, **kwargs)
        gradients, before = self._sharding.begin(gradient_tuple(args[0], self._sharding.wholes, self.cls_name))
        result = super()._run_construct(gradients, *args[1:], **kwargs)
        self._sharding.end(before)
        return result

    def construct(self, *hyper_params):
        """Update the Parameters; written by subclasses as ``construct(self, gradients)``."""
        raise NotImplementedError(f"{self.cls_name} must define construct(self, gradients)")

    # -- names that optimisers written for MindSpore use ---------------------------------------------------
    use_parallel = False
    #: Whether each element is updated by itself, so that processes may share the work (`optim.sharding`).
    shares_state = False
    global_step_increase_tensor = 1

    @property
    def optim_filter(self) -> tuple:
        """One True per Parameter: all are updated by this process."""
        return (True,) * self.param_length

    @property
    def reciprocal_scale(self):
        """1 / loss_scale."""
        return Tensor(1.0 / self.loss_scale, dt.float32)

    @staticmethod
    def assignadd(variable, value):
        """Add to a Parameter."""
        return ops.assign_add(variable, value)

    @staticmethod
    def map_(function, *sequences) -> tuple:
        """``function`` applied to the elements of the sequences, side by side."""
        return tuple(function(*elements) for elements in zip(*sequences, strict=True))

    map_reverse = hyper_map = hyper_map_reverse = map_


def opt_init_args_register(fn):
    """Decorator of an optimiser's ``__init__``: keeps its arguments as ``init_args``, ``init_params`` and
    ``init_learning_rate``, so that a wrapper can build the same optimiser for other Parameters."""
    signature = inspect.signature(fn)

    @functools.wraps(fn)
    def wrapped(self, *args, **kwargs):
        fn(self, *args, **kwargs)
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        arguments = dict(list(bound.arguments.items())[1:])
        self.init_params = {"params": arguments.pop("params", None)}
        rate = arguments.pop("learning_rate", None)
        self.init_learning_rate = None if isinstance(rate, Cell) else rate
        self.init_args = arguments

    return wrapped
