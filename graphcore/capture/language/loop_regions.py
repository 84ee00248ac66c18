"""Loops that the program runs: a body recorded once, with what changes in it carried from iteration to iteration.

What a loop carries is found by recording the body and looking at what it changed: local variables, places (lists,
attributes), Parameters.  Tensors are carried from the start, a number becomes a tensor once an iteration changes it; as
long as something is found that the recording did not know of, the body is recorded again.
"""
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from graphcore import dtype as dt
from graphcore.capture import places
from graphcore.capture.language.branches import is_known, truth
from graphcore.capture.language.nests import (
    NUMBERS,
    UNBOUND,
    JoinError,
    Slot,
    Undefined,
    converted,
    put_together,
    take_apart,
    zeros,
)
from graphcore.capture.regions import Operands, RegionTrace, place_region
from graphcore.capture.trace import Trace, TracedTensor
from graphcore.errors import CaptureError, shown
from graphcore.ir import graph as ir
from graphcore.ir.graph import Node
from graphcore.ir.types import TensorType
from graphcore.ops import regions
from graphcore.parameter import Parameter
from graphcore.tensor import Tensor

_ROUNDS = 12            # recordings of one body
_INDEX = TensorType(dt.int64, ())


class LoopError(CaptureError):
    """A loop that cannot be recorded once for all iterations."""


@dataclass
class _Item:
    """A variable or place that a loop's body changes: its value before the loop, taken apart, and what is carried.

    A variable's list or dict is itself a place: it stays the same object, unless the body gives the variable another.
    """

    name: str
    place: object                       # None for a local variable
    before: object
    structure: object
    leaves: list
    types: dict = field(default_factory=dict)           # number of a leaf -> the type in which it is carried

    @property
    def has_no_value(self) -> bool:
        """Whether this is a variable that has its first value in the loop."""
        return self.structure is UNBOUND or isinstance(self.structure, Undefined)

    def value(self, carried: list) -> object:
        """The value with what is carried replaced by tensors, taken from the front of `carried`."""
        if not self.types and self.place is None:
            return self.before
        leaves = [carried.pop(0) if i in self.types else v for i, v in enumerate(self.leaves)]
        return put_together(self.structure, leaves)


def _is_leaf(value) -> bool:
    return isinstance(value, (Tensor, *NUMBERS))


