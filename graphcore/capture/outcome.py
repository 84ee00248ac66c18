"""What a captured function returns and does to Python objects, arranged around the outputs of the graph."""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from graphcore.capture.language.nests import Slot, Undefined
from graphcore.capture.language.nests import put_together as _put_together
from graphcore.capture.language.nests import take_apart as _take_apart
from graphcore.capture.language.texts import Text, has_marks
from graphcore.capture.places import Container
from graphcore.capture.trace import Trace, TracedNumber, no_trace
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor


@dataclass(frozen=True)
class _FilledText:
    """A returned string with the values of the outputs from number `first` on in it."""

    text: Text
    first: int


@dataclass(frozen=True)
class _Number:
    """The place of an output that is returned as a Python number."""

    index: int


def take_apart(value, trace: Trace, outputs: list):
    """Replace the tensors of a returned nest by Slots, collecting their nodes in `outputs`.

    Parameters and Python values are returned themselves.  Raises UndefinedError for a variable without a value.
    """
    leaves: list = []
    structure = _take_apart(value, leaves, _is_leaf)
    return _put_together(structure, [_output(leaf, trace, outputs) for leaf in leaves])


def _is_leaf(value) -> bool:
    return isinstance(value, (Tensor, Undefined)) and not isinstance(value, Parameter) or has_marks(value)


def _output(value, trace: Trace, outputs: list):
    if isinstance(value, Undefined):
        value.refuse()
    if isinstance(value, str):
        text = Text(value, trace)
        outputs += [trace.node_of(t) for t in text.tensors]
        return _FilledText(text, len(outputs) - len(text.tensors))
    outputs.append(trace.node_of(value))
    return (_Number if isinstance(value, TracedNumber) else Slot)(len(outputs) - 1)


def put_together(structure, tensors: list):
    """The returned nest, with the Tensors that a run gave."""
    leaves: list = []
    outer = _take_apart(structure, leaves, lambda v: isinstance(v, (Slot, _Number, _FilledText)))
    return _put_together(outer, [_value(leaf, tensors) for leaf in leaves])


def arranger(structure) -> Callable[[list], Any]:
    """`put_together` for one structure, as a function of the Tensors: decided once, not in every call."""
    if isinstance(structure, Slot):
        return itemgetter(structure.index)
    if type(structure) is tuple and len(structure) > 1 and all(isinstance(part, Slot) for part in structure):
        return itemgetter(*(part.index for part in structure))
    if type(structure) is tuple:
        parts = [arranger(part) for part in structure]
        return lambda tensors: tuple([part(tensors) for part in parts])
    return lambda tensors: put_together(structure, tensors)


def _value(leaf, tensors: list):
    if isinstance(leaf, Slot):
        return tensors[leaf.index]
    if isinstance(leaf, _Number):
        return tensors[leaf.index].item()
    return leaf.text.filled(tensors[leaf.first:leaf.first + len(leaf.text.tensors)])


@dataclass(frozen=True)
class Action:
    """Something that the captured function did to a Python object: done again after each run."""

    place: object
    structure: object
    extends: bool               # the new contents come behind those that a list has
    is_number: bool = False     # what was an int or float is one again

    def run(self, tensors: list, arguments: tuple) -> None:
        """Do it, with the outputs of a run; `arguments` are (args, kwargs) of the call."""
        value = put_together(self.structure, tensors)
        if self.is_number and isinstance(value, Tensor):
            value = value.item()
        with no_trace():
            if self.extends:
                self.place.value.extend(value)
            else:
                self.place.renew(value)


@dataclass(frozen=True)
class _Kept:
    """An entry that a list or dict had before, by its index or key."""

    key: object


@dataclass(frozen=True)
class ArgumentAction:
    """A list or dict among the arguments that the captured function changed: changed in the caller's hands too.

    path: where it stands in (args, kwargs); structure: its new contents, with `_Kept` for entries that stay.
    """

    path: tuple
    structure: object

    def run(self, tensors: list, arguments: tuple) -> None:
        """Do it, with the outputs of a run; `arguments` are (args, kwargs) of the call."""
        target = arguments
        for key in self.path:
            target = target[key]
        leaves: list = []
        structure = _take_apart(put_together(self.structure, tensors), leaves, lambda v: isinstance(v, _Kept))
        Container(target).write(_put_together(structure, [target[leaf.key] for leaf in leaves]))


def _argument_action(path: tuple, old, new, trace: Trace, outputs: list) -> ArgumentAction:
    entries = old.items() if isinstance(old, dict) else enumerate(old)
    keys = {id(value): key for key, value in entries}

    def shown(value):
        return _Kept(keys[id(value)]) if id(value) in keys else take_apart(value, trace, outputs)

    structure = {k: shown(v) for k, v in new.items()} if isinstance(new, dict) else [shown(v) for v in new]
    return ArgumentAction(path, structure)


def actions(changed: dict, trace: Trace, outputs: list) -> tuple:
    """The actions for the places that a capture changed (see `places.restore`)."""
    found = []
    for place, old, new in changed.values():
        if place.key in trace.argument_places:
            found.append(_argument_action(trace.argument_places[place.key], old, new, trace, outputs))
            continue
        state, unchanged = trace.states.get(place.key, (None, old))
        if new is unchanged:
            continue
        extends = isinstance(place, Container) and isinstance(old, list) and len(new) >= len(old) and all(
            a is b for a, b in zip(old, new))
        value = new[len(old):] if extends else new
        found.append(Action(place, take_apart(value, trace, outputs), extends, state is not None and state.is_number))
    return tuple(found)
