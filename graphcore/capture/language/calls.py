"""Calls: a function of the user's runs converted, builtins understand traced tensors, changes of lists are noted."""
from __future__ import annotations

import builtins
import functools
from types import BuiltinMethodType, FunctionType, MethodType

from graphcore.capture import guards, places
from graphcore.capture.convert.converted import converted
from graphcore.capture.language import effects
from graphcore.capture.language.branches import and_, as_number, if_expression, is_known, or_, truth
from graphcore.capture.language.loops import TracedEnumerate, TracedRange, traced_range
from graphcore.capture.language.nests import tensors_in
from graphcore.capture.language.surroundings import of_surroundings
from graphcore.capture.location import is_library_file, locate
from graphcore.capture.trace import TracedNumber, TracedTensor, current_trace, no_trace
from graphcore.errors import CaptureError
from graphcore.tensor import Tensor


def callee(function):
    """What to call instead of `function` in a capture."""
    trace = current_trace()
    if trace is None or not trace.symbolic:
        return function
    function = of_surroundings(function)
    kind = type(function)
    if kind is FunctionType:
        return _user_function(function)
    if kind is MethodType:
        inner = function.__func__
        if isinstance(inner, FunctionType):
            new = _user_function(inner)
            return function if new is inner else MethodType(new, function.__self__)
        return function
    if kind is BuiltinMethodType:
        owner = function.__self__
        if isinstance(owner, places.CONTAINERS):
            return _container_method(owner, function, trace)
        return _BUILTINS.get(function, function) if owner is builtins else function
    if isinstance(function, type):
        return _class(function)
    if kind is functools.partial:
        return functools.partial(callee(function.func), *function.args, **function.keywords)
    call = kind.__call__ if callable(function) else None
    if isinstance(call, FunctionType) and not is_library_file(call.__code__.co_filename):
        return MethodType(_user_function(call), function)
    return function


def _user_function(function: FunctionType):
    if getattr(function, "runs_as_it_is", False):
        return function
    new = converted(function)
    if not is_library_file(function.__code__.co_filename):
        for name in _global_names(function.__code__):
            guards.read_global(function.__globals__, name)
            if isinstance(value := function.__globals__.get(name), places.CONTAINERS):
                places.from_outside(value)
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
            guards.read_cell(cell, name, function.__qualname__)
            if isinstance(value := _contents(cell), places.CONTAINERS):
                places.from_outside(value)
        guards.read_defaults(function)
    return new


def _contents(cell):
    try:
        return cell.cell_contents
    except ValueError:          # not bound yet
        return None


@functools.cache
def _global_names(code) -> tuple:
    """The names that a function and the functions within it may read as globals."""
    names = dict.fromkeys(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, type(code)):
            names.update(dict.fromkeys(_global_names(constant)))
    return tuple(names)


# -- containers -------------------------------------------------------------------------------------------------

_CHANGING = frozenset("""append extend insert pop remove clear sort reverse update setdefault popitem add discard
    difference_update intersection_update symmetric_difference_update""".split())


def _container_method(owner, method, trace):
    name = method.__name__
    stacked = trace.stacked.get(id(owner))
    if stacked is not None:
        if name != "append":
            raise locate(CaptureError(f"a list that the loop appends to is also used by .{name}()"))
        return stacked[1].append
    if name in _CHANGING:
        places.touch(places.Container(owner))
    return method


# -- builtins ---------------------------------------------------------------------------------------------------

def _is_traced(*values) -> bool:
    return any(isinstance(v, TracedTensor) for v in values)


def _number(builtin, dtype: str):
    """int and float of a traced tensor or a Parameter: a 0-d tensor."""
    def of(*args, **kwargs):
        from graphcore.parameter import Parameter
        if len(args) == 1 and (_is_traced(*args) or isinstance(args[0], Parameter)) and not kwargs:
            from graphcore import dtype as dt
            from graphcore.ops import functional as F
            x = args[0].value() if isinstance(args[0], Parameter) else args[0]
            if x.size != 1:
                raise locate(ValueError(f"{builtin.__name__}() takes a tensor of one element, not one of type "
                                        f"{x.type_}"))
            return TracedNumber(F.cast(F.reshape(x, ()), getattr(dt, dtype)).node, x.recorder)
        return builtin(*args, **kwargs)
    return of


def _truth(*args):
    return as_number(truth(args[0])) if len(args) == 1 else bool(*args)


