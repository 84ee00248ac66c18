"""Checks of arguments under the names of ``mindspore._checkparam``, which layers and losses in the wild use.

Each check returns the value.  A wrong type is a TypeError, a value out of range a ValueError; both name the argument.
"""
from __future__ import annotations

import functools
import inspect
import math
import operator
from collections.abc import Iterable

import numpy as np

EQ, NE, LT, LE, GT, GE, INC_NEITHER, INC_LEFT, INC_RIGHT, INC_BOTH, IN, NOT_IN = range(1, 13)

_COMPARE = {EQ: ("equal to", operator.eq), NE: ("other than", operator.ne), LT: ("less than", operator.lt),
            LE: ("at most", operator.le), GT: ("greater than", operator.gt), GE: ("at least", operator.ge)}
_RANGES = {INC_NEITHER: ("({}, {})", operator.lt, operator.lt), INC_LEFT: ("[{}, {})", operator.le, operator.lt),
           INC_RIGHT: ("({}, {}]", operator.lt, operator.le), INC_BOTH: ("[{}, {}]", operator.le, operator.le)}


def _named(arg_name, prim_name) -> str:
    owner = f"{prim_name}: " if prim_name else ""
    return f"{owner}{arg_name or 'the value'}"


def _require_number(value, kind: type, what: str) -> None:
    kinds = (int, np.integer) if kind is int else (float, np.floating)
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, kinds):
        raise TypeError(f"{what} must be {kind.__name__}, got {type(value).__name__}")
    if not math.isfinite(value):
        raise ValueError(f"{what} must be finite, got {value}")


def _check_number(value, bound, rel, kind: type, arg_name, prim_name):
    what = _named(arg_name, prim_name)
    _require_number(value, kind, what)
    text, holds = _COMPARE[rel]
    if not holds(value, bound):
        raise ValueError(f"{what} must be {text} {bound}, got {value}")
    return value


def check_number_range(arg_value, lower_limit, upper_limit, rel, value_type, arg_name=None, prim_name=None):
    """A number of `value_type` between two limits; `rel` says which of them belong to the range."""
    what = _named(arg_name, prim_name)
    _require_number(arg_value, value_type, what)
    text, low, high = _RANGES[rel]
    if not (low(lower_limit, arg_value) and high(arg_value, upper_limit)):
        raise ValueError(f"{what} must be in {text.format(lower_limit, upper_limit)}, got {arg_value}")
    return arg_value


def check(arg_name, arg_value, value_name, value, rel=EQ, prim_name=None, excp_cls=ValueError):
    """`arg_value` in the relation `rel` to `value`, which the message calls `value_name`."""
    what = _named(arg_name, prim_name)
    if rel in (IN, NOT_IN):
        text, holds = ("one of", arg_value in value) if rel == IN else ("none of", arg_value not in value)
    else:
        text, compare = _COMPARE[rel]
        holds = compare(arg_value, value)
    if not holds:
        raise excp_cls(f"{what} must be {text} {value_name} ({value}), got {arg_value}")
    return arg_value


def _number_check(kind: type, rel: int, summary: str):
    def function(arg_value, arg_name=None, prim_name=None):
        return _check_number(arg_value, kind(0), rel, kind, arg_name, prim_name)
    function.__doc__ = summary
    return function


check_positive_int = _number_check(int, GT, "An int above 0.")
check_non_negative_int = _number_check(int, GE, "An int of at least 0.")
check_negative_int = _number_check(int, LT, "An int below 0.")
check_non_positive_int = _number_check(int, LE, "An int of at most 0.")
check_positive_float = _number_check(float, GT, "A float above 0.")
check_non_negative_float = _number_check(float, GE, "A float of at least 0.")
check_negative_float = _number_check(float, LT, "A float below 0.")
check_non_positive_float = _number_check(float, LE, "A float of at most 0.")


def check_int(arg_value, value, rel, arg_name=None, prim_name=None):
    """An int in the relation `rel` to `value`."""
    return _check_number(arg_value, value, rel, int, arg_name, prim_name)


def check_equal_int(arg_value, value, arg_name=None, prim_name=None):
    """An int equal to `value`."""
    return check_int(arg_value, value, EQ, arg_name, prim_name)


def check_float(arg_value, value, rel, arg_name=None, prim_name=None):
    """A float in the relation `rel` to `value`."""
    return _check_number(arg_value, value, rel, float, arg_name, prim_name)


def check_is_int(arg_value, arg_name=None, prim_name=None):
    """An int."""
    _require_number(arg_value, int, _named(arg_name, prim_name))
    return arg_value


