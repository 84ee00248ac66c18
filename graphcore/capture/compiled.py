"""Compiled functions: capture once per kind of arguments, then run the program.

`CompiledFunction` stands behind Cells in GRAPH_MODE, `@jit` functions and gradient functions.
"""
from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphcore import context
from graphcore.capture import epoch, failures, guards, outcome, places
from graphcore.capture.attributes import StartAgain
from graphcore.capture.finite import run_checked
from graphcore.capture.language import callee
from graphcore.capture.language.branches import Raises
from graphcore.capture.language.nests import Slot
from graphcore.capture.mutable import MUTABLE
from graphcore.capture.recompile import History, arguments_of
from graphcore.capture.symbolic import declared_types
from graphcore.capture.trace import DecideByValue, NeedsValue, Trace
from graphcore.ir.graph import Graph
from graphcore.ir.types import TensorType
from graphcore.tensor import Tensor

_settings = context.settings
_ENTRIES_OF_A_KIND = 8      # programs kept for one kind of arguments, so that going back and forth compiles once each


@dataclass(frozen=True)
class Captured:
    """A captured call: the graph, the Parameters bound to its names, and how to arrange its outputs."""

    graph: Graph
    parameters: dict            # name -> Parameter
    structure: Any              # the returned nest, with `Slot(i)` for output i
    reads: dict                 # guards
    callbacks: tuple = ()       # Python functions that the program calls
    actions: tuple = ()         # what the function did to Python objects, to be done after every run
    states: tuple = ()          # attributes that are inputs of the graph, behind the arguments
    asks: bool = False          # the capture was cut off where Python needed a value: the one output


class CompiledFunction:
    """A function of Tensors (and constants) that is compiled for each kind of arguments it meets."""

    def __init__(self, function: Callable, name: str, owner=None):
        self.function, self.name, self.owner = function, name, owner
        self._entries: dict = {}        # kind of arguments -> entries, the one used last in front
        self._last = None
        self.history = History(name)

    def __call__(self, *args, **kwargs):
        entry = self._last
        if entry is None or kwargs or not entry.accepts(args):
            entry = self._find(args, kwargs)
        elif entry.epoch != epoch.structure[0] or entry.check is not None and not entry.check():
            entry = self._find(args, kwargs)
        return entry.run(args, kwargs)

    def compile(self, *args, **kwargs) -> None:
        """Compile for arguments like these without running."""
        self._find(args, kwargs)

    def measured(self, args, kwargs) -> tuple:
        """(program, arrays of its inputs) for these arguments: to run it by itself."""
        entry = self._find(args, kwargs)
        return entry.program, entry.arrays(args, kwargs)

    @property
    def last_program(self):
        """The program of the last call or compilation, or None."""
        return self._last.program if self._last is not None else None

    @property
    def programs(self) -> int:
        """How many programs this function has been compiled to."""
        return sum(map(len, self._entries.values()))

    def _find(self, args, kwargs) -> Entry:
        types = declared_types(self.owner, args)
        key = _signature(types if types is not None else args, kwargs)
        entries = self._entries.setdefault(key, [])
        entry = next((e for e in entries if e.holds()), None)
        if entry is None:
            entry = self._compile(args, kwargs, types, entries)
        else:
            entries.remove(entry)
        entries.insert(0, entry)
        self._last = entry
        return entry

    def _compile(self, args, kwargs, types, entries: list) -> Entry:
        """A new entry, to be added to the `entries` for arguments of this kind, of which none holds."""
        arguments = arguments_of(args if types is None else types, kwargs, _argument_names(self.function, args))
        entry = Entry(self, args, kwargs, types, arguments)
        if self._last is None:
            self.history.first()
        elif entries:
            self.history.again_for_guards(entries[0].changes())
            del entries[_ENTRIES_OF_A_KIND - 1:]
        else:
            self.history.again_for_arguments(self._last.arguments, arguments)
        return entry

    def capture(self, args, kwargs, assumed=()) -> Captured:
        """Record one call as a graph."""
        return capture_call(self.function, args, kwargs, self.name, self.owner, assumed)