def _extreme(builtin, function: str):
    """max or min, of numbers and 0-d tensors by comparing tensors."""
    def of(*args, key=None, **kwargs):
        values = args if len(args) > 1 else None
        if values is None and isinstance(args[0], (list, tuple)):
            values = args[0]
        if values is None and isinstance(args[0], TracedTensor):
            from graphcore.ops import functional as F
            return (F.amax if function == "maximum" else F.amin)(args[0])
        if key is not None or values is None or not _is_traced(*values):
            return builtin(*args, **({"key": key} if key else {}), **kwargs)
        from graphcore.ops import functional as F
        return functools.reduce(getattr(F, function), values)
    return of


def _all_of(combine, builtin):
    def of(values):
        values = list(values)
        return combine(values[0] if values else builtin(()), *(lambda v=v: v for v in values[1:])) if any(
            isinstance(v, Tensor) for v in values) else builtin(values)
    return of


def _length(value):
    if isinstance(value, list) and id(value) in current_trace().stacked:
        raise locate(CaptureError("the length of a list that the loop appends to is read in the loop"))
    return len(value)


def _enumerate(iterable, start=0):
    return TracedEnumerate(iterable, start) if isinstance(iterable, (TracedTensor, range, TracedRange)) else enumerate(
        iterable, start)


def _applied(builtin):
    def of(function, *iterables):
        return builtin(callee(function) if callable(function) else function, *iterables)
    return of


def _filter(function, iterable):
    test = callee(function) if function is not None else (lambda v: v)
    kept = []
    for value in iterable:
        condition = truth(test(value))
        if not is_known(condition):
            raise locate(CaptureError("filter() by the value of a tensor: how many remain is known only when the "
                                      "program runs; use ops.where"))
        if condition:
            kept.append(value)
    return iter(kept)


def _new_container(builtin):
    def of(*args, **kwargs):
        return places.own(builtin(*args, **kwargs))
    return of


def _class(kind: type):
    """A class that is called: builtins understand traced tensors, Parameters are not made in a capture."""
    from graphcore.nn.cell import Cell
    from graphcore.parameter import Parameter
    if kind is Tensor:
        return new_tensor
    if issubclass(kind, Parameter):
        raise locate(CaptureError("Parameter(...) inside construct: Parameters are made in __init__, or they would be "
                                  "new in every call"))
    if issubclass(kind, Cell):
        return functools.partial(_new_cell, kind)
    return _BUILTINS.get(kind, kind)


def _new_cell(kind: type, *args, **kwargs):
    with no_trace():
        cell = kind(*args, **kwargs)
    if next(iter(cell.get_parameters()), None) is not None:
        raise locate(CaptureError(f"{kind.__name__}(...) inside construct: Cells with Parameters are made in __init__, "
                                  "or their weights would be new in every call"))
    return cell


def new_tensor(*args, **kwargs):
    """``Tensor(...)``, also of traced tensors and of lists with such."""
    data = args[0] if args else kwargs.get("input_data")
    if not any(isinstance(t, TracedTensor) for t in tensors_in(data)):
        return Tensor(*args, **kwargs)
    from graphcore.ops import functional as F
    from graphcore.ops.functional.creation import copied
    dtype = args[1] if len(args) > 1 else kwargs.get("dtype")
    value = _stacked(data)
    return copied(value) if dtype is None else F.cast(value, dtype)


def _stacked(value):
    from graphcore.ops import functional as F
    if not isinstance(value, (list, tuple)):
        return value if isinstance(value, Tensor) else Tensor(value)
    return F.stack([_stacked(v) for v in value], 0)


def _setattr(owner, name, value):
    from graphcore.capture.language.items import set_attribute
    set_attribute(owner, name, value)


def _getattr(owner, name, *default):
    from graphcore.capture.language.items import attribute
    if default and not hasattr(owner, name):
        guards.read_attribute(owner, name, places.MISSING)
        return default[0]
    return attribute(owner, name)


_BUILTINS = {
    print: effects.print_, range: traced_range, int: _number(int, "int64"), float: _number(float, "float32"),
    bool: _truth, max: _extreme(max, "maximum"), min: _extreme(min, "minimum"), all: _all_of(and_, all),
    any: _all_of(or_, any), len: _length, enumerate: _enumerate, map: _applied(map), filter: _filter,
    list: _new_container(list), dict: _new_container(dict), set: _new_container(set), setattr: _setattr,
    getattr: _getattr,
}

__all__ = ["callee", "if_expression"]
