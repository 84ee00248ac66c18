"""Optimizer: the base class of the optimisers with parameter groups.

Learning rates are Parameters, so a scheduler changes them without compiling again; all other options are Python values
of the groups, and changing one compiles the step again.  As with `nn.Optimizer`, a step is a Python loop over
Parameters that ends in `ops.assign`, which the compiler fuses with the gradients.
"""
from __future__ import annotations

import math
from collections import defaultdict

from graphcore import dtype as dt
from graphcore import ops
from graphcore.nn.arguments import boolean, number
from graphcore.nn.cell import Cell
from graphcore.nn.optim.groups import gradient_tuple, parameter_list
from graphcore.nn.optim.rates import decays_weights
from graphcore.parameter import Parameter
from graphcore.parameter_tuple import ParameterTuple
from graphcore.tensor import Tensor


class ParameterGroup(dict):
    """The options of a group by name.  Setting "lr" to a number writes the Parameter that holds it."""

    def __setitem__(self, key, value):
        holder = self.get(key) if key == "lr" else None
        if isinstance(holder, Parameter) and not isinstance(value, Parameter):
            ops.assign(holder, value if isinstance(value, Tensor) else number(value, "lr", "param_groups", low=0.0))
        else:
            super().__setitem__(key, value)


class Optimizer(Cell):
    """``Optimizer(params, defaults)``: subclass it to write an optimiser with parameter groups.

    params: Parameters, or groups: dicts with "params" and any of the options in `defaults`, a dict of options and what
    they are where a group does not set them.  "lr" is a number >= 0 or a 0-d Tensor, "weight_decay" a number >= 0.
    Calling it with the gradients, in the order of `parameters`, updates the Parameters and returns True.

    param_groups: the groups, with all options.  ``group["lr"]`` is a Parameter; assign to it, or set the key.
    Raises TypeError or ValueError for other arguments, GradientError (a RuntimeError) when called with another number
    of gradients than there are Parameters.
    State: ``learning_rate_group_<number>``.
    """

    def __init__(self, params, defaults):
        super().__init__(auto_prefix=False)
        self.defaults, self.state = defaults, defaultdict(dict)
        self.param_groups, self.group_start_id, self._states = [], [0], {}
        self.parameters = self.lrs = ()
        groups = parameter_list(params, "params", self.cls_name)
        self._add_groups(groups if isinstance(groups[0], dict) else [{"params": groups}])

    def add_param_group(self, param_group):
        """Add a group: a dict with "params" and options.  Its Parameters get fresh state."""
        self._add_groups([param_group])

    def _add_groups(self, given):
        first, taken, groups = len(self.parameters), {id(p) for p in self.parameters}, list(self.param_groups)
        parameters, rates, starts = list(self.parameters), list(self.lrs), list(self.group_start_id)
        for group in given:
            group = ParameterGroup(self._checked_group(group, taken))
            self.check_options(group)
            group["lr"] = Parameter(_rate(group["lr"], self.cls_name), name=f"learning_rate_group_{len(groups)}")
            groups.append(group)
            rates.append(group["lr"])
            parameters += group["params"]
            starts.append(len(parameters))
        self.parameters, self.lrs = ParameterTuple(parameters), ParameterTuple(rates)
        self.group_start_id, self.param_groups = starts, groups
        for attribute, make in self._states.items():
            added = make(ParameterTuple(parameters[first:]))
            setattr(self, attribute, ParameterTuple((*getattr(self, attribute), *added)))

    def _checked_group(self, given, taken: set) -> dict:
        """The group with its Parameters as a list, and the defaults; `taken` are the ids of those in other groups."""
        owner = self.cls_name
        if not isinstance(given, dict):
            raise TypeError(f"{owner}: a parameter group must be a dict, got {type(given).__name__}; params holds "
                            "Parameters or dicts, not both")
        if "params" not in given:
            raise KeyError(f"{owner}: a parameter group lacks the key 'params'; it has {', '.join(map(str, given))}")
        params = given["params"]
        if isinstance(params, (set, frozenset)):
            raise TypeError(f"{owner}: 'params' is a set, whose order may change from run to run; give a list")
        params = [params] if isinstance(params, Parameter) else parameter_list(params, "params", owner)
        for p in params:
            if not isinstance(p, Parameter):
                raise TypeError(f"{owner}: 'params' must hold Parameters, got {type(p).__name__}; "
                                "give net.trainable_params()")
        twice = [p.name for p in params if id(p) in taken]
        taken.update(map(id, params))
        if twice:
            raise ValueError(f"{owner}: {', '.join(twice)} stand in more than one parameter group; leave them in one")
        return {**given, "params": params, **{k: v for k, v in self.defaults.items() if k not in given},
                "weight_decay": given.get("weight_decay", self.defaults.get("weight_decay", 0.0))}

    def check_options(self, group):
        """Raise TypeError or ValueError for bad options of a group; overridden to check more."""
        group["weight_decay"] = number(group["weight_decay"], "weight_decay", self.cls_name, low=0.0)
        if "maximize" in group:
            boolean(group["maximize"], "maximize", self.cls_name)

    def construct(self, *hyper_params):
        """Update the Parameters; written by subclasses as ``construct(self, gradients)``."""
        raise NotImplementedError(f"{self.cls_name} must define construct(self, gradients)")

    # -- for the subclasses ----------------------------------------------------------------------------------
    def add_state(self, attribute, prefix, init="zeros"):
        """Keep a Parameter ``prefix.<name>`` beside each Parameter, in the tuple `attribute`."""
        self._add(attribute, lambda parameters: parameters.clone(prefix=prefix, init=init))

    def add_numbers(self, attribute, prefix, value):
        """Keep a 0-d Parameter ``prefix_<name>`` beside each Parameter, in the tuple `attribute`."""
        def make(parameters):
            names = (clone.name.replace(".", "_", 1) for clone in parameters.clone(prefix=prefix, init="zeros"))
            return ParameterTuple(Parameter(Tensor(value, dt.float32), name=name) for name in names)
        self._add(attribute, make)

    def _add(self, attribute, make):
        self._states[attribute] = make
        setattr(self, attribute, make(self.parameters))

    def groups_with(self, gradients, *states):
        """For each group (options, learning rate, rows); a row is (Parameter, gradient, state ...).

        Gradients are negated where the group says "maximize", then decayed.
        """
        gradients = gradient_tuple(gradients, self.parameters, self.cls_name)
        for group, first, last in zip(self.param_groups, self.group_start_id, self.group_start_id[1:]):
            columns = [column[first:last] for column in (self.parameters, gradients, *states)]
            if group.get("maximize"):
                columns[1] = tuple(-gradient for gradient in columns[1])
            if self.decays_gradients:
                columns[1] = self._decay_weight(group["weight_decay"], *columns[:2])
            yield group, group["lr"], list(zip(*columns))

    decays_gradients = True     # False: the optimiser treats "weight_decay" itself

    @staticmethod
    def _decay_weight(weight_decay, params, gradients) -> tuple:
        """Each gradient plus weight_decay times its Parameter."""
        if not decays_weights(weight_decay):
            return gradients
        return tuple(g + p * weight_decay for p, g in zip(params, gradients))

    def __repr__(self):
        lines = [f"{self.cls_name} ("]
        for i, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {i}")
            shown = {**group, "lr": group["lr"].value() if isinstance(group["lr"], Parameter) else group["lr"]}
            lines += [f"    {key}: {shown[key]}" for key in sorted(shown) if key != "params"]
        return "\n".join(lines) + "\n)"