def capture_call(function, args, kwargs, name: str, owner=None, assumed: tuple = (), states: tuple = (),
                 decided: frozenset = frozenset()) -> Captured:
    """Run `function`, its control flow converted, on traced arguments.

    Tensors become inputs of the graph (Parameters stay themselves, everything else is a constant of this capture);
    a TensorType in place of a Tensor makes an input of that type.
    Where Python code asks for the value of a tensor, it gets the next of `assumed`; when they are used up, the graph
    computes what it asked for (`asks`).  `states` are attributes known to be read and written, `decided` is the code of
    branches that are known to be decided by value.
    """
    trace, reads = Trace(name, assumed), {}
    trace.decided |= decided
    names = _argument_names(function, args)

    def traced(value, name, place):
        if isinstance(value, TensorType):
            return trace.add_input(name, value)
        if is_input(value):
            return trace.add_input(name, value.type_)
        if isinstance(value, (list, tuple)):
            items = [traced(v, f"{name}.{i}", (*place, i)) for i, v in enumerate(value)]
            result = type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
        elif isinstance(value, dict):
            result = {k: traced(v, f"{name}.{k}", (*place, k)) for k, v in value.items()}
        else:
            return value
        if isinstance(value, (list, dict)):
            trace.outside[id(result)] = result
            trace.argument_places[id(result)] = place
        return result

    if owner is not None:
        owner.bind_names()
    again = None
    with trace.active(), guards.recording(reads):
        try:
            arguments = ([traced(a, n, (0, i)) for i, (a, n) in enumerate(zip(args, names))],
                         {k: traced(v, k, (1, k)) for k, v in kwargs.items()})
            for state in states:
                state.enter(trace)
            try:
                result = callee(function)(*arguments[0], **arguments[1])
            except Raises:          # on every way: the program does it
                result = None
            failures.check_result(function, result)
            outputs: list = []
            structure = outcome.take_apart(result, trace, outputs)
        except NeedsValue as question:
            graph = Graph(name, tuple(trace.inputs), (question.node,), (), (), trace.origins)
            callbacks = (_do_nothing if i in trace.effect_callbacks else c for i, c in enumerate(trace.callbacks))
            return Captured(graph, trace.parameters, None, reads, tuple(callbacks), states=states, asks=True)
        except StartAgain as found:
            again = (*states, found.attribute), decided
        except DecideByValue as found:
            again = states, decided | {found.code}
        except Exception as error:
            failures.replace(error)
            raise
        finally:
            changed = places.restore(trace)
        actions = outcome.actions(changed, trace, outputs) if again is None else ()
    if again is not None:
        return capture_call(function, args, kwargs, name, owner, assumed, *again)
    return Captured(trace.finish(outputs), trace.parameters, structure, reads, tuple(trace.callbacks), actions,
                    states)


def _do_nothing(*values) -> None:
    """Stands for printing and raising in a program that only finds a value out: the next program does them."""


def is_input(value) -> bool:
    """Whether an argument is data: a Tensor that is not a Parameter, or a mutable number."""
    from graphcore.parameter import Parameter
    return isinstance(value, MUTABLE) or isinstance(value, Tensor) and not isinstance(value, Parameter)