def check_is_float(arg_value, arg_name=None, prim_name=None):
    """A finite float."""
    _require_number(arg_value, float, _named(arg_name, prim_name))
    return arg_value


def check_int_range(arg_value, lower_limit, upper_limit, rel, arg_name=None, prim_name=None):
    """An int between two limits, see `check_number_range`."""
    return check_number_range(arg_value, lower_limit, upper_limit, rel, int, arg_name, prim_name)


def check_float_range(arg_value, lower_limit, upper_limit, rel, arg_name=None, prim_name=None):
    """A float between two limits, see `check_number_range`."""
    return check_number_range(arg_value, lower_limit, upper_limit, rel, float, arg_name, prim_name)


def check_bool(arg_value, arg_name=None, prim_name=None):
    """A bool."""
    if not isinstance(arg_value, bool):
        raise TypeError(f"{_named(arg_name, prim_name)} must be bool, got {type(arg_value).__name__}")
    return arg_value


def check_string(arg_value, valid_values, arg_name=None, prim_name=None):
    """One of the strings `valid_values`."""
    if not isinstance(arg_value, str) or arg_value not in valid_values:
        raise ValueError(f"{_named(arg_name, prim_name)} must be one of {', '.join(map(repr, valid_values))}, "
                         f"got {arg_value!r}")
    return arg_value


def _as_tuple(types) -> tuple:
    return tuple(types) if isinstance(types, Iterable) and not isinstance(types, (str, type)) else (types,)


def _type_names(types: tuple) -> str:
    return " or ".join(getattr(t, "__name__", str(t)) for t in types)


def check_value_type(arg_name, arg_value, valid_types, prim_name=None):
    """An instance of one of `valid_types`; a bool is no int here."""
    types = _as_tuple(valid_types)
    if isinstance(arg_value, bool) and bool not in types or not isinstance(arg_value, types):
        raise TypeError(f"{_named(arg_name, prim_name)} must be {_type_names(types)}, got {type(arg_value).__name__}")
    return arg_value


def check_isinstance(arg_name, arg_value, classes):
    """An instance of one of `classes`."""
    if not isinstance(arg_value, classes):
        raise ValueError(f"{arg_name} must be {_type_names(_as_tuple(classes))}, got {type(arg_value).__name__}")
    return arg_value


def check_type_name(arg_name, arg_type, valid_types, prim_name):
    """A dtype among `valid_types`."""
    types = _as_tuple(valid_types)
    if arg_type not in types:
        raise TypeError(f"{_named(arg_name, prim_name)} must be {_type_names(types)}, got {_type_names((arg_type,))}")
    return arg_type


def check_subclass(arg_name, type_, template_types, prim_name, addition_error_info=None):
    """A dtype among `template_types`, or a subclass of one of these classes."""
    types = _as_tuple(template_types)
    if type_ in types or isinstance(type_, type) and any(isinstance(t, type) and issubclass(type_, t) for t in types):
        return
    more = f" {addition_error_info}" if addition_error_info else ""
    raise TypeError(f"{_named(arg_name, prim_name)} must be {_type_names(types)}, got {_type_names((type_,))}{more}")


def args_type_check(*type_args, **type_kwargs):
    """A decorator that raises TypeError where an argument that is not None has another type than given here."""
    def decorate(function):
        signature = inspect.signature(function)
        types = signature.bind_partial(*type_args, **type_kwargs).arguments

        @functools.wraps(function)
        def checked(*args, **kwargs):
            for name, value in signature.bind(*args, **kwargs).arguments.items():
                if name in types and value is not None and not isinstance(value, types[name]):
                    raise TypeError(f"{function.__name__}: {name} must be {_type_names(_as_tuple(types[name]))}, "
                                    f"got {type(value).__name__}")
            return function(*args, **kwargs)
        return checked
    return decorate


class Rel:
    """The relations, as older scripts name them (``Rel.INC_LEFT``)."""

    EQ, NE, LT, LE, GT, GE = EQ, NE, LT, LE, GT, GE
    INC_NEITHER, INC_LEFT, INC_RIGHT, INC_BOTH = INC_NEITHER, INC_LEFT, INC_RIGHT, INC_BOTH
    IN, NOT_IN = IN, NOT_IN


class Validator:
    """The checks, as older scripts reach them (``Validator.check_positive_int``)."""


for _name, _function in list(globals().items()):
    if _name.startswith("check"):
        setattr(Validator, _name, staticmethod(_function))
