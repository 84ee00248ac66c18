"""Reading and writing attributes and elements: noted for guards, undone after the capture, functional for tensors."""
from __future__ import annotations

import operator
from types import ModuleType

from graphcore.capture import guards, places
from graphcore.capture.attributes import StartAgain, is_state, state_attribute
from graphcore.capture.location import locate
from graphcore.capture.trace import TracedTensor, current_trace
from graphcore.errors import CaptureError
from graphcore.tensor import Tensor

slice = slice


def attribute(owner, name: str):
    """``owner.name``, noted as something that the capture depends on."""
    from graphcore.nn.cell import Cell
    trace = current_trace()
    value = getattr(owner, name)
    if isinstance(owner, ModuleType):
        guards.read_global(vars(owner), name)
        return value
    if not isinstance(owner, (Cell, Tensor)):
        guards.read_attribute(owner, name, value)
    if is_state(value) and trace is not None:
        trace.root.read_attributes[id(owner), name] = owner, value
    if isinstance(value, places.CONTAINERS):
        places.from_outside(value)
    return value


def set_attribute(owner, name: str, value) -> None:
    """``owner.name = value``; a plain attribute is set again after every run of the program."""
    from graphcore.nn.cell import Cell
    from graphcore.parameter import Parameter
    trace = current_trace()
    if trace is None or not trace.symbolic or isinstance(owner, Tensor):
        setattr(owner, name, value)
        return
    if isinstance(owner, Cell):
        if getattr(owner, name, None) is value:
            return
        if isinstance(value, (Parameter, Cell)):
            raise locate(CaptureError(f"self.{name} = {type(value).__name__}(...) inside construct: Parameters and "
                                      "Cells are made in __init__, or they would be new in every call"))
        if owner._params.get(name) is not None or name in owner._cells or isinstance(
                getattr(type(owner), name, None), property):
            setattr(owner, name, value)
            return
    was_read = trace.root.read_attributes.get((id(owner), name))
    if was_read is not None and (isinstance(value, TracedTensor) or value != was_read[1]):
        raise StartAgain(state_attribute(owner, name, was_read[1]))
    places.touch(places.Attribute(owner, name))
    guards.written(owner, name)
    object.__setattr__(owner, name, value) if isinstance(owner, Cell) else setattr(owner, name, value)


def set_global(namespace: dict, name: str, value) -> None:
    """An assignment to a global variable; it is done again after every run of the program."""
    places.touch(places.Entry(namespace, name))
    guards.written(namespace, name)
    namespace[name] = value


def item(owner, key):
    """``owner[key]``."""
    if isinstance(owner, list) and (trace := current_trace()) is not None and id(owner) in trace.stacked:
        raise locate(CaptureError("a list that the loop appends to is read in the loop"))
    if isinstance(owner, dict) and isinstance(key, TracedTensor) and key not in owner:
        raise locate(CaptureError("a tensor is looked up in a dict, but its value is known only when the program runs; "
                                  "use a Python value as the key, or a list, which takes a tensor as its index"))
    return owner[key]


def set_item(owner, key, value):
    """``owner[key] = value`` as the value that `owner` then has: a new Tensor, or the same list or dict."""
    from graphcore.ops.getitem import updated
    from graphcore.parameter import Parameter
    trace = current_trace()
    if isinstance(owner, Tensor) and not isinstance(owner, Parameter) and trace is not None and trace.symbolic:
        try:
            return updated(owner, key, value)
        except CaptureError as error:
            raise locate(error) from None
    if isinstance(owner, places.CONTAINERS):
        places.touch(places.Container(owner))
    owner[key] = value
    return owner


def set_item_of_outer(owner, key, value) -> None:
    """``owner[key] = value`` where `owner` is no local variable.  Raises CaptureError for a tensor."""
    if set_item(owner, key, value) is not owner:
        raise locate(CaptureError("an element of a tensor that is no local variable is assigned to; tensors are "
                                  "changed by giving a variable a new value, so take it as an argument and return it"))


def delete_item(owner, key) -> None:
    """``del owner[key]``."""
    if isinstance(owner, places.CONTAINERS):
        places.touch(places.Container(owner))
    del owner[key]


_IN_PLACE = {"+": operator.iadd, "-": operator.isub, "*": operator.imul, "/": operator.itruediv,
             "//": operator.ifloordiv, "%": operator.imod, "**": operator.ipow, "@": operator.imatmul,
             "&": operator.iand, "|": operator.ior, "^": operator.ixor, "<<": operator.ilshift, ">>": operator.irshift}


def in_place(name: str, left, right):
    """``left += right`` and its like, as the value that `left` then has."""
    if isinstance(left, places.CONTAINERS):
        places.touch(places.Container(left))
    return _IN_PLACE[name](left, right)


def own(container):
    """A list, dict or set that the captured function makes."""
    return places.own(container)


__all__ = ["TracedTensor", "attribute", "delete_item", "in_place", "item", "own", "set_attribute", "set_global",
           "set_item", "set_item_of_outer"]