def _rate(rate, owner: str) -> Tensor:
    """A learning rate as a 0-d float32 Tensor.  Raises TypeError or ValueError."""
    if not isinstance(rate, Tensor):
        return Tensor(number(rate, "lr", owner, low=0.0), dt.float32)
    if rate.ndim:
        raise ValueError(f"{owner}: lr must be a number or a 0-d Tensor, got shape {tuple(rate.shape)}; for a rate per "
                         "step use lr_scheduler")
    return Tensor(number(float(rate), "lr", owner, low=0.0), dt.float32)


def counter(name: str) -> Parameter:
    """An int32 Parameter of value 0 that counts steps."""
    return Parameter(Tensor(0, dt.int32), name=name)


def counted(steps: Parameter) -> Tensor:
    """The number of this step, from 1 on, as float32; the Parameter counts it."""
    ops.assign_add(steps, 1)
    return ops.cast(steps, dt.float32)


def one_minus_power(beta: float, steps):
    """``1 - beta^steps``, exact to the last digits also for a beta near 1; beta in [0, 1), steps >= 1."""
    return -ops.expm1(steps * math.log(beta)) if beta else 1.0


def check_betas(group, owner: str) -> None:
    """Raise unless ``group["betas"]`` are two numbers in [0, 1)."""
    betas = group["betas"]
    if not isinstance(betas, (tuple, list)) or len(betas) != 2:
        raise TypeError(f"{owner}: betas must be a pair of numbers, for example (0.9, 0.999), got {betas!r}")
    group["betas"] = tuple(number(beta, f"betas[{i}]", owner, low=0.0, high=1.0, open_high=True)
                           for i, beta in enumerate(betas))