class Entry:
    """One compiled program of a function, with the guards under which it may be used."""

    def __init__(self, function: CompiledFunction, args, kwargs, types: list | None, arguments: dict,
                 assumed: tuple = ()):
        from graphcore import compiler
        captured = function.capture(args if types is None else types, kwargs, assumed)
        self._function, self._types, self._assumed = function, types, assumed
        self._answers = {} if captured.asks else None
        self._actions, self._states = captured.actions, captured.states
        simple = _all_inputs(args) and not kwargs and types is None
        self._key = tuple((a._dtype, a.shape) for a in args) if simple else None
        self.arguments = arguments      # for messages
        self._arrange = outcome.arranger(captured.structure)
        self._dtypes = [o.dtype for o in captured.graph.outputs]
        self._single = isinstance(captured.structure, Slot) and len(self._dtypes) == 1 and not captured.actions
        if _settings["save_graphs"] or "MS_DEV_SAVE_GRAPHS" in os.environ:
            from graphcore import saved_graphs
            if saved_graphs.level():
                saved_graphs.save_graphs(captured.graph)
        try:
            self.program = compiler.compile(captured.graph, captured.parameters, captured.callbacks)
        except Exception as error:
            failures.replace(error)
            raise
        self.guards = guards.Guards(captured.reads)
        self.check = self._check()
        self.epoch = epoch.structure[0]

    def accepts(self, args) -> bool:
        """Whether `args` are just Tensors of the kinds that this entry was compiled for."""
        key = self._key
        if key is None or len(args) != len(key):
            return False
        for a, (dtype, shape) in zip(args, key):
            if type(a) is not Tensor or a._dtype is not dtype or a._array.shape != shape:
                return False
        return True

    def holds(self) -> bool:
        """Whether what the capture read is still so; False if this entry is stale."""
        now = epoch.structure[0]
        if self.epoch == now and (self.check is None or self.check()):
            return True
        if not self.guards.refresh() or not all(s.fits() for s in self._states):
            return False
        self.check = self._check()
        if self.epoch != now:
            self.program.rebind()
            self.epoch = now
        return True

    def changes(self) -> list[str]:
        """What does not hold any more, in words."""
        return self.guards.changes() + [f"{type(s.owner).__name__}.{s.name}: no longer {s.type}" for s in self._states
                                        if not s.fits()]

    def _check(self) -> Callable | None:
        """What a call asks before it uses this entry; None: nothing beside the epoch."""
        check, states = self.guards.check, self._states
        if not states:
            return check
        return lambda: (check is None or check()) and all(s.fits() for s in states)

    def arrays(self, args, kwargs) -> list:
        """The memory of the program's inputs, for these arguments."""
        arrays = [a._array for a in args] if self._key is not None else [a._array for a in _inputs((args, kwargs))]
        if self._states:
            arrays += [s.array() for s in self._states]
        return arrays

    def run(self, args, kwargs):
        arrays = self.arrays(args, kwargs)
        if self._answers is not None:
            return self._answered(arrays, args, kwargs).run(args, kwargs)
        if _settings["check_nan"]:
            return self._arranged(run_checked(self.program, arrays), args, kwargs)
        return self._arranged(self.program.run(arrays), args, kwargs)

    def _arranged(self, results: list, args, kwargs):
        if self._single:
            return Tensor._wrap(results[0], self._dtypes[0])
        tensors = [Tensor._wrap(r, d) for r, d in zip(results, self._dtypes)]
        for action in self._actions:
            action.run(tensors, (args, kwargs))
        return self._arrange(tensors)

    def _answered(self, arrays, args, kwargs) -> Entry:
        """The entry for the value that Python code asked for, which this one's program computes."""
        value = self.program.run(arrays)[0].item()
        key = type(value), value
        entry = self._answers.get(key)
        if entry is None or not entry.holds():
            entry = self._answers[key] = Entry(self._function, args, kwargs, self._types, self.arguments,
                                               (*self._assumed, value))
        return entry


def _all_inputs(args) -> bool:
    return all(type(a) is Tensor for a in args)


def _inputs(value):
    """The Tensors among arguments, in the order in which a capture makes inputs of them."""
    if is_input(value):
        yield value
    elif isinstance(value, (list, tuple)):
        for v in value:
            yield from _inputs(v)
    elif isinstance(value, dict):
        for v in value.values():
            yield from _inputs(v)


def _signature(args, kwargs):
    def of(value):
        if isinstance(value, TensorType):
            return value
        if is_input(value):
            return (Tensor, value._dtype, value.shape)
        if isinstance(value, (list, tuple)):
            return (type(value), tuple(map(of, value)))
        if isinstance(value, dict):
            return (dict, tuple((k, of(v)) for k, v in value.items()))
        return guards.static_key(value)
    return tuple(map(of, args)), tuple((k, of(v)) for k, v in kwargs.items())


def _argument_names(function, args) -> list:
    import inspect
    try:
        names = [p.name for p in inspect.signature(inspect.unwrap(function)).parameters.values()
                 if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    except (TypeError, ValueError):
        names = []
    names = [*names, *getattr(getattr(function, "__self__", None), "_variadic_names", ())][:len(args)]
    return names + [f"arg{i}" for i in range(len(names), len(args))]
