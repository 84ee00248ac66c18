"""What optimisers are given: Parameters, or groups of them as the list of dicts that a user writes, and gradients."""
from __future__ import annotations

from collections.abc import Iterable

from graphcore.errors import GradientError, ShapeError, shown
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor

_KEYS = ("params", "lr", "weight_decay", "grad_centralization", "order_params")


def parameter_list(parameters, name: str, owner: str) -> list:
    """The Parameters or groups as a list.  Raises ValueError for None and an empty list, TypeError for other types."""
    if parameters is None:
        raise ValueError(f"{owner}: {name} is None; give net.trainable_params()")
    if not isinstance(parameters, Iterable):
        raise TypeError(f"{owner}: {name} must be a list of Parameters, got {type(parameters).__name__}")
    parameters = list(parameters)
    if not parameters:
        raise ValueError(f"{owner}: {name} is empty: the net has no Parameter with requires_grad=True, or its Cells "
                         "stand in a plain list (use nn.CellList)")
    return parameters


def gradient_tuple(gradients, parameters: tuple, owner: str) -> tuple:
    """`gradients` as a tuple.

    Raises GradientError unless there is a Tensor for each Parameter, ShapeError unless it has the Parameter's shape.
    """
    gradients = (gradients,) if isinstance(gradients, Tensor) else tuple(gradients)
    if any(isinstance(g, (tuple, list)) for g in gradients):
        raise GradientError(f"{owner} was given {_kinds(gradients)} as gradients; it takes those of its Parameters "
                            "alone: loss, gradients = value_and_grad(...)(...), and then optimizer(gradients)")
    if len(gradients) != len(parameters):
        raise GradientError(f"{owner} updates {len(parameters)} Parameters but was given {len(gradients)} gradients; "
                            "differentiate with respect to optimizer.parameters")
    for gradient, parameter in zip(gradients, parameters):
        if not isinstance(gradient, Tensor):
            raise GradientError(f"{owner}: the gradient of Parameter {parameter.name} is {shown(gradient)}, not a "
                                "Tensor; differentiate with respect to optimizer.parameters, where what the loss does "
                                "not depend on has gradients of zeros")
        if gradient.shape != parameter.shape:
            raise ShapeError(f"{owner}: the gradient of Parameter {parameter.name} has shape {gradient.shape}, the "
                             f"Parameter {parameter.shape}; differentiate with respect to optimizer.parameters, and "
                             "keep their order")
    return gradients


def _kinds(values: tuple) -> str:
    return "(" + ", ".join(f"a {type(v).__name__}" if isinstance(v, (tuple, list)) else shown(v) for v in values) + ")"


def parse_groups(groups, owner: str) -> tuple:
    """(groups, order or None): each group has 'params' as a list and, as 'number', its place in what the user gave.

    Raises KeyError for unknown keys, TypeError or ValueError for values of the wrong kind, RuntimeError for a
    Parameter that stands in two groups.
    """
    parsed, order, seen = [], None, set()
    for position, group in enumerate(groups):
        unknown = [key for key in group if key not in _KEYS]
        if unknown:
            raise KeyError(f"{owner}: a parameter group has the keys {', '.join(_KEYS)}; unknown: {', '.join(unknown)}")
        if "order_params" in group:
            order = _order(group, owner)
            continue
        if "params" not in group:
            raise KeyError(f"{owner}: parameter group {position} lacks the key 'params'")
        params = _parameters(group["params"], position, owner)
        for p in params:
            if id(p) in seen:
                raise RuntimeError(f"{owner}: Parameter {p.name} stands in two parameter groups; leave it in one")
            seen.add(id(p))
        if not isinstance(group.get("grad_centralization", False), bool):
            raise TypeError(f"{owner}: grad_centralization must be True or False, got {group['grad_centralization']!r}")
        parsed.append({**group, "params": params, "number": position})
    if not parsed:
        raise ValueError(f"{owner}: none of the groups has 'params'")
    if order is not None and {id(p) for p in order} != seen:
        raise ValueError(f"{owner}: order_params must hold each Parameter of the groups once; it has {len(order)}, the "
                         f"groups have {len(seen)}")
    return parsed, order


def _parameters(params, position, owner) -> list:
    if not isinstance(params, Iterable):
        raise TypeError(f"{owner}: 'params' of group {position} must be a list of Parameters, got a "
                        f"{type(params).__name__}")
    params = list(params)
    if not params:
        raise ValueError(f"{owner}: 'params' of group {position} is empty; drop the group or check the filter")
    for p in params:
        if not isinstance(p, Parameter):
            raise TypeError(f"{owner}: 'params' of group {position} holds a {type(p).__name__}, not a Parameter")
    return params


def _order(group, owner):
    if len(group) > 1:
        raise ValueError(f"{owner}: the group with 'order_params' must have no other key, it has {', '.join(group)}")
    if not isinstance(group["order_params"], Iterable):
        raise TypeError(f"{owner}: order_params must be a list of Parameters, got a "
                        f"{type(group['order_params']).__name__}")
    return list(group["order_params"]) or None
