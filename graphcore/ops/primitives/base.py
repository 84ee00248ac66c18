"""Primitive: the base of the operator classes, and the decorator that makes them of functions."""
from __future__ import annotations

import functools
import inspect


class Primitive:
    """An operator as an object: attributes are given at construction, tensors at the call.

    Attributes can be read back (``ops.Concat(axis=1).axis``).  What MindSpore adds for other devices and for parallel
    training (`shard`, `set_device` ...) is accepted, returns the primitive, and changes nothing.
    """

    def __init__(self, name: str):
        self.name, self.attrs = name, {}

    @property
    def prim_type(self):
        """The kind of operator: always 1, a built-in one."""
        return 1

    def add_prim_attr(self, name, value):
        """Note an attribute; it steers nothing.  Returns the primitive."""
        self.attrs[name] = value
        return self

    def del_prim_attr(self, name):
        """Forget a noted attribute.  Returns the primitive."""
        self.attrs.pop(name, None)
        return self

    def _accepted(self, *args, **kwargs):
        """Accepted for scripts that run on other devices; returns the primitive."""
        return self

    shard = set_stage = set_device = set_prim_instance_name = recompute = init_prim_io_names = _accepted

    def __call__(self, *args):
        raise NotImplementedError(f"{self.name} has no implementation: write __call__ with functions of graphcore.ops")

    def __repr__(self):
        attributes = ", ".join(f"{k}={v!r}" for k, v in self.attrs.items())
        return f"Prim[{self.name}]<{attributes}>" if attributes else f"Prim[{self.name}]"

    def __deepcopy__(self, memo):
        return self


PrimitiveWithInfer = PrimitiveWithCheck = Primitive


def prim_attr_register(function):
    """Decorator for the ``__init__`` of a primitive of one's own: notes the arguments as attributes."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def __init__(self, *args, **kwargs):
        Primitive.__init__(self, type(self).__name__)
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        self.attrs.update(list(bound.arguments.items())[1:])
        function(self, *args, **kwargs)
    return __init__


def constexpr(fn=None, get_instance=True, name=None, reuse_result=True, check=True):
    """Decorator for functions of Python values that run while a graph is captured: they run as they are."""
    if fn is None:
        return constexpr
    fn.runs_as_it_is = True         # see `capture.language.calls`
    return fn


_primexpr = constexpr     # MindSpore's own, for sizes that may be unknown: those are symbolic here


def primitive(function) -> type:
    """Class decorator for a function: keyword-only parameters become the constructor's, the others the call's.

    ``@primitive def Concat(tensors, *, axis=0)`` makes the class that is used as ``Concat(1)(tensors)``.
    """
    parameters = inspect.signature(function).parameters.values()
    settings = [p.replace(kind=p.POSITIONAL_OR_KEYWORD) for p in parameters if p.kind is p.KEYWORD_ONLY]
    signature = inspect.Signature(settings)

    def __init__(self, *args, **kwargs):
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{function.__name__}: {error}") from None
        bound.apply_defaults()
        self.name, self.attrs = function.__name__, {}
        self.attrs.update(bound.arguments)
        self._settings = dict(bound.arguments)
        self.__dict__.update(bound.arguments)

    def __call__(self, *args, **kwargs):
        return function(*args, **kwargs, **self._settings)

    self_parameter = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
    __init__.__signature__ = inspect.Signature([self_parameter, *settings])
    call_parameters = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
    __call__.__signature__ = inspect.Signature([self_parameter.replace(name="self_"), *call_parameters])
    return _class_of(function.__name__, function, function.__module__, __init__, __call__)


def plain(names: str, functions, module: str) -> dict:
    """Classes without attributes, ``"ReLU=relu Sub Mul"``: name=function, or the name in snake case."""
    made = {}
    for entry in names.split():
        name, _, target = entry.partition("=")
        function = getattr(functions, target or name.lower())
        made[name] = _without_attributes(name, function, module)
    return made


def _without_attributes(name: str, function, module: str) -> type:
    def __init__(self):
        self.name, self.attrs = name, {}

    def __call__(self, *args, **kwargs):
        return function(*args, **kwargs)

    return _class_of(name, function, module, __init__, __call__)


def _class_of(name, function, module, init, call) -> type:
    return type(name, (Primitive,), {"__init__": init, "__call__": call, "__module__": module,
                                     "__doc__": inspect.getdoc(function)})