class Loop:
    """A loop that is to become a region of the graph.

    names, get, put: the local variables that its body binds, as for `branches.if_`.
    """

    def __init__(self, outer: Trace, names: tuple, get, put):
        self.outer, self.names, self._get, self._put = outer, names, get, put
        self.before = get() if names else ()
        self.items = [self._item(name, None, value) for name, value in zip(names, self.before)]
        self.parameters: dict = {}          # id -> Parameter that the body writes

    def _item(self, name: str, place, value) -> _Item:
        leaves: list = []
        structure = take_apart(value, leaves, _is_leaf)
        item = _Item(name, place, value, structure, leaves)
        if place is not None or not places.containers_in(value):
            item.types.update({i: v.type_ for i, v in enumerate(leaves) if isinstance(v, Tensor)
                               and not isinstance(v, Parameter)})
        return item

    # -- recording -------------------------------------------------------------------------------------
    def run_while(self, test: Callable, body: Callable) -> None:
        """Record ``while test(): body()`` as a `while` node and put its results where the body puts them."""
        for _ in range(_ROUNDS):
            operands = Operands(self.outer)
            initial = self._initial(operands)
            condition = self._recorded(operands, initial, lambda: truth(test()))
            round_ = self._recorded(operands, initial, body)
            if self._learn(condition, round_):
                continue
            flag = condition.result
            flag = ir.const(np.asarray(flag)) if is_known(flag) else flag.node
            outputs = self._outputs(round_)             # may take further operands, which both graphs have
            graphs = [condition.trace.graph("condition", (flag,)), round_.trace.graph("body", outputs)]
            node = regions.while_(*operands.outer, condition=graphs[0], body=graphs[1], carried=len(initial))
            self._finish(node, graphs)
            return
        raise LoopError("the values that a loop carries change their types in each iteration")

    def run_counted(self, length, body: Callable, stacks=(), trips: Node | None = None, reverse=False,
                    lists=()) -> None:
        """Record ``for i in range(length): body(i, *elements)`` as a `loop` node.

        length: the number of iterations, None if the node `trips` (i64[]) has it; stacks: tensors of which body gets
        element i; lists: those to which the body appends, and does nothing else with them.
        """
        for _ in range(_ROUNDS):
            operands = Operands(self.outer)
            if trips is not None:
                operands.outer.append(trips)
            index = operands.add(None, _INDEX)
            initial = self._initial(operands)
            elements = [operands.add(self.outer.node_of(s), regions.element_type(s.type_)) for s in stacks]
            round_ = self._recorded(operands, initial, body, (index, *elements), lists)
            if self._learn(round_):
                continue
            kept = [round_.trace.node_of(v) for _, values in round_.trace.stacked.values() for v in values]
            graph = round_.trace.graph("body", (*self._outputs(round_), *kept))
            node = regions.loop(*operands.outer, body=graph, carried=len(initial), stacks=len(stacks), length=length,
                                reverse=reverse)
            tensors = self._finish(node, [graph])
            self._extend(round_.trace.stacked.values(), tensors[len(initial):], length)
            return
        raise LoopError("the values that a loop carries change their types in each iteration")

    def undo(self) -> None:
        """Give the local variables their values before the loop."""
        if self.names:
            self._put(self.before)

    def _initial(self, operands: Operands) -> list[Node]:
        """Add the carried values to the operands; their leaves."""
        leaves = []
        for item in self.items:
            for i, type_ in item.types.items():
                value = item.leaves[i]
                node = zeros(type_) if value is UNBOUND else converted(self.outer.node_of(value), type_)
                leaves.append(operands.add(node, type_))
        self._parameter_leaves = {}
        for key, parameter in self.parameters.items():
            node = self.outer.value_now(parameter)
            self._parameter_leaves[key] = operands.add(node, node.type)
            leaves.append(self._parameter_leaves[key])
        return leaves

    def _recorded(self, operands, initial, function, arguments=(), lists=()) -> _Recorded:
        trace = RegionTrace(operands, self._parameter_leaves)
        trace.stacked = {id(a): (a, []) for a in lists}
        result = _Recorded(trace)
        with trace.active():
            carried = [TracedTensor(leaf, trace) for leaf in initial]
            values = [item.value(carried) for item in self.items]
            for item, value in zip(self.items, values):
                places.own_new(value, item.before)
            if self.names:
                self._put(tuple(values[:len(self.names)]))
            for item, value in zip(self.items[len(self.names):], values[len(self.names):]):
                trace.touched[item.place.key] = (item.place, item.place.read())
                item.place.write(value)
            try:
                result.result = function(*(TracedTensor(a, trace) for a in arguments))
                result.values = list(self._get()) if self.names else []
            finally:
                result.places = places.restore(trace)
                self.undo()
        result.values += [result.places[item.place.key][2] for item in self.items[len(self.names):]]
        return result

    # -- what a recording showed -----------------------------------------------------------------------
    def _learn(self, *recorded: _Recorded) -> bool:
        """Take in what the body changed; whether anything was new."""
        body, known = recorded[-1], {item.place.key for item in self.items if item.place is not None}
        new = False
        for part in recorded:
            for key, parameter in part.trace.written.items():
                if key not in self.parameters:
                    self.parameters[key], new = parameter, True
            for key, (place, old, _) in part.places.items():
                if key not in known:
                    known.add(key)
                    self.items.append(self._item(str(place), place, old))
                    new = True
        if new:
            return True
        changes = [self._compare(item, after) for item, after in zip(self.items, body.values)]
        return any(changes)

    def _compare(self, item: _Item, after) -> bool:
        leaves: list = []
        structure = take_apart(after, leaves, _is_leaf)
        if item.has_no_value:
            return self._first_value(item, structure, leaves)
        if not _same_structure(item.structure, structure):
            raise JoinError(f"{item.name} is {_describe(item.structure, item.leaves)} before the loop and "
                            f"{_describe(structure, leaves)} after an iteration; a loop that the program runs keeps "
                            "the kinds and lengths of its variables: write into a tensor of fixed size, or loop over a "
                            "Python range")
        changed = False
        for i, (old, now) in enumerate(zip(item.leaves, leaves)):
            if i not in item.types:
                if now is old or not isinstance(old, Tensor) and type(now) is type(old) and now == old:
                    continue
                item.types[i], changed = _type_of(now if isinstance(now, Tensor) else old), True
            elif _type_of(now) != item.types[i] and isinstance(now, Tensor):
                if isinstance(old, Tensor):
                    raise JoinError(f"{item.name} is {item.types[i]} at the beginning of an iteration and {now.type_} "
                                    "at its end; a loop that the program runs keeps the types of its variables: give "
                                    "it the final type before the loop")
                item.types[i], changed = now.type_, True
        return changed

    @staticmethod
    def _first_value(item: _Item, structure, leaves) -> bool:
        """A variable that has its first value within the loop; those that conversion made are carried from zeros."""
        if not item.name.startswith("gc_value") or not any(isinstance(v, Tensor) for v in leaves):
            return False
        item.structure = structure
        item.types = {i: v.type_ for i, v in enumerate(leaves) if isinstance(v, Tensor)}
        item.leaves = [UNBOUND if i in item.types else v for i, v in enumerate(leaves)]
        return True

    def _outputs(self, body: _Recorded) -> list[Node]:
        nodes = []
        for item, after in zip(self.items, body.values):
            leaves: list = []
            take_apart(after, leaves, _is_leaf)
            nodes += [converted(body.trace.node_of(leaves[i]), type_) for i, type_ in item.types.items()]
        return nodes + [body.trace.value_now(p) for p in self.parameters.values()]

    def _finish(self, node: Node, graphs) -> list:
        tensors = place_region(self.outer, node, graphs)
        carried = list(tensors)
        values = []
        for item in self.items:
            if item.has_no_value:
                values.append(Undefined(item.name, "its first value is given in a loop that may run no iteration"))
            else:
                values.append(places.own_new(item.value(carried), item.before))
        if self.names:
            self._put(tuple(values[:len(self.names)]))
        for item, value in zip(self.items[len(self.names):], values[len(self.names):]):
            places.touch(item.place)
            item.place.write(value)
        for parameter in self.parameters.values():
            self.outer.set_value(parameter, carried.pop(0).node)
        return tensors

    @staticmethod
    def _extend(stacked, stacks: list, length) -> None:
        """What a body appended, for all iterations."""
        from graphcore.capture.language.stacks import elements
        rest = list(stacks)
        for target, values in stacked:
            parts = [elements(rest.pop(0), length) for _ in values]
            target.extend(e for group in zip(*parts) for e in group)


@dataclass
class _Recorded:
    """One recording of a function: its result, the values of the loop's items after it, the places that it changed."""

    trace: RegionTrace
    result: object = None
    values: list = field(default_factory=list)
    places: dict = field(default_factory=dict)


def _type_of(value) -> TensorType:
    if isinstance(value, Tensor):
        return value.type_
    kind = dt.bool_ if isinstance(value, (bool, np.bool_)) else dt.int64 if isinstance(
        value, (int, np.integer)) else dt.float32
    return TensorType(kind, ())


def _same_structure(a, b) -> bool:
    if isinstance(a, Slot) or isinstance(b, Slot):
        return type(a) is type(b)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(_same_structure, a, b))
    if isinstance(a, dict):
        return isinstance(b, dict) and list(a) == list(b) and all(_same_structure(v, b[k]) for k, v in a.items())
    return a is b or type(a) is type(b) and isinstance(a, (str, bytes)) and a == b


def _describe(structure, leaves: list) -> str:
    if isinstance(structure, Slot):
        return shown(leaves[structure.index])
    if isinstance(structure, (list, tuple, dict)):
        return f"a {type(structure).__name__} of {len(structure)}"
    return shown(structure)
